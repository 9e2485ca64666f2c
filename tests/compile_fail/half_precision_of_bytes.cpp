// error: half_precision takes rows of floating point and a metric that takes halves
#include <annulus/nndescent/half_precision.hpp>
#include <annulus/nndescent/index.hpp>

void use(const annulus::matrix<std::uint8_t>& m) {
  annulus::nndescent_index(m, annulus::euclidean{}, {}, annulus::half_precision{}).search(m, 3);
}
