#pragma once

// What tests of the files of nndescent_index ask of an index and of what was made of its file.

#include <annulus/nndescent/half_precision.hpp>
#include <annulus/nndescent/index.hpp>

#include "io/index_edit.hpp"
#include "nndescent/indexes.hpp"

namespace saved {

using annulus::id_type;
using annulus::matrix;
using annulus::nndescent_search_params;

inline bool odd(id_type id) { return id % 2 == 1; }

/// Rows of mass, all above 0.
inline matrix<float> masses(std::size_t n, std::size_t d) {
  auto rows = graphs::clusters<float>(n, d, 10, d);
  for (std::size_t i = 0; i < n * d; ++i) rows.data()[i] = 0.1f + std::abs(rows.data()[i]);
  return rows;
}

/// Whether two indexes give the same answers, bit for bit.
template <class Index>
bool same_answers(const Index& a, const Index& b, const typename Index::view_type& queries, float radius) {
  bool all = a.size() == b.size() && a.dim() == b.dim() && a.graph() == b.graph() && a.ids() == b.ids();
  for (const nndescent_search_params& params :
       {nndescent_search_params{}, {.beam = 20}, {.filter = odd}, {.beam = 20, .by_estimates = true}})
    for (const std::size_t k : {std::size_t{10}, a.size() + 3})
      all &= a.search(queries, k, params) == b.search(queries, k, params);
  const auto ball = a.radius_search(queries, radius), other = b.radius_search(queries, radius);
  all &= ball.indptr == other.indptr && ball.indices == other.indices && ball.distances == other.distances;
  return all && ball.n_columns == other.n_columns;
}

/// Changes an index of at least 40 ids in all ways that there are; the last rows inserted are twice the same.
template <class Index>
void change(Index& index, const typename Index::view_type& rows, const typename Index::view_type& one_row) {
  const auto erase = [&](id_type id) {
    try {
      index.erase(id);
    } catch (const std::invalid_argument&) {  // it went before
    }
  };
  index.insert(rows);
  for (id_type id = 3; id < 40; id += 4) erase(id);
  index.update(5, one_row);
  index.consolidate();
  index.insert(one_row);
  index.insert(one_row);
  for (id_type id = 1; id < 40; id += 9) erase(id);
}

/// An index as a file has it: without the places of rows that were erased.
template <class Index>
Index compact(Index index) {
  index.consolidate();
  return index;
}

/// Whether an index as files have it and those that are loaded and mapped from its file answer alike, also once all
/// were changed alike, and whether what was loaded is saved to the same bytes. `args` are what load_index takes behind
/// the path.
template <class Index, class... Args>
bool returns(Index index, const typename Index::view_type& queries, const typename Index::view_type& one_row,
             float radius, bool changes, const Args&... args) {
  const scratch_folder folder;
  save(index, folder / "index");
  index.consolidate();
  Index loaded = annulus::load_index<Index>(folder / "index", args...);
  Index mapped = annulus::map_index<Index>(folder / "index", args...);
  const std::string bytes = bytes_of(folder / "index");
  verify(mapped);
  bool all = same_answers(index, loaded, queries, radius) && same_answers(index, mapped, queries, radius);
  save(loaded, folder / "again");
  all &= bytes_of(folder / "again") == bytes;
  if (!changes) return all;
  for (Index* const x : {&index, &loaded, &mapped}) change(*x, queries, one_row);
  all &= same_answers(index, loaded, queries, radius) && same_answers(index, mapped, queries, radius);
  return all && bytes_of(folder / "index") == bytes;
}

/// Searches in every way that there is, whatever is refused; how many ids are found that there are not.
template <class Index>
std::size_t search_all(const Index& index, const typename Index::view_type& queries, float radius) {
  const auto attempt = [](auto f) {
    try {
      f();
    } catch (const std::invalid_argument&) {
    }
  };
  std::size_t n_ids = annulus::no_id, wrong = 0;
  attempt([&] { n_ids = index.radius_search(queries, radius, {.threads = 1}).n_columns; });
  const auto lists = index.graph();
  for (const id_type id : std::span(lists.ids.data(), lists.ids.rows() * lists.ids.cols()))
    wrong += id != annulus::no_id && id >= n_ids;
  for (const nndescent_search_params& params : {nndescent_search_params{.threads = 1},
                                                {.beam = 30, .threads = 1},
                                                {.threads = 1, .filter = odd},
                                                {.beam = 30, .threads = 1, .by_estimates = true}})
    attempt([&] {
      const auto found = index.search(queries, 7, params);
      for (const id_type id : std::span(found.ids.data(), found.ids.rows() * 7))
        wrong += id != annulus::no_id && id >= n_ids;
    });
  attempt([&] { index.tune(0.5, {.n_queries = 5, .k = 3, .threads = 1}); });
  return wrong;
}

/// Overwrites some values of the arrays with others, most of them such as bounds are missed by.
inline void damage(edited_index& file, const annulus::counter_random& random) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : file.tensors())
    if (tensor.end > tensor.begin && !name.starts_with("_pad")) names.push_back(name);
  const auto bytes = file.bytes(names[random.below(0, names.size())]);
  const std::size_t width = std::min<std::size_t>(bytes.size(), 4), n = bytes.size() / width;
  const std::size_t n_edits = random.below(1, 4) == 0 ? n : 1 + random.below(2, 20);
  for (std::size_t i = 0; i < n_edits; ++i) {
    const auto draw = static_cast<std::uint32_t>(random.below(4 * i + 4, std::uint64_t{1} << 32));
    const std::uint32_t some[]{0,           1,           n < 500 ? 7u : 399u, 400, 0x7F800000u,
                               0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFFu,         draw};
    const std::uint32_t value = some[random.below(4 * i + 5, 9)];
    std::memcpy(bytes.data() + random.below(4 * i + 6, n) * width, &value, width);
  }
}

/// Searches the index of an edited file that is not looked over; how many ids are found that there are not. One that is
/// refused finds none: parameters, and a few numbers, are looked over at once.
template <class Index, class... Args>
std::size_t search_edited(edited_index& file, const typename Index::view_type& queries, float radius,
                          const Args&... args) {
  const scratch_folder folder;
  file.save(folder / "edited");
  try {
    return search_all(load_unverified<Index>(folder / "edited", args...), queries, radius);
  } catch (const annulus::format_error&) {
    return 0;
  }
}

/// The same for `n` files, each with damage of its own.
template <class Index, class... Args>
std::size_t search_damaged_files(const edited_index& file, const typename Index::view_type& queries, float radius,
                                 std::size_t n, std::uint64_t seed, const Args&... args) {
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < n; ++i) {
    edited_index damaged = file;
    damage(damaged, annulus::counter_random(seed, i));
    CAPTURE(i);
    wrong += search_edited<Index>(damaged, queries, radius, args...);
  }
  return wrong;
}

/// The same for the file that an index is saved in.
template <class Index, class... Args>
std::size_t search_damaged(const Index& index, const typename Index::view_type& queries, float radius, std::size_t n,
                           const Args&... args) {
  const scratch_folder folder;
  save(index, folder / "index");
  return search_damaged_files<Index>(edited_index(folder / "index"), queries, radius, n, 11, args...);
}

}  // namespace saved
