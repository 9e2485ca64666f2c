// The last rank is killed; the others search with a deadline, and end. What they print is the test.

#include "../shards.hpp"

#include <annulus/knn/flat_index.hpp>
#include <annulus/mpi/sharded_index.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  const annulus::mpi::communicator comm;
  const auto rows = normal_rows(200, 4, 1), queries = normal_rows(50, 4, 2);
  annulus::mpi::sharded_index index(comm.get(), [&] { return annulus::flat_index(part_of(rows, comm)); });
  const double share = 1 - static_cast<double>(index.sizes().back()) / static_cast<double>(index.size());
  const auto coverage = [&](double deadline) { return index.search(queries, 5, {}, {.deadline = deadline}).coverage; };
  bool is_right = coverage(30) == 1;
  comm.barrier();
  if (comm.rank() == comm.size() - 1) std::raise(SIGKILL);
  for (int search = 0; search < 3; ++search) {
    const double found = coverage(comm.rank() == 0 ? 0.3 : 5);
    is_right = is_right && (comm.rank() == 0 ? found == share : found == 1);
  }
  std::printf("rank %d of %d: %s\n", comm.rank(), comm.size(), is_right ? "right" : "wrong");
  std::fflush(stdout);
  // MPI_Finalize would wait for the rank that is lost.
  std::_Exit(is_right ? 0 : 1);
}
