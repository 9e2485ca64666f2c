#include <annulus/annulus.hpp>
#include <cstdio>

int main() {
  annulus::matrix<float> data(10000, 64);  // any row-major Eigen matrix, map or view will do as well
  const annulus::counter_random random(42);
  for (std::size_t i = 0; i < 10000 * 64; ++i) data.data()[i] = static_cast<float>(random.normal(i));

  const annulus::flat_index index(data, annulus::cosine{});
  const annulus::neighbors found = index.search(data.row(7), 5);
  for (std::size_t j = 0; j < 5; ++j) std::printf("%u at %.3f\n", found.ids(0, j), found.distances(0, j));

  const auto [values, indices] = annulus::approx_max_k(data.row(7), 3);
  std::printf("largest coordinate: %.3f, the %ldth\n", values[0], static_cast<long>(indices[0]));
}
