#include <annulus/mpi/knn_graph.hpp>

#include "message_of.hpp"
#include "nndescent/graphs.hpp"
#include "progress_watch.hpp"

#include <optional>

namespace {

using namespace annulus;
using graphs::clusters;
using graphs::same_bits;
using graphs::well_formed;
using mpi::communicator;

/// Calls f(group) on the first 1, 2, ... of all ranks.
template <class F>
void for_each_group(F f) {
  const communicator world;
  for (int size = 1; size <= world.size(); ++size) {
    MPI_Comm part = MPI_COMM_NULL;
    MPI_Comm_split(world.get(), world.rank() < size ? 0 : MPI_UNDEFINED, world.rank(), &part);
    if (part == MPI_COMM_NULL) continue;
    f(communicator(part));
    MPI_Comm_free(&part);
  }
}

/// The rows that a rank gives: later ranks have more, and of fewer rows than ranks the first ranks have none.
template <class T>
matrix_view<T> given_by(const communicator& comm, const matrix<T>& data) {
  const auto r = static_cast<std::size_t>(comm.rank()), size = static_cast<std::size_t>(comm.size());
  const auto begin = [&](std::size_t rank) { return data.rows() * rank * (rank + 1) / (size * (size + 1)); };
  return matrix_view<T>(data).middle_rows(begin(r), begin(r + 1) - begin(r));
}

/// The lists of all ranks, one behind the other.
neighbors gathered(const communicator& comm, const mpi::knn_graph& graph) {
  const auto ids =
      comm.all_gather_blocks(std::span<const std::int64_t>(graph.ids.data(), graph.ids.rows() * graph.ids.cols()));
  const auto distances = comm.all_gather_blocks(
      std::span<const float>(graph.distances.data(), graph.distances.rows() * graph.distances.cols()));
  const std::size_t k = graph.ids.cols();
  neighbors whole(ids.values.size() / k, k);
  std::ranges::transform(ids.values, whole.ids.data(),
                         [](std::int64_t id) { return id < 0 ? no_id : static_cast<id_type>(id); });
  std::ranges::copy(distances.values, whole.distances.data());
  return whole;
}

template <class T, class Metric>
neighbors graph_of(const communicator& comm, const matrix<T>& data, const Metric& metric,
                   const mpi::knn_graph_params& params) {
  return gathered(comm, mpi::build_knn_graph(comm, given_by(comm, data), metric, params));
}

/// The k nearest others of each row, by the metric of every pair.
template <class T, class Metric>
neighbors naive(const matrix<T>& data, const Metric& metric, std::size_t k) {
  neighbors result(data.rows(), k);
  for (std::size_t i = 0; i < data.rows(); ++i) {
    std::vector<candidate<float>> all;
    for (std::size_t j = 0; j < data.rows(); ++j)
      if (j != i)
        all.push_back({distance_of(metric, rank_of(metric, data.row(i).data(), data.row(j).data(), data.cols())),
                       static_cast<id_type>(j)});
    std::sort(all.begin(), all.end());
    for (std::size_t j = 0; j < std::min(k, all.size()); ++j) {
      result.ids(i, j) = all[j].id;
      result.distances(i, j) = all[j].rank;
    }
  }
  return result;
}

TEST_CASE("one partition is the graph of one machine") {
  for_each_group([](const communicator& comm) {
    for (const std::size_t n : {0u, 1u, 2u, 3u, 11u, 400u})
      for (const bool self : {false, true}) {
        CAPTURE(comm.size(), n, self);
        const auto data = clusters<float>(n, 7, 3, n);
        const nndescent_params params{.n_neighbors = 5, .include_self = self, .threads = 1};
        CHECK(same_bits(graph_of(comm, data, euclidean{}, {.graph = params}),
                        build_knn_graph(data, euclidean{}, params)));
      }
  });
}

TEST_CASE("many partitions find what one machine finds, to the bit for any number of ranks and threads") {
  const auto data = clusters<float>(3000, 12, 20, 1);
  const auto truth = naive(data, euclidean{}, 10);
  std::optional<neighbors> first;
  for_each_group([&](const communicator& comm) {
    for (const std::size_t threads : {1u, 3u}) {
      const mpi::knn_graph_params params{.graph = {.n_neighbors = 10, .threads = threads}, .partition_size = 300};
      const auto graph = mpi::build_knn_graph(comm, given_by(comm, data), euclidean{}, params);
      CHECK(graph.n_partitions == 10);
      CHECK((graph.traffic.total() == 0) == (comm.size() == 1));
      const neighbors all = gathered(comm, graph);
      if (!first) {
        first = all;
        CHECK(well_formed(all));
        CHECK(recall(all, truth, 10) > 0.97);
      }
      CHECK(same_bits(all, *first));
    }
  });
}

TEST_CASE("copies and joins find what partitions alone do not") {
  const communicator comm;
  const auto data = clusters<float>(2000, 8, 1, 2);
  const auto truth = naive(data, euclidean{}, 10);
  const auto recall_with = [&](double second_homes, std::size_t n_rounds) {
    return recall(graph_of(comm, data, euclidean{},
                           {.graph = {.n_neighbors = 10, .threads = 1},
                            .partition_size = 250,
                            .second_homes = second_homes,
                            .n_rounds = n_rounds}),
                  truth, 10);
  };
  const double alone = recall_with(0, 0), copied = recall_with(0.75, 0), joined = recall_with(0.75, 1);
  CHECK(alone < 0.8);
  CHECK(copied > alone + 0.1);
  CHECK(joined > copied + 0.03);
  CHECK(joined > 0.95);
}

TEST_CASE("rows of bytes by inner products, and a metric that rewrites them") {
  const communicator comm;
  const auto data = clusters<std::uint8_t>(1500, 9, 30, 3);
  const mpi::knn_graph_params params{.graph = {.n_neighbors = 8, .threads = 1}, .partition_size = 400};
  const auto graph = graph_of(comm, data, cosine{}, params);
  CHECK(well_formed(graph));
  CHECK(recall(graph, naive(data, cosine{}, 8), 8) > 0.95);
}

TEST_CASE("where most rows are equal all lists are full, and of the nearest") {
  const communicator comm;
  auto data = clusters<float>(1200, 5, 6, 4);
  for (std::size_t i = 0; i < data.rows(); ++i)
    if (i % 4 != 0) std::ranges::copy(data.row(i % 3), data.row(i).begin());
  const auto graph =
      graph_of(comm, data, euclidean{}, {.graph = {.n_neighbors = 12, .threads = 1}, .partition_size = 100});
  CHECK(well_formed(graph));
  CHECK(graphs::holes(graph) == 0);
  CHECK(recall(graph, naive(data, euclidean{}, 12), 12) > 0.95);
}

TEST_CASE("partitions as small as lists leave no list short") {
  for_each_group([](const communicator& comm) {
    const auto data = clusters<float>(60, 4, 2, 5);
    const auto graph = graph_of(comm, data, euclidean{},
                                {.graph = {.n_neighbors = 20, .threads = 1}, .partition_size = 20, .second_homes = 0});
    CHECK(well_formed(graph));
    CHECK(graphs::holes(graph) == 0);
  });
}

TEST_CASE("a row that is refused, a metric that throws and a rank that cancels end the build on all ranks") {
  const communicator comm;
  const int last = comm.size() - 1;
  const std::string rank = "rank " + std::to_string(last) + ": ";
  auto data = clusters<float>(900, 6, 3, 6);
  const mpi::knn_graph_params params{.graph = {.n_neighbors = 5, .threads = 1}, .partition_size = 200};
  const auto mine = given_by(comm, data);

  const auto throwing = [&](const float* a, const float* b, std::size_t d) {
    if (comm.rank() == last) throw std::domain_error("no distance");
    return euclidean{}(a, b, d);
  };
  CHECK(message_of<std::runtime_error>([&] {
          mpi::build_knn_graph(comm, mine, throwing, params);
        }).ends_with("no distance"));

  auto cancelling = params;
  if (comm.rank() == last)
    cancelling.graph.progress = [](const progress_report& report) { return report.stage != "joins"; };
  CHECK(message_of<cancelled>([&] { mpi::build_knn_graph(comm, mine, euclidean{}, cancelling); }).starts_with(rank));

  data(data.rows() - 1, 2) = std::numeric_limits<float>::quiet_NaN();
  CHECK(
      message_of([&] {
        mpi::build_knn_graph(comm, mine, euclidean{}, params);
      }).starts_with(rank + "annulus: data = nan: row " + std::to_string(comm.broadcast_value(mine.rows(), last) - 1)));
}

TEST_CASE("parameters out of range or different are refused on all ranks") {
  const communicator comm;
  const auto data = clusters<float>(60, 4, 2, 7);
  const auto mine = given_by(comm, data);
  const auto message = [&](const mpi::knn_graph_params& params) {
    return message_of([&] { mpi::build_knn_graph(comm, mine, euclidean{}, params); });
  };
  CHECK(message({.partition_size = 29}) ==
        "rank 0: annulus: partition_size = 29: must be 0 or at least n_neighbors = 30");
  CHECK(message({.second_homes = 1.5}) == "rank 0: annulus: second_homes = 1.5: must be in [0, 1]");
  if (comm.size() == 1) return;
  CHECK(message({.graph = {.n_neighbors = 5 + static_cast<std::size_t>(comm.rank())}}) ==
        "rank 1: annulus: n_neighbors = 6: must be the same on all ranks; rank 0 has 5");
  const auto other = clusters<float>(60, comm.rank() == 1 ? 4 : 5, 2, 7);
  CHECK(message_of([&] { mpi::build_knn_graph(comm, other); }) ==
        "rank 1: annulus: data columns = 4: must be the same on all ranks; another one has 5");
}

TEST_CASE("progress is reported on each rank, from its first stage to its end") {
  const communicator comm;
  const auto data = clusters<float>(900, 6, 3, 8);
  progress_watch watch;
  mpi::build_knn_graph(
      comm, given_by(comm, data), euclidean{},
      {.graph = {.n_neighbors = 5, .threads = 1, .progress = watch.callback()}, .partition_size = 200});
  CHECK(watch.fault({"partitions", "descent", "joins", "lists"}).empty());
}

}  // namespace
