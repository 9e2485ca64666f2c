#pragma once

/// \file
/// Groups equal rows, and finds a row by its contents. A graph holds each distinct row once: where thousands of rows
/// are equal, lists of neighbours would be full of copies, and no edge would lead away from them.

#include <annulus/core/base/parallel.hpp>
#include <annulus/core/base/random.hpp>
#include <annulus/core/metric/row_query.hpp>

#include <bit>
#include <numeric>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Collects numbers into 64 bits, in four chains that do not wait for each other.
class row_hash {
 public:
  void add(std::uint64_t bits) noexcept {
    std::uint64_t& chain = m_chains[m_next++ % m_chains.size()];
    chain = std::rotl((chain ^ bits) * 0x9E3779B97F4A7C15u, 29);
  }
  std::uint32_t bits() const noexcept {
    std::uint64_t all = m_next;
    for (const std::uint64_t chain : m_chains) all = mixed_bits(all ^ chain);
    return static_cast<std::uint32_t>(all >> 32);
  }

 private:
  std::array<std::uint64_t, 4> m_chains{1, 2, 3, 4};
  std::size_t m_next = 0;
};

/// The same number for equal rows. -0 equals 0.
template <class T>
std::uint32_t hash_of(std::span<const T> row) noexcept {
  row_hash hash;
  if constexpr (std::is_integral_v<T>) {
    constexpr std::size_t word = sizeof(std::uint64_t);
    for (std::size_t i = 0; i < row.size(); i += word) {
      std::uint64_t bits = 0;
      std::memcpy(&bits, row.data() + i, std::min(word, row.size() - i));
      hash.add(bits);
    }
  } else {
    using wide = std::conditional_t<std::same_as<T, double>, double, float>;
    using bits = std::conditional_t<std::same_as<T, double>, std::uint64_t, std::uint32_t>;
    for (const T x : row) hash.add(std::bit_cast<bits>(static_cast<wide>(x) + wide(0)));
  }
  return hash.bits();
}
template <class T>
std::uint32_t hash_of(const sparse_row<T>& row) noexcept {
  row_hash hash;
  for (const std::int32_t i : row.indices) hash.add(static_cast<std::uint32_t>(i));
  hash.add(hash_of(row.values));
  return hash.bits();
}

/// Whether two rows hold the same numbers, so that no metric tells them apart.
template <class T>
bool are_equal(std::span<const T> a, std::span<const T> b) noexcept {
  return std::ranges::equal(a, b);
}
template <class T>
bool are_equal(const sparse_row<T>& a, const sparse_row<T>& b) noexcept {
  return std::ranges::equal(a.indices, b.indices) && std::ranges::equal(a.values, b.values);
}

/// Finds a row by its contents: an open-addressed table of numbers of rows, which are stored elsewhere. Eight bytes a
/// place, at most two thirds of which are taken.
class row_table {
 public:
  /// Room for n rows in all, so that add does not allocate up to then. \throws std::bad_alloc, and has not changed then
  void reserve(std::size_t n) {
    std::size_t places = std::max<std::size_t>(m_places.size(), 16);
    while (3 * n > 2 * places) places *= 2;
    if (places == m_places.size()) return;
    std::vector<place> before(places);
    before.swap(m_places);
    m_size = 0;
    for (const place& p : before)
      if (p.row != no_id) add(p.hash, p.row);
  }
  std::size_t size() const noexcept { return m_size; }
  std::size_t memory_bytes() const noexcept { return m_places.capacity() * sizeof(place); }

  /// The row of this hash for which `is_equal(row)` holds, or no_id.
  template <class IsEqual>
  id_type find(std::uint32_t hash, IsEqual is_equal) const {
    if (m_places.empty()) return no_id;
    for (std::size_t i = hash & mask(); m_places[i].row != no_id; i = (i + 1) & mask())
      if (m_places[i].hash == hash && is_equal(m_places[i].row)) return m_places[i].row;
    return no_id;
  }
  /// Within what was reserved.
  void add(std::uint32_t hash, id_type row) noexcept {
    std::size_t i = hash & mask();
    while (m_places[i].row != no_id) i = (i + 1) & mask();
    m_places[i] = {hash, row};
    ++m_size;
  }
  bool empty() const noexcept { return m_size == 0; }
  /// Row i is called names[i] from now on.
  void rename(std::span<const id_type> names) noexcept {
    for (place& p : m_places)
      if (p.row != no_id) p.row = names[p.row];
  }
  /// Takes out a row that is there.
  void remove(std::uint32_t hash, id_type row) noexcept {
    std::size_t hole = hash & mask();
    while (m_places[hole].row != row) hole = (hole + 1) & mask();
    // Rows behind the hole move up, unless that would bring them before the place that their hash names.
    for (std::size_t i = (hole + 1) & mask(); m_places[i].row != no_id; i = (i + 1) & mask())
      if (((i - m_places[i].hash) & mask()) >= ((i - hole) & mask())) {
        m_places[hole] = m_places[i];
        hole = i;
      }
    m_places[hole] = {};
    --m_size;
  }

 private:
  struct place {
    std::uint32_t hash = 0;
    id_type row = no_id;
  };
  std::size_t mask() const noexcept { return m_places.size() - 1; }

  std::size_t m_size = 0;
  std::vector<place> m_places;
};

/// The different rows of a data set, each named by the first of its copies.
struct row_groups {
  std::vector<id_type> firsts;    ///< a row of each group, in ascending order
  std::vector<id_type> group_of;  ///< of each row; empty where all rows differ

  std::size_t size() const noexcept { return firsts.size(); }
  bool has_copies() const noexcept { return !group_of.empty(); }
  /// The rows of each group, in ascending order, of n rows in all.
  std::vector<std::vector<id_type>> members() const {
    std::vector<std::vector<id_type>> all(size());
    for (std::size_t i = 0; i < group_of.size(); ++i) all[group_of[i]].push_back(static_cast<id_type>(i));
    return all;
  }
};

/// O(n d).
template <class View>
row_groups group_equal_rows(const View& data, const thread_team& team) {
  const std::size_t n = data.size();
  std::vector<std::uint32_t> hashes(n);
  parallel_for(team, n, 1024, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) hashes[i] = hash_of(data.row(i));
  });
  row_groups groups;
  groups.firsts.reserve(n);
  row_table table;
  table.reserve(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto row = data.row(i);
    const auto is_equal = [&](id_type group) { return are_equal(row, data.row(groups.firsts[group])); };
    id_type group = table.find(hashes[i], is_equal);
    if (group != no_id && !groups.has_copies()) {
      groups.group_of.resize(n);
      std::iota(groups.group_of.begin(), groups.group_of.begin() + static_cast<std::ptrdiff_t>(i), id_type{0});
    }
    if (group == no_id) {
      group = static_cast<id_type>(groups.size());
      groups.firsts.push_back(static_cast<id_type>(i));
      table.add(hashes[i], group);
    }
    if (groups.has_copies()) groups.group_of[i] = group;
  }
  return groups;
}

/// One row of each group: the data as they are where all rows differ.
template <class View>
class distinct_rows {
 public:
  distinct_rows(const View& data, const row_groups& groups) : m_view(data) {
    if (!groups.has_copies()) return;
    m_rows = gather_rows(data, groups.firsts);
    m_view = m_rows;
  }
  distinct_rows(const distinct_rows&) = delete;
  const View& view() const noexcept { return m_view; }

 private:
  points_of<View> m_rows;
  View m_view;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
