#pragma once

/// \file
/// A row that is being inserted into a graph, and the search for its neighbours there.

#include <annulus/core/select/candidate.hpp>

#include <algorithm>
#include <span>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// A row that has its place in the graph and no edges yet.
struct arrival {
  id_type vertex = no_id;
  std::uint32_t leaf = 0;                     ///< of the tree
  std::vector<candidate<float>> found = {};   ///< vertices around it by the ranks of the walk, nearest first
  std::vector<candidate<float>> near = {};    ///< the same by exact distances
  std::vector<candidate<float>> erased = {};  ///< vertices of erased rows nearby, by the same ranks
};

/// Finds what is around a row that has its place as a.vertex, among those that come together with it as well. Where
/// codes cannot tell that, exact rows do.
template <class Walker, class Space, class Row, class Scratch>
void look_around(const Walker& walker, const Space& space, const Row& row, std::span<const id_type> together,
                 std::size_t beam, Scratch& s, arrival& a) {
  walker.prepare(row, s);
  auto& pool = walker.around(beam, s);
  std::vector<typename Walker::rank_type> ranks(together.size());
  walker.walk.ranks(s.walk.query, together, ranks.data());
  for (std::size_t j = 0; j < together.size(); ++j)
    if (together[j] != a.vertex) pool.insert(ranks[j], together[j]);
  if constexpr (Walker::is_compressed)
    if (walker.is_blurred(pool, s))
      return walker.with_exact([&](const auto& exact) { look_around(exact, space, row, together, beam, s.exact, a); });
  a.leaf = walker.leaf_of(s);
  const auto take = [&](const auto& entry, std::vector<candidate<float>>& list) {
    list.push_back({space.scaled(walker.telling_rank(entry, row, s)), entry.id()});
  };
  for (std::size_t j = 0; j < pool.size(); ++j) take(pool[j], a.found);
  std::sort(a.found.begin(), a.found.end());
  for (std::size_t j = 0; j < s.erased.size(); ++j) take(s.erased[j], a.erased);
  walker.exact_distances(pool, row, a.near);
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
