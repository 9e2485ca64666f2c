#include "catch.hpp"
#include "message_of.hpp"
#include "shards.hpp"

#include <annulus/knn/flat_index.hpp>
#include <annulus/mpi/sharded_index.hpp>

#include <thread>

namespace {

using annulus::mpi::communicator;
using annulus::mpi::global_neighbors;
using flat = annulus::flat_index<annulus::matrix<float>>;

// What the shards of these ranks have in common.
global_neighbors nearest_of(const annulus::mpi::sharded_index<flat>& index, annulus::matrix_view<float> queries,
                            std::size_t k, bool takes_part) {
  auto found = index.shard().search(queries, k);
  if (!takes_part) found = annulus::neighbors(queries.rows(), k);
  return merged_by_sorting(index.comm(), found, [&](annulus::id_type id) { return index.global_id(id); });
}

TEST_CASE("where all shards answer in time the answer is whole") {
  const communicator comm;
  const auto rows = normal_rows(200, 4, 1), queries = normal_rows(9, 4, 2);
  annulus::mpi::sharded_index index(comm.get(), [&] { return flat(part_of(rows, comm)); });
  const auto wanted = nearest_of(index, queries, 5, true);
  for (int root = 0; root < comm.size(); ++root) {
    const auto found = index.search(queries, 5, {}, {.root = root, .deadline = 60, .is_whole = true});
    if (comm.rank() == root) CHECK(found == wanted);
    else CHECK(found.ids.rows() == 0);
  }
}

TEST_CASE("a deadline may be later than clocks tell") {
  const communicator comm;
  const auto rows = normal_rows(200, 4, 1), queries = normal_rows(9, 4, 2);
  annulus::mpi::sharded_index index(comm.get(), [&] { return flat(part_of(rows, comm)); });
  const auto wanted = nearest_of(index, queries, 5, true);
  for (const double deadline : {1e10, 1e300, std::numeric_limits<double>::infinity()}) {
    const auto found = index.search(queries, 5, {}, {.deadline = deadline});
    CHECK(found.coverage == 1);
    if (comm.rank() == 0) CHECK(found == wanted);
  }
}

// The last rank sleeps in its filter for much longer than the deadline; its answers come during later searches.
TEST_CASE("shards that are late are left out, and their answers do not count for a later search") {
  const communicator comm;
  if (comm.size() == 1) return;
  const int last = comm.size() - 1;
  const bool is_last = comm.rank() == last;
  const auto rows = normal_rows(200, 4, 3), queries = normal_rows(3000, 4, 4);
  annulus::mpi::sharded_index index(comm.get(), [&] { return flat(part_of(rows, comm)); });
  const double share = 1 - static_cast<double>(index.sizes()[static_cast<std::size_t>(last)]) / 200;
  const auto without = nearest_of(index, queries, 5, !is_last);
  const annulus::mpi::global_filter sleeps = [&](std::int64_t) {
    static thread_local bool has_slept = false;
    if (is_last && !std::exchange(has_slept, true)) std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    return true;
  };
  auto late = index.search(queries, 5, {.threads = 1}, {.deadline = 0.5, .filter = sleeps});
  if (comm.rank() == 0) {
    CHECK(late.coverage == Approx(share));
    late.coverage = 1;
    CHECK(late == without);
  }
  // The root does not wait for the last rank, which still sleeps.
  if (comm.rank() == 0)
    CHECK_THROWS_AS(index.search(queries, 5, {}, {.deadline = 0.01, .is_whole = true}), annulus::mpi::incomplete);
  else index.search(queries, 5, {}, {.deadline = 30});
  const auto wanted = nearest_of(index, queries, 5, true);  // by now it has caught up
  const auto found = index.search(queries, 5, {}, {.deadline = 30});
  if (comm.rank() == 0) CHECK(found == wanted);
}

TEST_CASE("a rank that hears of no queries in time says so") {
  const communicator comm;
  if (comm.size() == 1) return;
  const auto rows = normal_rows(50, 4, 5), queries = normal_rows(3, 4, 6);
  annulus::mpi::sharded_index index(comm.get(), [&] { return flat(part_of(rows, comm)); });
  if (comm.rank() == 0) {
    comm.barrier();  // the others give up first
    const auto found = index.search(queries, 5, {}, {.deadline = 0.01});
    CHECK(found.coverage < 1);
  } else {
    CHECK(index.search({}, 5, {}, {.deadline = 0.01}).coverage == 0);
    comm.barrier();
  }
  const auto found = index.search(queries, 5, {}, {.deadline = 30});
  CHECK(found.coverage == 1);
  if (comm.rank() == 0) CHECK(found.ids(0, 0) >= 0);
}

TEST_CASE("what a rank throws before the deadline the root throws too") {
  const communicator comm;
  if (comm.size() == 1) return;
  const auto rows = normal_rows(50, 4, 7), queries = normal_rows(3, 4, 8);
  annulus::mpi::sharded_index index(comm.get(), [&] { return flat(part_of(rows, comm)); });
  const double target = comm.rank() == comm.size() - 1 ? 7 : 1;
  const auto search = [&] { index.search(queries, 5, {.recall_target = target}, {.deadline = 30}); };
  if (comm.rank() == 0 || comm.rank() == comm.size() - 1)
    CHECK(message_of(search).starts_with("rank " + std::to_string(comm.size() - 1) + ": annulus: recall_target = 7"));
  else search();
}

}  // namespace
