// error: constraints not satisfied
#include <annulus/core/metric/metric.hpp>
#include <annulus/core/rows/matrix.hpp>

struct not_a_metric {
  float operator()(const float* a, const float* b) const { return *a - *b; }
};

template <class Metric>
  requires annulus::metric_for<Metric, annulus::matrix<float>>
void search(const Metric&) {}

void use() { search(not_a_metric{}); }
