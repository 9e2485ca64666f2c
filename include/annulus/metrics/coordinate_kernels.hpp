#pragma once

/// \file
/// The kernels of metrics that are sums over the coordinates of two rows: what each folds into its accumulators. 8-bit
/// rows are widened to floats unless stated otherwise.

#include <annulus/core/kernels/sparse_kernels.hpp>
#include <annulus/core/simd/elementary.hpp>

#include <cmath>
#include <numbers>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace kernels {
struct absolute_sum {};  ///< sum |a + b|
struct unequal {};       ///< coordinates that differ, counted
struct canberra {};      ///< sum |a - b| / (|a| + |b|), 0 where both are 0
/// The same, right also where |a| + |b| overflows.
struct canberra_of_largest {};
struct braycurtis {};  ///< {sum |a - b|, sum |a + b|}
struct tsss_terms {};  ///< {sum (a - b)^2, sum a^2, sum b^2}
/// sum |a - b|^(Halves / 2), for 3, 5, 6 and 8 halves.
template <int Halves>
struct powers {};
}  // namespace kernels

namespace detail {

/// Several sums in one pass; the result is an array of them.
template <class T, std::size_t N>
struct sums_operation : floating_operation<T> {
  using base = floating_operation<T>;
  struct accumulator {
    typename base::vector sum[N];
  };
  using result = std::array<typename base::lane, N>;
  static accumulator zero() noexcept {
    accumulator all;
    simd::unroll<N>([&](auto i) { all.sum[i] = base::zero(); });
    return all;
  }
  static accumulator merge(accumulator a, const accumulator& b) noexcept {
    simd::unroll<N>([&](auto i) { a.sum[i] += b.sum[i]; });
    return a;
  }
  static result finish(const accumulator& all) noexcept {
    result sums;
    simd::unroll<N>([&](auto i) { sums[i] = simd::reduce_add(all.sum[i]); });
    return sums;
  }
};

template <class T>
struct operation<kernels::canberra, T> : floating_operation<T> {
  static auto fold(auto sum, auto a, auto b) noexcept {
    using vector = decltype(sum);
    const auto size = xsimd::abs(a) + xsimd::abs(b);
    return sum + simd::divide(xsimd::abs(a - b), xsimd::select(size == vector(0), vector(1), size));
  }
};

template <class T>
struct operation<kernels::canberra_of_largest, T> : floating_operation<T> {
  static auto fold(auto sum, auto a, auto b) noexcept {
    using vector = decltype(sum);
    const vector large(std::numeric_limits<lane_t<T>>::max() / 2);
    const auto unit = xsimd::select(xsimd::max(xsimd::abs(a), xsimd::abs(b)) > large, vector(0.5), vector(1));
    return operation<kernels::canberra, T>::fold(sum, a * unit, b * unit);
  }
};

template <class T>
struct operation<kernels::braycurtis, T> : sums_operation<T, 2> {
  using accumulator = typename sums_operation<T, 2>::accumulator;
  static accumulator fold(accumulator all, auto a, auto b) noexcept {
    all.sum[0] += xsimd::abs(a - b);
    all.sum[1] += xsimd::abs(a + b);
    return all;
  }
};

template <class T>
struct operation<kernels::absolute_sum, T> : floating_operation<T> {
  static auto fold(auto sum, auto a, auto b) noexcept { return sum + xsimd::abs(a + b); }
};

/// Exact for unsigned bytes, by integer sums.
template <>
struct operation<kernels::braycurtis, std::uint8_t> : byte_operation<std::uint8_t> {
  using base = byte_operation<std::uint8_t>;
  struct accumulator {
    base::accumulator difference, size;
  };
  using result = std::array<std::uint32_t, 2>;
  static accumulator zero() noexcept { return {base::zero(), base::zero()}; }
  static accumulator merge(const accumulator& a, const accumulator& b) noexcept {
    return {base::merge(a.difference, b.difference), base::merge(a.size, b.size)};
  }
  static accumulator fold(const accumulator& all, const base::vector& a, const base::vector& b) noexcept {
    return {simd_type::add_bytes(all.difference, base::difference(a, b)),
            simd_type::add_bytes(simd_type::add_bytes(all.size, a), b)};
  }
  static result finish(const accumulator& all) noexcept {
    return {base::finish(all.difference), base::finish(all.size)};
  }
};

template <class T>
  requires(!is_byte<T>)
struct operation<kernels::unequal, T> : floating_operation<T> {
  static auto fold(auto sum, auto a, auto b) noexcept {
    using vector = decltype(sum);
    return xsimd::select(a == b, sum, sum + vector(1));
  }
};

/// By integers.
template <class T>
  requires is_byte<T>
struct operation<kernels::unequal, T> : byte_operation<T> {
  using base = byte_operation<T>;
  using simd_type = typename base::simd_type;
  static auto fold(const typename base::accumulator& sum, const typename base::vector& a,
                   const typename base::vector& b) noexcept {
    const auto all = repeated(0xFF), all_but_one = repeated(0xFE);
    const auto agree = simd_type::exclusive_or(simd_type::exclusive_or(a, b), all);  // 0xFF for equal bytes
    return simd_type::add_bytes(sum, simd_type::exclusive_or(simd_type::maximum(agree, all_but_one), all));
  }

 private:
  static typename base::vector repeated(int byte) noexcept {
    std::uint8_t bytes[base::width];
    std::memset(bytes, byte, sizeof bytes);
    return simd_type::load(bytes);
  }
};

template <int Halves, class T>
struct operation<kernels::powers<Halves>, T> : floating_operation<T> {
  static_assert(Halves == 3 || Halves == 5 || Halves == 6 || Halves == 8);
  static auto fold(auto sum, auto a, auto b) noexcept {
    const auto x = xsimd::abs(a - b);
    if constexpr (Halves == 3) return xsimd::fma(x, simd::sqrt(x), sum);
    const auto square = x * x;
    if constexpr (Halves == 5) return xsimd::fma(square, simd::sqrt(x), sum);
    else if constexpr (Halves == 6) return xsimd::fma(square, x, sum);
    else return xsimd::fma(square, square, sum);
  }
};

template <class T>
struct operation<kernels::tsss_terms, T> : sums_operation<T, 3> {
  using accumulator = typename sums_operation<T, 3>::accumulator;
  static accumulator fold(accumulator all, auto a, auto b) noexcept {
    const auto difference = a - b;
    all.sum[0] = xsimd::fma(difference, difference, all.sum[0]);
    all.sum[1] = xsimd::fma(a, a, all.sum[1]);
    all.sum[2] = xsimd::fma(b, b, all.sum[2]);
    return all;
  }
};

/// sum |x / greatest|^p by logarithms, of differences x whose greatest is known: nothing overflows, and rows that
/// differ are not at distance 0, however large p is.
template <class Lane>
class power_sum {
 public:
  using vector = simd::batch<Lane>;
  power_sum(Lane greatest, Lane p) noexcept : m_greatest(greatest), m_root(1 / p), m_scale(greatest), m_p(p) {}
  /// Logarithms are clamped where their exp is negligible beside that of the greatest, and so are never infinite.
  void add(const vector& x) noexcept {
    const vector negligible(Lane(std::numeric_limits<Lane>::min_exponent) * std::numbers::ln2_v<Lane>);
    m_sum += simd::exp(xsimd::max(m_p * simd::log(simd::divide(xsimd::abs(x), m_scale)), negligible));
  }
  Lane norm() const noexcept { return m_greatest * std::pow(simd::reduce_add(m_sum), m_root); }

 private:
  Lane m_greatest, m_root;
  vector m_scale, m_p, m_sum = vector(Lane(0));
};

/// (sum |a - b|^p)^(1/p) for any p. Time O(d), of an exp and a log per coordinate.
template <class T>
lane_t<T> norm_of_difference(std::span<const T> a, std::span<const T> b, lane_t<T> p) noexcept {
  using op = floating_operation<T>;
  const auto greatest = static_cast<lane_t<T>>(one_to_one<kernels::linf>(a.data(), b.data(), a.size()));
  if (!(greatest > 0)) return greatest;
  power_sum<lane_t<T>> sum(greatest, p);
  std::size_t i = 0;
  for (; i + op::width <= a.size(); i += op::width) sum.add(op::load(&a[i]) - op::load(&b[i]));
  if (i < a.size()) sum.add(op::load_partial(&a[i], a.size() - i) - op::load_partial(&b[i], a.size() - i));
  return sum.norm();
}
template <class T>
lane_t<T> norm_of_difference(const sparse_row<T>& a, const sparse_row<T>& b, lane_t<T> p) noexcept {
  using lane = lane_t<T>;
  using vector = simd::batch<lane>;
  const lane greatest = one_to_one<kernels::linf>(a, b);
  if (!(greatest > 0)) return greatest;
  power_sum<lane> sum(greatest, p);
  constexpr std::size_t width = simd::lanes<lane>;
  alignas(64) lane some[width];
  std::size_t n = 0;
  for_each_stored(a, b, [&](double x, double y) {
    some[n++] = static_cast<lane>(x - y);
    if (n < width) return;
    sum.add(vector::load_aligned(some));
    n = 0;
  });
  std::fill(some + n, some + width, lane(0));
  sum.add(vector::load_aligned(some));
  return sum.norm();
}

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
