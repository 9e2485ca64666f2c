#pragma once

/// \file
/// The state of a graph search: which rows it has met, and the nearest of them.

#include <annulus/core/select/candidate.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Which rows a search has met, forgotten at once: a row was met if it holds the tag of this search.
class visited_set {
 public:
  /// To enter many: keeps in registers what a write to a tag might have changed, as far as a compiler can tell.
  class marker {
   public:
    explicit marker(visited_set& set) noexcept : m_tags(set.m_tags.data()), m_tag(set.m_tag) {}
    bool insert(std::size_t i) noexcept { return std::exchange(m_tags[i], m_tag) != m_tag; }

   private:
    std::uint8_t* m_tags;
    std::uint8_t m_tag;
  };
  void reset(std::size_t n) {
    if (m_tags.size() < n) m_tags.resize(n, 0);
    if (++m_tag == 0) {
      std::ranges::fill(m_tags, std::uint8_t{0});
      m_tag = 1;
    }
  }
  /// Whether this is the first time.
  bool insert(std::size_t i) noexcept { return std::exchange(m_tags[i], m_tag) != m_tag; }

 private:
  std::vector<std::uint8_t> m_tags;
  std::uint8_t m_tag = 0;
};

/// The nearest rows found, at most as many as the capacity, nearest first, each expanded or not.
template <class Rank>
class search_pool {
 public:
  class entry {
   public:
    entry() = default;
    entry(Rank r, id_type id) noexcept : rank(r), m_bits(id) {}
    Rank rank{};
    id_type id() const noexcept { return m_bits & ~closed_bit; }
    bool is_open() const noexcept { return (m_bits & closed_bit) == 0; }
    void close() noexcept { m_bits |= closed_bit; }

   private:
    static constexpr std::uint32_t closed_bit = 0x80000000u;  // graphs have fewer than 2^31 rows
    std::uint32_t m_bits = 0;
  };

  void reset(std::size_t capacity) {
    m_capacity = capacity;
    m_size = m_next = 0;
    if (m_entries.size() < capacity) m_entries.resize(capacity);
  }
  std::size_t size() const noexcept { return m_size; }
  bool is_full() const noexcept { return m_size == m_capacity; }
  const entry& operator[](std::size_t i) const noexcept { return m_entries[i]; }
  /// Whether it is full and at least half of its rows (if it is small, all) tie at the last rank, so that nothing tells
  /// where nearer rows may be.
  bool is_mostly_tied() const noexcept {
    constexpr std::size_t large = 16;
    if (m_capacity < 2 || !is_full()) return false;
    return !(m_entries[m_size < large ? 0 : (m_size - 1) / 2].rank < m_entries[m_size - 1].rank);
  }
  /// Whether a row of this rank has a place.
  bool could_take(Rank rank) const noexcept { return could_take(rank, m_capacity); }
  /// Whether a row of this rank may be among the k nearest.
  bool could_take(Rank rank, std::size_t k) const noexcept { return m_size < k || !(m_entries[k - 1].rank < rank); }
  /// Another value once the k nearest are others, or more.
  double progress(std::size_t k) const noexcept {
    return m_size < k ? static_cast<double>(m_size) : static_cast<double>(m_entries[k - 1].rank);
  }
  /// How many rows rank no further than this.
  std::size_t count_within(Rank rank) const noexcept {
    return count_while([rank](Rank r) { return !(rank < r); });
  }
  /// How many have ranks for which is_near(rank) holds, which does so up to some rank.
  template <class IsNear>
  std::size_t count_while(IsNear is_near) const {
    const entry* const first = m_entries.data();
    return static_cast<std::size_t>(
        std::partition_point(first, first + m_size, [&](const entry& e) { return is_near(e.rank); }) - first);
  }

  /// Returns its place, or size() if it is too far, or no number.
  std::size_t insert(Rank rank, id_type id) noexcept {
    if (m_size == m_capacity) {
      if (m_size == 0 || !is_less(rank, m_entries[m_size - 1].rank)) return m_size;
    } else if (is_nan(rank)) {
      return m_size;
    }
    entry* const first = m_entries.data();
    entry* const at = std::upper_bound(first, first + m_size, rank, [](Rank r, const entry& e) { return r < e.rank; });
    m_size += m_size < m_capacity;
    std::move_backward(at, first + m_size - 1, first + m_size);
    *at = entry(rank, id);
    const auto place = static_cast<std::size_t>(at - first);
    m_next = std::min(m_next, place);
    return place;
  }

  /// The place of the nearest that was not expanded, or size().
  std::size_t first_open() const noexcept {
    std::size_t place = m_next;
    while (place < m_size && !m_entries[place].is_open()) ++place;
    return place;
  }
  /// The nearest that was not expanded, or null.
  const entry* next() noexcept {
    m_next = first_open();
    return m_next < m_size ? &m_entries[m_next] : nullptr;
  }
  void close_next() noexcept { m_entries[m_next++].close(); }

 private:
  std::size_t m_capacity = 0, m_size = 0, m_next = 0;
  std::vector<entry> m_entries;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
