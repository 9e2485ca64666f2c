// MPI runs from the first test case to the last. All ranks report. The first test case that fails on a rank ends all
// ranks, as they would wait for one that has left it.

#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include "catch.hpp"

#include <annulus/mpi/error.hpp>

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
  }
  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    if (stats.totals.assertions.failed > 0) MPI_Abort(MPI_COMM_WORLD, 1);
  }
  void testRunEnded(const Catch::TestRunStats&) override { MPI_Finalize(); }
};

}  // namespace

CATCH_REGISTER_LISTENER(mpi_listener)
