#include "catch.hpp"
#include "message_of.hpp"

#include <annulus/mpi/communicator.hpp>

#include <cstdint>

namespace {

using annulus::mpi::communicator;

TEST_CASE("a communicator is a duplicate that moves") {
  communicator world;
  CHECK(world.get() != MPI_COMM_WORLD);
  const MPI_Comm comm = world.get();
  communicator moved(std::move(world));
  CHECK(moved.get() == comm);
  communicator other;
  other = std::move(moved);
  CHECK(other.get() == comm);
  int size = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  CHECK(other.size() == size);
}

TEST_CASE("an error of MPI is an exception with its words") {
  const communicator comm;
  int value = 0;
  const std::string message =
      message_of<annulus::mpi::error>([&] { comm.broadcast(std::span(&value, 1), comm.size()); });  // no such root
  CHECK_THAT(message, ContainsSubstring("annulus: MPI_Bcast: "));
  CHECK_THAT(message, ContainsSubstring("root"));
}

TEST_CASE("every rank has the values of the root") {
  const communicator comm;
  for (int root = 0; root < comm.size(); ++root) {
    std::vector<int> values(5, comm.rank());
    comm.broadcast(std::span(values), root);
    CHECK(values == std::vector<int>(5, root));
    CHECK(comm.broadcast_value(2.5 * comm.rank(), root) == 2.5 * root);
  }
}

TEST_CASE("values are gathered, reduced and summed over the ranks") {
  const communicator comm;
  const auto ranks = comm.all_gather(comm.rank());
  REQUIRE(ranks.size() == static_cast<std::size_t>(comm.size()));
  for (int r = 0; r < comm.size(); ++r) CHECK(ranks[static_cast<std::size_t>(r)] == r);
  CHECK(comm.all_reduce(comm.rank(), MPI_MAX) == comm.size() - 1);
  CHECK(comm.all_reduce(std::uint64_t{1} << 40, MPI_SUM) == static_cast<std::uint64_t>(comm.size()) << 40);
  CHECK(comm.exclusive_sum(std::uint64_t{3}) == 3 * static_cast<std::uint64_t>(comm.rank()));
}

// Rank r sends 3 r + s values to rank s, value i being 1000 r + 100 s + i; nothing from rank 0 to itself.
TEST_CASE("blocks are exchanged between all ranks, also in pieces") {
  const communicator comm;
  const auto count = [](int from, int to) { return static_cast<std::size_t>(3 * from + to); };
  std::vector<std::int64_t> sent, wanted;
  std::vector<std::size_t> counts, wanted_counts;
  for (int other = 0; other < comm.size(); ++other) {
    counts.push_back(count(comm.rank(), other));
    wanted_counts.push_back(count(other, comm.rank()));
    for (std::size_t i = 0; i < counts.back(); ++i)
      sent.push_back(1000 * comm.rank() + 100 * other + static_cast<int>(i));
    for (std::size_t i = 0; i < wanted_counts.back(); ++i)
      wanted.push_back(1000 * other + 100 * comm.rank() + static_cast<int>(i));
  }
  for (const std::size_t most_bytes : {communicator::piece_bytes, std::size_t{1}, std::size_t{13}}) {
    const auto received = comm.exchange<std::int64_t>(sent, counts, most_bytes);
    CHECK(received.values == wanted);
    CHECK(received.counts == wanted_counts);
  }
}

TEST_CASE("any number of values of each rank is gathered") {
  const communicator comm;
  const std::vector<double> own(static_cast<std::size_t>(comm.rank()), comm.rank());
  const auto all = comm.all_gather_blocks<double>(own);
  std::vector<double> wanted;
  for (int r = 0; r < comm.size(); ++r) wanted.insert(wanted.end(), static_cast<std::size_t>(r), r);
  CHECK(all.values == wanted);
}

TEST_CASE("an exchange says which counts do not fit") {
  const communicator comm;
  const std::vector<int> values(3);
  const std::vector<std::size_t> none, wrong(static_cast<std::size_t>(comm.size()), 7);
  CHECK_THAT(message_of([&] { comm.exchange<int>(values, none); }), ContainsSubstring("one a rank"));
  CHECK_THAT(message_of([&] { comm.exchange<int>(values, wrong); }), ContainsSubstring("the counts' sum"));
}

}  // namespace
