#pragma once

/// \file
/// Goals of covering walks beside the k nearest rows: the surroundings of a new row, and all rows within a radius.

#include <annulus/nndescent/index/covering_walk.hpp>
#include <annulus/nndescent/index/vertex_names.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The nearest live vertices, and beside them the nearest erased ones.
template <class Rank>
struct surroundings : nearest_goal<Rank> {
  surroundings(nearest_goal<Rank> goal, const vertex_names& of, search_pool<Rank>& others)
      : nearest_goal<Rank>(goal), names(&of), erased(&others) {}
  void take(id_type id, Rank rank) {
    if (names->is_live(id)) nearest_goal<Rank>::take(id, rank);
    else erased->insert(rank, id);
  }
  bool has_use_for(Rank) const noexcept { return true; }
  const vertex_names* names;
  search_pool<Rank>* erased;
};

/// Rows of which within(rank, id) is true, collected in a list.
template <class Rank, class IsWithin>
struct radius_goal {
  std::vector<candidate<Rank>>& found;
  IsWithin within;
  id_type any;  ///< stands for rows that only a rank is known of

  void take(id_type id, Rank rank) {
    if (within(rank, id)) found.push_back({rank, id});
  }
  bool has_use_for(Rank) const noexcept { return true; }
  bool is_within(Rank rank) const { return within(rank, any); }
  std::size_t least() const noexcept { return 0; }
  double bound() const noexcept { return std::numeric_limits<double>::infinity(); }
  double progress() const noexcept { return static_cast<double>(found.size()); }
  double share_within(Rank) const noexcept { return 1; }
};
template <class Rank, class IsWithin>
radius_goal(std::vector<candidate<Rank>>&, IsWithin, id_type) -> radius_goal<Rank, IsWithin>;

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
