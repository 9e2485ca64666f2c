#pragma once

/// \file
/// Exact search, k-NN graphs and approximate top-k of rows whose types are known at run time. Needs the library
/// annulus::dynamic.

#include <annulus/core/result/neighbors.hpp>
#include <annulus/dynamic/any_rows.hpp>
#include <annulus/dynamic/c_calls.hpp>
#include <annulus/dynamic/c_options.hpp>
#include <annulus/dynamic/index_spec.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// annulus::knn: the k nearest rows of each query, by comparing it with all. \param data n x d rows of any kind \param
/// queries m x d of the same kind \param k at least 1 \param spec the metric (a name or a function) and its parameters
/// \param params threads, recall_target, filter and progress \returns m x k ids and distances, nearest first, padded
/// with no_id and +infinity \throws std::invalid_argument for k = 0, other dimensions or types, and metrics that do not
/// take such rows; cancelled
inline neighbors dynamic_knn(const any_rows& data, const any_rows& queries, std::size_t k, const index_spec& spec = {},
                             const dynamic_search_params& params = {}) {
  const detail::c_options options(spec, false);
  const detail::c_search_params given(params);
  neighbors found(queries.size(), k);
  detail::call(given.kept(), [&](annulus_error* error) {
    return annulus_knn(data.c_rows(), queries.c_rows(), k, options.data(), options.size(), given.get(),
                       found.ids.data(), found.distances.data(), error);
  });
  return found;
}

/// annulus::build_knn_graph: the nearest other rows of each row, nearly. \param data n x d rows of any kind \param
/// n_neighbors of each row \param spec the metric, its parameters and those of nndescent_params but n_neighbors \param
/// progress called meanwhile \returns n x n_neighbors ids and distances \throws std::invalid_argument for what these
/// refuse; cancelled
inline neighbors dynamic_knn_graph(const any_rows& data, std::size_t n_neighbors, const index_spec& spec = {},
                                   const progress_callback& progress = {}) {
  const detail::c_options options(spec, false);
  detail::kept_exception kept;
  detail::c_progress report(progress, kept);
  neighbors graph(data.size(), n_neighbors);
  detail::call(kept, [&](annulus_error* error) {
    return annulus_knn_graph(data.c_rows(), n_neighbors, options.data(), options.size(), report.function(),
                             report.user(), graph.ids.data(), graph.distances.data(), error);
  });
  return graph;
}

/// What approximate top-k found: a row for each row of the operand, best first.
template <class Value>
struct dynamic_top_k {
  matrix<Value> values;             ///< n x k
  matrix<std::uint32_t> positions;  ///< n x k: columns of the operand
};

/// As in approx_top_k_params.
struct dynamic_top_k_params {
  std::optional<double> recall_target = {};                          ///< in (0, 1]
  std::optional<std::ptrdiff_t> reduction_input_size_override = {};  ///< the size of which operand is a part
  std::optional<std::size_t> threads = {};                           ///< 0: all cores
};

namespace detail {

template <class Value>
dynamic_top_k<Value> approx_top_k(const any_rows& operand, std::size_t k, bool largest,
                                  const dynamic_top_k_params& params) {
  static_assert(std::same_as<Value, float> || std::same_as<Value, double>, "annulus: values are floats or doubles");
  if ((operand.type() == dtype::f64) != std::same_as<Value, double>)
    invalid("operand", operand.type() == dtype::f64 ? "f64" : "other than f64",
            "values of doubles (only these) are doubles: name the type in angle brackets");
  if (k > operand.dim()) invalid("k", k, "must be from 1 to the reduced size ", operand.dim());
  c_options options;
  options("recall_target", params.recall_target);
  options("reduction_input_size_override", params.reduction_input_size_override);
  options("threads", params.threads);
  dynamic_top_k<Value> found{{operand.size(), k}, {operand.size(), k}};
  call([&](annulus_error* error) {
    return annulus_approx_top_k(operand.c_rows(), k, largest, options.data(), options.size(), found.values.data(),
                                found.positions.data(), error);
  });
  return found;
}

}  // namespace detail

/// annulus::approx_min_k of each row: the k smallest values, nearly. \tparam Value double where the operand is of f64,
/// else float \param operand dense, n x dim \param k 1 to dim \param params see there \returns n x k values and
/// positions, best first \throws std::invalid_argument for another Value, for k above operand.dim(), and what
/// approx_min_k refuses
template <class Value = float>
dynamic_top_k<Value> dynamic_approx_min_k(const any_rows& operand, std::size_t k,
                                          const dynamic_top_k_params& params = {}) {
  return detail::approx_top_k<Value>(operand, k, false, params);
}
/// The k greatest. \param operand,k,params as of dynamic_approx_min_k \returns n x k values and positions, best first
/// \throws std::invalid_argument as dynamic_approx_min_k
template <class Value = float>
dynamic_top_k<Value> dynamic_approx_max_k(const any_rows& operand, std::size_t k,
                                          const dynamic_top_k_params& params = {}) {
  return detail::approx_top_k<Value>(operand, k, true, params);
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
