// error: rows must be one contiguous block, which a vector of vectors is not
#include <annulus/knn/flat_index.hpp>
void use(const std::vector<std::vector<float>>& rows) { annulus::flat_index index(rows); }
