// error: metric.s `rank` must be a static or const function
#include <annulus/knn/knn.hpp>

struct near_miss {
  float operator()(const float* a, const float* b, std::size_t) const { return *a - *b; }
  float rank(const float* a, const float* b, std::size_t) { return *a - *b; }
};

void use(const annulus::matrix<float>& rows) { annulus::knn(rows, rows, 3, near_miss{}); }
