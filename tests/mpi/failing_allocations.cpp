// Memory that runs out on one rank, at any allocation of a collective call: all ranks throw, and none is left waiting.

#include "failing_allocations.hpp"
#include "catch.hpp"
#include "shards.hpp"

#include <annulus/knn/flat_index.hpp>
#include <annulus/mpi/knn_graph.hpp>
#include <annulus/mpi/sharded_index.hpp>
#include <annulus/mpi/top_k.hpp>
#include <annulus/nndescent/index.hpp>

namespace {

using annulus::mpi::communicator;
using flat = annulus::flat_index<annulus::matrix<float>>;
using graph = annulus::nndescent_index<annulus::matrix<float>>;
template <class Index>
using sharded = annulus::mpi::sharded_index<Index>;

template <class Index>
sharded<Index> shards_of(const communicator& comm, annulus::matrix_view<float> rows) {
  return sharded<Index>(comm.get(), [&] { return Index(part_of(rows, comm)); });
}

/// Calls f() again and again, with one allocation of the first or the last rank failing: each of them, or of many some
/// that are evenly spread. Whether f threw on all ranks or on none whenever an allocation failed, and did so sometimes.
template <class F>
bool fails_together(const communicator& comm, F f) {
  constexpr std::size_t most = 40;
  bool is_right = true;
  int n_failures = 0;
  for (int loser = 0; loser < comm.size(); loser += std::max(1, comm.size() - 1)) {
    const std::size_t before = allocations::n_made;
    f();
    const std::size_t n = comm.broadcast_value(allocations::n_made - before, loser);
    for (std::size_t i = 0; i < std::min(n, most); ++i) {
      bool has_thrown = false;
      {
        const allocations::failing one(comm.rank() == loser ? i * n / std::min(n, most) : allocations::never / 2);
        try {
          f();
        } catch (const std::exception&) {
          has_thrown = true;
        }
      }
      const int n_throwing = comm.all_reduce(has_thrown ? 1 : 0, MPI_SUM);
      is_right = is_right && (n_throwing == 0 || n_throwing == comm.size());
      n_failures += n_throwing > 0;
    }
  }
  return is_right && (n_failures > 0) == allocations::are_seen;
}

TEST_CASE("memory that runs out on one rank while values are exchanged is an error on all") {
  const communicator comm;
  const std::vector<int> values(30, comm.rank());
  const std::vector<std::size_t> counts(static_cast<std::size_t>(comm.size()),
                                        30 / static_cast<std::size_t>(comm.size()));
  const auto sent = std::span(values).first(counts[0] * counts.size());
  CHECK(fails_together(comm, [&] { comm.all_gather(3); }));
  CHECK(fails_together(comm, [&] { comm.all_gather_blocks<int>(values); }));
  CHECK(fails_together(comm, [&] { comm.gather_blocks<int>(values, comm.size() - 1); }));
  CHECK(fails_together(comm, [&] { comm.exchange<int>(sent, counts, 8); }));
}

TEST_CASE("memory that runs out on one rank in a search is an error on all") {
  const communicator comm;
  const auto rows = normal_rows(60, 4, 1), queries = normal_rows(5, 4, 2);
  auto index = shards_of<flat>(comm, rows);
  auto radius_index = shards_of<graph>(comm, rows);
  const auto wanted = index.search(queries, 3);
  const int last = comm.size() - 1;
  CHECK(fails_together(comm, [&] { index.search(queries, 3, {.threads = 1}, {.root = last}); }));
  CHECK(fails_together(comm, [&] {
    auto first = index.search_async(queries, 3, {.threads = 1});
    auto second = index.search_async(queries, 2, {.threads = 1});
    first.get();
    second.get();
  }));
  CHECK(fails_together(comm, [&] { index.search_each(queries, 3, {.threads = 1}); }));
  CHECK(fails_together(comm, [&] { radius_index.radius_search(queries, 1, {.threads = 1}, last); }));
  CHECK(index.search(queries, 3) == wanted);
}

TEST_CASE("memory that runs out on one rank in a change is an error on all, and nothing has changed") {
  const communicator comm;
  const auto rows = normal_rows(60, 4, 1), more = normal_rows(7, 4, 2), row = normal_rows(1, 4, 3);
  const auto changes = [&](auto index) {
    std::size_t size = index.size();
    std::int64_t n_ids = index.n_ids();
    bool is_unchanged = true;
    const auto change = [&](auto f) {
      return [&, f] {
        is_unchanged = is_unchanged && index.size() == size && index.n_ids() == n_ids;
        f();
        size = index.size();
        n_ids = index.n_ids();
      };
    };
    CHECK(fails_together(comm, change([&] { index.insert(more, {.threads = 1}); })));
    CHECK(fails_together(comm, change([&] { index.insert_from(comm.size() - 1, more, {.threads = 1}); })));
    if constexpr (requires { index.erase(0); })
      CHECK(fails_together(comm, change([&] { index.update(3, row, comm.size() - 1); })));
    CHECK(is_unchanged);
  };
  changes(shards_of<flat>(comm, rows));
  changes(shards_of<graph>(comm, rows));
}

// Saving and opening are left out: the JSON library ends the program where it cannot allocate as it frees a value.
TEST_CASE("memory that runs out on one rank while an index is made is an error on all") {
  const communicator comm;
  const auto rows = normal_rows(60, 4, 1);
  CHECK(fails_together(comm, [&] { shards_of<flat>(comm, rows); }));
}

TEST_CASE("memory that runs out on one rank in a top-k is an error on all") {
  const communicator comm;
  const auto slice = normal_rows(1, 2000, 5 + static_cast<std::uint64_t>(comm.rank()));
  const std::span<const float> mine(slice.data(), 2000);
  const int last = comm.size() - 1;
  CHECK(fails_together(comm, [&] { annulus::mpi::approx_min_k(comm, mine, 5, {.threads = 1}, last); }));
  CHECK(fails_together(comm,
                       [&] { annulus::mpi::approx_max_k(comm, mine, 5, {.recall_target = 1, .threads = 1}, last); }));
}

TEST_CASE("memory that runs out on one rank while a graph is built is an error on all") {
  const communicator comm;
  const auto rows = normal_rows(300, 4, 1);
  CHECK(fails_together(comm, [&] {
    annulus::mpi::build_knn_graph(comm, part_of(rows, comm), annulus::euclidean{},
                                  {.graph = {.n_neighbors = 5, .threads = 1}, .partition_size = 60});
  }));
}

}  // namespace
