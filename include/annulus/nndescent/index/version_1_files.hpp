#pragma once

/// \file
/// Reads graph indexes from files of format version 1, which had a place for each row, and ids and lists by all ids
/// given out.

#include <annulus/nndescent/index/knn_lists.hpp>
#include <annulus/nndescent/index/vertex_names.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Names, and what their lists of neighbours take to be read: of each id whether it was given another row, after which
/// others' lists are out of date. Whatever the arrays hold, nothing outside of them is read.
struct names_of_version_1 {
  vertex_names names;
  buffer<std::uint8_t> moved;

  template <class Archive>
  explicit names_of_version_1(Archive& archive) {
    std::size_t n_rows = 0, n_ids = 0, n_slots = 0, n_free = 0, n_erased = 0;
    archive("n_rows", n_rows);
    archive("n_ids", n_ids);
    archive("n_slots", n_slots);
    archive("n_free", n_free);
    archive("n_erased", n_erased);
    constexpr std::size_t max = vertex_names::max_vertices;
    archive.expect(n_rows <= n_slots && n_slots <= max && n_ids <= max, "has more rows than slots, or too many");
    buffer<id_type> ids, slots, free;
    archive("ids", ids, {n_slots});
    archive("slots", slots, {n_ids});
    archive("moved", moved, {n_ids});
    archive("free_slots", free, {n_free});
    for (std::size_t id = 0; id < n_ids; ++id)
      archive.expect(slots[id] == no_id || (slots[id] < n_slots && ids[slots[id]] == id), "has an id in a wrong slot");
    names.resize(n_slots);
    for (std::size_t id = 0; id < n_ids; ++id) names.add_or_skip(slots[id]);
    archive.expect(names.size() == n_rows, "has another number of rows than it says");
    names.count_erased();
  }

  /// The lists by vertex. Those of, and with, rows that changed are left out, to be searched for again.
  template <class Archive>
  knn_lists lists(Archive& archive, std::size_t width) const {
    std::size_t count = 0;
    buffer<id_type> ids;
    buffer<float> distances;
    archive("count", count);
    archive.expect(count == moved.size(), "does not have a list of neighbours for each id");
    archive("ids", ids, {count, width});
    archive("distances", distances, {count, width});
    knn_lists result(width);
    result.resize(names.n_vertices());
    std::vector<candidate<float>> list;
    for (std::size_t id = 0; id < count; ++id) {
      const id_type vertex = names.vertex_of(static_cast<id_type>(id));
      if (vertex == no_id || moved[id] != 0) continue;
      list.clear();
      for (std::size_t j = 0; j < width; ++j) {
        const id_type other = ids[id * width + j];
        if (other < count && names.holds(other) && moved[other] == 0)
          list.push_back({distances[id * width + j], names.vertex_of(other)});
      }
      std::sort(list.begin(), list.end());
      result.assign(vertex, list);
    }
    return result;
  }
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
