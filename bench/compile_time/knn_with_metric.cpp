#include <annulus/knn/knn.hpp>
#include <annulus/metrics/named.hpp>

int main(int, char** arguments) {
  const annulus::matrix<float> data(1000, 16);
  const annulus::neighbors found = annulus::with_metric(
      arguments[1], [&](auto metric) requires annulus::metric_for<decltype(metric), annulus::matrix_view<float>> {
        return annulus::knn(data, data, 10, metric);
      });
  return static_cast<int>(found.ids(0, 0));
}
