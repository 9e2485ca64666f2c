#include "io/scipy_files.hpp"

using namespace annulus;

namespace {

std::string complaint(const std::string& bytes) {
  return complaint_about(bytes, [](const auto& path) { read_scipy_csr(path); });
}

template <class Number>
std::string le(Number number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

std::string written(const csr_matrix<float>& rows) {
  const scratch_folder folder;
  write_scipy_csr(folder / "a.npz", rows);
  return bytes_of(folder / "a.npz");
}

}  // namespace

TEST_CASE("scipy: files of save_npz are read, with indices and offsets of either width", "[scipy]") {
  CHECK(is_scipy_sample(read_scipy_csr(scipy_file("csr.npz"))));
  CHECK(is_scipy_sample(read_scipy_csr<double>(scipy_file("csr.npz"))));
  CHECK(is_scipy_sample(read_scipy_csr(scipy_file("wide.npz"))));
  CHECK(is_scipy_sample(read_scipy_csr(scipy_file("array_of_bools.npz")), true));
  CHECK(is_scipy_sample(read_scipy_csr<std::uint8_t>(scipy_file("array_of_bools.npz")), true));
  CHECK(is_scipy_sample(read_scipy_csr(scipy_file("streamed.npz"))));
}

TEST_CASE("scipy: rows are sorted, values at one place are added, and stored zeros stay", "[scipy]") {
  const csr_matrix<float> rows = read_scipy_csr(scipy_file("unsorted.npz"));
  CHECK(same_sparse(rows, csr_matrix<float>({0, 2, 2, 4}, {1, 3, 0, 2}, {2, 6, 4, 0}, 5)));
}

TEST_CASE("scipy: what was written is read back", "[scipy]") {
  const scratch_folder folder;
  const auto path = folder / "a.npz";
  for (const std::size_t n : {0u, 1u, 7u, 5000u}) {  // more values than are converted at once
    const auto rows = scattered_rows<float>(n, 1000);
    write_scipy_csr(path, rows);
    REQUIRE(same_sparse(read_scipy_csr(path), rows));
    const auto doubles = scattered_rows<double>(n, 1000);
    write_scipy_csr(path, doubles);
    REQUIRE(same_sparse(read_scipy_csr(path), rows));
    REQUIRE(same_sparse(read_scipy_csr<double>(path), doubles));
  }
  write_scipy_csr(path, csr_matrix<float>({0, 0, 0}, {}, {}, 0));
  CHECK(read_scipy_csr(path).size() == 2);
  write_scipy_csr(path, csr_matrix<float>());
  CHECK(read_scipy_csr(path).size() == 0);
  write_scipy_csr(path, csr_matrix<float>({0, 2, 3}, {0, 4, 1}, 5));  // sets
  CHECK(same_sparse(read_scipy_csr(path), csr_matrix<float>({0, 2, 3}, {0, 4, 1}, {1, 1, 1}, 5)));
  CHECK(folder.n_files() == 1);
}

TEST_CASE("scipy: a graph of neighbours is written in its order", "[scipy]") {
  const scratch_folder folder;
  const csr graph{{0, 2, 3}, {4, 1, 0}, {0.25f, 0.5f, 2}, 5};
  write_scipy_csr(folder / "a.npz", graph);
  CHECK(same_sparse(read_scipy_csr(folder / "a.npz"), csr_matrix<float>({0, 2, 3}, {1, 4, 0}, {0.5f, 0.25f, 2}, 5)));
  CHECK_THROWS_AS(write_scipy_csr(folder / "b.npz", csr{}), std::invalid_argument);
  CHECK_THROWS_AS(write_scipy_csr(folder / "b.npz", csr{{0, 1}, {0}, {}, 1}), std::invalid_argument);
  CHECK_THROWS_AS(write_scipy_csr(folder / "b.npz", csr{{0, 2}, {0}, {1}, 1}), std::invalid_argument);
  for (const csr& bad : {csr{{0, 2, 1}, {0}, {1}, 1}, csr{{1, 1}, {0}, {1}, 1}, csr{{0, 1}, {1}, {1}, 1},
                         csr{{0, 1}, {-1}, {1}, 1}, csr{{0, 1}, {0}, {1}, std::size_t{1} << 40}})
    CHECK_THROWS_AS(write_scipy_csr(folder / "b.npz", bad), std::invalid_argument);
  CHECK(folder.n_files() == 1);
}

TEST_CASE("scipy: other formats are refused by their names, and compressed files with what to do", "[scipy]") {
  CHECK_THROWS_WITH(read_scipy_csr(scipy_file("csc.npz")), ContainsSubstring("of the format 'csc'; only csr is read"));
  for (const char* const name : {"compressed.npz", "streamed_compressed.npz"})
    CHECK_THROWS_WITH(read_scipy_csr(scipy_file(name)), ContainsSubstring("include <annulus/io/data/zlib_codec.hpp>") &&
                                                            ContainsSubstring("zlib_codec{}"));
  CHECK_THROWS_AS(read_scipy_csr(scipy_file("missing.npz")), std::system_error);
  check_says_what_files_are("npz", [](const auto& path) { read_scipy_csr(path); });
}

TEST_CASE("scipy: arrays that do not fit together are refused", "[scipy]") {
  const std::string bytes = bytes_of(scipy_file("csr.npz"));
  REQUIRE(complaint(bytes) == "nothing");
  const scratch_folder folder;
  const auto says = [&](const std::string& format, std::vector<std::int64_t> shape, std::vector<std::int64_t> indptr,
                        std::vector<std::int64_t> indices, std::vector<double> data) {
    {
      detail::npz_writer<stored_codec> file(folder / "a.npz");
      file.add_text("format", format);
      file.add("shape", std::span<const std::int64_t>(shape));
      file.add("indptr", std::span<const std::int64_t>(indptr));
      file.add("indices", std::span<const std::int64_t>(indices));
      file.add("data", std::span<const double>(data));
      file.commit();
    }
    return complaint(bytes_of(folder / "a.npz"));
  };
  CHECK(says("csr", {2, 3}, {0, 1, 2}, {0, 2}, {1, 2}) == "nothing");
  CHECK(says("csr", {2, 3}, {0, 1, 2}, {0, 2, 1}, {1, 2, 3}) == "nothing");  // scipy leaves room behind the last row
  CHECK_THAT(says("bsr", {2, 3}, {0, 1, 2}, {0, 2}, {1, 2}), ContainsSubstring("of the format 'bsr'"));
  CHECK_THAT(says("csr", {2}, {0, 1, 2}, {0, 2}, {1, 2}), ContainsSubstring("the shape is not that of a matrix"));
  CHECK_THAT(says("csr", {-1, 3}, {0, 1, 2}, {0, 2}, {1, 2}), ContainsSubstring("the shape is not that of a matrix"));
  CHECK_THAT(says("csr", {2, 1LL << 31}, {0, 1, 2}, {0, 2}, {1, 2}), ContainsSubstring("do not fit 32-bit indices"));
  CHECK_THAT(says("csr", {3, 3}, {0, 1, 2}, {0, 2}, {1, 2}), ContainsSubstring("3 offsets of 3 rows"));
  CHECK_THAT(says("csr", {1LL << 62, 3}, {}, {0, 2}, {1, 2}), ContainsSubstring("0 offsets of"));
  CHECK_THAT(says("csr", {2, 3}, {0, 1, 2}, {0, 2}, {1}), ContainsSubstring("1 values of 2 indices"));
  CHECK_THAT(says("csr", {2, 3}, {0, 2, 1}, {0, 2}, {1, 2}), ContainsSubstring("the offsets do not ascend"));
  CHECK_THAT(says("csr", {2, 3}, {1, 1, 2}, {0, 2}, {1, 2}), ContainsSubstring("the offsets do not ascend"));
  CHECK_THAT(says("csr", {2, 3}, {0, 1, 3}, {0, 2}, {1, 2}), ContainsSubstring("the offsets do not ascend"));
  CHECK_THAT(says("csr", {2, 3}, {0, 1, 2}, {0, 3}, {1, 2}), ContainsSubstring("the index 3 is not below 3"));
  CHECK_THAT(says("csr", {2, 3}, {0, 1, 2}, {0, -1}, {1, 2}), ContainsSubstring("the index -1 is not below"));
  CHECK_THAT(says("csr", {2, 3}, {0, 1, 2}, {0, 1LL << 32}, {1, 2}), ContainsSubstring("4294967296 has no value"));
  CHECK_THAT(says("csr", {2, 3}, {0, 1, 2}, {0, 2}, {1, 1e300}),
             ContainsSubstring("data.npy: byte 136: 1e+300 has no"));
}

TEST_CASE("scipy: an archive that is damaged is refused, and never read as another", "[scipy]") {
  const csr_matrix<float> rows({0, 2, 3}, {0, 2, 1}, {1, 2, 3}, 3);
  check_damage(written(rows), [&](const auto& path) { return same_sparse(read_scipy_csr(path), rows); });
}

TEST_CASE("scipy: what an archive claims is checked against its size", "[scipy]") {
  const std::string bytes = written(csr_matrix<float>({0, 2, 3}, {0, 2, 1}, {1, 2, 3}, 3));
  const auto record = [&](const std::string& name) { return bytes.rfind(name) - 46; };  // of the directory
  const auto changed = [&](std::size_t at, const std::string& to) {
    std::string file = bytes;
    return complaint(file.replace(at, to.size(), to));
  };
  const std::size_t data = record("data.npy"), sizes = data + 46 + 8 + 4, end = bytes.size() - 22;
  const std::size_t end64 = end - 20 - 56;
  REQUIRE(changed(data, "PK\1\2") == "nothing");
  CHECK_THAT(changed(data + 8, le(std::uint16_t{1})), ContainsSubstring("'data.npy' is encrypted"));
  CHECK_THAT(changed(data + 10, le(std::uint16_t{12})), ContainsSubstring("there is no header of 'data.npy' here"));
  CHECK_THAT(changed(sizes, le(std::uint64_t{1} << 40)), ContainsSubstring("'data.npy' claims 1099511627776 bytes of"));
  CHECK_THAT(changed(sizes, le(std::uint64_t{1})), ContainsSubstring("'data.npy' claims 1 bytes of 140 in the file"));
  CHECK_THAT(changed(sizes + 8, le(~std::uint64_t{0})), ContainsSubstring("'data.npy' claims"));
  CHECK_THAT(changed(sizes + 16, le(~std::uint64_t{0})), ContainsSubstring("'data.npy' is not before the directory"));
  CHECK_THAT(changed(sizes + 16, le(std::uint64_t{5})), ContainsSubstring("there is no header of 'data.npy' here"));
  CHECK_THAT(changed(data + 16, "abcd"), ContainsSubstring("data.npy: byte 0: this is not as it was written"));
  CHECK_THAT(changed(data + 46, "dat2.npy"), ContainsSubstring("the archive has no member 'data.npy'"));
  CHECK_THAT(changed(record("shape.npy") + 46 + 9 + 2, le(std::uint16_t{2})),
             ContainsSubstring("'shape.npy' has no 64-bit"));
  CHECK_THAT(changed(data + 28, le(std::uint16_t{60000})),
             ContainsSubstring("a member of the directory passes its end"));
  CHECK_THAT(changed(data + 42, le(std::uint32_t{0})),
             ContainsSubstring("there is no") || ContainsSubstring("checksum"));
  CHECK_THAT(changed(end64 + 32, le(std::uint64_t{4})), ContainsSubstring("the directory has 5 members, not"));
  CHECK_THAT(changed(end64 + 40, le(~std::uint64_t{0})), ContainsSubstring("does not end before this record"));
  CHECK_THAT(changed(end64 + 48, le(~std::uint64_t{0})), ContainsSubstring("does not end before this record"));
  CHECK_THAT(changed(end64, "PK\6\5"), ContainsSubstring("there is no record of 64-bit sizes here"));
  CHECK_THAT(changed(end - 20, "PK\6\5"), ContainsSubstring("the record of 64-bit sizes is missing"));
  CHECK_THAT(changed(end - 12, le(~std::uint64_t{0})), ContainsSubstring("is not before this one"));
  CHECK_THAT(changed(end + 4, le(std::uint16_t{1})), ContainsSubstring("archives of several disks are not read"));
  CHECK_THAT(changed(end + 20, le(std::uint16_t{1})), ContainsSubstring("no directory at its end: the file was cut"));
  CHECK(complaint(bytes.substr(0, end + 20) + le(std::uint16_t{7}) + "comment") == "nothing");
  CHECK_THAT(complaint(with(bytes, "indptr.npy", "indices.np")), ContainsSubstring("no member 'indptr.npy'"));
}

TEST_CASE("scipy: the checksum is that of zip files, whatever the pieces", "[scipy]") {
  const std::string text = "123456789";
  detail::crc32 whole;
  whole.add(text.data(), text.size());
  CHECK(whole.value() == 0xCBF43926u);  // the check value of the CRC's catalogue
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes += static_cast<char>(i * i);
  detail::crc32 at_once, one_by_one, in_pieces;
  at_once.add(bytes.data(), bytes.size());
  for (const char& c : bytes) one_by_one.add(&c, 1);
  in_pieces.add(bytes.data(), 13);
  in_pieces.add(bytes.data() + 13, 87);
  CHECK(at_once.value() == one_by_one.value());
  CHECK(at_once.value() == in_pieces.value());
}
