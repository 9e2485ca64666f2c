// The k-NN graph over ranks beside that of one machine: recall, time, memory and bytes sent.
//   mpirun -n 4 bench_mpi_graph base.bvecs [float|uint8] [partition_size]
// Rank r gives the r-th part of the file's rows; `float` converts them. Each rank has one thread. Rank 0 first builds
// the graph of all rows in a child process of its own, on one thread as well, before MPI starts.

#include <annulus/io/data/vecs.hpp>
#include <annulus/mpi/knn_graph.hpp>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace {

using namespace annulus;

constexpr std::size_t k = 30;

struct cost {
  double seconds = 0, cpu_seconds = 0, peak_mb = 0;
};

class cost_meter {
 public:
  cost read() const {
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - m_start;
    return {time.count(), cpu_seconds() - m_cpu, peak_mb()};
  }

 private:
  static double cpu_seconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return static_cast<double>(used.ru_utime.tv_sec) + 1e-6 * static_cast<double>(used.ru_utime.tv_usec);
  }
  static double peak_mb() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("VmHWM:")) return std::strtod(line.c_str() + 6, nullptr) / 1024;
    return 0;
  }

  std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
  double m_cpu = cpu_seconds();
};

/// Rows `first` to `first + count` of the file as rows of T, read in blocks.
template <class T>
matrix<T> rows_of(const char* path, std::size_t first, std::size_t count) {
  constexpr std::size_t block = 4096;
  matrix<T> rows;
  for (std::size_t i = 0; i < count; i += block) {
    const auto part = read_vecs<std::uint8_t>(path, first + i, std::min(block, count - i));
    if (i == 0) rows = matrix<T>(count, part.cols());
    std::ranges::copy(std::span(part.data(), part.rows() * part.cols()), rows.row(i).data());
  }
  return rows;
}

std::size_t count_of(const char* path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto d = static_cast<std::size_t>(read_vecs<std::uint8_t>(path, 0, 1).cols());
  return static_cast<std::size_t>(file.tellg()) / (d + 4);
}

struct whole_build {
  cost spent;
  double recall = 0;
};

double recall_of(const neighbors& graph, const auto& rows) {
  return estimate_recall(graph, rows, euclidean{}, {.n_samples = 2000, .threads = 1});
}

/// The graph of one machine, in a child process. Before MPI starts.
template <class T>
whole_build build_whole(const char* path) {
  int ends[2];
  if (pipe(ends) != 0) std::abort();
  const pid_t child = fork();
  if (child == 0) {
    const auto rows = rows_of<T>(path, 0, count_of(path));
    const cost_meter meter;
    const neighbors graph = build_knn_graph(rows, euclidean{}, {.n_neighbors = k, .threads = 1});
    whole_build result{meter.read(), 0};
    result.recall = recall_of(graph, rows);
    _exit(write(ends[1], &result, sizeof(result)) == sizeof(result) ? 0 : 1);
  }
  whole_build result;
  if (read(ends[0], &result, sizeof(result)) != sizeof(result)) std::abort();
  waitpid(child, nullptr, 0);
  return result;
}

/// The lists of all ranks on rank 0.
neighbors gathered(const mpi::communicator& comm, const mpi::knn_graph& graph) {
  const std::size_t size = graph.ids.rows() * k;
  std::vector<std::size_t> counts(static_cast<std::size_t>(comm.size()), 0);
  counts[0] = size;
  const auto ids = comm.exchange(std::span<const std::int64_t>(graph.ids.data(), size), counts);
  const auto distances = comm.exchange(std::span<const float>(graph.distances.data(), size), counts);
  neighbors all(ids.values.size() / k, k);
  std::ranges::transform(ids.values, all.ids.data(), [](std::int64_t id) { return static_cast<id_type>(id); });
  std::ranges::copy(distances.values, all.distances.data());
  return all;
}

template <class T>
void run(int argc, char** argv, const char* path, std::size_t partition_size) {
  // Both MPIs name the rank in the environment, which is read as MPI has not started.
  const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
  if (rank == nullptr) rank = std::getenv("PMI_RANK");
  whole_build whole;
  if (rank == nullptr || std::string_view(rank) == "0") whole = build_whole<T>(path);

  const mpi::environment environment(argc, argv);
  const mpi::communicator comm;
  const std::size_t n = count_of(path), size = static_cast<std::size_t>(comm.size()),
                    r = static_cast<std::size_t>(comm.rank());
  const auto rows = rows_of<T>(path, n * r / size, n * (r + 1) / size - n * r / size);
  comm.barrier();
  const cost_meter meter;
  const auto graph = mpi::build_knn_graph(
      comm, rows, euclidean{}, {.graph = {.n_neighbors = k, .threads = 1}, .partition_size = partition_size});
  const cost spent = meter.read();

  const double peak = comm.all_reduce(spent.peak_mb, MPI_MAX), cpu = comm.all_reduce(spent.cpu_seconds, MPI_SUM);
  const double bytes_of_rows = static_cast<double>(n * rows.cols() * sizeof(T));
  const auto sent = [&](std::uint64_t bytes) {
    return static_cast<double>(comm.all_reduce(bytes, MPI_SUM)) / bytes_of_rows;
  };
  const mpi::knn_graph_traffic& traffic = graph.traffic;
  const double sample = sent(traffic.sample), homes = sent(traffic.rows), copies = sent(traffic.second_homes),
               joins = sent(traffic.joins), lists = sent(traffic.lists), total = sent(traffic.total());
  const neighbors all = gathered(comm, graph);
  if (comm.rank() != 0) return;
  const double recall = recall_of(all, rows_of<T>(path, 0, n));
  std::printf("%zu rows of %zu x %zu bytes, k = %zu\n", n, rows.cols(), sizeof(T), k);
  std::printf("one machine: recall %.4f, %.1f s, peak %.0f MB\n", whole.recall, whole.spent.seconds,
              whole.spent.peak_mb);
  std::printf(
      "%d ranks, %zu partitions: recall %.4f (%+.4f), %.1f s, CPU %.1f s (%.2f times), peak of a rank %.0f MB "
      "(%.0f %%)\n",
      comm.size(), graph.n_partitions, recall, recall - whole.recall, spent.seconds, cpu, cpu / whole.spent.cpu_seconds,
      peak, 100 * peak / whole.spent.peak_mb);
  std::printf(
      "bytes sent, in the rows' bytes: sample %.2f, rows %.2f, second homes %.2f, joins %.2f, lists %.2f: "
      "%.2f\n",
      sample, homes, copies, joins, lists, total);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: mpirun -n RANKS bench_mpi_graph FILE.bvecs [float|uint8] [partition_size]\n");
    return 2;
  }
  const std::size_t partition_size = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 0;
  if (argc > 2 && std::string_view(argv[2]) == "float") run<float>(argc, argv, argv[1], partition_size);
  else run<std::uint8_t>(argc, argv, argv[1], partition_size);
}
