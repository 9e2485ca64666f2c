#pragma once

// Indexes whose 8-bit codes count from a centre, beside dimensions that are kept as floats.

#include "io/index_nndescent.hpp"

namespace sq8_files {

using namespace annulus;
using indexes::rows_between;

constexpr std::size_t n = 300, d = 6;
constexpr float radius = 3;
inline const nndescent_params params{.n_neighbors = 8, .seed = 5};

/// Dimension 4 is a time stamp, the others are about 1000.
template <class T>
const matrix<T>& data() {
  static const auto made = [] {
    std::mt19937_64 generator(1);
    std::normal_distribution<double> any;
    matrix<T> rows(n, d);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < d; ++j)
        rows(i, j) = static_cast<T>(j == 4 ? 1e6 * any(generator) : 1e3 + any(generator));
    return rows;
  }();
  return made;
}

template <class T, class Metric>
nndescent_index<matrix<T>, Metric, sq8> index_of(scalar_scales scales) {
  return nndescent_index(rows_between(data<T>(), 0, n - 30), Metric{}, params, sq8{scales});
}

/// Whether one of each kind of scales comes back, also once it was changed.
template <class T, class Metric>
bool returns() {
  bool all = true;
  for (const auto scales : {scalar_scales::automatic, scalar_scales::per_vector, scalar_scales::per_dimension}) {
    auto index = index_of<T, Metric>(scales);
    const auto queries = rows_between(data<T>(), n - 30, n), one = rows_between(data<T>(), 3, 4);
    all &= saved::returns(index, queries, one, radius, true);
    saved::change(index, queries, one);
    all &= saved::returns(index, queries, one, radius, true);
  }
  return all;
}

}  // namespace sq8_files
