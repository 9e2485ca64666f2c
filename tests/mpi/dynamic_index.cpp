#include "catch.hpp"
#include "message_of.hpp"
#include "shards.hpp"

#include <annulus/dynamic/dynamic_index.hpp>
#include <annulus/mpi/shard_files.hpp>

namespace {

using annulus::dynamic_index;
using annulus::mpi::communicator;
using sharded = annulus::mpi::sharded_index<dynamic_index>;

annulus::mpi::global_neighbors by_global_ids(const annulus::neighbors& found) {
  annulus::mpi::global_neighbors result(found.ids.rows(), found.ids.cols());
  for (std::size_t i = 0; i < found.ids.rows(); ++i)
    for (std::size_t j = 0; j < found.ids.cols(); ++j) {
      result.ids(i, j) = found.ids(i, j);
      result.distances(i, j) = found.distances(i, j);
    }
  return result;
}

TEST_CASE("indexes whose types are known at run time are shards of every kind") {
  const communicator comm;
  const auto rows = normal_rows(300, 8, 1), queries = normal_rows(20, 8, 2);
  const auto wanted = by_global_ids(dynamic_index::build(rows, {.kind = "flat"}).search(queries, 5));
  for (const std::string kind : {"flat", "nndescent", "rabitq"}) {
    sharded index(comm.get(), [&] { return dynamic_index::build(part_of(rows, comm), {.kind = kind}); });
    annulus::dynamic_search_params params;
    if (kind == "nndescent") params.beam = 200;
    if (kind == "rabitq") params.k_factor = 64;
    const auto found = index.search(queries, 5, params);
    if (comm.rank() == 0) CHECK(found == wanted);
    CHECK(index.search_each(queries, 5, params) == wanted);
  }
}

TEST_CASE("shards of another kind, metric or type of rows are refused") {
  const communicator comm;
  if (comm.size() == 1) return;
  const auto rows = normal_rows(20, 8, 1);
  const bool is_last = comm.rank() == comm.size() - 1;
  const auto complaint = [&](const annulus::index_spec& of_last) {
    return message_of([&] {
      sharded(comm.get(),
              [&] { return dynamic_index::build(rows, is_last ? of_last : annulus::index_spec{.kind = "flat"}); });
    });
  };
  const std::string of_last = "rank " + std::to_string(comm.size() - 1) + ": annulus: index = ";
  CHECK(complaint({.kind = "flat", .metric = "cosine"}).starts_with(of_last + "flat, cosine, "));
  CHECK(complaint({.kind = "nndescent"}).starts_with(of_last + "nndescent, "));
}

TEST_CASE("shards known at run time are changed, saved and opened") {
  const communicator comm;
  const auto rows = normal_rows(100, 4, 3), more = normal_rows(11, 4, 4), queries = normal_rows(6, 4, 5);
  const auto path = std::filesystem::temp_directory_path() /
                    ("annulus_dynamic_" + std::to_string(comm.broadcast_value(std::random_device()(), 0)));
  for (const std::string kind : {"flat", "nndescent"}) {
    sharded index(comm.get(), [&] { return dynamic_index::build(part_of(rows, comm), {.kind = kind}); });
    CHECK(index.insert_from(0, more) == 100);
    if (kind == "nndescent") {
      index.erase(50);
      index.update(51, more.row(0));
      index.consolidate();
      CHECK(index.size() == 110);
    } else {
      CHECK_THAT(message_of([&] { index.erase(50); }), ContainsSubstring("has no erase"));
    }
    annulus::mpi::save(index, path);
    auto same = annulus::mpi::open_shards<dynamic_index>(comm.get(), path);
    CHECK(same.search(queries, 7) == index.search(queries, 7));
  }
  comm.barrier();
  if (comm.rank() == 0)
    for (const auto& name : annulus::detail::files_of_manifest(annulus::detail::text_of_file(path), path.filename()))
      std::filesystem::remove(path.parent_path() / name);
  if (comm.rank() == 0) std::filesystem::remove(path);
}

// Ten rows and one that was inserted, of which Python's tests make the same.
annulus::matrix<float> rows_of_both_languages() {
  annulus::matrix<float> rows(11, 4);
  for (std::size_t i = 0; i < rows.rows(); ++i)
    for (std::size_t j = 0; j < rows.cols(); ++j) rows(i, j) = static_cast<float>((7 * i + 3 * j * j + i * j) % 13);
  return rows;
}

TEST_CASE("shards that Python has saved on two ranks are opened") {
  const communicator world;
  MPI_Comm pair = MPI_COMM_NULL;
  MPI_Comm_split(world.get(), world.rank() < 2 ? 0 : MPI_UNDEFINED, world.rank(), &pair);
  if (pair == MPI_COMM_NULL) return;
  if (world.size() > 1) {
    const auto path = std::filesystem::path(ANNULUS_TEST_DATA_DIR) / "shards/python.shards";
    auto index = annulus::mpi::open_shards<dynamic_index>(pair, path);
    const auto rows = rows_of_both_languages();
    CHECK(index.n_ids() == 11);
    CHECK(std::ranges::equal(index.sizes(), std::array<std::size_t, 2>{6, 5}));
    const auto found = index.search(rows, 5);
    if (world.rank() == 0) CHECK(found == by_global_ids(dynamic_index::build(rows, {.kind = "flat"}).search(rows, 5)));
  }
  MPI_Comm_free(&pair);
}

}  // namespace
