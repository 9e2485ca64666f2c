#pragma once

/// \file
/// The k-NN graph that an index keeps: for each vertex its list of neighbours, to which inserted vertices are added.

#include <annulus/core/select/candidate.hpp>
#include <annulus/storage/archive.hpp>

#include <cmath>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Lists of vertices and distances, nearest first, padded with no_id at infinity.
class knn_lists {
 public:
  explicit knn_lists(std::size_t width) : m_width(width), m_fourth(std::min<std::size_t>(3, width - 1)) {}

  std::size_t size() const noexcept { return m_size; }
  std::size_t width() const noexcept { return m_width; }
  candidate<float> operator()(std::size_t i, std::size_t j) const noexcept {
    return {m_distances[i * m_width + j], m_ids[i * m_width + j]};
  }

  /// How far a list reaches: the distance to its last neighbour, and to its fourth, or the last of a narrower list.
  float last_distance(std::size_t i) const noexcept { return m_distances[(i + 1) * m_width - 1]; }
  float fourth_distance(std::size_t i) const noexcept { return m_distances[i * m_width + m_fourth]; }
  /// Forgets all of the lists but these two distances.
  void keep_reach() {
    buffer<float> reach(2 * m_size);
    for (std::size_t i = 0; i < m_size; ++i) {
      reach[2 * i] = fourth_distance(i);
      reach[2 * i + 1] = last_distance(i);
    }
    m_distances = std::move(reach);
    m_ids = {};
    m_width = 2;
    m_fourth = 0;
  }

  /// New lists are empty.
  void resize(std::size_t n) {
    m_distances.resize(n * m_width, nothing.rank);
    m_ids.resize(n * m_width, nothing.id);
    m_size = n;
  }
  /// List i becomes the first width() of these, which are in order.
  void assign(std::size_t i, std::span<const candidate<float>> list) noexcept {
    for (std::size_t j = 0; j < m_width; ++j) put(i, j, j < list.size() ? list[j] : nothing);
  }
  /// Enters a neighbour that is not there yet.
  void enter(std::size_t i, id_type neighbor, float distance) noexcept {
    const candidate<float> entered{distance, neighbor};
    if (!(entered < (*this)(i, m_width - 1))) return;
    std::size_t at = m_width - 1;
    for (; at > 0 && entered < (*this)(i, at - 1); --at) put(i, at, (*this)(i, at - 1));
    put(i, at, entered);
  }
  /// List order[i] becomes list i, where order ascends; place[v] is what vertex v is called then, or no_id, and it
  /// leaves the lists.
  void reorder(std::span<const id_type> order, std::span<const id_type> place) noexcept {
    for (std::size_t i = 0; i < order.size(); ++i) {
      std::size_t kept = 0;
      for (std::size_t j = 0; j < m_width; ++j)
        if (const auto c = (*this)(order[i], j); c.id < place.size() && place[c.id] != no_id)
          put(i, kept++, {c.rank, place[c.id]});
      while (kept < m_width) put(i, kept++, nothing);
    }
    m_size = order.size();
    m_ids.resize(m_size * m_width);
    m_distances.resize(m_size * m_width);
  }

  std::size_t memory_bytes() const noexcept { return m_ids.memory_bytes() + m_distances.memory_bytes(); }

  std::string defect() const {
    for (std::size_t i = 0; i < m_size; ++i)
      for (std::size_t j = 0; j < m_width; ++j) {
        const candidate<float> c = (*this)(i, j);
        if (c.id >= m_size && c.id != no_id)
          return "ids: list " + std::to_string(i) + " has " + std::to_string(c.id) + ", of " + std::to_string(m_size);
        // Ties are in no order of ids where the descent told them apart by ranks that round to the same distance.
        if (is_nan(c.rank) || (c.id == no_id && c.rank != nothing.rank) || (j > 0 && c.rank < (*this)(i, j - 1).rank))
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

  void put(std::size_t i, std::size_t j, candidate<float> c) noexcept {
    m_ids[i * m_width + j] = c.id;
    m_distances[i * m_width + j] = c.rank;
  }

  std::size_t m_size = 0, m_width, m_fourth;
  buffer<id_type> m_ids;
  buffer<float> m_distances;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
