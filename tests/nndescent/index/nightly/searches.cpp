#include <annulus/nndescent/rabitq.hpp>

#include "nndescent/limited_searches.hpp"

// Filters and radii over codes of edges, and radii by other metrics; those over codes of rows are in ../further.

using namespace limited;

TEMPLATE_TEST_CASE("a filter leaves the nearest of the rows that it allows", "[nndescent_index]", rabitq<>) {
  check_filter<TestType>();
}

TEMPLATE_TEST_CASE("a bitset and a callable of the same rows have the same answers", "[nndescent_index]", rabitq<>) {
  check_kinds_of_filters<TestType>();
}

TEMPLATE_TEST_CASE("a filter that allows one row finds it from anywhere", "[nndescent_index]", rabitq<>) {
  check_filter_of_one<TestType>();
}

TEMPLATE_TEST_CASE("a filter that allows nothing leaves padding alone", "[nndescent_index]", rabitq<>) {
  check_filter_of_none<TestType>();
}

TEMPLATE_TEST_CASE("a radius search finds the rows within it and no others", "[nndescent_index]", rabitq<>) {
  check_radius<TestType>();
}

TEST_CASE("a radius search by inner products takes negative distances", "[nndescent_index]") {
  const nndescent_index index(data().rows, inner_product{});
  for (const float radius : {-60.0f, -40.0f, -20.0f, 0.0f}) {
    const auto balls = index.radius_search(data().queries, radius);
    const auto scores = judge(balls, data().rows, data().queries, radius, inner_product{}, every_row);
    CAPTURE(radius, scores.recall);
    CHECK(scores.wrong == 0);
    CHECK(scores.recall >= 0.85);  // rows of small products are not near each other
  }
}

TEST_CASE("a radius search by cosine finds the rows within it", "[nndescent_index]") {
  const nndescent_index index(data().rows, cosine{});
  for (const float radius : {0.02f, 0.1f, 0.3f}) {
    const auto balls = index.radius_search(data().queries, radius);
    const auto scores = judge(balls, data().rows, data().queries, radius, cosine{}, every_row);
    CAPTURE(radius, scores.recall);
    CHECK(scores.wrong == 0);
    CHECK(scores.recall >= 0.95);
  }
  CHECK(index.radius_search(data().rows, 1e-6f).indices.size() >= n);
}
