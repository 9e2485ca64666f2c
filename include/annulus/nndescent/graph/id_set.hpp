#pragma once

/// \file
/// id_set: the few rows met so far, in memory that does not grow with the number of all rows.

#include <annulus/core/base/ids.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// A set of ids: an open-addressed table that is at most half full. Emptying it takes no time: a place counts only if
/// it holds the tag of the present set.
class id_set {
 public:
  /// Empties the set, and makes room for `most` ids.
  void clear(std::size_t most) {
    const std::size_t wanted = std::bit_ceil(std::max<std::size_t>(2 * most, 64));
    if (wanted > m_places.size()) {
      m_places.assign(wanted, 0);
      m_tag = 0;
      m_shift = 64 - static_cast<std::size_t>(std::bit_width(wanted - 1));
    }
    if (++m_tag == 0) {
      std::ranges::fill(m_places, std::uint64_t{0});
      m_tag = 1;
    }
  }

  /// Adds an id, within what there is room for; returns whether it was not in the set.
  bool add(id_type id) noexcept {
    const std::uint64_t entry = std::uint64_t{m_tag} << 32 | id;
    const std::size_t mask = m_places.size() - 1;
    for (std::size_t i = (id * 0x9E3779B97F4A7C15u) >> m_shift;; i = (i + 1) & mask) {
      if (m_places[i] == entry) return false;
      if (m_places[i] >> 32 != m_tag) {
        m_places[i] = entry;
        return true;
      }
    }
  }

 private:
  std::vector<std::uint64_t> m_places;  ///< tag and id
  std::uint32_t m_tag = 0;              ///< of the present set
  std::size_t m_shift = 0;              ///< from a hash to a place
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
