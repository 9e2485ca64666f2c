// A metric of one's own: any callable of two rows will do, for exact search and for a graph.

#include <annulus/core/base/random.hpp>
#include <annulus/core/result/recall.hpp>
#include <annulus/metrics/weighted.hpp>
#include <annulus/nndescent/index.hpp>

#include <cstdio>

int main() {
  // Hours of the day, and a temperature: 23:30 and 0:30 are an hour apart, and 5 degrees count as much as an hour.
  constexpr std::size_t n = 3000, k = 5;
  constexpr float day = 24;
  annulus::matrix<float> data(n, 2);
  const annulus::counter_random random(3);
  for (std::size_t i = 0; i < n; ++i) {
    data(i, 0) = day * static_cast<float>(random.uniform(2 * i));
    data(i, 1) = 40 * static_cast<float>(random.uniform(2 * i + 1)) - 5;
  }
  const float degrees_an_hour = 5;
  const auto around_the_clock = [=](const float* a, const float* b, std::size_t) {
    const float hours = std::abs(a[0] - b[0]);
    return std::min(hours, day - hours) + std::abs(a[1] - b[1]) / degrees_an_hour;
  };

  const annulus::matrix<float> query(1, 2, 0.0f);  // midnight, freezing
  const annulus::neighbors exact = annulus::knn(data, query, k, around_the_clock);
  const annulus::nndescent_index index(data, around_the_clock);
  const annulus::neighbors found = index.search(query, k);
  bool is_late = false, is_early = false;
  for (std::size_t j = 0; j < k; ++j) {
    const float hour = data(found.ids(0, j), 0);
    std::printf("%5.2f h, %4.1f degrees: at %.2f\n", hour, data(found.ids(0, j), 1), found.distances(0, j));
    is_late |= hour > 20;
    is_early |= hour < 4;
  }
  const double recall = annulus::recall(found, exact, k);

  // What there is does the same but for the clock.
  const std::vector<double> weights{1.0, 1.0 / degrees_an_hour};
  const annulus::neighbors by_weights = annulus::knn(data, query, k, annulus::wminkowski(weights, 1));
  std::printf("without the clock: as many within %.2f, not %.2f\n", by_weights.distances(0, k - 1),
              exact.distances(0, k - 1));

  return recall == 1 && is_late && is_early && by_weights.distances(0, k - 1) > exact.distances(0, k - 1) ? 0 : 1;
}
