#pragma once

/// \file
/// A search graph without the vertices that are removed: edges lead around them.

#include <annulus/nndescent/index/graph_edit.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The graph with no edges to or from vertices that `is_gone` holds for: their neighbours take their place. Where too
/// few of those are left, around(vertex, worker, ids) adds what a search finds. O(n), and what mending takes.
template <class Walk, class IsGone, class Around>
search_edges mended_graph(const search_edges& graph, const walk_space<Walk>& space, const diversify_rule& rule,
                          std::size_t threads, IsGone is_gone, Around around) {
  search_edges mended = graph;
  const std::size_t few = rule.degree / 4;
  std::vector<edge_chooser<Walk>> choosers(resolve_threads(threads), {space, rule});
  parallel_for(threads, graph.size(), 64, [&](std::size_t begin, std::size_t end, std::size_t worker) {
    std::vector<id_type> ids;
    for (auto v = static_cast<id_type>(begin); v < end; ++v) {
      if (is_gone(v)) {
        mended.assign(v, {});
        continue;
      }
      if (!choosers[worker].mend(graph, v, is_gone, ids)) continue;
      if (ids.size() < few) {
        around(v, worker, ids);
        choosers[worker].choose(v, ids);
      }
      mended.assign(v, ids);
    }
  });
  return mended;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
