#pragma once

/// \file
/// 8-bit scalar quantisation: how rows become codes (scalar_codes.hpp).

#include <annulus/core/parallel.hpp>
#include <annulus/core/row_quantizer.hpp>
#include <annulus/core/scalar_codes.hpp>

namespace annulus::inline ANNULUS_ARCH {

/// What a step of the codes is measured by: each row's own greatest coordinate, or the greatest of each dimension. Both
/// count from a centre of each dimension. The former is nearly always the finer; the latter is for queries that are far
/// from all rows in dimensions in which rows hardly differ.
enum class scalar_scales { per_vector, per_dimension };

namespace detail {

/// How rows of one data set become codes. Bytes under squared_l2 and inner_product are their own codes, exactly.
/// Holds scratch: each thread has a copy of its own.
///
/// Codes stand for rows less a centre c: differences do not care, and for products (of rows divided by their norms
/// under cosine) <x, q> = <x - c, q - w c> + w (<x, c> - |c|^2) + <c, q>, where the terms that x and q have in common
/// are offsets. The weight w is the query's to choose: 1 for a row, and for a query what leaves least of it.
template <class T>
class scalar_encoder {
 public:
  using lane = lane_t<T>;

  /// Learns centre and steps from `data`. O(n d) for per_dimension or cosine, else from a sample.
  scalar_encoder(product_form form, matrix_view<T> data, scalar_scales scales = scalar_scales::per_vector)
      : m_form(form),
        m_dim(data.cols()),
        m_scales(is_exact() || data.rows() == 0 ? scalar_scales::per_vector : scales),
        m_round(m_dim) {
    if (form == product_form::cosine)
      for (std::size_t i = 0; i < data.rows() && !m_has_zero; ++i) m_has_zero = is_zero(data.row(i).data());
    if (has_steps()) fit_steps(data);
    else set_centre(is_exact() ? buffer<lane>(m_dim) : code_centre(form, data));
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
    query.offset_weight = 1;
    if (is_exact()) {
      query.terms = encode_exact(row, query.codes.data());
    } else if (m_form == product_form::cosine && is_zero(row)) {
      query.offset_weight = 0;
      query.terms = {0, 1};
      if (m_has_zero) {
        query.terms.scale = 1.0f / 127;
        query.codes[m_dim] = 127;
      }
    } else {
      const float offset = has_product_centre() ? take_query(row, query.offset_weight) : take(row);
      if (has_steps()) round_by_steps(query);
      else query.terms = {round(query.codes.data()), offset};
    }
    query.finish(m_form);
  }

  /// Row i of the codes as a query.
  void prepare(const scalar_codes& codes, std::size_t i, code_query& query) {
    codes.prepare(i, query);
    if (!has_steps() || (m_has_zero && query.codes[m_dim] != 0)) return;
    const auto scale = static_cast<lane>(codes.terms(i).scale);
    for (std::size_t j = 0; j < m_dim; ++j) m_row[j] = scale * m_steps[j] * static_cast<lane>(query.codes[j]);
    round_by_steps(query);
    query.finish(m_form);
  }

  /// A few numbers for each dimension, which are looked over at once.
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive("dim", self.m_dim);
    archive.choice("scales", self.m_scales, {"per_vector", "per_dimension"});
    archive("has_zero_vectors", self.m_has_zero);
    const bool has_steps = self.has_steps(), has_step_centre = has_steps && self.m_form == product_form::squared_l2;
    archive("steps", self.m_steps, {has_steps ? self.m_dim : 0});
    if constexpr (Archive::is_loading) {
      buffer<lane> step_centre, centre;
      archive("step_centre", step_centre, {has_step_centre ? self.m_dim : 0});
      archive("centre", centre, {self.m_dim});
      const auto is_step = [](lane x) { return x >= 0 && std::isfinite(x); };
      const auto is_finite = [](lane x) { return std::isfinite(x); };
      archive.expect(std::ranges::all_of(self.m_steps, is_step) && std::ranges::all_of(step_centre, is_finite) &&
                         std::ranges::all_of(centre, is_finite),
                     "has a step below 0, or a step or a centre that is not finite");
      archive.expect(!has_steps || !self.is_exact(), "has steps for rows that are their own codes");
      archive.expect(!self.m_has_zero || self.m_form == product_form::cosine, "has zero vectors, which cosine has");
      self.m_round = row_rounder<lane, std::int8_t>(self.m_dim);
      self.set_centre(std::move(has_step_centre ? step_centre : centre));
    } else {
      const buffer<lane> none;
      archive("step_centre", has_step_centre ? self.m_centre : none, {has_step_centre ? self.m_dim : 0});
      archive("centre", self.m_centre, {self.m_dim});
    }
  }

 private:
  bool has_steps() const noexcept { return m_scales == scalar_scales::per_dimension; }
  bool has_product_centre() const noexcept { return m_centre_square > 0; }
  bool is_zero(const T* row) const noexcept {
    return std::all_of(row, row + m_dim, [](T x) { return static_cast<lane>(x) == 0; });
  }

  void set_centre(buffer<lane> centre) {
    m_centre = std::move(centre);
    m_row.assign(m_dim, 0);
    m_words.assign(m_round.words(), 0);
    m_wide.assign(m_dim, 0);
    m_wide_centre.assign(m_centre.begin(), m_centre.end());
    m_centre_square = 0;
    if (m_form != product_form::squared_l2)
      m_centre_square = one_to_one<kernels::inner_product>(m_wide_centre.data(), m_wide_centre.data(), m_dim);
  }

  void fit_steps(matrix_view<T> data) {
    buffer<lane> centre(m_dim);
    if (m_form == product_form::squared_l2) {
      std::vector<double> sums(m_dim);
      for (std::size_t i = 0; i < data.rows(); ++i)
        for (std::size_t j = 0; j < m_dim; ++j) sums[j] += static_cast<double>(data.row(i)[j]);
      for (std::size_t j = 0; j < m_dim; ++j) centre[j] = static_cast<lane>(sums[j] / static_cast<double>(data.rows()));
    }
    set_centre(std::move(centre));
    m_steps.assign(m_dim, 0);
    for (std::size_t i = 0; i < data.rows(); ++i) {
      take(data.row(i).data());
      for (std::size_t j = 0; j < m_dim; ++j) m_steps[j] = std::max(m_steps[j], std::abs(m_row[j]) / 127);
    }
  }

  /// Writes dim() signed codes.
  code_terms encode(const T* row, std::int8_t* out) {
    if (is_exact()) return encode_exact(row, out);
    if (m_form == product_form::cosine && is_zero(row)) return encode_zero(out);
    if (m_has_zero) out[m_dim] = 0;
    const float offset = take(row);
    if (!has_steps()) return {round(out), offset};
    for (std::size_t j = 0; j < m_dim; ++j) m_row[j] = m_steps[j] > 0 ? m_row[j] / m_steps[j] : lane(0);
    const float scale = round(out);
    if (m_form != product_form::squared_l2) return {scale, offset};
    double norm = 0;  // of what the codes stand for: what they are off then counts by the difference from a query
    for (std::size_t j = 0; j < m_dim; ++j) {
      const double x = static_cast<double>(scale) * static_cast<double>(m_steps[j]) * out[j];
      norm += x * x;
    }
    return {scale, static_cast<float>(norm)};
  }

  /// Bytes as they are.
  code_terms encode_exact(const T* row, std::int8_t* out) const noexcept {
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

  /// A zero vector under cosine: less the centre, and 1 in the direction of its own.
  code_terms encode_zero(std::int8_t* out) const noexcept {
    double norm = 1;
    for (std::size_t j = 0; j < m_dim; ++j) {
      const lane code = std::round(std::clamp(-127 * m_centre[j], lane(-127), lane(127)));
      out[j] = static_cast<std::int8_t>(code);
      norm += static_cast<double>(code * code) / (127 * 127);
    }
    if (m_has_zero) out[m_dim] = 127;
    return {1.0f / 127, static_cast<float>(norm / 2)};
  }

  /// m_row becomes what is rounded of a row. Returns the row's offset.
  float take(const T* row) noexcept {
    if (has_product_centre()) {
      const double along = widen(row);
      subtract_centre(1);
      if (m_form == product_form::inner_product) return static_cast<float>(m_centre_square / 2 - along);
      return static_cast<float>(one_to_one<kernels::inner_product>(m_row.data(), m_row.data(), m_dim)) / 2;
    }
    subtract(row, m_centre.data(), m_dim, m_row.data());
    if (m_form == product_form::inner_product) return 0;
    if (m_form == product_form::cosine) {
      normalize(m_row.data(), m_dim);
      return 0.5f;
    }
    const auto norm =
        static_cast<float>(std::sqrt(one_to_one<kernels::inner_product>(m_row.data(), m_row.data(), m_dim)));
    return norm * norm;
  }

  /// The same of a query, less as much of the centre as leaves least.
  float take_query(const T* row, float& weight) noexcept {
    const double along = widen(row);
    weight = static_cast<float>(along / m_centre_square);
    const double share = static_cast<double>(weight), half = share * m_centre_square / 2;
    subtract_centre(share);
    return static_cast<float>(m_form == product_form::cosine ? 1 - along + half - share / 2 : half - along);
  }

  /// m_wide becomes the row, divided by its norm under cosine. Returns its product with the centre.
  double widen(const T* row) noexcept {
    std::transform(row, row + m_dim, m_wide.begin(), [](T x) { return static_cast<double>(x); });
    if (m_form == product_form::cosine) normalize(m_wide.data(), m_dim);
    return one_to_one<kernels::inner_product>(m_wide.data(), m_wide_centre.data(), m_dim);
  }
  void subtract_centre(double share) noexcept {
    for (std::size_t j = 0; j < m_dim; ++j) m_row[j] = static_cast<lane>(m_wide[j] - share * m_wide_centre[j]);
  }

  /// Rounds m_row to m_dim codes. Returns their scale.
  float round(std::int8_t* out) noexcept {
    const quantized_row known = m_round(m_row.data(), 0, m_words.data());
    std::memcpy(out, m_words.data(), m_dim);
    return known.scale;
  }

  /// A query of which m_row is to be rounded: the steps go to its side.
  void round_by_steps(code_query& query) noexcept {
    m_wide.assign(m_row.begin(), m_row.end());
    for (std::size_t j = 0; j < m_dim; ++j) m_row[j] *= m_steps[j];
    const float scale = round(query.codes.data());
    double offset = m_form == product_form::cosine ? 0.5 : 0.0;
    if (m_form == product_form::squared_l2)  // by it a row that the query is equal to is at about 0
      for (std::size_t j = 0; j < m_dim; ++j) {
        const double x = m_wide[j], code = query.codes[j], step = static_cast<double>(m_steps[j]);
        offset += x * (2 * (step > 0 ? static_cast<double>(scale) * code / step : x) - x);
      }
    query.terms = {scale, static_cast<float>(offset)};
  }

  product_form m_form;
  std::size_t m_dim;
  scalar_scales m_scales;
  bool m_has_zero = false;
  buffer<lane> m_centre, m_steps;
  double m_centre_square = 0;  ///< of products: |c|^2
  row_rounder<lane, std::int8_t> m_round;
  aligned_vector<lane> m_row;
  aligned_vector<double> m_wide, m_wide_centre;
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
