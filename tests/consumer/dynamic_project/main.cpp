#include <annulus/dynamic/dynamic_functions.hpp>
#include <annulus/dynamic/dynamic_index.hpp>

int main() {
  annulus::matrix<float> rows(100, 5);
  for (std::size_t i = 0; i < 100; ++i) rows(i, 0) = static_cast<float>(i);
  const std::vector<float> query{42.25f, 0, 0, 0, 0};
  const auto index = annulus::dynamic_index::build(rows, {.metric = "sqeuclidean", .n_neighbors = 5});
  const annulus::neighbors found = index.search(query, 2);
  const bool is_right = found.ids(0, 0) == 42 && found.ids(0, 1) == 43 && found.distances(0, 0) == 0.0625f &&
                        annulus::dynamic_knn(rows, query, 2).ids == found.ids;
  return is_right ? 0 : 1;
}
