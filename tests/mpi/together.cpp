#include "catch.hpp"
#include "message_of.hpp"

#include <annulus/mpi/together.hpp>

namespace {

using annulus::mpi::communicator;
using annulus::mpi::together;

// What all ranks catch where one of them throws.
template <class Error, class Thrown>
std::string message_where(const communicator& comm, int thrower, const Thrown& thrown) {
  return message_of<Error>([&] {
    together(comm, [&] {
      if (comm.rank() == thrower) throw thrown;
    });
  });
}

TEST_CASE("what no rank throws returns a value of each rank") {
  const communicator comm;
  CHECK(together(comm, [&] { return 10 + comm.rank(); }) == 10 + comm.rank());
  const auto moved = together(comm, [&] { return std::make_unique<int>(comm.rank()); });
  CHECK(*moved == comm.rank());
}

TEST_CASE("what one rank throws is thrown on all, of the same kind and with its rank") {
  const communicator comm;
  for (int r = 0; r < comm.size(); ++r) {
    const std::string rank = "rank " + std::to_string(r) + ": ";
    CHECK(message_where<std::invalid_argument>(comm, r, std::invalid_argument("k")) == rank + "k");
    CHECK(message_where<std::bad_alloc>(comm, r, std::bad_alloc()) == rank + std::bad_alloc().what());
    CHECK(message_where<annulus::format_error>(comm, r, annulus::format_error("f", 7, "bad")) ==
          rank + "f: byte 7: bad");
    CHECK(message_where<annulus::cancelled>(comm, r, annulus::cancelled()) == rank + annulus::cancelled().what());
    CHECK(message_where<annulus::mpi::error>(comm, r, annulus::mpi::error(MPI_ERR_ARG, "arg")) == rank + "arg");
    CHECK(message_where<std::runtime_error>(comm, r, std::logic_error("other")) == rank + "other");
    CHECK(message_where<std::runtime_error>(comm, r, 7) == rank + "an exception that is no std::exception");
  }
}

TEST_CASE("an error of the system keeps its code and says its words once") {
  const communicator comm;
  const std::system_error thrown(ENOENT, std::generic_category(), "file");
  try {
    together(comm, [&] { throw thrown; });
    FAIL("nothing was thrown");
  } catch (const std::system_error& e) {
    CHECK(e.code() == std::errc::no_such_file_or_directory);
    CHECK(e.what() == std::string("rank 0: ") + thrown.what());
  }
}

TEST_CASE("of several ranks that throw the lowest is reported") {
  const communicator comm;
  CHECK(message_of([&] {
          together(comm, [&] {
            if (comm.rank() + 2 >= comm.size()) throw std::invalid_argument(std::to_string(comm.rank()));
          });
        }).starts_with("rank " + std::to_string(std::max(0, comm.size() - 2)) + ": "));
}

TEST_CASE("a long message is cut") {
  const communicator comm;
  CHECK(message_where<std::invalid_argument>(comm, 0, std::invalid_argument(std::string(5000, 'x'))).size() < 1100);
}

TEST_CASE("values that differ between ranks are refused on all of them") {
  const communicator comm;
  annulus::mpi::check_same(comm, "k", 3);
  if (comm.size() > 1)
    CHECK(message_of([&] { annulus::mpi::check_same(comm, "k", comm.rank()); }) ==
          "rank 1: annulus: k = 1: must be the same on all ranks; rank 0 has 0");
}

TEST_CASE("roots that differ between ranks, or that no rank is, are refused on all of them") {
  const communicator comm;
  for (int root = 0; root < comm.size(); ++root) annulus::mpi::check_root(comm, root);
  for (const int root : {-1, comm.size()})
    CHECK(message_of([&] { annulus::mpi::check_root(comm, root); }) ==
          "annulus: root = " + std::to_string(root) + ": must be a rank, from 0 to " + std::to_string(comm.size() - 1));
  if (comm.size() > 1)
    CHECK(message_of([&] { annulus::mpi::check_root(comm, comm.rank()); }) ==
          "annulus: root = " + std::to_string(comm.size() - 1) + ": must be the same on all ranks; another one has 0");
}

}  // namespace
