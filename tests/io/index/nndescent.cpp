#include "io/nndescent_files.hpp"

// Files of indexes of rows; those of codes are in further/nndescent_codes.cpp.

using namespace annulus;
using namespace nndescent_files;

TEST_CASE("a loaded and a mapped index answer and change as the saved one, bit for bit", "[index_file]") {
  CHECK(returns(plain_index(data().rows, {}, params)));
}

TEST_CASE("an index that was changed comes back as it is once consolidated", "[index_file]") {
  CHECK(returns(plain()));
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

TEST_CASE("a file says what is in it", "[index_file]") { check_info(plain(), "full_precision"); }

TEST_CASE("another kind than the file's is refused by name", "[index_file]") {
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
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  const auto ids = [](const std::string& name, auto edit) { return complaint_of<std::uint32_t>(plain(), name, edit); };
  CHECK(contains(complaint_of<float>(plain(), "rows.values", set(9 * 8, nan)), "rows: values: row 9 "));

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
  CHECK(search_misnumbered(plain()) == 0);
  CHECK(search_misnumbered(plain_index(matrix<float>(0, d))) == 0);
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
}

TEST_CASE("graph indexes of version 1 are read by every version") {
  check_version_1(load_index<plain_index>(sample_file("nndescent_index")));
  check_version_1(map_index<plain_index>(sample_file("nndescent_index")));
}

TEST_CASE("graph indexes of version 2, of rows with copies that were erased, inserted and updated, are read") {
  check_version_2(load_index<plain_index>(sample_file("nndescent_index", 2)));
  check_version_2(map_index<plain_index>(sample_file("nndescent_index", 2)));
}

TEST_CASE("graph indexes of version 1 with erased, moved and equal rows are read by every version") {
  check_changed(load_index<plain_index>(sample_file("nndescent_index_changed")));
  check_changed(map_index<plain_index>(sample_file("nndescent_index_changed")));
}

TEST_CASE("graph indexes of version 1 that are damaged are refused or searched within their arrays") {
  CHECK(search_damaged_sample<plain_index>("nndescent_index_changed") == 0);
}

TEST_CASE("a graph index is refused truncated at any byte or with a flipped bit") {
  const plain_index small(sample_rows(12, 3, 1), {}, {.n_neighbors = 3});
  const auto use = [](const plain_index& index) { static_cast<void>(index.search(sample_rows(2, 3, 2), 3)); };
  CHECK(refuses_truncation(small, use));
  CHECK(refuses_flips(small, use));
}
