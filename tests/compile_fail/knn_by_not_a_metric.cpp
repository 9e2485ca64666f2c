// error: this is no metric of these rows
#include <annulus/knn/knn.hpp>

struct not_a_metric {
  float operator()(const float* a, const float* b) const { return *a - *b; }
};

void use(const annulus::matrix<float>& m) { annulus::knn(m, m, 3, not_a_metric{}); }
