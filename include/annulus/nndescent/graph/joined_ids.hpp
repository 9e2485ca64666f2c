#pragma once

/// \file
/// The rows that are compared with each other in one local join, in panels as wide as a SIMD vector.

#include <annulus/core/base/ids.hpp>
#include <annulus/core/simd/batch.hpp>
#include <annulus/core/simd/masks.hpp>
#include <annulus/core/simd/transpose.hpp>

#include <algorithm>
#include <limits>
#include <span>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The members of a join: `first`, all pairs of which are wanted, then `second`, whose members meet those of `first`
/// only. Each part is padded with no_id to whole panels.
class joined_ids {
 public:
  static constexpr std::size_t lanes = simd::word_lanes;
  /// As many floats as have to be readable from where a panel's begin. Vectors of floats are longer than those
  /// of integers where the build has AVX without AVX2, or AVX-512F without AVX-512BW.
  static constexpr std::size_t readable_floats = std::max(lanes, simd::lanes<float>);

  void assign(std::span<const id_type> first, std::span<const id_type> second) {
    m_first = first.size();
    m_first_panels = panels_for(first.size());
    m_ids.assign((m_first_panels + panels_for(second.size())) * lanes, no_id);
    std::ranges::copy(first, m_ids.begin());
    std::ranges::copy(second, m_ids.begin() + static_cast<std::ptrdiff_t>(m_first_panels * lanes));
  }

  std::size_t first() const noexcept { return m_first; }  ///< how many members the first part has
  std::size_t first_panels() const noexcept { return m_first_panels; }
  std::size_t panels() const noexcept { return m_ids.size() / lanes; }
  std::span<const id_type> ids() const noexcept { return m_ids; }
  const id_type* panel(std::size_t p) const noexcept { return m_ids.data() + p * lanes; }

 private:
  static std::size_t panels_for(std::size_t n) noexcept { return (n + lanes - 1) / lanes; }

  std::size_t m_first = 0, m_first_panels = 0;
  std::vector<id_type> m_ids;
};

/// Lanes of `ranks` up to and with `q` become infinite: pairs that were seen before, or are no pair.
inline void mask_lanes_to(std::size_t q, float* ranks) noexcept {
  std::fill_n(ranks, q + 1, std::numeric_limits<float>::infinity());
}

/// Which ranks of a panel are below a threshold, by bits: that of the member, and that of the panel's row.
struct panel_hits {
  std::uint64_t of_member, of_panel;
};

/// The hits among the ranks of member i with panel p. The thresholds of a panel, up to readable_floats, are readable.
[[gnu::always_inline]] inline panel_hits hits_of(const float* ranks, const float* thresholds, std::size_t i,
                                                 std::size_t p) noexcept {
  constexpr std::size_t lanes = joined_ids::lanes, width = simd::lanes<float>;
  panel_hits hits{0, 0};
  const simd::batch<float> limit(thresholds[i]);
  for (std::size_t r = 0; r < lanes; r += width) {
    const auto rank = simd::load(ranks + r);
    const auto limits = simd::load(thresholds + p * lanes + r);
    hits.of_member |= simd::mask(rank < limit) << r;
    hits.of_panel |= simd::mask(rank < limits) << r;
  }
  if constexpr (width > lanes) {
    constexpr std::uint64_t of_panel = (std::uint64_t{1} << lanes) - 1;
    hits.of_member &= of_panel;
    hits.of_panel &= of_panel;
  }
  return hits;
}

/// Of the pairs of a joiner those with a rank below the threshold of either row: f(i, p, ranks, hits), as pairs() calls
/// it, for panels with a hit. f may lower thresholds.
template <class Joiner, class F>
void visit_pairs_below(Joiner& joiner, const float* thresholds, F f) {
  joiner.pairs([&](std::size_t i, std::size_t p, const float* ranks) {
    if (const panel_hits hits = hits_of(ranks, thresholds, i, p); (hits.of_member | hits.of_panel) != 0)
      f(i, p, ranks, hits);
  });
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
