// error: elements of rows must be float, double
#include <annulus/nndescent/index.hpp>
void use(const annulus::matrix<int>& rows) { annulus::nndescent_index index(rows); }
