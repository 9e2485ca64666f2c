// Exact nearest neighbours by brute force: two metrics, a filter, and an index that is searched many times.

#include <annulus/core/base/random.hpp>
#include <annulus/knn/flat_index.hpp>

#include <cstdio>

int main() {
  annulus::matrix<float> data(10'000, 64), queries(100, 64);
  const annulus::counter_random random(42);
  for (std::size_t i = 0; i < 10'000 * 64; ++i) data.data()[i] = static_cast<float>(random.normal(i));
  for (std::size_t i = 0; i < 100; ++i) std::ranges::copy(data.row(50 * i), queries.row(i).begin());

  const auto show = [](const char* how, const annulus::neighbors& found) {
    std::printf("%s: query 3 is nearest to", how);
    for (std::size_t j = 0; j < 3; ++j) std::printf(" %u (%.3f)", found.ids(3, j), double{found.distances(3, j)});
    std::printf("\n");
  };

  const auto found = annulus::knn(data, queries, 10);
  show("euclidean", found);

  // Any callable is a metric, here one that ignores the last half of the coordinates.
  const auto of_half = [](const float* a, const float* b, std::size_t d) { return annulus::euclidean{}(a, b, d / 2); };
  show("a lambda", annulus::knn(data, queries, 10, of_half));

  const auto others = annulus::knn(data, queries, 10, annulus::euclidean{},
                                   {.recall_target = 1, .filter = [](annulus::id_type id) { return id % 50 != 0; }});
  show("without the queries", others);

  // Checked and copied once; searched as often as need be.
  annulus::flat_index index(data);
  const annulus::id_type first_new = index.insert(queries);
  const auto again = index.search(queries, 10);
  show("with the queries twice", again);

  const bool is_right = found.ids(3, 0) == 150 && others.ids(3, 0) % 50 != 0 && again.ids(3, 0) == 150 &&
                        again.ids(3, 1) == first_new + 3;
  return is_right ? 0 : 1;
}
