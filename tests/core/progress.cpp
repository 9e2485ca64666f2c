#include <annulus/core/progress.hpp>

#include "catch.hpp"

using namespace annulus;

TEST_CASE("no callback, no report", "[progress]") { CHECK_NOTHROW(detail::report({}, "stage", 0.5)); }

TEST_CASE("a callback is told the stage and the fraction", "[progress]") {
  std::string seen_stage;
  double seen_fraction = 0;
  const progress_callback progress = [&](std::string_view stage, double fraction) {
    seen_stage = stage;
    seen_fraction = fraction;
    return true;
  };
  detail::report(progress, "graph", 0.25);
  CHECK(seen_stage == "graph");
  CHECK(seen_fraction == 0.25);
}

TEST_CASE("a callback that returns false cancels", "[progress]") {
  const progress_callback stop = [](std::string_view, double) { return false; };
  CHECK_THROWS_AS(detail::report(stop, "graph", 0.25), cancelled);
}
