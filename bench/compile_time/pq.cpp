#include <annulus/quantization/product_quantizer.hpp>

int main() {
  const annulus::matrix<float> data(1000, 16);
  annulus::product_quantizer codec(4);
  return codec.fit(data).encode(data)(0, 0);
}
