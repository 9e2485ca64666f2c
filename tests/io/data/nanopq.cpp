#include <annulus/io/data/nanopq.hpp>

#include "catch.hpp"
#include "io/foreign_files.hpp"

using namespace annulus;

namespace {
std::filesystem::path golden(const char* name) { return std::filesystem::path(ANNULUS_TEST_DATA_DIR) / "pq" / name; }
}  // namespace

TEST_CASE("nanopq's codewords are read, and written back byte for byte", "[nanopq]") {
  const scratch_folder folder;
  const auto pq = read_nanopq<std::uint16_t>(golden("pq_m2_ks512_l2_codewords.npy"), pq_metric::inner_product);
  CHECK(pq.m() == 2);
  CHECK(pq.ks() == 512);
  CHECK(pq.dim() == 32);
  CHECK(pq.metric() == pq_metric::inner_product);
  write_nanopq(folder / "codewords.npy", pq);
  CHECK(bytes_of(folder / "codewords.npy") == bytes_of(golden("pq_m2_ks512_l2_codewords.npy")));
}

TEST_CASE("nanopq's rotation comes with its codewords, and is written back byte for byte", "[nanopq]") {
  const scratch_folder folder;
  const auto opq = read_nanopq<>(golden("opq_m8_ks16_codewords.npy"), golden("opq_m8_ks16_R.npy"));
  CHECK(opq.m() == 8);
  CHECK(opq.rotation() == read_npy<float>(golden("opq_m8_ks16_R.npy")));
  write_nanopq(folder / "codewords.npy", opq);
  CHECK(bytes_of(folder / "codewords.npy") == bytes_of(golden("opq_m8_ks16_codewords.npy")));
  write_npy(folder / "R.npy", opq.rotation());
  CHECK(bytes_of(folder / "R.npy") == bytes_of(golden("opq_m8_ks16_R.npy")));
}

TEST_CASE("what is no codebook of nanopq's is refused", "[nanopq]") {
  CHECK_THROWS_WITH(read_nanopq<>(golden("opq_m8_ks16_R.npy")), ContainsSubstring("have 3 dimensions, not 2"));
  CHECK_THROWS_AS(read_nanopq<>(golden("pq_m8_ks16_l2_codes.npy")), format_error);
  CHECK_THROWS_AS(read_nanopq<std::uint8_t>(golden("pq_m2_ks512_l2_codewords.npy")), std::invalid_argument);
  CHECK_THROWS_AS(read_nanopq<>(golden("pq_m8_ks16_l2_codewords.npy"), golden("vectors.npy")), std::invalid_argument);
  CHECK_THROWS_AS(write_nanopq("nowhere.npy", product_quantizer(4)), std::invalid_argument);
}

TEST_CASE("a file that is none of nanopq's is refused by what it looks like", "[nanopq]") {
  check_says_what_files_are("npy", [](const auto& path) { read_nanopq<>(path); });
}
