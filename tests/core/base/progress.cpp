#include <annulus/core/base/progress.hpp>

#include "catch.hpp"
#include "progress_watch.hpp"

using namespace annulus;

TEST_CASE("no callback, no report", "[progress]") { CHECK_NOTHROW(detail::report({}, "stage", 0.5)); }

TEST_CASE("a callback is told the stage and the fraction", "[progress]") {
  std::string seen_stage;
  double seen_fraction = 0;
  const progress_callback progress = [&](const progress_report& report) {
    seen_stage = report.stage;
    seen_fraction = report.fraction;
    return true;
  };
  detail::report(progress, "graph", 0.25);
  CHECK(seen_stage == "graph");
  CHECK(seen_fraction == 0.25);
}

TEST_CASE("a callback that returns false cancels", "[progress]") {
  const progress_callback stop = [](const progress_report&) { return false; };
  CHECK_THROWS_AS(detail::report(stop, "graph", 0.25), cancelled);
}

TEST_CASE("a call of one stage is as far as that", "[progress]") {
  progress_watch watch;
  const auto progress = watch.callback();
  for (const double fraction : {0.0, 0.25, 1.0}) detail::report(progress, "graph", fraction);
  CHECK(watch.fault({"graph"}) == "");
}

TEST_CASE("stages share the whole by their costs, in order, whatever they report", "[progress]") {
  std::vector<progress_report> reports;
  const progress_callback see = [&](const progress_report& report) {
    REQUIRE(report.stages.size() == 3);
    reports.push_back(report);
    return true;
  };
  detail::staged_progress progress(see, {{"trees", 1}, {"descent", 2}, {"distances", 1}});
  const progress_callback by_name = progress.callback(), last = progress.of(2);
  detail::report(by_name, "trees", 0.5);
  detail::report(by_name, "trees", 0.25);  // as where trees are built anew
  detail::report(by_name, "descent", 0.5);
  detail::report(by_name, "trees", 1.0);      // and again
  detail::report(by_name, "something", 1.0);  // that is no stage
  detail::report(last, "whatever its name", 0.5);
  detail::report(last, "whatever its name", 1.0);  // which is for finish() to tell
  progress.finish();
  std::vector<double> fractions, wholes;
  std::vector<std::string> stages;
  for (const progress_report& report : reports) {
    fractions.push_back(report.fraction);
    wholes.push_back(report.whole);
    stages.emplace_back(report.stage);
  }
  CHECK(fractions == std::vector{0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1.0});
  CHECK(wholes == std::vector{0.125, 0.125, 0.5, 0.5, 0.5, 0.875, 1.0});
  CHECK(stages ==
        std::vector<std::string>{"trees", "trees", "descent", "descent", "descent", "distances", "distances"});
}

TEST_CASE("a part of a stage reports its share", "[progress]") {
  double seen = -1;
  const progress_callback see = [&](const progress_report& report) { return (seen = report.whole) >= 0; };
  detail::report(detail::part_of(see, 0.5, 0.75), "knn", 0.5);
  CHECK(seen == 0.625);
  CHECK_FALSE(detail::part_of({}, 0, 1));
}

TEST_CASE("stages are cancelled by any report, also the last", "[progress]") {
  const progress_callback stop = [](const progress_report& report) { return report.whole < 0.5; };
  detail::staged_progress progress(stop, {{"one", 1}, {"two", 1}});
  CHECK_NOTHROW(detail::report(progress.callback(), "one", 0.5));
  CHECK_THROWS_AS(detail::report(progress.callback(), "two", 0.5), cancelled);
  CHECK_THROWS_AS(progress.finish(), cancelled);
  const progress_callback nobody;
  detail::staged_progress unseen(nobody, {{"one", 1}});
  CHECK_FALSE(unseen.callback());
  CHECK_NOTHROW(unseen.finish());
}
