// error: metric.s `chosen_ranks` must be
#include <annulus/knn/knn.hpp>

struct near_miss {
  float operator()(const float* a, const float* b, std::size_t) const { return *a - *b; }
  void chosen_ranks(const float*, std::size_t, const float* const*, float*) const {}
};

void use(const annulus::matrix<float>& rows) { annulus::knn(rows, rows, 3, near_miss{}); }
