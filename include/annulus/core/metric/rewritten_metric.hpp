#pragma once

/// \file
/// Metrics that are other metrics of rows rewritten: correlation is the cosine of centred rows, Hellinger's distance
/// the Euclidean one of square roots. Searches rewrite every row once and then compare by the base, with all that it
/// has of kernels, products and codes.
///
/// Such a metric tells
///   embedded<T>              the element type of rewritten rows
///   embedded_dim(d)          how many elements a row of d becomes
///   embed(row, d, out)       the rewritten row
///   base(d)                  the metric of rewritten rows; its distance is the metric's own
/// and any metric may tell what it refuses
///   check_dimension(d)       throws std::invalid_argument for rows of a length it does not take
///   refuses(row, d)          why it does not take a row (a row_refusal, or text that is null where it does)

#include <annulus/core/base/function_ref.hpp>
#include <annulus/core/base/parallel.hpp>
#include <annulus/core/metric/row_query.hpp>
#include <annulus/core/rows/matrix.hpp>
#include <annulus/core/rows/value_checks.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// The element type of rows of T that the metric has rewritten.
template <class M, class T>
using embedded_t = typename M::template embedded<T>;
/// The metric of rewritten rows.
template <class M>
using base_metric_t = decltype(std::declval<const M&>().base(std::size_t{}));

namespace detail {

/// Room for a rewritten row: on the stack unless the row is long.
template <class T>
class row_buffer {
 public:
  explicit row_buffer(std::size_t n) {
    if (n > few) m_many.resize(n);
  }
  T* data() noexcept { return m_many.empty() ? m_few : m_many.data(); }

 private:
  static constexpr std::size_t few = 2048 / sizeof(T);
  alignas(64) T m_few[few];
  aligned_vector<T> m_many;
};

/// Base of metrics that rewrite rows: makes them callable on two rows. Rewritten rows have the type that rows of T are
/// computed in, unless Derived says otherwise. Allocates only for rows longer than about 500 elements.
template <class Derived>
struct embedding {
  template <row_scalar T>
  using embedded = lane_t<T>;

  template <row_scalar T>
  auto operator()(const T* a, const T* b, std::size_t d) const {
    const auto& self = static_cast<const Derived&>(*this);
    using scalar = embedded_t<Derived, T>;
    const std::size_t n = self.embedded_dim(d);
    row_buffer<scalar> left(n), right(n);
    self.embed(a, d, left.data());
    self.embed(b, d, right.data());
    return self.base(d)(static_cast<const scalar*>(left.data()), static_cast<const scalar*>(right.data()), n);
  }
};

/// Why the metric does not take a row of finite numbers, if it does not.
template <class Metric, class Row>
row_refusal refusal(const Metric& metric, const Row& row) {
  if constexpr (refuses_whole_rows<Metric, Row>) return metric.refuses(row);
  else if constexpr (refuses_rows<Metric, Row>) return metric.refuses(row.data(), row.size());
  else return {};
}

/// Throws std::invalid_argument for a row that is refused, with the value and its coordinate if it is for one;
/// `where` is the row's number, or empty.
template <class Row>
[[noreturn, gnu::noinline, gnu::cold]] void refuse_row(std::string_view name, const std::string& where, const Row& row,
                                                       row_refusal why) {
  if (why.place == row_refusal::whole) invalid(name, "a row", where, where.empty() ? "" : " ", why.reason);
  std::size_t coordinate = why.place;
  double value = 0;
  if constexpr (requires { row.indices; }) {
    value = static_cast<double>(row.values[why.place]);
    coordinate = static_cast<std::size_t>(row.indices[why.place]);
  } else {
    value = static_cast<double>(row[why.place]);
  }
  invalid(name, value, where, where.empty() ? "" : ", ", "coordinate ", coordinate, " ", why.reason);
}

/// Throws std::invalid_argument for a length or a row (by its number) that the metric refuses; rows that are not finite
/// are not judged.
template <class Metric, class View>
void check_rows_for(const Metric& metric, const View& rows, std::string_view name) {
  if (rows.size() == 0) return;
  if constexpr (checks_dimension<Metric>) metric.check_dimension(rows.dim());
  if constexpr (refuses_rows<Metric, row_t<View>>)
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (const auto row = rows.row(i); is_finite_row(row))
        if (const row_refusal why = refusal(metric, row)) refuse_row(name, "row " + std::to_string(i), row, why);
}

/// Throws std::invalid_argument for rows without values under a metric that reads them.
template <class Metric, class Points>
void check_has_values(const Points& points, std::string_view name) {
  if constexpr (requires { points.has_values(); } && !compares_sets<Metric>)
    if (!points.has_values()) invalid(name, "sets", "rows without values have no distance but by a metric of sets");
}

/// What a search of Points by Metric compares: rows of `points` by `metric`.
template <class Metric, class Points>
struct compared {
  static constexpr bool is_rewritten = false;
  using points = Points;
  using metric = Metric;
};
template <class Metric, class T>
  requires rewrites_rows<Metric, T>
struct compared<Metric, matrix<T>> {
  static constexpr bool is_rewritten = true;
  using points = matrix<embedded_t<Metric, T>>;
  using metric = base_metric_t<Metric>;
};

/// The metric that compares rows of `dim` coordinates: the base of a metric that rewrites them.
template <class Points, class Metric>
typename compared<Metric, Points>::metric compared_metric(const Metric& metric, std::size_t dim) {
  if constexpr (compared<Metric, Points>::is_rewritten) return metric.base(dim);
  else return metric;
}

/// The message for a finite row that is not finite once it is rewritten.
inline constexpr std::string_view overflows_rewritten =
    "has that value once the metric has rewritten it; scale the rows down";

/// Rows rewritten one by one, zero for those that are not finite.
template <class T, class U>
matrix<U> rewritten_rows(matrix_view<T> rows, std::size_t dim, function_ref<void(const T*, U*)> embed,
                         const thread_team& team) {
  matrix<U> result(rows.rows(), dim);
  parallel_for(team, rows.rows(), 256, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i)
      if (all_finite(rows.row(i))) embed(rows.row(i).data(), result.row(i).data());
  });
  return result;
}

/// Rows as searches compare them: a view of those given, or copies rewritten; a row that is not finite becomes zero
/// there.
template <class Metric, class View>
class compared_rows {
 public:
  compared_rows(const Metric&, const View& rows, const thread_team&) : m_rows(rows) {}
  const View& view() const noexcept { return m_rows; }

 private:
  View m_rows;
};
template <class Metric, class T>
  requires rewrites_rows<Metric, T>
class compared_rows<Metric, matrix_view<T>> {
 public:
  compared_rows(const Metric& metric, matrix_view<T> rows, const thread_team& team)
      : m_rows(rewritten_rows<T, embedded_t<Metric, T>>(
            rows, metric.embedded_dim(rows.cols()),
            [&](const T* row, embedded_t<Metric, T>* out) { metric.embed(row, rows.cols(), out); }, team)) {}
  matrix_view<embedded_t<Metric, T>> view() const noexcept { return m_rows; }

 private:
  matrix<embedded_t<Metric, T>> m_rows;
};

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
