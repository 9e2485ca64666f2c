#pragma once

/// \file
/// The edges of a search graph, and connect, which adds edges until every row can be reached from the root.

#include <annulus/core/base/ids.hpp>
#include <annulus/core/base/parallel.hpp>
#include <annulus/storage/archive.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Edges of each row in a block of fixed stride: the ids come first, no_id fills the rest.
class search_edges {
 public:
  search_edges() = default;
  search_edges(std::size_t n, std::size_t degree) : m_degree(degree) { resize(n); }

  std::size_t size() const noexcept { return m_size; }
  std::size_t max_degree() const noexcept { return m_degree; }
  std::span<id_type> block(std::size_t i) noexcept { return {m_ids.data() + i * m_degree, m_degree}; }
  std::span<const id_type> block(std::size_t i) const noexcept { return {m_ids.data() + i * m_degree, m_degree}; }
  void resize(std::size_t n) {
    m_ids.resize(n * m_degree, no_id);
    m_size = n;
  }
  /// The neighbours of row i.
  std::span<const id_type> of(std::size_t i) const noexcept {
    const auto row = block(i);
    return row.first(static_cast<std::size_t>(std::ranges::find(row, no_id) - row.begin()));
  }
  void assign(std::size_t i, std::span<const id_type> ids) noexcept {
    std::ranges::fill(std::ranges::copy(ids, block(i).begin()).out, block(i).end(), no_id);
  }
  /// Adds an edge where there is room, or it is there already.
  bool add(std::size_t from, id_type to) noexcept {
    for (id_type& id : block(from)) {
      if (id == to) return true;
      if (id == no_id) {
        id = to;
        return true;
      }
    }
    return false;
  }
  std::size_t memory_bytes() const noexcept { return m_ids.memory_bytes(); }

  /// Row i of the result is row order[i] of this, and ids follow.
  search_edges reordered(std::span<const id_type> order, const thread_team& team) const {
    std::vector<id_type> place(size());
    for (std::size_t i = 0; i < order.size(); ++i) place[order[i]] = static_cast<id_type>(i);
    search_edges result(order.size(), max_degree());
    parallel_for(team, order.size(), 4096, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t i = begin; i < end; ++i)
        std::ranges::transform(of(order[i]), result.block(i).begin(), [&](id_type id) { return place[id]; });
    });
    return result;
  }

  std::string defect() const {
    for (std::size_t i = 0; i < m_size; ++i) {
      bool has_ended = false;
      for (const id_type id : block(i)) {
        if (id != no_id && (has_ended || id >= m_size))
          return "edges: row " + std::to_string(i) + " leads to " + std::to_string(id) + ", of " +
                 std::to_string(m_size) + " rows, or has an edge behind its end";
        has_ended |= id == no_id;
      }
    }
    return {};
  }

  /// The degree is the owner's to know.
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive("count", self.m_size);
    archive("edges", self.m_ids, {self.m_size, self.m_degree});
  }

 private:
  std::size_t m_size = 0, m_degree = 0;
  buffer<id_type> m_ids;
};

/// Adds edges until every row that `wanted` holds for can be reached from `root` along edges of wanted rows, and a row
/// that was cut off can reach the others. A row that cannot be reached is linked to the nearest row that a greedy walk
/// from the root leads to, `ranks_from(u, ids, out)` telling how near, or to the next around it that has a place left.
/// There is always one, as long as every row had one to begin with.
template <class Graph, class RanksFrom, class Wanted>
void connect(Graph& graph, id_type root, RanksFrom ranks_from, Wanted wanted) {
  std::vector<std::uint8_t> is_reached(graph.size(), 0);
  std::vector<id_type> open;
  const auto mark_reachable = [&](id_type from) {
    is_reached[from] = 1;
    open.assign(1, from);
    while (!open.empty()) {
      const id_type u = open.back();
      open.pop_back();
      for (const id_type v : graph.of(u))
        if (wanted(v) && !std::exchange(is_reached[v], std::uint8_t{1})) open.push_back(v);
    }
  };
  std::vector<float> ranks;
  const auto nearest_to = [&](id_type u) {
    id_type at = root;
    float best = std::numeric_limits<float>::infinity();
    for (bool goes_on = true; goes_on;) {
      const auto ids = graph.of(at);
      ranks.resize(ids.size());
      ranks_from(u, ids, ranks.data());
      goes_on = false;
      for (std::size_t j = 0; j < ids.size(); ++j)
        if (is_reached[ids[j]] && ranks[j] < best) {
          best = ranks[j];
          at = ids[j];
          goes_on = true;
        }
    }
    return at;
  };
  // Breadth first from `from` over reached rows, to the first with a place left.
  const auto link = [&](id_type from, id_type to) {
    std::vector<id_type> queue{from};
    std::vector<bool> is_seen(graph.size(), false);
    is_seen[from] = true;
    for (std::size_t i = 0; i < queue.size(); ++i) {
      if (graph.add(queue[i], to)) return;
      for (const id_type v : graph.of(queue[i]))
        if (is_reached[v] && !is_seen[v]) {
          is_seen[v] = true;
          queue.push_back(v);
        }
    }
  };

  mark_reachable(root);
  for (id_type u = 0; u < graph.size(); ++u) {
    if (is_reached[u] || !wanted(u)) continue;
    const auto known = std::ranges::find_if(graph.of(u), [&](id_type v) { return is_reached[v] != 0; });
    const id_type from = known != graph.of(u).end() ? *known : nearest_to(u);
    link(from, u);
    graph.add(u, from);
    mark_reachable(u);
  }
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
