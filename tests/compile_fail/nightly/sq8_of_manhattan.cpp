// error: sq8 takes euclidean, sqeuclidean, inner_product or cosine, whose ranks follow from products
#include <annulus/nndescent/index.hpp>

void use(const annulus::matrix<float>& m) {
  annulus::nndescent_index(m, annulus::manhattan{}, {}, annulus::sq8{}).search(m, 3);
}
