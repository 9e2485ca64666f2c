#pragma once

/// \file
/// An exact solver of the transportation problem: the network simplex method on the bipartite graph of sources and
/// sinks (Dantzig 1951), with strongly feasible trees against cycling (Cunningham 1976).

#include <annulus/core/simd/batch.hpp>
#include <annulus/core/simd/masks.hpp>
#include <annulus/metrics/transport_tree.hpp>

#include <algorithm>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Solves a problem in the constructor, and then has its cost, its flows and the potentials that prove these optimal.
/// In the worst case exponential; in practice a few pivots for each node, each O(n + m) and a scan of some rows of
/// costs. Memory O(n + m).
class network_simplex {
 public:
  explicit network_simplex(const transport_problem& problem)
      : m_problem(problem), m_tree(problem.n + problem.m), m_v(problem.stride, no_sink) {
    for (const double c : problem.cost) m_tolerance = std::max(m_tolerance, c);
    m_tolerance *= 0x1p-43;
    start();
    // Potentials drift by rounding as they are updated: the solution must be optimal for newly computed ones.
    constexpr int most_rounds = 8;
    for (int round = 0; round < most_rounds && improve(); ++round) refresh_potentials();
  }

  /// The least cost.
  double cost() const {
    double sum = 0;
    for_each_flow([&](std::size_t i, std::size_t j, double flow) { sum += flow * m_problem.costs(i)[j]; });
    return sum;
  }
  /// Calls f(source, sink, flow >= 0) for every arc of the tree; the flow of all others is 0.
  template <class F>
  void for_each_flow(F f) const {
    for (index k = 0; k < size(); ++k)
      if (m_tree[k].parent != none) {
        const index p = m_tree[k].parent;
        if (is_source(k)) f(std::size_t{k}, p - m_problem.n, m_tree[k].flow);
        else f(std::size_t{p}, k - m_problem.n, m_tree[k].flow);
      }
  }
  /// Potentials: u(i) + v(j) <= cost(i, j), and equal where flow is, but for rounding.
  double u(std::size_t i) const noexcept { return m_tree[i].potential; }
  double v(std::size_t j) const noexcept { return m_v[j]; }

 private:
  using index = transport_tree::index;
  static constexpr index none = transport_tree::none;
  static constexpr double infinity = std::numeric_limits<double>::infinity();
  static constexpr double no_sink = -infinity;  ///< as a potential: no arc to such a sink lowers the cost

  static constexpr std::size_t sources_at_once = 8;

  index size() const noexcept { return static_cast<index>(m_tree.size()); }
  bool is_source(index k) const noexcept { return k < m_problem.n; }
  index sink(std::size_t j) const noexcept { return static_cast<index>(m_problem.n + j); }

  /// The least of cost - v over the sinks of one source.
  double least(std::size_t i) const noexcept {
    using batch = simd::batch<double>;
    const double* const c = m_problem.costs(i);
    batch low[2] = {batch(infinity), batch(infinity)};
    constexpr std::size_t lanes = simd::lanes<double>;
    const auto fold = [&](batch& lowest, std::size_t j) {
      lowest = xsimd::min(lowest, batch::load_aligned(c + j) - batch::load_aligned(&m_v[j]));
    };
    std::size_t j = 0;
    for (; j + 2 * lanes <= m_problem.stride; j += 2 * lanes)
      simd::unroll<2>([&](auto k) { fold(low[k], j + k * lanes); });
    if (j < m_problem.stride) fold(low[0], j);
    return -simd::reduce_max(-xsimd::min(low[0], low[1]));
  }
  std::pair<double, std::size_t> cheapest(std::size_t i) const noexcept {
    using batch = simd::batch<double>;
    const double cost = least(i);
    const double* const c = m_problem.costs(i);
    for (std::size_t j = 0; j < m_problem.stride; j += simd::lanes<double>)
      if (const auto hits = simd::mask(batch::load_aligned(c + j) - batch::load_aligned(&m_v[j]) == batch(cost)))
        return {cost, j + static_cast<std::size_t>(std::countr_zero(hits))};
    return {cost, 0};
  }

  /// The first tree: sources in turn fill the cheapest sinks that have room, and the resulting trees are joined by arcs
  /// without flow, which all point to the root. So the tree is strongly feasible.
  void start() {
    struct arc {
      index source, sink, next_of_source, next_of_sink;
      double flow;
    };
    const std::size_t n = m_problem.n, m = m_problem.m;
    std::vector<arc> arcs;
    arcs.reserve(n + m);
    std::vector<index> first(n + m, none);
    std::copy_n(m_problem.costs(0), m, m_v.begin());
    for (std::size_t i = 1; i < n; ++i)
      for (std::size_t j = 0; j < m; ++j) m_v[j] = std::min(m_v[j], m_problem.costs(i)[j]);
    std::vector<double> room(m_problem.demand.begin(), m_problem.demand.end());
    std::size_t open = m;
    for (std::size_t i = 0; i < n; ++i)
      for (double mass = m_problem.supply[i]; mass > 0 && open > 0;) {
        const std::size_t j = cheapest(i).second;
        const double flow = std::min(mass, room[j]);
        mass -= flow;
        room[j] -= flow;
        const index s = static_cast<index>(i), t = sink(j), id = static_cast<index>(arcs.size());
        arcs.push_back({s, t, first[s], first[t], flow});
        first[s] = first[t] = id;
        if (room[j] <= 0) {
          m_v[j] = no_sink;
          --open;
        }
      }

    std::fill(m_v.begin(), m_v.end(), no_sink);
    std::vector<index> reached;
    reached.reserve(n + m);
    std::vector<bool> is_reached(n + m);
    const auto grow = [&](index root) {
      is_reached[root] = true;
      reached.assign(1, root);
      for (std::size_t r = 0; r < reached.size(); ++r) {
        const index k = reached[r];
        for (index a = first[k]; a != none; a = is_source(k) ? arcs[a].next_of_source : arcs[a].next_of_sink) {
          const index other = is_source(k) ? arcs[a].sink : arcs[a].source;
          if (is_reached[other]) continue;
          is_reached[other] = true;
          hang(other, k, arcs[a].flow);
          reached.push_back(other);
        }
      }
    };
    for (index i = 0; i < n; ++i) {
      if (is_reached[i]) continue;
      if (i > 0) hang(i, sink(cheapest(i).second), 0);
      grow(i);
    }
    // Rounding may leave sinks that no source has mass for.
    for (std::size_t j = 0; j < m; ++j) {
      if (is_reached[sink(j)]) continue;
      index best = 0;
      for (index i = 1; i < n; ++i)
        if (m_problem.costs(i)[j] - u(i) < m_problem.costs(best)[j] - u(best)) best = i;
      hang(sink(j), best, m_problem.demand[j]);
    }
  }

  /// Makes `child`, which has no parent, a child of `parent`, with the potential that a tree arc determines.
  void hang(index child, index parent, double flow) noexcept {
    m_tree[child].flow = flow;
    m_tree.link(child, parent);
    set_potential(child);
  }
  void set_potential(index k) noexcept {
    const index p = m_tree[k].parent;
    if (is_source(k)) m_tree[k].potential = m_problem.costs(k)[p - m_problem.n] - m_v[p - m_problem.n];
    else m_v[k - m_problem.n] = m_problem.costs(p)[k - m_problem.n] - m_tree[p].potential;
  }
  void refresh_potentials() {
    m_tree.for_each_below(0, [&](index k) {
      if (m_tree[k].parent != none) set_potential(k);
    });
  }

  /// Pivots until no arc would lower the cost. Returns whether there was a pivot. Sources are priced in turn, some at a
  /// time, and the arc of theirs with the least reduced cost enters.
  bool improve() {
    const std::size_t n = m_problem.n;
    const std::size_t block = std::min(n, sources_at_once);
    // Far more than are needed: if drifted potentials mislead the pivots, they are computed anew.
    const std::size_t most_pivots = 1000 * m_tree.size();
    std::size_t at = 0, pivots = 0;
    for (std::size_t clean = 0; clean < n && pivots < most_pivots;) {
      double best = -m_tolerance;
      std::size_t from = n;
      for (std::size_t b = 0; b < block; ++b) {
        const double reduced = least(at) - u(at);
        if (reduced < best) {
          best = reduced;
          from = at;
        }
        if (++at == n) at = 0;
      }
      if (from == n) {
        clean += block;
        continue;
      }
      clean = 0;
      ++pivots;
      const auto [cost, to] = cheapest(from);
      pivot(static_cast<index>(from), sink(to), cost - u(from));
    }
    return pivots > 0;
  }

  /// Lets the arc from source i to sink j enter the tree.
  void pivot(index i, index j, double reduced) {
    // The cycle goes from its top down to i, along the new arc, and from j up. The arcs of sources on the way down and
    // of sinks on the way up lose flow. Of those that reach zero first the last one on the cycle leaves, which keeps
    // the tree strongly feasible.
    double i_step = infinity, j_step = infinity;
    index i_leaving = none, j_leaving = none;
    index a = i, b = j;
    while (a != b) {
      const bool a_up = m_tree[a].depth >= m_tree[b].depth, b_up = m_tree[b].depth >= m_tree[a].depth;
      if (a_up) {
        if (is_source(a) && m_tree[a].flow < i_step) {
          i_step = m_tree[a].flow;
          i_leaving = a;
        }
        a = m_tree[a].parent;
      }
      if (b_up) {
        if (!is_source(b) && m_tree[b].flow <= j_step) {
          j_step = m_tree[b].flow;
          j_leaving = b;
        }
        b = m_tree[b].parent;
      }
    }
    const index top = a;
    const double step = std::min(i_step, j_step);
    for (index k = i; k != top; k = m_tree[k].parent) m_tree[k].flow += is_source(k) ? -step : step;
    for (index k = j; k != top; k = m_tree[k].parent) m_tree[k].flow += is_source(k) ? step : -step;

    // The subtree below the leaving arc is attached to the new arc, with the path between the two reversed.
    const bool is_side_j = j_step <= i_step;
    const index cut = is_side_j ? j : i, leaving = is_side_j ? j_leaving : i_leaving;
    index child = cut, parent = is_side_j ? i : j;
    for (double flow = step;;) {
      const index old_parent = m_tree[child].parent;
      const double old_flow = m_tree[child].flow;
      m_tree.unlink(child);
      m_tree.link(child, parent);
      m_tree[child].flow = flow;
      if (child == leaving) break;
      parent = child;
      child = old_parent;
      flow = old_flow;
    }
    const double change = is_side_j ? -reduced : reduced;
    m_tree.for_each_below(cut, [&](index k) {
      m_tree[k].depth = m_tree[m_tree[k].parent].depth + 1;
      if (is_source(k)) m_tree[k].potential += change;
      else m_v[k - m_problem.n] -= change;
    });
  }

  const transport_problem& m_problem;
  transport_tree m_tree;
  aligned_vector<double> m_v;
  double m_tolerance = 0;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
