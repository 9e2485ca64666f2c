#pragma once

/// \file
/// The functions of the C interface as one table: what the objects compiled for an instruction set show of themselves.

#include <annulus/annulus.h>

/// In the order of annulus.h; the functions that need no index or data are the dispatcher's own.
struct annulus_function_table {
  decltype(&annulus_build) build;
  decltype(&annulus_open_with) open_with;
  decltype(&annulus_save) save;
  decltype(&annulus_verify) verify;
  decltype(&annulus_copy) copy;
  decltype(&annulus_free) free;
  decltype(&annulus_search) search;
  decltype(&annulus_radius_search) radius_search;
  decltype(&annulus_candidates) candidates;
  decltype(&annulus_lists_free) lists_free;
  decltype(&annulus_insert) insert;
  decltype(&annulus_erase) erase;
  decltype(&annulus_update) update;
  decltype(&annulus_consolidate) consolidate;
  decltype(&annulus_tune) tune;
  decltype(&annulus_graph) graph;
  decltype(&annulus_size) size;
  decltype(&annulus_dim) dim;
  decltype(&annulus_memory_bytes) memory_bytes;
  decltype(&annulus_info) info;
  decltype(&annulus_knn) knn;
  decltype(&annulus_knn_graph) knn_graph;
  decltype(&annulus_approx_top_k) approx_top_k;
  decltype(&annulus_codec_train) codec_train;
  decltype(&annulus_codec_of) codec_of;
  decltype(&annulus_codec_free) codec_free;
  decltype(&annulus_codec_describe) codec_describe;
  decltype(&annulus_codec_codewords) codec_codewords;
  decltype(&annulus_codec_rotation) codec_rotation;
  decltype(&annulus_codec_encode) codec_encode;
  decltype(&annulus_codec_decode) codec_decode;
  decltype(&annulus_codec_tables) codec_tables;
  decltype(&annulus_codec_distances) codec_distances;
};
