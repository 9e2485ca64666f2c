#include <annulus/core/base/random.hpp>
#include <annulus/core/result/neighbors.hpp>
#include <annulus/io/index/index_file.hpp>

#include <chrono>
#include <thread>

#include "io/child.hpp"
#include "io/scratch.hpp"

using namespace annulus;

namespace {

neighbors graph(std::size_t n, std::size_t k) {
  neighbors made(n, k);
  for (std::size_t i = 0; i < n * k; ++i) {
    made.ids.data()[i] = static_cast<id_type>((i / k + 1 + i % k) % n);
    made.distances.data()[i] = static_cast<float>(i % k);
  }
  return made;
}

/// How many processes are killed at random: the variable ANNULUS_TEST_KILLS, else 20.
std::size_t n_kills() {
  const char* const asked = std::getenv("ANNULUS_TEST_KILLS");
  return asked != nullptr ? std::strtoul(asked, nullptr, 10) : 20;
}

std::size_t n_temporary(const std::filesystem::path& folder) {
  std::size_t n = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    n += entry.path().filename().string().starts_with("annulus-") && entry.path().extension() == ".tmp";
  return n;
}

}  // namespace

TEST_CASE("a process killed while it writes leaves the old index and a temporary file", "[kills]") {
  const neighbors old = graph(300, 100), other = graph(400, 90);
  const scratch_folder folder;
  save(old, folder / "file");
  const auto whole = std::filesystem::file_size(folder / "file");
  std::size_t n_killed = 0;
  for (const std::uintmax_t room : {std::uintmax_t{100}, whole / 2, whole}) {
    CHECK(in_child([&] {
            limit_files(room, true);
            save(other, folder / "file");
            return 0;
          }) == -1);
    CHECK(n_temporary(folder / "") == ++n_killed);
    CHECK(load_index<neighbors>(folder / "file") == old);
  }
  save(other, folder / "file");
  CHECK(load_index<neighbors>(folder / "file") == other);
  CHECK(folder.n_files() == n_killed + 1);
}

TEST_CASE("after a kill at any moment of a save the index is the old one or the new one", "[kills]") {
  const neighbors first = graph(300, 100), second = graph(400, 90);
  const scratch_folder folder;
  save(first, folder / "file");
  const counter_random random(1);
  const std::size_t kills = n_kills();
  std::size_t n_first = 0, n_second = 0;
  for (std::size_t i = 0; i < kills; ++i) {
    child saver([&] {
      for (;;) {
        save(i % 2 == 0 ? second : first, folder / "file");
        save(i % 2 == 0 ? first : second, folder / "file");
      }
      return 0;
    });
    std::this_thread::sleep_for(std::chrono::microseconds(500 + random.below(i, 8000)));
    saver.kill();
    const auto found = load_index<neighbors>(folder / "file");
    n_first += found == first;
    n_second += found == second;
    CHECK(map_index<neighbors>(folder / "file") == found);
  }
  CHECK(n_first + n_second == kills);
  const auto n_left = n_temporary(folder / "");
  CHECK(n_left <= kills);
  CHECK(folder.n_files() == n_left + 1);
  if (kills > 20)
    WARN(n_first << " of the one, " << n_second << " of the other, " << n_left << " temporary files left");
  save(second, folder / "file");
  CHECK(load_index<neighbors>(folder / "file") == second);
}
