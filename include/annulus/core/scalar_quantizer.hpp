#pragma once

/// \file
/// 8-bit scalar quantisation: how rows become codes (scalar_codes.hpp).

#include <annulus/core/parallel.hpp>
#include <annulus/core/row_quantizer.hpp>
#include <annulus/core/scalar_codes.hpp>

namespace annulus::inline ANNULUS_ARCH {

/// What a step of the codes is measured by: each row's own greatest coordinate, or the greatest of each dimension.
enum class scalar_scales { per_vector, per_dimension };

namespace detail {

/// How rows of one data set become codes. Bytes under squared_l2 and inner_product are their own codes, exactly.
/// Holds scratch: each thread has a copy of its own.
template <class T>
class scalar_encoder {
 public:
  using lane = lane_t<T>;

  /// Learns centre and steps from `data`. O(n d) for per_dimension or cosine, else from a sample.
  scalar_encoder(product_form form, matrix_view<T> data, scalar_scales scales = scalar_scales::per_vector)
      : m_form(form),
        m_dim(data.cols()),
        m_scales(is_exact() || data.rows() == 0 ? scalar_scales::per_vector : scales),
        m_quantize(form, data),
        m_row(m_dim),
        m_words(m_quantize.words()) {
    if (form == product_form::cosine)
      for (std::size_t i = 0; i < data.rows() && !m_has_zero; ++i) m_has_zero = is_zero(data.row(i).data());
    if (m_scales == scalar_scales::per_dimension) fit_steps(data);
  }

  /// To be filled.
  scalar_encoder(unfilled, product_form form) : scalar_encoder(form, matrix_view<T>()) {}

  /// Of the codes: one more than the rows' where zero vectors under cosine need a direction of their own, so that they
  /// are at distance 0 from each other and 1 from all else.
  std::size_t dim() const noexcept { return m_dim + m_has_zero; }
  std::size_t row_dim() const noexcept { return m_dim; }
  bool is_exact() const noexcept { return is_byte<T> && m_form != product_form::cosine; }
  product_form form() const noexcept { return m_form; }

  /// Whether this is what a zero vector under cosine becomes.
  bool is_zero_vector(const code_query& query) const noexcept {
    return m_form == product_form::cosine && (query.terms.scale == 0 || (m_has_zero && query.codes[m_dim] != 0));
  }

  /// Writes row i of the codes; of a view its terms only.
  void encode(const T* row, std::size_t i, scalar_codes& codes) {
    m_codes.assign(std::max(codes.row_bytes(), m_words.size() * sizeof(coordinate_word)), std::int8_t{0});
    codes.terms(i) = encode(row, m_codes.data());
    if (codes.is_view()) return;
    std::transform(m_codes.begin(), m_codes.begin() + static_cast<std::ptrdiff_t>(codes.row_bytes()), codes.row(i),
                   [](std::int8_t c) { return static_cast<std::uint8_t>(c ^ 0x80); });
  }

  /// A query, to be ranked against rows of so many bytes.
  void prepare(const T* row, std::size_t bytes, code_query& query) {
    query.codes.assign(bytes, 0);
    if (m_scales == scalar_scales::per_vector || (m_form == product_form::cosine && is_zero(row))) {
      query.terms = encode(row, query.codes.data());
    } else {  // the steps go to the query's side
      const float norm = centre(row);
      lane greatest = 0;
      for (std::size_t j = 0; j < m_dim; ++j) greatest = std::max(greatest, std::abs(m_row[j] *= m_steps[j]));
      const lane scale = greatest / 127;
      for (std::size_t j = 0; j < m_dim && scale > 0; ++j)
        query.codes[j] = static_cast<std::int8_t>(std::round(m_row[j] / scale));
      query.terms = {static_cast<float>(scale), offset_of(norm)};
    }
    query.finish(m_form);
  }

  /// A few numbers for each dimension, which are looked over at once.
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive("dim", self.m_dim);
    archive.choice("scales", self.m_scales, {"per_vector", "per_dimension"});
    archive("has_zero_vectors", self.m_has_zero);
    const bool has_steps = self.m_scales == scalar_scales::per_dimension;
    const bool has_centre = has_steps && self.m_form == product_form::squared_l2;
    archive("steps", self.m_steps, {has_steps ? self.m_dim : 0});
    archive("step_centre", self.m_centre, {has_centre ? self.m_dim : 0});
    if constexpr (Archive::is_loading) {
      buffer<lane> centre;
      archive("centre", centre, {self.m_dim});
      const auto is_step = [](lane x) { return x >= 0 && std::isfinite(x); };
      const auto is_finite = [](lane x) { return std::isfinite(x); };
      archive.expect(std::ranges::all_of(self.m_steps, is_step) && std::ranges::all_of(self.m_centre, is_finite) &&
                         std::ranges::all_of(centre, is_finite),
                     "has a step below 0, or a step or a centre that is not finite");
      archive.expect(!has_steps || !self.is_exact(), "has steps for rows that are their own codes");
      archive.expect(!self.m_has_zero || self.m_form == product_form::cosine, "has zero vectors, which cosine has");
      self.m_quantize = {self.m_form, self.m_dim, std::move(centre)};
      self.m_row.assign(self.m_dim, 0);
      self.m_words.assign(self.m_quantize.words(), 0);
    } else {
      archive("centre", self.m_quantize.centre(), {self.m_dim});
    }
  }

 private:
  bool is_zero(const T* row) const noexcept {
    return std::all_of(row, row + m_dim, [](T x) { return static_cast<lane>(x) == 0; });
  }

  /// Writes dim() signed codes.
  code_terms encode(const T* row, std::int8_t* out) {
    if (is_exact()) {
      std::int32_t sum = 0, norm = 0;
      for (std::size_t j = 0; j < m_dim; ++j) {
        const int code = static_cast<int>(row[j]) - (std::is_signed_v<T> ? 0 : 128);
        out[j] = static_cast<std::int8_t>(code);
        sum += code;
        norm += code * code;
      }
      if (m_form == product_form::squared_l2) return {1, static_cast<float>(norm)};
      // <a + 128, b + 128> = <a, b> + 128 (sum a + sum b) + 128^2 d, for unsigned bytes.
      return {1, std::is_signed_v<T> ? 0 : -128 * (static_cast<float>(sum) + 64 * static_cast<float>(m_dim))};
    }
    if (m_has_zero) out[m_dim] = 0;
    if (m_form == product_form::cosine && is_zero(row)) {
      std::fill_n(out, m_dim, std::int8_t{0});
      if (m_has_zero) out[m_dim] = 127;
      return {m_has_zero ? 1.0f / 127 : 0.0f, 0.5f};
    }
    if (m_scales == scalar_scales::per_dimension) {
      const float norm = centre(row);
      for (std::size_t j = 0; j < m_dim; ++j) {
        const lane code = m_steps[j] > 0 ? std::round(m_row[j] / m_steps[j]) : lane(0);
        out[j] = static_cast<std::int8_t>(std::clamp(code, lane(-127), lane(127)));
      }
      return {1, offset_of(norm)};
    }
    const quantized_row known = m_quantize(row, m_words.data());
    std::memcpy(out, m_words.data(), m_dim);
    return {known.scale, offset_of(known.norm)};
  }

  float offset_of(float norm) const noexcept {
    if (m_form == product_form::squared_l2) return norm * norm;
    return m_form == product_form::cosine ? 0.5f : 0.0f;
  }

  /// m_row becomes the row less the centre, or divided by its norm; returns its norm then.
  float centre(const T* row) noexcept {
    for (std::size_t j = 0; j < m_dim; ++j)
      m_row[j] = static_cast<lane>(row[j]) - (m_centre.empty() ? lane(0) : m_centre[j]);
    const lane norm = std::sqrt(one_to_one<kernels::inner_product>(m_row.data(), m_row.data(), m_dim));
    if (m_form != product_form::cosine || norm == 0) return static_cast<float>(norm);
    for (lane& x : m_row) x /= norm;
    return 1;
  }

  void fit_steps(matrix_view<T> data) {
    const auto n = static_cast<lane>(std::max<std::size_t>(data.rows(), 1));
    if (m_form == product_form::squared_l2) {
      m_centre.assign(m_dim, 0);
      for (std::size_t i = 0; i < data.rows(); ++i)
        for (std::size_t j = 0; j < m_dim; ++j) m_centre[j] += static_cast<lane>(data.row(i)[j]) / n;
    }
    m_steps.assign(m_dim, 0);
    for (std::size_t i = 0; i < data.rows(); ++i) {
      centre(data.row(i).data());
      for (std::size_t j = 0; j < m_dim; ++j) m_steps[j] = std::max(m_steps[j], std::abs(m_row[j]) / 127);
    }
  }

  product_form m_form;
  std::size_t m_dim;
  scalar_scales m_scales;
  bool m_has_zero = false;
  row_quantizer<T, std::int8_t> m_quantize;
  buffer<lane> m_row, m_centre, m_steps;
  std::vector<std::int8_t> m_codes;
  std::vector<coordinate_word> m_words;
};

/// All rows of `data` as codes; unsigned bytes that are their own codes are not copied. O(n d).
template <class T>
scalar_codes encode_rows(const scalar_encoder<T>& encoder, matrix_view<T> data, std::size_t threads) {
  scalar_codes codes = [&] {
    if constexpr (std::same_as<T, std::uint8_t>)
      if (encoder.is_exact()) return scalar_codes(data, encoder.form());
    return scalar_codes(data.rows(), encoder.dim(), encoder.form());
  }();
  std::vector<scalar_encoder<T>> encoders(resolve_threads(threads), encoder);
  parallel_for(threads, data.rows(), 1024, [&](std::size_t begin, std::size_t end, std::size_t worker) {
    for (std::size_t i = begin; i < end; ++i) encoders[worker].encode(data.row(i).data(), i, codes);
  });
  return codes;
}

}  // namespace detail
}  // namespace annulus::inline ANNULUS_ARCH
