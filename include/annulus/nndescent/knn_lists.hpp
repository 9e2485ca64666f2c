#pragma once

/// \file
/// The k-NN graph that an index keeps: a list for each id, into which rows that come later are entered.

#include <annulus/core/archive.hpp>
#include <annulus/core/candidate.hpp>
#include <annulus/core/rows.hpp>
#include <annulus/nndescent/slot_map.hpp>

#include <cmath>

namespace annulus::inline ANNULUS_ARCH::detail {

/// Lists of ids and distances, nearest first, padded with no_id at infinity.
class knn_lists {
 public:
  explicit knn_lists(std::size_t width) : m_width(width) {}

  std::size_t size() const noexcept { return m_size; }
  std::size_t width() const noexcept { return m_width; }
  std::span<const id_type> ids(std::size_t i) const noexcept { return {m_ids.data() + i * m_width, m_width}; }
  std::span<const float> distances(std::size_t i) const noexcept { return {m_distances.data() + i * m_width, m_width}; }

  /// All lists from n x width ids and distances.
  void assign(const neighbors& graph) {
    resize(graph.ids.rows());
    std::copy_n(graph.ids.data(), m_ids.size(), m_ids.data());
    std::copy_n(graph.distances.data(), m_distances.size(), m_distances.data());
  }
  /// New lists are empty.
  void resize(std::size_t n) {
    m_distances.resize(n * m_width, nothing.rank);
    m_ids.resize(n * m_width, nothing.id);
    m_size = n;
  }
  void clear(std::size_t i) noexcept {
    std::fill_n(m_ids.data() + i * m_width, m_width, nothing.id);
    std::fill_n(m_distances.data() + i * m_width, m_width, nothing.rank);
  }

  /// Enters a neighbour into list i, out of which go those that `is_gone` holds for.
  template <class IsGone>
  void enter(std::size_t i, id_type neighbor, float distance, IsGone is_gone) {
    id_type* const ids = m_ids.data() + i * m_width;
    float* const distances = m_distances.data() + i * m_width;
    std::size_t kept = 0;
    for (std::size_t j = 0; j < m_width && ids[j] != no_id; ++j)
      if (ids[j] != neighbor && !is_gone(ids[j])) {
        distances[kept] = distances[j];
        ids[kept++] = ids[j];
      }
    std::fill(ids + kept, ids + m_width, nothing.id);
    std::fill(distances + kept, distances + m_width, nothing.rank);
    std::size_t at = 0;
    while (at < m_width && !(candidate<float>{distance, neighbor} < candidate<float>{distances[at], ids[at]})) ++at;
    if (at == m_width) return;
    std::copy_backward(ids + at, ids + m_width - 1, ids + m_width);
    std::copy_backward(distances + at, distances + m_width - 1, distances + m_width);
    ids[at] = neighbor;
    distances[at] = distance;
  }

  void restore_ids(std::size_t i, std::span<const id_type> ids) noexcept {
    std::ranges::copy(ids, m_ids.data() + i * m_width);
  }
  void restore_distances(std::size_t i, std::span<const float> distances) noexcept {
    std::ranges::copy(distances, m_distances.data() + i * m_width);
  }

  std::size_t memory_bytes() const noexcept { return m_ids.memory_bytes() + m_distances.memory_bytes(); }

  std::string defect() const {
    for (std::size_t i = 0; i < m_size; ++i)
      for (std::size_t j = 0; j < m_width; ++j) {
        const candidate<float> c{distances(i)[j], ids(i)[j]};
        if (c.id >= m_size && c.id != no_id)
          return "ids: list " + std::to_string(i) + " has " + std::to_string(c.id) + ", of " + std::to_string(m_size);
        // Ties are in no order of ids where the descent told them apart by ranks that round to the same distance.
        if (std::isnan(c.rank) || (c.id == no_id && c.rank != nothing.rank) || (j > 0 && c.rank < distances(i)[j - 1]))
          return "distances: list " + std::to_string(i) + " does not ascend, or its padding is not infinite";
      }
    return {};
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive("count", self.m_size);
    archive("ids", self.m_ids, {self.m_size, self.m_width});
    archive("distances", self.m_distances, {self.m_size, self.m_width});
  }

 private:
  static constexpr candidate<float> nothing{std::numeric_limits<float>::infinity(), no_id};

  std::size_t m_size = 0, m_width;
  buffer<id_type> m_ids;
  buffer<float> m_distances;
};

/// The lists of the rows that are there, of such rows: a row for each id. `rows`, if there are any, tell the distances
/// of those that have moved.
template <class Rows, class Metric>
neighbors current_graph(const knn_lists& lists, const slot_map& names, const Rows& rows, const Metric& metric) {
  neighbors result(lists.size(), lists.width());
  std::vector<candidate<float>> row;
  for (id_type id = 0; id < lists.size(); ++id) {
    if (!names.holds(id)) continue;
    row.clear();
    for (std::size_t j = 0; j < lists.width(); ++j) {
      candidate<float> c{lists.distances(id)[j], lists.ids(id)[j]};
      if (!names.holds(c.id) || std::isnan(c.rank)) continue;
      if (names.has_moved(c.id)) {  // its row is another since
        if (rows.size() == 0) continue;
        const row_query rank(metric, rows.row(names.slot_of(id)));
        c.rank = distance_of(metric, rank(rows.row(names.slot_of(c.id))));
      }
      row.push_back(c);
    }
    std::sort(row.begin(), row.end());
    for (std::size_t j = 0; j < row.size(); ++j) {
      result.ids(id, j) = row[j].id;
      result.distances(id, j) = row[j].rank;
    }
  }
  return result;
}

}  // namespace annulus::inline ANNULUS_ARCH::detail
