// error: metric.s `rank` must be
#include <annulus/nndescent/index.hpp>

struct near_miss {
  float operator()(const float* a, const float* b, std::size_t) const { return *a - *b; }
  void rank(const float*, const float*, std::size_t) const {}
};

void use(const annulus::matrix<float>& rows) { annulus::nndescent_index index(rows, near_miss{}); }
