#pragma once

/// \file
/// Where models come from: a class for each kind of index, and for each point set where types depend on it. Declared
/// here; each is defined by the header of its model and compiled in a unit of its own, so that the units of a set may
/// be compiled one by one.

#include <annulus/core/base/progress.hpp>
#include <annulus/dynamic/engine/codec_model.hpp>
#include <annulus/dynamic/engine/index_model.hpp>
#include <annulus/dynamic/engine/options.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

using model_pointer = std::unique_ptr<index_model>;
using codec_pointer = std::unique_ptr<codec_model>;

/// What a file says of the index that it holds.
struct file_description {
  std::filesystem::path path;
  bool is_mapped = false;
  std::string kind, points, metric;  ///< as in its metadata; empty where it names none
  std::string storage;               ///< or what a kind has in its place: the family of lsh, the quantiser of codes
  std::optional<caller_metric> caller = {};  ///< where the metric was a function
};

/// Graph indexes over Points, and k-NN graphs.
template <class Points>
struct nndescent_factory {
  static model_pointer build(const annulus_rows& rows, option_reader& options, const progress_callback& progress);
  static model_pointer open(const file_description& file);
  static neighbors knn_graph(const annulus_rows& rows, std::size_t n_neighbors, option_reader& options,
                             const progress_callback& progress);
};

/// Exact search over Points. Indexes are of dense rows alone.
template <class Points>
struct flat_factory {
  static model_pointer build(const annulus_rows& rows, option_reader& options, const progress_callback& progress);
  static model_pointer open(const file_description& file);
  static void knn(const annulus_rows& data, const annulus_rows& queries, std::size_t k, option_reader& options,
                  const annulus_search_params& params, id_type* ids, float* distances);
};

/// Locality-sensitive hashing over Points.
template <class Points>
struct lsh_factory {
  static model_pointer build(const annulus_rows& rows, option_reader& options, const progress_callback& progress);
  static model_pointer open(const file_description& file);
};

/// Codes of rows of floats: `kind` is pq, opq, fast_scan or rabitq.
struct codes_factory {
  static model_pointer build(std::string_view kind, const annulus_rows& rows, option_reader& options,
                             const progress_callback& progress);
  static model_pointer open(const file_description& file);
};

/// Codewords of the caller's, m x ks x ds, and a rotation or null.
struct given_codewords {
  const float *codewords, *rotation;
  std::size_t m, ks, ds;
};

/// Product quantisers by themselves.
struct codec_factory {
  static codec_pointer train(const annulus_rows& rows, option_reader& options, const progress_callback& progress);
  static codec_pointer of(const given_codewords& given, option_reader& options);
};

struct top_k_factory {
  static void run(const annulus_rows& operand, std::size_t k, bool largest, option_reader& options, void* values,
                  std::uint32_t* positions);
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
