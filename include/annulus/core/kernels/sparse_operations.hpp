#pragma once

/// \file
/// Matches the coordinates of two sparse rows.
///
/// A merge coordinate by coordinate takes a branch that cannot be predicted, or waits for a chain of loads. Matches are
/// found without either: the longer list is read in blocks of a SIMD register, each compared with the members of the
/// shorter one in its range.

#include <annulus/core/rows/csr_matrix.hpp>
#include <annulus/core/simd/batch.hpp>

#include <algorithm>
#include <array>
#include <bit>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

using index_batch = simd::batch<std::int32_t>;
inline constexpr std::size_t index_lanes = simd::lanes<std::int32_t>;

/// Lanes from `first` on are -1, those before it 0.
inline index_batch lanes_from(std::size_t first) noexcept {
  static constexpr auto ramp = [] {
    std::array<std::int32_t, 2 * index_lanes> steps{};
    for (std::size_t i = index_lanes; i < steps.size(); ++i) steps[i] = -1;
    return steps;
  }();
  return simd::load(ramp.data() + index_lanes - first);
}

/// Ascending indices in full blocks: where their number is no multiple of a block, the last block begins earlier, and
/// its first lanes repeat the block before.
class index_blocks {
 public:
  explicit index_blocks(std::span<const std::int32_t> indices) noexcept
      : m_indices(indices.data()), m_size(indices.size()) {
    if (m_size >= index_lanes || m_size == 0) return;
    std::fill(std::copy_n(m_indices, m_size, m_few), m_few + index_lanes, -1);
    m_indices = m_few;
  }
  index_blocks(const index_blocks&) = delete;

  std::size_t count() const noexcept { return (m_size + index_lanes - 1) / index_lanes; }
  /// Where block b begins.
  std::size_t begin(std::size_t b) const noexcept {
    return m_size < index_lanes ? 0 : std::min(b * index_lanes, m_size - index_lanes);
  }
  std::int32_t last(std::size_t b) const noexcept { return m_indices[std::min((b + 1) * index_lanes, m_size) - 1]; }
  index_batch load(std::size_t b) const noexcept { return simd::load(m_indices + begin(b)); }

  /// The first block from b on whose last index is at least `target`, or count(): by steps that double.
  std::size_t reach(std::size_t b, std::int32_t target) const noexcept {
    const std::size_t end = count();
    std::size_t step = 1;
    while (b < end && last(b) < target) {
      const std::size_t next = b + step;
      if (next < end && last(next) < target) {
        b = next;
        step *= 2;
      } else if (step > 1) {
        step = 1;
      } else {
        ++b;
      }
    }
    return b;
  }

 private:
  const std::int32_t* m_indices;
  std::size_t m_size;
  alignas(64) std::int32_t m_few[index_lanes];
};

/// f(i, j) for all a[i] == b[j] of two ascending lists, in ascending order. O(shorter + longer / lanes), or O(shorter
/// log longer) where that is less.
template <class F>
void for_each_match(std::span<const std::int32_t> a, std::span<const std::int32_t> b, F f) {
  const bool is_swapped = a.size() > b.size();
  if (is_swapped) std::swap(a, b);
  // Positions are noted without a branch on whether there is a match, and handed over some at a time.
  struct match {
    std::int32_t i;
    std::size_t j;
  };
  constexpr std::size_t capacity = 128;
  match matches[capacity];
  std::size_t found = 0;
  const auto hand_over = [&] {
    for (const match& m : std::span(matches, found)) {
      const auto i = static_cast<std::size_t>(m.i);
      is_swapped ? f(m.j, i) : f(i, m.j);
    }
    found = 0;
  };
  const index_blocks blocks(b);
  std::size_t block = 0;
  for (std::size_t i = 0; i < a.size() && (block = blocks.reach(block, a[i])) < blocks.count(); ++block) {
    const index_batch indices = blocks.load(block);
    index_batch partners(-1);
    for (const std::int32_t last = blocks.last(block); i < a.size() && a[i] <= last; ++i)
      partners = xsimd::select(indices == index_batch(a[i]), index_batch(static_cast<std::int32_t>(i)), partners);
    alignas(64) std::int32_t partner[index_lanes];
    partners.store_aligned(partner);
    for (std::size_t lane = 0; lane < index_lanes; ++lane) {
      matches[found] = {partner[lane], blocks.begin(block) + lane};
      found += partner[lane] >= 0;
    }
    if (found > capacity - index_lanes) hand_over();
  }
  hand_over();
}

/// The value if it is taken, else 0: chosen by bits, since compilers make a conditional a branch.
template <class T>
double value_if(bool is_taken, T value) noexcept {
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(static_cast<double>(value)) &
                               (0 - std::uint64_t{is_taken}));
}

/// f(x, y) for every coordinate that either row stores, in ascending order, with 0 for what is not stored. O(stored in
/// both).
template <class T, class F>
void for_each_stored(const sparse_row<T>& a, const sparse_row<T>& b, F f) {
  const std::size_t n = a.indices.size(), m = b.indices.size();
  std::size_t i = 0, j = 0;
  const auto only_a = [&] { f(static_cast<double>(a.values[i++]), 0.0); };
  const auto only_b = [&] { f(0.0, static_cast<double>(b.values[j++])); };
  // Where one row stores many more, it has long runs and branches are predicted; where the rows alternate, they are
  // not.
  constexpr std::size_t many = 4;
  const bool has_long_runs = n > many * m || m > many * n;
  while (i < n && j < m) {
    if (has_long_runs) {
      while (i < n && a.indices[i] < b.indices[j]) only_a();
      if (i == n) break;
      while (j < m && b.indices[j] < a.indices[i]) only_b();
      if (j == m) break;
    }
    const bool has_a = a.indices[i] <= b.indices[j], has_b = b.indices[j] <= a.indices[i];
    f(value_if(has_a, a.values[i]), value_if(has_b, b.values[j]));
    i += has_a;
    j += has_b;
  }
  while (i < n) only_a();
  while (j < m) only_b();
}

/// f(x, y) for every coordinate that both rows store, in ascending order.
template <class T, class F>
void for_each_common(const sparse_row<T>& a, const sparse_row<T>& b, F f) {
  for_each_match(a.indices, b.indices, [&](std::size_t i, std::size_t j) {
    f(static_cast<double>(a.values[i]), static_cast<double>(b.values[j]));
  });
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
