#pragma once

/// \file
/// The nearest of a set of codewords, for many points: the inner loop of k-means and of encoding. Integer products find
/// the nearest and the second nearest, with the codeword's number in the low bits of its rank, so that a minimum is one
/// instruction. Where the gap between the two is within the bound of the rounding error, floats decide; also where
/// codewords are few and short, or integers are slow.

#include <annulus/core/simd/masks.hpp>
#include <annulus/quantization/framed_points.hpp>

#include <array>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Finds the nearest of a set of codewords for points. The answer is the codeword whose sum of squared differences, in
/// floats, is the least, ties to the lowest; it is a function of the point, the codewords and the frame alone.
class nearest_codeword {
  using integers = simd::integers;
  static constexpr std::size_t lanes = framed_points::lanes, vectors = framed_points::panels_together;
  static constexpr std::size_t number_bits = 4;  ///< low bits of a rank, which hold the codeword's number in its group
  static constexpr std::size_t group = 1 << number_bits;
  static constexpr std::size_t together = 4 * simd::lanes<float>;  ///< points that floats decide together
  static constexpr std::size_t few = 256;  ///< coordinates of codewords up to which floats take less time than integers

 public:
  static constexpr std::size_t block = 256;  ///< points to be searched at a time, so that they stay in cache

  /// Scratch of one thread.
  struct scratch {
    explicit scratch(std::size_t dim) : points(dim), columns(dim * together) {}
    framed_points points;
    aligned_vector<float> columns;  ///< of points that floats decide together
    alignas(64) std::array<std::int32_t, block> least{}, second{}, groups{};
  };

  /// ks x ds codewords, in a frame of their own that has room for points four times as far from the centre: points lie
  /// further out than codewords where these are few.
  explicit nearest_codeword(matrix_view<float> codewords) : nearest_codeword(codewords, integer_frame(codewords, 4)) {}

  nearest_codeword(matrix_view<float> codewords, integer_frame frame)
      : m_size(codewords.rows()), m_dim(codewords.cols()), m_frame(std::move(frame)) {
    m_own_unit = m_frame.unit_for(codewords);
    arrange_floats(codewords);
    arrange_integers(codewords);
  }

  const integer_frame& frame() const noexcept { return m_frame; }

  /// codes[i] = the number of the codeword nearest to points.row(i), for any number of points. O(n ks ds).
  void operator()(matrix_view<float> points, std::span<std::uint32_t> codes, scratch& s) const {
    if (is_left_to_floats()) return all_by_floats(points, codes, s);
    for (std::size_t first = 0; first < points.rows(); first += block) {
      const auto part = points.middle_rows(first, std::min(block, points.rows() - first));
      s.points.assign(part, m_frame);
      search(s.points, 0, part, codes.subspan(first, part.rows()), s);
    }
  }

  /// The same for at most `block` points that are in `framed` already, from number `first`, a multiple of block.
  void search(const framed_points& framed, std::size_t first, matrix_view<float> points, std::span<std::uint32_t> codes,
              scratch& s) const {
    const std::size_t n = points.rows();
    if (is_left_to_floats()) return all_by_floats(points, codes, s);
    for (std::size_t i = 0; i < n; i += vectors * lanes)
      least_two(framed.panel(first + i), s.least.data() + i, s.second.data() + i, s.groups.data() + i);
    for (std::size_t i = 0; i < n; ++i)
      codes[i] = static_cast<std::uint32_t>(s.groups[i] * std::int32_t{group} + (s.least[i] & std::int32_t{group - 1}));
    // Ranks are those of the rounded point and codewords, so that each distance is off by at most both errors: by the
    // triangle inequality the nearest is known where the second is further by twice that.
    using batch = simd::batch<float>;
    constexpr std::size_t width = simd::lanes<float>;
    const float* last = nullptr;
    std::uint32_t last_code = 0;
    const float ratio = detail::sqrt(m_frame.unit / m_own_unit), own_error = (m_worst_error + rounding) / ratio;
    for (std::size_t i = 0; i < n; i += width) {
      const batch length = simd::load(framed.lengths() + first + i) * batch(ratio), square = length * length;
      const auto distance = [&](const std::int32_t* key, float side) {
        alignas(64) float ranks[width];
        for (std::size_t l = 0; l < width; ++l) ranks[l] = static_cast<float>(2 * (key[i + l] >> number_bits));
        const batch twice = batch::load_aligned(ranks);
        // The rounding of the integers, and that of the floats here.
        const batch slack = batch(2.0f) + batch(6e-7f) * square + batch(2e-7f) * xsimd::abs(twice);
        return simd::sqrt(xsimd::max(square + twice + batch(side) * slack, batch(0.0f)));
      };
      const batch gap = distance(s.second.data(), -1) - distance(s.least.data(), 1);
      const batch error = (simd::load(framed.errors() + first + i) + batch(rounding)) * batch(ratio) + batch(own_error);
      const std::uint64_t known = simd::mask(gap > batch(2.0f) * error);
      for (std::size_t l = 0; l < std::min(width, n - i); ++l) {
        if ((known >> l & 1u) != 0) continue;
        const float* const x = points.row(i + l).data();
        // Repeated points, such as background, are often among those that floats decide.
        const bool repeats = last != nullptr && std::equal(x, x + m_dim, last);
        last_code = codes[i + l] = repeats ? last_code : by_floats(x);
        last = x;
      }
    }
  }

  /// out[c] = the squared distance of x to codeword c, in the floats that decide.
  void squared_distances(const float* x, float* out) const noexcept { for_each_vector(x, out, square_of_difference); }

  /// out[c] = the inner product of x and codeword c.
  void inner_products(const float* x, float* out) const noexcept {
    for_each_vector(x, out, [](auto xj, auto cj, auto sum) { return xsimd::fma(xj, cj, sum); });
  }

 private:
  static constexpr float rounding = 2e-3f;  ///< in units: more than any error made before the rounding to integers

  /// Stores vectors of codewords, coordinate by coordinate; the last vector is padded with codewords that no point is
  /// nearest to.
  void arrange_floats(matrix_view<float> codewords) {
    constexpr std::size_t width = simd::lanes<float>;
    m_floats.assign((m_size + width - 1) / width * width * m_dim, std::numeric_limits<float>::infinity());
    for (std::size_t c = 0; c < m_size; ++c)
      for (std::size_t j = 0; j < m_dim; ++j)
        m_floats[(c / width * m_dim + j) * width + c % width] = codewords.row(c)[j];
  }

  /// Stores codewords as rows of words, each behind its start: half its square, and its number. An odd number is padded
  /// by a codeword that no point is nearest to.
  void arrange_integers(matrix_view<float> codewords) {
    integer_frame own{m_frame};
    own.unit = m_own_unit;
    framed_points framed(m_dim);
    framed.assign(codewords, own);
    m_words = framed.words();
    m_rows.assign((m_size + m_size % 2) * (m_words + 1), 0);
    // Ranks of codewords further out than this may overflow, which only first centroids are: floats decide.
    if (m_own_unit > 2 * m_frame.unit) {
      m_worst_error = std::numeric_limits<float>::infinity();
      return;
    }
    const double half_ratio = 0.5 * static_cast<double>(m_own_unit) / static_cast<double>(m_frame.unit);
    for (std::size_t c = 0; c < m_size; ++c) {
      std::int32_t* const row = m_rows.data() + c * (m_words + 1);
      double square = 0;
      for (std::size_t w = 0; w < m_words; ++w) {
        const auto [a, b] = halves(framed.panel(c / lanes * lanes)[w * lanes + c % lanes]);
        square += static_cast<double>(a * a + b * b) / group;
        row[w + 1] =
            std::bit_cast<std::int32_t>(std::array{static_cast<std::int16_t>(-a), static_cast<std::int16_t>(-b)});
      }
      row[0] = static_cast<std::int32_t>(std::lrint(square * half_ratio)) * static_cast<std::int32_t>(group) +
               static_cast<std::int32_t>(c % group);
    }
    if (m_size % 2 != 0) m_rows[m_size * (m_words + 1)] = std::numeric_limits<std::int32_t>::max();
    m_worst_error = *std::max_element(framed.errors(), framed.errors() + m_size);
  }

  static std::array<std::int16_t, 2> halves(std::int32_t word) noexcept {
    return std::bit_cast<std::array<std::int16_t, 2>>(word);
  }

  /// The least and the second least rank of the points of some panels, and the group of the least. Two codewords at a
  /// time share the loads of the points.
  [[gnu::noinline]] void least_two(const std::int32_t* panels, std::int32_t* least, std::int32_t* second,
                                   std::int32_t* groups) const noexcept {
    using sums_type = typename integers::sums_type;
    constexpr std::int32_t none = std::numeric_limits<std::int32_t>::max();
    sums_type low[vectors], next[vectors], where[vectors];
    simd::unroll<vectors>([&](auto v) {
      low[v] = next[v] = integers::broadcast_sum(none);
      where[v] = integers::zero();
    });
    const std::size_t stride = m_words + 1;
    const std::int32_t* row = m_rows.data();
    for (std::size_t begin = 0; begin < m_size; begin += group) {
      sums_type group_low[vectors], group_next[vectors];
      simd::unroll<vectors>([&](auto v) { group_low[v] = group_next[v] = integers::broadcast_sum(none); });
      for (std::size_t c = begin; c < std::min(begin + group, m_size); c += 2, row += 2 * stride) {
        sums_type a[vectors], b[vectors];
        simd::unroll<vectors>([&](auto v) {
          a[v] = integers::broadcast_sum(row[0]);
          b[v] = integers::broadcast_sum(row[stride]);
        });
        for (std::size_t w = 0; w < m_words; ++w) {
          const auto word_a = integers::broadcast_word(row[w + 1]),
                     word_b = integers::broadcast_word(row[stride + w + 1]);
          simd::unroll<vectors>([&](auto v) {
            const auto points = integers::load_words(panels + (v * m_words + w) * lanes);
            a[v] = integers::multiply_add(a[v], points, word_a);
            b[v] = integers::multiply_add(b[v], points, word_b);
          });
        }
        simd::unroll<vectors>([&](auto v) {
          const auto less = integers::least(a[v], b[v]), more = integers::greatest(a[v], b[v]);
          group_next[v] = integers::least(integers::least(group_next[v], more), integers::greatest(group_low[v], less));
          group_low[v] = integers::least(group_low[v], less);
        });
      }
      const auto number = integers::broadcast_sum(static_cast<std::int32_t>(begin / group));
      simd::unroll<vectors>([&](auto v) {
        where[v] = integers::where_less(group_low[v], low[v], number, where[v]);
        next[v] = integers::least(integers::least(next[v], group_next[v]), integers::greatest(low[v], group_low[v]));
        low[v] = integers::least(low[v], group_low[v]);
      });
    }
    simd::unroll<vectors>([&](auto v) {
      integers::store(least + v * lanes, low[v]);
      integers::store(second + v * lanes, next[v]);
      integers::store(groups + v * lanes, where[v]);
    });
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

  bool is_left_to_floats() const noexcept { return !simd::has_fast_integers || m_size * m_dim <= few; }

  /// The answers by floats, a point a lane.
  [[gnu::noinline]] void all_by_floats(matrix_view<float> points, std::span<std::uint32_t> codes,
                                       scratch& s) const noexcept {
    using batch = simd::batch<float>;
    constexpr std::size_t width = simd::lanes<float>, n_batches = together / width;
    for (std::size_t first = 0; first < points.rows(); first += together) {
      const std::size_t n = std::min(together, points.rows() - first);
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < m_dim; ++j) s.columns[j * together + i] = points.row(first + i)[j];
      std::array<batch, n_batches> least, code, sum;
      least.fill(batch(std::numeric_limits<float>::infinity()));
      code.fill(batch(0.0f));
      for (std::size_t c = 0; c < m_size; ++c) {
        const float* const codeword = m_floats.data() + c / width * m_dim * width + c % width;
        sum.fill(batch(0.0f));
        for (std::size_t j = 0; j < m_dim; ++j) {
          const batch cj(codeword[j * width]);
          simd::unroll<n_batches>([&](auto v) {
            sum[v] = square_of_difference(simd::load(s.columns.data() + j * together + v * width), cj, sum[v]);
          });
        }
        simd::unroll<n_batches>([&](auto v) {
          code[v] = xsimd::select(sum[v] < least[v], batch(static_cast<float>(c)), code[v]);
          least[v] = xsimd::min(sum[v], least[v]);
        });
      }
      simd::unroll<n_batches>([&](auto v) { code[v].store_aligned(s.columns.data() + v * width); });
      for (std::size_t i = 0; i < n; ++i) codes[first + i] = static_cast<std::uint32_t>(s.columns[i]);
    }
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
  aligned_vector<std::int32_t> m_rows;
  aligned_vector<float> m_floats;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
