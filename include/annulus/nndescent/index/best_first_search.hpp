#pragma once

/// \file
/// Best-first search of a graph: the nearest row found that is not expanded yet is expanded (its neighbours are
/// ranked, or their ranks are estimated by codes of edges), until none that is left lies within the bound. Also where
/// every walk starts.

#include <annulus/nndescent/index/entry_tree.hpp>
#include <annulus/nndescent/index/rows_by_length.hpp>
#include <annulus/nndescent/index/walked_edges.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The rank up to which rows are of interest while the k-th nearest found is at `kth` and the nearest at `first`; no
/// bound where they are tied, as then nothing is known of the scale.
template <class Rank>
double bound_of(Rank first, Rank kth, double epsilon) noexcept {
  if (!is_finite(epsilon) || first == kth) return std::numeric_limits<double>::infinity();
  const auto far = static_cast<double>(kth);
  return far + epsilon * (far - static_cast<double>(first));
}

/// Where a walk of a graph may start.
struct entry_points {
  const entry_tree& tree;
  id_type root;
  const rows_by_length* longest = nullptr;  ///< under inner products
};

/// Lets every row pass.
struct allow_all {
  constexpr bool operator()(id_type) const noexcept { return true; }
};

/// Under inner products a walk starts from the longest rows: rank_all() ranks those in s.ids, block by block, until 8
/// times the beam were ranked, or progress() stays the same for some blocks; or to the end, where few rows are left
/// that are long enough for a rank that is_of_interest(rank). Returns whether the search is over by that.
template <class Walk, class RankAll, class IsOfInterest, class Progress>
bool begin_with_longest(const Walk& walk, const search_edges& graph, const entry_points& entries, std::size_t beam,
                        walk_scratch<Walk>& s, RankAll rank_all, IsOfInterest is_of_interest, Progress progress) {
  using rank_type = typename Walk::rank_type;
  if (entries.longest == nullptr) return false;
  constexpr std::size_t block = 64, patience = 2;
  constexpr double rounding = 1 + 1e-5, least = static_cast<double>(std::numeric_limits<rank_type>::lowest());
  const rows_by_length& rows = *entries.longest;
  const std::size_t max_first =
      std::max(8 * beam, static_cast<std::size_t>(3 * std::sqrt(static_cast<double>(rows.size()))));
  const std::size_t max_scanned = 40 * beam;  // more would take longer than a walk
  const auto is_long_enough = [&](float length) {
    const double greatest = rounding * s.query_length * static_cast<double>(length);
    return is_of_interest(static_cast<rank_type>(std::max(least, -greatest)));
  };
  std::size_t n_idle = 0;
  for (std::size_t i = 0; i < rows.size();) {
    if (!is_long_enough(rows.length(i))) return true;
    if ((i >= max_first || n_idle >= patience) && rows.count_from(i, is_long_enough) > max_scanned) return false;
    const auto before = progress();
    s.ids.clear();
    for (const std::size_t end = std::min(i + block, rows.size()); i < end; ++i) {
      const id_type id = rows[i];
      if (id >= graph.size() || !s.visited.insert(id)) continue;
      walk.prefetch(id);
      s.ids.push_back(id);
    }
    rank_all();
    n_idle = progress() == before ? n_idle + 1 : 0;
  }
  return true;
}

/// Goes down the tree from a node: calls meet(id, rank) for the hubs that it asks about on its way (where the leaf is
/// of the wrong cluster, they lead out of it), and collects the rows of the leaf in s.ids, to be ranked.
template <class Walk, class Meet>
void enter_leaf(const Walk& walk, const search_edges& graph, const entry_points& entries, std::uint32_t node,
                walk_scratch<Walk>& s, Meet meet) {
  using rank_type = typename Walk::rank_type;
  const auto ranks = [&](std::span<const id_type> ids, rank_type* out) {
    walk.ranks(s.query, ids, out);
    s.distances += ids.size();
    for (std::size_t i = 0; i < ids.size(); ++i)
      if (s.visited.insert(ids[i])) meet(ids[i], out[i]);
  };
  const auto pass_by = [&](std::uint32_t other, rank_type near, rank_type far) {
    s.branches.push_back({static_cast<double>(far) - static_cast<double>(near), other});
  };
  const std::uint32_t leaf = entries.tree.template find_below<rank_type>(node, graph.size(), ranks, pass_by);
  s.ids.clear();
  entries.tree.visit(leaf, [&](id_type id) {
    if (id >= graph.size() || !s.visited.insert(id)) return;
    walk.prefetch(id);
    s.ids.push_back(id);
  });
}

/// Where every walk starts: in the leaf that the query falls into, and at the root.
template <class Walk, class Meet>
void enter(const Walk& walk, const search_edges& graph, const entry_points& entries, walk_scratch<Walk>& s, Meet meet) {
  s.branches.clear();
  enter_leaf(walk, graph, entries, 0, s, meet);
  if (entries.root < graph.size() && s.visited.insert(entries.root)) s.ids.push_back(entries.root);
}

/// The node passed by whose side of a plane was missed by the least margin, which is taken out; there must be one.
template <class Walk>
std::uint32_t take_branch(walk_scratch<Walk>& s) {
  std::iter_swap(std::min_element(s.branches.begin(), s.branches.end()), s.branches.end() - 1);
  const std::uint32_t node = s.branches.back().id;
  s.branches.pop_back();
  return node;
}

/// Walks the graph from its entries for the k nearest rows that `allow` lets pass, and returns
/// the pool that holds the nearest of them, at least k if there are so many within the reach of the beam. Where the
/// walk has ended and starts_again(found), it goes on from the next best leaf of the tree. Where estimates lead, rows
/// wait in s.estimated until they are the nearest, and are then ranked and expanded at once.
template <class Walk, class Allow, class StartsAgain>
const auto& walk_graph(const Walk& walk, const search_edges& graph, const codes_of_edges_t<Walk>& codes,
                       const entry_points& entries, std::size_t k, std::size_t wanted, std::size_t beam, double epsilon,
                       Allow allow, walk_scratch<Walk>& s, StartsAgain starts_again) {
  using rank_type = typename Walk::rank_type;
  constexpr bool all = std::same_as<Allow, allow_all>;
  auto& found = all ? s.pool : s.found;
  s.pool.reset(std::max(beam, wanted));
  if constexpr (has_edge_codes<Walk>) s.estimated.reset(std::max(beam, wanted));
  if constexpr (!all) s.found.reset(wanted);
  double bound = std::numeric_limits<double>::infinity();
  const walked_edges<Walk> edges(walk, graph, codes, s);
  const auto limit = [&] {  // beyond which a row changes nothing
    const double last = all ? s.pool.last_rank() : std::max(s.pool.last_rank(), found.last_rank());
    return std::min(bound, last);
  };

  bool is_nearer = false;
  const auto meet = [&](id_type id, rank_type rank) {  // returns its place in the pool
    if (!is_at_most(static_cast<double>(rank), bound)) return s.pool.size();
    const std::size_t place = s.pool.insert(rank, id);
    std::size_t found_place = place;
    if constexpr (!all) {
      if (!allow(id)) return place;
      found_place = s.found.insert(rank, id);
    }
    is_nearer |= found_place < k;
    if (found_place < edges.likely_next()) edges.prefetch(id);
    return place;
  };
  const auto narrow_bound = [&] {
    if (is_nearer && found.size() >= k) bound = bound_of(found[0].rank, found[k - 1].rank, epsilon);
    is_nearer = false;
  };
  const auto rank_all = [&] {
    rank_collected(walk, s);
    for (std::size_t i = 0; i < s.ids.size(); ++i) meet(s.ids[i], s.ranks[i]);
    narrow_bound();
  };
  // The row to expand next, which is no longer open.
  const auto take_next = [&]() -> std::optional<typename search_pool<rank_type>::entry> {
    const auto ranked = s.pool.next();
    if constexpr (has_edge_codes<Walk>)
      if (const auto estimated = s.estimated.next();
          estimated && (!ranked || estimated->rank < walk.square_rank(static_cast<double>(ranked->rank)))) {
        if (estimated->rank > walk.square_rank(bound)) return std::nullopt;
        s.estimated.close_next();
        const id_type id = estimated->id();
        const rank_type rank = rank_row(walk, id, s);
        s.pool.close(meet(id, rank));
        narrow_bound();
        return {{rank, id}};
      }
    if (!ranked || static_cast<double>(ranked->rank) > bound) return std::nullopt;
    s.pool.close_next();
    return ranked;
  };

  forget_rows(graph, s);
  if (begin_with_longest(
          walk, graph, entries, beam, s, rank_all, [&](rank_type rank) { return found.could_take(rank, k); },
          [&] { return found.progress(k); }))
    return found;
  enter(walk, graph, entries, s, meet);
  for (;;) {
    rank_all();
    while (const auto nearest = take_next()) {
      edges.collect(nearest->id(), nearest->rank, limit, s);
      edges.prefetch_next(s);
      rank_all();
    }
    if (s.branches.empty() || !starts_again(found)) return found;
    enter_leaf(walk, graph, entries, take_branch(s), s, meet);
  }
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
