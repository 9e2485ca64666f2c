#pragma once

/// \file
/// The transportation problem, and the spanning tree of sources and sinks that its solver improves.

#include <annulus/core/base/allocator.hpp>

#include <cstdint>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Mass at n sources and m sinks, all positive and of the same sum but for rounding, and the cost of a unit from each
/// source to each sink: rows of `stride` elements, whole vectors.
struct transport_problem {
  std::size_t n = 0, m = 0, stride = 0;
  aligned_vector<double> supply, demand, cost;

  const double* costs(std::size_t i) const noexcept { return cost.data() + i * stride; }
};

/// A rooted tree over numbered nodes, which are not connected at first.
class transport_tree {
 public:
  using index = std::uint32_t;
  static constexpr index none = ~index{0};

  /// A node, with the arc to its parent. Arcs lead from sources to sinks.
  struct node {
    index parent = none, first_child = none, next = none, previous = none, depth = 0;
    double flow = 0;
    double potential = 0;  ///< of a source; the solver keeps those of sinks in one array
  };

  explicit transport_tree(std::size_t n_nodes) : m_nodes(n_nodes) {}

  std::size_t size() const noexcept { return m_nodes.size(); }
  node& operator[](std::size_t k) noexcept { return m_nodes[k]; }
  const node& operator[](std::size_t k) const noexcept { return m_nodes[k]; }

  /// Makes a node without a parent the first child of `parent`. Does not update the depths below it.
  void link(index child, index parent) noexcept {
    node& c = m_nodes[child];
    node& p = m_nodes[parent];
    c.parent = parent;
    c.depth = p.depth + 1;
    c.previous = none;
    c.next = p.first_child;
    if (c.next != none) m_nodes[c.next].previous = child;
    p.first_child = child;
  }
  /// Removes a node from its parent's children; the node still has its parent's number.
  void unlink(index child) noexcept {
    const node& c = m_nodes[child];
    if (c.previous == none) m_nodes[c.parent].first_child = c.next;
    else m_nodes[c.previous].next = c.next;
    if (c.next != none) m_nodes[c.next].previous = c.previous;
  }
  /// f(k) for the nodes of the subtree of `top`, parents first.
  template <class F>
  void for_each_below(index top, F f) {
    for (index k = top;;) {
      f(k);
      if (m_nodes[k].first_child != none) {
        k = m_nodes[k].first_child;
        continue;
      }
      while (k != top && m_nodes[k].next == none) k = m_nodes[k].parent;
      if (k == top) return;
      k = m_nodes[k].next;
    }
  }

 private:
  std::vector<node> m_nodes;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
