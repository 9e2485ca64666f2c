#include <annulus/knn/flat_index.hpp>
#include <annulus/knn/sparse_knn.hpp>

#include <cstdlib>
#include <functional>

#include "callables.hpp"
#include "catch.hpp"

using namespace annulus;

namespace {

/// How many distances knn or flat_index gives that are not manhattan's.
template <class T, class Metric>
std::size_t wrong(Metric metric) {
  STATIC_REQUIRE(metric_for<Metric, matrix<T>>);
  const matrix<T> rows = callables::rows<T>();
  const neighbors expected = knn(rows, rows, 4, manhattan{});
  const neighbors found = knn(rows, rows, 4, metric), kept = flat_index(rows, metric).search(rows, 4);
  return callables::n_different(found, expected) + callables::n_different(kept, expected);
}

/// Eight numbers in a row.
struct numbers {
  std::size_t size() const { return 8; }
  std::size_t dim() const { return 1; }
  double row(std::size_t i) const { return static_cast<double>(i); }
};

}  // namespace

TEST_CASE("exact search takes callables of two pointers and of two spans", "[knn][callables]") {
  CHECK(wrong<float>(&callables::of_pointers<float>) == 0);
  CHECK(wrong<float>(callables::of_spans{}) == 0);
  CHECK(wrong<float>([](auto a, auto b) { return callables::distance<float>(a, b); }) == 0);
  CHECK(wrong<float>(std::function<float(const float*, const float*, std::size_t)>(&callables::of_pointers<float>)) ==
        0);
}

TEST_CASE("exact search takes a function by its name", "[knn][callables]") {
  const matrix<float> rows = callables::rows<float>();
  CHECK(knn(rows, rows, 4, callables::of_pointers<float>) == knn(rows, rows, 4, &callables::of_pointers<float>));
}

TEST_CASE("exact search takes callables without default or assignment", "[knn][callables]") {
  CHECK(wrong<float>(callables::without_default(1)) == 0);
  CHECK(wrong<std::uint8_t>(callables::without_default(1)) == 0);
}

TEST_CASE("exact search takes any number that a callable returns", "[knn][callables]") {
  CHECK(wrong<float>(callables::returning<int>{}) == 0);
  CHECK(wrong<float>(callables::returning<short>{}) == 0);
  CHECK(wrong<float>(callables::returning<std::size_t>{}) == 0);
  CHECK(wrong<float>(callables::returning<double>{}) == 0);
}

TEST_CASE("the rank of a metric of spans is of spans too", "[knn][callables]") {
  CHECK(wrong<float>(callables::ranked_spans{}) == 0);
}

TEST_CASE("exact search takes callables of two sparse rows, and of rows of any point set", "[knn][callables]") {
  const csr_matrix<float> rows({0, 1, 2, 3}, {0, 0, 0}, {1.0f, 4.0f, 6.0f}, 2);
  const auto of_sparse = [](const auto& a, const auto& b) {
    return std::abs(static_cast<int>(a.values[0] - b.values[0]));
  };
  CHECK(knn(rows, rows, 2, of_sparse).ids(0, 1) == 1);
  CHECK(knn(rows, rows, 2, of_sparse).distances(2, 1) == 2);
  const auto of_numbers = [](double a, double b) { return static_cast<short>(std::abs(a - b)); };
  CHECK(knn(numbers(), numbers(), 2, of_numbers).ids(0, 1) == 1);
}
