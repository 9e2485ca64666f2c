#pragma once

/// \file
/// The state of a graph search: which rows it has met, and the nearest of them.

#include <annulus/core/select/candidate.hpp>
#include <annulus/core/simd/masks.hpp>

#include <algorithm>
#include <bit>
#include <optional>
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
  struct entry {
    Rank rank;
    id_type id() const noexcept { return m_id; }
    entry(Rank r, id_type id) noexcept : rank(r), m_id(id) {}

   private:
    id_type m_id;
  };

  void reset(std::size_t capacity) {
    m_capacity = capacity;
    m_size = m_next = 0;
    if (m_marked_ids.size() >= capacity) return;
    m_ranks.resize(capacity + simd::lanes<Rank>);
    m_marked_ids.resize(capacity);
  }
  std::size_t size() const noexcept { return m_size; }
  bool is_full() const noexcept { return m_size == m_capacity; }
  entry operator[](std::size_t i) const noexcept { return {m_ranks[i], m_marked_ids[i] & ~closed_bit}; }
  /// The rank that a row must be below to be kept.
  double last_rank() const noexcept {
    return is_full() && m_size > 0 ? static_cast<double>((*this)[m_size - 1].rank)
                                   : std::numeric_limits<double>::infinity();
  }
  /// Whether it is full and at least half of its rows (if it is small, all) tie at the last rank, so that nothing tells
  /// where nearer rows may be.
  bool is_mostly_tied() const noexcept {
    constexpr std::size_t large = 16;
    if (m_capacity < 2 || !is_full()) return false;
    return !(m_ranks[m_size < large ? 0 : (m_size - 1) / 2] < m_ranks[m_size - 1]);
  }
  /// Whether a row of this rank has a place.
  bool could_take(Rank rank) const noexcept { return could_take(rank, m_capacity); }
  /// Whether a row of this rank may be among the k nearest.
  bool could_take(Rank rank, std::size_t k) const noexcept { return m_size < k || !(m_ranks[k - 1] < rank); }
  /// Another value once the k nearest are others, or more.
  double progress(std::size_t k) const noexcept {
    return m_size < k ? static_cast<double>(m_size) : static_cast<double>(m_ranks[k - 1]);
  }
  /// How many rows rank no further than this.
  std::size_t count_within(Rank rank) const noexcept {
    return count_while([rank](Rank r) { return !(rank < r); });
  }
  /// How many have ranks for which is_near(rank) holds, which does so up to some rank.
  template <class IsNear>
  std::size_t count_while(IsNear is_near) const {
    const Rank* const first = m_ranks.data();
    return static_cast<std::size_t>(std::partition_point(first, first + m_size, is_near) - first);
  }

  /// Returns its place, or size() if it is too far, or no number. Inlined in units of any size.
  [[gnu::always_inline]] std::size_t insert(Rank rank, id_type id) noexcept {
    if (m_size == m_capacity) {
      if (m_size == 0 || !is_less(rank, m_ranks[m_size - 1])) return m_size;
    } else if (is_nan(rank)) {
      return m_size;
    }
    const std::size_t place = place_of(rank);
    m_size += m_size < m_capacity;
    put(m_ranks.data(), place, rank);
    put(m_marked_ids.data(), place, id);
    m_next = std::min(m_next, place);
    return place;
  }

  /// The place of the nearest that was not expanded, or size().
  std::size_t first_open() const noexcept {
    std::size_t place = m_next;
    while (place < m_size && (m_marked_ids[place] & closed_bit) != 0) ++place;
    return place;
  }
  /// The nearest that was not expanded, if there is one.
  std::optional<entry> next() noexcept {
    m_next = first_open();
    if (m_next == m_size) return std::nullopt;
    return (*this)[m_next];
  }
  void close_next() noexcept { m_marked_ids[m_next++] |= closed_bit; }
  /// One at the place that insert() returned.
  void close(std::size_t place) noexcept {
    if (place < m_size) m_marked_ids[place] |= closed_bit;
  }

 private:
  static constexpr std::uint32_t closed_bit = 0x80000000u;  // graphs have fewer than 2^31 rows

  /// Behind all that rank no further: halves the pool, without branches, until few vectors are left to compare.
  [[gnu::always_inline]] std::size_t place_of(Rank rank) const noexcept {
    constexpr std::size_t width = simd::lanes<Rank>;
    const Rank* first = m_ranks.data();
    std::size_t n = m_size;
    while (n >= 4 * width) {
      const std::size_t half = n / 2;
      first += half * static_cast<std::size_t>(!(rank < first[half - 1]));
      n -= half;
    }
    std::uint64_t further = ~std::uint64_t{0} << n;
    for (std::size_t i = 0; i < n; i += width)
      further |= simd::mask(simd::batch<Rank>(rank) < simd::load(first + i)) << i;
    return static_cast<std::size_t>(first - m_ranks.data()) + static_cast<std::size_t>(std::countr_zero(further));
  }
  /// What stands at a place and behind it moves on by one, the last out of the pool if it is full.
  template <class T>
  void put(T* values, std::size_t place, T value) noexcept {
    std::copy_backward(values + place, values + m_size - 1, values + m_size);
    values[place] = value;
  }

  std::size_t m_capacity = 0, m_size = 0, m_next = 0;
  std::vector<Rank> m_ranks;                ///< and room for a vector behind them
  std::vector<std::uint32_t> m_marked_ids;  ///< with closed_bit once expanded
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
