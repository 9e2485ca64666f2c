// Asks for a row that a matrix does not have: the assertion is to say so.
#include <annulus/core/rows/matrix.hpp>

#include <csignal>
#include <cstdlib>

int main() {
  // As ctest takes a program that ends by a signal for one that failed, whatever it printed.
  std::signal(SIGABRT, [](int) { std::_Exit(1); });
  const annulus::matrix<float> rows(3, 2);
  return static_cast<int>(rows.row(3).size());
}
