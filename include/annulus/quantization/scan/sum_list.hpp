#pragma once

/// \file
/// The k smallest of a scan's 16-bit sums.

#include <annulus/core/select/sort_candidates.hpp>
#include <annulus/core/simd/integers.hpp>
#include <annulus/quantization/scan/block_layout.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The k smallest of the sums pushed, ties by smaller id, where ids ascend from push to push. Sums are kept in order of
/// arrival and cut back at 2 k. The k-th is found by counting, 32 sums in one or a few instructions: several times as
/// fast as top_k, which takes numbers of any type. Sums are at most 65,534.
class sum_list {
 public:
  using candidate_type = candidate<std::uint32_t>;
  static constexpr std::uint16_t no_limit = 65535;

  explicit sum_list(std::size_t k) { reset(k); }

  /// Empties it, for the k >= 1 smallest from now on.
  void reset(std::size_t k) {
    m_k = k;
    m_size = 0;
    m_limit = no_limit;
    m_capacity = std::max(2 * k, k + 8);
    m_sums.resize((m_capacity + sums_at_once - 1) / sums_at_once * sums_at_once);
    m_ids.resize(m_capacity);
    m_sorted.reserve(m_capacity);
    m_scratch.reserve(m_capacity);
  }

  /// Only sums below this can be among the k smallest.
  std::uint16_t limit() const noexcept { return m_limit; }

  /// Pushes a sum below the limit, of an id above all before it.
  void push(std::uint16_t sum, id_type id) noexcept {
    m_sums[m_size] = sum;
    m_ids[m_size] = id;
    if (++m_size == m_capacity) cut();
  }

  /// The sums kept, at most k, smallest first. Call reset before pushing more.
  std::span<const candidate_type> sorted() {
    if (m_size > m_k) cut();
    m_sorted.clear();
    for (std::size_t i = 0; i < m_size; ++i) m_sorted.push_back({m_sums[i], m_ids[i]});
    sort_candidates(m_sorted, m_scratch);
    return m_sorted;
  }

 private:
  /// Drops all but the k smallest, which stay in order of arrival. Needs size >= k.
  void cut() noexcept {
    const std::uint16_t kth = kth_smallest();
    std::size_t ties = m_k - count_below(kth), kept = 0;
    for (std::size_t i = 0; i < m_size; ++i) {
      const std::uint16_t sum = m_sums[i];
      m_sums[kept] = sum;
      m_ids[kept] = m_ids[i];
      const bool tied = sum == kth && ties > 0;
      ties -= tied;
      kept += sum < kth || tied;
    }
    m_size = kept;
    m_limit = kth;
  }

  std::uint16_t kth_smallest() noexcept {
    const std::size_t end = (m_size + sums_at_once - 1) / sums_at_once * sums_at_once;
    std::fill(m_sums.data() + m_size, m_sums.data() + end, no_limit);
    unsigned low = 0, high = m_limit;
    while (low < high) {
      const unsigned middle = (low + high) / 2;
      if (count_below(static_cast<std::uint16_t>(middle + 1)) >= m_k) high = middle;
      else low = middle + 1;
    }
    return static_cast<std::uint16_t>(low);
  }

  std::size_t count_below(std::uint16_t limit) const noexcept {
    std::size_t count = 0;
    for (std::size_t i = 0; i < m_size; i += sums_at_once)
      count += static_cast<std::size_t>(std::popcount(sums_below(m_sums.data() + i, limit)));
    return count;
  }

  std::size_t m_k = 0, m_size = 0, m_capacity = 0;
  std::uint16_t m_limit = no_limit;
  aligned_vector<std::uint16_t> m_sums;  ///< padded to whole vectors
  std::vector<id_type> m_ids;
  std::vector<candidate_type> m_sorted;
  sort_scratch<std::uint32_t, id_type> m_scratch;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
