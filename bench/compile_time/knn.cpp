#include <annulus/knn/knn.hpp>

int main() {
  const annulus::matrix<float> data(1000, 16);
  return static_cast<int>(annulus::knn(data, data, 10).ids(0, 0));
}
