#pragma once

/// \file
/// What each distance kernel computes: how to fold one SIMD vector of two rows into an accumulator, for every element
/// type. The loops over rows are in dense_kernels.hpp.

#include <annulus/core/kernels/bit_kernels.hpp>
#include <annulus/core/rows/element_types.hpp>

#include <concepts>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace kernels {
struct squared_l2 {};     ///< sum (a - b)^2
struct inner_product {};  ///< sum a b
struct l1 {};             ///< sum |a - b|
struct linf {};           ///< max |a - b|
struct bit_hamming {};    ///< bits that differ, of packed bytes
struct cosine_terms {};   ///< {sum a b, sum b b}: an inner product and the squared norm of the second row in one pass
}  // namespace kernels

/// What kernels::cosine_terms returns.
template <class Sum>
struct cosine_sums {
  Sum dot, norm;  ///< sum a b, sum b b
  friend cosine_sums operator+(const cosine_sums& a, const cosine_sums& b) { return {a.dot + b.dot, a.norm + b.norm}; }
  friend bool operator==(const cosine_sums&, const cosine_sums&) = default;
};

namespace detail {

/// An operation tells how to fold one vector of each row into an accumulator, how to merge two accumulators, and the
/// result of the last one. `width` elements go into a vector. Or it has loops of its own, `pair` and `rows`.
template <class Kernel, class T>
struct operation;

/// A row times a factor, by which operations multiply its coordinates as they load them: exactly, if it is a power of
/// two and nothing leaves the range of the lanes.
template <class T>
struct scaled_row {
  const T* data;
  lane_t<T> factor;
  scaled_row operator+(std::size_t n) const noexcept { return {data + n, factor}; }
};

/// Computed in floating point, also for 8-bit rows.
template <class T>
struct floating_operation {
  using lane = lane_t<T>;
  using vector = simd::batch<lane>;
  using accumulator = vector;
  using result = lane;
  static constexpr std::size_t width = simd::lanes<lane>;
  static vector load(const T* p) noexcept {
    if constexpr (is_byte<T>) return simd::load_bytes(p);
    else return simd::load(p);
  }
  static vector load_partial(const T* p, std::size_t n) noexcept {
    if constexpr (is_byte<T>) {
      T padded[width] = {};
      std::memcpy(padded, p, n);
      return load(padded);
    } else {
      return simd::load_partial(p, n);
    }
  }
  static vector load(scaled_row<T> row) noexcept { return load(row.data) * vector(row.factor); }
  static vector load_partial(scaled_row<T> row, std::size_t n) noexcept {
    return load_partial(row.data, n) * vector(row.factor);
  }
  static accumulator zero() noexcept { return vector(lane(0)); }
  static accumulator merge(accumulator a, accumulator b) noexcept { return a + b; }
  static result finish(accumulator sum) noexcept { return simd::reduce_add(sum); }
  template <std::size_t N>
  static void finish(const accumulator (&sums)[N], result* out) noexcept {
    simd::reduce_add(sums, out);
  }
};

template <class T>
  requires(!is_byte<T>)
struct operation<kernels::squared_l2, T> : floating_operation<T> {
  static auto fold(auto sum, auto a, auto b) noexcept {
    const auto difference = a - b;
    return xsimd::fma(difference, difference, sum);
  }
};

template <class T>
  requires(!is_byte<T>)
struct operation<kernels::inner_product, T> : floating_operation<T> {
  static auto fold(auto sum, auto a, auto b) noexcept { return xsimd::fma(a, b, sum); }
};

template <class T>
  requires(!is_byte<T>)
struct operation<kernels::l1, T> : floating_operation<T> {
  static auto fold(auto sum, auto a, auto b) noexcept { return sum + xsimd::abs(a - b); }
};

template <class T>
  requires(!is_byte<T>)
struct operation<kernels::linf, T> : floating_operation<T> {
  static auto fold(auto most, auto a, auto b) noexcept { return xsimd::max(most, xsimd::abs(a - b)); }
  static auto merge(auto a, auto b) noexcept { return xsimd::max(a, b); }
  static lane_t<T> finish(auto most) noexcept { return simd::reduce_max(most); }
};

template <class T>
struct byte_operation {
  using simd_type = simd::integers;
  using vector = simd_type::bytes_type;
  using accumulator = simd_type::sums_type;
  using result = std::uint32_t;
  static constexpr std::size_t width = simd_type::bytes;
  static vector load(const T* p) noexcept { return simd_type::load(p); }
  static vector load_partial(const T* p, std::size_t n) noexcept { return simd_type::load_partial(p, n); }
  static accumulator zero() noexcept { return simd_type::zero(); }
  static accumulator merge(accumulator a, accumulator b) noexcept { return simd_type::add(a, b); }
  static result finish(accumulator sum) noexcept { return simd_type::reduce(sum); }
  /// |a - b| fits an unsigned byte for both types: flipping the sign bits moves int8 to uint8 and keeps differences.
  template <class Simd = simd_type>  // as not every build has signed_difference
  static vector difference(vector a, vector b) noexcept {
    if constexpr (std::same_as<T, std::uint8_t>) return Simd::absolute_difference(a, b);
    else if constexpr (requires { Simd::signed_difference(a, b); }) return Simd::signed_difference(a, b);
    else return Simd::absolute_difference(Simd::flip_sign(a), Simd::flip_sign(b));
  }
};

/// Sums of squares and products of bytes fit 32 bits for so many coordinates at most; longer rows are summed block by
/// block, to a Result of 64 bits.
template <class T, class Result>
struct byte_product_operation : byte_operation<T> {
  static constexpr std::size_t most_in_32_bits = 32768;
  using result = Result;
};

template <class T>
  requires is_byte<T>
struct operation<kernels::squared_l2, T> : byte_product_operation<T, std::uint64_t> {
  using base = byte_operation<T>;
  static auto fold(typename base::accumulator sum, typename base::vector a, typename base::vector b) noexcept {
    const auto difference = base::difference(a, b);
    return simd::add_byte_products<std::uint8_t, std::uint8_t>(sum, difference, difference);
  }
};

template <class T>
  requires is_byte<T>
struct operation<kernels::inner_product, T> : byte_product_operation<T, std::int64_t> {
  using base = byte_operation<T>;
  static auto fold(typename base::accumulator sum, typename base::vector a, typename base::vector b) noexcept {
    return simd::add_byte_products<T, T>(sum, a, b);
  }
  static std::int64_t finish(typename base::accumulator sum) noexcept {
    if constexpr (std::is_signed_v<T>) return static_cast<std::int32_t>(base::finish(sum));
    else return base::finish(sum);
  }
};

template <class T>
  requires is_byte<T>
struct operation<kernels::l1, T> : byte_operation<T> {
  using base = byte_operation<T>;
  static auto fold(typename base::accumulator sum, typename base::vector a, typename base::vector b) noexcept {
    return simd::integers::add_bytes(sum, base::difference(a, b));
  }
};

template <class T>
  requires is_byte<T>
struct operation<kernels::linf, T> : byte_operation<T> {
  using base = byte_operation<T>;
  using accumulator = typename base::vector;
  static accumulator zero() noexcept { return simd::integers::absolute_difference(accumulator{}, accumulator{}); }
  static accumulator merge(accumulator a, accumulator b) noexcept { return simd::integers::maximum(a, b); }
  static accumulator fold(accumulator most, typename base::vector a, typename base::vector b) noexcept {
    return merge(most, base::difference(a, b));
  }
  static std::uint32_t finish(const accumulator& most) noexcept {
    std::uint8_t lane[base::width], greatest = 0;
    std::memcpy(lane, &most, sizeof lane);
    for (const std::uint8_t x : lane) greatest = x > greatest ? x : greatest;
    return greatest;
  }
};

/// Folds no vectors of coordinates: the bits of whole rows are counted.
template <class T>
  requires is_byte<T>
struct operation<kernels::bit_hamming, T> {
  using result = std::uint32_t;
  static result pair(const T* a, const T* b, std::size_t d) noexcept { return count_bits<differing_bits>(a, b, d); }
  static void rows(const T* query, std::size_t d, const T* first, std::size_t stride, std::size_t count,
                   result* out) noexcept {
    count_bits<differing_bits>(query, d, first, stride, count, out);
  }
};

template <class T>
struct operation<kernels::cosine_terms, T> : operation<kernels::inner_product, T> {
  using base = operation<kernels::inner_product, T>;
  struct accumulator {
    typename base::accumulator dot, norm;
  };
  using result = cosine_sums<typename base::result>;
  static accumulator zero() noexcept { return {base::zero(), base::zero()}; }
  static accumulator merge(accumulator a, accumulator b) noexcept {
    return {base::merge(a.dot, b.dot), base::merge(a.norm, b.norm)};
  }
  static accumulator fold(accumulator sum, typename base::vector a, typename base::vector b) noexcept {
    return {base::fold(sum.dot, a, b), base::fold(sum.norm, b, b)};
  }
  static result finish(accumulator sum) noexcept { return {base::finish(sum.dot), base::finish(sum.norm)}; }
};

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
