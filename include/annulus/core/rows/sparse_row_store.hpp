#pragma once

/// \file
/// The sparse rows of an index. Rows can be added, removed and replaced one by one.

#include <annulus/core/rows/csr_matrix.hpp>
#include <annulus/core/rows/dense_row_store.hpp>
#include <annulus/storage/archive.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Sparse rows in any order in memory: a row that outgrows its place moves to the end.
template <class T>
class sparse_row_store {
 public:
  using value_type = T;

  sparse_row_store() = default;
  explicit sparse_row_store(std::size_t dim) : m_dim(dim) {}

  std::size_t size() const noexcept { return m_places.size(); }
  std::size_t dim() const noexcept { return m_dim; }
  sparse_row<T> row(std::size_t i) const noexcept {
    const place p = place_of(i);
    const auto values =
        m_values.empty() ? std::span<const T>() : std::span<const T>(m_values.data() + p.begin, p.count);
    return {{m_indices.data() + p.begin, p.count}, values, m_dim};
  }

  /// New rows are empty.
  void resize(std::size_t n) {
    for (std::size_t i = n; i < size(); ++i) m_unused += m_places[i].room;
    m_places.resize(n);
  }

  /// Keeps the rows of `order`: row order[i] becomes row i, and the memory of all others is freed. Changes nothing
  /// where it throws std::bad_alloc.
  template <class Number>
  void keep_only(std::span<const Number> order) {
    pack(order.size(), [&](std::size_t i) { return row(order[i]); });
  }

  /// Sets have no values; an index holds either sets or rows of values.
  void assign(std::size_t i, const sparse_row<T>& row) {
    place& p = m_places[i];
    if (row.indices.size() > p.room) {
      const std::size_t begin = m_indices.size(), end = begin + row.indices.size();
      const auto make_room = [end](auto& values) {
        if (values.capacity() < end) values.reserve(std::max(end, 2 * values.size()));
      };
      make_room(m_indices);
      if (!row.values.empty()) make_room(m_values);
      m_indices.resize(end);
      if (!row.values.empty()) m_values.resize(end);
      m_unused += p.room;
      p.begin = begin;
      p.room = end - begin;
    }
    p.count = row.indices.size();
    std::ranges::copy(row.indices, m_indices.data() + p.begin);
    if (!row.values.empty()) std::ranges::copy(row.values, m_values.data() + p.begin);
    if (2 * m_unused > m_indices.size()) pack(size(), [&](std::size_t j) { return this->row(j); });
  }

  void prefetch(std::size_t i) const noexcept {
    const place p = place_of(i);
    prefetch_row(m_indices.data() + p.begin, p.count);
    if (!m_values.empty()) prefetch_row(m_values.data() + p.begin, p.count);
  }
  std::size_t memory_bytes() const noexcept {
    return m_places.memory_bytes() + m_indices.memory_bytes() + m_values.memory_bytes();
  }

  /// Whether all rows lie within the arrays, and their indices below dim().
  bool is_within() const noexcept {
    for (std::size_t i = 0; i < size(); ++i)
      if (m_places[i].begin > m_indices.size() || m_places[i].count > m_indices.size() - m_places[i].begin)
        return false;
    return std::ranges::all_of(m_indices,
                               [&](std::int32_t c) { return c >= 0 && static_cast<std::size_t>(c) < m_dim; });
  }

  std::string defect() const {
    std::size_t room = 0;
    for (std::size_t i = 0; i < size(); ++i) {
      const place& p = m_places[i];
      const auto defect = [&](const char* name, const char* reason) {
        return name + (": row " + std::to_string(i)) + ' ' + reason;
      };
      if (p.begin > m_indices.size() || p.room > m_indices.size() - p.begin || p.count > p.room)
        return defect("places", "lies outside of the arrays");
      room += p.room;
      const sparse_row<T> r = row(i);
      for (std::size_t j = 0; j < r.indices.size(); ++j)
        if (r.indices[j] < 0 || static_cast<std::size_t>(r.indices[j]) >= m_dim ||
            (j > 0 && r.indices[j] <= r.indices[j - 1]))
          return defect("indices", "does not ascend, or has an index that is not below its dimension");
      for (const T x : r.values)
        if (!is_finite(x)) return defect("values", "has a NaN or an infinity");
    }
    if (room + m_unused != m_indices.size())
      return "unused: the rows and the unused entries do not add up to the stored ones";
    std::vector<place> places(m_places.begin(), m_places.end());
    std::ranges::sort(places, {}, &place::begin);
    for (std::size_t i = 1; i < places.size(); ++i)
      if (places[i - 1].begin + places[i - 1].room > places[i].begin && places[i].room > 0)
        return "places: two rows overlap";
    return {};
  }

  /// Of each row where it begins, how many coordinates it has, and for how many there is room.
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    std::size_t count = self.size(), n_indices = self.m_indices.size(), n_values = self.m_values.size();
    archive("count", count);
    archive("dim", self.m_dim);
    archive("stored", n_indices);
    archive("values_stored", n_values);
    archive("unused", self.m_unused);
    archive.expect(n_values == 0 || n_values == n_indices, "does not have a value for each index");
    archive.template as<std::uint64_t>("places", self.m_places, {count, 3});
    archive("indices", self.m_indices, {n_indices});
    archive("values", self.m_values, {n_values});
  }

 private:
  struct place {
    std::uint64_t begin = 0, count = 0, room = 0;
  };
  /// Within the arrays, whatever a file says.
  place place_of(std::size_t i) const noexcept {
    const place& p = m_places[i];
    const std::uint64_t begin = std::min<std::uint64_t>(p.begin, m_indices.size());
    return {begin, std::min(p.count, m_indices.size() - begin), 0};
  }

  /// Replaces all rows by row_of(0) to row_of(n - 1), without gaps between them.
  template <class RowOf>
  void pack(std::size_t n, RowOf row_of) {
    sparse_row_store packed(m_dim);
    packed.resize(n);
    for (std::size_t i = 0; i < n; ++i) packed.assign(i, row_of(i));
    *this = std::move(packed);
  }

  std::size_t m_dim = 0, m_unused = 0;
  buffer<place> m_places;
  buffer<std::int32_t> m_indices;
  buffer<T> m_values;
};

template <class Points>
struct owned_rows_of {
  using type = dense_row_store<typename Points::value_type>;
};
template <class T>
struct owned_rows_of<csr_matrix<T>> {
  using type = sparse_row_store<T>;
};

/// The rows of Points as an index keeps them.
template <class Points>
using owned_rows = typename owned_rows_of<Points>::type;

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
