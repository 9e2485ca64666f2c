// error: flat_index takes dense rows: for a csr_matrix call knn
#include <annulus/knn/flat_index.hpp>
void use(const annulus::csr_matrix<float>& rows) { annulus::flat_index index(rows); }
