#pragma once

/// \file
/// Long edges, between rows of a sample, and bridges. Where rows come in groups, lists of nearest neighbours end within
/// the group, and few edges chosen from them, or none, lead to another group: a search that comes to the wrong one does
/// not leave it.

#include <annulus/nndescent/graph/build.hpp>
#include <annulus/nndescent/index/diversify.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Edges to add, of all coarse levels. A long edge serves only walks that come by its start, which is anywhere in its
/// group; a bridge is between the rows of two groups where these are nearest to each other, and there a walk arrives
/// that looks in one group for a row of the other.
struct long_edges {
  struct edge {
    id_type from, to;
  };
  std::vector<edge> edges;  ///< those of a row stand together, nearest first
  std::vector<edge> bridges;
};

/// From two rows that are far from each other to a near pair: each in turn walks to its neighbour nearest to the other,
/// and on, until neither comes nearer. Within a group they end as neighbours, or in one row. Holds scratch.
template <class Space>
class closest_pair {
 public:
  explicit closest_pair(const Space& space) : m_ranker(space) {}

  template <class Graph>
  long_edges::edge operator()(const Graph& graph, id_type a, id_type b) {
    constexpr std::size_t max_turns = 32;  // under a metric that is not symmetric they may not end
    for (std::size_t n_turns = 0, n_still = 0; n_turns < max_turns && n_still < 2 && a != b; ++n_turns) {
      const id_type before = a;
      a = nearest_to(graph, b, a);
      n_still = a == before ? n_still + 1 : 0;
      std::swap(a, b);
    }
    return {a, b};
  }

 private:
  template <class Graph>
  id_type nearest_to(const Graph& graph, id_type to, id_type at) {
    float least = 0;
    m_ranker.from(to, {&at, 1}, &least);
    for (;;) {
      const std::span<const id_type> ids = graph.of(at);
      m_ranks.resize(ids.size());
      m_ranker.from(to, ids, m_ranks.data());
      const auto nearest = std::ranges::min_element(m_ranks);
      if (nearest == m_ranks.end() || !(*nearest < least)) return at;
      least = *nearest;
      at = ids[static_cast<std::size_t>(nearest - m_ranks.begin())];
    }
  }

  typename Space::ranker m_ranker;
  std::vector<float> m_ranks;
};

/// Finds the edges of one k-NN graph among some rows; holds scratch.
template <class Space>
class coarse_level {
 public:
  coarse_level(const Space& space, const diversify_rule& rule, const thread_team& team)
      : m_diversify(space, rule), m_ranker(space), m_finders(team.size(), closest_pair<Space>(space)), m_team(&team) {}

  /// Row j of `lists` is the row leaves[place[j] * stride] of the graph.
  void find_edges(std::span<const id_type> leaves, std::size_t stride, const row_order& place,
                  const neighbor_lists& lists, long_edges& out) {
    for (std::size_t j = 0; j < lists.size(); ++j) {
      const auto u = leaves[place[j] * stride];
      m_ids.clear();
      for (std::size_t i = 0; i < lists.count(j); ++i) m_ids.push_back(leaves[place[lists(j, i).id()] * stride]);
      m_ranks.resize(m_ids.size());
      m_ranker.from(u, m_ids, m_ranks.data());
      m_found.clear();
      for (std::size_t i = 0; i < m_ids.size(); ++i) m_found.push_back({m_ranks[i], m_ids[i]});
      std::sort(m_found.begin(), m_found.end());
      m_diversify(u, m_found);
      for (const auto& c : m_found) out.edges.push_back({u, c.id});
    }
  }
  /// Looks for bridges along some of the edges from `first` on, and along all of them where a twelfth of those gave
  /// one: most data have no groups, and walks along all edges would take a twentieth of a build.
  template <class Graph>
  void find_bridges(const Graph& graph, std::size_t first, long_edges& out) {
    constexpr std::size_t n_tried = 256, worthwhile = 12;
    const std::size_t n = out.edges.size() - first, step = std::max<std::size_t>(1, n / n_tried);
    const std::size_t tried = n / step, n_before = out.bridges.size();
    look_along(
        graph, tried, [&](std::size_t i) { return first + i * step; }, out);
    if (step == 1 || worthwhile * (out.bridges.size() - n_before) < tried) return;
    out.bridges.resize(n_before);
    look_along(
        graph, n, [&](std::size_t i) { return first + i; }, out);
  }

 private:
  /// Adds the bridges along `count` of the edges, the i-th of which is place(i).
  template <class Graph, class Place>
  void look_along(const Graph& graph, std::size_t count, Place place, long_edges& out) {
    m_pairs.resize(count);
    parallel_for(*m_team, count, 64, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      for (std::size_t i = begin; i < end; ++i) {
        const auto [from, to] = out.edges[place(i)];
        m_pairs[i] = m_finders[worker](graph, from, to);
      }
    });
    for (const auto& [a, b] : m_pairs)
      if (a != b && std::ranges::find(graph.of(a), b) == graph.of(a).end()) out.bridges.push_back({a, b});
  }

  diversifier<Space> m_diversify;
  typename Space::ranker m_ranker;
  std::vector<closest_pair<Space>> m_finders;
  const thread_team* m_team;
  std::vector<long_edges::edge> m_pairs;
  std::vector<id_type> m_ids;
  std::vector<float> m_ranks;
  std::vector<candidate<float>> m_found;
};

/// Adds edges both ways, while there are places left; a row gives up to a quarter of its furthest neighbours for those
/// that start from it.
template <class Graph>
void add_long_edges(Graph& graph, const long_edges& added, std::size_t degree) {
  const std::size_t max_given_up = degree / 4;
  std::vector<id_type> ids;
  for (std::size_t i = 0; i < added.edges.size();) {
    const id_type u = added.edges[i].from;
    const std::size_t first = i;
    const std::vector<id_type> before(graph.of(u).begin(), graph.of(u).end());
    const std::size_t stay = std::min(before.size(), degree - max_given_up);
    ids.assign(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(stay));
    const auto add = [&](id_type v) {
      if (ids.size() < degree && std::ranges::find(ids, v) == ids.end()) ids.push_back(v);
    };
    for (; i < added.edges.size() && added.edges[i].from == u; ++i) add(added.edges[i].to);
    for (const id_type v : before) add(v);
    graph.assign(u, ids);
    for (std::size_t j = first; j < i; ++j) graph.add(added.edges[j].to, u);
  }
  for (const auto& [a, b] : added.bridges) {
    graph.add(a, b);
    graph.add(b, a);
  }
}

/// Adds edges among every 256th row, every 512th and so on, in the order of the leaves, in which rows that are alike
/// stand side by side: each level is a k-NN graph of its own, and for groups of any size there is one at which few of
/// their rows are left, whose neighbours are of other groups. Data of which some rows have few edges, as
/// near-duplicates and rows along a curve have, get another level of every 16th row. Edges and bridges go both ways,
/// while there are places left; a row gives up to a quarter of its furthest neighbours for its edges. Row i of the
/// graph is row order[i] of `data`, and i-th in the order of the leaves is row leaves[i] of the graph.
template <class Graph, class Rows, class Metric, class Space>
void add_coarse_edges(Graph& graph, const Rows& data, const Metric& metric, const row_order& order,
                      std::span<const id_type> leaves, const Space& space, const diversify_rule& rule,
                      const nndescent_params& params, const thread_team& team) {
  constexpr std::size_t thin_stride = 16, first_stride = 256, least_rows = 16, width = 22, few_edges = 10;
  constexpr bool has_near_pairs = form_of<Metric>() != product_form::inner_product;  // there, long rows are near to all
  const std::size_t n = leaves.size();
  std::size_t n_thin = 0;
  for (const id_type u : leaves) n_thin += graph.of(u).size() < few_edges;

  coarse_level<Space> level(space, rule, team);
  nndescent_params sample_params = params;
  sample_params.progress = {};
  long_edges found;
  for (std::size_t stride = 100 * n_thin < n ? first_stride : thin_stride; n / stride >= least_rows;
       stride = std::max(first_stride, 2 * stride)) {
    std::vector<id_type> rows;
    for (std::size_t i = 0; i < n; i += stride) rows.push_back(order.empty() ? leaves[i] : order[leaves[i]]);
    const auto sample = gather_rows(data, std::span<const id_type>(rows));
    with_lists(view_of<std::remove_const_t<decltype(sample)>>(sample), metric, list_width(width, rows.size()),
               sample_params, {}, team, [&](const erased_space&, const row_order& place, const neighbor_lists& lists) {
                 const std::size_t first = found.edges.size();
                 level.find_edges(leaves, stride, place, lists, found);
                 if (has_near_pairs) level.find_bridges(graph, first, found);
               });
  }
  add_long_edges(graph, found, rule.degree);
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
