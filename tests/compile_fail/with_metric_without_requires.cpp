// error: `requires metric_for<\.\.\.>`
#include <annulus/knn/knn.hpp>
#include <annulus/metrics/named.hpp>
void use(const annulus::matrix<float>& rows) {
  annulus::with_metric("cosine", {}, [&](auto metric) { return annulus::knn(rows, rows, 3, metric); });
}
