#pragma once

/// \file
/// Metrics over rows of packed bits (bit_matrix, or bytes): core's bit_hamming, this header's bit_jaccard, and
/// packed<Metric> of every metric of sets.

#include <annulus/core/rows/bit_matrix.hpp>
#include <annulus/metrics/binary.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// -ln(|a and b| / |a or b|) of the bits of two rows of bytes, from 0 to +infinity: 0 for two rows without a bit,
/// +infinity for rows that have none in common. Ranked by the Jaccard distance, which is finite: a row at distance
/// +infinity is still a neighbour, after all others. As PyNNDescent defines it, for searches that bound a radius.
/// O(bytes).
struct bit_jaccard {
  static constexpr std::string_view name = "bit_jaccard";
  static constexpr bool is_angular = false;
  /// \param a,b two rows \param bytes their length \returns their Jaccard distance
  static double rank(const std::uint8_t* a, const std::uint8_t* b, std::size_t bytes) noexcept {
    return packed<jaccard>{}(a, b, bytes);
  }
  /// \param query,bytes a row and its length \param rows the first of others \param stride bytes from one to the next
  /// \param count how many \param out their ranks
  static void ranks(const std::uint8_t* query, std::size_t bytes, const std::uint8_t* rows, std::size_t stride,
                    std::size_t count, double* out) noexcept {
    packed<jaccard>{}.ranks(query, bytes, rows, stride, count, out);
  }
  static double to_distance(double rank) noexcept { return -std::log1p(-rank); }
  /// \param a,b two rows \param bytes their length \returns the distance
  double operator()(const std::uint8_t* a, const std::uint8_t* b, std::size_t bytes) const noexcept {
    return to_distance(rank(a, b, bytes));
  }
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
