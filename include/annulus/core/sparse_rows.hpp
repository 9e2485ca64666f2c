#pragma once

/// \file
/// Sparse rows that an index owns, which grow in number and change one by one.

#include <annulus/core/aligned_rows.hpp>
#include <annulus/core/points.hpp>

namespace annulus::inline ANNULUS_ARCH::detail {

/// Sparse rows in no order of memory: one that outgrows its place moves to the end.
template <class T>
class sparse_rows {
 public:
  using value_type = T;

  sparse_rows() = default;
  explicit sparse_rows(std::size_t dim) : m_dim(dim) {}

  std::size_t size() const noexcept { return m_places.size(); }
  std::size_t dim() const noexcept { return m_dim; }
  sparse_row<T> row(std::size_t i) const noexcept {
    const place p = m_places[i];
    const auto values = m_values.empty() ? std::span<const T>() : std::span(m_values).subspan(p.begin, p.count);
    return {std::span(m_indices).subspan(p.begin, p.count), values, m_dim};
  }

  /// New rows are empty.
  void resize(std::size_t n) { m_places.resize(n); }

  /// Sets have no values; an index holds either sets or rows of values.
  void assign(std::size_t i, const sparse_row<T>& row) {
    place& p = m_places[i];
    if (row.indices.size() > p.room) {
      m_unused += p.room;
      p.begin = m_indices.size();
      p.room = row.indices.size();
      m_indices.resize(p.begin + p.room);
      if (!row.values.empty()) m_values.resize(p.begin + p.room);
    }
    p.count = row.indices.size();
    std::ranges::copy(row.indices, m_indices.begin() + static_cast<std::ptrdiff_t>(p.begin));
    if (!row.values.empty()) std::ranges::copy(row.values, m_values.begin() + static_cast<std::ptrdiff_t>(p.begin));
    if (2 * m_unused > m_indices.size()) compact();
  }

  void prefetch(std::size_t i) const noexcept {
    const place p = m_places[i];
    prefetch_row(m_indices.data() + p.begin, p.count);
    if (!m_values.empty()) prefetch_row(m_values.data() + p.begin, p.count);
  }
  std::size_t memory_bytes() const noexcept {
    return m_places.capacity() * sizeof(place) + m_indices.capacity() * sizeof(std::int32_t) +
           m_values.capacity() * sizeof(T);
  }

 private:
  struct place {
    std::size_t begin = 0, count = 0, room = 0;
  };

  void compact() {
    sparse_rows packed(m_dim);
    packed.resize(size());
    for (std::size_t i = 0; i < size(); ++i) packed.assign(i, row(i));
    *this = std::move(packed);
  }

  std::size_t m_dim = 0, m_unused = 0;
  std::vector<place> m_places;
  std::vector<std::int32_t> m_indices;
  std::vector<T> m_values;
};

template <class Points>
struct owned_rows_of {
  using type = aligned_rows<typename Points::value_type>;
};
template <class T>
struct owned_rows_of<csr_matrix<T>> {
  using type = sparse_rows<T>;
};

/// The rows of Points as an index keeps them.
template <class Points>
using owned_rows = typename owned_rows_of<Points>::type;

}  // namespace annulus::inline ANNULUS_ARCH::detail
