#pragma once

/// \file
/// Rows in the order of their lengths. An inner product is at most the product of two lengths: the greatest are found
/// among the longest rows, and no row that is too short needs to be ranked.

#include <annulus/core/select/candidate.hpp>
#include <annulus/storage/archive.hpp>

#include <algorithm>
#include <cmath>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// A float that is no less than a length, but for its rounding. Lengths of doubles may be too small for one, or too
/// great; a row that is not finite, in a file, has the greatest.
inline float length_bound(double length) noexcept {
  if (!(length <= std::numeric_limits<float>::max())) return std::numeric_limits<float>::infinity();
  return std::max(static_cast<float>(length), std::numeric_limits<float>::min());
}

class rows_by_length {
 public:
  std::size_t size() const noexcept { return m_ids.size(); }
  /// The i-th longest row, and its length.
  id_type operator[](std::size_t i) const noexcept { return m_ids[i]; }
  float length(std::size_t i) const noexcept { return m_lengths[i]; }

  /// How many rows follow from the i-th on that are long enough.
  template <class IsLongEnough>
  std::size_t count_from(std::size_t i, IsLongEnough is_long_enough) const {
    const float* const first = m_lengths.data() + i;
    return static_cast<std::size_t>(std::partition_point(first, m_lengths.data() + size(), is_long_enough) - first);
  }

  /// Takes in rows by bounds of their lengths. O(n). \throws std::bad_alloc, and has not changed then.
  void add(std::vector<candidate<float>> rows) {
    m_ids.make_room(rows.size());
    m_lengths.make_room(rows.size());
    std::sort(rows.begin(), rows.end(), is_longer);
    std::size_t left = size(), to = left + rows.size();
    m_ids.resize(to);
    m_lengths.resize(to);
    while (!rows.empty()) {  // merges from the shortest on
      const bool is_old = left > 0 && is_longer(rows.back(), {m_lengths[left - 1], m_ids[left - 1]});
      const candidate<float> next = is_old ? candidate<float>{m_lengths[left - 1], m_ids[left - 1]} : rows.back();
      m_ids[--to] = next.id;
      m_lengths[to] = next.rank;
      if (is_old) --left;
      else rows.pop_back();
    }
  }
  /// Removes rows n and above.
  void drop_from(std::size_t n) noexcept {
    rename_by([n](id_type id) { return id < n ? id : no_id; });
  }
  /// Row i becomes row place[i], or is removed where that is no_id.
  void rename(std::span<const id_type> place) noexcept {
    rename_by([place](id_type id) { return place[id]; });
  }

  std::size_t memory_bytes() const noexcept { return m_ids.memory_bytes() + m_lengths.memory_bytes(); }

  /// What is wrong with the order of n rows.
  std::string defect(std::size_t n) const {
    std::vector<bool> is_met(n, false);
    if (size() != n) return "ids: there are " + std::to_string(size());
    for (std::size_t i = 0; i < n; ++i) {
      if (m_ids[i] >= n || is_met[m_ids[i]]) return "ids: place " + std::to_string(i) + " holds no row, or one again";
      is_met[m_ids[i]] = true;
      if (!(is_number(m_lengths[i]) && m_lengths[i] >= 0) || (i > 0 && m_lengths[i] > m_lengths[i - 1]))
        return "lengths: place " + std::to_string(i) + " does not descend, or holds none";
    }
    return {};
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    const std::size_t count = archived_size(archive, "count", self.size());
    archive("ids", self.m_ids, {count});
    archive("lengths", self.m_lengths, {count});
  }

 private:
  static bool is_longer(const candidate<float>& a, const candidate<float>& b) noexcept {
    return a.rank != b.rank ? a.rank > b.rank : a.id < b.id;
  }
  template <class NewName>
  void rename_by(NewName name) noexcept {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < size(); ++i)
      if (const id_type id = name(m_ids[i]); id != no_id) {
        m_ids[kept] = id;
        m_lengths[kept++] = m_lengths[i];
      }
    m_ids.resize(kept);
    m_lengths.resize(kept);
  }

  buffer<id_type> m_ids;
  buffer<float> m_lengths;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
