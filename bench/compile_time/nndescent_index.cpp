#include <annulus/nndescent/index.hpp>

int main() {
  const annulus::matrix<float> data(1000, 16);
  const annulus::nndescent_index index(data);
  return static_cast<int>(index.search(data, 10).ids(0, 0));
}
