#include <annulus/lsh/families/p_stable.hpp>

#include "io/index_damage.hpp"
#include "io/index_samples.hpp"
#include "lsh/indexes.hpp"

using namespace annulus;
using lsh_tests::clusters;
using lsh_tests::same;
using lsh_tests::same_bits;

namespace {

using index_type = lsh_index<matrix<float>, p_stable_l2>;
constexpr std::size_t n = 60, d = 6;

const matrix<float>& rows() {
  static const auto made = clusters<float>(n + 20, d, 5, 1);
  return made;
}
matrix<float> queries() { return clusters<float>(12, d, 5, 2); }

/// With rows that were added since the tables were sorted, and erased ones.
index_type changed(bool only_index = false) {
  index_type index(lsh_tests::rows_between(rows(), 0, n), {.width = 6},
                   {.n_projections = 3, .n_tables = 2, .seed = 7, .only_index = only_index});
  index.insert(lsh_tests::rows_between(rows(), n, n + 5));
  index.erase(3);
  index.erase(n + 1);
  if (!only_index) index.update(9, lsh_tests::rows_between(rows(), n + 6, n + 7));
  return index;
}
const lsh_search_params wide{.n_probes = 30}, sure{.recall_target = 0.9};

bool same_answers(const index_type& a, const index_type& b) {
  return same_bits(a.search(queries(), 5, wide), b.search(queries(), 5, wide)) &&
         same_bits(a.search(queries(), 5, sure), b.search(queries(), 5, sure)) &&
         same(a.candidates(queries()), b.candidates(queries()));
}

/// Whatever an index can be asked.
const auto use = [](const index_type& index) {
  index.search(queries(), 5, wide);
  index.search(queries(), 70, sure);
  index.search(queries(), 3, {.filter = [](id_type id) { return id % 2 == 0; }});
  index.radius_search(queries(), 4, wide);
  index.radius_search(queries(), 4, {.recall_target = 1});
  index.candidates(queries(), wide);
  index.describe();
};

struct saved_index {
  scratch_folder folder;
  std::filesystem::path path = folder / "index";
  explicit saved_index(const index_type& index = changed()) { save(index, path); }
  edited_index edit() const { return edited_index(path); }
};

}  // namespace

TEST_CASE("an lsh_index that is loaded or mapped answers as the one that was saved did", "[index_file]") {
  const auto index = changed();
  const saved_index saved(index);
  const auto loaded = load_index<index_type>(saved.path);
  const auto mapped = map_index<index_type>(saved.path);
  CHECK(same_answers(loaded, index));
  CHECK(same_answers(mapped, index));
  CHECK(loaded.size() == n + 3);
  CHECK(loaded.family().width == 6);
  CHECK(loaded.params().seed == 7);
  CHECK(mapped.describe().n_buckets == index.describe().n_buckets);
  CHECK_NOTHROW(verify(mapped));
  CHECK_NOTHROW(verify_index_file(saved.path));
}

TEST_CASE("an lsh_index goes on from a file as it would have without", "[index_file]") {
  const saved_index saved;
  auto index = changed(), loaded = load_index<index_type>(saved.path), mapped = map_index<index_type>(saved.path);
  for (index_type* i : {&index, &loaded, &mapped}) {
    CHECK(i->insert(lsh_tests::rows_between(rows(), n + 7, n + 20)) == n + 5);
    i->erase(0);
    i->update(n + 8, lsh_tests::rows_between(rows(), 0, 1));
  }
  CHECK(same_answers(loaded, index));
  CHECK(same_answers(mapped, index));
  for (index_type* i : {&index, &loaded, &mapped}) i->compact();
  CHECK(same_answers(loaded, index));
  CHECK(same_answers(mapped, index));
  CHECK(same_answers(load_index<index_type>(saved.path), changed()));  // the file is as it was
}

TEST_CASE("an lsh_index without its rows has its candidates after loading", "[index_file]") {
  const auto index = changed(true);
  const saved_index saved(index);
  const auto loaded = load_index<index_type>(saved.path);
  CHECK(same(loaded.candidates(queries(), wide), index.candidates(queries(), wide)));
  CHECK_THROWS_AS(loaded.search(queries(), 1), std::invalid_argument);
}

TEST_CASE("an lsh_index without any rows is saved, loaded and filled", "[index_file]") {
  const index_type empty(d, {.width = 6}, {.n_projections = 3, .n_tables = 2});
  const saved_index saved(empty);
  auto loaded = load_index<index_type>(saved.path);
  CHECK(loaded.size() == 0);
  CHECK(loaded.search(queries(), 1).ids(0, 0) == no_id);
  loaded.insert(rows());
  CHECK(same_answers(loaded, index_type(rows(), {.width = 6}, {.n_projections = 3, .n_tables = 2})));
}

TEST_CASE("the file of an lsh_index says what it is", "[index_file]") {
  const saved_index saved;
  const auto info = read_index_info(saved.path);
  CHECK(info.kind == "lsh_index");
  CHECK(info.format_version == index_format_version);
  CHECK(info.metadata.at("family") == "p_stable_l2");
  CHECK(info.metadata.at("family.width") == "6");
  CHECK(info.metadata.at("points") == "rows of float32");
  CHECK(info.tensors.at("rows.values").dtype == "F32");
  for (const auto& [name, tensor] : info.tensors) CHECK((name.starts_with("_pad") || tensor.begin % 64 == 0));
}

TEST_CASE("an lsh_index of another family or other rows is refused by name", "[index_file]") {
  const saved_index saved;
  const auto complaint = [&](const std::string& key, const std::string& value) {
    auto edit = saved.edit();
    edit.set(key, value);
    edit.save(saved.path);
    return complaint_of_load<index_type>(saved.path);
  };
  SECTION("family") {
    CHECK(complaint("family", "p_stable_l1") == "family is p_stable_l1, not the p_stable_l2 asked for");
  }
  SECTION("rows") {
    CHECK(complaint("points", "rows of float64") == "points is rows of float64, not the rows of float32 asked for");
  }
  SECTION("kind") { CHECK(complaint("kind", "neighbors") == "this is a neighbors, not the lsh_index asked for"); }
  SECTION("version") {
    const auto newer = std::to_string(index_format_version + 1);
    CHECK_THAT(complaint("format_version", newer), ContainsSubstring("is newer than version "));
  }
  SECTION("width") { CHECK_THAT(complaint("family.width", "-1"), ContainsSubstring("width = -1: must be")); }
  SECTION("size") { CHECK_THAT(complaint("size", "61"), ContainsSubstring("size: 63 rows are alive")); }
  SECTION("too many alive") { CHECK_THAT(complaint("size", "67"), ContainsSubstring("more rows than ids")); }
  SECTION("rows without end") {
    CHECK_THAT(complaint("tables.sorted.count", "4294967295"), ContainsSubstring("has 2^32 - 1 rows or more"));
  }
  SECTION("fewer heads than rows") {
    CHECK_THAT(complaint("tables.added.heads_per_table", "4"), ContainsSubstring("has not a power of two of heads"));
  }
  SECTION("heads of which bits choose none") {
    CHECK_THAT(complaint("tables.added.heads_per_table", "63"), ContainsSubstring("has not a power of two of heads"));
  }
  SECTION("functions without end") {
    CHECK_THAT(complaint("params.n_projections", "4000000000"), ContainsSubstring("too many functions"));
  }
}

TEST_CASE("an lsh_index is refused where its seed draws other functions, but not for a last bit", "[index_file]") {
  const saved_index saved;
  auto edit = saved.edit();
  double first = 0;
  REQUIRE(detail::parse_number(std::string_view(edit.metadata().at("functions.0")), first));
  edit.set("functions.0", detail::to_text(first * (1 + 1e-6)));
  edit.save(saved.path);
  CHECK(complaint_of_load<index_type>(saved.path).empty());
  edit.set("functions.0", detail::to_text(first + 0.01));
  edit.save(saved.path);
  CHECK_THAT(complaint_of_load<index_type>(saved.path), ContainsSubstring("its seed draws other hash functions"));
  edit.set("functions.0", detail::to_text(first));
  edit.set("params.seed", "8");
  edit.save(saved.path);
  CHECK_THAT(complaint_of_load<index_type>(saved.path), ContainsSubstring("its seed draws other hash functions"));
}

TEST_CASE("each array of an lsh_index is looked over", "[index_file]") {
  const saved_index saved;
  auto edit = saved.edit();
  const auto complaint = [&] {
    edit.save(saved.path);
    return complaint_of_load<index_type>(saved.path);
  };
  constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
  SECTION("rows") {
    edit.values<float>("rows.values")[8 * 5 + 2] = not_a_number;
    CHECK(complaint() == "rows: row 5 has a NaN or an infinity");
  }
  SECTION("slots that do not ascend") {
    edit.values<std::uint32_t>("tables.sorted.slots")[3] = 0;
    CHECK(complaint() == "tables: sorted: table 0: slot 2 ends before it begins");
  }
  SECTION("slots that do not begin at the front") {
    edit.values<std::uint32_t>("tables.sorted.slots")[8] = 1;
    CHECK(complaint() == "tables: sorted: table 1: slot 0 does not begin at 0");
  }
  SECTION("entries of no row") {
    edit.values<std::uint8_t>("tables.sorted.entries")[0] = 63;
    CHECK_THAT(complaint(),
               ContainsSubstring("tables: sorted: table 0: entry 0 is out of order, or its row is repeated"));
  }
  SECTION("entries of one row") {
    for (std::size_t i = 0; i < 5; ++i)
      edit.values<std::uint8_t>("tables.sorted.entries")[5 + i] = edit.values<std::uint8_t>("tables.sorted.entries")[i];
    CHECK_THAT(complaint(), ContainsSubstring("entry 1 is out of order, or its row is repeated or beyond the table"));
  }
  SECTION("buckets") {
    edit.values<std::uint64_t>("tables.added.buckets")[1] = ~std::uint64_t{0};
    CHECK_THAT(complaint(), ContainsSubstring("tables: added: bucket"));
  }
  SECTION("heads") {
    edit.values<id_type>("tables.added.heads")[5] = edit.values<id_type>("tables.added.heads")[5] ^ 1u;
    CHECK_THAT(complaint(), ContainsSubstring("tables: added: heads are not"));
  }
  SECTION("chains") {
    edit.values<id_type>("tables.added.next")[3] = 1;
    CHECK_THAT(complaint(), ContainsSubstring("tables: added: next are not"));
  }
  SECTION("ids") {
    edit.values<id_type>("ids")[4] = 5;
    CHECK(complaint() == "ids: row 4 is not that of its id");
  }
  SECTION("ids beyond the last") {
    edit.values<id_type>("ids")[4] = 1000;
    CHECK(complaint() == "ids: row 4 is not that of its id");
  }
  SECTION("rows of ids") {
    edit.values<id_type>("rows_of_ids")[3] = 4;  // which is erased
    CHECK_THAT(complaint(), ContainsSubstring("rows_of_ids: 64 ids have rows, of 63"));
  }
}

TEST_CASE("a truncated lsh_index is refused at every byte", "[index_file]") {
  CHECK(refuses_truncation(index_type(lsh_tests::rows_between(rows(), 0, 9), {}, {.n_projections = 2, .n_tables = 1}),
                           use));
}

TEST_CASE("a flipped bit of an lsh_index is noticed wherever it is", "[index_file]") {
  CHECK(refuses_flips(changed(), [](const index_type& index) { index.search(queries(), 2); }));
}

TEST_CASE("searches stay within an lsh_index whatever its arrays contain", "[index_file]") {
  use_corrupted(changed(), 300, use);
}

TEST_CASE("chains of buckets that lead in a circle end", "[index_file]") {
  const saved_index saved;
  auto edit = saved.edit();
  for (std::size_t i = 0; i < edit.values<id_type>("tables.added.next").size(); ++i)
    edit.values<id_type>("tables.added.next")[i] = 2;
  for (std::size_t i = 0; i < edit.values<id_type>("tables.added.heads").size(); ++i)
    edit.values<id_type>("tables.added.heads")[i] = 2;
  edit.save(saved.path);
  use(map_index<index_type>(saved.path));
  CHECK_THROWS_AS(verify(map_index<index_type>(saved.path)), format_error);
}

TEST_CASE("an lsh_index of format version 1 is read", "[index_file]") {
  const auto query = sample_rows(1, 6, 2);
  for (const auto& index :
       {load_index<index_type>(sample_file("lsh_index")), map_index<index_type>(sample_file("lsh_index"))}) {
    CHECK(index.size() == 61);
    const auto found = index.search(query, 4, {.n_probes = 40});
    CHECK(std::ranges::equal(found.ids.row(0), std::vector<id_type>{45, 46, 63, 26}));
    CHECK(found.distances(0, 3) == Approx(4.9180789));
    const auto candidates = index.candidates(query).front().ids;
    CHECK(candidates.size() == 19);
    CHECK(std::ranges::count(candidates, 63u) == 1);
    CHECK(std::ranges::count(candidates, 11u) == 0);
  }
}
