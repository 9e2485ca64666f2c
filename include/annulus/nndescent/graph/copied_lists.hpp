#pragma once

/// \file
/// The lists of neighbours of all rows, equal ones included, from the lists of the distinct rows.

#include <annulus/core/base/parallel.hpp>
#include <annulus/core/result/neighbors.hpp>
#include <annulus/core/select/candidate.hpp>

#include <cmath>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// A row of neighbours for each of `ids`, which ascend: rows that are equal are neighbours of each other, and each
/// takes the place of its vertex in the lists of others. Whatever a file says, nothing outside is read or written: ids
/// that are not among `ids` have no row, and NaNs are left out. ids_at(v) are the ids of vertex v; list_of(v, worker,
/// list) fills in its list of other vertices, nearest first, and returns the distance of a row from one that is equal
/// to it. With `include_self` each row comes first in its own list.
template <class IdsAt, class ListOf>
neighbors lists_with_copies(std::span<const id_type> ids, std::size_t n_vertices, std::size_t width, bool include_self,
                            const thread_team& team, IdsAt ids_at, ListOf list_of) {
  neighbors result(ids.size(), width);
  const auto row_of = [&](id_type id) {
    return id < ids.size() && ids[id] == id ? id
                                            : static_cast<std::size_t>(std::ranges::lower_bound(ids, id) - ids.begin());
  };
  parallel_for(team, n_vertices, 256, [&](std::size_t begin, std::size_t end, std::size_t worker) {
    std::vector<candidate<float>> list, all;
    for (std::size_t v = begin; v < end; ++v) {
      const std::span<const id_type> own = ids_at(static_cast<id_type>(v));
      if (own.empty()) continue;
      const float from_equal = list_of(static_cast<id_type>(v), worker, list);
      all.clear();
      const auto add_first = [&](std::span<const id_type> copies, float distance) {
        for (const id_type id : copies.first(std::min(copies.size(), width + 1))) all.push_back({distance, id});
      };
      if (own.size() > 1) add_first(own, from_equal);
      const float least = all.empty() ? -std::numeric_limits<float>::infinity() : from_equal;
      for (const auto& c : list) {  // equal rows are not always the nearest ones: not by inner products
        if (all.size() > width && std::max(least, all[width].rank) < c.rank) break;
        add_first(ids_at(c.id), c.rank);
      }
      std::erase_if(all, [](const candidate<float>& c) { return is_nan(c.rank); });
      std::sort(all.begin(), all.end());
      for (const id_type id : own) {
        const std::size_t row = row_of(id);
        if (row == ids.size()) continue;
        std::size_t kept = 0;
        const auto put = [&](candidate<float> c) {
          result.ids(row, kept) = c.id;
          result.distances(row, kept++) = c.rank;
        };
        if (include_self && width > 0) put({from_equal, id});
        for (std::size_t j = 0; j < all.size() && kept < width; ++j)
          if (all[j].id != id) put(all[j]);
      }
    }
  });
  return result;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
