#pragma once

/// \file
/// The lists of a descent: the nearest rows found so far for each row, and which of them have not been joined yet.

#include <annulus/core/base/allocator.hpp>
#include <annulus/core/base/float_bits.hpp>
#include <annulus/core/base/ids.hpp>
#include <annulus/core/base/keyed_loop.hpp>
#include <annulus/core/simd/batch.hpp>
#include <annulus/core/simd/masks.hpp>

#include <array>
#include <numeric>
#include <span>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// A neighbour in a list, and whether it is new: was not joined yet. Graphs have fewer than 2^31 rows, which leaves a
/// bit.
struct list_entry {
  static constexpr std::uint32_t new_bit = 0x80000000u;
  std::uint32_t bits;
  id_type id() const noexcept { return bits & ~new_bit; }
  bool is_new() const noexcept { return (bits & new_bit) != 0; }
};

/// `width` neighbours a row, nearest first. A rank equal to the last one does not enter, so that ties cannot keep a
/// descent busy.
class neighbor_lists {
 public:
  neighbor_lists(std::size_t n, std::size_t width)
      : m_width(width),
        m_stride((width + lanes - 1) / lanes * lanes),
        m_counts(n, 0),
        m_thresholds(n, std::numeric_limits<float>::infinity()),
        m_ranks(n * m_stride, std::numeric_limits<float>::infinity()),
        m_entries(n * m_stride, 0) {}

  std::size_t size() const noexcept { return m_counts.size(); }
  std::size_t width() const noexcept { return m_width; }
  /// How many neighbours row i has.
  std::size_t count(std::size_t i) const noexcept { return m_counts[i]; }
  list_entry operator()(std::size_t i, std::size_t j) const noexcept {
    return {static_cast<std::uint32_t>(entries(i)[j])};
  }
  float rank(std::size_t i, std::size_t j) const noexcept { return ranks(i)[j]; }
  /// Overwrites an entry: the order of the list is the caller's then.
  void put(std::size_t i, std::size_t j, id_type id, float rank) noexcept {
    entries(i)[j] = static_cast<std::int32_t>(id);
    ranks(i)[j] = rank;
  }
  void drop_entries() noexcept { m_entries = {}; }
  void mark_old(std::size_t i, std::size_t j) noexcept { entries(i)[j] &= 0x7FFFFFFF; }

  /// A neighbour must rank below this to enter.
  float threshold(std::size_t i) const noexcept { return m_thresholds[i]; }

  /// Whether row `id` is in the list of row i, where its rank is given and below the threshold: a row that is met again
  /// has the same rank, to the bit.
  bool contains(std::size_t i, id_type id, float rank) const noexcept {
    const float* const row = ranks(i);
    const std::int32_t* const ids = entries(i);
    const simd::batch<float> wanted(rank);
    const simd::batch<std::int32_t> number(static_cast<std::int32_t>(id)), id_bits(0x7FFFFFFF);
    for (std::size_t j = 0; j < m_stride; j += lanes) {
      const std::uint64_t ties = simd::mask(simd::load(row + j) == wanted);
      if (ties != 0 && (ties & simd::mask((simd::load(ids + j) & id_bits) == number)) != 0) return true;
    }
    return false;
  }

  /// Takes row `id` in as a new neighbour of row i, unless it is no nearer than the last or there already.
  bool insert(std::size_t i, id_type id, float rank) noexcept {
    if (!is_less(rank, m_thresholds[i]) || contains(i, id, rank)) return false;
    float* const row = ranks(i);
    std::size_t at = 0;
    for (std::size_t j = 0; j < m_stride; j += lanes)
      at += static_cast<std::size_t>(std::popcount(simd::mask(simd::load(row + j) <= simd::batch<float>(rank))));
    make_room(row, at);
    make_room(entries(i), at);
    row[at] = rank;
    entries(i)[at] = static_cast<std::int32_t>(id | list_entry::new_bit);
    m_counts[i] += m_counts[i] < m_width;
    m_thresholds[i] = row[m_width - 1];
    return true;
  }

 private:
  static constexpr std::size_t lanes = simd::lanes<float>;

  /// Moves what stands at `at` and behind it on by one. What falls out of the list lands in its padding, where nothing
  /// ranks below the threshold.
  template <class T>
  void make_room(T* row, std::size_t at) noexcept {
    alignas(64) static constexpr auto lane_numbers = [] {
      std::array<T, simd::lanes<T>> numbers{};
      std::iota(numbers.begin(), numbers.end(), T(0));
      return numbers;
    }();
    const auto numbers = simd::load(lane_numbers.data());
    const std::size_t first = at / lanes * lanes;
    for (std::size_t j = m_stride; j > first;) {
      j -= lanes;
      const auto moves = numbers > simd::batch<T>(static_cast<T>(at) - static_cast<T>(j));
      const auto here = simd::load(static_cast<const T*>(row + j));
      // The first lane of a list never moves: nothing is read from the list before, which another thread may write.
      const auto before = j > 0 ? simd::load(static_cast<const T*>(row + j - 1)) : simd::turn_lanes(here, lanes - 1);
      xsimd::select(moves, before, here).store_unaligned(row + j);
    }
  }

  float* ranks(std::size_t i) noexcept { return m_ranks.data() + i * m_stride; }
  const float* ranks(std::size_t i) const noexcept { return m_ranks.data() + i * m_stride; }
  std::int32_t* entries(std::size_t i) noexcept { return m_entries.data() + i * m_stride; }
  const std::int32_t* entries(std::size_t i) const noexcept { return m_entries.data() + i * m_stride; }

  std::size_t m_width, m_stride;
  std::vector<std::uint32_t> m_counts;
  std::vector<float> m_thresholds;
  aligned_vector<float> m_ranks;
  aligned_vector<std::int32_t> m_entries;  ///< the bits of list_entry
};

/// Items by a key: those of key i stand at sources[begins[i]] to sources[begins[i + 1]], in ascending order.
struct grouped_ids {
  std::vector<std::size_t> begins;
  aligned_vector<id_type> sources;

  std::span<const id_type> of(std::size_t key) const noexcept {
    return {sources.data() + begins[key], begins[key + 1] - begins[key]};
  }
};

/// Groups the sources u < n of all edges by the keys that keys_of(u, add) calls add with: the same result for any
/// number of threads.
template <class KeysOf>
grouped_ids group_by_key(std::size_t n, std::size_t n_keys, const thread_team& team, KeysOf keys_of) {
  grouped_ids result;
  result.begins.assign(n_keys + 1, 0);
  for_each_by_key(team, n, n_keys, keys_of, [&](std::size_t, std::size_t key) { ++result.begins[key + 1]; });
  std::partial_sum(result.begins.begin(), result.begins.end(), result.begins.begin());
  result.sources.resize(result.begins.back());
  std::vector<std::size_t> next(result.begins.begin(), result.begins.end() - 1);
  for_each_by_key(team, n, n_keys, keys_of,
                  [&](std::size_t u, std::size_t key) { result.sources[next[key]++] = static_cast<id_type>(u); });
  return result;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
