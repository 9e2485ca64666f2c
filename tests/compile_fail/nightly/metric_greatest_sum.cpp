// error: metric.s `greatest_sum` must be
#include <annulus/knn/knn.hpp>

struct near_miss {
  float operator()(const float* a, const float* b, std::size_t) const { return *a - *b; }
  double greatest_sum(double norm) const { return norm; }
};

void use(const annulus::matrix<float>& rows) { annulus::knn(rows, rows, 3, near_miss{}); }
