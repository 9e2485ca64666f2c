#include <Eigen/Core>
#include <annulus/io/data/vecs.hpp>

#include "catch.hpp"
#include "io/scratch.hpp"

using annulus::matrix;

namespace {

/// Rows of which no four bytes make a plausible d, so that a header read from the wrong place shows.
template <class T>
matrix<T> sample(std::size_t rows, std::size_t cols) {
  matrix<T> m(rows, cols);
  for (std::size_t i = 0; i < rows * cols; ++i) m.data()[i] = static_cast<T>(200 + i % 50);
  return m;
}

std::string header(std::int32_t d) {
  std::string bytes(sizeof(d), '\0');
  std::memcpy(bytes.data(), &d, sizeof(d));
  return bytes;
}

/// What read_vecs<T> says to a file of these bytes.
template <class T = float>
std::string complaint(const std::string& bytes) {
  return complaint_about(bytes, [](const auto& path) { annulus::read_vecs<T>(path); });
}

}  // namespace

TEMPLATE_TEST_CASE("vecs: what was written is read back", "[vecs]", float, std::uint8_t, std::int32_t) {
  const scratch_folder folder;
  for (const std::size_t rows : {1u, 2u, 3u, 257u})
    for (const std::size_t d : {1u, 2u, 7u, 100u, 5000u}) {
      const auto written = sample<TestType>(rows, d);
      annulus::write_vecs(folder / "a.vecs", written);
      REQUIRE(annulus::read_vecs<TestType>(folder / "a.vecs") == written);
    }
}

TEST_CASE("vecs: the bytes are d and the values of each row, little-endian", "[vecs]") {
  const scratch_folder folder;
  annulus::write_vecs(folder / "a.bvecs", sample<std::uint8_t>(2, 3));
  CHECK(bytes_of(folder / "a.bvecs") == std::string("\3\0\0\0\xC8\xC9\xCA\3\0\0\0\xCB\xCC\xCD", 14));
  annulus::write_vecs(folder / "a.ivecs", std::vector<std::int32_t>{-2});
  CHECK(bytes_of(folder / "a.ivecs") == std::string("\1\0\0\0\xFE\xFF\xFF\xFF", 8));
  annulus::write_vecs(folder / "a.fvecs", std::vector<float>{1.0f});
  CHECK(bytes_of(folder / "a.fvecs") == std::string("\1\0\0\0\0\0\x80\x3F", 8));
}

TEST_CASE("vecs: infinities and NaN pass through unchanged", "[vecs]") {
  using limits = std::numeric_limits<float>;
  const scratch_folder folder;
  const std::vector<float> odd{limits::infinity(), -limits::infinity(), limits::quiet_NaN(), -0.0f,
                               limits::denorm_min()};
  annulus::write_vecs(folder / "a.fvecs", odd);
  const auto read = annulus::read_vecs<float>(folder / "a.fvecs");
  CHECK(std::memcmp(read.data(), odd.data(), odd.size() * sizeof(float)) == 0);
}

TEST_CASE("vecs: a view's stride is not written", "[vecs]") {
  const scratch_folder folder;
  const auto all = sample<float>(4, 6);
  annulus::write_vecs(folder / "a.fvecs", annulus::matrix_view<float>(all.data() + 1, 4, 3, 6));
  const auto read = annulus::read_vecs<float>(folder / "a.fvecs");
  REQUIRE(read.cols() == 3);
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 3; ++j) CHECK(read(i, j) == all(i, j + 1));
}

TEST_CASE("vecs: an Eigen matrix is written like any other", "[vecs]") {
  const scratch_folder folder;
  Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> m(2, 2);
  m << 1, 2, 3, 4;
  annulus::write_vecs(folder / "a.fvecs", m);
  CHECK(annulus::read_vecs<float>(folder / "a.fvecs")(1, 0) == 3);
}

TEST_CASE("vecs: an empty file is a matrix of no rows", "[vecs]") {
  const scratch_folder folder;
  annulus::write_vecs(folder / "a.fvecs", matrix<float>(0, 8));
  CHECK(std::filesystem::file_size(folder / "a.fvecs") == 0);
  const auto read = annulus::read_vecs<float>(folder / "a.fvecs");
  CHECK(read.rows() == 0);
  CHECK(read.cols() == 0);
}

TEMPLATE_TEST_CASE("vecs: any window of rows can be read", "[vecs]", float, std::uint8_t, std::int32_t) {
  const scratch_folder folder;
  const auto all = sample<TestType>(7, 5);
  annulus::write_vecs(folder / "a.vecs", all);
  for (std::size_t first = 0; first <= all.rows(); ++first)
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{3}, annulus::all_rows}) {
      const auto part = annulus::read_vecs<TestType>(folder / "a.vecs", first, count);
      REQUIRE(part.rows() == std::min(count, all.rows() - first));
      REQUIRE(part.cols() == all.cols());
      for (std::size_t i = 0; i < part.rows(); ++i) REQUIRE(std::ranges::equal(part.row(i), all.row(first + i)));
    }
}

TEST_CASE("vecs: a first row beyond the file is the caller's error", "[vecs]") {
  const scratch_folder folder;
  annulus::write_vecs(folder / "a.fvecs", sample<float>(3, 2));
  CHECK_THROWS_AS(annulus::read_vecs<float>(folder / "a.fvecs", 4), std::invalid_argument);
  write_bytes(folder / "empty.fvecs", "");
  CHECK_THROWS_AS(annulus::read_vecs<float>(folder / "empty.fvecs", 1), std::invalid_argument);
}

TEMPLATE_TEST_CASE("vecs: a file cut anywhere but between rows is refused", "[vecs]", float, std::uint8_t,
                   std::int32_t) {
  const scratch_folder folder;
  const auto all = sample<TestType>(3, 9);
  annulus::write_vecs(folder / "a.vecs", all);
  const auto bytes = bytes_of(folder / "a.vecs");
  const auto row_bytes = bytes.size() / all.rows();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    write_bytes(folder / "cut.vecs", bytes.substr(0, size));
    if (size % row_bytes == 0) REQUIRE(annulus::read_vecs<TestType>(folder / "cut.vecs").rows() == size / row_bytes);
    else REQUIRE_THROWS_AS(annulus::read_vecs<TestType>(folder / "cut.vecs"), annulus::format_error);
  }
}

TEMPLATE_TEST_CASE("vecs: any bit flipped in any row's d is noticed", "[vecs]", float, std::uint8_t, std::int32_t) {
  const scratch_folder folder;
  const auto all = sample<TestType>(3, 9);
  annulus::write_vecs(folder / "a.vecs", all);
  const auto bytes = bytes_of(folder / "a.vecs");
  for (std::size_t row = 0; row < all.rows(); ++row)
    for (std::size_t bit = 0; bit < 32; ++bit) {
      auto flipped = bytes;
      char& byte = flipped[row * bytes.size() / all.rows() + bit / 8];
      byte = static_cast<char>(byte ^ 1 << bit % 8);
      write_bytes(folder / "flipped.vecs", flipped);
      REQUIRE_THROWS_AS(annulus::read_vecs<TestType>(folder / "flipped.vecs"), annulus::format_error);
      REQUIRE_THROWS_AS(annulus::map_vecs<TestType>(folder / "flipped.vecs"), annulus::format_error);
    }
}

TEST_CASE("vecs: d below one is refused", "[vecs]") {
  CHECK_THAT(complaint(header(0)), ContainsSubstring("byte 0: d = 0 must be at least 1"));
  CHECK_THAT(complaint(header(-1) + "abcd"), ContainsSubstring("byte 0: d = -1 must be at least 1"));
  CHECK_THAT(complaint(header(std::numeric_limits<std::int32_t>::min())), ContainsSubstring("byte 0: d = -2147483648"));
}

TEST_CASE("vecs: a d that the file cannot hold is refused before memory is asked for", "[vecs]") {
  const auto huge = header(std::numeric_limits<std::int32_t>::max());
  CHECK_THAT(complaint(huge + "abcd"), ContainsSubstring("byte 0: the last row has 8 of the 8589934592 bytes"));
  CHECK_THAT(complaint<std::uint8_t>(huge), ContainsSubstring("byte 0: the last row has 4 of the 2147483651 bytes"));
}

TEST_CASE("vecs: the complaint names the byte and the row where d differs", "[vecs]") {
  const std::string row(6, 'x');
  CHECK_THAT(complaint<std::uint8_t>(header(6) + row + header(6) + row + header(5) + row),
             ContainsSubstring("byte 20: d = 5 of row 2 differs from the first row's 6"));
}

TEST_CASE("vecs: the complaint names the byte where the last row starts and what is missing", "[vecs]") {
  CHECK_THAT(complaint(header(2) + "12345678" + header(2) + "123"),
             ContainsSubstring("byte 12: the last row has 7 of the 12 bytes that d = 2 asks for"));
}

TEST_CASE("vecs: a header cut short is refused", "[vecs]") {
  CHECK_THAT(complaint("\2"), ContainsSubstring("byte 1: the file ends here, 3 bytes too early"));
}

TEST_CASE("vecs: a window that avoids a bad row can be read", "[vecs]") {
  const scratch_folder folder;
  write_bytes(folder / "a.bvecs", header(1) + "a" + header(7) + "b" + header(1) + "c");
  CHECK(annulus::read_vecs<std::uint8_t>(folder / "a.bvecs", 2)(0, 0) == 'c');
  CHECK_THROWS_AS(annulus::read_vecs<std::uint8_t>(folder / "a.bvecs", 1), annulus::format_error);
}

TEST_CASE("vecs: a bad row is noticed wherever it is among many, by its number in the file", "[vecs]") {
  const scratch_folder folder;
  const std::size_t n = 30000, d = 20;  // read in blocks
  annulus::write_vecs(folder / "a.bvecs", sample<std::uint8_t>(n, d));
  const auto bytes = bytes_of(folder / "a.bvecs");
  for (const std::size_t row : {1u, 10922u, 10923u, 29999u}) {
    auto changed = bytes;
    changed[row * (d + 4) + 1] = 1;
    write_bytes(folder / "a.bvecs", changed);
    const auto complaint = ContainsSubstring("byte " + std::to_string(row * (d + 4)) + ": d = 276 of row " +
                                             std::to_string(row) + " differs from the first row's 20");
    CHECK_THROWS_WITH(annulus::read_vecs<std::uint8_t>(folder / "a.bvecs"), complaint);
    CHECK_THROWS_WITH(annulus::read_vecs<std::uint8_t>(folder / "a.bvecs", row), complaint);
    CHECK_THROWS_WITH(annulus::map_vecs<std::uint8_t>(folder / "a.bvecs"), complaint);
    CHECK_NOTHROW(annulus::read_vecs<std::uint8_t>(folder / "a.bvecs", 0, row));
  }
}

TEST_CASE("vecs: mapped rows lie in the file, a header apart", "[vecs]") {
  const scratch_folder folder;
  annulus::write_vecs(folder / "a.fvecs", sample<float>(3, 7));
  CHECK(annulus::map_vecs<float>(folder / "a.fvecs").view().stride() == 8);
  annulus::write_vecs(folder / "a.bvecs", sample<std::uint8_t>(3, 7));
  CHECK(annulus::map_vecs<std::uint8_t>(folder / "a.bvecs").view().stride() == 11);
}

TEST_CASE("vecs: bvecs read as fvecs, or fvecs as bvecs, are refused", "[vecs]") {
  const scratch_folder folder;
  annulus::write_vecs(folder / "a.bvecs", sample<std::uint8_t>(10, 8));
  CHECK_THROWS_AS(annulus::read_vecs<float>(folder / "a.bvecs"), annulus::format_error);
  annulus::write_vecs(folder / "a.fvecs", sample<float>(10, 8));
  CHECK_THROWS_AS(annulus::read_vecs<std::uint8_t>(folder / "a.fvecs"), annulus::format_error);
}

TEST_CASE("vecs: a missing file and a folder are errors of the system", "[vecs]") {
  const scratch_folder folder;
  CHECK_THROWS_AS(annulus::read_vecs<float>(folder / "missing.fvecs"), std::system_error);
  CHECK_THROWS_AS(annulus::read_vecs<float>(folder / ""), std::system_error);
}

TEST_CASE("vecs: writing into a folder that does not exist is an error of the system", "[vecs]") {
  const scratch_folder folder;
  CHECK_THROWS_AS(annulus::write_vecs(folder / "missing/a.fvecs", sample<float>(1, 1)), std::system_error);
}

TEST_CASE("vecs: rows of no values cannot be written", "[vecs]") {
  const scratch_folder folder;
  CHECK_THROWS_AS(annulus::write_vecs(folder / "a.fvecs", matrix<float>(2, 0)), std::invalid_argument);
  CHECK(folder.n_files() == 0);
}

TEST_CASE("vecs: a file is replaced, and nothing else is left in its folder", "[vecs]") {
  const scratch_folder folder;
  annulus::write_vecs(folder / "a.fvecs", sample<float>(3, 2));
  annulus::write_vecs(folder / "a.fvecs", sample<float>(1, 4));
  CHECK(annulus::read_vecs<float>(folder / "a.fvecs") == sample<float>(1, 4));
  CHECK(folder.n_files() == 1);
}

TEST_CASE("vecs: a write that fails leaves no temporary file", "[vecs]") {
  const scratch_folder folder;
  std::filesystem::create_directories(folder / "a.fvecs" / "occupied");  // a folder that no rename can replace
  CHECK_THROWS_AS(annulus::write_vecs(folder / "a.fvecs", sample<float>(1, 1)), std::system_error);
  CHECK(folder.n_files() == 1);
}

TEST_CASE("vecs: the old file is whole until the new one is", "[vecs]") {
  const scratch_folder folder;
  write_bytes(folder / "a", "old");
  {
    annulus::detail::output_file file(folder / "a");
    file.write("new", 3);
    CHECK(bytes_of(folder / "a") == "old");
  }
  CHECK(bytes_of(folder / "a") == "old");
  CHECK(folder.n_files() == 1);
}
