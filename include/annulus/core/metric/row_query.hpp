#pragma once

/// \file
/// A row of either kind, dense or sparse, prepared to be compared with others.

#include <annulus/core/metric/prepared_query.hpp>
#include <annulus/core/rows/row_types.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The rank of two rows.
template <class Metric, class T>
auto rank_of_rows(const Metric& metric, std::span<const T> a, std::span<const T> b) {
  return rank_of(metric, a.data(), b.data(), a.size());
}
template <class Metric, class Row>
auto rank_of_rows(const Metric& metric, const Row& a, const Row& b) {
  if constexpr (has_rank<Metric, Row>) return as_rank(metric.rank(a, b));
  else return as_rank(metric(a, b));
}

template <class Metric, class Row>
using row_rank_t = decltype(rank_of_rows(std::declval<const Metric&>(), std::declval<Row>(), std::declval<Row>()));

/// One row made ready to be compared with others. Holds pointers to it and to the metric.
template <class Metric, class Row>
class row_query {
 public:
  row_query(const Metric& metric, const Row& row) : m_metric(&metric), m_row(row) {}
  auto operator()(const Row& other) const { return rank_of_rows(*m_metric, m_row, other); }

 private:
  const Metric* m_metric;
  Row m_row;
};
template <class Metric, class T>
class row_query<Metric, std::span<const T>> {
 public:
  row_query(const Metric& metric, std::span<const T> row) : m_prepared(metric, row.data(), row.size()) {}
  auto operator()(std::span<const T> other) const { return m_prepared(other.data()); }

 private:
  prepared_query<Metric, T> m_prepared;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
