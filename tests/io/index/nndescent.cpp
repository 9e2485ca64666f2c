#include "io/index_damage.hpp"
#include "io/index_nndescent.hpp"
#include "io/index_samples.hpp"
#include "message_of.hpp"

using namespace annulus;
using indexes::clustered;
using indexes::rows_between;

namespace {

using rows_type = matrix<float>;
using plain_index = nndescent_index<rows_type>;
using coded_index = nndescent_index<rows_type, euclidean, sq8>;
constexpr std::size_t n = 400, d = 8;
constexpr float radius = 2;

const indexes::split<float>& data() {
  static const auto made = clustered<float>(n, d, 30, 10);
  return made;
}
const nndescent_params params{.n_neighbors = 8, .alpha = 1.2, .seed = 5};

/// Indexes in whose state everything is that a file can have: rows that were erased and moved, copies of rows, and rows
/// that were inserted since the last consolidation.
template <class Index>
Index changed(Index index) {
  saved::change(index, rows_between(data().queries, 0, 20), rows_between(data().queries, 20, 21));
  index.consolidate();
  index.insert(rows_between(data().queries, 10, 29));
  index.erase(index.insert(rows_between(data().queries, 10, 11)));
  return index;
}
const plain_index& plain() {
  static const plain_index index = changed(plain_index(data().rows, {}, params));
  return index;
}
const coded_index& coded() {
  static const coded_index index = changed(coded_index(data().rows, {}, params, sq8{scalar_scales::per_dimension}));
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

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a loaded and a mapped index answer and change as the saved one, bit for bit", "[index_file]") {
  CHECK(returns(plain_index(data().rows, {}, params)));
  CHECK(returns(coded_index(data().rows, {}, params)));
  CHECK(
      returns(coded_index(data().rows, {}, {.n_neighbors = 8, .keep_rows = false}, sq8{scalar_scales::per_dimension})));
}

TEST_CASE("an index that was changed comes back as it is once consolidated", "[index_file]") {
  CHECK(returns(plain()));
  CHECK(returns(coded()));
  plain_index with_places = plain();
  for (id_type id = 40; id < 90; ++id) with_places.erase(id);
  CHECK(returns(with_places));
}

TEST_CASE("saving an index does not change it", "[index_file]") {
  plain_index index = plain();
  for (id_type id = 40; id < 90; ++id) index.erase(id);
  const plain_index before = index;
  const scratch_folder folder;
  save(index, folder / "index");
  CHECK(saved::same_answers(index, before, data().queries, radius));
  CHECK(load_index<plain_index>(folder / "index").size() == index.size());
}

TEST_CASE("an index whose rows were all erased comes back without any", "[index_file]") {
  plain_index index(rows_between(data().rows, 0, 50), {}, params);
  for (id_type id = 0; id < 50; ++id) index.erase(id);
  CHECK(returns(index, false));
  const scratch_folder folder;
  save(index, folder / "index");
  auto loaded = load_index<plain_index>(folder / "index");
  CHECK(loaded.insert(data().queries) == 50);
}

TEST_CASE("an index gives out ids until 2^32 - 2 were given out", "[index_file]") {
  const scratch_folder folder;
  save(plain_index(data().rows, {}, params), folder / "index");
  edited_index file(folder / "index");
  file.set("n_ids", "4294967291");
  file.save(folder / "index");
  for (auto index : {load_index<plain_index>(folder / "index"), map_index<plain_index>(folder / "index")}) {
    CHECK(index.insert(rows_between(data().queries, 0, 2)) == 4294967291u);
    CHECK(index.search(data().queries, 1).ids(1, 0) == 4294967292u);
    CHECK(index.graph().ids.rows() == n + 2);
    CHECK_THROWS_AS(index.radius_search(data().queries, radius), std::invalid_argument);
    CHECK_THROWS_AS(index.insert(rows_between(data().queries, 2, 4)), std::invalid_argument);
    CHECK(index.insert(rows_between(data().queries, 2, 3)) == 4294967293u);
    CHECK_THROWS_AS(index.insert(rows_between(data().queries, 3, 4)), std::invalid_argument);
    CHECK(index.search(data().queries, 1).ids(2, 0) == 4294967293u);
    const std::vector<id_type> ends{0, 4294967293u};
    CHECK(index.search(data().queries, 2, {.filter = id_filter::of(ends)}).ids(2, 0) == 4294967293u);
    index.erase(4294967293u);
    CHECK(index.search(data().queries, 1).ids(2, 0) < n);
    save(index, folder / "again");
    CHECK(load_index<plain_index>(folder / "again").ids().back() == 4294967292u);
  }
}

TEST_CASE("indexes of no row and of few rows come back", "[index_file]") {
  for (const std::size_t few : {0u, 1u, 2u, 5u}) {
    CAPTURE(few);
    CHECK(returns(plain_index(rows_between(data().rows, 0, few)), false));
    CHECK(returns(coded_index(rows_between(data().rows, 0, few)), false));
  }
  const scratch_folder folder;
  save(plain_index(matrix<float>(0, d)), folder / "index");
  auto grown = load_index<plain_index>(folder / "index");
  grown.insert(data().rows);
  plain_index expected(matrix<float>(0, d));
  expected.insert(data().rows);
  CHECK(saved::same_answers(grown, expected, data().queries, radius));
}

TEST_CASE("parameters that later inserts use come back", "[index_file]") {
  const nndescent_params unusual{.n_neighbors = 5,
                                 .pruning_degree_multiplier = 0.5,
                                 .diversify_prob = 0.7,
                                 .alpha = 2,
                                 .seed = std::numeric_limits<std::uint64_t>::max()};
  CHECK(returns(plain_index(data().rows, {}, unusual)));
}

TEST_CASE("a file says what is in it", "[index_file]") {
  const scratch_folder folder;
  save(coded(), folder / "index");
  const auto info = read_index_info(folder / "index");
  CHECK(info.kind == "nndescent_index");
  CHECK(info.metadata.at("points") == "rows of float32");
  CHECK(info.metadata.at("metric") == "euclidean");
  CHECK(info.metadata.at("storage") == "sq8");
  CHECK(info.metadata.at("dim") == "8");
  CHECK(info.metadata.at("n_neighbors") == "8");
  CHECK(info.metadata.at("alpha") == "1.2");
  CHECK(info.metadata.at("n_rows") == std::to_string(coded().size()));
  const auto ids = info.tensors.at("graph.neighbors.ids"), distances = info.tensors.at("graph.neighbors.distances");
  CHECK(ids.dtype == "U32");
  CHECK(distances.dtype == "F32");
  CHECK(ids.shape == std::vector<std::uint64_t>{std::stoull(info.metadata.at("n_vertices")), 8});
  CHECK(distances.shape == ids.shape);
}

TEST_CASE("another type or metric or storage than the file's is refused by name", "[index_file]") {
  CHECK(contains(refusal_of<nndescent_index<matrix<double>>>(plain()),
                 "points is rows of float32, not the rows of float64 asked for"));
  CHECK(contains(refusal_of<nndescent_index<matrix<float>, sqeuclidean>>(plain()),
                 "metric is euclidean, not the sqeuclidean asked for"));
  CHECK(contains(refusal_of<coded_index>(plain()), "storage is full_precision, not the sq8 asked for"));
  CHECK(contains(refusal_of<plain_index>(coded()), "storage is sq8, not the full_precision asked for"));
  CHECK(contains(refusal_of<plain_index>(plain().graph()), "this is a neighbors, not the nndescent_index asked for"));
}

TEST_CASE("what changes in a mapped index stays out of its file", "[index_file]") {
  const scratch_folder folder;
  save(plain(), folder / "index");
  const std::string before = bytes_of(folder / "index");
  auto mapped = map_index<plain_index>(folder / "index");
  saved::change(mapped, data().queries, rows_between(data().queries, 0, 1));
  CHECK(bytes_of(folder / "index") == before);
  verify_index_file(folder / "index");
  CHECK(
      saved::same_answers(load_index<plain_index>(folder / "index"), saved::compact(plain()), data().queries, radius));
}

TEST_CASE("a mapped index outlives its file and copies of it are their own", "[index_file]") {
  std::optional<plain_index> copied;
  {
    const scratch_folder folder;
    save(plain(), folder / "index");
    auto mapped = map_index<plain_index>(folder / "index");
    copied = mapped;
    saved::change(mapped, data().queries, rows_between(data().queries, 0, 1));
  }
  CHECK(saved::same_answers(*copied, saved::compact(plain()), data().queries, radius));
}

// ---- What the arrays contain ----------------------------------------------------------------------------------------

TEST_CASE("a wrong value in any array is found before the index is used", "[index_file]") {
  const auto set = [](std::size_t i, auto value) { return [=](auto values) { values[i] = value; }; };
  const auto swapped = [](std::size_t i, std::size_t j) {
    return [=](auto values) { std::swap(values[i], values[j]); };
  };
  constexpr float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const auto ids = [](const std::string& name, auto edit) { return complaint_of<std::uint32_t>(plain(), name, edit); };
  CHECK(contains(complaint_of<float>(plain(), "rows.values", set(9 * 8, nan)), "rows: values: row 9 "));
  CHECK(contains(complaint_of<float>(coded(), "rows.values", set(9 * 8, infinity)), "rows: values: row 9 "));
  CHECK(contains(complaint_of<float>(coded(), "compressed.terms", set(7, nan)), "compressed: terms: row 3 "));
  CHECK(contains(complaint_of<float>(coded(), "compressed.terms", set(6, -1.0f)), "compressed: terms: row 3 "));

  CHECK(contains(ids("graph.edges", set(0, 500u)), "graph: edges: row 0 leads to 500"));
  CHECK(contains(ids("graph.edges", set(0, no_id)), "graph: edges: row 0 "));
  CHECK(contains(ids("graph.neighbors.ids", set(0, 500u)), "graph.neighbors: ids: list 0 has 500"));
  CHECK(contains(complaint_of<float>(plain(), "graph.neighbors.distances", set(8, nan)),
                 "graph.neighbors: distances: list 1"));
  CHECK(contains(complaint_of<float>(plain(), "graph.neighbors.distances", swapped(0, 7)),
                 "graph.neighbors: distances: list 0"));
  CHECK(contains(ids("tree.nodes", set(2, 0u)), "tree: nodes: "));
  CHECK(contains(ids("tree.nodes", set(2, 100000u)), "tree: nodes: 0 has a hub that is no row, or a child"));
  CHECK(contains(ids("tree.nodes", set(0, 100000u)), "tree: nodes: 0 has a hub"));
  CHECK(contains(ids("tree.nodes", [](auto values) { values[6 + 2] = values[2]; }), "tree: nodes: "));
  CHECK(contains(ids("tree.nodes", [](auto values) { ++values[values.size() - 2]; }), "tree: nodes: "));  // its end
  CHECK(contains(ids("tree.nodes", [](auto values) { values.back() = 5000; }), "tree: nodes: "));
  CHECK(contains(ids("tree.rows", set(3, 5000u)), "tree: rows: 5000 is no row"));
  CHECK(contains(ids("tree.added", set(0, 5000u)), "tree: added: 0 is no row"));
  CHECK(contains(ids("tree.added", set(1, 5000u)), "tree: added: 0 is no row, or in no leaf"));
  CHECK(contains(ids("tree.added", set(3 + 2, 7u)), "tree: added: 1 is no row"));
  CHECK(contains(ids("first_ids", set(0, 5000u)), "first_ids: vertex 0 "));
  CHECK(contains(ids("first_ids", set(0, no_id)), "first_ids: vertex 0 "));
  CHECK(contains(ids("first_ids", swapped(0, 1)), "first_ids: vertex 0 "));
  CHECK(contains(ids("ids", set(0, 5000u)), "ids: place 0 holds 5000"));
  CHECK(contains(ids("ids", [](auto values) { values[1] = values[0]; }), "ids: place 1 holds 0"));
  CHECK(contains(ids("vertices", set(0, 5000u)), "vertices: id 0 is at no vertex"));
  CHECK(contains(ids("vertices", set(0, no_id)), "n_rows: "));
  CHECK(contains(ids("vertices", swapped(0, 2)), "first_ids: vertex "));
}

TEST_CASE("every number of the header that is wrong is refused or harmless", "[index_file]") {
  const scratch_folder folder;
  const auto few = rows_between(data().queries, 0, 4);
  std::size_t wrong = 0;
  const auto try_all = [&]<class Index>(const Index& index) {
    save(index, folder / "index");
    const edited_index file(folder / "index");
    for (const auto& [key, text] : file.metadata()) {
      std::uint64_t value = 0;
      if (!detail::parse_number(text, value) || key == "format_version") continue;
      for (const std::uint64_t other : {std::uint64_t{0}, value - 1, value + 1, std::uint64_t{1} << 31,
                                        (std::uint64_t{1} << 48) - 1, ~std::uint64_t{0}}) {
        edited_index edited = file;
        edited.set(key, std::to_string(other));
        edited.save(folder / "edited");
        CAPTURE(key, other);
        try {
          wrong += saved::search_all(load_unverified<Index>(folder / "edited"), few, radius);
        } catch (const format_error&) {
        }
      }
    }
  };
  try_all(plain());
  try_all(coded());
  try_all(plain_index(matrix<float>(0, d)));
  CHECK(wrong == 0);
}

TEST_CASE("counts and the root that contradict the arrays are refused", "[index_file]") {
  const scratch_folder folder;
  save(plain(), folder / "index");
  const auto complaint = [&](const std::string& key, std::uint64_t more) {
    edited_index file(folder / "index");
    file.set(key, std::to_string(std::stoull(file.metadata().at(key)) + more));
    file.save(folder / "edited");
    return message_or_nothing<format_error>([&] { load_index<plain_index>(folder / "edited"); });
  };
  for (const std::string key :
       {"n_rows", "n_vertices", "n_places", "rows.count", "graph.count", "graph.neighbors.count", "tree.count",
        "tree.n_rows", "tree.n_added", "dim", "rows.dim", "n_neighbors"}) {
    CAPTURE(key);
    CHECK(complaint(key, 1) != "nothing");
  }
  CHECK(complaint("n_ids", 0) == "nothing");
  CHECK(complaint("n_ids", 7) == "nothing");  // ids that were erased
  CHECK(contains(complaint("n_ids", -std::uint64_t{2}), "was not given out"));
  edited_index file(folder / "index");
  file.set("root", "5000");
  file.save(folder / "edited");
  CHECK(contains(message_of<format_error>([&] { load_index<plain_index>(folder / "edited"); }),
                 "root: 5000 is no vertex"));
}

TEST_CASE("no damage to the arrays takes a search outside of them", "[index_file]") {
  const auto few = rows_between(data().queries, 0, 4);
  CHECK(saved::search_damaged(plain_index(data().rows, {}, params), few, radius, 60) == 0);  // no row was ever erased
  CHECK(saved::search_damaged(plain(), few, radius, 150) == 0);
  CHECK(saved::search_damaged(coded(), few, radius, 150) == 0);
}

TEST_CASE("graph indexes of version 1 are read by every version") {
  const auto check = [](const auto& index) {
    CHECK(index.size() == 42);
    const auto found = index.search(sample_rows(1, 6, 2), 4);
    CHECK(std::ranges::equal(found.ids.row(0), std::vector<id_type>{26, 39, 8, 30}));
    CHECK(found.distances(0, 0) == Approx(4.9180789));
    CHECK(found.distances(0, 3) == Approx(5.4543562));
    verify(index);
  };
  check(load_index<plain_index>(sample_file("nndescent_index")));
  check(map_index<plain_index>(sample_file("nndescent_index")));
  check(load_index<coded_index>(sample_file("nndescent_index_sq8")));
  check(map_index<coded_index>(sample_file("nndescent_index_sq8")));
}

TEST_CASE("graph indexes of version 2, of rows with copies that were erased, inserted and updated, are read") {
  const auto check = [](auto index) {
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
  };
  check(load_index<plain_index>(sample_file("nndescent_index", 2)));
  check(map_index<plain_index>(sample_file("nndescent_index", 2)));
  check(load_index<coded_index>(sample_file("nndescent_index_sq8", 2)));
  check(map_index<coded_index>(sample_file("nndescent_index_sq8", 2)));
}

TEST_CASE("graph indexes of inner products of version 1 find old rows beside new ones, and are saved again") {
  using products = nndescent_index<rows_type, inner_product>;
  const auto rows = sample_rows(80, 4, 1), more = sample_rows(10, 4, 2), queries = sample_rows(20, 4, 3);
  auto all = matrix<float>(90, 4);
  std::copy_n(rows.data(), 320, all.data());
  std::copy_n(more.data(), 40, all.data() + 320);
  const scratch_folder folder;
  const auto check = [&](products index) {
    save(index, folder / "index");
    CHECK(load_index<products>(folder / "index").search(queries, 5) == index.search(queries, 5));
    CHECK(recall(index.search(queries, 5), knn(rows, queries, 5, inner_product{}), 5) == 1);
    index.insert(more);
    CHECK(recall(index.search(queries, 5), knn(all, queries, 5, inner_product{}), 5) == 1);
  };
  check(load_index<products>(sample_file("nndescent_index_inner_product")));
  check(map_index<products>(sample_file("nndescent_index_inner_product")));
}

TEST_CASE("an index of codes that took in no rows yet is loaded again") {
  coded_index index(matrix<float>(0, 6), {}, params, {});
  index.insert(matrix<float>());
  const scratch_folder folder;
  save(index, folder / "index");
  auto loaded = load_index<coded_index>(folder / "index");
  CHECK(loaded.dim() == 6);
  loaded.insert(sample_rows(30, 6, 1));
  CHECK(loaded.search(sample_rows(30, 6, 1), 1).ids(7, 0) == 7);
}

namespace {

/// The rows of the samples that were changed, by id: of 60 the first ten were inserted again, every fourth was erased,
/// 5 and 6 were given others and 7 that of 9, one was inserted, and four were erased since the last consolidation.
std::map<id_type, std::vector<float>> changed_rows() {
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

}  // namespace

TEST_CASE("graph indexes of version 1 with erased, moved and equal rows are read by every version") {
  check_changed(load_index<plain_index>(sample_file("nndescent_index_changed")));
  check_changed(map_index<plain_index>(sample_file("nndescent_index_changed")));
  check_changed(load_index<coded_index>(sample_file("nndescent_index_sq8_changed")));
  check_changed(map_index<coded_index>(sample_file("nndescent_index_sq8_changed")));
}

TEST_CASE("graph indexes of version 1 that are damaged are refused or searched within their arrays") {
  const auto few = sample_rows(3, 6, 2);
  const scratch_folder folder;
  const auto try_damaged = [&]<class Index>(std::type_identity<Index>, const std::string& name) {
    const edited_index file(sample_file(name));
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < 200; ++i) {
      edited_index damaged = file;
      saved::damage(damaged, counter_random(13, i));
      damaged.save(folder / "damaged");
      CAPTURE(name, i);
      try {
        wrong += saved::search_all(load_unverified<Index>(folder / "damaged"), few, radius);
      } catch (const format_error&) {
      }
    }
    CHECK(wrong == 0);
  };
  try_damaged(std::type_identity<plain_index>{}, "nndescent_index_changed");
  try_damaged(std::type_identity<coded_index>{}, "nndescent_index_sq8_changed");
}

TEST_CASE("a graph index is refused truncated at any byte or with a flipped bit") {
  const plain_index small(sample_rows(12, 3, 1), {}, {.n_neighbors = 3});
  const auto use = [](const plain_index& index) { static_cast<void>(index.search(sample_rows(2, 3, 2), 3)); };
  CHECK(refuses_truncation(small, use));
  CHECK(refuses_flips(small, use));
}
