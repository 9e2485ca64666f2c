#include <annulus/io/data/big_ann.hpp>
#include <annulus/io/data/big_ann_truth.hpp>

#include "catch.hpp"
#include "io/foreign_files.hpp"

using annulus::matrix;
using annulus::matrix_view;

namespace {

std::string header(std::uint32_t n, std::uint32_t d) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &n, 4);
  std::memcpy(bytes.data() + 4, &d, 4);
  return bytes;
}

/// What read_big_ann<T> says to a file of these bytes; map_big_ann<T> says the same.
template <class T>
std::string complaint(const std::string& bytes) {
  const auto of_map = complaint_about(bytes, [](const auto& path) { annulus::map_big_ann<T>(path); });
  const auto of_read = complaint_about(bytes, [](const auto& path) { annulus::read_big_ann<T>(path); });
  CHECK(of_map == of_read);
  return of_read;
}

}  // namespace

TEST_CASE("big-ann: the bytes are n, d and the values, little-endian", "[big_ann]") {
  const scratch_folder folder;
  const std::vector<std::int8_t> signed_bytes{-1, 2, -128};
  annulus::write_big_ann(folder / "a.i8bin", signed_bytes);
  CHECK(bytes_of(folder / "a.i8bin") == header(1, 3) + "\xFF\x02\x80");
  annulus::write_big_ann(folder / "a.u8bin", matrix<std::uint8_t>(2, 1, std::uint8_t{200}));
  CHECK(bytes_of(folder / "a.u8bin") == header(2, 1) + "\xC8\xC8");
  annulus::write_big_ann(folder / "a.ibin", std::vector<std::int32_t>{-2});
  CHECK(bytes_of(folder / "a.ibin") == header(1, 1) + "\xFE\xFF\xFF\xFF");
  annulus::write_big_ann(folder / "a.fbin", std::vector<float>{1.0f});
  CHECK(bytes_of(folder / "a.fbin") == header(1, 1) + std::string("\0\0\x80\x3F", 4));
  CHECK(annulus::read_big_ann<std::int8_t>(folder / "a.i8bin")(0, 2) == -128);
  CHECK(annulus::read_big_ann<std::uint8_t>(folder / "a.u8bin")(1, 0) == 200);
}

TEST_CASE("big-ann: the bytes of a view's rows are written without what lies between", "[big_ann]") {
  const scratch_folder folder;
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  annulus::write_big_ann(folder / "a.fbin", matrix_view<float>(values.data() + 1, 2, 2, 3));
  const auto read = annulus::read_big_ann<float>(folder / "a.fbin");
  REQUIRE(read.cols() == 2);
  CHECK(std::vector(read.data(), read.data() + 4) == std::vector<float>{2, 3, 5, 6});
}

TEST_CASE("big-ann: n and d whose product passes 64 bits in bytes or 32 in values are refused", "[big_ann]") {
  constexpr std::uint32_t half = 1u << 31, most = 0xFFFFFFFF;
  CHECK_THAT(complaint<float>(header(half, half)), ContainsSubstring("4611686018427387904 values of 4 bytes"));
  CHECK_THAT(complaint<std::int32_t>(header(half, 1u << 31)), ContainsSubstring("the file has 0 bytes"));
  CHECK(complaint<std::uint8_t>(header(1u << 16, 1u << 16)) != "nothing");
  CHECK(complaint<std::int8_t>(header(most, most)) != "nothing");
  CHECK(complaint<float>(header(most, most) + std::string(4, '\0')) != "nothing");
  CHECK(complaint<float>(header(1u << 30, 1)) != "nothing");
}

TEST_CASE("big-ann: a complaint gives n, d and the bytes that there are", "[big_ann]") {
  CHECK(complaint<float>(header(2, 3) + "12345678") ==
        "byte 0: n = 2 and d = 3 ask for 6 values of 4 bytes, the file has 8 bytes of them");
  CHECK(complaint<float>(header(1, 1) + "12345") != "nothing");  // as many values, and a rest
  CHECK(complaint<float>(header(1, 1) + "1234") == "nothing");
  CHECK(complaint<float>("1234567") == "byte 7: the file ends here, 1 bytes too early");
}

TEST_CASE("big-ann: rows of no values are refused both ways, no rows of any d are not", "[big_ann]") {
  CHECK(complaint<float>(header(3, 0)) == "byte 4: d = 0 must be at least 1 for 3 rows");
  CHECK(complaint<float>(header(0, 0)) == "nothing");
  CHECK(complaint<float>(header(0, 0xFFFFFFFF)) == "nothing");
  const scratch_folder folder;
  CHECK_THROWS_AS(annulus::write_big_ann(folder / "a.fbin", matrix<float>(3, 0)), std::invalid_argument);
  annulus::write_big_ann(folder / "b.fbin", matrix<float>(0, 0));
  CHECK(bytes_of(folder / "b.fbin") == header(0, 0));
}

TEST_CASE("big-ann: more rows or columns than a uint32 counts are not written", "[big_ann]") {
  const scratch_folder folder;
  constexpr std::size_t too_many = std::size_t{1} << 32;
  const std::uint8_t value = 0;
  CHECK_THROWS_WITH(annulus::write_big_ann(folder / "a", matrix_view<std::uint8_t>(&value, too_many, 1, 1)),
                    ContainsSubstring("rows = 4294967296: must fit a uint32"));
  CHECK_THROWS_WITH(annulus::write_big_ann(folder / "a", matrix_view<std::uint8_t>(&value, 1, too_many)),
                    ContainsSubstring("cols = 4294967296"));
  CHECK_THROWS_AS(annulus::write_big_ann(folder / "a", matrix_view<std::uint8_t>(&value, 0, too_many)),
                  std::invalid_argument);
  CHECK(folder.n_files() == 0);
}

TEST_CASE("big-ann: a name that says another type is refused, any other is not", "[big_ann]") {
  const scratch_folder folder;
  annulus::write_big_ann(folder / "a.u8bin", matrix<std::uint8_t>(2, 2));
  CHECK_THROWS_WITH(annulus::read_big_ann<std::int8_t>(folder / "a.u8bin"),
                    ContainsSubstring("byte 0: by its name no .i8bin file, which is asked for"));
  std::filesystem::rename(folder / "a.u8bin", folder / "u8bin.bin");
  CHECK_NOTHROW(annulus::read_big_ann<std::int8_t>(folder / "u8bin.bin"));
}

TEST_CASE("big-ann: ground truth is read and written, ids before distances", "[big_ann]") {
  const scratch_folder folder;
  annulus::neighbors truth(2, 2);
  truth.ids(0, 0) = 7, truth.ids(0, 1) = 3, truth.ids(1, 0) = 9;
  truth.distances(0, 0) = 1, truth.distances(0, 1) = 2, truth.distances(1, 0) = 0.5f;
  annulus::write_big_ann_truth(folder / "gt", truth);
  const std::string bytes = header(2, 2) + std::string("\7\0\0\0\3\0\0\0\x09\0\0\0\xFF\xFF\xFF\xFF", 16) +
                            std::string("\0\0\x80\x3F\0\0\0\x40\0\0\0\x3F\0\0\x80\x7F", 16);
  CHECK(bytes_of(folder / "gt") == bytes);
  CHECK(annulus::read_big_ann_truth(folder / "gt") == truth);
  for (const auto& none : {annulus::neighbors(0, 10), annulus::neighbors(4, 0), annulus::neighbors()}) {
    annulus::write_big_ann_truth(folder / "gt", none);
    CHECK(annulus::read_big_ann_truth(folder / "gt") == none);
  }
  const auto says = [](const std::string& file) {
    return complaint_about(file, [](const auto& path) { annulus::read_big_ann_truth(path); });
  };
  CHECK(says(bytes) == "nothing");
  for (std::size_t size = 0; size < bytes.size(); ++size) REQUIRE(says(bytes.substr(0, size)) != "nothing");
  CHECK_THAT(says(bytes + "x"), ContainsSubstring("ask for 4 ids and distances, of 8 bytes together, the file has 33"));
  CHECK_THAT(says(bytes.substr(0, 24)), ContainsSubstring("read_big_ann<std::int32_t> reads it"));
  CHECK_THAT(says(header(0xFFFFFFFF, 0xFFFFFFFF)), ContainsSubstring("the file has 0 bytes of them"));
  check_says_what_files_are("ground truth", [](const auto& path) { annulus::read_big_ann_truth(path); });
  truth.distances = matrix<float>(2, 3);
  CHECK_THROWS_AS(annulus::write_big_ann_truth(folder / "b", truth), std::invalid_argument);
  CHECK(folder.n_files() == 1);
}

TEST_CASE("big-ann: ground truth of a radius is read and written, counts before ids and distances", "[big_ann]") {
  const scratch_folder folder;
  const annulus::csr truth{{0, 2, 2, 3}, {5, 1, 4}, {0.5f, 1, 2}, 6};
  annulus::write_big_ann_range_truth(folder / "gt", truth);
  const std::string bytes = header(3, 3) + std::string("\2\0\0\0\0\0\0\0\1\0\0\0\5\0\0\0\1\0\0\0\4\0\0\0", 24) +
                            std::string("\0\0\0\x3F\0\0\x80\x3F\0\0\0\x40", 12);
  CHECK(bytes_of(folder / "gt") == bytes);
  for (const std::size_t n_columns : {0u, 6u, 10u}) {
    const annulus::csr read = annulus::read_big_ann_range_truth(folder / "gt", n_columns);
    CHECK(read.indptr == truth.indptr);
    CHECK(read.indices == truth.indices);
    CHECK(read.distances == truth.distances);
    CHECK(read.n_columns == std::max<std::size_t>(n_columns, 6));
  }
  const auto says = [](const std::string& file) {
    return complaint_about(file, [](const auto& path) { annulus::read_big_ann_range_truth(path, 6); });
  };
  for (std::size_t size = 0; size < bytes.size(); ++size) REQUIRE(says(bytes.substr(0, size)) != "nothing");
  const auto changed = [&](std::size_t at, char to) {
    std::string file = bytes;
    file[at] = to;
    return says(file);
  };
  CHECK_THAT(changed(7, '\xFF'), ContainsSubstring("byte 0: 3 queries and -16777213 neighbours do not ask for"));
  CHECK_THAT(changed(8, '\1'), ContainsSubstring("byte 4: the queries have 2 neighbours together, not the total of 3"));
  CHECK_THAT(changed(15, '\xFF'), ContainsSubstring("byte 12: query 1 has -16777216 neighbours"));
  CHECK_THAT(changed(24, '\6'), ContainsSubstring("byte 24: the neighbour 6, the data have 6 rows"));
  CHECK_THAT(changed(23, '\x80'), ContainsSubstring("byte 20: the neighbour -"));
  check_says_what_files_are("range ground truth", [](const auto& path) { annulus::read_big_ann_range_truth(path); });
  for (const annulus::csr& wrong : {annulus::csr{{0, 2}, {1}, {1}, 2},
                                    {{1, 1}, {1}, {1}, 2},
                                    {{0, 1}, {1}, {}, 2},
                                    {{0, 2, 1}, {1}, {1}, 2},
                                    {{}, {1}, {1}, 2}})
    CHECK_THROWS_AS(annulus::write_big_ann_range_truth(folder / "b", wrong), std::invalid_argument);
  CHECK(folder.n_files() == 1);
  annulus::write_big_ann_range_truth(folder / "gt", {});
  CHECK(annulus::read_big_ann_range_truth(folder / "gt").indptr == std::vector<std::int64_t>{0});
}
