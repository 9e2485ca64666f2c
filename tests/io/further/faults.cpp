#include <annulus/core/result/neighbors.hpp>
#include <annulus/io/data/big_ann.hpp>
#include <annulus/io/data/npy.hpp>
#include <annulus/io/data/vecs.hpp>
#include <annulus/io/faiss/faiss_io.hpp>
#include <annulus/io/index/index_file.hpp>

#include <functional>

#include <sys/stat.h>

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

TEST_CASE("a file of no name is refused before it is written", "[faults]") {
  CHECK_THROWS_AS(annulus::detail::output_file(""), std::system_error);
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

TEST_CASE("a save through symbolic links replaces what they lead to, or makes it", "[faults]") {
  namespace fs = std::filesystem;
  for (const writer& w : writers()) {
    const scratch_folder folder;
    CAPTURE(w.name);
    fs::create_directory(folder / "data");
    fs::create_symlink("data/file", folder / "near");
    fs::create_symlink(folder / "near", folder / "far");
    w.write(folder / "far");  // leads to nothing yet
    REQUIRE(fs::is_regular_file(fs::symlink_status(folder / "data" / "file")));
    write_bytes(folder / "data" / "file", "an old file");
    w.write(folder / "far");
    CHECK(fs::read_symlink(folder / "far") == folder / "near");
    CHECK(fs::read_symlink(folder / "near") == "data/file");
    CHECK(bytes_of(folder / "data" / "file") != "an old file");
    CHECK(folder.n_files() == 3);
  }
  const scratch_folder folder;
  fs::create_directory(folder / "data");
  fs::create_symlink("data", folder / "folder");
  fs::create_symlink("round", folder / "round");
  CHECK(error_of([&] { save(graph(5, 2), folder / "folder"); }) == EISDIR);
  CHECK(error_of([&] { save(graph(5, 2), folder / "round"); }) == ELOOP);
  save(graph(5, 2), folder / "folder" / "file");
  CHECK(load_index<neighbors>(folder / "data" / "file") == graph(5, 2));
}

TEST_CASE("names as long as the file system takes can be saved under, relative ones too", "[faults]") {
  const scratch_folder folder;
  for (const std::size_t length : {1u, 234u, 235u, 254u, 255u}) {
    save(graph(5, 2), folder / std::string(length, 'x'));
    CHECK(load_index<neighbors>(folder / std::string(length, 'x')) == graph(5, 2));
  }
  CHECK(error_of([&] { save(graph(5, 2), folder / std::string(256, 'x')); }) == ENAMETOOLONG);
  CHECK(folder.n_files() == 5);
  CHECK(in_child([&] {
          std::filesystem::current_path(folder / "");
          save(graph(7, 2), "relative");
          return load_index<neighbors>("./relative") == graph(7, 2) ? 0 : 1;
        }) == 0);
  CHECK(folder.n_files() == 6);
}

namespace {

struct stat status_of(const path& file) {
  struct stat status {};
  REQUIRE(stat(file.c_str(), &status) == 0);
  return status;
}

unsigned mode_of(const path& file) { return status_of(file).st_mode & 0777u; }

}  // namespace

TEST_CASE("a save keeps the mode of the old file, and gives a new one what umask leaves", "[faults]") {
  for (const mode_t mode : {0600u, 0640u, 0644u, 0666u, 0755u}) {
    const scratch_folder folder;
    save(graph(5, 2), folder / "file");
    REQUIRE(chmod((folder / "file").c_str(), mode) == 0);
    CHECK(in_child([&] {
            umask(077);
            save(graph(6, 2), folder / "file");
            save(graph(6, 2), folder / "narrow");
            umask(0);
            save(graph(7, 2), folder / "file");
            save(graph(7, 2), folder / "wide");
            return 0;
          }) == 0);
    CHECK(load_index<neighbors>(folder / "file") == graph(7, 2));
    CHECK(mode_of(folder / "file") == mode);
    CHECK(mode_of(folder / "narrow") == 0600);
    CHECK(mode_of(folder / "wide") == 0666);
  }
}

TEST_CASE("at no time may more read the file that is being written than the one in its place", "[faults]") {
  const scratch_folder folder;
  save(graph(5, 2), folder / "file");
  const matrix<float> rows(3000, 100);
  for (const mode_t mode : {0600u, 0640u, 0644u}) {
    REQUIRE(chmod((folder / "file").c_str(), mode) == 0);
    unsigned widest = 0;
    const auto look = [&](const progress_report&) {
      for (const auto& entry : std::filesystem::directory_iterator(folder / "")) widest |= mode_of(entry.path());
      return true;
    };
    write_npy(folder / "file", rows, {.progress = look});
    CHECK(widest == mode);
  }
}

TEST_CASE("a save keeps owner and group where it may, else no others may read the file", "[faults]") {
  if (geteuid() != 0) return;
  const scratch_folder folder;
  const path file = folder / "file";
  REQUIRE(chmod((folder / "").c_str(), 0777) == 0);
  const auto is = [&](uid_t owner, gid_t group, unsigned mode) {
    const auto status = status_of(file);
    return status.st_uid == owner && status.st_gid == group && mode_of(file) == mode;
  };
  save(graph(5, 2), file);
  REQUIRE(chown(file.c_str(), 1234, 4321) == 0);
  REQUIRE(chmod(file.c_str(), 0640) == 0);
  save(graph(6, 2), file);
  CHECK(is(1234, 4321, 0640));
  for (const auto& [before, after] : {std::pair{0666u, 0666u}, {0646u, 0644u}, {0662u, 0622u}, {0602u, 0600u}}) {
    REQUIRE(chown(file.c_str(), 1234, 4321) == 0);
    REQUIRE(chmod(file.c_str(), before) == 0);
    CHECK(in_child([&] {
            become_nobody();
            save(graph(7, 2), file);
            return 0;
          }) == 0);
    CHECK(is(65534, 65534, after));
  }
}

TEST_CASE("a read-only file is refused, as to any other write", "[faults]") {
  const scratch_folder folder;
  const path file = folder / "file";
  save(graph(5, 2), file);
  REQUIRE(chmod((folder / "").c_str(), 0777) == 0);
  if (geteuid() == 0) REQUIRE(chown(file.c_str(), 65534, 65534) == 0);
  REQUIRE(chmod(file.c_str(), 0444) == 0);
  CHECK(in_child([&] {
          become_nobody();
          return error_of([&] { save(graph(6, 2), file); });
        }) == EACCES);
  CHECK(load_index<neighbors>(file) == graph(5, 2));
  CHECK(folder.n_files() == 1);
}

TEST_CASE("pipes and devices are written to as they are", "[faults]") {
  const scratch_folder folder;
  const path pipe = folder / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  for (const writer& w : writers()) {
    CAPTURE(w.name);
    w.write(folder / "file");
    child writing([&] {
      w.write(pipe);
      return 0;
    });
    CHECK(bytes_of(pipe) == bytes_of(folder / "file"));
    CHECK(writing.wait() == 0);
    CHECK(folder.n_files() == 2);
    CHECK(std::filesystem::is_fifo(pipe));
    w.write("/dev/null");
    CHECK(std::filesystem::is_character_file("/dev/null"));
    CHECK(error_of([&] { w.write("/dev/full"); }) == ENOSPC);
  }
}

TEST_CASE("other names of a file keep what was under it", "[faults]") {
  const scratch_folder folder;
  save(graph(5, 2), folder / "file");
  std::filesystem::create_hard_link(folder / "file", folder / "other");
  save(graph(6, 2), folder / "file");
  CHECK(load_index<neighbors>(folder / "other") == graph(5, 2));
  CHECK(load_index<neighbors>(folder / "file") == graph(6, 2));
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
