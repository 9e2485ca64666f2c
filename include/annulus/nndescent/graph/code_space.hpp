#pragma once

/// \file
/// The rows of a data set as 8-bit codes, and all the ranks among them that building a graph asks for: at four times
/// the arithmetic and a quarter of the memory traffic of floats. What is built is ranked by the exact rows at the end.

#include <annulus/core/codes/sq8_rows.hpp>
#include <annulus/nndescent/graph/joined_ids.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// What a multiply-add takes of a code: bytes where the build multiplies bytes, else 16 bits.
using join_coordinate = std::conditional_t<simd::has_byte_products, std::int8_t, std::int16_t>;
/// Where bytes are multiplied unsigned by signed, 128 is added to those of the right side.
inline constexpr bool right_is_biased = simd::has_byte_products && std::is_unsigned_v<simd::first_factor>;

/// Whether a word can be multiplied as one lane of a vector.
template <class Integers>
concept multiplies_lanes = requires(typename Integers::sums_type sum, typename Integers::shorts_type words) {
  Integers::template multiply_add_lane<0>(sum, words, words);
};

/// out[q * lanes + r] = start[q] + <row q of `left`, row r of `right`>, of two panels of signed codes, word by word:
/// word w of row r stands at [w * lanes + r].
template <std::size_t Queries, class Integers = simd::integers>
[[gnu::noinline]] void multiply_panels(const std::int32_t* left, const std::int32_t* right, std::size_t words,
                                       const std::int32_t* start, std::int32_t* out) noexcept {
  using sum_type = typename Integers::sums_type;
  constexpr std::size_t lanes = simd::word_lanes;
  constexpr std::size_t chains =
      multiplies_lanes<Integers> ? 2 : 1;  // NEON's four sums are fewer than it has under way
  sum_type sums[chains][Queries];
  simd::unroll<Queries>([&](auto q) {
    sums[0][q] = Integers::broadcast_sum(start[q]);
    if constexpr (chains == 2) sums[1][q] = Integers::zero();
  });
  const auto add_word = [&](std::size_t w, auto& chain) ANNULUS_INLINED {
    auto row = Integers::load_words(right + w * lanes);
    if constexpr (right_is_biased) row = Integers::flip_sign(row);
    simd::unroll<Queries>([&](auto q) {
      sum_type& sum = chain[q];
      const auto word = [&] { return Integers::broadcast_word(left[w * lanes + q]); };
      if constexpr (multiplies_lanes<Integers>)
        sum = Integers::template multiply_add_lane<q>(sum, row, Integers::load_words(left + w * lanes));
      else if constexpr (simd::has_byte_products) sum = Integers::multiply_add_bytes(sum, row, word());
      else sum = Integers::multiply_add(sum, row, word());
    });
  };
  std::size_t w = 0;
  if constexpr (chains == 2)
    for (; w + 2 <= words; w += 2) {
      add_word(w, sums[0]);
      add_word(w + 1, sums[1]);
    }
  for (; w < words; ++w) add_word(w, sums[0]);
  simd::unroll<Queries>([&](auto q) {
    if constexpr (chains == 2) sums[0][q] = Integers::add(sums[0][q], sums[1][q]);
    Integers::store(out + q * lanes, sums[0][q]);
  });
}

/// Ranks between rows of codes.
class code_space {
 public:
  /// `is_angular`: whether planes through a tree's nodes part rows by direction.
  code_space(sq8_rows codes, bool is_angular) : m_codes(std::move(codes)), m_is_angular(is_angular) {}

  std::size_t size() const noexcept { return m_codes.size(); }
  const sq8_rows& codes() const noexcept { return m_codes; }
  /// Row i becomes what row order[i] was.
  void reorder(std::span<const id_type> order) { m_codes.reorder(order); }

  /// One row against many; holds scratch.
  class ranker {
   public:
    explicit ranker(const code_space& space) : m_space(&space) {}

    /// out[i] = rank of a and ids[i].
    void from(id_type a, std::span<const id_type> ids, float* out) {
      m_space->m_codes.prepare(a, m_query);
      m_space->m_codes.ranks(m_query, ids, out);
    }

    /// out[i] > 0 where ids[i] is nearer to a than to b: the side of the hyperplane between them, whose normal is
    /// rounded to codes like any other vector.
    void margins(id_type a, id_type b, std::span<const id_type> ids, float* out) {
      const sq8_rows& codes = m_space->m_codes;
      const auto weight = [&](id_type i) {
        if (!m_space->m_is_angular || codes.form() != product_form::inner_product) return codes.terms(i).scale;
        codes.prepare(i, m_query);
        std::int64_t norm = 0;
        for (const std::int64_t c : m_query.codes) norm += c * c;
        return norm > 0 ? 1 / detail::sqrt(static_cast<float>(norm)) : 0.0f;
      };
      const float at_a = weight(a), at_b = weight(b);
      const auto normal = [&](std::size_t j) {
        return at_a * (static_cast<float>(codes.row(a)[j]) - 128) - at_b * (static_cast<float>(codes.row(b)[j]) - 128);
      };
      float greatest = 0;
      for (std::size_t j = 0; j < codes.row_bytes(); ++j) greatest = std::max(greatest, std::abs(normal(j)));
      const float scale = greatest / 127, inverse = greatest > 0 ? 1 / scale : 0.0f;
      m_query.codes.resize(codes.row_bytes());
      for (std::size_t j = 0; j < codes.row_bytes(); ++j)
        m_query.codes[j] = static_cast<std::int8_t>(std::lround(normal(j) * inverse));
      m_query.terms = {-scale, 0};
      m_query.finish(codes.form());
      codes.ranks(m_query, ids, out);
      const bool by_offsets = codes.form() != product_form::inner_product;
      const float constant = by_offsets ? codes.terms(b).offset - codes.terms(a).offset : 0.0f;
      for (std::size_t i = 0; i < ids.size(); ++i) out[i] += constant - codes.terms(ids[i]).offset;
    }

   private:
    const code_space* m_space;
    code_query m_query;
  };

  /// All pairs of a few rows; holds the panels.
  class joiner {
   public:
    static constexpr std::size_t lanes = joined_ids::lanes, readable_floats = joined_ids::readable_floats;

    explicit joiner(const code_space& space)
        : m_codes(&space.m_codes),
          m_words((m_codes->dim() * sizeof(join_coordinate) + 3) / 4),
          m_panel((m_words + lanes - 1) / lanes * lanes * lanes) {}

    void gather(const joined_ids& members) {
      m_members = &members;
      const std::size_t n = members.ids().size();
      m_panels.resize(members.panels() * m_panel);
      m_scales.resize(n + readable_floats - lanes);
      m_offsets.resize(n + readable_floats - lanes);
      m_starts.resize(n);
      for (std::size_t i = 0; i < n; ++i) {
        const id_type id = members.ids()[i];
        m_scales[i] = id == no_id ? 0.0f : m_codes->terms(id).scale;
        m_offsets[i] = id == no_id ? std::numeric_limits<float>::infinity() : m_codes->terms(id).offset;
        if (i + ahead < n && members.ids()[i + ahead] != no_id) m_codes->prefetch(members.ids()[i + ahead]);
        if (i % lanes == lanes - 1) fill(i / lanes);
      }
    }

    /// f(q, p, ranks) for each member q of the first part and panel p: its ranks with the panel's members, infinite
    /// where there is none or the pair comes elsewhere. Every pair comes once. What follows the ranks of the panel, up
    /// to `readable_floats`, has no meaning.
    template <class F>
    void pairs(F f) {
      for (std::size_t left = 0; left < m_members->first_panels(); ++left) {
        const std::size_t count = std::min(lanes, m_members->first() - left * lanes);
        for (std::size_t p = left; p < m_members->panels(); ++p) {
          multiply(left, p, count);
          const auto scale = simd::load(static_cast<const float*>(m_scales.data() + p * lanes));
          const auto offset = simd::load(static_cast<const float*>(m_offsets.data() + p * lanes));
          for (std::size_t q = 0; q < count; ++q) {
            const std::size_t i = left * lanes + q;
            alignas(64) float ranks[readable_floats];
            code_rank(simd::load(static_cast<const std::int32_t*>(m_products + q * lanes)), scale, offset,
                      m_scales[i] * m_factor(), m_offsets[i])
                .store_aligned(ranks);
            if (p == left) mask_lanes_to(q, ranks);
            f(i, p, static_cast<const float*>(ranks));
          }
        }
      }
    }

    template <class F>
    void pairs_below(const float* thresholds, F f) {
      visit_pairs_below(*this, thresholds, f);
    }

   private:
    static constexpr std::size_t ahead = 8;

    float m_factor() const noexcept { return m_codes->form() == product_form::squared_l2 ? 2.0f : 1.0f; }

    void multiply(std::size_t left, std::size_t right, std::size_t count) noexcept {
      const std::int32_t* const l = m_panels.data() + left * m_panel;
      const std::int32_t* const r = m_panels.data() + right * m_panel;
      const std::int32_t* const start = m_starts.data() + left * lanes;
      constexpr std::size_t quarter = lanes / 4;
      if (count > 3 * quarter) multiply_panels<lanes>(l, r, m_words, start, m_products);
      else if (count > 2 * quarter) multiply_panels<3 * quarter>(l, r, m_words, start, m_products);
      else if (count > quarter) multiply_panels<2 * quarter>(l, r, m_words, start, m_products);
      else multiply_panels<quarter>(l, r, m_words, start, m_products);
    }

    void fill(std::size_t p) {
      const id_type* const ids = m_members->panel(p);
      std::array<const std::uint8_t*, lanes> rows;
      for (std::size_t r = 0; r < lanes; ++r) rows[r] = m_codes->row(ids[r] == no_id ? ids[0] : ids[r]);
      std::int32_t* const out = m_panels.data() + p * m_panel;
      std::int32_t flip = static_cast<std::int32_t>(0x80808080u);
      if constexpr (!simd::has_byte_products) {
        const std::size_t length = (m_words + lanes - 1) / lanes * lanes * 2;
        m_wide.assign(lanes * length, 0);
        for (std::size_t r = 0; r < lanes; ++r)
          for (std::size_t j = 0; j < m_codes->dim(); ++j)
            m_wide[r * length + j] = static_cast<std::int16_t>(rows[r][j] - 128);
        for (std::size_t r = 0; r < lanes; ++r)
          rows[r] = reinterpret_cast<const std::uint8_t*>(m_wide.data() + r * length);
        flip = 0;
      }
      const std::size_t readable = simd::has_byte_products ? m_codes->row_bytes() : m_words * 4;
      std::size_t w = 0;
      for (; w < m_words && 4 * (w + lanes) <= readable; w += lanes)
        simd::transpose_square(rows, 4 * w, flip, out + w * lanes);
      if (w < m_words) {  // what is left of the rows, padded
        alignas(64) std::uint8_t last[lanes][4 * lanes];
        std::memset(last, flip != 0 ? 128 : 0, sizeof last);
        for (std::size_t r = 0; r < lanes; ++r) {
          std::memcpy(last[r], rows[r] + 4 * w, std::min(readable, m_words * 4) - 4 * w);
          rows[r] = last[r];
        }
        simd::transpose_square(rows, 0, flip, out + w * lanes);
      }
      sum_codes(out, m_starts.data() + p * lanes);
    }

    /// What products are to start from, as the right side may be 128 too high.
    template <class Integers = simd::integers>  // as not every build multiplies bytes
    void sum_codes(const std::int32_t* panel, std::int32_t* starts) const noexcept {
      std::fill_n(starts, lanes, 0);
      if constexpr (right_is_biased) {
        auto sums = Integers::zero();
        const auto unit = Integers::broadcast_word(0x01010101);
        for (std::size_t w = 0; w < m_words; ++w)
          sums = Integers::multiply_add_bytes(sums, unit, Integers::load_words(panel + w * lanes));
        Integers::store(starts, sums);
        for (std::size_t r = 0; r < lanes; ++r) starts[r] *= -128;
      }
    }

    const sq8_rows* m_codes;
    std::size_t m_words, m_panel;
    const joined_ids* m_members = nullptr;
    aligned_vector<std::int32_t> m_panels;
    std::vector<std::int16_t> m_wide;
    aligned_vector<float> m_scales, m_offsets;
    std::vector<std::int32_t> m_starts;
    alignas(64) std::int32_t m_products[(lanes - 1) * lanes + readable_floats];
  };

 private:
  sq8_rows m_codes;
  bool m_is_angular;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
