// error: with a `form` needs static constexpr bool is_angular
#include <annulus/nndescent/graph/knn_graph.hpp>

struct near_miss {
  float operator()(const float* a, const float* b, std::size_t) const { return *a - *b; }
  static constexpr auto form = annulus::product_form::squared_l2;
};

void use(const annulus::matrix<float>& rows) { annulus::build_knn_graph(rows, near_miss{}); }
