// Files of indexes whose 8-bit codes count from a centre, beside dimensions that are kept as floats.

#include "io/index_damage.hpp"
#include "io/index_sq8.hpp"
#include "message_of.hpp"

using namespace annulus;
using namespace sq8_files;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("an index of codes and wide dimensions comes back, also once it was changed", "[index_file]") {
  CHECK(returns<float, euclidean>());
  CHECK(returns<float, cosine>());
}

TEST_CASE("a file says what its codes count in, and which dimensions are wide", "[index_file]") {
  const scratch_folder folder;
  save(index_of<float, euclidean>(scalar_scales::automatic), folder / "index");
  edited_index file(folder / "index");
  CHECK(file.metadata().at("compressed.scales") == "automatic");
  CHECK(std::ranges::equal(file.values<std::uint32_t>("compressed.wide_dimensions"), std::vector<std::uint32_t>{4}));
  CHECK(file.tensors().at("compressed.wide_values").shape == std::vector<std::uint64_t>{n - 30, 1});
  save(nndescent_index(rows_between(data<float>(), 0, n - 30), cosine{}, params, sq8{scalar_scales::per_vector}),
       folder / "plain");
  const edited_index plain(folder / "plain");
  CHECK(plain.metadata().at("compressed.scales") == "per_vector");
  CHECK_FALSE(plain.tensors().contains("compressed.wide_dimensions"));
}

TEST_CASE("rows of like dimensions have none in files that are wide", "[index_file]") {
  const scratch_folder folder;
  save(nndescent_index(indexes::clustered<float>(200, 8).rows, euclidean{}, params, sq8{}), folder / "index");
  const edited_index file(folder / "index");
  CHECK(file.metadata().at("compressed.scales") == "automatic");  // rows that come may have some
  CHECK(file.metadata().at("compressed.n_wide_dimensions") == "0");
  CHECK_FALSE(file.tensors().contains("compressed.wide_dimensions"));
  CHECK_FALSE(file.tensors().contains("compressed.wide_values"));
}

TEST_CASE("wide dimensions and values that cannot be are refused by name", "[index_file]") {
  using index_type = nndescent_index<matrix<float>, euclidean, sq8>;
  const scratch_folder folder;
  save(index_of<float, euclidean>(scalar_scales::automatic), folder / "index");
  const auto complaint = [&](auto edit) {
    edited_index file(folder / "index");
    edit(file);
    file.save(folder / "edited");
    return message_of<format_error>([&] { load_index<index_type>(folder / "edited"); });
  };
  CHECK(contains(complaint([](edited_index& file) { file.values<std::uint32_t>("compressed.wide_dimensions")[0] = d; }),
                 "wide dimension"));
  CHECK(contains(complaint([](edited_index& file) {
                   file.values<float>("compressed.wide_values")[7] = std::numeric_limits<float>::infinity();
                 }),
                 "compressed: wide_values: row 7 "));
  for (const char* number : {"2", "5", "18446744073709551615"})
    CHECK(contains(complaint([&](edited_index& file) { file.set("compressed.n_wide_dimensions", number); }), "wide"));
}

TEST_CASE("no damage to wide dimensions takes a search outside of them", "[index_file]") {
  const auto few = rows_between(data<float>(), n - 4, n);
  CHECK(saved::search_damaged(index_of<float, euclidean>(scalar_scales::automatic), few, radius, 150) == 0);
  CHECK(saved::search_damaged(index_of<float, cosine>(scalar_scales::automatic), few, radius, 150) == 0);
}
