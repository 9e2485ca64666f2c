// One call into each room, compiled with sets of flags that no other build has.
#include <annulus/annulus.hpp>

#include <cstdint>
#include <cstdio>
#include <vector>

int main() {
  constexpr std::size_t n = 300, d = 32, k = 4;
  const annulus::counter_random random(1);
  annulus::matrix<float> data(n, d);
  annulus::matrix<std::uint8_t> bytes(n, d);
  for (std::size_t i = 0; i < n * d; ++i) {
    data.data()[i] = static_cast<float>(random.normal(i));
    bytes.data()[i] = static_cast<std::uint8_t>(random.bits(i));
  }

  // Every row is its own nearest neighbour, whichever way it is searched.
  const auto finds_itself = [](const annulus::neighbors& found) { return found.ids(7, 0) == 7; };
  const annulus::csr_matrix<float> sets({0, 4, 8, 10}, {1, 2, 3, 4, 2, 3, 4, 5, 70, 80}, std::vector<float>(10, 1.0f),
                                        100);
  annulus::product_quantizer pq(8, 16);
  pq.fit(data);
  const annulus::fast_scan_index codes(pq, data);
  const bool holds[] = {
      finds_itself(annulus::knn(data, data, k)),
      finds_itself(annulus::knn(bytes, bytes, k, annulus::cosine{})),
      finds_itself(annulus::knn(data, data, k, annulus::canberra{})),
      annulus::knn(sets, sets, 2, annulus::jaccard{}).ids(0, 1) == 1,
      annulus::knn(sets, sets, 2, annulus::cosine{}).ids(0, 1) == 1,
      finds_itself(annulus::nndescent_index(data, annulus::euclidean{}, {}, annulus::sq8{}).search(data, k)),
      finds_itself(annulus::lsh_index(data, annulus::cross_polytope{}).search(data, k)),
      codes.search(data, k).ids.rows() == n,
      annulus::approx_min_k(data.row(0), 1).indices.size() == 1,
  };
  for (std::size_t i = 0; i < std::size(holds); ++i)
    if (!holds[i]) {
      std::printf("check %zu does not hold\n", i);
      return 1;
    }
}
