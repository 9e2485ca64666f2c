#pragma once

/// \file
/// One query from start to end: the walk, what filters and erased rows ask for, and the exact ranks of what was found.

#include <annulus/core/random.hpp>
#include <annulus/core/recall.hpp>
#include <annulus/core/top_k.hpp>
#include <annulus/knn/sparse_knn.hpp>
#include <annulus/nndescent/search.hpp>
#include <annulus/nndescent/slot_map.hpp>
#include <annulus/nndescent/sparse_walk.hpp>

namespace annulus::inline ANNULUS_ARCH::detail {

/// What one thread needs to search an index.
template <class Points, class Metric, class Walk>
struct graph_scratch {
  explicit graph_scratch(const Walk& walk_rows) : walk{walk_rows.make_query()} {}
  walk_scratch<Walk> walk;
  top_k<row_rank_t<Metric, row_t<view_of<Points>>>> best{1};
  top_k<typename Walk::rank_type> approximate{1};
  std::vector<id_type> flood;
};

/// A graph and all that it takes to search it, owned by an index. Slots are the places of rows in the graph.
template <class Points, class Metric, class Walk>
struct graph_walker {
  using row_type = row_t<view_of<Points>>;
  using scratch_type = graph_scratch<Points, Metric, Walk>;
  using rank_type = typename Walk::rank_type;

  const Walk& walk;
  const owned_rows<Points>& rows;  ///< exact, or empty
  const Metric& metric;
  const adjacency& graph;
  const hub_tree& tree;
  id_type root;
  const slot_map& names;

  /// The nearest rows of the query, written to the front of both spans.
  void find(const row_type& query, std::span<id_type> found_ids, std::span<float> distances,
            const search_params& params, scratch_type& s) const {
    const std::size_t k = std::min(found_ids.size(), names.size());
    if (k == 0 || !is_finite_row(query)) return;
    walk.prepare(query, s.walk.query);
    const bool by_epsilon = params.beam == 0;
    const std::size_t beam =
        by_epsilon ? std::max<std::size_t>(256, 4 * k) : std::clamp(params.beam, k, std::max(k, names.n_slots()));
    const double epsilon = by_epsilon ? params.epsilon : std::numeric_limits<double>::infinity();
    // Of one or two nearest the spread says nothing: the bound is then that of ten.
    constexpr std::size_t least_spread = 10;
    const std::size_t bounding = by_epsilon ? std::max(k, least_spread) : k;
    const std::size_t wanted = std::max(bounding, Walk::is_exact ? k : k + k / 2 + 1);
    const auto allow = [&](id_type slot) { return names.is_here(slot) && params.filter(names.id_of(slot)); };
    if (walk.is_blind(s.walk.query)) {
      return rows.size() > 0 ? scan_rows(allow, query, found_ids, distances, s)
                             : finish(scan(allow, wanted, s), query, wanted, found_ids, distances, s);
    }

    if (params.filter.empty() && names.size() == names.n_slots()) {
      const auto& found = walk_graph(walk, graph, tree, root, bounding, wanted, beam, epsilon, allow_all{}, s.walk);
      finish(found.size() < k ? scan(allow_all{}, wanted, s) : found, query, wanted, found_ids, distances, s);
      return;
    }
    // The fewer rows may be returned, the wider the beam that finds k of them, until a scan of all is cheaper.
    constexpr double scan_advantage = 12;
    const double share = share_of(allow);
    const auto n = static_cast<double>(names.n_slots()), width = static_cast<double>(beam);
    const bool is_scan = share * share * n < scan_advantage * width;
    if (!is_scan) {
      const auto wider = std::min(names.n_slots(), static_cast<std::size_t>(width / share) + 1);
      const auto& found = walk_graph(walk, graph, tree, root, bounding, wanted, wider, epsilon, allow, s.walk);
      if (found.size() >= k) return finish(found, query, wanted, found_ids, distances, s);
    }
    finish(scan(allow, wanted, s), query, wanted, found_ids, distances, s);
  }

  /// The rows around a query that the index is to take in, at most `beam`, nearest first; and the k nearest of them by
  /// exact ranks, as find gives them.
  const auto& neighborhood(const row_type& query, std::size_t beam, std::span<id_type> found_ids,
                           std::span<float> distances, scratch_type& s) const {
    walk.prepare(query, s.walk.query);
    s.walk.found.reset(beam);
    if (names.size() == 0) return s.walk.found;
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const auto is_here = [&](id_type slot) { return names.is_here(slot); };
    walk_graph(walk, graph, tree, root, 1, beam, beam, infinity, is_here, s.walk);
    finish(s.walk.found, query, beam, found_ids, distances, s);
    return s.walk.found;
  }

  /// All rows within the radius that a walk inside of it reaches, nearest first.
  std::vector<candidate<float>> within(const row_type& query, float radius, const search_params& params,
                                       scratch_type& s) const {
    const auto allow = [&](id_type slot) { return names.is_here(slot) && params.filter(names.id_of(slot)); };
    const double wide = std::abs(static_cast<double>(radius)) * params.epsilon;  // NaN for 0 times infinity
    const double belt = static_cast<double>(radius) + (std::isnan(wide) ? params.epsilon : wide);
    walk.prepare(query, s.walk.query);
    walk_scratch<Walk>& w = s.walk;
    constexpr std::size_t entries = 32;
    const std::size_t beam = std::clamp(params.beam, entries, std::max(entries, names.n_slots()));
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const auto& pool = walk_graph(walk, graph, tree, root, 1, entries, beam, infinity, allow_all{}, w);

    std::vector<candidate<float>> found;
    const row_query<Metric, row_type> rank(metric, query);
    s.flood.clear();
    const auto meet = [&](id_type slot, rank_type approximate) {
      if (!(static_cast<double>(distance(approximate)) <= belt)) return;
      s.flood.push_back(slot);
      if (!allow(slot)) return;
      const float exact = rows.size() > 0 ? distance(rank(rows.row(slot))) : distance(approximate);
      if (exact <= radius) found.push_back({exact, names.id_of(slot)});
    };
    w.visited.reset(graph.size());
    for (std::size_t i = 0; i < pool.size(); ++i)
      if (w.visited.insert(pool[i].id())) meet(pool[i].id(), pool[i].rank);
    for (std::size_t i = 0; i < s.flood.size(); ++i) {
      w.ids.clear();
      for (const id_type slot : graph.of(s.flood[i]))
        if (slot < graph.size() && w.visited.insert(slot)) w.ids.push_back(slot);
      w.ranks.resize(w.ids.size());
      walk.ranks(w.query, w.ids, w.ranks.data());
      w.distances += w.ids.size();
      for (std::size_t j = 0; j < w.ids.size(); ++j) meet(w.ids[j], w.ranks[j]);
    }
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  /// Codes and rounding take ranks a little below those of equal rows.
  template <class Rank>
  float distance(Rank rank) const {
    constexpr product_form form = form_of<Metric>();
    constexpr bool has_least = form == product_form::squared_l2 || form == product_form::cosine;
    return distance_of(metric, has_least ? std::max(rank, Rank(0)) : rank);
  }

  /// About how many of all rows pass: of erased rows exactly, of a filter by a sample.
  template <class Allow>
  double share_of(Allow allow) const {
    constexpr std::size_t samples = 256;
    const counter_random random(0);
    std::size_t passed = 0;
    for (std::size_t i = 0; i < samples; ++i) passed += allow(static_cast<id_type>(random.below(i, names.n_slots())));
    return static_cast<double>(passed) / samples;
  }

  template <class Allow>
  const auto& scan(Allow allow, std::size_t wanted, scratch_type& s) const {
    auto& w = s.walk;
    w.found.reset(wanted);
    constexpr std::size_t block = 64;
    for (std::size_t first = 0; first < names.n_slots(); first += block) {
      w.ids.clear();
      for (std::size_t slot = first; slot < std::min(names.n_slots(), first + block); ++slot)
        if (slot != w.hidden && allow(static_cast<id_type>(slot))) w.ids.push_back(static_cast<id_type>(slot));
      w.ranks.resize(w.ids.size());
      walk.ranks(w.query, w.ids, w.ranks.data());
      w.distances += w.ids.size();
      for (std::size_t i = 0; i < w.ids.size(); ++i) w.found.insert(w.ranks[i], w.ids[i]);
    }
    return w.found;
  }

  /// By the exact rows alone.
  template <class Allow>
  void scan_rows(Allow allow, const row_type& query, std::span<id_type> found_ids, std::span<float> distances,
                 scratch_type& s) const {
    const row_query<Metric, row_type> rank(metric, query);
    s.best.reset(found_ids.size());
    for (id_type slot = 0; slot < names.n_slots(); ++slot)
      if (slot != s.walk.hidden && allow(slot)) s.best.push(rank(rows.row(slot)), names.id_of(slot));
    s.walk.distances += names.size();
    write(s.best.sorted(), found_ids, distances);
  }

  /// Exact ranks decide, where there are exact rows.
  void finish(const search_pool<rank_type>& pool, const row_type& query, std::size_t wanted,
              std::span<id_type> found_ids, std::span<float> distances, scratch_type& s) const {
    const std::size_t count = std::min(wanted, pool.size());
    if (Walk::is_exact || rows.size() == 0) {
      s.approximate.reset(found_ids.size());
      for (std::size_t i = 0; i < count; ++i)
        if (names.is_here(pool[i].id())) s.approximate.push(pool[i].rank, names.id_of(pool[i].id()));
      return write(s.approximate.sorted(), found_ids, distances);
    }
    for (std::size_t i = 0; i < count; ++i) rows.prefetch(pool[i].id());
    const row_query<Metric, row_type> rank(metric, query);
    s.best.reset(found_ids.size());
    for (std::size_t i = 0; i < count; ++i)
      if (names.is_here(pool[i].id())) s.best.push(rank(rows.row(pool[i].id())), names.id_of(pool[i].id()));
    write(s.best.sorted(), found_ids, distances);
  }

  template <class Rank>
  void write(std::span<const candidate<Rank>> sorted, std::span<id_type> found_ids, std::span<float> distances) const {
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      found_ids[i] = sorted[i].id;
      distances[i] = distance(sorted[i].rank);
    }
  }
};

/// Exact search of the rows of an index.
template <class T, class Metric>
neighbors knn_of(const aligned_rows<T>& rows, const matrix<T>& queries, std::size_t k, const Metric& metric,
                 const knn_params& params) {
  return knn(rows.view(), matrix_view<T>(queries), k, metric, params);
}
template <class T, class Metric>
neighbors knn_of(const sparse_rows<T>& rows, const csr_matrix<T>& queries, std::size_t k, const Metric& metric,
                 const knn_params& params) {
  std::vector<id_type> all(rows.size());
  std::iota(all.begin(), all.end(), id_type{0});
  return knn(gather_rows(rows, all), csr_view<T>(queries), k, metric, params);
}

/// The narrowest of some beams that reaches the recall, searching for some rows as if they were not there.
template <class Points, class Metric, class Walk>
search_params tune_beam(const graph_walker<Points, Metric, Walk>& walker, double target_recall, std::size_t sample,
                        std::size_t k, std::size_t threads) {
  const counter_random random(1);
  std::vector<id_type> slots;
  for (std::size_t i = 0; slots.size() < sample && i < 4 * sample; ++i)
    if (const auto slot = static_cast<id_type>(random.below(i, walker.names.n_slots())); walker.names.is_here(slot))
      slots.push_back(slot);
  const Points queries = gather_rows(walker.rows, slots);
  const knn_params alive{.threads = threads, .filter = [&](id_type slot) { return walker.names.is_here(slot); }};
  const neighbors near = knn_of(walker.rows, queries, k + 1, walker.metric, alive);
  neighbors truth(slots.size(), k), found(slots.size(), k);
  for (std::size_t i = 0; i < slots.size(); ++i)
    for (std::size_t j = 0, kept = 0; j <= k && kept < k; ++j)
      if (near.ids(i, j) != no_id && near.ids(i, j) != slots[i]) {
        truth.ids(i, kept) = walker.names.id_of(near.ids(i, j));
        truth.distances(i, kept++) = near.distances(i, j);
      }

  using scratch_type = graph_scratch<Points, Metric, Walk>;
  std::vector<scratch_type> scratch(resolve_threads(threads), scratch_type(walker.walk));
  search_params params{.beam = k};
  for (const std::size_t widest = std::max<std::size_t>(1024, 8 * k);; params.beam += params.beam / 8 + 1) {
    std::ranges::fill(std::span(found.ids.data(), slots.size() * k), no_id);
    std::ranges::fill(std::span(found.distances.data(), slots.size() * k), std::numeric_limits<float>::infinity());
    parallel_for(threads, slots.size(), 16, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      for (std::size_t i = begin; i < end; ++i) {
        scratch[worker].walk.hidden = slots[i];
        walker.find(queries.row(i), found.ids.row(i), found.distances.row(i), params, scratch[worker]);
      }
    });
    if (params.beam >= widest || recall(found, truth, k) >= target_recall) return params;
  }
}

/// Means over the queries of what some threads spent.
template <class Scratch>
search_stats mean_stats(const std::vector<Scratch>& scratch, std::size_t queries) {
  search_stats stats;
  for (const Scratch& s : scratch) {
    stats.distances += static_cast<double>(s.walk.distances);
    stats.hops += static_cast<double>(s.walk.hops);
  }
  const auto n = static_cast<double>(std::max<std::size_t>(queries, 1));
  return {stats.distances / n, stats.hops / n};
}

}  // namespace annulus::inline ANNULUS_ARCH::detail
