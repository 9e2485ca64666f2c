// error: metric.s `form` must be static constexpr annulus::product_form
#include <annulus/knn/knn.hpp>

struct near_miss {
  float operator()(const float* a, const float* b, std::size_t) const { return *a - *b; }
  static constexpr int form = 1;
};

void use(const annulus::matrix<float>& rows) { annulus::knn(rows, rows, 3, near_miss{}); }
