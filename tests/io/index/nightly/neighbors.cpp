#include <annulus/knn/flat_index.hpp>
#include <annulus/metrics/bits.hpp>

#include "io/foreign_files.hpp"
#include "io/index_damage.hpp"
#include "io/index_samples.hpp"
#include "quantization/random_rows.hpp"

using namespace annulus;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// A k-NN graph of 7 rows, of which the last has one neighbour alone.
neighbors graph() {
  neighbors g(7, 3);
  for (std::size_t i = 0; i < 7; ++i)
    for (std::size_t j = 0; j < (i == 6 ? 1 : 3); ++j) {
      g.ids(i, j) = static_cast<id_type>((i + j + 1) % 7);
      g.distances(i, j) = static_cast<float>(j) + 0.5f;
    }
  return g;
}

matrix<float> rows() { return random_rows(70, 5, 1); }
matrix<float> queries() { return random_rows(9, 5, 2); }

}  // namespace

TEST_CASE("a k-NN graph is the same from its file, whatever its size", "[index_file]") {
  const scratch_folder folder;
  for (const neighbors& g : {graph(), neighbors(), neighbors(0, 4), neighbors(3, 0), neighbors(2, 5)}) {
    save(g, folder / "graph");
    CHECK(load_index<neighbors>(folder / "graph") == g);
    CHECK(map_index<neighbors>(folder / "graph") == g);
    verify_index_file(folder / "graph");
  }
}

TEST_CASE("the file of a k-NN graph says what it is", "[index_file]") {
  const scratch_folder folder;
  save(graph(), folder / "graph");
  const auto info = read_index_info(folder / "graph");
  CHECK(info.kind == "neighbors");
  CHECK(info.format_version == index_format_version);
  CHECK(info.library_version == ANNULUS_VERSION);
  CHECK(info.tensors.at("ids").dtype == "U32");
  CHECK(info.tensors.at("distances").shape == std::vector<std::uint64_t>{7, 3});
  for (const auto& [name, tensor] : info.tensors) CHECK((name.starts_with("_pad") || tensor.begin % 64 == 0));
}

TEST_CASE("a k-NN graph with a hole, a NaN or a distance to nothing is refused", "[index_file]") {
  const auto distance = [](std::size_t i, float x) {
    return [=](edited_index& e) { e.values<float>("distances")[i] = x; };
  };
  const auto id = [](std::size_t i) { return [=](edited_index& e) { e.values<id_type>("ids")[i] = no_id; }; };
  CHECK_THAT(complaint_after(graph(), distance(4, std::nanf(""))), ContainsSubstring("row 1 has a NaN, or padding"));
  CHECK_THAT(complaint_after(graph(), distance(20, 1)), ContainsSubstring("row 6 has a NaN, or padding"));
  CHECK_THAT(complaint_after(graph(), id(2)), ContainsSubstring("row 0 has a NaN, or padding"));
  CHECK_THAT(complaint_after(graph(),
                             [&](edited_index& e) {
                               id(3)(e);
                               distance(3, infinity)(e);
                             }),
             ContainsSubstring("row 1 has a NaN, or padding"));
  CHECK(complaint_after(graph(), distance(4, infinity)).empty());
}

TEST_CASE("files of no index and of newer versions are refused by name", "[index_file]") {
  const auto set = [](const char* key, const char* text) { return [=](edited_index& e) { e.set(key, text); }; };
  CHECK(complaint_after(graph(), set("kind", "lsh_index")) == "this is a lsh_index, not the neighbors asked for");
  const std::string newest = std::to_string(index_format_version), newer = std::to_string(index_format_version + 1);
  CHECK(complaint_after(graph(), set("format_version", newer.c_str())) ==
        "format version " + newer + " (of annulus " ANNULUS_VERSION ") is newer than version " + newest +
            ", the newest that annulus " ANNULUS_VERSION " reads");
  for (const char* version : {"0", "-1", "1.5", "one", "", "99999999999"})
    CHECK_THAT(complaint_after(graph(), set("format_version", version)), ContainsSubstring("is not a version"));
}

TEST_CASE("a truncated k-NN graph is refused at every byte", "[index_file]") {
  CHECK(refuses_truncation(graph(), [](const neighbors& g) { static_cast<void>(to_csr(g, 7)); }));
}

TEST_CASE("a flipped bit of a k-NN graph is noticed wherever it is", "[index_file]") {
  CHECK(refuses_flips(graph(), [](const neighbors& g) { static_cast<void>(g.defect()); }));
}

TEST_CASE("verify_index_file notices a flipped bit of a tensor, and verify one that matters", "[index_file]") {
  const scratch_folder folder;
  const auto path = folder / "graph";
  save(graph(), path);
  std::string bytes = bytes_of(path);
  const auto at = read_index_info(path).tensors.at("distances").begin;
  bytes[at + 3] = static_cast<char>(bytes[at + 3] ^ 1);  // 0.5 becomes another number
  write_bytes(path, bytes);
  CHECK_THROWS_AS(verify_index_file(path), format_error);
  const auto mapped = map_index<neighbors>(path);
  CHECK_NOTHROW(verify(mapped));
  bytes[at + 3] = 0x7F;
  bytes[at + 2] = static_cast<char>(0xFF);
  write_bytes(path, bytes);
  CHECK_THROWS_AS(verify(map_index<neighbors>(path)), format_error);
}

TEST_CASE("a mapped index can be written to, and its file stays as it was", "[index_file]") {
  const scratch_folder folder;
  save(graph(), folder / "graph");
  const std::string bytes = bytes_of(folder / "graph");
  auto mapped = map_index<neighbors>(folder / "graph");
  mapped.ids(2, 1) = 5;
  CHECK(mapped.ids(2, 1) == 5);
  CHECK(bytes_of(folder / "graph") == bytes);
}

TEST_CASE("a mapped index stays when its file is replaced or removed", "[index_file]") {
  const scratch_folder folder;
  save(graph(), folder / "graph");
  const auto mapped = map_index<neighbors>(folder / "graph");
  save(neighbors(900, 9), folder / "graph");
  CHECK(mapped == graph());
  std::filesystem::remove(folder / "graph");
  CHECK(mapped == graph());
}

TEST_CASE("a flat_index answers and goes on from its file as it would have without", "[index_file]") {
  const scratch_folder folder;
  flat_index index(rows(), cosine{});
  using index_type = decltype(index);
  save(index, folder / "index");
  auto loaded = load_index<index_type>(folder / "index"), mapped = map_index<index_type>(folder / "index");
  verify(mapped);
  CHECK(loaded.search(queries(), 6) == index.search(queries(), 6));
  CHECK(mapped.search(queries(), 6) == index.search(queries(), 6));
  for (index_type* i : {&index, &loaded, &mapped}) CHECK(i->insert(queries()) == 70);
  CHECK(loaded.search(queries(), 6) == index.search(queries(), 6));
  CHECK(mapped.search(queries(), 6) == index.search(queries(), 6));
}

TEST_CASE("a flat_index of another metric or other rows is refused by name", "[index_file]") {
  const scratch_folder folder;
  save(flat_index(rows(), cosine{}), folder / "index");
  CHECK(complaint_of_load<flat_index<matrix<float>, euclidean>>(folder / "index") ==
        "metric is cosine, not the euclidean asked for");
  CHECK(complaint_of_load<flat_index<matrix<double>, cosine>>(folder / "index") ==
        "points is rows of float32, not the rows of float64 asked for");
}

TEST_CASE("a flat_index is looked over, and searched unharmed if it is not", "[index_file]") {
  const flat_index index(rows(), cosine{});
  const auto not_finite = [](edited_index& e) { e.values<float>("rows")[12] = infinity; };
  CHECK(complaint_after(index, not_finite) == "rows: row 2 has a NaN or an infinity");
  CHECK_THAT(complaint_after(index, [](edited_index& e) { e.set("greatest_norm", "1"); }),
             ContainsSubstring("greatest_norm: must be "));
  use_corrupted(index, 60, [](const auto& damaged) { damaged.search(queries(), 6, {.threads = 1}); });
}

TEST_CASE("k-NN graphs and flat_indexes of format version 1 are read", "[index_file]") {
  const auto g = load_index<neighbors>(sample_file("neighbors"));
  CHECK(g.ids.rows() == 60);
  CHECK(std::ranges::equal(g.ids.row(5), std::vector<id_type>{5, 51, 37}));
  CHECK(g.distances(5, 2) == Approx(4.21307468));
  CHECK(map_index<neighbors>(sample_file("neighbors")) == g);
  const auto index = map_index<flat_index<matrix<float>, cosine>>(sample_file("flat_index"));
  const auto found = index.search(sample_rows(1, 6, 2), 4);
  CHECK(std::ranges::equal(found.ids.row(0), std::vector<id_type>{45, 39, 30, 23}));
  CHECK(found.distances(0, 3) == Approx(0.42541486));
}

TEST_CASE("a k-NN graph of format version 2 is read", "[index_file]") {
  const auto g = load_index<neighbors>(sample_file("neighbors", 2));
  CHECK(std::ranges::equal(g.ids.row(0), std::vector<id_type>{45, 46, 26}));
  CHECK(g.distances(0, 2) == Approx(4.91808));
}

TEST_CASE("a file that is no index is refused by what it looks like", "[index_file]") {
  check_says_what_files_are("safetensors", [](const auto& path) { load_index<neighbors>(path); });
  check_says_what_files_are("safetensors", [](const auto& path) { map_index<neighbors>(path); });
  check_says_what_files_are("safetensors", [](const auto& path) { read_index_info(path); });
  check_says_what_files_are("safetensors", [](const auto& path) { verify_index_file(path); });
}

TEST_CASE("an index of packed bits knows from its file how many they are", "[index_file]") {
  const scratch_folder folder;
  bit_matrix bits(20, 13);
  for (std::size_t i = 0; i < 20; ++i)
    for (std::size_t j = 0; j < 13; ++j) bits.set(i, j, (i * j + i) % 4 < 2);
  const flat_index index(bits, packed<matching>{});
  save(index, folder / "index");
  const auto loaded = load_index<flat_index<matrix<std::uint8_t>, packed<matching>>>(folder / "index");
  CHECK(loaded.metric().bits == 13);
  CHECK(loaded.search(bits, 3) == index.search(bits, 3));
}
