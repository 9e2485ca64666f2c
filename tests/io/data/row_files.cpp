#include <annulus/io/data/big_ann.hpp>
#include <annulus/io/data/npy.hpp>
#include <annulus/io/data/vecs.hpp>
#include <annulus/knn/knn.hpp>

#include "catch.hpp"
#include "io/foreign_files.hpp"
#include "io/scratch.hpp"
#include "progress_watch.hpp"

#include <functional>
#include <optional>

using annulus::all_rows;
using annulus::matrix;
using annulus::progress_callback;
using path = std::filesystem::path;

namespace {

/// A format and a type of values, what is read being its shape and its bytes.
struct format {
  std::string extension;
  std::size_t header_bytes;  ///< of a file of three rows
  std::function<void(const path&, std::size_t rows, std::size_t cols, const progress_callback&)> write;
  std::function<std::string(const path&, std::size_t first, std::size_t count, const progress_callback&)> read;
  std::function<std::string(const path&)> map;

  std::string read_all(const path& file) const { return read(file, 0, all_rows, {}); }
};

template <class T>
std::string shape_and_bytes(const annulus::matrix_view<T>& rows) {
  std::string text = std::to_string(rows.rows()) + " x " + std::to_string(rows.cols()) + ": ";
  for (std::size_t i = 0; i < rows.rows(); ++i)
    text.append(reinterpret_cast<const char*>(rows.row(i).data()), rows.row(i).size_bytes());
  return text;
}

/// No four bytes of them make a plausible size.
template <class T>
matrix<T> sample(std::size_t rows, std::size_t cols) {
  matrix<T> m(rows, cols);
  for (std::size_t i = 0; i < rows * cols; ++i) m.data()[i] = static_cast<T>(0x01010100 + i % 120);
  return m;
}

template <class T, class Write, class Read, class Map>
format make_format(const std::string& extension, std::size_t header_bytes, Write write, Read read, Map map) {
  return {extension, header_bytes,
          [write](const path& file, std::size_t rows, std::size_t cols, const progress_callback& progress) {
            write(file, sample<T>(rows, cols), annulus::file_params{progress});
          },
          [read](const path& file, std::size_t first, std::size_t count, const progress_callback& progress) {
            return shape_and_bytes<T>(read(file, first, count, annulus::file_params{progress}));
          },
          [map](const path& file) { return shape_and_bytes<T>(map(file)); }};
}

template <class T>
format vecs(const std::string& extension) {
  return make_format<T>(
      extension, 4, [](auto&&... a) { annulus::write_vecs(a...); },
      [](auto&&... a) { return annulus::read_vecs<T>(a...); }, annulus::map_vecs<T>);
}
template <class T>
format big_ann(const std::string& extension) {
  return make_format<T>(
      extension, 8, [](auto&&... a) { annulus::write_big_ann(a...); },
      [](auto&&... a) { return annulus::read_big_ann<T>(a...); }, annulus::map_big_ann<T>);
}
template <class T>
format npy() {
  return make_format<T>(
      ".npy", 128, [](auto&&... a) { annulus::write_npy(a...); },
      [](auto&&... a) { return annulus::read_npy<T>(a...); }, annulus::map_npy<T>);
}

const std::vector<format> formats{
    vecs<float>(".fvecs"),
    vecs<std::uint8_t>(".bvecs"),
    vecs<std::int32_t>(".ivecs"),
    big_ann<float>(".fbin"),
    big_ann<std::uint8_t>(".u8bin"),
    big_ann<std::int8_t>(".i8bin"),
    big_ann<std::int32_t>(".ibin"),
    npy<float>(),
    npy<std::int64_t>(),
};

/// What read() returns, unless the file is refused.
template <class Read>
std::optional<std::string> unless_refused(Read read) {
  try {
    return read();
  } catch (const annulus::format_error&) {
    return std::nullopt;
  }
}

}  // namespace

TEST_CASE("row files: what was written is read and mapped", "[row_files]") {
  const scratch_folder folder;
  for (const format& f : formats)
    for (const auto& [rows, cols] : {std::pair{1u, 1u}, {1u, 700u}, {3u, 2u}, {200u, 17u}, {150u, 700u}}) {
      const path file = folder / ("a" + f.extension);
      f.write(file, rows, cols, {});
      const auto read = f.read_all(file);
      INFO(f.extension << " " << rows << " x " << cols);
      REQUIRE(read.starts_with(std::to_string(rows) + " x " + std::to_string(cols) + ": "));
      REQUIRE(f.map(file) == read);
    }
}

TEST_CASE("row files: a window of rows is the slice of the whole", "[row_files]") {
  const scratch_folder folder;
  for (const format& f : formats) {
    const path file = folder / ("a" + f.extension);
    f.write(file, 7, 5, {});
    const auto whole = f.read_all(file);
    const auto values = whole.substr(whole.find(':') + 2);
    for (std::size_t first = 0; first <= 7; ++first)
      for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{3}, std::size_t{7}, all_rows}) {
        const std::size_t rows = std::min(count, 7 - first), row_bytes = values.size() / 7;
        INFO(f.extension << " from " << first << " on " << count);
        REQUIRE(f.read(file, first, count, {}) ==
                std::to_string(rows) + " x 5: " + values.substr(first * row_bytes, rows * row_bytes));
      }
    REQUIRE_THROWS_AS(f.read(file, 8, 0, {}), std::invalid_argument);
    REQUIRE_THROWS_WITH(f.read(file, 8, 0, {}), ContainsSubstring("first = 8: must be at most 7"));
  }
}

TEST_CASE("row files: a file cut anywhere but between rows that have each a header is refused", "[row_files]") {
  const scratch_folder folder;
  const path cut = folder / "cut";
  for (const format& f : formats) {
    f.write(folder / "whole", 3, 5, {});
    const auto bytes = bytes_of(folder / "whole");
    const bool is_vecs = f.header_bytes == 4;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      write_bytes(cut, bytes.substr(0, size));
      const auto read = unless_refused([&] { return f.read_all(cut); });
      INFO(f.extension << " cut to " << size);
      REQUIRE(read.has_value() == (is_vecs && size % (bytes.size() / 3) == 0));
      REQUIRE(unless_refused([&] { return f.map(cut); }) == read);
      REQUIRE(unless_refused([&] { return f.read(cut, 0, 1, {}); }).has_value() == read.has_value());
      REQUIRE(unless_refused([&] { return f.read(cut, 0, 0, {}); }).has_value() == read.has_value());
    }
    write_bytes(cut, bytes + "x");
    REQUIRE_THROWS_AS(f.read_all(cut), annulus::format_error);
    REQUIRE_THROWS_AS(f.map(cut), annulus::format_error);
  }
}

TEST_CASE("row files: a header with a byte changed is refused or read and mapped alike", "[row_files]") {
  const scratch_folder folder;
  const path file = folder / "changed";
  for (const format& f : formats) {
    f.write(folder / "whole", 3, 5, {});
    const auto bytes = bytes_of(folder / "whole");
    std::size_t n_read = 0;
    for (std::size_t byte = 0; byte < f.header_bytes; ++byte)
      for (const int flip : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
        auto changed = bytes;
        changed[byte] = static_cast<char>(changed[byte] ^ flip);
        write_bytes(file, changed);
        INFO(f.extension << " byte " << byte << " is " << +changed[byte]);
        const auto read = unless_refused([&] { return f.read_all(file); });
        REQUIRE(unless_refused([&] { return f.map(file); }) == read);
        REQUIRE(unless_refused([&] { return f.read(file, 0, all_rows, {}); }) == read);
        if (read) REQUIRE(read->size() < 2 * bytes.size());
        n_read += read.has_value();
      }
    CHECK((n_read == 0 || f.extension == ".npy"));  // whose header has spaces
  }
}

TEST_CASE("row files: a reader refuses the files of every other format and type", "[row_files]") {
  const scratch_folder folder;
  for (const format& written : formats) {
    const path file = folder / ("a" + written.extension);
    written.write(file, 3, 5, {});
    for (const format& other : formats) {
      if (&written == &other) continue;
      INFO(written.extension << " as " << other.extension);
      REQUIRE_THROWS_AS(other.read_all(file), annulus::format_error);
      REQUIRE_THROWS_AS(other.read(file, 1, 1, {}), annulus::format_error);
      REQUIRE_THROWS_AS(other.map(file), annulus::format_error);
    }
  }
}

TEST_CASE("row files: without a name that tells, only what the bytes are valid for is read", "[row_files]") {
  const scratch_folder folder;
  const path file = folder / "a.bin";
  const std::vector<std::string> alike{".fvecs.ivecs", ".ivecs.fvecs", ".fbin.ibin",
                                       ".ibin.fbin",   ".u8bin.i8bin", ".i8bin.u8bin"};
  for (const format& written : formats) {
    written.write(file, 3, 5, {});
    for (const format& other : formats) {
      if (&written == &other) continue;
      INFO(written.extension << " as " << other.extension);
      const bool is_valid = std::ranges::count(alike, written.extension + other.extension) > 0;
      REQUIRE(unless_refused([&] { return other.read_all(file); }).has_value() == is_valid);
      REQUIRE(unless_refused([&] { return other.map(file); }).has_value() == is_valid);
    }
  }
}

TEST_CASE("row files: rows are not written under the name of another type", "[row_files]") {
  const scratch_folder folder;
  const auto family = [](const format& f) { return f.header_bytes; };
  for (const format& f : formats)
    for (const format& other : formats)
      if (f.extension != other.extension && family(f) == family(other)) {
        CHECK_THROWS_AS(f.write(folder / ("a" + other.extension), 1, 1, {}), std::invalid_argument);
        CHECK(folder.n_files() == 0);
      }
  CHECK_THROWS_WITH(annulus::write_vecs(folder / "a.bvecs", matrix<float>(1, 1)),
                    ContainsSubstring("a.bvecs: rows of this type make .fvecs files"));
}

TEST_CASE("row files: an index's file, an archive and an empty file are none", "[row_files]") {
  const scratch_folder folder;
  const path file = folder / "a";
  for (const std::string& bytes : {std::string("\x10\0\0\0\0\0\0\0{\"a\":{}}        ", 24),
                                   std::string("\x89HDF\r\n\x1A\n", 8) + std::string(64, '\0'), std::string("PK\3\4"),
                                   std::string("IxPQ\0\1\0\0", 8), std::string(64, '\0'), std::string()}) {
    write_bytes(file, bytes);
    for (const format& f : formats) {
      if (bytes.empty() && f.header_bytes == 4) continue;  // an empty file is no rows
      INFO(f.extension << " of " << bytes.size() << " bytes");
      REQUIRE_THROWS_AS(f.read_all(file), annulus::format_error);
      REQUIRE_THROWS_AS(f.map(file), annulus::format_error);
    }
  }
}

TEST_CASE("row files: no rows are written, read and mapped", "[row_files]") {
  const scratch_folder folder;
  for (const format& f : formats) {
    const path file = folder / ("a" + f.extension);
    f.write(file, 0, 5, {});
    const auto read = f.read_all(file);
    CHECK(read == (f.header_bytes == 4 ? "0 x 0: " : "0 x 5: "));
    CHECK(f.map(file) == read);
  }
}

TEST_CASE("row files: what is missing or no regular file is an error of the system", "[row_files]") {
  const scratch_folder folder;
  for (const format& f : formats)
    for (const path& file : {folder / "missing", folder / "", path("/dev/zero"), path("/dev/null")}) {
      CHECK_THROWS_AS(f.read_all(file), std::system_error);
      CHECK_THROWS_AS(f.map(file), std::system_error);
    }
  for (const format& f : formats) CHECK_THROWS_AS(f.write(folder / "missing/a", 1, 1, {}), std::system_error);
}

TEST_CASE("row files: mapped rows stay those of a file that is replaced", "[row_files]") {
  const scratch_folder folder;
  const path file = folder / "a.fbin";
  annulus::write_big_ann(file, sample<float>(3, 5));
  const annulus::mapped_rows<float> rows = annulus::map_big_ann<float>(file);
  const auto before = shape_and_bytes<float>(rows);
  annulus::write_big_ann(file, matrix<float>(300, 50, 7.0f));
  CHECK(shape_and_bytes<float>(rows) == before);
  CHECK(annulus::map_big_ann<float>(file).view().row(299)[49] == 7.0f);
}

TEST_CASE("row files: mapped rows are searched like others", "[row_files]") {
  static_assert(annulus::matrix_like<annulus::mapped_rows<float>>);
  const scratch_folder folder;
  matrix<float> rows(50, 6);
  for (std::size_t i = 0; i < 300; ++i) rows.data()[i] = static_cast<float>(i * i % 71);
  annulus::write_vecs(folder / "a.fvecs", rows);
  const auto mapped = annulus::map_vecs<float>(folder / "a.fvecs");  // whose stride is not its columns
  CHECK(annulus::knn(mapped, mapped, 5) == annulus::knn(rows, rows, 5));
  CHECK(mapped.size() == 50);
  CHECK(mapped.dim() == 6);
  CHECK(std::ranges::equal(mapped.row(49), rows.row(49)));
}

TEST_CASE("row files: progress grows to one in steps of a few MB", "[row_files]") {
  const scratch_folder folder;
  for (const format& f : {vecs<float>(".fvecs"), big_ann<std::uint8_t>(".u8bin"), npy<float>()}) {
    const path file = folder / ("a" + f.extension);
    const std::size_t rows = 3000, cols = f.extension == ".u8bin" ? 4000 : 1000;
    std::vector<double> fractions;
    progress_watch watch;
    std::string stage;
    const auto progress = [&](const annulus::progress_report& report) {
      watch.see(report);
      stage = report.stage;
      fractions.push_back(report.fraction);
      return true;
    };
    const auto check = [&] {
      CHECK(fractions.size() == 3);  // of 12 MB
      CHECK(watch.fault({stage}) == "");
      CHECK(std::ranges::adjacent_find(fractions, std::greater_equal()) == fractions.end());
      CHECK(fractions.back() == 1);
      fractions.clear();
      watch = {};
    };
    f.write(file, rows, cols, progress);
    check();
    const auto whole = f.read(file, 0, all_rows, progress);
    check();
    f.read(file, 0, rows / 10, progress);
    CHECK(fractions == std::vector{1.0});
    watch = {};
    f.read(file, 0, 0, progress);
    CHECK(fractions == std::vector{1.0, 1.0});
    CHECK(whole == f.read_all(file));
  }
}

TEST_CASE("row files: a read that is cancelled throws, and a write leaves the old file and nothing else",
          "[row_files]") {
  const scratch_folder folder;
  for (const format& f : {vecs<float>(".fvecs"), big_ann<float>(".fbin"), npy<float>()}) {
    const path file = folder / "a";
    for (const int last : {1, 2}) {
      int calls = 0;
      const auto cancel = [&](const annulus::progress_report&) { return ++calls < last; };
      write_bytes(file, "old");
      CHECK_THROWS_AS(f.write(file, 2000, 1000, cancel), annulus::cancelled);
      CHECK(calls == last);
      CHECK(bytes_of(file) == "old");
      CHECK(folder.n_files() == 1);
      f.write(file, 2000, 1000, {});
      calls = 0;
      CHECK_THROWS_AS(f.read(file, 0, all_rows, cancel), annulus::cancelled);
      CHECK(calls == last);
    }
  }
}

TEST_CASE("row files: a file that is none is refused by what it looks like", "[row_files]") {
  check_says_what_files_are(
      "fvecs", [](const path& file) { annulus::read_vecs<float>(file); }, true);
  check_says_what_files_are(
      "bvecs", [](const path& file) { annulus::map_vecs<std::uint8_t>(file); }, true);
  check_says_what_files_are("fbin", [](const path& file) { annulus::read_big_ann<float>(file); });
  check_says_what_files_are("i8bin", [](const path& file) { annulus::map_big_ann<std::int8_t>(file); });
  check_says_what_files_are("npy", [](const path& file) { annulus::read_npy<float>(file); });
  check_says_what_files_are("npy", [](const path& file) { annulus::map_npy<float>(file); });
}
