#pragma once

// The indexes that tests of files of nndescent_index share, and what they check for each storage.

#include <map>

#include "io/index_damage.hpp"
#include "io/index_nndescent.hpp"
#include "io/index_samples.hpp"
#include "message_of.hpp"

namespace nndescent_files {

using namespace annulus;
using indexes::clustered;
using indexes::rows_between;

using rows_type = matrix<float>;
using plain_index = nndescent_index<rows_type>;
constexpr std::size_t n = 400, d = 8;
constexpr float radius = 2;

inline const indexes::split<float>& data() {
  static const auto made = clustered<float>(n, d, 30, 10);
  return made;
}
inline const nndescent_params params{.n_neighbors = 8, .alpha = 1.2, .seed = 5};

/// An index in whose state everything is that a file can have: rows that were erased and moved, copies of rows, and
/// rows that were inserted since the last consolidation.
template <class Index>
Index changed(Index index) {
  saved::change(index, rows_between(data().queries, 0, 20), rows_between(data().queries, 20, 21));
  index.consolidate();
  index.insert(rows_between(data().queries, 10, 29));
  index.erase(index.insert(rows_between(data().queries, 10, 11)));
  return index;
}
inline const plain_index& plain() {
  static const plain_index index = changed(plain_index(data().rows, {}, params));
  return index;
}
bool returns(const auto& index, bool changes = true) {
  return saved::returns(index, data().queries, rows_between(data().queries, 3, 4), radius, changes);
}

/// What load_index says of the file of an index whose tensor `name` edit(values) has changed.
template <class T, class Index>
std::string complaint_of(const Index& index, const std::string& name, auto edit) {
  const scratch_folder folder;
  save(index, folder / "index");
  edited_index file(folder / "index");
  edit(file.values<T>(name));
  file.save(folder / "index");
  const std::string complaint = message_of<format_error>([&] { load_index<Index>(folder / "index"); });
  const Index mapped = map_index<Index>(folder / "index");
  CHECK_THROWS_AS(verify(mapped), format_error);
  return complaint;
}

/// What load_index<Wanted> says of the file of `index`.
template <class Wanted, class Index>
std::string refusal_of(const Index& index) {
  const scratch_folder folder;
  save(index, folder / "index");
  return message_of<format_error>([&] { load_index<Wanted>(folder / "index"); });
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// What a file says of the index in it.
template <class Index>
void check_info(const Index& index, const std::string& storage) {
  const scratch_folder folder;
  save(index, folder / "index");
  const auto info = read_index_info(folder / "index");
  CHECK(info.kind == "nndescent_index");
  CHECK(info.metadata.at("points") == "rows of float32");
  CHECK(info.metadata.at("metric") == "euclidean");
  CHECK(info.metadata.at("storage") == storage);
  CHECK(info.metadata.at("dim") == "8");
  CHECK(info.metadata.at("n_neighbors") == "8");
  CHECK(info.metadata.at("alpha") == "1.2");
  CHECK(info.metadata.at("n_rows") == std::to_string(index.size()));
  const auto ids = info.tensors.at("graph.neighbors.ids"), distances = info.tensors.at("graph.neighbors.distances");
  CHECK(ids.dtype == "U32");
  CHECK(distances.dtype == "F32");
  CHECK(ids.shape == std::vector<std::uint64_t>{std::stoull(info.metadata.at("n_vertices")), 8});
  CHECK(distances.shape == ids.shape);
}

/// Searches an index whose header had any of its numbers changed; how many ids are found that there are not.
template <class Index>
std::size_t search_misnumbered(const Index& index) {
  const scratch_folder folder;
  const auto few = rows_between(data().queries, 0, 4);
  std::size_t wrong = 0;
  save(index, folder / "index");
  const edited_index file(folder / "index");
  for (const auto& [key, text] : file.metadata()) {
    std::uint64_t value = 0;
    if (!detail::parse_number(text, value) || key == "format_version") continue;
    for (const std::uint64_t other : {std::uint64_t{0}, value - 1, value + 1, std::uint64_t{1} << 31,
                                      (std::uint64_t{1} << 48) - 1, ~std::uint64_t{0}}) {
      edited_index edited = file;
      edited.set(key, std::to_string(other));
      CAPTURE(key, other);
      wrong += saved::search_edited<Index>(edited, few, radius);
    }
  }
  return wrong;
}

template <class Index>
void check_version_1(const Index& index) {
  CHECK(index.size() == 42);
  const auto found = index.search(sample_rows(1, 6, 2), 4);
  CHECK(std::ranges::equal(found.ids.row(0), std::vector<id_type>{26, 39, 8, 30}));
  CHECK(found.distances(0, 0) == Approx(4.9180789));
  CHECK(found.distances(0, 3) == Approx(5.4543562));
  verify(index);
}

template <class Index>
void check_version_2(Index index) {
  verify(index);
  CHECK(index.size() == 60);
  CHECK(index.ids().back() == 63);
  const auto found = index.search(sample_rows(1, 6, 2), 6);
  CHECK(std::ranges::equal(found.ids.row(0), std::vector<id_type>{63, 26, 39, 8, 20, 30}));
  CHECK(found.distances(0, 0) == Approx(0x1.23f8fcp+2));
  CHECK(found.distances(0, 4) == found.distances(0, 5));  // a row and its copy
  index.erase(30);
  CHECK(index.search(sample_rows(1, 6, 2), 6).ids(0, 4) == 20);
  CHECK(index.insert(sample_rows(1, 6, 2)) == 64);
  CHECK(index.search(sample_rows(1, 6, 2), 1).ids(0, 0) == 64);
}

/// The rows of the samples that were changed, by id: of 60 the first ten were inserted again, every fourth was erased,
/// 5 and 6 were given others and 7 that of 9, one was inserted, and four were erased since the last consolidation.
inline std::map<id_type, std::vector<float>> changed_rows() {
  std::map<id_type, std::vector<float>> rows;
  const auto put = [&](id_type id, const matrix<float>& from, std::size_t i) {
    rows[id].assign(from.row(i).begin(), from.row(i).end());
  };
  for (id_type id = 0; id < 60; ++id) put(id, sample_rows(60, 6, 1), id);
  for (id_type id = 0; id < 10; ++id) put(60 + id, sample_rows(10, 6, 1), id);
  for (id_type id = 0; id < 70; id += 4) rows.erase(id);
  put(5, sample_rows(1, 6, 5), 0);
  put(6, sample_rows(1, 6, 6), 0);
  put(70, sample_rows(1, 6, 7), 0);
  put(7, sample_rows(60, 6, 1), 9);
  for (id_type id = 1; id < 40; id += 12) rows.erase(id);
  return rows;
}

/// Whether an index answers as one of these rows must, and keeps to them in its graph.
template <class Index>
void check_changed(Index index) {
  const auto rows = changed_rows();
  CHECK(index.size() == rows.size());
  verify(index);
  const auto ask = [&] {
    const auto found = index.search(sample_rows(2, 6, 2), 5, {.beam = 100});
    CHECK(std::ranges::equal(found.ids.row(0), std::vector<id_type>{45, 46, 6, 26, 39}));
    CHECK(std::ranges::equal(found.ids.row(1).first(4), std::vector<id_type>{45, 6, 39, 23}));  // 7, 9 and 69 are equal
    CHECK(found.distances(0, 0) == Approx(4.444097));
    CHECK(found.distances(1, 4) == Approx(4.9686518));
    const auto ids = index.ids();
    const neighbors graph = index.graph();
    REQUIRE(graph.ids.rows() == rows.size());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < ids.size(); ++i)
      for (std::size_t j = 0; j < 4; ++j) {
        const id_type id = graph.ids(i, j);
        wrong += !rows.contains(ids[i]) || !rows.contains(id) || id == ids[i];
        if (wrong == 0)
          wrong += std::abs(graph.distances(i, j) - euclidean{}(rows.at(ids[i]).data(), rows.at(id).data(), 6)) > 1e-5f;
      }
    CHECK(wrong == 0);
    const auto list_of = [&](id_type id) {
      return graph.ids.row(static_cast<std::size_t>(std::ranges::find(ids, id) - ids.begin()));
    };
    CHECK(std::ranges::equal(list_of(5), std::vector<id_type>{47, 7, 9, 69}));
    CHECK(std::ranges::equal(list_of(7), std::vector<id_type>{9, 69, 65, 47}));
  };
  ask();
  index.consolidate();
  ask();
  CHECK(index.insert(sample_rows(300, 6, 3)) == 71);  // so many that all is made anew
  for (id_type id = 71; id < 371; ++id) index.erase(id);
  ask();
  const scratch_folder folder;
  save(index, folder / "index");
  CHECK(load_index<Index>(folder / "index").graph() == saved::compact(index).graph());
}

/// Searches an index of version 1 whose file was damaged; how many ids are found that there are not.
template <class Index>
std::size_t search_damaged_sample(const std::string& name) {
  const auto few = sample_rows(3, 6, 2);
  CAPTURE(name);
  return saved::search_damaged_files<Index>(edited_index(sample_file(name)), few, radius, 200, 13);
}

}  // namespace nndescent_files
