#pragma once

// The metrics of the suite in double precision, and by how much single precision may be mistaken.

#include <cmath>
#include <cstddef>
#include <span>

namespace situations {

using row_view = std::span<const float>;

template <class Term>
double sum_over(row_view a, row_view b, Term term) {
  const float* const of_a = a.data();
  const float* const of_b = b.data();
  double sum = 0;
  for (std::size_t i = 0, n = a.size(); i < n; ++i)
    sum += term(static_cast<double>(of_a[i]), static_cast<double>(of_b[i]));
  return sum;
}

inline double dot(row_view a, row_view b) {
  return sum_over(a, b, [](double x, double y) { return x * y; });
}
inline double norm_product(row_view a, row_view b) { return std::sqrt(dot(a, a) * dot(b, b)); }

inline double euclidean_distance(row_view a, row_view b) {
  return std::sqrt(sum_over(a, b, [](double x, double y) { return (x - y) * (x - y); }));
}
inline double negative_product(row_view a, row_view b) { return -dot(a, b); }
/// 1 to a zero vector, but for another one.
inline double cosine_distance(row_view a, row_view b) {
  const double product = norm_product(a, b);
  if (product == 0) return dot(a, a) == dot(b, b) ? 0 : 1;
  return 1 - dot(a, b) / product;
}
/// Rows of 0 and 1.
inline double differing_bits(row_view a, row_view b) {
  return sum_over(a, b, [](double x, double y) { return std::abs(x - y); });
}
inline double jaccard_distance(row_view a, row_view b) {
  double either = 0;
  const double both = sum_over(a, b, [&](double x, double y) {
    either += x + y - x * y;
    return x * y;
  });
  return either > 0 ? (either - both) / either : 0;
}

inline double no_error(row_view, row_view) { return 0; }
inline double error_of_cosine(row_view, row_view) { return 1e-6; }
inline double error_of_product(row_view a, row_view b) { return 1e-6 * norm_product(a, b); }

}  // namespace situations
