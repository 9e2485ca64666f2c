// error: nndescent_params
#include <annulus/nndescent/index.hpp>
void use(const annulus::matrix<float>& rows) {
  annulus::nndescent_index index(rows, annulus::cosine{}, {.n_neigbors = 15});
}
