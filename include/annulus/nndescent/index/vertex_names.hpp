#pragma once

/// \file
/// The ids of the rows of an index, which never change, and the vertices of the graph: one for each distinct row, with
/// the ids of all its copies.

#include <annulus/core/base/ids.hpp>
#include <annulus/core/simd/prefetch.hpp>
#include <annulus/storage/archive.hpp>

#include <algorithm>
#include <unordered_map>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Which ids stand at which vertex. A vertex whose ids are all erased stays, as an erased vertex, until the graph is
/// compacted. Memory follows the rows that are there, not the ids given out.
class vertex_names {
 public:
  std::size_t size() const noexcept { return m_n_rows; }              ///< ids that are there
  std::size_t n_ids() const noexcept { return m_n_ids; }              ///< given out so far
  std::size_t n_vertices() const noexcept { return m_first.size(); }  ///< live or erased
  std::size_t n_erased() const noexcept { return m_n_erased; }
  std::size_t n_live() const noexcept { return n_vertices() - m_n_erased; }
  /// Whether a vertex has an id. Whatever a file says, that is one that was given out.
  bool is_live(id_type vertex) const noexcept { return m_first[vertex] < m_n_ids; }
  bool has_copies() const noexcept { return !m_copies.empty(); }
  bool holds(id_type id) const noexcept { return vertex_of(id) != no_id; }

  /// The vertex of an id, or no_id. O(log n), O(1) where no id below it is gone.
  id_type vertex_of(id_type id) const noexcept {
    const std::size_t place = place_of(id);
    if (place == m_ids.size()) return no_id;
    const id_type vertex = m_vertices[place];
    return vertex < n_vertices() ? vertex : no_id;
  }
  /// The ids at a vertex, ascending.
  std::span<const id_type> ids_at(id_type vertex) const noexcept {
    if (!m_copies.empty())
      if (const auto found = m_copies.find(vertex); found != m_copies.end()) return found->second;
    return {m_first.data() + vertex, is_live(vertex) ? 1u : 0u};
  }
  void prefetch(id_type vertex) const noexcept { simd::prefetch(m_first.data() + vertex); }
  /// All ids that are there, ascending.
  std::vector<id_type> ids() const {
    std::vector<id_type> all;
    all.reserve(size());
    for (std::size_t i = 0; i < m_ids.size(); ++i)
      if (m_vertices[i] != no_id) all.push_back(m_ids[i]);
    return all;
  }

  /// New vertices have no id yet, and are not counted as erased.
  void resize(std::size_t n_vertices) { m_first.resize(n_vertices, no_id); }
  /// Gives out the next id, to the row of a vertex. \throws std::bad_alloc, and has not changed then.
  id_type add(id_type vertex) {
    const auto id = static_cast<id_type>(m_n_ids);
    m_ids.make_room(1);
    m_vertices.make_room(1);
    attach(id, vertex);
    m_ids.push_back(id);
    m_vertices.push_back(vertex);
    ++m_n_ids;
    ++m_n_rows;
    return id;
  }
  /// Takes back the last id given out, which must be there. Vertices left without an id are not counted as erased.
  void take_back() noexcept {
    static_cast<void>(detach(m_ids.back(), m_vertices.back()));
    m_ids.pop_back();
    m_vertices.pop_back();
    --m_n_ids;
    --m_n_rows;
  }
  /// Returns whether that was the last id of its vertex, which is erased then.
  bool erase(id_type id) noexcept {
    const std::size_t place = place_of(id);
    const bool is_last = detach(id, m_vertices[place]);
    m_vertices[place] = no_id;
    m_n_erased += is_last;
    --m_n_rows;
    if (2 * m_n_rows < m_ids.size()) drop_gaps();
    return is_last;
  }
  /// Adds an id to the vertex that it moves to; until finish_move or cancel_move it has two. \throws std::bad_alloc,
  /// and has not changed then.
  void begin_move(id_type id, id_type vertex) { attach(id, vertex); }
  /// Removes it from the new vertex.
  void cancel_move(id_type id, id_type vertex) noexcept { static_cast<void>(detach(id, vertex)); }
  /// Removes it from the old vertex. Returns whether that is erased now.
  bool finish_move(id_type id, id_type vertex) noexcept {
    const bool is_last = detach(id, std::exchange(m_vertices[place_of(id)], vertex));
    m_n_erased += is_last;
    return is_last;
  }

  /// Vertex order[i] becomes vertex i. All others, which must be erased, are removed.
  void reorder(std::span<const id_type> order) {
    std::vector<id_type> place(n_vertices(), no_id);
    for (std::size_t i = 0; i < order.size(); ++i) place[order[i]] = static_cast<id_type>(i);
    buffer<id_type> first(order.size());
    std::unordered_map<id_type, std::vector<id_type>> copies;
    for (std::size_t i = 0; i < order.size(); ++i) first[i] = m_first[order[i]];
    for (auto& [vertex, ids] : m_copies) copies.emplace(place[vertex], ids);
    m_first = std::move(first);
    m_copies = std::move(copies);
    for (id_type& vertex : m_vertices)
      if (vertex != no_id) vertex = place[vertex];
    m_n_erased = 0;
    drop_gaps();
  }

  /// As they are where ids 0, 1, ... stand at the vertices given.
  void assign(std::size_t n_vertices, std::span<const id_type> vertices) {
    *this = {};
    resize(n_vertices);
    for (const id_type vertex : vertices) add(vertex);
  }

  /// Gives out the next id to the row of a vertex, or to none.
  void add_or_skip(id_type vertex) {
    if (vertex == no_id) ++m_n_ids;
    else add(vertex);
  }
  /// Counts the erased vertices anew.
  void count_erased() noexcept { m_n_erased = static_cast<std::size_t>(std::ranges::count(m_first, no_id)); }

  std::size_t memory_bytes() const noexcept {
    std::size_t bytes = m_first.memory_bytes() + m_ids.memory_bytes() + m_vertices.memory_bytes();
    constexpr std::size_t node = 80;  // of a map, about
    for (const auto& [vertex, ids] : m_copies) bytes += node + ids.capacity() * sizeof(id_type);
    return bytes;
  }

  std::string defect() const {
    const auto at = [](std::string_view name, std::size_t i) { return std::string(name) + " " + std::to_string(i); };
    std::vector<id_type> least(n_vertices(), no_id);
    std::size_t n_rows = 0;
    for (std::size_t i = 0; i < m_ids.size(); ++i) {
      if (m_ids[i] >= m_n_ids || (i > 0 && m_ids[i] <= m_ids[i - 1]))
        return at("ids: place", i) + " holds " + std::to_string(m_ids[i]) +
               ", which does not ascend, or was not given out";
      if (m_vertices[i] == no_id) continue;
      if (m_vertices[i] >= n_vertices()) return at("vertices: id", m_ids[i]) + " is at no vertex";
      least[m_vertices[i]] = std::min(least[m_vertices[i]], m_ids[i]);
      ++n_rows;
    }
    if (n_rows != m_n_rows) return at("n_rows:", m_n_rows) + ", and there are " + std::to_string(n_rows);
    for (std::size_t v = 0; v < n_vertices(); ++v)
      if (m_first[v] != least[v]) return at("first_ids: vertex", v) + " is named by an id that is not its least";
    const auto n_erased = static_cast<std::size_t>(std::ranges::count(least, no_id));
    return n_erased == m_n_erased ? std::string() : at("n_erased:", n_erased) + " vertices have no row";
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    std::size_t n_vertices = self.n_vertices(), n_places = self.m_ids.size();
    archive("n_rows", self.m_n_rows);
    archive("n_ids", self.m_n_ids);
    archive("n_vertices", n_vertices);
    archive("n_places", n_places);
    archive.expect(n_vertices <= self.m_n_rows && self.m_n_rows <= n_places && n_places <= self.m_n_ids &&
                       (n_vertices > 0 || self.m_n_rows == 0) && n_vertices < max_vertices && self.m_n_ids <= no_id,
                   "has more vertices than rows, rows than ids, too many of either, or rows without a vertex");
    archive("first_ids", self.m_first, {n_vertices});
    archive("ids", self.m_ids, {n_places});
    archive("vertices", self.m_vertices, {n_places});
    if constexpr (Archive::is_loading) self.find_copies();
  }

  static constexpr std::size_t max_vertices = std::size_t{1} << 31;

 private:
  /// Where an id stands among m_ids, or m_ids.size().
  std::size_t place_of(id_type id) const noexcept {
    if (id < m_ids.size() && m_ids[id] == id) return id;
    const auto found = std::lower_bound(m_ids.begin(), m_ids.end(), id);
    return found != m_ids.end() && *found == id ? static_cast<std::size_t>(found - m_ids.begin()) : m_ids.size();
  }
  void attach(id_type id, id_type vertex) {
    id_type& first = m_first[vertex];
    if (first != no_id) {
      if (const auto found = m_copies.find(vertex); found != m_copies.end())
        found->second.insert(std::ranges::lower_bound(found->second, id), id);
      else m_copies.emplace(vertex, std::vector<id_type>{std::min(first, id), std::max(first, id)});
    }
    first = std::min(first, id);
  }
  /// Returns whether it was the last there.
  bool detach(id_type id, id_type vertex) noexcept {
    const auto found = m_copies.find(vertex);
    if (found == m_copies.end()) {
      m_first[vertex] = no_id;
      return true;
    }
    auto& ids = found->second;
    ids.erase(std::ranges::lower_bound(ids, id));
    m_first[vertex] = ids.front();
    if (ids.size() == 1) m_copies.erase(found);
    return false;
  }
  void drop_gaps() noexcept {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < m_ids.size(); ++i)
      if (m_vertices[i] != no_id) {
        m_ids[kept] = m_ids[i];
        m_vertices[kept++] = m_vertices[i];
      }
    m_ids.resize(kept);
    m_vertices.resize(kept);
  }
  /// What a file does not say, since it follows: which vertices have several ids. O(1) where none has.
  void find_copies() {
    if (n_live() == size()) return;
    for (std::size_t i = 0; i < m_ids.size(); ++i) {
      const id_type vertex = m_vertices[i];
      if (vertex >= n_vertices() || m_first[vertex] == m_ids[i]) continue;
      if (!is_live(vertex) || m_ids[i] >= m_n_ids) continue;
      auto& ids = m_copies.try_emplace(vertex, std::vector<id_type>{m_first[vertex]}).first->second;
      if (ids.back() < m_ids[i]) ids.push_back(m_ids[i]);
    }
  }

  std::size_t m_n_rows = 0, m_n_erased = 0;
  std::uint64_t m_n_ids = 0;
  buffer<id_type> m_first;            ///< by vertex: its least id, or no_id
  buffer<id_type> m_ids, m_vertices;  ///< ids in ascending order, some of them erased (at no_id), and where they stand
  std::unordered_map<id_type, std::vector<id_type>> m_copies;  ///< by vertex: its ids, where there are several
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
