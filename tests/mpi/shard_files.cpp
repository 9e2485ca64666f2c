#include "catch.hpp"
#include "message_of.hpp"
#include "shards.hpp"

#include <annulus/knn/flat_index.hpp>
#include <annulus/mpi/shard_files.hpp>

#include <fstream>

namespace {

using annulus::mpi::communicator;
using flat = annulus::flat_index<annulus::matrix<float>>;
using sharded = annulus::mpi::sharded_index<flat>;
namespace fs = std::filesystem;

// A folder that all ranks share, removed by the first.
class shared_folder {
 public:
  explicit shared_folder(const communicator& comm) : m_comm(comm) {
    const auto number = comm.broadcast_value(std::random_device()(), 0);
    m_path = fs::temp_directory_path() / ("annulus_shards_" + std::to_string(number));
    if (comm.rank() == 0) fs::create_directory(m_path);
    comm.barrier();
  }
  ~shared_folder() {
    m_comm.barrier();
    if (m_comm.rank() == 0) fs::remove_all(m_path);
  }
  const fs::path& path() const { return m_path; }
  std::size_t n_files() const {
    m_comm.barrier();
    const auto n = static_cast<std::size_t>(std::distance(fs::directory_iterator(m_path), fs::directory_iterator()));
    m_comm.barrier();
    return n;
  }
  // The file of this rank that ends so.
  fs::path file(const std::string& end) const {
    for (const auto& entry : fs::directory_iterator(m_path))
      if (entry.path().string().ends_with(end)) return entry.path();
    return {};
  }

 private:
  const communicator& m_comm;
  fs::path m_path;
};

sharded changed_index(const communicator& comm) {
  sharded index(comm.get(), [&] { return flat(part_of(normal_rows(100, 4, 1), comm)); });
  index.insert_from(0, normal_rows(20, 4, 2));
  index.insert(normal_rows(1, 4, 3));
  return index;
}

TEST_CASE("an index that is opened answers and goes on as the one that was saved") {
  const communicator comm;
  const shared_folder folder(comm);
  const auto path = folder.path() / "a.shards";
  auto index = changed_index(comm);
  annulus::mpi::save(index, path);
  const auto files = 1 + 2 * static_cast<std::size_t>(comm.size());
  CHECK(folder.n_files() == files);
  auto same = annulus::mpi::open_shards<flat>(comm.get(), path);
  const auto queries = normal_rows(12, 4, 4);
  CHECK(same.size() == index.size());
  CHECK(same.search(queries, 10) == index.search(queries, 10));
  const auto more = normal_rows(3, 4, 5);
  CHECK(same.insert_from(0, more) == index.insert_from(0, more));
  const auto wanted = index.search(queries, 10);
  CHECK(same.search(queries, 10) == wanted);

  annulus::mpi::save(same, path);  // in the place of the first
  CHECK(folder.n_files() == files);
  CHECK(annulus::mpi::open_shards<flat>(comm.get(), path).search(queries, 10) == wanted);
}

TEST_CASE("files that are damaged, missing or others are refused on all ranks") {
  const communicator comm;
  const shared_folder folder(comm);
  const auto path = folder.path() / "b.shards";
  auto index = changed_index(comm);
  annulus::mpi::save(index, path);
  const int last = comm.size() - 1;
  const std::string of_last = "rank " + std::to_string(last) + ": ", ending = "." + std::to_string(last);
  const auto open = [&] { annulus::mpi::open_shards<flat>(comm.get(), path); };
  const auto write = [&](const fs::path& file, const std::string& bytes) {
    comm.barrier();
    if (comm.rank() == 0) std::ofstream(file, std::ios::binary) << bytes;
    comm.barrier();
  };
  const auto read = [](const fs::path& file) { return annulus::detail::text_of_file(file, true); };

  for (const std::string kind : {".index", ".ids"}) {
    const fs::path file = folder.file(ending + kind);
    const std::string bytes = read(file);
    std::string damaged = bytes;
    damaged[bytes.size() / 2] ^= 1;
    write(file, damaged);
    const std::string message = message_of<annulus::format_error>(open);
    CHECK(message.starts_with(of_last));
    CHECK_THAT(message, ContainsSubstring("by its checksum"));
    write(file, bytes.substr(0, bytes.size() - 1));
    CHECK_THAT(message_of<annulus::format_error>(open), ContainsSubstring("where the manifest says"));
    comm.barrier();
    if (comm.rank() == 0) fs::remove(file);
    comm.barrier();
    CHECK(message_of<std::system_error>(open).starts_with(of_last));
    write(file, bytes);
  }

  const std::string manifest = read(path);
  for (std::size_t i = 0; i < manifest.size(); i += 7) {
    std::string damaged = manifest;
    damaged[i] ^= 4;
    if (damaged[i] == '\n' || manifest[i] == '\n' || manifest[i] == ' ') continue;
    write(path, damaged);
    CHECK_THAT(message_of<annulus::format_error>(open), ContainsSubstring("b.shards"));
  }
  write(path, "");
  CHECK_THAT(message_of<annulus::format_error>(open), ContainsSubstring("this is no manifest of shards"));
  write(path, manifest);
  open();
}

TEST_CASE("an index is opened by as many ranks as saved it") {
  const communicator comm;
  if (comm.size() == 1) return;
  const shared_folder folder(comm);
  const auto path = folder.path() / "c.shards";
  annulus::mpi::save(changed_index(comm), path);
  MPI_Comm alone = MPI_COMM_NULL;
  MPI_Comm_split(MPI_COMM_WORLD, comm.rank(), 0, &alone);
  CHECK_THAT(message_of([&] { annulus::mpi::open_shards<flat>(alone, path); }),
             ContainsSubstring("has the shards of " + std::to_string(comm.size()) + ": open it with as many ranks"));
  MPI_Comm_free(&alone);
}

TEST_CASE("where one rank cannot write the index saved before stays") {
  const communicator comm;
  const shared_folder folder(comm);
  const auto path = folder.path() / "d.shards";
  auto index = changed_index(comm);
  annulus::mpi::save(index, path);
  const auto files = folder.n_files();
  const auto elsewhere = comm.rank() == comm.size() - 1 ? folder.path() / "none" / "d.shards" : path;
  CHECK_THROWS_AS(annulus::mpi::save(index, elsewhere), std::system_error);
  CHECK(folder.n_files() == files);
  CHECK(annulus::mpi::open_shards<flat>(comm.get(), path).size() == index.size());
}

// Six rows (i, 0), which one rank saved.
TEST_CASE("shards of format version 1 are read") {
  const auto path = fs::path(ANNULUS_TEST_DATA_DIR) / "shards_v1" / "flat.shards";
  auto index = annulus::mpi::open_shards<flat>(MPI_COMM_SELF, path);
  const auto found = index.search(std::vector<float>{2.25f, 0}, 3);
  CHECK(std::ranges::equal(found.ids.row(0), std::vector<std::int64_t>{2, 3, 1}));
  CHECK(found.distances(0, 2) == 1.25f);
}

}  // namespace
