#include <annulus/storage/system_files.hpp>

#include "io/scratch.hpp"

#include <memory>

using annulus::detail::random_file;

namespace {

/// `bytes` at an offset, read as the file's alignment asks.
std::string read(const random_file& file, std::uint64_t offset, std::size_t bytes) {
  constexpr std::size_t page = 4096;
  const std::unique_ptr<char[]> memory(new char[bytes + 2 * page]);
  const auto place = reinterpret_cast<std::uintptr_t>(memory.get());
  char* const to = memory.get() + (page - place % page);
  return {to, file.read_at(offset, to, bytes, "name")};
}

}  // namespace

TEST_CASE("a file is read at any place, to its end", "[random_file]") {
  const scratch_folder folder;
  std::string bytes(10'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 + i / 256);
  write_bytes(folder / "a", bytes);
  for (const bool is_direct : {false, true}) {
    const random_file file(folder / "a", "name", is_direct);
    CHECK(file.size() == 10'000);
    CHECK(read(file, 4096, 4096) == bytes.substr(4096, 4096));
    CHECK(read(file, 8192, 4096) == bytes.substr(8192));
    CHECK(read(file, 12288, 4096).empty());
    if (file.alignment() == 1) CHECK(read(file, 77, 5000) == bytes.substr(77, 5000));
    else CHECK(read(file, file.alignment(), file.alignment()) == bytes.substr(file.alignment(), file.alignment()));
    CHECK((is_direct || file.alignment() == 1));
  }
}

TEST_CASE("a file knows whether it was written to or cut since it was opened", "[random_file]") {
  const scratch_folder folder;
  write_bytes(folder / "a", "some bytes");
  const random_file file(folder / "a", "name", false);
  CHECK(file.is_unchanged());
  CHECK(read(file, 0, 4) == "some");
  CHECK(file.is_unchanged());
  std::filesystem::last_write_time(folder / "a", std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  CHECK(!file.is_unchanged());
  const random_file again(folder / "a", "name", false);
  std::filesystem::resize_file(folder / "a", 3);
  CHECK(!again.is_unchanged());
}

TEST_CASE("folders and files that are not there are refused by the name given", "[random_file]") {
  const scratch_folder folder;
  for (const bool is_direct : {false, true}) {
    CHECK(message_of<std::system_error>([&] {
            random_file(folder / "none", "a name", is_direct);
          }).starts_with("a name: "));
    CHECK_THROWS_AS(random_file(folder / "", "a name", is_direct), std::system_error);
  }
}
