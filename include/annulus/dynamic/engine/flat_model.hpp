#pragma once

/// \file
/// Exact search as a model: flat_index under any metric, and knn.

#include <annulus/dynamic/engine/factories.hpp>
#include <annulus/dynamic/engine/named_metric.hpp>
#include <annulus/dynamic/engine/row_access.hpp>
#include <annulus/dynamic/engine/search_params.hpp>
#include <annulus/io/index/index_file.hpp>
#include <annulus/knn/flat_index.hpp>
#include <annulus/knn/sparse_knn.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

inline knn_params knn_params_of(const annulus_search_params& given, std::string_view kind) {
  check_unused(given, kind, {"recall_target", "progress"});
  return {.recall_target = given.recall_target == 0 ? 1.0 : given.recall_target,
          .threads = given.threads,
          .filter = filter_of(given),
          .progress = progress_of(given.progress, given.progress_user)};
}

template <class Points, class Metric>
class flat_model final : public index_model {
  using index_type = flat_index<Points, Metric>;

 public:
  flat_model(index_type index, std::size_t bits) : m_index(std::move(index)), m_bits(bits) {}

  std::string_view kind() const noexcept override { return "flat"; }
  std::string_view metric() const noexcept override { return m_index.metric().saved_name(); }
  std::string_view storage() const noexcept override { return {}; }
  std::string rows() const override { return describe_rows<Points>(m_bits); }
  std::size_t size() const noexcept override { return m_index.size(); }
  std::size_t dim() const noexcept override { return m_bits > 0 ? m_bits : m_index.dim(); }
  std::size_t memory_bytes() const noexcept override { return m_index.memory_bytes(); }
  std::unique_ptr<index_model> copy() const override { return std::make_unique<flat_model>(m_index, m_bits); }
  void save(const std::filesystem::path& path) const override { annulus::save(m_index, path); }
  void verify() const override { annulus::verify(m_index); }

  void search(const annulus_rows& queries, std::size_t k, const annulus_search_params& params, id_type* ids,
              float* distances) const override {
    const knn_params given = knn_params_of(params, kind());
    copy_out(m_index.search(taken(queries, "queries").view(), k, given), ids, distances);
  }
  id_type insert(const annulus_rows& rows, std::size_t threads) override {
    return m_index.insert(taken(rows, "data").view(), run_params{threads});
  }

 private:
  row_access<Points> taken(const annulus_rows& rows, std::string_view name) const {
    check_bits(m_bits, rows, name);
    return row_access<Points>(rows, name);
  }

  index_type m_index;
  std::size_t m_bits;  ///< of a row of bits, else 0
};

template <class Points>
model_pointer flat_factory<Points>::build(const annulus_rows& rows, option_reader& options, const progress_callback&) {
  if constexpr (csr_like<Points>) {
    invalid("kind", "flat", "takes dense rows: for sparse ones call knn, or build nndescent");
  } else {
    const row_access<Points> taken(rows, "data");
    const any_metrics_t<Points> metric = read_any_metric<Points>(options, taken.bits());
    run_params params;
    options.read("threads", params.threads);
    options.finish("flat");
    return with_any_metric(metric, [&]<class Metric>(const Metric& by) -> model_pointer {
      return std::make_unique<flat_model<Points, Metric>>(flat_index<Points, Metric>(taken.view(), by, params),
                                                          taken.bits());
    });
  }
}

template <class Points>
model_pointer flat_factory<Points>::open(const file_description& file) {
  if constexpr (csr_like<Points>) {
    throw format_error(name_of_path(file.path), 0, "a flat_index has dense rows, not " + file.points);
  } else {
    const any_metrics_t<Points> metric = metric_of_file<Points>(file);
    return with_any_metric(metric, [&]<class Metric>(const Metric& by) -> model_pointer {
      using index_type = flat_index<Points, Metric>;
      index_type index = file.is_mapped ? map_index<index_type>(file.path, by) : load_index<index_type>(file.path, by);
      const std::size_t bits = counted_bits(index.metric());
      return std::make_unique<flat_model<Points, Metric>>(std::move(index), bits);
    });
  }
}

template <class Points>
void flat_factory<Points>::knn(const annulus_rows& data, const annulus_rows& queries, std::size_t k,
                               option_reader& options, const annulus_search_params& params, id_type* ids,
                               float* distances) {
  const row_access<Points> rows(data, "data"), asked(queries, "queries");
  const any_metrics_t<Points> metric = read_any_metric<Points>(options, rows.bits());
  options.finish("knn");
  const knn_params given = knn_params_of(params, "knn");
  check_bits(rows.bits(), queries, "queries");
  with_any_metric(metric, [&](const auto& by) {
    check_values(by, data, "data");
    check_values(by, queries, "queries");
    copy_out(annulus::knn(rows.view(), asked.view(), k, by, given), ids, distances);
  });
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
