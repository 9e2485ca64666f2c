#pragma once

/// \file
/// Graph indexes as models: nndescent_index under metrics of one form, in every storage; and k-NN graphs.

#include <annulus/dynamic/engine/nndescent_factory.hpp>
#include <annulus/dynamic/engine/scratch_pool.hpp>
#include <annulus/dynamic/engine/search_params.hpp>
#include <annulus/io/index/index_file.hpp>
#include <annulus/nndescent/graph/knn_graph.hpp>
#include <annulus/nndescent/index.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

template <class Points, class Metric, class Storage>
class nndescent_model final : public index_model {
  using index_type = nndescent_index<Points, Metric, Storage>;
  using rows_type = row_access<Points>;

 public:
  nndescent_model(index_type index, std::size_t bits) : m_index(std::move(index)), m_bits(bits) {}

  std::string_view kind() const noexcept override { return "nndescent"; }
  std::string_view metric() const noexcept override { return m_index.metric().saved_name(); }
  std::string_view storage() const noexcept override { return Storage::name; }
  std::string rows() const override { return describe_rows<Points>(m_bits); }
  std::size_t size() const noexcept override { return m_index.size(); }
  std::size_t dim() const noexcept override { return m_bits > 0 ? m_bits : m_index.dim(); }
  std::size_t memory_bytes() const noexcept override { return m_index.memory_bytes(); }
  std::unique_ptr<index_model> copy() const override { return std::make_unique<nndescent_model>(m_index, m_bits); }
  void save(const std::filesystem::path& path) const override { annulus::save(m_index, path); }
  void verify() const override { annulus::verify(m_index); }

  void search(const annulus_rows& queries, std::size_t k, const annulus_search_params& given, id_type* ids,
              float* distances) const override {
    const nndescent_search_params params = params_of(given);
    const rows_type rows = taken(queries, "queries");
    if (rows.view().size() == 1) {
      const auto scratch = m_pool.take([&] { return m_index.make_scratch(); });
      return m_index.search(rows.view().row(0), {ids, k}, {distances, k}, *scratch, params);
    }
    copy_out(m_index.search(rows.view(), k, params), ids, distances);
  }
  csr radius_search(const annulus_rows& queries, float radius, const annulus_search_params& given) const override {
    const nndescent_search_params params = params_of(given);
    return m_index.radius_search(taken(queries, "queries").view(), radius, params);
  }
  id_type insert(const annulus_rows& rows, std::size_t threads) override {
    run_params params;
    params.threads = threads;
    return changed([&] { return m_index.insert(taken(rows, "data").view(), params); });
  }
  void erase(id_type id) override {
    changed([&] { return m_index.erase(id), 0; });
  }
  void update(id_type id, const annulus_rows& row) override {
    changed([&] { return m_index.update(id, taken(row, "row").view()), 0; });
  }
  void consolidate() override {
    changed([&] { return m_index.consolidate(), 0; });
  }
  annulus_tuned tune(const annulus_rows* queries, double recall_target, std::size_t k, std::size_t n_queries,
                     std::size_t threads) const override {
    const tune_params params{.n_queries = n_queries, .k = k, .threads = threads};
    const tuned_search tuned = queries == nullptr
                                   ? m_index.tune(recall_target, params)
                                   : m_index.tune(taken(*queries, "queries").view(), recall_target, params);
    annulus_tuned result{default_search_params(), tuned.recall, tuned.reached};
    result.params.beam = tuned.params.beam;
    result.params.epsilon = tuned.params.epsilon;
    result.params.by_estimates = tuned.params.by_estimates;
    return result;
  }
  neighbors graph() const override { return m_index.graph(); }

 private:
  rows_type taken(const annulus_rows& rows, std::string_view name) const {
    check_bits(m_bits, rows, name);
    check_values(m_index.metric(), rows, name);
    return rows_type(rows, name);
  }
  nndescent_search_params params_of(const annulus_search_params& given) const {
    check_unused(given, kind(), {"beam", "epsilon", "by_estimates"});
    return {.beam = given.beam,
            .epsilon = given.epsilon,
            .threads = given.threads,
            .filter = filter_of(given),
            .by_estimates = given.by_estimates != 0};
  }
  /// Calls f, which changes the index; scratches of the old one are dropped, as their codes may be others.
  template <class F>
  auto changed(F f) {
    m_pool.clear();
    return f();
  }

  index_type m_index;
  std::size_t m_bits;  ///< of a row of bits, else 0
  scratch_pool<typename index_type::search_scratch> m_pool;
};

/// Calls f with the metric, one whose base has this form.
template <product_form Form, class Result, class Points, class F>
Result with_metric_of_form(const any_metrics_t<Points>& metric, F f) {
  return with_any_metric(metric, [&]<class Metric>(const Metric& by) -> Result {
    if constexpr (form_of<typename compared<Metric, Points>::metric>() == Form) return f(by);
    else throw std::logic_error("annulus: a metric of another form");
  });
}

/// Throws std::invalid_argument for halves under a metric that takes none.
template <class Points, class Storage, class Metric>
void check_takes_halves(const Metric& by, std::size_t dim) {
  if constexpr (std::same_as<Storage, half_precision>) {
    const auto base = compared_metric<Points>(by, dim);
    if constexpr (requires { base.takes_halves(); })
      if (!base.takes_halves())
        invalid("storage", Storage::name, "the metric takes no rows of float16: full_precision");
  }
}

template <class Points, product_form Form>
model_pointer graph_factory<Points, Form>::build(const row_access<Points>& rows, const any_metrics_t<Points>& metric,
                                                 const graph_storage& storage, const nndescent_params& params,
                                                 const neighbors& initial) {
  return with_metric_of_form<Form, model_pointer, Points>(metric, [&]<class Metric>(const Metric& by) {
    return with_graph_storage<Points, Metric>(storage, [&]<class Storage>(const Storage& kept) -> model_pointer {
      check_takes_halves<Points, Storage>(by, rows.view().dim());
      using model = nndescent_model<Points, Metric, Storage>;
      return std::make_unique<model>(nndescent_index<Points, Metric, Storage>(rows.view(), by, params, kept, initial),
                                     rows.bits());
    });
  });
}

template <class Points, product_form Form>
model_pointer graph_factory<Points, Form>::open(const file_description& file, const any_metrics_t<Points>& metric) {
  return with_metric_of_form<Form, model_pointer, Points>(metric, [&]<class Metric>(const Metric& by) {
    const graph_storage storage{.name = file.storage};
    return with_graph_storage<Points, Metric>(storage, [&]<class Storage>(const Storage&) -> model_pointer {
      using index_type = nndescent_index<Points, Metric, Storage>;
      index_type index = file.is_mapped ? map_index<index_type>(file.path, by) : load_index<index_type>(file.path, by);
      const std::size_t bits = counted_bits(index.metric());
      return std::make_unique<nndescent_model<Points, Metric, Storage>>(std::move(index), bits);
    });
  });
}

template <class Points, product_form Form>
neighbors graph_factory<Points, Form>::knn_graph(const row_access<Points>& rows, const any_metrics_t<Points>& metric,
                                                 const nndescent_params& params, const neighbors& initial) {
  return with_metric_of_form<Form, neighbors, Points>(metric, [&](const auto& by) {
    return initial.ids.rows() == 0 ? build_knn_graph(rows.view(), by, params)
                                   : build_knn_graph(rows.view(), by, params, initial);
  });
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
