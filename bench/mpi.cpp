// A graph index over the processes of an MPI program, beside one index of all rows on one of them:
//   mpirun -n 4 bench_mpi ROWS.bvecs QUERIES.bvecs     or .fvecs
// Prints for several beams the recall of both, and the distances that a query costs, which do not depend on the
// machine: over shards that is the sum of all.
//   mpirun -n 4 bench_mpi ROWS.bvecs QUERIES.bvecs BEAM
// prints the seconds that the shards take to build, and to search for all queries at that beam, as a line of JSON:
// compare/sharded_index.py has the same of Python measured in turns.

#include <annulus/core/result/recall.hpp>
#include <annulus/io/data/vecs.hpp>
#include <annulus/knn/flat_index.hpp>
#include <annulus/mpi/sharded_index.hpp>
#include <annulus/nndescent/index.hpp>

#include <chrono>
#include <cstdio>

namespace {

constexpr std::size_t k = 10;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Global ids of so few rows fit the 32 bits of `neighbors`.
annulus::neighbors with_short_ids(const annulus::mpi::global_neighbors& found) {
  annulus::neighbors result(found.ids.rows(), found.ids.cols());
  for (std::size_t i = 0; i < found.ids.rows(); ++i)
    for (std::size_t j = 0; j < found.ids.cols(); ++j)
      if (found.ids(i, j) >= 0) {
        result.ids(i, j) = static_cast<annulus::id_type>(found.ids(i, j));
        result.distances(i, j) = found.distances(i, j);
      }
  return result;
}

// The rows of this rank.
template <class T>
annulus::matrix_view<T> part_of(const annulus::mpi::communicator& comm, annulus::matrix_view<T> rows) {
  const std::size_t rank = static_cast<std::size_t>(comm.rank()), ranks = static_cast<std::size_t>(comm.size());
  const std::size_t begin = rows.rows() * rank / ranks;
  return rows.middle_rows(begin, rows.rows() * (rank + 1) / ranks - begin);
}

template <class T>
void time_shards(const annulus::mpi::communicator& comm, const annulus::matrix<T>& rows,
                 const annulus::matrix<T>& queries, std::size_t beam) {
  using clock = std::chrono::steady_clock;
  constexpr std::size_t n_searches = 9;
  comm.barrier();
  auto start = clock::now();
  annulus::mpi::sharded_index index(comm.get(), [&] {
    return annulus::nndescent_index(part_of<T>(comm, rows), annulus::euclidean{}, {.threads = 1});
  });
  comm.barrier();
  const double built = seconds_since(start);
  std::vector<double> searched;
  for (std::size_t i = 0; i < n_searches; ++i) {
    comm.barrier();
    start = clock::now();
    index.search(queries, k, {.beam = beam, .threads = 1});
    searched.push_back(seconds_since(start));
  }
  std::ranges::sort(searched);
  if (comm.rank() == 0) std::printf("{\"build\": %g, \"search\": %g}\n", built, searched[n_searches / 2]);
}

template <class T>
void run(const annulus::mpi::communicator& comm, const annulus::matrix<T>& all, const annulus::matrix<T>& queries) {
  using clock = std::chrono::steady_clock;
  const annulus::matrix_view<T> rows(all), mine = part_of<T>(comm, all);
  const std::size_t n = rows.rows();
  const std::size_t rank = static_cast<std::size_t>(comm.rank()), ranks = static_cast<std::size_t>(comm.size());

  annulus::mpi::sharded_index exact(comm.get(), [&] { return annulus::flat_index(mine, annulus::euclidean{}); });
  const auto truth = with_short_ids(exact.search(queries, k, {.threads = 1}));
  auto start = clock::now();
  annulus::mpi::sharded_index shards(
      comm.get(), [&] { return annulus::nndescent_index(mine, annulus::euclidean{}, {.threads = 1}); });
  const double shard_build = seconds_since(start);

  constexpr std::size_t beams[] = {10, 16, 24, 32, 48, 64, 96, 128};
  constexpr std::size_t n_beams = std::size(beams);
  double recalls[n_beams], costs[n_beams], merges[n_beams];
  for (std::size_t b = 0; b < n_beams; ++b) {
    const annulus::nndescent_search_params params{.beam = beams[b], .threads = 1};
    annulus::nndescent_search_stats stats;
    shards.shard().search(queries, k, params, &stats);
    costs[b] = comm.all_reduce(stats.distances, MPI_SUM);
    comm.barrier();
    start = clock::now();
    shards.shard().search(queries, k, params);
    const double own = comm.all_reduce(seconds_since(start), MPI_MAX);
    start = clock::now();
    const auto found = with_short_ids(shards.search(queries, k, params));
    merges[b] = comm.all_reduce(seconds_since(start), MPI_MAX) / own;
    if (rank == 0) recalls[b] = annulus::recall(found, truth, k);
  }
  const std::size_t shards_bytes = shards.memory_bytes();
  if (rank == 0) {
    start = clock::now();
    const annulus::nndescent_index whole(rows, annulus::euclidean{}, {.threads = 1});
    const double whole_build = seconds_since(start);
    std::printf("%zu x %zu, %zu queries, k = %zu, %zu ranks\n", n, all.cols(), queries.rows(), k, ranks);
    std::printf("build: shards %.2f of the time of one index, all at once\n", shard_build / whole_build);
    std::printf("bytes: shards %.2f of those of one index, together\n",
                static_cast<double>(shards_bytes) / static_cast<double>(whole.memory_bytes()));
    std::printf("beam  recall of one  of shards  difference  distances of one  of shards  search and merge / search\n");
    for (std::size_t b = 0; b < n_beams; ++b) {
      annulus::nndescent_search_stats stats;
      const double one = annulus::recall(whole.search(queries, k, {.beam = beams[b], .threads = 1}, &stats), truth, k);
      std::printf("%4zu  %.4f         %.4f     %+.4f     %6.0f            %6.0f     %.3f\n", beams[b], one, recalls[b],
                  recalls[b] - one, stats.distances, costs[b], merges[b]);
    }
    std::printf("limit: at equal beam recall of shards at least that of one - 0.002\n");
  }
  comm.barrier();
}

}  // namespace

int main(int argc, char** argv) {
  const annulus::mpi::environment environment(argc, argv);
  const annulus::mpi::communicator comm;
  if (argc != 3 && argc != 4) {
    if (comm.rank() == 0) std::fprintf(stderr, "usage: bench_mpi ROWS.bvecs QUERIES.bvecs [BEAM], or .fvecs\n");
    return 1;
  }
  const auto measure = [&]<class T>(const annulus::matrix<T>& rows, const annulus::matrix<T>& queries) {
    if (argc == 3) run(comm, rows, queries);
    else time_shards(comm, rows, queries, std::stoul(argv[3]));
  };
  if (std::string(argv[1]).ends_with(".bvecs"))
    measure(annulus::read_vecs<std::uint8_t>(argv[1]), annulus::read_vecs<std::uint8_t>(argv[2]));
  else measure(annulus::read_vecs<float>(argv[1]), annulus::read_vecs<float>(argv[2]));
}
