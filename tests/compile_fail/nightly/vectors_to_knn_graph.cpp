// error: rows must be one contiguous block, which a vector of vectors is not
#include <annulus/nndescent/index.hpp>
void use(const std::vector<std::vector<float>>& rows) { annulus::build_knn_graph(rows, annulus::cosine{}); }
