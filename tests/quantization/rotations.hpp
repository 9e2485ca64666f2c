#pragma once

// Random rotations, and how far a matrix is from being one.

#include "quantization/random_rows.hpp"

/// d x d, by Gram and Schmidt from normal rows.
inline annulus::matrix<float> random_rotation(std::size_t d, std::uint64_t seed) {
  const annulus::matrix<float> normal = random_rows(d, d, seed);
  annulus::matrix<double> r(d, d);
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t j = 0; j < d; ++j) r(i, j) = static_cast<double>(normal(i, j));
    for (int twice = 0; twice < 2; ++twice)
      for (std::size_t other = 0; other < i; ++other) {
        double product = 0;
        for (std::size_t j = 0; j < d; ++j) product += r(i, j) * r(other, j);
        for (std::size_t j = 0; j < d; ++j) r(i, j) -= product * r(other, j);
      }
    double squares = 0;
    for (std::size_t j = 0; j < d; ++j) squares += r(i, j) * r(i, j);
    for (std::size_t j = 0; j < d; ++j) r(i, j) /= std::sqrt(squares);
  }
  annulus::matrix<float> rounded(d, d);
  for (std::size_t i = 0; i < d; ++i)
    for (std::size_t j = 0; j < d; ++j) rounded(i, j) = static_cast<float>(r(i, j));
  return rounded;
}

/// The greatest difference of r r^T from the identity, NaN where r is not finite.
inline double off_orthogonal(const annulus::matrix<float>& r) {
  double greatest = 0;
  for (std::size_t i = 0; i < r.rows(); ++i)
    for (std::size_t j = 0; j < r.rows(); ++j) {
      const double off = std::abs(inner_product(r.row(i), r.row(j)) - (i == j ? 1 : 0));
      if (!(off <= greatest)) greatest = off;
    }
  return greatest;
}

/// a * b, summed in double.
inline annulus::matrix<float> product_of(annulus::matrix_view<float> a, annulus::matrix_view<float> b) {
  annulus::matrix<float> product(a.rows(), b.cols());
  std::vector<double> sum(b.cols());
  for (std::size_t i = 0; i < a.rows(); ++i) {
    std::ranges::fill(sum, 0.0);
    for (std::size_t p = 0; p < b.rows(); ++p)
      for (std::size_t c = 0; c < b.cols(); ++c)
        sum[c] += static_cast<double>(a.row(i)[p]) * static_cast<double>(b.row(p)[c]);
    for (std::size_t c = 0; c < b.cols(); ++c) product(i, c) = static_cast<float>(sum[c]);
  }
  return product;
}
