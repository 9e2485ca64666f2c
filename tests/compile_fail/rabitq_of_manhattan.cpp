// error: rabitq takes euclidean, sqeuclidean, inner_product or cosine, whose ranks follow from products
#include <annulus/nndescent/rabitq.hpp>

#include <annulus/nndescent/index.hpp>

void use(const annulus::matrix<float>& m) {
  annulus::nndescent_index(m, annulus::manhattan{}, {}, annulus::rabitq<>{}).search(m, 3);
}
