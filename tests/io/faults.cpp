#include <annulus/core/neighbors.hpp>
#include <annulus/io/big_ann.hpp>
#include <annulus/io/index_file.hpp>
#include <annulus/io/npy.hpp>
#include <annulus/io/vecs.hpp>
#include <annulus/quantization/faiss_io.hpp>

#include <functional>

#include "io/child.hpp"
#include "io/scratch.hpp"
#include "quantization/random_rows.hpp"

using namespace annulus;

namespace {

using path = std::filesystem::path;

/// An index that is all of one thing, of 8 n k bytes.
neighbors graph(std::size_t n, std::size_t k) {
  neighbors made(n, k);
  for (std::size_t i = 0; i < n * k; ++i) {
    made.ids.data()[i] = static_cast<id_type>(i % n);
    made.distances.data()[i] = static_cast<float>(i);
  }
  return made;
}

struct writer {
  std::string name;
  std::function<void(const path&)> write;
};

/// All that write files, what they write being some KB.
const std::vector<writer>& writers() {
  static const matrix<float> rows = random_rows(100, 30, 1);
  static const std::vector<writer> all = {
      {"save", [](const path& p) { save(graph(100, 20), p); }},
      {"write_npy", [](const path& p) { write_npy(p, rows); }},
      {"write_vecs", [](const path& p) { write_vecs(p, rows); }},
      {"write_big_ann", [](const path& p) { write_big_ann(p, rows); }},
      {"write_faiss", [](const path& p) { write_faiss(p, faiss_flat(rows)); }},
  };
  return all;
}

/// The system's error in f(), 0 where there is none.
template <class F>
int error_of(F f) {
  try {
    f();
  } catch (const std::system_error& error) {
    return error.code().value();
  }
  return 0;
}

}  // namespace

TEST_CASE("where the disk is full the old file stays and no other is left", "[faults]") {
  for (const writer& w : writers()) {
    const scratch_folder folder;
    w.write(folder / "file");
    const auto whole = std::filesystem::file_size(folder / "file");
    write_bytes(folder / "file", "an old file");
    for (const std::uintmax_t room : {std::uintmax_t{0}, std::uintmax_t{9}, whole / 2, whole - 1}) {
      CAPTURE(w.name, room);
      CHECK(in_child([&] {
              limit_files(room);
              return error_of([&] { w.write(folder / "file"); });
            }) == EFBIG);
      CHECK(bytes_of(folder / "file") == "an old file");
      CHECK(folder.n_files() == 1);
    }
    CHECK(in_child([&] {
            limit_files(whole);
            return error_of([&] { w.write(folder / "file"); });
          }) == 0);
    CHECK(std::filesystem::file_size(folder / "file") == whole);
  }
}

TEST_CASE("a file that is larger than all buffers meets a full disk while it is written", "[faults]") {
  const scratch_folder folder;
  const matrix<float> rows(3000, 100);
  for (const std::uintmax_t room : {100'000u, 1'000'000u}) {
    CHECK(in_child([&] {
            limit_files(room);
            return error_of([&] { write_npy(folder / "file", rows); });
          }) == EFBIG);
    CHECK(folder.n_files() == 0);
  }
}

TEST_CASE("a file cannot be written where its folder is not", "[faults]") {
  const scratch_folder folder;
  write_bytes(folder / "plain", "no folder");
  for (const writer& w : writers()) {
    CAPTURE(w.name);
    CHECK(error_of([&] { w.write(folder / "missing" / "file"); }) == ENOENT);
    CHECK(error_of([&] { w.write(folder / "plain" / "file"); }) == ENOTDIR);
    CHECK(error_of([&] { w.write(folder / ""); }) != 0);
  }
  CHECK(folder.n_files() == 1);
}

TEST_CASE("a folder in the place of a file stays", "[faults]") {
  const scratch_folder folder;
  std::filesystem::create_directory(folder / "taken");
  write_bytes(folder / "taken" / "inside", "");
  for (const writer& w : writers()) {
    CAPTURE(w.name);
    CHECK(error_of([&] { w.write(folder / "taken"); }) == EISDIR);
    CHECK(folder.n_files() == 1);
  }
  CHECK(std::filesystem::exists(folder / "taken" / "inside"));
}

TEST_CASE("a folder that others may not enter is refused to readers and writers", "[faults]") {
  const scratch_folder folder;
  const path file = folder / "closed" / "file";
  std::filesystem::create_directory(folder / "closed");
  save(graph(5, 2), file);
  std::filesystem::permissions(folder / "closed", std::filesystem::perms::none);
  CHECK(in_child([&] {
          become_nobody();
          for (const writer& w : writers())
            if (error_of([&] { w.write(file); }) != EACCES) return 1;
          const bool are_refused = error_of([&] { load_index<neighbors>(file); }) == EACCES &&
                                   error_of([&] { map_index<neighbors>(file); }) == EACCES &&
                                   error_of([&] { read_index_info(file); }) == EACCES &&
                                   error_of([&] { read_npy<float>(file); }) == EACCES &&
                                   error_of([&] { read_vecs<float>(file); }) == EACCES &&
                                   error_of([&] { read_big_ann<float>(file); }) == EACCES &&
                                   error_of([&] { read_faiss(file); }) == EACCES;
          return are_refused ? 0 : 2;
        }) == 0);
  std::filesystem::permissions(folder / "closed", std::filesystem::perms::owner_all);
  CHECK(load_index<neighbors>(file) == graph(5, 2));
}

TEST_CASE("a file that others may not write keeps its bytes in a folder that they may not either", "[faults]") {
  const scratch_folder folder;
  const path file = folder / "shut" / "file";
  std::filesystem::create_directory(folder / "shut");
  save(graph(5, 2), file);
  std::filesystem::permissions(folder / "shut",
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  CHECK(in_child([&] {
          become_nobody();
          for (const writer& w : writers())
            if (error_of([&] { w.write(file); }) != EACCES) return 1;
          return 0;
        }) == 0);
  CHECK(load_index<neighbors>(file) == graph(5, 2));
  std::filesystem::permissions(folder / "shut", std::filesystem::perms::owner_all);
}

TEST_CASE("a mapped index stays with its file where another takes the name", "[faults]") {
  const scratch_folder folder;
  const path file = folder / "file";
  save(graph(100, 20), file);
  const auto old = map_index<neighbors>(file);
  save(graph(70, 9), file);
  CHECK(old == graph(100, 20));
  CHECK(map_index<neighbors>(file) == graph(70, 9));
  std::filesystem::remove(file);
  CHECK(old == graph(100, 20));
}

TEST_CASE("what is written to a mapped index reaches neither its file nor another that maps it", "[faults]") {
  const scratch_folder folder;
  const path file = folder / "file";
  save(graph(100, 20), file);
  const std::string before = bytes_of(file);
  auto changed = map_index<neighbors>(file);
  const auto other = map_index<neighbors>(file);
  std::ranges::fill(changed.ids.row(3), 0u);
  changed.distances(99, 19) = -1;
  CHECK(other == graph(100, 20));
  CHECK(bytes_of(file) == before);
  save(changed, file);
  CHECK(other == graph(100, 20));
  CHECK(load_index<neighbors>(file) == changed);
}

TEST_CASE("a file is where its last writer was done when several write it at once", "[faults]") {
  const scratch_folder folder;
  const path file = folder / "file";
  const auto write_ten = [&](std::size_t n) {
    for (int i = 0; i < 10; ++i) save(graph(n, 20), file);
    return 0;
  };
  child first([&] { return write_ten(100); }), second([&] { return write_ten(70); });
  CHECK(first.wait() == 0);
  CHECK(second.wait() == 0);
  const auto found = load_index<neighbors>(file);
  CHECK((found == graph(100, 20) || found == graph(70, 20)));
  CHECK(folder.n_files() == 1);
}
