// error: rows must be one contiguous block, which a vector of vectors is not
#include <annulus/knn/knn.hpp>
void use(const std::vector<std::vector<float>>& rows) { annulus::knn(rows, rows, 3); }
