// MPI runs from the first test case to the last. Rank 0 reports; another one only where a check of it failed. The first
// test case that fails on a rank ends all ranks, as they would wait for one that has left it.

#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include "catch.hpp"

#include <annulus/mpi/error.hpp>

#include <iostream>
#include <sstream>

namespace {

#if __has_include(<catch2/catch_all.hpp>)
using listener_base = Catch::EventListenerBase;
#else
using listener_base = Catch::TestEventListenerBase;
#endif

class mpi_listener : public listener_base {
 public:
  using listener_base::listener_base;

  void testRunStarting(const Catch::TestRunInfo&) override {
    int provided = 0;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &m_rank);
    if (m_rank != 0) std::cout.rdbuf(m_words.rdbuf());
  }
  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    if (stats.totals.assertions.failed == 0) return;
    std::cout.rdbuf(m_out);
    if (m_rank != 0) std::cout << "rank " << m_rank << ":\n" << m_words.str();
    std::cout << std::flush;
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  void testRunEnded(const Catch::TestRunStats&) override {
    std::cout.rdbuf(m_out);
    MPI_Finalize();
  }

 private:
  int m_rank = 0;
  std::ostringstream m_words;
  std::streambuf* m_out = std::cout.rdbuf();
};

}  // namespace

CATCH_REGISTER_LISTENER(mpi_listener)
