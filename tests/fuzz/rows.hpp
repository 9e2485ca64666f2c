#pragma once

#include <annulus/core/rows/csr_matrix.hpp>

#include "index.hpp"

namespace fuzz {

constexpr std::size_t longest_row = 4096;  // an index without rows may say any dimension

/// Three rows, the first one of zeros, for indexes of any dimension.
inline annulus::matrix<float> dense_rows(std::size_t d) {
  annulus::matrix<float> rows(3, d);
  for (std::size_t i = 1; i < 3; ++i)
    for (std::size_t j = 0; j < d; ++j) rows(i, j) = static_cast<float>(i * j % 7) - 3;
  return rows;
}
inline annulus::csr_matrix<float> sparse_rows(std::size_t d) {
  if (d < 3) return {{0, 0, 1, 2}, {0, 0}, {1, 2}, d};
  return {{0, 0, 1, 3}, {1, 0, static_cast<std::int32_t>(d) - 1}, {1, -2, 3}, d};
}

}  // namespace fuzz
