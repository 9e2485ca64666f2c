#pragma once

/// \file
/// The rows that an LSH index keeps, dense or sparse, and their ranks for a query.

#include <annulus/core/aligned_rows.hpp>
#include <annulus/core/rows.hpp>

namespace annulus::inline ANNULUS_ARCH::detail {

/// Dense rows of T.
template <class Points>
class row_store {
 public:
  using T = typename Points::value_type;
  using view_type = matrix_view<T>;
  using row_type = std::span<const T>;
  template <class Metric>
  using rank_type = rank_t<Metric, T>;

  explicit row_store(std::size_t dim) : m_rows(dim) {}

  /// \throws std::invalid_argument for a row with a NaN or an infinity.
  static void check(view_type rows, std::size_t threads) { check_rows(rows, "data", threads); }
  static bool is_finite(row_type row) noexcept { return all_finite(row); }

  std::size_t memory_bytes() const noexcept { return m_rows.memory_bytes(); }
  row_type row(std::size_t i) const noexcept { return m_rows.row(i); }
  void prefetch(std::size_t i) const noexcept {
    const auto* const row = reinterpret_cast<const std::uint8_t*>(m_rows.data(i));
    for (std::size_t byte = 0; byte < m_rows.dim() * sizeof(T); byte += 64) simd::prefetch_far(row + byte);
  }

  /// Appends rows.
  void append(view_type rows) {
    const std::size_t first = m_rows.size();
    m_rows.resize(first + rows.rows());
    for (std::size_t i = 0; i < rows.rows(); ++i) std::ranges::copy(rows.row(i), m_rows.data(first + i));
  }
  /// Only the first n rows stay.
  void truncate(std::size_t n) { m_rows.resize(n); }
  /// Row i becomes row numbers[i] <= i, which ascend to n - 1, or goes where that is no_id.
  void renumber(std::span<const id_type> numbers, std::size_t n) {
    for (std::size_t i = 0; i < numbers.size(); ++i)
      if (numbers[i] != no_id && numbers[i] != i) std::copy_n(m_rows.data(i), m_rows.dim(), m_rows.data(numbers[i]));
    m_rows.resize(n);
  }

  /// out[j] = the rank of row rows[j].
  template <class Metric>
  void ranks(const Metric& metric, row_type query, std::span<const id_type> rows, rank_type<Metric>* out) const {
    if constexpr (kernel_ranked<Metric, T>) {
      one_to_gathered<typename Metric::kernel>(query.data(), query.size(), m_rows.data(0), m_rows.stride(), rows, out);
      for (std::size_t j = 0; j < rows.size(); ++j) out[j] = metric.from_kernel(out[j]);
    } else {
      const prepared_query<Metric, T> prepared(metric, query.data(), query.size());
      constexpr std::size_t ahead = 8;
      for (std::size_t j = 0; j < std::min(ahead, rows.size()); ++j) prefetch(rows[j]);
      for (std::size_t j = 0; j < rows.size(); ++j) {
        if (j + ahead < rows.size()) prefetch(rows[j + ahead]);
        out[j] = prepared(m_rows.data(rows[j]));
      }
    }
  }

 private:
  aligned_rows<T> m_rows;
};

/// Sparse rows, of which only the indices are kept: what metrics of sets compare.
template <class T>
class row_store<csr_matrix<T>> {
 public:
  using view_type = csr_view<T>;
  using row_type = sparse_row<T>;
  template <class Metric>
  using rank_type = float;

  explicit row_store(std::size_t dim) : m_dim(dim) {}

  static void check(const view_type&, std::size_t) {}
  static bool is_finite(const row_type&) noexcept { return true; }

  std::size_t memory_bytes() const noexcept {
    return m_begins.capacity() * sizeof(std::size_t) + m_indices.capacity() * sizeof(std::int32_t);
  }
  row_type row(std::size_t i) const noexcept {
    return {std::span(m_indices).subspan(m_begins[i], m_begins[i + 1] - m_begins[i]), {}, m_dim};
  }
  void prefetch(std::size_t i) const noexcept { simd::prefetch(m_indices.data() + m_begins[i]); }

  void append(const view_type& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto indices = rows.row(i).indices;
      m_indices.insert(m_indices.end(), indices.begin(), indices.end());
      m_begins.push_back(m_indices.size());
    }
  }
  void truncate(std::size_t n) {
    m_begins.resize(n + 1);
    m_indices.resize(m_begins.back());
  }
  void renumber(std::span<const id_type> numbers, std::size_t) {
    std::size_t end = 0;
    std::vector<std::size_t> begins{0};
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i] == no_id) continue;
      const std::size_t count = m_begins[i + 1] - m_begins[i];
      std::copy_n(m_indices.begin() + static_cast<std::ptrdiff_t>(m_begins[i]), count,
                  m_indices.begin() + static_cast<std::ptrdiff_t>(end));
      begins.push_back(end += count);
    }
    m_indices.resize(end);
    m_begins = std::move(begins);
  }

  template <class Metric>
  void ranks(const Metric& metric, const row_type& query, std::span<const id_type> rows, float* out) const {
    constexpr std::size_t ahead = 4;
    for (std::size_t j = 0; j < rows.size(); ++j) {
      if (j + ahead < rows.size()) prefetch(rows[j + ahead]);
      out[j] = static_cast<float>(metric(query, row(rows[j])));
    }
  }

 private:
  std::size_t m_dim;
  std::vector<std::size_t> m_begins{0};
  std::vector<std::int32_t> m_indices;
};

}  // namespace annulus::inline ANNULUS_ARCH::detail
