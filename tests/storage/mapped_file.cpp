#include <annulus/storage/mapped_file.hpp>
#include <annulus/storage/output_file.hpp>

#include "catch.hpp"
#include "io/scratch.hpp"

#include <sys/stat.h>

using annulus::detail::mapped_file;
using annulus::detail::mapped_reader;

namespace {

std::string text_of(const mapped_file& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

/// How often this process has the file mapped, where the system tells.
std::size_t n_mappings(const std::filesystem::path& path) {
  std::ifstream maps("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find(path.string()) != line.npos;
  return count;
}

/// What this process may do with the pages of a mapped file: "rw-p", "r--p".
std::string rights_of(const std::filesystem::path& path) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (line.find(path.string()) != line.npos) return line.substr(line.find(' ') + 1, 4);
  return {};
}

std::size_t n_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

const bool has_proc = std::filesystem::exists("/proc/self/maps");

}  // namespace

TEST_CASE("a mapped file is its bytes from an address that is a multiple of 64", "[mapped_file]") {
  const scratch_folder folder;
  for (const std::size_t size : {1u, 63u, 4095u, 4096u, 4097u, 100000u}) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 + i / 256);
    write_bytes(folder / "a", bytes);
    const mapped_file file(folder / "a");
    REQUIRE(text_of(file) == bytes);
    REQUIRE(reinterpret_cast<std::uintptr_t>(file.bytes().data()) % 64 == 0);
    REQUIRE(file.name() == (folder / "a").string());
  }
}

TEST_CASE("an empty file is mapped as no bytes", "[mapped_file]") {
  const scratch_folder folder;
  write_bytes(folder / "a", "");
  CHECK(mapped_file(folder / "a").bytes().empty());
}

TEST_CASE("a file can be mapped so that it can be read only", "[mapped_file]") {
  const scratch_folder folder;
  write_bytes(folder / "a", "abc");
  const mapped_file file(folder / "a", annulus::detail::file_mapping::read_only);
  CHECK(text_of(file) == "abc");
  if (has_proc) CHECK(rights_of(folder / "a") == "r--p");
}

TEST_CASE("what is written to a mapped file stays in that mapping", "[mapped_file]") {
  const scratch_folder folder;
  write_bytes(folder / "a", "abc");
  mapped_file file(folder / "a");
  const mapped_file other(folder / "a");
  file.bytes()[1] = std::byte{'X'};
  CHECK(text_of(file) == "aXc");
  CHECK(text_of(other) == "abc");
  CHECK(bytes_of(folder / "a") == "abc");
}

TEST_CASE("a file that is replaced or removed stays mapped as it was", "[mapped_file]") {
  const scratch_folder folder;
  write_bytes(folder / "a", std::string(10000, 'o'));
  const mapped_file file(folder / "a");
  {
    annulus::detail::output_file replacement(folder / "a");
    replacement.write("new", 3);
    replacement.commit();
  }
  CHECK(text_of(file) == std::string(10000, 'o'));
  const mapped_file newer(folder / "a");
  std::filesystem::remove(folder / "a");
  CHECK(text_of(file) == std::string(10000, 'o'));
  CHECK(text_of(newer) == "new");
}

TEST_CASE("a file is mapped by one owner at a time and no longer than it lives", "[mapped_file]") {
  static_assert(!std::is_copy_constructible_v<mapped_file> && !std::is_copy_assignable_v<mapped_file>);
  static_assert(std::is_nothrow_move_constructible_v<mapped_file> && std::is_nothrow_move_assignable_v<mapped_file>);
  const scratch_folder folder;
  write_bytes(folder / "a", "abc");
  write_bytes(folder / "b", "def");
  {
    mapped_file a(folder / "a"), b(folder / "b");
    const std::byte* const start = a.bytes().data();
    mapped_file moved(std::move(a));
    CHECK(moved.bytes().data() == start);
    CHECK(a.bytes().empty());
    moved = std::move(b);
    CHECK(text_of(moved) == "def");
    CHECK(moved.name() == (folder / "b").string());
    CHECK(b.bytes().empty());
    CHECK(n_mappings(folder / "a") == 0);
    if (has_proc) CHECK(n_mappings(folder / "b") == 1);
  }
  CHECK(n_mappings(folder / "b") == 0);
}

TEST_CASE("a file that is mapped holds no descriptor", "[mapped_file]") {
  if (!has_proc) return;
  const scratch_folder folder;
  write_bytes(folder / "a", "abc");
  const std::size_t before = n_descriptors();
  const mapped_file file(folder / "a");
  CHECK_THROWS_AS(mapped_file(folder / ""), std::system_error);
  CHECK(n_descriptors() == before);
}

TEST_CASE("what is missing or no regular file is not mapped, an error of the system", "[mapped_file]") {
  const scratch_folder folder;
  CHECK_THROWS_AS(mapped_file(folder / "missing"), std::system_error);
  CHECK_THROWS_AS(mapped_file(folder / ""), std::system_error);
  CHECK_THROWS_AS(mapped_file("/dev/zero"), std::system_error);
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK_THROWS_AS(mapped_file(folder / "pipe"), std::system_error);
  CHECK_THROWS_WITH(mapped_file(folder / "missing"), ContainsSubstring((folder / "missing").string()));
}

TEST_CASE("a file that may not be read is not mapped", "[mapped_file]") {
  const scratch_folder folder;
  write_bytes(folder / "a", "abc");
  REQUIRE(chmod((folder / "a").c_str(), 0) == 0);
  const uid_t self = geteuid(), nobody = 65534;
  if (self == 0) REQUIRE(seteuid(nobody) == 0);  // root may read everything
  CHECK_THROWS_AS(mapped_file(folder / "a"), std::system_error);
  CHECK_THROWS_AS(annulus::detail::input_file(folder / "a"), std::system_error);
  REQUIRE(seteuid(self) == 0);
}

TEST_CASE("a mapped file is read from front to back, not beyond its end", "[mapped_file]") {
  const scratch_folder folder;
  write_bytes(folder / "a", std::string("\1\0\0\0abc", 7));
  const mapped_file file(folder / "a");
  mapped_reader reader(file);
  CHECK(reader.size() == 7);
  CHECK(reader.read_value<std::int32_t>() == 1);
  CHECK(reader.offset() == 4);
  CHECK_THROWS_WITH(reader.read_value<std::int32_t>(),
                    ContainsSubstring("byte 7: the file ends here, 1 bytes too early"));
  char rest[4] = "";
  reader.read(rest, 3);
  CHECK(std::string(rest) == "abc");
  CHECK_NOTHROW(reader.read(rest, 0));
  const volatile std::size_t absurd = std::numeric_limits<std::size_t>::max();  // which the compiler need not know
  CHECK_THROWS_AS(reader.read(rest, absurd), annulus::format_error);
}

TEST_CASE("a complaint about a mapped file names the file and the byte", "[mapped_file]") {
  CHECK(complaint_about("abc", [](const auto& path) { mapped_file(path).fail(2, "c is ", 3); }) == "byte 2: c is 3");
}

TEST_CASE("a read that the system refuses is an error of the system", "[file]") {
  if (!has_proc) return;
  annulus::detail::input_file file("/proc/self/mem");  // nothing is mapped at 0
  char byte;
  CHECK_THROWS_AS(file.read(&byte, 1), std::system_error);
}
