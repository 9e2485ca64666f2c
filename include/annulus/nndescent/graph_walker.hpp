#pragma once

/// \file
/// One query from start to end: the walk or the scan, and the exact ranks of what was found.

#include <annulus/core/top_k.hpp>
#include <annulus/nndescent/knn_lists.hpp>
#include <annulus/nndescent/search_goals.hpp>
#include <annulus/nndescent/sparse_walk.hpp>
#include <annulus/nndescent/vertex_filter.hpp>
#include <annulus/nndescent/walk_space.hpp>

namespace annulus::inline ANNULUS_ARCH::detail {

/// The walk over the exact rows beside compressed ones.
template <class Points, class Metric, class Walk>
struct exact_walk_of {
  using type = Walk;
};
template <class T, class Metric, class Walk>
requires Walk::is_compressed struct exact_walk_of<matrix<T>, Metric, Walk> {
  using type = exact_walk<T, Metric>;
};
template <class Points, class Metric, class Walk>
using exact_walk_of_t = typename exact_walk_of<Points, Metric, Walk>::type;

/// What one thread needs to search an index.
template <class Points, class Metric, class Walk>
struct graph_scratch {
  struct nothing {};
  using of_exact_rows =
      std::conditional_t<Walk::is_compressed, graph_scratch<Points, Metric, exact_walk_of_t<Points, Metric, Walk>>,
                         nothing>;

  explicit graph_scratch(const Walk& walk_rows) : walk{walk_rows.make_query()} {}
  graph_scratch() requires(!Walk::is_compressed) : graph_scratch(Walk()) {}
  walk_scratch<Walk> walk;
  top_k<row_rank_t<Metric, row_t<view_of<Points>>>> best{1};
  top_k<typename Walk::rank_type> approximate{1};
  std::vector<candidate<typename Walk::rank_type>> within;
  search_pool<typename Walk::rank_type> unnamed;
  of_exact_rows exact = {};
  std::uint64_t scans = 0;
};

/// A graph and all that it takes to search it, owned by an index.
template <class Points, class Metric, class Walk>
struct graph_walker {
  using row_type = row_t<view_of<Points>>;
  using scratch_type = graph_scratch<Points, Metric, Walk>;
  using rank_type = typename Walk::rank_type;
  static constexpr bool is_compressed = Walk::is_compressed;
  static constexpr bool is_product = form_of<Metric>() == product_form::inner_product;

  const Walk& walk;
  const owned_rows<Points>& rows;  ///< exact, or empty
  const Metric& metric;
  const adjacency& graph;
  entry_points entries;
  const vertex_names& names;
  const knn_lists& lists;

  /// The nearest rows of the query that pass, written to the front of both spans.
  void find(const row_type& query, std::span<id_type> ids, std::span<float> distances, const search_params& params,
            const vertex_filter& passes, scratch_type& s) const {
    const std::size_t k = std::min(ids.size(), names.size());
    if (k == 0 || !is_finite_row(query)) return;
    prepare(query, s);
    const effort e = effort_for(k, params);
    if (!walk.is_blind(s.walk.query)) {
      const auto& found = nearest(e, passes, s);
      std::size_t count = std::min(e.wanted, found.size());
      if constexpr (Walk::is_compressed)
        if (rows.size() > 0 && found.size() >= k) {
          const rank_type kth = found[k - 1].rank;
          const auto error = static_cast<rank_type>(walk.rank_error(s.walk.query, found[0].id(), kth));
          while (count < found.size() && found[count].rank <= kth + error) ++count;
          // Where all are as near as the k-th, as far as codes tell, or the walk ended within their error, others may
          // be nearer.
          if ((count == found.size() && found.is_full() && found[count - 1].rank <= kth + error) ||
              static_cast<double>(error) > e.epsilon * static_cast<double>(kth - found[0].rank))
            return find_among_exact(query, ids, distances, params, passes, s);
        }
      return finish(found, query, count, ids, distances, passes, s);
    }
    if (rows.size() > 0) scan_rows(query, ids, distances, passes, s);
    else {
      const auto& found = scan(e.wanted, passes, s);
      finish(found, query, std::min(e.wanted, found.size()), ids, distances, passes, s);
    }
  }

  /// Makes a row the query of the scratch.
  void prepare(const row_type& query, scratch_type& s) const {
    walk.prepare(query, s.walk.query);
    if constexpr (is_product) s.walk.query_length = norm_of(query);
  }
  /// The same for a vertex.
  void prepare(id_type vertex, scratch_type& s) const {
    walk.prepare_row(vertex, s.walk.query);
    if constexpr (is_product)
      s.walk.query_length = rows.size() > 0 ? norm_of(rows.row(vertex)) : std::numeric_limits<double>::infinity();
  }

  /// The vertices around the query of the scratch, nearest first, at most `beam` of them, half of which are covered.
  /// The nearest without a name go to s.unnamed.
  search_pool<rank_type>& around(std::size_t beam, scratch_type& s) const {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    s.unnamed.reset(beam / 4);
    const id_filter all;
    const vertex_filter passes(names, all);
    if (names.n_unnamed() == 0) {
      if (names.n_named() <= likely_met(beam, beam)) {
        scan(beam, passes, s);
        return s.walk.found;
      }
      walk_graph(walk, graph, entries, beam, beam, beam, infinity, allow_all{}, s.walk);
      return s.walk.pool;
    }
    surroundings goal{{s.walk.found, std::min(beam / 2, names.n_named()), beam, infinity}, names, s.unnamed};
    if (covering_walk(walk, graph, entries, beam / 2, scan_cost(passes), allow_all{}, goal, s.walk) ==
        walk_end::given_up)
      scan(beam, passes, s);
    return s.walk.found;
  }

  /// The rank of a vertex near a row; of one so close that the walk cannot tell how close, the exact one.
  float telling_rank(const typename search_pool<rank_type>::entry& e, const row_type& row,
                     const scratch_type& s) const {
    if constexpr (Walk::is_compressed)
      if (rows.size() > 0 && static_cast<float>(e.rank) <= 2 * walk.rank_error(s.walk.query, e.id(), e.rank))
        return static_cast<float>(row_query<Metric, row_type>(metric, row)(rows.row(e.id())));
    return static_cast<float>(e.rank);
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
    const exact_walk_of_t<Points, Metric, Walk> exact(rows, metric);
    f(graph_walker<Points, Metric, exact_walk_of_t<Points, Metric, Walk>>{exact, rows, metric, graph, entries, names,
                                                                          lists});
  }

  /// The leaf of the tree that the query of the scratch falls into.
  std::uint32_t leaf_of(const scratch_type& s) const {
    return entries.tree.template find<rank_type>(
        graph.size(), [&](std::span<const id_type> ids, rank_type* out) { walk.ranks(s.walk.query, ids, out); });
  }

  /// The `width` vertices nearest to a vertex, by exact distances.
  void neighbors_of(id_type vertex, std::size_t width, scratch_type& s, std::vector<candidate<float>>& out) const {
    prepare(vertex, s);
    s.walk.hidden = vertex;
    const auto& pool = around(std::max<std::size_t>(64, 4 * width), s);
    s.walk.hidden = no_id;
    if constexpr (Walk::is_compressed)
      if (is_blurred(pool, s))
        return with_exact([&](const auto& walker) { walker.neighbors_of(vertex, width, s.exact, out); });
    if (rows.size() > 0) exact_distances(pool, rows.row(vertex), out);
    else approximate_distances(pool, out);
    out.resize(std::min(out.size(), width));
  }

  /// The vertices of a pool by their exact distances from a row, nearest first; by those of the walk where there are no
  /// exact rows. Rows in a file may have no distance, a NaN: they are left out.
  void exact_distances(const search_pool<rank_type>& pool, const row_type& row,
                       std::vector<candidate<float>>& out) const {
    if (rows.size() == 0) return approximate_distances(pool, out);
    out.clear();
    const row_query<Metric, row_type> rank(metric, row);
    for (std::size_t i = 0; i < pool.size(); ++i)
      if (const float d = distance(rank(rows.row(pool[i].id()))); !std::isnan(d)) out.push_back({d, pool[i].id()});
    std::sort(out.begin(), out.end());
  }
  void approximate_distances(const search_pool<rank_type>& pool, std::vector<candidate<float>>& out) const {
    out.clear();
    for (std::size_t i = 0; i < pool.size(); ++i)
      if (const float d = distance(pool[i].rank); !std::isnan(d)) out.push_back({d, pool[i].id()});
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
  /// through the nearest few behind the belt, since a way between two rows within it may lead outside.
  std::vector<candidate<float>> within(const row_type& query, float radius, const search_params& params,
                                       const vertex_filter& passes, scratch_type& s) const {
    const double wide = std::abs(static_cast<double>(radius)) * params.epsilon;  // NaN for 0 times infinity
    const double belt = static_cast<double>(radius) + (std::isnan(wide) ? params.epsilon : wide);
    prepare(query, s);
    s.within.clear();
    const auto could_be_within = [&](rank_type rank) {
      if constexpr (Walk::is_compressed)
        if (entries.root < graph.size())
          rank -= static_cast<rank_type>(walk.rank_error(s.walk.query, entries.root, rank));
      return static_cast<double>(distance(rank)) <= belt;
    };
    radius_goal goal{s.within, could_be_within};
    constexpr std::size_t least_margin = 64;
    if (walk.is_blind(s.walk.query) ||
        covering_walk(walk, graph, entries, std::min(std::max(params.beam, least_margin), names.n_vertices()),
                      scan_cost(passes), passes, goal, s.walk) == walk_end::given_up) {
      s.within.clear();
      scan_each(passes, s, [&](id_type id, rank_type rank) { goal.take(id, rank); });
    }

    std::vector<candidate<float>> found;
    const row_query<Metric, row_type> rank(metric, query);
    for (const auto& c : s.within) {
      const float exact = rows.size() > 0 ? distance(rank(rows.row(c.id))) : distance(c.rank);
      if (!(exact <= radius)) continue;
      for (const id_type id : names.ids_at(c.id))
        if (passes.passes(id)) found.push_back({exact, id});
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  /// Codes and rounding take ranks a little below those of equal rows.
  template <class Rank>
  float distance(Rank rank) const {
    constexpr product_form form = form_of<Metric>();
    constexpr bool has_least = form == product_form::squared_l2 || form == product_form::cosine;
    return distance_of(metric, has_least ? std::max(rank, Rank(0)) : rank);
  }

 private:
  /// How many rows a walk meets, about. Of those with great inner products with a query some have few edges to them, as
  /// their norms are small.
  static constexpr std::size_t likely_met(std::size_t k, std::size_t beam) noexcept {
    return is_product ? 40 * beam : 8 * k;
  }

  /// What a search for k vertices keeps and looks at: the bound is that of the `bounding` nearest, `wanted` are ranked
  /// again, `beam` are kept.
  struct effort {
    std::size_t k, bounding, wanted, beam;
    double epsilon;
  };
  effort effort_for(std::size_t k, const search_params& params) const {
    // The greatest inner products lie far apart, and of their spread nothing follows: a beam decides.
    if (params.beam == 0 && is_product) return effort_for(k, {.beam = std::max<std::size_t>(64, 2 * k + 16)});
    const bool by_epsilon = params.beam == 0;
    const std::size_t beam =
        by_epsilon ? std::max<std::size_t>(256, 4 * k) : std::clamp(params.beam, k, std::max(k, names.n_vertices()));
    // Of one or two nearest the spread says nothing: the bound is then that of ten.
    constexpr std::size_t least_spread = 10;
    const std::size_t bounding = by_epsilon ? std::max(k, least_spread) : k;
    const std::size_t wanted = std::max(bounding, Walk::is_exact ? k : k + k / 2 + 1);
    return {k, bounding, wanted, beam, by_epsilon ? params.epsilon : std::numeric_limits<double>::infinity()};
  }

  /// Pools of the nearest vertices that pass: the e.k nearest are covered.
  const search_pool<rank_type>& nearest(effort e, const vertex_filter& passes, scratch_type& s) const {
    auto& w = s.walk;
    const std::size_t k = std::min(e.k, names.n_named());
    // Of products a scan is over once the rows left are too short.
    constexpr std::size_t few = is_product ? 16384 : 0;
    if (names.n_named() <= std::max(few, likely_met(k, e.beam))) return scan(e.wanted, passes, s);
    if (passes.is_open()) {
      const auto& found = names.n_unnamed() == 0 ? walk_graph(walk, graph, entries, e.bounding, e.wanted, e.beam,
                                                              e.epsilon, allow_all{}, w)
                                                 : walk_among_unnamed(e, w);
      const bool is_telling = found.size() >= k && !w.pool.is_level();
      if (!is_telling && names.n_unnamed() == 0) return scan(e.wanted, passes, s);
      if (is_telling && is_covered(found, k, w)) {
        if (!is_apart(found)) return found;
        e.epsilon = std::numeric_limits<double>::infinity();
        e.beam *= 2;
      }
    }
    const double cost = scan_cost(passes);
    constexpr double ranks_a_hop = 12;
    const double likely_hops = static_cast<double>(std::min(e.beam, 4 * e.k + 32));
    nearest_goal<rank_type> goal(w.found, std::min(e.bounding, names.n_named()), e.wanted, e.epsilon);
    if (cost <= 2 * ranks_a_hop * likely_hops || covering_walk(walk, graph, entries, e.beam - std::min(e.beam, e.k),
                                                               cost, passes, goal, w) == walk_end::given_up)
      return scan(e.wanted, passes, s);
    return w.found;
  }
  /// Rows without a name take up their share of a wider pool.
  const search_pool<rank_type>& walk_among_unnamed(const effort& e, walk_scratch<Walk>& w) const {
    const auto is_named = [&](id_type vertex) { return names.is_named(vertex); };
    const std::size_t beam = e.beam * names.n_vertices() / std::max<std::size_t>(names.n_named(), 1) + 1;
    return walk_graph(walk, graph, entries, e.bounding, e.wanted, beam, e.epsilon, is_named, w);
  }
  /// Where rows without a name are more here than elsewhere, the k-th found may rank behind the last of the pool: then
  /// others may have been passed over.
  bool is_covered(const search_pool<rank_type>& found, std::size_t k, const walk_scratch<Walk>& w) const noexcept {
    return names.n_unnamed() == 0 || !w.pool.is_full() || !(w.pool[w.pool.size() - 1].rank < found[k - 1].rank);
  }
  /// Whether a query is further from the nearest row found than that row is from its own neighbours: it lies between
  /// groups of rows, or outside of them, and others than those that the walk came to may be as near.
  bool is_apart(const search_pool<rank_type>& found) const {
    constexpr float far = 1.5f;
    if (is_product || found.size() == 0) return false;
    return distance(found[0].rank) > far * lists(found[0].id(), lists.width() - 1).rank;
  }

  /// The same search by a walk over the exact rows.
  void find_among_exact(const row_type& query, std::span<id_type> ids, std::span<float> distances,
                        const search_params& params, const vertex_filter& passes, scratch_type& s) const {
    s.exact.walk.hidden = s.walk.hidden;
    with_exact([&](const auto& walker) { walker.find(query, ids, distances, params, passes, s.exact); });
    s.walk.distances += std::exchange(s.exact.walk.distances, 0);
    s.walk.hops += std::exchange(s.exact.walk.hops, 0);
    s.scans += std::exchange(s.exact.scans, 0);
  }

  /// What a scan of all that pass takes, in ranks of rows.
  double scan_cost(const vertex_filter& passes) const { return passes.count() + passes.cost_of_visit(); }

  /// f(vertex, rank) for all that pass.
  template <class F>
  void scan_each(const vertex_filter& passes, scratch_type& s, F f) const {
    auto& w = s.walk;
    constexpr std::size_t block = 64;
    ++s.scans;
    w.ids.clear();
    const auto rank_block = [&] {
      rank_collected(walk, w);
      for (std::size_t i = 0; i < w.ids.size(); ++i) f(w.ids[i], w.ranks[i]);
      w.ids.clear();
    };
    passes.visit([&](id_type vertex) {
      if (vertex == w.hidden) return;
      walk.prefetch(vertex);
      w.ids.push_back(vertex);
      if (w.ids.size() == block) rank_block();
    });
    rank_block();
  }
  /// The same in the order of lengths, down to where no row left can be of interest.
  template <class F, class IsOfInterest>
  void scan_by_length(const vertex_filter& passes, scratch_type& s, F f, IsOfInterest is_of_interest) const {
    auto& w = s.walk;
    ++s.scans;
    forget_rows(graph, w);
    std::size_t n_blocks = 0;
    const auto rank_block = [&] {
      std::erase_if(w.ids, [&](id_type vertex) { return !passes(vertex); });
      rank_collected(walk, w);
      for (std::size_t i = 0; i < w.ids.size(); ++i) f(w.ids[i], w.ranks[i]);
    };
    begin_with_longest(walk, graph, entries, names.n_vertices(), w, rank_block, is_of_interest,
                       [&] { return ++n_blocks; });
  }
  const search_pool<rank_type>& scan(std::size_t wanted, const vertex_filter& passes, scratch_type& s) const {
    auto& found = s.walk.found;
    found.reset(wanted);
    const auto take = [&](id_type vertex, rank_type rank) { found.insert(rank, vertex); };
    if (entries.longest == nullptr) scan_each(passes, s, take);
    else
      scan_by_length(passes, s, take,
                     [&](rank_type rank) { return !found.is_full() || !(found[found.size() - 1].rank < rank); });
    return found;
  }
  /// By the exact rows alone.
  void scan_rows(const row_type& query, std::span<id_type> ids, std::span<float> distances, const vertex_filter& passes,
                 scratch_type& s) const {
    const row_query<Metric, row_type> rank(metric, query);
    s.best.reset(ids.size());
    ++s.scans;
    passes.visit([&](id_type vertex) {
      if (vertex == s.walk.hidden) return;
      ++s.walk.distances;
      push_ids(vertex, rank(rows.row(vertex)), ids.size(), passes, s.best);
    });
    write(s.best.sorted(), ids, distances);
  }

  /// Exact ranks decide, where there are exact rows.
  void finish(const search_pool<rank_type>& pool, const row_type& query, std::size_t count, std::span<id_type> ids,
              std::span<float> distances, const vertex_filter& passes, scratch_type& s) const {
    if (Walk::is_exact || rows.size() == 0) {
      s.approximate.reset(ids.size());
      for (std::size_t i = 0; i < count; ++i) push_ids(pool[i].id(), pool[i].rank, ids.size(), passes, s.approximate);
      return write(s.approximate.sorted(), ids, distances);
    }
    for (std::size_t i = 0; i < count; ++i) rows.prefetch(pool[i].id());
    const row_query<Metric, row_type> rank(metric, query);
    s.best.reset(ids.size());
    for (std::size_t i = 0; i < count; ++i)
      push_ids(pool[i].id(), rank(rows.row(pool[i].id())), ids.size(), passes, s.best);
    write(s.best.sorted(), ids, distances);
  }

  /// The first `most` ids of a vertex that pass.
  template <class Rank>
  void push_ids(id_type vertex, Rank rank, std::size_t most, const vertex_filter& passes, top_k<Rank>& best) const {
    std::size_t count = 0;
    for (const id_type id : names.ids_at(vertex)) {
      if (!passes.passes(id)) continue;
      best.push(rank, id);
      if (++count == most) return;
    }
  }

  template <class Rank>
  void write(std::span<const candidate<Rank>> sorted, std::span<id_type> ids, std::span<float> distances) const {
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      ids[i] = sorted[i].id;
      distances[i] = distance(sorted[i].rank);
    }
  }
};

/// Means over the queries of what some threads spent.
template <class Scratch>
search_stats mean_stats(const std::vector<Scratch>& scratch, std::size_t queries) {
  search_stats stats;
  for (const Scratch& s : scratch) {
    stats.distances += static_cast<double>(s.walk.distances);
    stats.hops += static_cast<double>(s.walk.hops);
    stats.scans += static_cast<double>(s.scans);
  }
  const auto n = static_cast<double>(std::max<std::size_t>(queries, 1));
  return {stats.distances / n, stats.hops / n, stats.scans / n};
}

}  // namespace annulus::inline ANNULUS_ARCH::detail
