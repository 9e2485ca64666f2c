#pragma once

/// \file
/// The functions of the C interface, which forward to the table of the best instruction set that the processor has, or
/// of the one that the environment variable ANNULUS_ISA names. Included by one unit, which cmake/annulus-dynamic.cmake
/// writes and compiles for any processor. It defines ANNULUS_DYNAMIC_TABLES(TABLE) as TABLE(identifier, name) for each
/// instruction set of the library, the widest first.

#include <annulus/annulus.h>
#include <annulus/dynamic/engine/function_table.hpp>
#include <annulus/dynamic/engine/processor.hpp>
#include <annulus/dynamic/engine/search_params.hpp>
#include <annulus/version.hpp>

#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string>

#if !defined(ANNULUS_DYNAMIC_TABLES)
#define ANNULUS_DYNAMIC_TABLES(TABLE) TABLE(baseline, "baseline")
#endif

#define ANNULUS_TABLE(identifier, name) extern "C" const annulus_function_table annulus_functions_##identifier;
ANNULUS_DYNAMIC_TABLES(ANNULUS_TABLE)
#undef ANNULUS_TABLE

namespace {

struct instruction_set {
  const char* name;
  const annulus_function_table* functions;
};

/// Chosen at the first call, for the whole process.
struct choice {
  instruction_set set = {"", nullptr};
  char reason[512] = "";  ///< why there is no table

  choice() noexcept {
#define ANNULUS_TABLE(identifier, name) {name, &annulus_functions_##identifier},
    static constexpr instruction_set sets[] = {ANNULUS_DYNAMIC_TABLES(ANNULUS_TABLE)};
#undef ANNULUS_TABLE
    const char* const forced = std::getenv("ANNULUS_ISA");
    const bool is_forced = forced != nullptr && *forced != '\0';
    for (const instruction_set& each : sets)
      if (annulus::detail::processor_has(each.name) && (!is_forced || std::strcmp(forced, each.name) == 0)) {
        set = each;
        return;
      }
    say(is_forced ? "annulus: ANNULUS_ISA = " : "annulus: the processor has none of the library's instruction sets");
    if (is_forced) {
      say(forced);
      say(": must be an instruction set of the library that the processor has");
    }
    const char* separator = ": ";
    for (const instruction_set& each : sets) {
      say(separator);
      say(each.name);
      say(annulus::detail::processor_has(each.name) ? "" : " (not of this processor)");
      separator = ", ";
    }
  }

 private:
  void say(const char* words) noexcept { std::strncat(reason, words, sizeof(reason) - std::strlen(reason) - 1); }
};

const choice& chosen() noexcept {
  static const choice once;
  return once;
}

annulus_status fail_without_table(annulus_error* error) noexcept {
  if (error != nullptr) {
    error->status = ANNULUS_INVALID_ARGUMENT;
    error->code = 0;
    std::memcpy(error->message, chosen().reason, sizeof(chosen().reason));
  }
  return ANNULUS_INVALID_ARGUMENT;
}

template <class Function, class... Args>
annulus_status forward(Function annulus_function_table::*function, annulus_error* error, Args... args) noexcept {
  const annulus_function_table* const functions = chosen().set.functions;
  return functions == nullptr ? fail_without_table(error) : (functions->*function)(args..., error);
}

/// For functions that cannot fail. Without a table there is nothing that they could be asked about.
template <class Function, class Object, class... Args>
auto forward_to(Function annulus_function_table::*function, Object* object, Args... args) noexcept {
  const annulus_function_table* const functions = chosen().set.functions;
  using result = decltype((functions->*function)(object, args...));
  return object == nullptr || functions == nullptr ? result() : (functions->*function)(object, args...);
}

}  // namespace

extern "C" {

void annulus_search_defaults(annulus_search_params* params) {
  if (params != nullptr) *params = annulus::detail::default_search_params();
}

annulus_status annulus_build(const annulus_rows* rows, const annulus_option* options, size_t n_options,
                             annulus_progress progress, void* user, annulus_index** index, annulus_error* error) {
  return forward(&annulus_function_table::build, error, rows, options, n_options, progress, user, index);
}
annulus_status annulus_open(const char* path, int mapped, annulus_index** index, annulus_error* error) {
  return annulus_open_with(path, mapped, nullptr, nullptr, index, error);
}
annulus_status annulus_open_with(const char* path, int mapped, annulus_distance distance, void* user,
                                 annulus_index** index, annulus_error* error) {
  return forward(&annulus_function_table::open_with, error, path, mapped, distance, user, index);
}
annulus_status annulus_save(const annulus_index* index, const char* path, annulus_error* error) {
  return forward(&annulus_function_table::save, error, index, path);
}
annulus_status annulus_verify(const annulus_index* index, annulus_error* error) {
  return forward(&annulus_function_table::verify, error, index);
}
annulus_status annulus_copy(const annulus_index* index, annulus_index** copy, annulus_error* error) {
  return forward(&annulus_function_table::copy, error, index, copy);
}
void annulus_free(annulus_index* index) { forward_to(&annulus_function_table::free, index); }

annulus_status annulus_search(const annulus_index* index, const annulus_rows* queries, size_t k,
                              const annulus_search_params* params, uint32_t* ids, float* distances,
                              annulus_error* error) {
  return forward(&annulus_function_table::search, error, index, queries, k, params, ids, distances);
}
annulus_status annulus_radius_search(const annulus_index* index, const annulus_rows* queries, float radius,
                                     const annulus_search_params* params, annulus_lists* found, annulus_error* error) {
  return forward(&annulus_function_table::radius_search, error, index, queries, radius, params, found);
}
annulus_status annulus_candidates(const annulus_index* index, const annulus_rows* queries,
                                  const annulus_search_params* params, annulus_lists* found, annulus_error* error) {
  return forward(&annulus_function_table::candidates, error, index, queries, params, found);
}
void annulus_lists_free(annulus_lists* lists) { forward_to(&annulus_function_table::lists_free, lists); }

annulus_status annulus_insert(annulus_index* index, const annulus_rows* rows, size_t threads, uint32_t* first_id,
                              annulus_error* error) {
  return forward(&annulus_function_table::insert, error, index, rows, threads, first_id);
}
annulus_status annulus_erase(annulus_index* index, uint32_t id, annulus_error* error) {
  return forward(&annulus_function_table::erase, error, index, id);
}
annulus_status annulus_update(annulus_index* index, uint32_t id, const annulus_rows* row, annulus_error* error) {
  return forward(&annulus_function_table::update, error, index, id, row);
}
annulus_status annulus_consolidate(annulus_index* index, annulus_error* error) {
  return forward(&annulus_function_table::consolidate, error, index);
}
annulus_status annulus_tune(const annulus_index* index, const annulus_rows* queries, double recall_target, size_t k,
                            size_t n_queries, size_t threads, annulus_tuned* tuned, annulus_error* error) {
  return forward(&annulus_function_table::tune, error, index, queries, recall_target, k, n_queries, threads, tuned);
}
annulus_status annulus_graph(const annulus_index* index, annulus_lists* graph, annulus_error* error) {
  return forward(&annulus_function_table::graph, error, index, graph);
}

size_t annulus_size(const annulus_index* index) { return forward_to(&annulus_function_table::size, index); }
size_t annulus_dim(const annulus_index* index) { return forward_to(&annulus_function_table::dim, index); }
size_t annulus_memory_bytes(const annulus_index* index) {
  return forward_to(&annulus_function_table::memory_bytes, index);
}
const char* annulus_info(const annulus_index* index, const char* name) {
  return forward_to(&annulus_function_table::info, index, name);
}

annulus_status annulus_knn(const annulus_rows* data, const annulus_rows* queries, size_t k,
                           const annulus_option* options, size_t n_options, const annulus_search_params* params,
                           uint32_t* ids, float* distances, annulus_error* error) {
  return forward(&annulus_function_table::knn, error, data, queries, k, options, n_options, params, ids, distances);
}
annulus_status annulus_knn_graph(const annulus_rows* data, size_t n_neighbors, const annulus_option* options,
                                 size_t n_options, annulus_progress progress, void* user, uint32_t* ids,
                                 float* distances, annulus_error* error) {
  return forward(&annulus_function_table::knn_graph, error, data, n_neighbors, options, n_options, progress, user, ids,
                 distances);
}
annulus_status annulus_approx_top_k(const annulus_rows* operand, size_t k, int largest, const annulus_option* options,
                                    size_t n_options, void* values, uint32_t* positions, annulus_error* error) {
  return forward(&annulus_function_table::approx_top_k, error, operand, k, largest, options, n_options, values,
                 positions);
}

annulus_status annulus_codec_train(const annulus_rows* rows, const annulus_option* options, size_t n_options,
                                   annulus_progress progress, void* user, annulus_codec** codec, annulus_error* error) {
  return forward(&annulus_function_table::codec_train, error, rows, options, n_options, progress, user, codec);
}
annulus_status annulus_codec_of(const float* codewords, const float* rotation, size_t m, size_t ks, size_t ds,
                                const annulus_option* options, size_t n_options, annulus_codec** codec,
                                annulus_error* error) {
  return forward(&annulus_function_table::codec_of, error, codewords, rotation, m, ks, ds, options, n_options, codec);
}
void annulus_codec_free(annulus_codec* codec) { forward_to(&annulus_function_table::codec_free, codec); }
annulus_status annulus_codec_describe(const annulus_codec* codec, annulus_codec_shape* shape, annulus_error* error) {
  return forward(&annulus_function_table::codec_describe, error, codec, shape);
}
annulus_status annulus_codec_codewords(const annulus_codec* codec, float* codewords, annulus_error* error) {
  return forward(&annulus_function_table::codec_codewords, error, codec, codewords);
}
annulus_status annulus_codec_rotation(const annulus_codec* codec, float* rotation, annulus_error* error) {
  return forward(&annulus_function_table::codec_rotation, error, codec, rotation);
}
annulus_status annulus_codec_encode(const annulus_codec* codec, const annulus_rows* rows, size_t threads, void* codes,
                                    annulus_error* error) {
  return forward(&annulus_function_table::codec_encode, error, codec, rows, threads, codes);
}
annulus_status annulus_codec_decode(const annulus_codec* codec, const void* codes, size_t n, size_t threads,
                                    float* rows, annulus_error* error) {
  return forward(&annulus_function_table::codec_decode, error, codec, codes, n, threads, rows);
}
annulus_status annulus_codec_tables(const annulus_codec* codec, const annulus_rows* queries, float* tables,
                                    annulus_error* error) {
  return forward(&annulus_function_table::codec_tables, error, codec, queries, tables);
}
annulus_status annulus_codec_distances(const annulus_codec* codec, const float* table, const void* codes, size_t n,
                                       size_t threads, float* distances, annulus_error* error) {
  return forward(&annulus_function_table::codec_distances, error, codec, table, codes, n, threads, distances);
}

const char* annulus_instruction_set(void) { return chosen().set.name; }
const char* annulus_version(void) { return ANNULUS_VERSION; }

}  // extern "C"
