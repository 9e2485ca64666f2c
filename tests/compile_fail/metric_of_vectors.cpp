// error: this is no metric of these rows
#include <annulus/nndescent/index.hpp>

void use(const annulus::matrix<float>& rows) {
  const auto metric = [](const std::vector<float>& a, const std::vector<float>& b) { return a[0] - b[0]; };
  annulus::nndescent_index index(rows, metric);
}
