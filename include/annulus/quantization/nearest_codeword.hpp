#pragma once

/// \file
/// The nearest of a set of codewords, for many points: the inner loop of k-means and of encoding. Integer products find
/// the nearest and the second, with the codeword's number in the low bits of its rank, so that keeping the least is one
/// instruction; where the gap between the two is within the bound on the rounding, the floats decide.

#include <annulus/core/simd_transpose.hpp>
#include <annulus/quantization/framed_points.hpp>

#include <array>

namespace annulus::inline ANNULUS_ARCH::detail {

/// A set of codewords to look points up in. The answer is the codeword whose sum of squared differences, in floats, is
/// the least, ties to the lowest; it is a function of the point, the codewords and the frame alone.
class nearest_codeword {
  using integers = simd::integers;
  static constexpr std::size_t lanes = simd::word_lanes;
  static constexpr std::size_t number_bits = 8;  ///< of a rank, which hold the codeword's number in its chunk
  static constexpr std::size_t chunk = 1 << number_bits;
  static constexpr std::size_t points_a_pass = 4;
#if defined(__AVX512BW__)
  static constexpr std::size_t vectors_a_pass = 2;
#else
  static constexpr std::size_t vectors_a_pass = 1;
#endif

 public:
  static constexpr std::size_t block = 256;  ///< points to be searched at a time, so that they stay in cache

  /// Scratch of one thread.
  struct scratch {
    explicit scratch(std::size_t dim) : points(dim) {}
    framed_points points;
    std::array<std::int32_t, lanes * lanes> least, second, transposed;
    std::array<std::int32_t, block> best_rank, second_rank;
  };

  /// ks x ds codewords, in a frame of their own with room for points half as far out again as they are.
  explicit nearest_codeword(matrix_view<float> codewords)
      : nearest_codeword(codewords, integer_frame(codewords, 1.5f)) {}

  nearest_codeword(matrix_view<float> codewords, integer_frame frame)
      : m_size(codewords.rows()), m_dim(codewords.cols()), m_frame(std::move(frame)) {
    m_own_unit = m_frame.unit_for(codewords);
    const std::size_t panels = (m_size + lanes - 1) / lanes;
    arrange_floats(codewords);
    arrange_integers(codewords, panels);
  }

  const integer_frame& frame() const noexcept { return m_frame; }

  /// codes[i] = the number of the codeword nearest to points.row(i), whatever their number. O(n ks ds).
  void operator()(matrix_view<float> points, std::span<std::uint32_t> codes, scratch& s) const {
    for (std::size_t first = 0; first < points.rows(); first += block) {
      const auto part = points.middle_rows(first, std::min(block, points.rows() - first));
      s.points.assign(part, m_frame);
      search(s.points, 0, part, codes.subspan(first, part.rows()), s);
    }
  }

  /// The same for at most `block` points that are in the frame already, as points `first` and following of `framed`.
  void search(const framed_points& framed, std::size_t first, matrix_view<float> points, std::span<std::uint32_t> codes,
              scratch& s) const {
    const std::size_t n = points.rows();
    s.best_rank.fill(std::numeric_limits<std::int32_t>::max() >> number_bits);
    s.second_rank.fill(std::numeric_limits<std::int32_t>::max() >> number_bits);
    for (std::size_t begin = 0; begin < m_size; begin += chunk)
      for (std::size_t i = 0; i < n; i += lanes) {
        for (std::size_t p = 0; p < lanes; p += points_a_pass)
          least_two(framed.words_of(first + i + p), begin, s.least.data() + p * lanes, s.second.data() + p * lanes);
        merge(begin, i, std::min(lanes, n - i), codes, s);
      }
    // Ranks are those of the rounded point and codewords, so that each distance is off by at most both errors: by the
    // triangle inequality the nearest is known where the second is further by twice that.
    using batch = simd::batch<float>;
    constexpr std::size_t width = simd::lanes<float>;
    const float ratio = std::sqrt(m_frame.unit / m_own_unit), own_error = (m_worst_error + rounding) / ratio;
    for (std::size_t i = 0; i < n; i += width) {
      const batch length = simd::load(framed.lengths() + first + i) * batch(ratio), square = length * length;
      const auto distance = [&](const std::int32_t* rank, float slack) {
        alignas(64) float twice[width];
        for (std::size_t l = 0; l < width; ++l) twice[l] = static_cast<float>(2 * rank[i + l]) + slack;
        return xsimd::sqrt(xsimd::max(square + batch::load_aligned(twice), batch(0.0f)));
      };
      const batch gap = distance(s.second_rank.data(), -2) - distance(s.best_rank.data(), 2);
      const batch error = (simd::load(framed.errors() + first + i) + batch(rounding)) * batch(ratio) + batch(own_error);
      const std::uint64_t known = simd::mask(gap > batch(2.0f) * error);
      for (std::size_t l = 0; l < std::min(width, n - i); ++l)
        if ((known >> l & 1u) == 0) codes[i + l] = by_floats(points.row(i + l).data());
    }
  }

  /// out[c] = the squared distance of x to codeword c, as the floats decide by.
  void squared_distances(const float* x, float* out) const noexcept { for_each_vector(x, out, square_of_difference); }

  /// out[c] = the inner product of x and codeword c.
  void inner_products(const float* x, float* out) const noexcept {
    for_each_vector(x, out, [](auto xj, auto cj, auto sum) { return xsimd::fma(xj, cj, sum); });
  }

 private:
  static constexpr float rounding = 2e-3f;  ///< of what went before the integers, in units: longer than any such error

  /// Vectors of codewords, a coordinate after the other; the last is filled with what no point is nearest to.
  void arrange_floats(matrix_view<float> codewords) {
    constexpr std::size_t width = simd::lanes<float>;
    m_floats.assign((m_size + width - 1) / width * width * m_dim, std::numeric_limits<float>::infinity());
    for (std::size_t c = 0; c < m_size; ++c)
      for (std::size_t j = 0; j < m_dim; ++j)
        m_floats[(c / width * m_dim + j) * width + c % width] = codewords.row(c)[j];
  }

  /// Vectors of words likewise, before each its starts: half the square of the codeword, and its number.
  void arrange_integers(matrix_view<float> codewords, std::size_t panels) {
    integer_frame own{m_frame};
    own.unit = m_own_unit;
    framed_points framed(m_dim);
    framed.assign(codewords, own);
    m_words = framed.words();
    m_panels.assign(panels * (m_words + 1) * lanes, 0);
    const double half_ratio = 0.5 * static_cast<double>(m_own_unit) / static_cast<double>(m_frame.unit);
    for (std::size_t c = 0; c < panels * lanes; ++c) {
      std::int32_t* const panel = m_panels.data() + c / lanes * (m_words + 1) * lanes + c % lanes;
      if (c >= m_size) {
        panel[0] = std::numeric_limits<std::int32_t>::max();
        continue;
      }
      double square = 0;
      for (std::size_t w = 0; w < m_words; ++w) {
        const auto [a, b] = halves(framed.words_of(c)[w]);
        square += static_cast<double>(a * a + b * b) / 256;
        panel[(w + 1) * lanes] =
            std::bit_cast<std::int32_t>(std::array{static_cast<std::int16_t>(-a), static_cast<std::int16_t>(-b)});
      }
      panel[0] = static_cast<std::int32_t>(std::lrint(square * half_ratio)) * static_cast<std::int32_t>(chunk) +
                 static_cast<std::int32_t>(c % chunk);
    }
    m_worst_error = *std::max_element(framed.errors(), framed.errors() + m_size);
  }

  static std::array<std::int16_t, 2> halves(std::int32_t word) noexcept {
    return std::bit_cast<std::array<std::int16_t, 2>>(word);
  }

  /// Of the chunk that begins at codeword `begin`, lane by lane the least rank of points_a_pass points and the second.
  [[gnu::noinline]] void least_two(const std::int32_t* points, std::size_t begin, std::int32_t* least,
                                   std::int32_t* second) const noexcept {
    typename integers::sums_type low[points_a_pass], next[points_a_pass];
    simd::unroll<points_a_pass>(
        [&](auto p) { low[p] = next[p] = integers::broadcast_sum(std::numeric_limits<std::int32_t>::max()); });
    const std::size_t stride = (m_words + 1) * lanes;
    const std::int32_t* panel = m_panels.data() + begin / lanes * stride;
    std::size_t left = (std::min(chunk, m_size - begin) + lanes - 1) / lanes;
    const auto pass = [&]<std::size_t Vectors>(std::integral_constant<std::size_t, Vectors>) {
      for (; left >= Vectors; left -= Vectors, panel += Vectors * stride) {
        typename integers::sums_type sums[points_a_pass][Vectors];
        simd::unroll<points_a_pass>([&](auto p) {
          simd::unroll<Vectors>([&](auto v) { sums[p][v] = integers::load_words(panel + v * stride); });
        });
        for (std::size_t w = 0; w < m_words; ++w) {
          typename integers::shorts_type words[Vectors];
          simd::unroll<Vectors>([&](auto v) { words[v] = integers::load_words(panel + v * stride + (w + 1) * lanes); });
          simd::unroll<points_a_pass>([&](auto p) {
            const auto x = integers::broadcast_word(points[p * m_words + w]);
            simd::unroll<Vectors>([&](auto v) { sums[p][v] = integers::multiply_add(sums[p][v], words[v], x); });
          });
        }
        simd::unroll<points_a_pass>([&](auto p) {
          simd::unroll<Vectors>([&](auto v) {
            next[p] = integers::least(next[p], integers::greatest(low[p], sums[p][v]));
            low[p] = integers::least(low[p], sums[p][v]);
          });
        });
      }
    };
    pass(std::integral_constant<std::size_t, vectors_a_pass>{});
    if constexpr (vectors_a_pass > 1) pass(std::integral_constant<std::size_t, 1>{});
    simd::unroll<points_a_pass>([&](auto p) {
      integers::store(least + p * lanes, low[p]);
      integers::store(second + p * lanes, next[p]);
    });
  }

  /// The least two of all lanes, for a square of points, into what earlier chunks left.
  void merge(std::size_t begin, std::size_t i, std::size_t count, std::span<std::uint32_t> codes, scratch& s) const {
    const auto columns = [&](const std::array<std::int32_t, lanes * lanes>& square) {
      std::array<const std::uint8_t*, lanes> rows;
      for (std::size_t p = 0; p < lanes; ++p)
        rows[p] = reinterpret_cast<const std::uint8_t*>(square.data() + p * lanes);
      simd::transpose_square(rows, 0, 0, s.transposed.data());
    };
    columns(s.least);
    auto low = integers::load_words(s.transposed.data());
    auto next = integers::broadcast_sum(std::numeric_limits<std::int32_t>::max());
    for (std::size_t l = 1; l < lanes; ++l) {
      const auto other = integers::load_words(s.transposed.data() + l * lanes);
      next = integers::least(next, integers::greatest(low, other));
      low = integers::least(low, other);
    }
    columns(s.second);
    for (std::size_t l = 0; l < lanes; ++l)
      next = integers::least(next, integers::load_words(s.transposed.data() + l * lanes));

    std::array<std::int32_t, lanes> best, runner_up;
    integers::store(best.data(), low);
    integers::store(runner_up.data(), next);
    for (std::size_t p = 0; p < count; ++p) {
      const std::int32_t rank = best[p] >> number_bits, other = runner_up[p] >> number_bits;
      std::int32_t &first = s.best_rank[i + p], &second = s.second_rank[i + p];
      if (rank < first) {
        codes[i + p] = static_cast<std::uint32_t>(begin) + (static_cast<std::uint32_t>(best[p]) & (chunk - 1));
        second = std::min(first, other);
        first = rank;
      } else {
        second = std::min(second, rank);
      }
    }
  }

  static constexpr auto square_of_difference = [](simd::batch<float> x, simd::batch<float> c, simd::batch<float> sum) {
    return xsimd::fma(x - c, x - c, sum);
  };

  /// The sum over the coordinates of a panel of codewords, one a lane.
  template <class Term>
  simd::batch<float> sum_of(const float* x, std::size_t first, Term term) const noexcept {
    const float* panel = m_floats.data() + first * m_dim;
    simd::batch<float> sum(0.0f);
    for (std::size_t j = 0; j < m_dim; ++j)
      sum = term(simd::batch<float>(x[j]), simd::load(panel + j * simd::lanes<float>), sum);
    return sum;
  }

  template <class Term>
  void for_each_vector(const float* x, float* out, Term term) const noexcept {
    constexpr std::size_t width = simd::lanes<float>;
    std::size_t c = 0;
    for (; c + width <= m_size; c += width) sum_of(x, c, term).store_unaligned(out + c);
    if (c == m_size) return;
    alignas(64) float lane[width];
    sum_of(x, c, term).store_aligned(lane);
    std::copy_n(lane, m_size - c, out + c);
  }

  /// The answer by floats.
  [[gnu::noinline]] std::uint32_t by_floats(const float* x) const noexcept {
    using batch = simd::batch<float>;
    constexpr std::size_t width = simd::lanes<float>;
    batch least(std::numeric_limits<float>::infinity()), panel_of_least(0.0f);
    for (std::size_t c = 0; c < m_size; c += width) {
      const batch sum = sum_of(x, c, square_of_difference);
      panel_of_least = xsimd::select(sum < least, batch(static_cast<float>(c / width)), panel_of_least);
      least = xsimd::min(sum, least);
    }
    alignas(64) float lane[width], panel[width];
    least.store_aligned(lane);
    panel_of_least.store_aligned(panel);
    std::size_t code = static_cast<std::size_t>(panel[0]) * width, best = 0;
    for (std::size_t l = 1; l < width; ++l) {
      const std::size_t other = static_cast<std::size_t>(panel[l]) * width + l;
      if (lane[l] < lane[best] || (lane[l] == lane[best] && other < code)) {
        code = other;
        best = l;
      }
    }
    return static_cast<std::uint32_t>(code);
  }

  std::size_t m_size, m_dim, m_words = 0;
  integer_frame m_frame;
  float m_own_unit = 1, m_worst_error = 0;
  aligned_vector<std::int32_t> m_panels;
  aligned_vector<float> m_floats;
};

}  // namespace annulus::inline ANNULUS_ARCH::detail
