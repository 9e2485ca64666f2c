#include <annulus/annulus.hpp>

int main() {
  annulus::matrix<float> rows(100, 5);
  for (std::size_t i = 0; i < 100; ++i) rows(i, 0) = static_cast<float>(i);
  const std::vector<float> query{42.25f, 0, 0, 0, 0};
  const auto found = annulus::knn(rows, query, 2);
  const auto least = annulus::approx_min_k(std::vector<float>{3, 1, 2}, 2);
  const bool is_right = found.ids(0, 0) == 42 && found.ids(0, 1) == 43 && found.distances(0, 0) == 0.25f &&
                        least.indices == std::vector<std::int64_t>{1, 2};
  return is_right ? 0 : 1;
}
