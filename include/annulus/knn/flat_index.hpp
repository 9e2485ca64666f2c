#pragma once

/// \file
/// flat_index: brute-force search over data that is checked, copied and prepared once and searched many times.

#include <annulus/core/metric/row_query.hpp>
#include <annulus/core/rows/value_checks.hpp>
#include <annulus/knn/knn.hpp>
#include <annulus/storage/metric_archive.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {
template <class Points>
concept is_dense = requires {
  requires std::same_as<Points, matrix<typename Points::value_type>>;
};
}  // namespace detail

/// Exact (or, by recall_target, nearly exact) search over the rows of Points, a matrix<T>. Owns a copy of the data;
/// moves and copies. Searching is const and safe from any number of threads. Distances are floats, also of rows of
/// double.
template <class Points, class Metric = euclidean>
  requires(detail::explained<Points, Metric> || !detail::is_dense<Points> ||
           metric_for<Metric, matrix_view<typename Points::value_type>>)
class flat_index {
  static_assert(!detail::csr_like<Points>,
                "annulus: flat_index takes dense rows: for a csr_matrix call knn, or use nndescent_index");
  static_assert(detail::argument_check<Points, Metric>::value);
  static_assert(detail::is_dense<Points>, "annulus: flat_index<Points> takes a matrix<T> for Points");
  using T = typename Points::value_type;

 public:
  using value_type = T;                                   ///< of rows
  using view_type = matrix_view<T>;                       ///< of rows and queries
  using search_params = knn_params;                       ///< of search
  static constexpr std::string_view kind = "flat_index";  ///< in files

  /// An empty index. \param dim coordinates of a row \param by the metric \throws std::bad_alloc
  explicit flat_index(std::size_t dim, Metric by = {}) : m_data(0, dim), m_metric(std::move(by)) {}

  /// An index of rows. O(n d). \param data n x d, which is copied \param by the metric \param params how many threads
  /// \throws std::invalid_argument for a row with a NaN or an infinity, or more than 2^32 - 2 rows.
  template <matrix_like D>
    requires std::same_as<value_t<D>, T>
  explicit flat_index(const D& data, Metric by = {}, const run_params& params = {})
      : flat_index(matrix_view<T>(data).cols(), detail::told_of_bits(std::move(by), data)) {
    detail::check_is_point_set<D>();
    insert(data, params);
  }

  /// Adds rows. O((n + m) d). Nothing changes where it throws. \param rows m x dim() \param params how many threads
  /// \returns the id of the first; the others follow \throws std::invalid_argument as the constructor does, or for
  /// another dimension.
  id_type insert(matrix_view<T> rows, const run_params& params = {}) {
    if (rows.rows() > 0 && rows.cols() != dim())
      detail::invalid("dimension", rows.cols(), "must equal the index's ", dim());
    if (rows.rows() >= no_id - size()) detail::invalid("rows", rows.rows(), "must keep the index below 2^32 - 1 rows");
    const thread_team team(params.threads);
    const auto compared = detail::compared_data(m_metric, rows, team);
    const double norm = detail::checked_norm<matrix<T>>(m_metric, dim(), compared.view(), team);
    matrix<T> data = appended(m_data, rows);
    if constexpr (is_embedded) m_compared = appended(m_compared, compared.view());
    const auto first = static_cast<id_type>(size());
    m_data = std::move(data);
    m_norm = std::max(m_norm, norm);
    return first;
  }

  /// The k nearest rows of each query, exactly as knn() over the same rows returns them. \param queries m x dim()
  /// \param k at least 1 \param params see there \returns m x k ids and distances
  /// \throws std::invalid_argument and annulus::cancelled as knn() does.
  neighbors search(matrix_view<T> queries, std::size_t k, const knn_params& params = {}) const {
    detail::check_search(matrix_view<T>(m_data), queries, k, params);
    if constexpr (is_embedded) return search(m_compared, queries, k, params);
    else return search(m_data, queries, k, params);
  }

  std::size_t size() const noexcept { return m_data.rows(); }  ///< \returns the number of rows
  std::size_t dim() const noexcept { return m_data.cols(); }   ///< \returns coordinates of a row
  /// \returns the memory of the rows, also of rewritten ones
  std::size_t memory_bytes() const noexcept {
    return size() * dim() * sizeof(T) + m_compared.rows() * m_compared.cols() * sizeof(compared_scalar);
  }
  const matrix<T>& data() const noexcept { return m_data; }   ///< \returns the rows, in the order of their ids
  const Metric& metric() const noexcept { return m_metric; }  ///< \returns the metric

 private:
  using compared_scalar = typename detail::compared<Metric, matrix<T>>::points::value_type;
  static constexpr bool is_embedded = rewrites_rows<Metric, T>;

  template <class U>
  static matrix<U> appended(const matrix<U>& m, const matrix_view<U>& rows) {
    if (rows.rows() == 0) return m;
    matrix<U> grown(m.rows() + rows.rows(), rows.cols());
    std::copy_n(m.data(), m.rows() * m.cols(), grown.data());
    for (std::size_t i = 0; i < rows.rows(); ++i) std::ranges::copy(rows.row(i), grown.row(m.rows() + i).begin());
    return grown;
  }
  template <class U>
  neighbors search(const matrix<U>& data, matrix_view<T> queries, std::size_t k, const knn_params& params) const {
    return detail::search_compared(matrix_view<U>(data), m_norm, queries, k, m_metric, params);
  }

  friend detail::persistence;
  explicit flat_index(detail::unfilled) : flat_index(0, detail::metric_to_fill<Metric>()) {}
  flat_index(detail::unfilled, Metric by) : flat_index(0, std::move(by)) {}

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive.constant("points", detail::points_name<matrix<T>>());
    detail::persist_metric(self.m_metric, archive);
    archive("greatest_norm", self.m_norm);
    archive("rows", self.m_data);
    archive.expect(self.size() < no_id && (self.dim() > 0 || self.size() == 0),
                   "has 2^32 - 1 rows or more, or empty ones");
    if constexpr (Archive::is_loading)
      archive.rebuild([&] {
        if constexpr (checks_dimension<Metric>) self.m_metric.check_dimension(self.dim());
      });
    if constexpr (is_embedded) {
      archive("rewritten_rows", self.m_compared);
      archive.expect(self.m_compared.rows() == self.size() &&
                         (self.size() == 0 || self.m_compared.cols() == self.m_metric.embedded_dim(self.dim())),
                     "has rewritten rows of another number or length");
    }
  }
  std::string defect() const {
    for (std::size_t i = 0; i < size(); ++i) {
      bool is_finite = detail::all_finite(m_data.row(i));
      if constexpr (is_embedded) is_finite = is_finite && detail::all_finite(m_compared.row(i));
      if (!is_finite) return "rows: row " + std::to_string(i) + " has a NaN or an infinity";
    }
    const auto compared = [&] {
      if constexpr (is_embedded) return matrix_view<compared_scalar>(m_compared);
      else return matrix_view<T>(m_data);
    }();
    const double norm = size() == 0 ? 0 : detail::checked_norm<matrix<T>>(m_metric, dim(), compared, 1);
    return norm == m_norm || std::abs(norm - m_norm) <= 1e-4 * norm ? ""
                                                                    : "greatest_norm: must be " + std::to_string(norm);
  }

  matrix<T> m_data;
  matrix<compared_scalar> m_compared;  ///< the rewritten rows, where the metric rewrites them
  Metric m_metric;
  double m_norm = 0;
};

template <matrix_like D>
flat_index(const D&) -> flat_index<detail::points_of<D>>;
template <matrix_like D, class Metric>
flat_index(const D&, Metric, const run_params& = {}) -> flat_index<detail::points_of<D>, Metric>;
/// For the error in words where data are no dense rows.
template <class D, class Metric = euclidean>
  requires(!matrix_like<D> && !std::integral<D>)
flat_index(const D&, Metric = {}, const run_params& = {})
->flat_index<D, Metric>;

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
