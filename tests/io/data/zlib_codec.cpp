#include <annulus/io/data/zlib_codec.hpp>

#include "io/scipy_files.hpp"

using namespace annulus;

TEST_CASE("zlib: compressed files of save_npz are read, also those written to a stream", "[zlib]") {
  for (const char* const name : {"compressed.npz", "streamed_compressed.npz", "csr.npz", "streamed.npz", "wide.npz"})
    CHECK(is_scipy_sample(read_scipy_csr<double>(scipy_file(name), zlib_codec{})));
  CHECK_THROWS_WITH(read_scipy_csr(scipy_file("csc.npz"), zlib_codec{}), ContainsSubstring("of the format 'csc'"));
}

TEST_CASE("zlib: what was written compressed is read back, and smaller", "[zlib]") {
  const scratch_folder folder;
  for (const std::size_t n : {0u, 1u, 7u, 5000u}) {
    const auto rows = scattered_rows<float>(n, 1000);
    write_scipy_csr(folder / "a.npz", rows, zlib_codec{});
    write_scipy_csr(folder / "b.npz", rows);
    REQUIRE(same_sparse(read_scipy_csr(folder / "a.npz", zlib_codec{}), rows));
    REQUIRE(bytes_of(folder / "a.npz").size() < bytes_of(folder / "b.npz").size());
  }
  write_scipy_csr(folder / "a.npz", csr{{0, 1}, {4}, {0.25f}, 5}, zlib_codec{});
  CHECK(read_scipy_csr(folder / "a.npz", zlib_codec{}).row(0).values[0] == 0.25f);
}

TEST_CASE("zlib: a compressed archive that is damaged is refused, and never read as another", "[zlib]") {
  const scratch_folder folder;
  const csr_matrix<float> rows({0, 2, 3}, {0, 2, 1}, {1, 2, 3}, 3);
  write_scipy_csr(folder / "a.npz", rows, zlib_codec{});
  check_damage(bytes_of(folder / "a.npz"),
               [&](const auto& path) { return same_sparse(read_scipy_csr(path, zlib_codec{}), rows); });
}

TEST_CASE("zlib: an array larger than what its compressed bytes can hold is refused before memory is asked for",
          "[zlib]") {
  const scratch_folder folder;
  write_scipy_csr(folder / "a.npz", csr_matrix<float>({0, 2, 3}, {0, 2, 1}, {1, 2, 3}, 3), zlib_codec{});
  const std::string bytes = bytes_of(folder / "a.npz");
  const auto says = [&](std::uint64_t size) {
    std::string changed = bytes;
    std::memcpy(changed.data() + changed.rfind("data.npy") + 8 + 4, &size, sizeof size);
    return complaint_about(changed, [](const auto& path) { read_scipy_csr(path, zlib_codec{}); });
  };
  CHECK(says(140) == "nothing");
  CHECK_THAT(says(std::uint64_t{1} << 40), ContainsSubstring("'data.npy' claims 1099511627776 bytes"));
  CHECK_THAT(says(144), ContainsSubstring("data.npy: byte 140: the values end here, the file 4 bytes later"));
  CHECK_THAT(says(136), ContainsSubstring("data.npy: byte 136: the file ends here, 4 bytes too early"));
}
