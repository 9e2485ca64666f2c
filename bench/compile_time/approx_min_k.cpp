#include <annulus/approx_top_k/approx_min_k.hpp>
#include <vector>

int main() {
  const std::vector<float> scores(1000);
  return static_cast<int>(annulus::approx_min_k(scores, 10).indices[0]);
}
