#pragma once

/// \file
/// One query of an index from start to end: finds vertices, ranks them by the exact rows, and returns the ids at them;
/// the k nearest, or all within a radius.

#include <annulus/core/result/result_rows.hpp>
#include <annulus/nndescent/index/vertex_search.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Searches a graph that an index owns.
template <class Points, class Metric, class Walk, class Rows = owned_rows<Points>>
struct graph_query : vertex_search<Points, Metric, Walk, Rows> {
  using base = vertex_search<Points, Metric, Walk, Rows>;
  using base::around, base::distance, base::effort_for, base::has_exact_ranks, base::always_scans, base::is_far,
      base::length_of, base::likely_met, base::search_from_hubs, base::nearest, base::prepare, base::scan,
      base::scan_all, base::scan_cost, base::visit;
  using base::entries, base::graph, base::lists, base::metric, base::names, base::rows, base::walk;
  using base::is_product;
  using typename base::effort, typename base::rank_type, typename base::row_type, typename base::scratch_type;

  /// The nearest rows of the query that pass, written to the front of both spans.
  void find(const row_type& query, std::span<id_type> ids, std::span<float> distances,
            const nndescent_search_params& params, const vertex_filter& passes, scratch_type& s) const {
    if (choose(query, ids, distances, params, passes, s)) rank_chosen(query, s.chosen, ids, distances, passes, s);
  }

  /// The search up to where exact rows decide: the vertices that rank_chosen() is to rank go to s.chosen. Returns false
  /// where there is nothing left to do, and the result, if any, is written.
  bool choose(const row_type& query, std::span<id_type> ids, std::span<float> distances,
              const nndescent_search_params& params, const vertex_filter& passes, scratch_type& s) const {
    const std::size_t k = std::min(ids.size(), names.size());
    if (k == 0 || !is_finite_row(query)) return false;
    prepare(query, s);
    const effort e = effort_for(k, params);
    const bool has_direction = !walk.lacks_direction(s.walk.query);
    if (!has_direction && rows.size() > 0) return scan_rows(query, ids, distances, passes, s);
    if (has_direction && passes.is_open()) base::prepare_codes(query, params.by_estimates, s);  // others go without
    const auto& found = has_direction ? nearest(e, passes, s) : scan(e.wanted, passes, s);
    std::size_t count = std::min(e.wanted, found.size());
    if constexpr (Walk::is_compressed)
      if (rows.size() > 0 && found.size() >= k) {
        const rank_type kth = found[k - 1].rank;
        const auto error = static_cast<rank_type>(walk.rank_error(s.walk.query, found[0].id(), kth));
        if (error > 0) count = k;  // else it is not known
        while (count < found.size() && found[count].rank <= kth + error) ++count;
        // Where all are as near as the k-th, as far as codes tell, or the walk ended within their error, others may be
        // nearer.
        if ((count == found.size() && found.is_full() && found[count - 1].rank <= kth + error) ||
            static_cast<double>(error) > e.epsilon * static_cast<double>(kth - found[0].rank))
          return find_among_exact(query, ids, distances, params, passes, s);
      }
    return choose(found, count, ids, distances, passes, s);
  }

  /// The exact ranks of the vertices that a search chose decide.
  void rank_chosen(const row_type& query, std::span<const id_type> chosen, std::span<id_type> ids,
                   std::span<float> distances, const vertex_filter& passes, scratch_type& s) const {
    const row_query<Metric, row_type> rank(metric, query);
    s.best.reset(ids.size());
    visit_rows(rows, chosen,
               [&](std::size_t i, const row_type& row) { push_ids(chosen[i], rank(row), ids.size(), passes, s.best); });
    write(s.best.sorted(), ids, distances);
  }

  /// The rank of a vertex near a row; of one so close that the walk cannot tell how close, the exact one.
  rank_type telling_rank(const typename search_pool<rank_type>::entry& e, const row_type& row,
                         const scratch_type& s) const {
    if constexpr (Walk::is_compressed)
      if (rows.size() > 0 && static_cast<float>(e.rank) <= 2 * walk.rank_error(s.walk.query, e.id(), e.rank))
        return static_cast<rank_type>(row_query<Metric, row_type>(metric, row)(rows.row(e.id())));
    return e.rank;
  }

  /// Whether the walk cannot tell the rows of a pool apart, and exact ones can.
  bool is_blurred([[maybe_unused]] const search_pool<rank_type>& pool, [[maybe_unused]] const scratch_type& s) const {
    if constexpr (Walk::is_compressed) {
      if (rows.size() == 0 || !pool.is_full() || pool.size() < 2) return false;
      const rank_type first = pool[0].rank, last = pool[pool.size() - 1].rank;
      return static_cast<float>(last - first) <= walk.rank_error(s.walk.query, pool[0].id(), last);
    } else {
      return false;
    }
  }
  /// f(walker) with the walker over the exact rows beside compressed ones, whose scratch is s.exact.
  template <class F>
  void with_exact(F f) const {
    using walk_type = exact_walk_of_t<Points, Metric, Walk, Rows>;
    const walk_type exact(rows, metric);
    const no_edge_codes no_codes;
    f(graph_query<Points, Metric, walk_type, Rows>{exact, rows, metric, graph, no_codes, entries, names, lists});
  }

  /// The `width` vertices nearest to a vertex, by exact distances.
  void neighbors_of(id_type vertex, std::size_t width, scratch_type& s, std::vector<candidate<float>>& out) const {
    prepare(vertex, s);
    s.walk.hidden = vertex;
    const id_filter all;
    const auto& pool =
        nearest(effort_for(width, {.beam = std::max<std::size_t>(64, 4 * width)}), vertex_filter(names, all), s);
    s.walk.hidden = no_id;
    if constexpr (Walk::is_compressed)
      if (is_blurred(pool, s))
        return with_exact([&](const auto& walker) { walker.neighbors_of(vertex, width, s.exact, out); });
    if (rows.size() > 0) exact_distances(pool, rows.row(vertex), out);
    else approximate_distances(pool, out);
    out.resize(std::min(out.size(), width));
  }

  /// Of the neighbours that a vertex has, and theirs, the `width` nearest. A row inserted near an outlier often
  /// found not the outlier, but its neighbours.
  void join_neighbors(id_type vertex, std::size_t width, scratch_type& s, std::vector<candidate<float>>& list) const {
    prepare(vertex, s);
    auto& w = s.walk;
    w.visited.reset(graph.size());
    w.visited.insert(vertex);
    for (const auto& c : list) w.visited.insert(c.id);
    w.ids.clear();
    for (const auto& c : list)
      for (std::size_t j = 0; j < lists.width(); ++j)
        if (const id_type id = lists(c.id, j).id; id < names.n_vertices() && names.is_live(id) && w.visited.insert(id))
          w.ids.push_back(id);
    if (rows.size() > 0) {
      const row_query<Metric, row_type> rank(metric, rows.row(vertex));
      for (const id_type id : w.ids) list.push_back({distance(rank(rows.row(id))), id});
    } else {
      rank_collected(walk, w);
      for (std::size_t i = 0; i < w.ids.size(); ++i) list.push_back({distance(w.ranks[i]), w.ids[i]});
    }
    std::erase_if(list, [](const auto& c) { return is_nan(c.rank); });
    std::sort(list.begin(), list.end());
    list.resize(std::min(list.size(), width));
  }

  /// The vertices of a pool by their exact distances from a row, nearest first; by those of the walk where there are no
  /// exact rows. Rows in a file may have no distance, a NaN: they are left out.
  void exact_distances(const search_pool<rank_type>& pool, const row_type& row,
                       std::vector<candidate<float>>& out) const {
    if (rows.size() == 0) return approximate_distances(pool, out);
    out.clear();
    const row_query<Metric, row_type> rank(metric, row);
    for (std::size_t i = 0; i < pool.size(); ++i)
      if (const float d = distance(rank(rows.row(pool[i].id()))); !is_nan(d)) out.push_back({d, pool[i].id()});
    std::sort(out.begin(), out.end());
  }
  void approximate_distances(const search_pool<rank_type>& pool, std::vector<candidate<float>>& out) const {
    out.clear();
    for (std::size_t i = 0; i < pool.size(); ++i)
      if (const float d = distance(pool[i].rank); !is_nan(d)) out.push_back({d, pool[i].id()});
    std::sort(out.begin(), out.end());
  }
  float distance_from_itself(id_type vertex, scratch_type& s) const {
    if (rows.size() > 0) return distance(rank_of_rows(metric, rows.row(vertex), rows.row(vertex)));
    rank_type rank;
    walk.prepare_row(vertex, s.walk.query);
    walk.ranks(s.walk.query, {&vertex, 1}, &rank);
    return distance(rank);
  }

  /// All rows that pass within the radius, nearest first. Walks on through rows up to a belt beyond the radius, and
  /// through some of the nearest behind the belt, since a path between two rows within it may lead outside.
  std::vector<candidate<float>> within(const row_type& query, float radius, const nndescent_search_params& params,
                                       const vertex_filter& passes, scratch_type& s) const {
    const double wide = std::abs(static_cast<double>(radius)) * params.epsilon;  // NaN for 0 times infinity
    const double belt = static_cast<double>(radius) + (is_nan(wide) ? params.epsilon : wide);
    prepare(query, s);
    s.within.clear();
    const auto could_be_within = [&](rank_type rank, id_type vertex) {
      if constexpr (Walk::is_compressed) rank -= static_cast<rank_type>(walk.rank_error(s.walk.query, vertex, rank));
      return static_cast<double>(distance(rank)) <= belt;
    };
    radius_goal goal{s.within, could_be_within, entries.root < graph.size() ? entries.root : 0};
    const bool lacks_direction = walk.lacks_direction(s.walk.query);
    if (lacks_direction && rows.size() > 0) {  // exact rows decide below
      ++s.scans;
      visit(passes, s.walk, [&](id_type vertex) { s.within.push_back({rank_type{}, vertex}); });
      s.walk.distances += s.within.size();
    } else if (lacks_direction || always_scans() ||
               walk_within(goal, radius, belt, params.beam, passes, s) == walk_end::given_up) {
      s.within.clear();
      scan_all(
          passes, s, [&](id_type id, rank_type rank) { goal.take(id, rank); },
          [&](rank_type rank) { return goal.is_within(rank); });
    }

    std::vector<candidate<float>> found;
    const row_query<Metric, row_type> rank(metric, query);
    for (const auto& c : s.within) {
      const float exact = rows.size() > 0 ? distance(rank(rows.row(c.id))) : distance(c.rank);
      if (!is_at_most(exact, radius)) continue;
      for (const id_type id : names.ids_at(c.id))
        if (passes.passes(id)) found.push_back({exact, id});
    }
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  /// Vertices of the goal, a radius and a belt around it, by walks.
  template <class Goal>
  walk_end walk_within(Goal& goal, float radius, double belt, std::size_t beam, const vertex_filter& passes,
                       scratch_type& s) const {
    constexpr std::size_t least_margin = 64;
    for (std::size_t margin = std::min(std::max(beam, least_margin), names.n_vertices());;
         margin = 2 * s.within.size()) {
      s.within.clear();
      if (is_product && names.n_live() <= likely_met(margin, margin)) return walk_end::given_up;
      covering_walk cover(walk, graph, entries, margin, scan_cost(passes), passes, goal, s.walk);
      const walk_end end = cover();
      if (end == walk_end::given_up) return end;
      if (is_product && s.within.size() > margin) continue;  // a search for as many would have gone further
      const float greatest = length_of(static_cast<float>(belt));
      const auto is_of_interest = [&](float least) { return least <= greatest; };
      return reaches_far(radius, s.within) ? search_from_hubs(cover, s, is_of_interest) : end;
    }
  }
  /// Whether a radius reaches beyond the neighbours of the nearest row within it: other groups of rows may be there.
  bool reaches_far(float radius, const std::vector<candidate<rank_type>>& within) const {
    return within.empty() || is_far(radius, std::min_element(within.begin(), within.end())->id);
  }
  /// The same search by a walk over the exact rows. Returns false, as nothing is left to be ranked.
  bool find_among_exact(const row_type& query, std::span<id_type> ids, std::span<float> distances,
                        const nndescent_search_params& params, const vertex_filter& passes, scratch_type& s) const {
    s.exact.walk.hidden = s.walk.hidden;
    with_exact([&](const auto& walker) { walker.find(query, ids, distances, params, passes, s.exact); });
    s.walk.distances += std::exchange(s.exact.walk.distances, 0);
    s.walk.hops += std::exchange(s.exact.walk.hops, 0);
    s.scans += std::exchange(s.exact.scans, 0);
    return false;
  }

  /// By the exact rows alone. Returns false likewise.
  bool scan_rows(const row_type& query, std::span<id_type> ids, std::span<float> distances, const vertex_filter& passes,
                 scratch_type& s) const {
    const row_query<Metric, row_type> rank(metric, query);
    s.best.reset(ids.size());
    ++s.scans;
    s.chosen.clear();
    const auto rank_block = [&] {
      s.walk.distances += s.chosen.size();
      visit_rows(rows, s.chosen, [&](std::size_t i, const row_type& row) {
        push_ids(s.chosen[i], rank(row), ids.size(), passes, s.best);
      });
      s.chosen.clear();
    };
    constexpr std::size_t block = 64;
    visit(passes, s.walk, [&](id_type vertex) {
      if (vertex == s.walk.hidden) return;
      s.chosen.push_back(vertex);
      if (s.chosen.size() == block) rank_block();
    });
    rank_block();
    write(s.best.sorted(), ids, distances);
    return false;
  }

  /// Chooses the first `count` of a pool, or where there are no exact rows, or the ranks are theirs, writes the result
  /// and returns false.
  bool choose(const search_pool<rank_type>& pool, std::size_t count, std::span<id_type> ids, std::span<float> distances,
              const vertex_filter& passes, scratch_type& s) const {
    for (std::size_t i = 0; i < count; ++i) names.prefetch(pool[i].id());
    if (has_exact_ranks() || rows.size() == 0) {
      s.approximate.reset(ids.size());
      for (std::size_t i = 0; i < count; ++i) push_ids(pool[i].id(), pool[i].rank, ids.size(), passes, s.approximate);
      write(s.approximate.sorted(), ids, distances);
      return false;
    }
    s.chosen.clear();
    for (std::size_t i = 0; i < count; ++i) {
      rows.prefetch(pool[i].id());
      s.chosen.push_back(pool[i].id());
    }
    return true;
  }

  /// The first `limit` ids of a vertex that pass.
  template <class Rank>
  void push_ids(id_type vertex, Rank rank, std::size_t limit, const vertex_filter& passes, top_k<Rank>& best) const {
    std::size_t count = 0;
    for (const id_type id : names.ids_at(vertex)) {
      if (!passes.passes(id)) continue;
      best.push(rank, id);
      if (++count == limit) return;
    }
  }

  template <class Rank>
  void write(std::span<const candidate<Rank>> sorted, std::span<id_type> ids, std::span<float> distances) const {
    write_row(sorted, ids, distances, [this](Rank rank) { return distance(rank); });
  }
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
