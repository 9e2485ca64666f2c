// error: metric with `embed` needs
#include <annulus/knn/knn.hpp>

struct near_miss {
  float operator()(const float* a, const float* b, std::size_t) const { return *a - *b; }
  void embed(const float* row, std::size_t, float* out) const { *out = *row; }
};

void use(const annulus::matrix<float>& rows) { annulus::knn(rows, rows, 3, near_miss{}); }
