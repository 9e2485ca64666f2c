#pragma once

/// \file
/// A dense row prepared to be compared with many others by a metric.

#include <annulus/core/metric/common_metrics.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// A query made ready for one search: what the metric needs of it alone is computed once. Holds pointers to both.
template <class M, class T>
class prepared_query {
 public:
  /// \param metric,query must outlive this \param d the length of rows
  prepared_query(const M& metric, const T* query, std::size_t d) noexcept
      : m_metric(&metric), m_query(query), m_dim(d) {
    if constexpr (detail::is_cosine<M>) m_norm = one_to_one<kernels::inner_product>(query, query, d);
  }

  /// \param row d elements \returns its rank \throws any exception of the metric
  rank_t<M, T> operator()(const T* row) const {
    if constexpr (detail::is_cosine<M>) {
      const auto [dot, norm] = one_to_one<kernels::cosine_terms>(m_query, row, m_dim);
      return cosine::from_rows(detail::as_row(m_query, m_dim), detail::as_row(row, m_dim), dot, m_norm, norm);
    } else {
      return rank_of(*m_metric, m_query, row, m_dim);
    }
  }

  /// The ranks of many rows. \param rows the first \param stride elements from a row to the next \param count how many
  /// \param out their ranks \throws any exception of the metric
  void operator()(const T* rows, std::size_t stride, std::size_t count, rank_t<M, T>* out) const {
    if constexpr (kernel_ranked<M, T>) {
      one_to_many<typename M::kernel>(m_query, m_dim, rows, stride, count, out);
      for (std::size_t i = 0; i < count; ++i) out[i] = m_metric->from_kernel(out[i]);
    } else if constexpr (ranks_blocks<M, T>) {
      m_metric->ranks(m_query, m_dim, rows, stride, count, out);
    } else {
      for (std::size_t i = 0; i < count; ++i) out[i] = (*this)(rows + i * stride);
    }
  }

 private:
  struct nothing {};
  template <class Any>
  static auto norm_of() {
    if constexpr (detail::is_cosine<Any>) return kernel_result<kernels::inner_product, T>{};
    else return nothing{};
  }

  const M* m_metric;
  const T* m_query;
  std::size_t m_dim;
  [[no_unique_address]] decltype(norm_of<M>()) m_norm{};
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
