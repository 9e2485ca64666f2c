// error: metric.s `to_distance` must be
#include <annulus/nndescent/graph/knn_graph.hpp>

struct near_miss {
  float operator()(const float* a, const float* b, std::size_t) const { return *a - *b; }
  float to_distance() const { return 0; }
};

void use(const annulus::matrix<float>& rows) { annulus::build_knn_graph(rows, near_miss{}); }
