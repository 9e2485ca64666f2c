#include <annulus/lsh/families/cross_polytope.hpp>
#include <annulus/lsh/index.hpp>

int main() {
  const annulus::matrix<float> data(1000, 16);
  const annulus::lsh_index index(data, annulus::cross_polytope{});
  return static_cast<int>(index.search(data, 10).ids(0, 0));
}
