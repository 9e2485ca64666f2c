#pragma once

/// \file
/// Graph indexes by name: reads options and finds the metric. What follows is compiled in four units for each point
/// set, one for each form of metrics, as it is most of what there is to compile.

#include <annulus/dynamic/engine/factories.hpp>
#include <annulus/dynamic/engine/graph_storage.hpp>
#include <annulus/dynamic/engine/named_metric.hpp>
#include <annulus/dynamic/engine/row_access.hpp>
#include <annulus/nndescent/graph/params.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Graph indexes over Points under metrics that compare by such a form, after they have rewritten rows or without
/// (nndescent_model.hpp).
template <class Points, product_form Form>
struct graph_factory {
  static model_pointer build(const row_access<Points>& rows, const any_metrics_t<Points>& metric,
                             const graph_storage& storage, const nndescent_params& params, const neighbors& initial);
  static model_pointer open(const file_description& file, const any_metrics_t<Points>& metric);
  static neighbors knn_graph(const row_access<Points>& rows, const any_metrics_t<Points>& metric,
                             const nndescent_params& params, const neighbors& initial);
};

/// All parameters of building but n_neighbors, by their names.
inline nndescent_params read_nndescent_params(option_reader& options) {
  nndescent_params params;
  options.read("n_trees", params.n_trees);
  options.read("leaf_size", params.leaf_size);
  options.read("max_candidates", params.max_candidates);
  options.read("n_iters", params.n_iters);
  options.read("delta", params.delta);
  options.read("pruning_degree_multiplier", params.pruning_degree_multiplier);
  options.read("diversify_prob", params.diversify_prob);
  options.read("alpha", params.alpha);
  options.read("tree_init", params.tree_init);
  options.read("keep_rows", params.keep_rows);
  options.read("include_self", params.include_self);
  options.read("seed", params.seed);
  options.read("threads", params.threads);
  return params;
}

/// Calls f.operator()<Form>() for the form of the metric.
template <class Points, class F>
auto with_form_of(const any_metrics_t<Points>& metric, F f) {
  return with_any_metric(metric, [&]<class Metric>(const Metric&) {
    return f.template operator()<form_of<typename compared<Metric, Points>::metric>()>();
  });
}

template <class Points>
model_pointer nndescent_factory<Points>::build(const annulus_rows& rows, option_reader& options,
                                               const progress_callback& progress) {
  const row_access<Points> taken(rows, "data");
  const any_metrics_t<Points> metric = read_any_metric<Points>(options, taken.bits());
  const graph_storage storage = read_graph_storage(options);
  nndescent_params params = read_nndescent_params(options);
  options.read("n_neighbors", params.n_neighbors);
  params.progress = progress;
  neighbors initial;
  initial.ids = options.ids("initial", rows.n);
  options.finish("nndescent");
  check_values(metric, rows, "data");
  return with_form_of<Points>(metric, [&]<product_form Form>() {
    return graph_factory<Points, Form>::build(taken, metric, storage, params, initial);
  });
}

template <class Points>
model_pointer nndescent_factory<Points>::open(const file_description& file) {
  const any_metrics_t<Points> metric = metric_of_file<Points>(file);
  return with_form_of<Points>(metric,
                              [&]<product_form Form>() { return graph_factory<Points, Form>::open(file, metric); });
}

template <class Points>
neighbors nndescent_factory<Points>::knn_graph(const annulus_rows& rows, std::size_t n_neighbors,
                                               option_reader& options, const progress_callback& progress) {
  const row_access<Points> taken(rows, "data");
  const any_metrics_t<Points> metric = read_any_metric<Points>(options, taken.bits());
  nndescent_params params = read_nndescent_params(options);
  params.n_neighbors = n_neighbors;
  params.progress = progress;
  neighbors initial;
  initial.ids = options.ids("initial", rows.n);
  options.finish("knn_graph");
  check_values(metric, rows, "data");
  return with_form_of<Points>(metric, [&]<product_form Form>() {
    return graph_factory<Points, Form>::knn_graph(taken, metric, params, initial);
  });
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
