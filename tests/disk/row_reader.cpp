#include <annulus/core/base/random.hpp>
#include <annulus/disk/row_reader.hpp>

#include "io/scratch.hpp"

#include <numeric>

#if defined(__linux__)
#include <fcntl.h>
#include <unistd.h>
#endif

using namespace annulus;
using namespace annulus::detail;

namespace {

/// A file of bytes by which rows are known.
struct numbered_file {
  explicit numbered_file(std::size_t size) : bytes(size, '\0') {
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(mixed_bits(i));
    write_bytes(path(), bytes);
  }
  std::filesystem::path path() const { return folder / "rows"; }

  scratch_folder folder;
  std::string bytes;
};

const std::vector<read_params> all_ways{{},
                                        {.direct = false},
                                        {.io_uring = false},
                                        {.direct = false, .io_uring = false},
                                        {.io_uring = false, .read_threads = 1}};

std::string row_of(const row_reader& reader, std::size_t i) {
  return {reinterpret_cast<const char*>(reader[i]), reader.file().rows().row_bytes};
}

/// How many rows are not those of the file.
std::size_t wrong_rows(row_reader& reader, const std::string& bytes, std::span<const std::uint64_t> rows) {
  const row_places& places = reader.file().rows();
  reader.start(rows);
  reader.wait();
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < rows.size(); ++i)
    wrong += row_of(reader, i) != bytes.substr(places.offset + rows[i] * places.stride, places.row_bytes);
  return wrong;
}

}  // namespace

TEST_CASE("rows of any length and place are read whole", "[row_reader]") {
  for (const row_places& places : std::vector<row_places>{{0, 128, 128, 500},
                                                          {4, 132, 128, 500},
                                                          {999, 513, 512, 300},
                                                          {64, 1536, 1536, 100},
                                                          {1, 5000, 4999, 40},
                                                          {128, 1, 1, 4000},
                                                          {0, 40000, 33000, 7}}) {
    const numbered_file file(places.offset + (places.count - 1) * places.stride + places.row_bytes);
    for (const read_params& params : all_ways) {
      const auto opened = std::make_shared<const row_file>(file.path(), places, params.direct);
      row_reader reader(opened, params);
      std::vector<std::uint64_t> rows(places.count);
      std::iota(rows.rbegin(), rows.rend(), std::uint64_t{0});  // more than the ring has entries
      CHECK(wrong_rows(reader, file.bytes, rows) == 0);
      CHECK(wrong_rows(reader, file.bytes, std::span(rows).first(3)) == 0);
      CHECK(wrong_rows(reader, file.bytes, {}) == 0);
      CHECK(reader.n_reads() == places.count + 3);
      CHECK(reader.n_bytes() >= (places.count + 3) * places.row_bytes);
    }
  }
}

TEST_CASE("direct reads are of whole sectors, others of the row alone", "[row_reader]") {
  const numbered_file file(100 * 132);
  const row_places places{4, 132, 128, 100};
  const std::vector<std::uint64_t> first{0};
  for (const bool direct : {false, true}) {
    const auto opened = std::make_shared<const row_file>(file.path(), places, direct);
    row_reader reader(opened, {.direct = direct});
    CHECK(wrong_rows(reader, file.bytes, first) == 0);
    CHECK(reader.n_bytes() == (opened->is_direct() ? opened->file().alignment() : 128));
  }
}

TEST_CASE("rows that were asked for and not waited for do no harm", "[row_reader]") {
  const numbered_file file(1000 * 512);
  std::vector<std::uint64_t> rows(1000);
  std::iota(rows.begin(), rows.end(), std::uint64_t{0});
  for (const read_params& params : all_ways) {
    const auto opened = std::make_shared<const row_file>(file.path(), row_places{0, 512, 512, 1000}, params.direct);
    row_reader reader(opened, params);
    reader.start(rows);
    CHECK(wrong_rows(reader, file.bytes, std::span(rows).subspan(500, 20)) == 0);
    reader.start(std::span(rows).first(100));
    row_reader moved = std::move(reader);
    moved.wait();
    CHECK(row_of(moved, 99) == file.bytes.substr(99 * 512, 512));
    moved.start(rows);
  }
}

TEST_CASE("a file too short for its rows is refused, one cut later is noticed", "[row_reader]") {
  const numbered_file file(100 * 64);
  CHECK(message_of<format_error>([&] {
          row_file(file.path(), {0, 64, 64, 101}, false);
        }) == file.path().string() +
                  ": byte 6400: the file ends here, too early for 101 rows of 64 bytes, 64 bytes apart "
                  "from byte 0 on");
  constexpr std::uint64_t great = std::uint64_t{1} << 63;
  for (const row_places& places :
       std::vector<row_places>{{great, 64, 64, 100}, {0, great, 64, 3}, {0, 64, great, 1}, {0, 64, 64, great}})
    CHECK_THROWS_AS(row_file(file.path(), places, false), format_error);
  CHECK(row_file(file.path(), {0, great, 64, 1}, false).size() == 6400);
  CHECK_THROWS_AS(row_file(file.folder / "none", {0, 64, 64, 100}, true), std::system_error);
  std::filesystem::create_directory(file.folder / "folder");
  CHECK_THROWS_AS(row_file(file.folder / "folder", {0, 64, 64, 100}, true), std::system_error);
  const std::vector<std::uint64_t> rows{1, 99, 50};
  for (const read_params& params : all_ways) {
    write_bytes(file.path(), file.bytes);
    const auto opened = std::make_shared<const row_file>(file.path(), row_places{0, 64, 64, 100}, params.direct);
    row_reader reader(opened, params);
    CHECK(wrong_rows(reader, file.bytes, rows) == 0);
    std::filesystem::resize_file(file.path(), 3000);
    reader.start(rows);
    CHECK(message_of<format_error>([&] { reader.wait(); }).starts_with(file.path().string() + ": "));
  }
}

#if defined(__linux__)
TEST_CASE("a read that the system refuses reaches the caller with the name of the file", "[row_reader]") {
  const numbered_file file(100 * 64);
  const std::vector<std::uint64_t> rows{1, 99, 50, 7, 8};
  for (const read_params& params : all_ways) {
    const auto opened = std::make_shared<const row_file>(file.path(), row_places{0, 64, 64, 100}, params.direct);
    row_reader reader(opened, params);
    const int folder = open("/", O_RDONLY | O_CLOEXEC);
    REQUIRE(dup2(folder, opened->file().descriptor()) >= 0);  // reads of a folder fail
    close(folder);
    for (int i = 0; i < 2; ++i) {
      reader.start(rows);
      const std::string message = message_of<std::system_error>([&] { reader.wait(); });
      CHECK(message == file.path().string() + ": Is a directory");
    }
  }
}
#endif
