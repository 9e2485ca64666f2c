#pragma once

/// \file
/// The error of a quantiser on given vectors.

#include <annulus/quantization/scan/distance_table.hpp>

#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// The error of a quantiser on some vectors, in the space where they are quantised: rotated, normalised.
struct distortion_report {
  double mean_squared_error = 0;              ///< of the decoded vectors against the encoded ones
  std::vector<double> subspace_errors;        ///< the same, of each of the m sub-spaces
  std::vector<std::size_t> unused_codewords;  ///< of each sub-space: codewords that none of these vectors has
  /// The mean of (distance by table - true distance), from each vector to the one half the set further on. For
  /// sqeuclidean about -mean_squared_error: codewords are means, so decoded vectors are nearer to all others.
  double table_bias = 0;
};

namespace detail {

/// The report for rows (n x m * ds, as they are quantised) and their codes.
template <class Quantizer, code_scalar Code>
distortion_report distortion_of(const Quantizer& quantizer, matrix_view<float> rows, const matrix<Code>& codes) {
  const std::size_t n = rows.rows(), m = quantizer.m(), ks = quantizer.ks(), ds = quantizer.ds();
  if (n == 0) invalid("vectors", n, "must be at least 1");
  distortion_report report;
  report.subspace_errors.resize(m);
  report.unused_codewords.resize(m);
  std::vector<bool> used(ks);
  for (std::size_t i = 0; i < m; ++i) {
    used.assign(ks, false);
    for (std::size_t r = 0; r < n; ++r) {
      const auto c = std::size_t{codes(r, i)};
      used[c] = true;
      for (std::size_t j = 0; j < ds; ++j) {
        const auto x = static_cast<double>(rows.row(r)[i * ds + j]),
                   other = static_cast<double>(rows.row((r + n / 2) % n)[i * ds + j]);
        const auto decoded = static_cast<double>(quantizer.codewords(i).row(c)[j]);
        report.subspace_errors[i] += (x - decoded) * (x - decoded) / static_cast<double>(n);
        // The difference between the distances from `other` to the code and to the vector.
        report.table_bias += (quantizer.metric() == pq_metric::sqeuclidean
                                  ? (other - decoded) * (other - decoded) - (other - x) * (other - x)
                              : quantizer.metric() == pq_metric::inner_product ? other * (decoded - x)
                                                                               : other * (x - decoded)) /
                             static_cast<double>(n);
      }
    }
    report.unused_codewords[i] = static_cast<std::size_t>(std::count(used.begin(), used.end(), false));
    report.mean_squared_error += report.subspace_errors[i];
  }
  return report;
}

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
