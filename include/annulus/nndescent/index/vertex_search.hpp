#pragma once

/// \file
/// The nearest vertices of a query: by a plain walk, a covering walk, or where that is cheaper a scan of all that pass.

#include <annulus/nndescent/index/graph_scratch.hpp>
#include <annulus/nndescent/index/knn_lists.hpp>
#include <annulus/nndescent/index/search_goals.hpp>
#include <annulus/nndescent/index/vertex_filter.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// A graph and all that it takes to search it, owned by an index. Rows is where the exact rows are (walk_space.hpp).
template <class Points, class Metric, class Walk, class Rows = owned_rows<Points>>
struct vertex_search {
  using row_type = row_t<view_of<Points>>;
  using scratch_type = graph_scratch<Points, Metric, Walk, Rows>;
  using rank_type = typename Walk::rank_type;
  static constexpr bool is_compressed = Walk::is_compressed;
  static constexpr bool is_product = form_of<Metric>() == product_form::inner_product;

  const Walk& walk;
  const Rows& rows;  ///< exact, or empty
  const Metric& metric;
  const search_edges& graph;
  const codes_of_edges_t<Walk>& codes;
  entry_points entries;
  const vertex_names& names;
  const knn_lists& lists;

  /// What a search for k vertices keeps and looks at: the bound is that of the `bounding` nearest, `wanted` are ranked
  /// again, `beam` are kept.
  struct effort {
    std::size_t k, bounding, wanted, beam;
    double epsilon;
  };
  effort effort_for(std::size_t k, const nndescent_search_params& params) const {
    // The greatest inner products lie far apart, and of their spread nothing follows: a beam decides.
    if (params.beam == 0 && is_product) return effort_for(k, {.beam = std::max<std::size_t>(64, 4 * k + 40)});
    const bool by_epsilon = params.beam == 0;
    const std::size_t beam =
        by_epsilon ? std::max<std::size_t>(256, 4 * k) : std::clamp(params.beam, k, std::max(k, names.n_vertices()));
    // Of one or two nearest the spread says nothing: the bound is then that of ten.
    constexpr std::size_t least_spread = 10;
    const std::size_t bounding = by_epsilon ? std::max(k, least_spread) : k;
    const std::size_t wanted = std::max(bounding, Walk::is_exact ? k : k + k / 2 + 1);
    return {k, bounding, wanted, beam, by_epsilon ? params.epsilon : std::numeric_limits<double>::infinity()};
  }

  /// Makes a row the query of the scratch.
  void prepare(const row_type& query, scratch_type& s) const {
    walk.prepare(query, s.walk.query);
    s.walk.code_query.forget();
    if constexpr (is_product) s.walk.query_length = norm_of(query);
  }
  /// The same for a vertex.
  void prepare(id_type vertex, scratch_type& s) const {
    walk.prepare_row(vertex, s.walk.query);
    s.walk.code_query.forget();
    if constexpr (is_product)
      s.walk.query_length = rows.size() > 0 ? norm_of(rows.row(vertex)) : std::numeric_limits<double>::infinity();
  }

  /// Makes it the query for the codes of edges too, by which walks go then; by_estimates: which lead them.
  void prepare_codes([[maybe_unused]] const row_type& query, [[maybe_unused]] bool by_estimates,
                     [[maybe_unused]] scratch_type& s) const {
    if constexpr (has_edge_codes<Walk>) {
      auto& q = s.walk.code_query;
      q.row.resize(codes.dim());
      relative_row(query.data(), codes.dim(), is_cosine<Metric>, codes.centre().data(), q.row.data());
      codes.prepare(q);
      q.leads = by_estimates && q.is_prepared;
    }
  }

  /// The vertices around the query of the scratch, nearest first, at most `beam` of them, half of which are covered.
  /// The nearest erased ones go to s.erased.
  search_pool<rank_type>& around(std::size_t beam, scratch_type& s) const {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    s.erased.reset(beam / 4);
    const id_filter all;
    const vertex_filter passes(names, all);
    if (names.n_erased() == 0) {
      if (names.n_live() <= likely_met(beam, beam)) {
        scan(beam, passes, s);
        return s.walk.found;
      }
      walk_graph(walk, graph, codes, entries, beam, beam, beam, infinity, allow_all{}, s.walk, starts_again(s.walk));
      return s.walk.pool;
    }
    surroundings goal{{s.walk.found, std::min(beam / 2, names.n_live()), beam, infinity}, names, s.erased};
    if (covering_walk(walk, graph, entries, beam / 2, scan_cost(passes), allow_all{}, goal, s.walk)() ==
        walk_end::given_up)
      scan(beam, passes, s);
    return s.walk.found;
  }

  /// Pools of the nearest vertices that pass: the e.k nearest are covered.
  const search_pool<rank_type>& nearest(effort e, const vertex_filter& passes, scratch_type& s) const {
    auto& w = s.walk;
    const std::size_t k = std::min(e.k, names.n_live());
    if (always_scans() || names.n_live() <= likely_met(k, e.beam)) return scan(e.wanted, passes, s);
    bool is_wide = false;
    if (passes.is_open()) {
      const auto& found = names.n_erased() == 0 ? walk_graph(walk, graph, codes, entries, e.bounding, e.wanted, e.beam,
                                                             e.epsilon, allow_all{}, w, starts_again(w))
                                                : walk_among_erased(e, w);
      const bool is_telling = found.size() >= k && !w.pool.is_mostly_tied();
      if (!is_telling && names.n_erased() == 0) return scan(e.wanted, passes, s);
      if (is_telling && is_covered(found, k, w)) {
        if (!is_apart(found)) return found;
        is_wide = true;
        e = widened(e);
      }
    }
    const double cost = scan_cost(passes);
    constexpr double ranks_a_hop = 12;
    const double likely_hops = static_cast<double>(std::min(e.beam, 4 * e.k + 32));
    if (cost <= 2 * ranks_a_hop * likely_hops) return scan(e.wanted, passes, s);
    for (;; is_wide = true, e = widened(e)) {
      nearest_goal<rank_type> goal(w.found, std::min(e.bounding, names.n_live()), e.wanted, e.epsilon);
      covering_walk cover(walk, graph, entries, e.beam - std::min(e.beam, e.k), cost, passes, goal, w);
      if (cover() == walk_end::given_up) break;
      if (!is_apart(w.found)) return w.found;
      if (!is_wide) continue;
      const auto is_of_interest = [&](float least) {
        return w.found.size() < k || !(least > length_of(distance(w.found[k - 1].rank)));
      };
      if (search_from_hubs(cover, s, is_of_interest) == walk_end::given_up) break;
      return w.found;
    }
    return scan(e.wanted, passes, s);
  }
  /// Four times the beam; a beam in place of a bound, which is too near where nothing is near.
  static effort widened(effort e) {
    e.beam = is_finite(e.epsilon) ? std::max<std::size_t>(256, 4 * e.k) : 4 * e.beam;
    e.epsilon = std::numeric_limits<double>::infinity();
    return e;
  }
  /// Continues a walk from the hubs around which there may be rows at a length that is_of_interest, the most promising
  /// first. It ranks at most as many rows again before it goes on to the end.
  template <class Cover, class IsOfInterest>
  walk_end search_from_hubs(Cover& cover, scratch_type& s, IsOfInterest is_of_interest) const {
    constexpr float radius = 2;  // of the rows around a hub, in distances to the last of its list of neighbours
    const std::uint64_t budget = s.walk.distances + cover.cost();
    s.promising_hubs.clear();
    for (const auto& hub : cover.hubs())
      if (const float least = length_of(distance(hub.rank)) - radius * length_of(lists.last_distance(hub.id));
          !is_nan(least))
        s.promising_hubs.push_back({least, hub.id});
    std::sort(s.promising_hubs.begin(), s.promising_hubs.end());
    for (const auto& [least, hub] : s.promising_hubs) {
      if (!is_of_interest(least) || s.walk.distances > budget) break;
      cover.descend(hub);
    }
    return cover.go_on();
  }
  /// Distances as lengths, which may be added up: of squares, and of cosine distances, the roots.
  float length_of(float distance) const noexcept {
    bool is_square = is_cosine<Metric>;
    if constexpr (has_degree<Metric> && !is_product) is_square |= metric.degree().distance == 2;
    return is_square ? detail::sqrt(std::max(distance, 0.0f)) : distance;
  }
  /// Whether a distance from a row is beyond its surroundings: that many times as long as the way to the last of its
  /// list of neighbours, or twice as many times that to the fourth, as groups may be smaller than lists are wide.
  bool is_far(float distance, id_type vertex, float times = 2) const {
    if (is_product) return false;
    const float length = length_of(distance);
    return length > times * length_of(lists.last_distance(vertex)) ||
           length > 2 * times * length_of(lists.fourth_distance(vertex));
  }
  /// f(vertex) for all that pass, each once.
  template <class F>
  void visit(const vertex_filter& passes, walk_scratch<Walk>& w, F f) const {
    if (names.has_copies()) w.visited.reset(names.n_vertices());
    passes.visit([&](id_type vertex) { return w.visited.insert(vertex); }, f);
  }
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
    visit(passes, w, [&](id_type vertex) {
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
  /// About how many rows a walk meets; where an index holds no more, a scan is as quick. Under inner products some
  /// short rows have hardly any edges to them, and a walk finds them only in a wide beam.
  static constexpr std::size_t likely_met(std::size_t k, std::size_t beam) noexcept {
    return is_product ? 40 * beam : std::max(8 * k, std::min<std::size_t>(512, 8 * beam));
  }
  /// Whether every search is a scan: under inner products a scan ends once the rows left are too short, which is
  /// quicker than a walk of so small an index.
  bool always_scans() const noexcept {
    constexpr std::size_t max_scanned = 16384;
    return is_product && names.n_live() <= max_scanned;
  }
  /// f(vertex, rank) for all that pass and may have a rank that is_of_interest.
  template <class F, class IsOfInterest>
  void scan_all(const vertex_filter& passes, scratch_type& s, F f, IsOfInterest is_of_interest) const {
    if (entries.longest == nullptr) scan_each(passes, s, f);
    else scan_by_length(passes, s, f, is_of_interest);
  }
  /// The nearest `wanted` of all that pass.
  const search_pool<rank_type>& scan(std::size_t wanted, const vertex_filter& passes, scratch_type& s) const {
    auto& found = s.walk.found;
    found.reset(wanted);
    scan_all(
        passes, s, [&](id_type vertex, rank_type rank) { found.insert(rank, vertex); },
        [&](rank_type rank) { return found.could_take(rank, wanted); });
    return found;
  }
  /// What a scan of all that pass takes, in ranks of rows.
  double scan_cost(const vertex_filter& passes) const { return passes.count() + passes.cost_of_visit(); }

  /// The leaf of the tree that the query of the scratch falls into.
  std::uint32_t leaf_of(const scratch_type& s) const {
    return entries.tree.template find<rank_type>(
        graph.size(), [&](std::span<const id_type> ids, rank_type* out) { walk.ranks(s.walk.query, ids, out); });
  }

  /// Codes and rounding take ranks a little below those of equal rows.
  template <class Rank>
  float distance(Rank rank) const {
    constexpr product_form form = form_of<Metric>();
    constexpr bool has_least = form == product_form::squared_l2 || form == product_form::cosine;
    const Rank least = has_least ? std::max(rank, Rank(0)) : rank;
    if constexpr (std::same_as<Rank, rank_type> && requires { walk.full_rank(rank); })
      return distance_of(metric, walk.full_rank(least));
    else return distance_of(metric, least);
  }
  bool has_exact_ranks() const noexcept {
    if constexpr (requires { walk.has_exact_ranks(); }) return walk.has_exact_ranks();
    else return Walk::is_exact;
  }

 private:
  /// Whether a walk is to start again from another leaf: where the nearest row found is half as far again as its
  /// surroundings reach, the tree may have led to the wrong group of rows. That costs at most half of what the walk
  /// did.
  auto starts_again(const walk_scratch<Walk>& w) const {
    return [this, &w, before = w.distances, walked = std::uint64_t{0}](const search_pool<rank_type>& found) mutable {
      constexpr float times = 1.5;
      if (found.size() == 0 || !is_far(distance(found[0].rank), found[0].id(), times)) return false;
      const std::uint64_t spent = w.distances - before;
      if (walked == 0) walked = spent;
      return 2 * (spent - walked) < walked;
    };
  }
  /// The pool is wider by the share of erased vertices in it.
  const search_pool<rank_type>& walk_among_erased(const effort& e, walk_scratch<Walk>& w) const {
    const auto is_live = [&](id_type vertex) { return names.is_live(vertex); };
    const std::size_t beam = e.beam * names.n_vertices() / std::max<std::size_t>(names.n_live(), 1) + 1;
    return walk_graph(walk, graph, codes, entries, e.bounding, e.wanted, beam, e.epsilon, is_live, w, starts_again(w));
  }
  /// Whether no live vertex nearer than the k-th found was passed over. Where more vertices are erased here than
  /// elsewhere, the k-th found may rank behind the last of the pool.
  bool is_covered(const search_pool<rank_type>& found, std::size_t k, const walk_scratch<Walk>& w) const noexcept {
    return names.n_erased() == 0 || !w.pool.is_full() || !(w.pool[w.pool.size() - 1].rank < found[k - 1].rank);
  }
  /// Whether a query lies between or outside of groups of rows: others than those walked through may be as near.
  bool is_apart(const search_pool<rank_type>& found) const {
    return found.size() > 0 && is_far(distance(found[0].rank), found[0].id());
  }
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
