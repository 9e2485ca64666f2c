// error: the metric takes no such rows
#include <annulus/metrics/spatial.hpp>
#include <annulus/nndescent/index.hpp>

void use(const annulus::csr_matrix<float>& rows) { annulus::build_knn_graph(rows, annulus::haversine{}); }
