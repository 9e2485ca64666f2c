#include <annulus/lsh/families/bit_sampling.hpp>
#include <annulus/lsh/families/minhash.hpp>

#include "io/index_lsh.hpp"

using namespace annulus;
using saved_lsh::returns;

TEST_CASE("an lsh_index of packed bits returns from its file", "[index_file]") {
  CHECK(returns(lsh_tests::bit_clusters(70, 9, 5, 1), bit_sampling{.bits = 70}));
}

TEST_CASE("an lsh_index of sets returns from its file", "[index_file]") {
  CHECK(returns(lsh_tests::set_clusters(70, 5, 1), minhash{}));
}

TEST_CASE("sets in an lsh_index are looked over", "[index_file]") {
  using index_type = lsh_index<csr_matrix<float>, minhash>;
  const scratch_folder folder;
  const auto path = folder / "index";
  save(index_type(lsh_tests::set_clusters(20, 2, 1), {}, {.n_projections = 2, .n_tables = 2}), path);
  edited_index edit(path);
  const auto complaint = [&] {
    edit.save(path);
    return complaint_of_load<index_type>(path);
  };
  SECTION("members beyond the dimension") {
    edit.values<std::int32_t>("rows.indices").back() = 1000;
    CHECK_THAT(complaint(), ContainsSubstring("rows: row 19 has an index that does not ascend"));
  }
  SECTION("sets without end") {
    edit.set("rows.count", "18446744073709551615");
    CHECK_THAT(complaint(), ContainsSubstring("has 2^32 - 1 rows or more"));
  }
  SECTION("begins that are not 0") {
    edit.values<std::uint64_t>("rows.begins")[0] = 1;
    CHECK(complaint() == "rows: begins are not from 0 to the last index");
  }
  SECTION("members that do not ascend") {
    edit.values<std::int32_t>("rows.indices")[1] = edit.values<std::int32_t>("rows.indices")[0];
    CHECK_THAT(complaint(), ContainsSubstring("rows: row 0 has an index that does not ascend"));
  }
  SECTION("ends before begins") {
    edit.values<std::uint64_t>("rows.begins")[4] = 0;
    CHECK(complaint() == "rows: row 3 ends before it begins");
  }
  SECTION("ends beyond the last member") {
    edit.values<std::uint64_t>("rows.begins")[4] = std::uint64_t{1} << 60;
    CHECK(complaint() == "rows: row 3 ends before it begins");
  }
  SECTION("an end too early") {
    edit.values<std::uint64_t>("rows.begins").back() -= 1;
    CHECK(complaint() == "rows: begins are not from 0 to the last index");
  }
}
