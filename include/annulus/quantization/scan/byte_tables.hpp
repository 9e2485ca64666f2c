#pragma once

/// \file
/// Distance tables in bytes, as faiss's fast scans have them (André, Kermarrec and Le Scouarnec, "Cache locality is not
/// enough", VLDB 2015): registers can look them up and 16 bits hold their sums. With the bound of the error of the
/// rounding.

#include <annulus/core/rows/matrix.hpp>
#include <annulus/core/simd/batch.hpp>

#include <algorithm>
#include <cmath>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// How the sums of one query's bytes relate to those of its floats: sum / scale + offset is the distance. Sums are at
/// most largest_sum, so that 16-bit limits have one value above them.
struct byte_table {
  static constexpr std::uint32_t largest_sum = 65534;
  static constexpr std::size_t max_m = 65536;  ///< sub-quantisers; sums of more would be rounding errors only

  float scale = 1, offset = 0;
  double bound = 0;        ///< the most by which a sum differs from scale * (the floats' sum - offset)
  bool is_finite = false;  ///< whether all entries, spans and the offset are; else no bytes are written
  bool is_coarse = false;  ///< the bytes of most sub-spaces are too small to tell near codes apart

  float distance(std::uint32_t sum) const noexcept { return static_cast<float>(sum) / scale + offset; }

  /// A code whose floats sum to at most `distance` has a sum of bytes below this limit.
  std::uint16_t limit(float distance) const noexcept {
    const double most =
        static_cast<double>(scale) * (static_cast<double>(distance) - static_cast<double>(offset)) + bound;
    if (!(most < largest_sum)) return largest_sum + 1;
    return static_cast<std::uint16_t>(most < 0 ? 0 : most + 1);
  }
};

/// The least and the greatest of some floats; both NaN where one is not finite.
inline std::pair<float, float> finite_range(std::span<const float> values) noexcept {
  using batch = simd::batch<float>;
  constexpr std::size_t width = simd::lanes<float>;
  float least = values[0], greatest = values[0], poison = 0;
  std::size_t i = 0;
  if (values.size() >= width) {
    batch low = simd::load(values.data()), high = -low, not_finite = low - low;
    for (i = width; i + width <= values.size(); i += width) {
      const batch v = simd::load(values.data() + i);
      low = simd::min_skip_nan(v, low);
      high = simd::min_skip_nan(-v, high);
      not_finite += v - v;
    }
    least = -simd::reduce_max(batch(-low));
    greatest = simd::reduce_max(batch(-high));
    poison = simd::reduce_add(not_finite);
  }
  for (; i < values.size(); ++i) {
    least = std::min(least, values[i]);
    greatest = std::max(greatest, values[i]);
    poison += values[i] - values[i];
  }
  return {least + poison, greatest + poison};
}

/// floor((value - origin) * scale + 1/2) where only the product is rounded, as faiss has it.
inline void quantize_entries(std::span<const float> values, float origin, float scale, std::uint8_t* bytes) noexcept {
  using batch = simd::batch<float>;
  constexpr std::size_t width = 16;
  std::size_t i = 0;
  for (; i + width <= values.size(); i += width) {
    std::int32_t rounded[width];
    for (std::size_t j = 0; j < width; j += simd::lanes<float>) {
      // The maximum changes nothing; it keeps compilers from fusing the product with the subtraction below.
      const batch x = xsimd::max((simd::load(values.data() + i + j) - batch(origin)) * batch(scale), batch(0.0f));
      const auto whole = xsimd::to_int(x);
      const batch up = xsimd::select(x - xsimd::to_float(whole) >= batch(0.5f), batch(1.0f), batch(0.0f));
      (whole + xsimd::to_int(up)).store_unaligned(rounded + j);
    }
    for (std::size_t j = 0; j < width; ++j) bytes[i + j] = static_cast<std::uint8_t>(rounded[j]);
  }
  for (; i < values.size(); ++i) {
    const float x = (values[i] - origin) * scale;
    bytes[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(static_cast<double>(x) + 0.5));
  }
}

/// How well bytes tell the codewords of a sub-space apart, from 0 to 1: by their mean difference from the nearest and
/// from the furthest, of which the rounding should be a small part. A byte counts for at most 64, so that a few
/// codewords far from all others do not hide that those are alike.
inline double crispness(const std::uint8_t* bytes, std::size_t ks) noexcept {
  constexpr double enough = 16;
  const std::uint8_t top = *std::max_element(bytes, bytes + ks);
  std::uint32_t from_nearest = 0, from_furthest = 0;
  for (std::size_t j = 0; j < ks; ++j) {
    from_nearest += std::min<std::uint32_t>(bytes[j], 64);
    from_furthest += std::min<std::uint32_t>(static_cast<std::uint32_t>(top - bytes[j]), 64);
  }
  const double sum = std::min(from_nearest, from_furthest);
  const double share = std::min(1.0, sum / static_cast<double>(ks) / enough);
  return share * share;
}

/// Quantises the table of one query, m x ks, in which less is nearer. Entry (i, j) goes to bytes[i * stride + j];
/// stride >= ks, and the bytes between are left alone. The least entry of each sub-space becomes 0, all are scaled by
/// the same factor, a: the largest for which no byte exceeds 255 and no sum the 16 bits (that of faiss up to m = 256;
/// beyond, faiss leaves no room for the roundings, and its sums may wrap). `origins` is scratch for m floats. O(m ks).
///
/// Mirrored, the difference from the greatest entry is rounded: for negated inner products the table is then the
/// complement of faiss's table of the products, and finds the same codes.
///
/// Bytes are coarse where one sub-space is so much wider than most others, or all are so narrow, that less than a third
/// of the sub-spaces is crisp, or of few sub-spaces less than four, or less than three quarters.
///
/// The bound: a byte is within 1/2 of its product, whose two roundings lose less than 2 ulp; the floats' sum and that
/// of the offsets lose m ulp of the sum of magnitudes, and a mirrored offset 4 more.
inline byte_table quantize_table(matrix_view<float> table, std::size_t stride, std::uint8_t* bytes,
                                 std::span<float> origins, bool mirrored = false) noexcept {
  const std::size_t m = table.rows();
  byte_table result;
  float widest = 0;
  double sum_of_spans = 0, magnitude = 0, n_spans = 0;
  for (std::size_t i = 0; i < m; ++i) {
    const auto [low, high] = finite_range(table.row(i));
    const float span = high - low;
    if (!is_finite(span)) return result;
    origins[i] = mirrored ? high : low;
    widest = std::max(widest, span);
    sum_of_spans += span;
    n_spans += span > 0;
    result.offset += origins[i];
    magnitude += std::max(std::abs(static_cast<double>(low)), std::abs(static_cast<double>(high)));
  }
  if (!is_finite(result.offset)) return result;
  result.is_finite = true;
  if (widest > 0) {
    const double room = static_cast<double>(byte_table::largest_sum) - static_cast<double>(m) / 2;
    const auto scale_of_sum = static_cast<float>(std::min(room / sum_of_spans, 3e38));  // finite for any span
    result.scale = std::min(255 / widest, scale_of_sum);
  }
  if (mirrored) {
    std::size_t tops = 0;
    for (std::size_t i = 0; i < m; ++i) {
      std::uint8_t* const row = bytes + i * stride;
      quantize_entries(table.row(i), origins[i], -result.scale, row);
      const std::uint8_t top = *std::max_element(row, row + table.cols());
      std::transform(row, row + table.cols(), row,
                     [top](std::uint8_t b) { return static_cast<std::uint8_t>(top - b); });
      tops += top;
    }
    result.offset -= static_cast<float>(tops) / result.scale;
  } else {
    for (std::size_t i = 0; i < m; ++i) quantize_entries(table.row(i), origins[i], result.scale, bytes + i * stride);
  }

  double crisp = 0;
  for (std::size_t i = 0; i < m; ++i) crisp += crispness(bytes + i * stride, table.cols());
  result.is_coarse = crisp < std::max(n_spans / 3, std::min(4.0, 0.75 * n_spans));

  constexpr double ulp = std::numeric_limits<float>::epsilon() / 2;
  const auto terms = static_cast<double>(m);
  result.bound = terms / 2 + 4 * ulp * byte_table::largest_sum +
                 static_cast<double>(result.scale) * (2.1 * terms + 4) * ulp * magnitude;
  // Beyond this the floats' sums may overflow, and then do not bound those of the bytes.
  if (magnitude > static_cast<double>(std::numeric_limits<float>::max()))
    result.bound = std::numeric_limits<double>::infinity();
  return result;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
