#pragma once

/// \file
/// Metrics of direction: angles, and correlations, which are angles between centred rows.

#include <annulus/core/kernels/sparse_kernels.hpp>
#include <annulus/core/metric/rewritten_metric.hpp>
#include <annulus/metrics/coordinate_kernels.hpp>

#include <numbers>
#include <numeric>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// 1 - r of Pearson's correlation r of the coordinates (Pearson 1895), from 0 to 2: the cosine of rows less their
/// means. A constant row has no direction: distance 1 from any other and 0 from another constant row. O(d); of sparse
/// rows, whose absent coordinates are 0, O(stored in both).
struct correlation : detail::embedding<correlation> {
  static constexpr std::string_view name = "correlation";
  using detail::embedding<correlation>::operator();

  static std::size_t embedded_dim(std::size_t d) noexcept { return d; }
  template <row_scalar T>
  static void embed(const T* row, std::size_t d, embedded<T>* out) noexcept {
    if (d == 0) return;
    // The first coordinate is subtracted first, which makes a constant row exactly 0.
    const auto first = static_cast<double>(row[0]);
    double sum = 0;
    for (std::size_t i = 0; i < d; ++i) sum += static_cast<double>(row[i]) - first;
    const double mean = sum / static_cast<double>(d);
    for (std::size_t i = 0; i < d; ++i) out[i] = static_cast<embedded<T>>(static_cast<double>(row[i]) - first - mean);
  }
  static cosine base(std::size_t) noexcept { return {}; }

  template <row_scalar T>
  double operator()(const sparse_row<T>& a, const sparse_row<T>& b) const noexcept {
    const centre at_a(a), at_b(b);
    if constexpr (std::same_as<T, double>)  // squares of any other type are doubles
      if (!cosine::takes_norms(at_a.norm, at_b.norm)) [[unlikely]]
        return between(a, centre(a, detail::exponent_of(a)), b, centre(b, detail::exponent_of(b)));
    return between(a, at_a, b, at_b);
  }

 private:
  /// What centres the values of a sparse row, and the squared norm of the centred row. Values are multiplied by
  /// 2^-exponent.
  struct centre {
    template <class T>
    explicit centre(const sparse_row<T>& row, int exponent = 0)
        : dim(static_cast<double>(row.dim)), factor(std::ldexp(1, -exponent)) {
      if (row.dim == 0) return;
      const std::size_t n = row.values.size(), absent = row.dim - n;
      if (absent == 0) first = factor * static_cast<double>(row.values[0]);
      constexpr std::size_t chains = 8;
      double sums[chains] = {}, squares[chains] = {};
      for (std::size_t i = 0; i < n; i += chains)
        for (std::size_t c = 0, end = std::min(chains, n - i); c < end; ++c) {
          const double x = factor * static_cast<double>(row.values[i + c]) - first;
          sums[c] += x;
          squares[c] += x * x;
        }
      mean = std::accumulate(sums, sums + chains, 0.0) / dim;
      if (absent > 0) {
        norm = std::accumulate(squares, squares + chains, 0.0) - dim * mean * mean;
        return;
      }
      is_full = true;
      for (const T x : row.values) norm += of(static_cast<double>(x)) * of(static_cast<double>(x));
    }
    double of(double x) const noexcept { return factor * x - first - mean; }
    double dim, factor, first = 0, mean = 0, norm = 0;
    bool is_full =
        false;  ///< no coordinate is absent. The mean may be far from zero, and is subtracted before squaring
  };

  template <class T>
  static double between(const sparse_row<T>& a, const centre& at_a, const sparse_row<T>& b,
                        const centre& at_b) noexcept {
    double dot = 0;
    if (!at_a.is_full && !at_b.is_full) {
      detail::for_each_common(a, b, [&](double x, double y) { dot += (at_a.factor * x) * (at_b.factor * y); });
      dot -= at_a.dim * (at_a.mean * at_b.mean);
    } else {
      std::size_t stored = 0;
      detail::for_each_stored(a, b, [&](double x, double y) {
        dot += at_a.of(x) * at_b.of(y);
        ++stored;
      });
      dot += static_cast<double>(a.dim - stored) * (at_a.of(0) * at_b.of(0));
    }
    constexpr double rounding = 1e-13;  // of sums of equal terms in different orders
    const double distance = cosine::from_terms(dot, at_a.norm, at_b.norm);
    return distance < rounding ? 0.0 : distance;
  }
};

/// The angle between two rows as a fraction of half a turn: arccos(cos(a, b)) / pi, 0 for the same direction, 1/2 for
/// orthogonal rows and 1 for opposite ones. A metric on directions. Other libraries give the similarity 1 - angle / pi
/// by this name. A zero row is at 1/2 from any other and at 0 from another zero row. Ranked by `cosine`, with its
/// rounding: angles below about 5e-4 between float rows are not distinguished. O(d).
struct true_angular : detail::ranked_metric<true_angular> {
  static constexpr std::string_view name = "true_angular";
  static constexpr bool is_angular = true;
  static constexpr auto form = product_form::cosine;
  template <row_scalar T>
  static auto rank(const T* a, const T* b, std::size_t d) noexcept {
    return cosine{}(a, b, d);
  }
  template <row_scalar T>
  static auto rank(const sparse_row<T>& a, const sparse_row<T>& b) noexcept {
    return cosine{}(a, b);
  }
  /// By the half angle, as the arccos of a rounded cosine loses small angles. \param rank a cosine distance
  /// \returns the angle
  template <std::floating_point Rank>
  static Rank to_distance(Rank rank) noexcept {
    return 2 * std::asin(detail::sqrt(std::min(rank / 2, Rank(1)))) / std::numbers::pi_v<Rank>;
  }
};

/// 1 - <a, b>: the cosine distance of rows of length 1, which is not checked. Other rows have the order of
/// inner_product, and a negative distance where their product is above 1. O(d).
struct dot : detail::ranked_metric<dot> {
  static constexpr std::string_view name = "dot";
  static constexpr bool is_angular = true;
  static constexpr auto form = product_form::inner_product;
  using kernel = inner_product::kernel;
  template <class Result>
  static auto from_kernel(Result r) noexcept {
    return inner_product::from_kernel(r);
  }
  template <row_scalar T>
  static auto rank(const T* a, const T* b, std::size_t d) noexcept {
    return inner_product::rank(a, b, d);
  }
  template <row_scalar T>
  static auto rank(const sparse_row<T>& a, const sparse_row<T>& b) noexcept {
    return inner_product::rank(a, b);
  }
  template <class Rank>
  static auto to_distance(Rank rank) noexcept {
    return 1 + detail::to_floating(rank);
  }
};

/// 1 - rho of Spearman's rank correlation rho (Spearman 1904), from 0 to 2: the correlation of the coordinates' ranks,
/// where equal coordinates have the mean of their ranks. A constant row is at distance 1 from any other and 0 from
/// another constant row. O(d) once every row is rewritten in O(d log d); rewriting allocates for long rows.
struct spearmanr : detail::embedding<spearmanr> {
  static constexpr std::string_view name = "spearmanr";
  using detail::embedding<spearmanr>::operator();

  static std::size_t embedded_dim(std::size_t d) noexcept { return d; }
  /// Ranks the coordinates, in O(d log d). \param row,d a row and its length \param out ranks less their mean: half of
  /// (the number of smaller coordinates - the number of greater ones) \throws std::bad_alloc for long rows
  template <row_scalar T>
  static void embed(const T* row, std::size_t d, embedded<T>* out) {
    constexpr std::size_t few = 32 * simd::lanes<embedded<T>>;
    if (d <= few) count_around<few>(row, d, out);
    else sort_places(row, d, out);
  }
  static cosine base(std::size_t) noexcept { return {}; }

 private:
  /// Compares every coordinate with every other, by registers: faster than sorting up to some hundreds.
  template <std::size_t Few, class T, class Lane>
  static void count_around(const T* row, std::size_t d, Lane* out) noexcept {
    using vector = simd::batch<Lane>;
    constexpr std::size_t width = simd::lanes<Lane>;
    alignas(64) Lane values[Few];
    for (std::size_t i = 0; i < d; ++i) values[i] = static_cast<Lane>(row[i]);
    std::fill(values + d, values + (d + width - 1) / width * width, Lane(0));
    for (std::size_t i = 0; i < d; i += width) {
      const vector own = vector::load_aligned(values + i), zero(Lane(0)), half(Lane(0.5));
      vector smaller(zero), greater(zero);
      for (std::size_t j = 0; j < d; ++j) {
        const vector other(values[j]);
        smaller += xsimd::select(other < own, half, zero);
        greater += xsimd::select(own < other, half, zero);
      }
      alignas(64) Lane places[width];
      (smaller - greater).store_aligned(places);
      std::copy_n(places, std::min(width, d - i), out + i);
    }
  }

  template <class T, class Lane>
  static void sort_places(const T* row, std::size_t d, Lane* out) {
    struct entry {
      Lane value;
      std::size_t at;
    };
    std::vector<entry> entries(d);
    for (std::size_t i = 0; i < d; ++i) entries[i] = {static_cast<Lane>(row[i]), i};
    std::ranges::sort(entries, {}, &entry::value);
    for (std::size_t begin = 0, end = 0; begin < d; begin = end) {
      for (end = begin + 1; end < d && entries[end].value == entries[begin].value;) ++end;
      const double place = (static_cast<double>(begin + end) - static_cast<double>(d)) / 2;
      for (std::size_t i = begin; i < end; ++i) out[entries[i].at] = static_cast<Lane>(place);
    }
  }
};

/// Triangle area similarity times sector area similarity (Heidarian and Dinneen 2016), which grows with the angle and
/// with the lengths of both rows: with theta their angle plus 10 degrees, |a| |b| |sin theta| / 2 times (|a - b| + ||a|
/// - |b||)^2 theta / 2. An area has no sign: where theta is beyond a half turn the published formula is negative, and
/// so opposite rows would be the nearest. 0 where either row is 0. Not a metric. O(d).
struct tsss {
  static constexpr std::string_view name = "tsss";
  static constexpr bool is_angular = false;
  static constexpr degrees degree() noexcept { return {.distance = 4, .rank = 4}; }
  static constexpr double greatest_sum(double norm, std::size_t) noexcept { return 4 * norm * norm * norm * norm; }

  template <row_scalar T>
  auto operator()(const T* a, const T* b, std::size_t d) const noexcept {
    const auto terms = one_to_one<kernels::tsss_terms>(a, b, d);
    return from_rows(detail::as_row(a, d), detail::as_row(b, d), terms[0], terms[1], terms[2]);
  }
  template <row_scalar T>
  auto operator()(const sparse_row<T>& a, const sparse_row<T>& b) const noexcept {
    return from_rows(a, b, one_to_one<kernels::squared_l2>(a, b), squared_norm(a), squared_norm(b));
  }

 private:
  /// From |a - b|^2, |a|^2 and |b|^2, or from the lengths where one of these overflowed or underflowed.
  template <class Row, std::floating_point Number>
  static Number from_rows(const Row& a, const Row& b, Number square, Number a_square, Number b_square) noexcept {
    if constexpr (detail::may_leave_range<Row>)
      if (!(detail::is_in_range(square) && detail::is_in_range(a_square) && detail::is_in_range(b_square))) [[unlikely]]
        return static_cast<Number>(of_any_size(a, b));
    return from_lengths(detail::sqrt(square), detail::sqrt(a_square), detail::sqrt(b_square));
  }
  template <class Row>
  [[gnu::noinline, gnu::cold]] static double of_any_size(Row a, Row b) noexcept {
    const auto distance = detail::root_of_sum<kernels::squared_l2>(a, b, [](auto sum) { return detail::sqrt(sum); });
    const double a_norm = detail::norm_of(a), b_norm = detail::norm_of(b);
    const int exponent = detail::even_exponent(std::max(a_norm, b_norm));
    const auto near_one = [=](double length) { return std::ldexp(length, -exponent); };
    return std::ldexp(from_lengths(near_one(static_cast<double>(distance)), near_one(a_norm), near_one(b_norm)),
                      4 * exponent);
  }
  /// The angle comes from the three sides of the triangle, by the half angle, as the arccos of a rounded cosine loses
  /// small angles.
  template <std::floating_point Number>
  static Number from_lengths(Number distance, Number a_norm, Number b_norm) noexcept {
    const Number product = a_norm * b_norm, longer = std::abs(a_norm - b_norm), reach = distance + longer;
    if (product == 0) return 0;
    const Number half = std::clamp((distance - longer) * reach / (4 * product), Number(0), Number(1));
    const Number sine = detail::sqrt(half), theta = 2 * std::asin(sine) + std::numbers::pi_v<Number> / 18;
    constexpr auto sine_of_10 = Number(0.17364817766693035), cosine_of_10 = Number(0.984807753012208);
    const Number sine_of_theta = 2 * sine * detail::sqrt(1 - half) * cosine_of_10 + (1 - 2 * half) * sine_of_10;
    return product * std::abs(sine_of_theta) / 2 * (reach * reach * theta / 2);
  }
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
