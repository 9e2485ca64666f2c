// error: metric.s `form` must be static constexpr
#include <annulus/nndescent/index.hpp>

struct near_miss {
  float operator()(const float* a, const float* b, std::size_t) const { return *a - *b; }
  annulus::product_form form = annulus::product_form::cosine;
};

void use(const annulus::matrix<float>& rows) { annulus::nndescent_index index(rows, near_miss{}); }
