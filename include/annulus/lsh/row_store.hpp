#pragma once

/// \file
/// The rows that an LSH index keeps, dense or sparse, and their ranks for a query.

#include <annulus/core/kernels/norm_checks.hpp>
#include <annulus/core/metric/row_query.hpp>
#include <annulus/core/rows/dense_row_store.hpp>
#include <annulus/core/simd/prefetch.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

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
  static void check(view_type rows, const thread_team& team) { check_rows(rows, "data", team); }
  static bool is_finite(row_type row) noexcept { return all_finite(row); }

  std::size_t size() const noexcept { return m_rows.size(); }
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
  /// Keeps the first n rows.
  void truncate(std::size_t n) { m_rows.resize(n); }
  /// Row i becomes row numbers[i] <= i, or is dropped where that is no_id; numbers ascend, 0 to n - 1.
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

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    dense_row_store<T>::persist(self.m_rows, archive);
  }
  std::string defect() const {
    for (std::size_t i = 0; i < size(); ++i)
      if (!is_finite(row(i))) return "row " + std::to_string(i) + " has a NaN or an infinity";
    return {};
  }

 private:
  dense_row_store<T> m_rows;
};

/// Sparse rows, without their values: metrics of sets compare indices only.
template <class T>
class row_store<csr_matrix<T>> {
 public:
  using view_type = csr_view<T>;
  using row_type = sparse_row<T>;
  template <class Metric>
  using rank_type = float;

  explicit row_store(std::size_t dim) : m_dim(dim) {}

  static void check(const view_type&, const thread_team&) {}
  static bool is_finite(const row_type&) noexcept { return true; }

  std::size_t memory_bytes() const noexcept { return m_begins.memory_bytes() + m_indices.memory_bytes(); }
  std::size_t size() const noexcept { return m_begins.size() - 1; }
  row_type row(std::size_t i) const noexcept {
    // The checks keep a damaged mapped file from leading outside the indices.
    const std::size_t end = std::min<std::size_t>(m_begins[i + 1], m_indices.size());
    const std::size_t begin = std::min<std::size_t>(m_begins[i], end);
    return {{m_indices.data() + begin, end - begin}, {}, m_dim};
  }
  void prefetch(std::size_t i) const noexcept { simd::prefetch(row(i).indices.data()); }

  void append(const view_type& rows) {
    m_indices.make_room(rows.stored());
    m_begins.make_room(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto indices = rows.row(i).indices;
      m_indices.append(indices.data(), indices.size());
      m_begins.push_back(m_indices.size());
    }
  }
  void truncate(std::size_t n) {
    m_begins.resize(n + 1);
    m_indices.resize(m_begins.back());
  }
  void renumber(std::span<const id_type> numbers, std::size_t n) {
    std::size_t end = 0;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i] == no_id) continue;
      const std::size_t count = m_begins[i + 1] - m_begins[i];
      std::copy_n(m_indices.data() + m_begins[i], count, m_indices.data() + end);
      m_begins[numbers[i] + 1] = end += count;
    }
    m_begins.resize(n + 1);
    m_indices.resize(end);
  }

  template <class Metric>
  void ranks(const Metric& metric, const row_type& query, std::span<const id_type> rows, float* out) const {
    constexpr std::size_t ahead = 4;
    for (std::size_t j = 0; j < rows.size(); ++j) {
      if (j + ahead < rows.size()) prefetch(rows[j + ahead]);
      out[j] = static_cast<float>(metric(query, row(rows[j])));
    }
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    std::uint64_t n = self.size(), n_members = self.m_indices.size();
    archive("count", n);
    archive("members", n_members);
    archive.expect(n < no_id, "has 2^32 - 1 rows or more");
    archive("begins", self.m_begins, {n + 1});
    archive("indices", self.m_indices, {n_members});
  }
  std::string defect() const {
    if (m_begins[0] != 0 || m_begins.back() != m_indices.size()) return "begins are not from 0 to the last index";
    for (std::size_t i = 0; i < size(); ++i) {
      if (m_begins[i + 1] < m_begins[i] || m_begins[i + 1] > m_indices.size())
        return "row " + std::to_string(i) + " ends before it begins";
      std::int64_t last = -1;
      for (std::size_t j = m_begins[i]; j < m_begins[i + 1]; last = m_indices[j++])
        if (m_indices[j] <= last || static_cast<std::size_t>(m_indices[j]) >= m_dim)
          return "row " + std::to_string(i) + " has an index that does not ascend, or is not below the dimension";
    }
    return {};
  }

 private:
  std::size_t m_dim;
  buffer<std::uint64_t> m_begins{0};  ///< of the rows, and the end of the last
  buffer<std::int32_t> m_indices;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
