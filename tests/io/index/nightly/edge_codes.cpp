#include <annulus/nndescent/rabitq.hpp>

#include <bit>

#include "io/nndescent_files.hpp"

// Files of indexes with codes of their edges, whose rows are codes too; rows of full precision are in
// nndescent_rabitq.cpp.

using namespace annulus;
using namespace nndescent_files;

namespace {

using edge_index = nndescent_index<rows_type, euclidean, rabitq<sq8>>;

const edge_index& coded() {
  static const edge_index index = changed(edge_index(data().rows, {}, params, {.bits = 2}));
  return index;
}

constexpr std::size_t group_bytes = 256 + 64;  // of 8 coordinates, two bits each: 32 bytes a bit

/// Its file with some values of a tensor overwritten.
template <class T>
edited_index edited(const std::string& name, auto edit) {
  const scratch_folder folder;
  save(coded(), folder / "index");
  edited_index file(folder / "index");
  edit(file.values<T>(name));
  return file;
}

}  // namespace

TEST_CASE("a loaded and a mapped index with codes of its edges answer and change as the saved one", "[index_file]") {
  CHECK(returns(edge_index(data().rows, {}, {.n_neighbors = 40, .keep_rows = false}, {.bits = 4})));
  CHECK(returns(coded()));
}

TEST_CASE("indexes of few rows with codes of their edges come back", "[index_file]") {
  for (const std::size_t few : {0u, 1u, 2u, 5u}) {
    CAPTURE(few);
    CHECK(returns(edge_index(rows_between(data().rows, 0, few)), false));
  }
}

TEST_CASE("a file of an index with codes of its edges says what is in it", "[index_file]") {
  check_info(coded(), "rabitq+sq8");
  const scratch_folder folder;
  save(coded(), folder / "index");
  const auto info = read_index_info(folder / "index");
  CHECK(info.metadata.at("codes.bits") == "2");
  CHECK(info.metadata.at("codes.form") == "squared_l2");
  const auto blocks = info.tensors.at("codes.blocks");
  CHECK(blocks.dtype == "U8");
  CHECK(blocks.shape == std::vector<std::uint64_t>{std::stoull(info.metadata.at("n_vertices")), group_bytes});
}

TEST_CASE("codes of other edges than the graph's are found before the index is used", "[index_file]") {
  const auto set = [](std::size_t i, auto value) { return [=](auto values) { values[i] = value; }; };
  CHECK(contains(complaint_of<std::uint8_t>(coded(), "codes.blocks", set(9 * group_bytes, std::uint8_t{251})),
                 "codes: blocks: vertex 9 "));
}

TEST_CASE("codes of another form than the metric's are refused", "[index_file]") {
  const scratch_folder folder;
  save(coded(), folder / "index");
  for (const char* form : {"none", "inner_product", "cosine", "anything"}) {
    edited_index file(folder / "index");
    file.set("codes.form", form);
    file.save(folder / "edited");
    CHECK_THROWS_AS(load_index<edge_index>(folder / "edited"), format_error);
    CHECK_THROWS_AS(map_index<edge_index>(folder / "edited"), format_error);
  }
}

TEST_CASE("blocks of nonsense do not take a search outside of them", "[index_file]") {
  const auto few = rows_between(data().queries, 0, 8);
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity(), std::bit_cast<float>(0x7FFFFFFFu), 0.0f, -1e38f}) {
    auto file = edited<std::uint8_t>("codes.blocks", [&](auto values) {
      for (std::size_t i = 0; i + 4 <= values.size(); i += 4) std::memcpy(values.data() + i, &value, 4);
    });
    CAPTURE(value);
    CHECK(saved::search_edited<edge_index>(file, few, radius) == 0);
    file = edited<std::uint8_t>("codes.blocks", [&](auto values) {  // but for the ids
      for (std::size_t i = 0; i < values.size(); i += 4)
        if (i % group_bytes >= 128) std::memcpy(values.data() + i, &value, 4);
    });
    CHECK(saved::search_edited<edge_index>(file, few, radius) == 0);
  }
  for (const id_type id : {id_type{0}, id_type{7}, id_type{400}, id_type{0x80000000u}, no_id - 1}) {
    auto file = edited<std::uint8_t>("codes.blocks", [&](auto values) {
      for (std::size_t i = 0; i < values.size(); i += 4)
        if (i % group_bytes < 128) std::memcpy(values.data() + i, &id, 4);
    });
    CAPTURE(id);
    CHECK(saved::search_edited<edge_index>(file, few, radius) == 0);
  }
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e38f}) {
    auto file = edited<float>("codes.centre", [&](auto values) { std::ranges::fill(values, value); });
    CHECK(saved::search_edited<edge_index>(file, few, radius) == 0);
  }
}

TEST_CASE("every number of the header of codes of edges that is wrong is refused or harmless", "[index_file]") {
  CHECK(search_misnumbered(coded()) == 0);
}

TEST_CASE("no damage to the arrays of codes of edges takes a search outside of them", "[index_file]") {
  const auto few = rows_between(data().queries, 0, 4);
  CHECK(saved::search_damaged(coded(), few, radius, 150) == 0);
}
