#pragma once

/// \file
/// Rows of a byte a coordinate, ranked against each other by integer dot products alone.
///
/// Under every product form the rank of two rows a and b is o(a) + o(b) - f s(a) s(b) <a, b>, with an offset o and a
/// scale s of each row, integer codes a and b, and f = 2 for squared distances, else 1. A query may give the offsets of
/// the rows a weight. The product is exact; all error is that of rounding coordinates to codes, at most half a step
/// each.

#include <annulus/core/base/ids.hpp>
#include <annulus/core/metric/metric.hpp>
#include <annulus/core/rows/matrix.hpp>
#include <annulus/core/simd/prefetch.hpp>
#include <annulus/storage/archive.hpp>

#include <numeric>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The terms of a rank that one of the two rows determines.
struct code_terms {
  float scale = 0, offset = 0;
};

/// The ranks of one row with as many others as a vector has lanes. The same operations in the same order wherever codes
/// are ranked, and symmetric: the rank of (a, b) has the bits of that of (b, a).
[[gnu::always_inline]] inline simd::batch<float> code_rank(const simd::batch<std::int32_t>& product,
                                                           const simd::batch<float>& scale,
                                                           const simd::batch<float>& offset, float partner_scale,
                                                           float partner_offset) noexcept {
  const simd::batch<float> weight = scale * simd::batch<float>(partner_scale);
  return xsimd::fnma(weight, xsimd::to_float(product), offset + simd::batch<float>(partner_offset));
}

/// One of the two rows of a rank, prepared to be compared with many: signed codes, and what the rows' bias of 128 adds
/// to a product.
struct code_query {
  aligned_vector<std::int8_t> codes;
  std::vector<float> wide;  ///< of the dimensions that are not codes, or empty
  code_terms terms;
  float offset_weight = 1;  ///< what the rows' offsets are multiplied by; 1 between rows
  std::int32_t bias = 0;

  /// To be called once codes and terms are set.
  void finish(product_form form) noexcept {
    if (form == product_form::squared_l2) terms.scale *= 2;
    bias = 128 * std::accumulate(codes.begin(), codes.end(), std::int32_t{0});
  }
};

/// Bytes of two types are slow to multiply: rows are taken as signed, 128 lower, and what that lacks is summed beside.
template <class Integers>
concept lowers_rows = requires {
  requires Integers::multiplies_equal_types_only;
};

/// out[r] = sum over `bytes` of row r, unsigned, times the query, signed; exact.
template <std::size_t Rows, class Integers = simd::integers>
[[gnu::always_inline]] inline void byte_products(const std::int8_t* query,
                                                 const std::array<const std::uint8_t*, Rows>& rows, std::size_t bytes,
                                                 std::int32_t* out) noexcept {
  using vector = typename Integers::bytes_type;
  using sum_type = typename Integers::sums_type;
  using row_byte = std::conditional_t<lowers_rows<Integers>, std::int8_t, std::uint8_t>;
  sum_type sums[Rows], lacking = Integers::zero();
  simd::unroll<Rows>([&](auto r) { sums[r] = Integers::zero(); });
  const auto fold_row = [](sum_type sum, vector row, vector signs) {
    if constexpr (lowers_rows<Integers>) row = Integers::flip_sign(row);
    return simd::add_byte_products<row_byte, std::int8_t, Integers>(sum, row, signs);
  };
  const auto fold_signs = [&](vector signs) {
    if constexpr (lowers_rows<Integers>) lacking = fold_row(lacking, Integers::zero_bytes(), signs);  // -128 times them
  };
  std::size_t i = 0;
  for (; i + Integers::bytes <= bytes; i += Integers::bytes) {
    const vector signs = Integers::load(query + i);
    simd::unroll<Rows>([&](auto r) { sums[r] = fold_row(sums[r], Integers::load(rows[r] + i), signs); });
    fold_signs(signs);
  }
  if (i < bytes) {
    const vector signs = Integers::load_partial(query + i, bytes - i);
    simd::unroll<Rows>(
        [&](auto r) { sums[r] = fold_row(sums[r], Integers::load_partial(rows[r] + i, bytes - i), signs); });
    fold_signs(signs);
  }
  if constexpr (lowers_rows<Integers>)
    simd::unroll<Rows>([&](auto r) { sums[r] = Integers::subtract(sums[r], lacking); });
  if constexpr (requires { Integers::reduce(sums, out); }) Integers::reduce(sums, out);
  else simd::unroll<Rows>([&](auto r) { out[r] = static_cast<std::int32_t>(Integers::reduce(sums[r])); });
}

/// Rows of codes and their terms. A code is kept as an unsigned byte, 128 above its value, so that rows of unsigned
/// bytes are codes as they are. Owned rows are padded with 128, and begin on cache lines where they span one.
/// Dimensions too wide for codes stand beside them as floats.
class sq8_rows {
 public:
  sq8_rows() = default;
  /// Owned rows, yet to be written.
  sq8_rows(std::size_t n, std::size_t dim, product_form form, std::size_t n_wide = 0)
      : m_form(form), m_dim(dim), m_stride(stride_of(dim)), m_n_wide(n_wide) {
    resize(n);
  }
  /// Codes that are rows owned by someone else; their terms are yet to be written.
  sq8_rows(matrix_view<std::uint8_t> rows, product_form form)
      : m_form(form), m_dim(rows.cols()), m_stride(rows.stride()), m_view(rows.data()), m_terms(rows.rows()) {}

  std::size_t size() const noexcept { return m_terms.size(); }
  std::size_t dim() const noexcept { return m_dim; }
  product_form form() const noexcept { return m_form; }
  bool is_view() const noexcept { return m_view != nullptr; }
  /// How many bytes of a row may be read.
  std::size_t row_bytes() const noexcept { return is_view() ? m_dim : m_stride; }
  const std::uint8_t* row(std::size_t i) const noexcept {
    return is_view() ? m_view + (m_order.empty() ? i : m_order[i]) * m_stride : m_codes.data() + i * m_stride;
  }
  std::uint8_t* row(std::size_t i) noexcept { return m_codes.data() + i * m_stride; }  ///< owned rows only
  const code_terms& terms(std::size_t i) const noexcept { return m_terms[i]; }
  code_terms& terms(std::size_t i) noexcept { return m_terms[i]; }
  std::span<const float> wide(std::size_t i) const noexcept { return {m_wide.data() + i * m_n_wide, m_n_wide}; }
  std::span<float> wide(std::size_t i) noexcept { return {m_wide.data() + i * m_n_wide, m_n_wide}; }
  std::size_t memory_bytes() const noexcept {
    return m_codes.memory_bytes() + m_terms.memory_bytes() + m_wide.memory_bytes() +
           m_order.capacity() * sizeof(id_type);
  }

  void resize(std::size_t n) {
    m_codes.resize(n * m_stride, std::uint8_t{128});
    m_terms.resize(n);
    m_wide.resize(n * m_n_wide);
  }

  /// Keeps the rows of `order`, which ascends: row order[i] becomes row i. Owned rows only.
  void keep_only(std::span<const id_type> order) noexcept {
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (order[i] == i) continue;
      std::copy_n(row(order[i]), m_stride, row(i));
      m_terms[i] = m_terms[order[i]];
      std::copy_n(m_wide.data() + order[i] * m_n_wide, m_n_wide, m_wide.data() + i * m_n_wide);
    }
    m_codes.resize(order.size() * m_stride);
    m_terms.resize(order.size());
    m_wide.resize(order.size() * m_n_wide);
  }

  /// Permutes the rows in place: row i becomes the former row order[i].
  void reorder(std::span<const id_type> order) {
    buffer<code_terms> terms(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) terms[i] = m_terms[order[i]];
    m_terms = std::move(terms);
    buffer<float> all_wide(m_wide.size());
    for (std::size_t i = 0; i < order.size(); ++i)
      std::ranges::copy(std::as_const(*this).wide(order[i]), all_wide.data() + i * m_n_wide);
    m_wide = std::move(all_wide);
    if (is_view()) {
      std::vector<id_type> composed(order.begin(), order.end());
      if (!m_order.empty())
        for (id_type& i : composed) i = m_order[i];
      m_order = std::move(composed);
      return;
    }
    std::vector<bool> is_done(order.size(), false);
    std::vector<std::uint8_t> first(m_stride);
    for (std::size_t begin = 0; begin < order.size(); ++begin) {  // one cycle of the permutation
      if (is_done[begin] || order[begin] == begin) continue;
      std::copy_n(row(begin), m_stride, first.data());
      std::size_t to = begin;
      for (; order[to] != begin; to = order[to]) {
        std::copy_n(row(order[to]), m_stride, row(to));
        is_done[to] = true;
      }
      std::copy_n(first.data(), m_stride, row(to));
      is_done[to] = true;
    }
  }

  /// Prepares row i to be compared with others.
  void prepare(std::size_t i, code_query& query) const {
    query.codes.resize(row_bytes());
    const std::uint8_t* const codes = row(i);
    for (std::size_t j = 0; j < row_bytes(); ++j) query.codes[j] = static_cast<std::int8_t>(codes[j] ^ 0x80u);
    query.wide.assign(wide(i).begin(), wide(i).end());
    query.terms = m_terms[i];
    query.offset_weight = 1;
    query.finish(m_form);
  }

  /// out[i] = the rank of the query and row ids[i].
  void ranks(const code_query& query, std::span<const id_type> ids, float* out) const noexcept {
    constexpr std::size_t width = simd::lanes<float>;
    std::size_t i = 0;
    for (; i + width <= ids.size(); i += width) rank_lane<width>(query, ids.data() + i, width, out + i);
    if (i == ids.size()) return;
    alignas(64) float last[width];
    rank_lane<width>(query, ids.data() + i, ids.size() - i, last);
    std::copy_n(last, ids.size() - i, out + i);
  }

  void prefetch(std::size_t i) const noexcept {
    simd::prefetch(m_terms.data() + i);
    prefetch_row(row(i), row_bytes());
  }

  std::string defect() const {
    const auto finite = [](float x) { return is_finite(x); };
    for (std::size_t i = 0; i < size(); ++i) {
      if (!(m_terms[i].scale >= 0 && is_finite(m_terms[i].scale) && is_finite(m_terms[i].offset)))
        return "terms: row " + std::to_string(i) + " has a scale below 0, a NaN or an infinity";
      if (!std::ranges::all_of(wide(i), finite))
        return "wide_values: row " + std::to_string(i) + " has a NaN or an infinity";
    }
    return {};
  }

  /// Saves owned rows; the owner of the codes saves their dimension and form.
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    const std::size_t count = archived_size(archive, "count", self.size());
    archive("codes", self.m_codes, {count, self.m_stride});
    archive.template as<float>("terms", self.m_terms, {count, 2});
    if (self.m_n_wide > 0) archive("wide_values", self.m_wide, {count, self.m_n_wide});
  }

 private:
  static constexpr std::size_t line = 64;

  static std::size_t stride_of(std::size_t dim) noexcept {
    return dim < line ? std::bit_ceil(std::max<std::size_t>(dim, 4)) : (dim + line - 1) / line * line;
  }

  template <std::size_t Width>
  void rank_lane(const code_query& query, const id_type* ids, std::size_t count, float* out) const noexcept {
    constexpr std::size_t together = std::min<std::size_t>(4, Width);
    alignas(64) std::int32_t products[Width] = {};
    alignas(64) float scales[Width] = {}, offsets[Width] = {};
    std::size_t i = 0;
    for (; i + together <= count; i += together) {
      std::array<const std::uint8_t*, together> rows;
      simd::unroll<together>([&](auto r) { rows[r] = row(ids[i + r]); });
      byte_products(query.codes.data(), rows, row_bytes(), products + i);
    }
    for (; i < count; ++i) byte_products<1>(query.codes.data(), {row(ids[i])}, row_bytes(), products + i);
    for (i = 0; i < count; ++i) {
      scales[i] = m_terms[ids[i]].scale;
      offsets[i] = m_terms[ids[i]].offset;
    }
    const auto product = simd::load(static_cast<const std::int32_t*>(products)) - simd::batch<std::int32_t>(query.bias);
    const auto offset = simd::load(static_cast<const float*>(offsets)) * simd::batch<float>(query.offset_weight);
    code_rank(product, simd::load(static_cast<const float*>(scales)), offset, query.terms.scale, query.terms.offset)
        .store_unaligned(out);
    if (!query.wide.empty()) add_wide(query, {ids, count}, out);
  }

  /// Adds the part of the wide dimensions to ranks.
  [[gnu::noinline]] void add_wide(const code_query& query, std::span<const id_type> ids, float* out) const noexcept {
    for (std::size_t i = 0; i < ids.size(); ++i)
      for (std::size_t j = 0; j < m_n_wide; ++j) {
        const float row = wide(ids[i])[j], difference = row - query.wide[j];
        if (m_form == product_form::inner_product) out[i] -= row * query.wide[j];
        else out[i] += (m_form == product_form::cosine ? 0.5f : 1.0f) * difference * difference;
      }
  }

  product_form m_form = product_form::none;
  std::size_t m_dim = 0, m_stride = 0, m_n_wide = 0;
  const std::uint8_t* m_view = nullptr;
  std::vector<id_type> m_order;  ///< of a view: where its rows are
  buffer<code_terms> m_terms;
  buffer<std::uint8_t> m_codes;
  buffer<float> m_wide;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
