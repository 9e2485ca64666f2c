#pragma once

/// \file
/// The candidates of one query during a search by approximate ranks.

#include <annulus/core/base/allocator.hpp>
#include <annulus/core/select/rank_bound.hpp>
#include <annulus/core/simd/batch.hpp>
#include <annulus/core/simd/masks.hpp>

#include <span>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Holds every pair whose approximate rank is within a margin of the k-th smallest seen so far, in the order of
/// arrival. Ranks and ids are kept apart, so that a cut is a few passes of SIMD over the ranks.
class shortlist {
 public:
  /// Empties it, with room for more than 2 k candidates between cuts, but never for more than n.
  void reset(std::size_t k, std::size_t n) {
    m_k = k;
    m_capacity = std::min(n, 2 * k + 256) + simd::lanes<float>;
    m_ranks.resize(m_capacity + simd::lanes<float>);  // cuts read whole vectors
    m_ordered.resize(m_ranks.size());
    m_ids.resize(m_ranks.size());
    m_size = 0;
    m_kth = std::numeric_limits<float>::max();
  }

  std::size_t size() const noexcept { return m_size; }
  /// Whether another append may not fit.
  bool full() const noexcept { return m_size + simd::lanes<float> > m_capacity; }
  /// An upper bound of the k-th smallest rank; the largest float while there are fewer than k.
  float kth() const noexcept { return m_kth; }
  std::span<const id_type> ids() const noexcept { return {m_ids.data(), m_size}; }

  /// Appends the chosen lanes, whose ids are first, first + 1, ...
  void append(const simd::batch<float>& ranks, std::uint64_t chosen, id_type first) noexcept {
    m_size += simd::append_lanes(ranks, chosen, first, m_ranks.data() + m_size, m_ids.data() + m_size);
  }

  /// Drops candidates that exceed the k-th rank by more than `margin`. Returns false where few or none do, so that the
  /// ranks cannot tell the candidates apart.
  bool cut(float margin) noexcept {
    constexpr std::size_t width = simd::lanes<float>;
    m_kth = std::min(m_kth, upper_bound_of_kth());
    const simd::batch<float> limit(m_kth + margin);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < m_size; i += width) {
      const auto ranks = simd::load(m_ranks.data() + i);
      const auto ids = simd::load(m_ids.data() + i);
      std::uint64_t chosen = simd::mask(ranks <= limit);
      if (m_size - i < width) chosen &= (std::uint64_t{1} << (m_size - i)) - 1;
      simd::store_chosen(m_ranks.data() + kept, ranks, chosen);
      simd::store_chosen(m_ids.data() + kept, ids, chosen);
      kept += static_cast<std::size_t>(std::popcount(chosen));
    }
    m_size = kept;
    return m_size <= m_k + (m_capacity - m_k) / 2;
  }

  /// Replaces all by k candidates, whose greatest rank is given.
  void assign(std::span<const candidate<float>> candidates, float greatest) noexcept {
    m_size = candidates.size();
    m_kth = greatest;
    for (std::size_t i = 0; i < m_size; ++i) {
      m_ranks[i] = candidates[i].rank;
      m_ids[i] = candidates[i].id;
    }
  }

 private:
  /// A rank that k candidates, or a few more, do not exceed.
  float upper_bound_of_kth() noexcept {
    constexpr std::size_t width = simd::lanes<float>;
    std::fill_n(m_ranks.data() + m_size, width, std::numeric_limits<float>::infinity());
    for (std::size_t i = 0; i < m_size; i += width)
      simd::ordered_lanes(simd::load(m_ranks.data() + i)).store_unaligned(m_ordered.data() + i);
    const std::size_t padded = (m_size + width - 1) / width * width;
    return from_ordered_int<float>(rank_bound<float>(m_ordered.data(), padded, m_k, m_k + m_k / 16));
  }

  std::size_t m_k = 0, m_size = 0, m_capacity = 0;
  float m_kth = 0;
  aligned_vector<float> m_ranks;
  aligned_vector<std::int32_t> m_ordered;  ///< the ranks during a cut
  std::vector<id_type> m_ids;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
