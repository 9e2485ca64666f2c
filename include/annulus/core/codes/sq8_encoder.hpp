#pragma once

/// \file
/// 8-bit scalar quantisation: the encoder that turns rows into the codes of sq8_rows.hpp.

#include <annulus/core/base/parallel.hpp>
#include <annulus/core/codes/error_bounded_rows.hpp>
#include <annulus/core/codes/row_frame.hpp>
#include <annulus/core/codes/sq8_rows.hpp>

#include <memory>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// The steps that codes are multiples of. All codes are relative to a centre of each dimension.
enum class scalar_scales {
  automatic,     ///< per_vector, but dimensions far wider than all others, at most four, are kept as floats
  per_vector,    ///< steps of 1/127 of each row's greatest coordinate
  per_dimension  ///< steps of 1/127 of the greatest of each dimension: for queries far from all rows in dimensions in
                 ///< which rows hardly differ, else coarser
};

namespace detail {

/// The most codes of a row: products of so many fit 32 bits.
inline constexpr std::size_t most_codes = 65536;

/// How rows of one data set become codes. Bytes under squared_l2 and inner_product are their own codes, exactly.
/// Holds scratch: each thread has a copy of its own.
template <class T>
class sq8_encoder {
 public:
  using lane = lane_t<T>;

  /// Learns centre and steps from `data`. O(n d) for per_dimension or cosine, else from a sample.
  sq8_encoder(product_form form, matrix_view<T> data, scalar_scales scales = scalar_scales::per_vector)
      : m_form(form),
        m_scales(is_exact() ? scalar_scales::per_vector : scales),
        m_frame(make_frame(data)),
        m_round(data.cols()),
        m_words(m_round.words()) {
    if (form == product_form::cosine)
      for (std::size_t i = 0; i < data.rows() && !m_has_zero; ++i) m_has_zero = is_zero(data.row(i).data());
    if (has_steps()) fit_steps(data);
  }

  /// An encoder that a file is loaded into.
  sq8_encoder(unfilled, product_form form) : sq8_encoder(form, matrix_view<T>()) {}

  /// An encoder of the same kind that learns from other rows.
  sq8_encoder fitted(matrix_view<T> data) const { return {m_form, data, m_scales}; }

  /// Whether one is a copy of the other, and so makes the same codes.
  bool is_copy_of(const sq8_encoder& other) const noexcept { return m_mark == other.m_mark; }

  /// The length of a code: one more than that of a row where zero vectors under cosine need a direction of their own,
  /// so that they are at distance 0 from each other and 1 from all else.
  std::size_t dim() const noexcept { return row_dim() + m_has_zero; }
  std::size_t row_dim() const noexcept { return m_frame.dim(); }
  bool is_exact() const noexcept { return is_byte<T> && m_form != product_form::cosine; }
  product_form form() const noexcept { return m_form; }
  const row_frame<T>& frame() const noexcept { return m_frame; }
  const buffer<lane>& steps() const noexcept { return m_steps; }  ///< of each dimension, or none

  /// n codes, yet to be written.
  sq8_rows make_codes(std::size_t n) const { return {n, dim(), m_form, m_frame.wide().size()}; }

  /// Whether this is what a zero vector under cosine becomes.
  bool is_zero_vector(const code_query& query) const noexcept {
    return m_form == product_form::cosine && (query.terms.scale == 0 || (m_has_zero && query.codes[row_dim()] != 0));
  }

  /// Whether row i of the codes is a zero vector under cosine.
  bool is_zero_row(const sq8_rows& codes, std::size_t i) const noexcept {
    return m_has_zero && codes.row(i)[row_dim()] == 128 + 127;
  }

  /// Writes row i of the codes, or only its terms where the codes are a view.
  void encode(const T* row, std::size_t i, sq8_rows& codes) {
    m_codes.assign(std::max(codes.row_bytes(), m_words.size() * sizeof(coordinate_word)), std::int8_t{0});
    codes.terms(i) = encode(row, m_codes.data());
    if (codes.is_view()) return;
    std::transform(m_codes.begin(), m_codes.begin() + static_cast<std::ptrdiff_t>(codes.row_bytes()), codes.row(i),
                   [](std::int8_t c) { return static_cast<std::uint8_t>(c ^ 0x80); });
    std::ranges::copy(m_frame.kept(), codes.wide(i).begin());
  }

  /// Prepares a query to be ranked against rows of `bytes` bytes.
  void prepare(const T* row, std::size_t bytes, code_query& query) {
    query.codes.assign(bytes, 0);
    query.wide.clear();
    query.offset_weight = 1;
    if (is_exact()) {
      query.terms = encode_exact(row, query.codes.data());
    } else if (m_form == product_form::cosine && is_zero(row)) {
      query.offset_weight = 0;
      query.terms = {0, 1};
      if (m_has_zero) {
        query.terms.scale = 1.0f / 127;
        query.codes[row_dim()] = 127;
      }
    } else {
      const float offset = m_frame.take_query(row, query.offset_weight);
      query.wide.assign(m_frame.kept().begin(), m_frame.kept().end());
      if (has_steps()) round_by_steps(query);
      else query.terms = {round(query.codes.data()), offset};
    }
    query.finish(m_form);
  }

  /// Prepares row i of the codes as a query.
  void prepare(const sq8_rows& codes, std::size_t i, code_query& query) {
    codes.prepare(i, query);
    if (!has_steps() || (m_has_zero && query.codes[row_dim()] != 0)) return;
    const float known = codes.terms(i).scale;  // in a mapped file it may be any number
    const lane scale = is_finite(known) ? static_cast<lane>(known) : lane(0);
    for (std::size_t j = 0; j < row_dim(); ++j)
      m_frame.rest()[j] = scale * m_steps[j] * static_cast<lane>(query.codes[j]);
    round_by_steps(query);
    query.finish(m_form);
  }

  /// O(d) numbers, which are checked as they are loaded.
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    std::size_t dim = self.row_dim(), n_wide = self.m_frame.wide().size();
    archive("dim", dim);
    archive.choice("scales", self.m_scales, {"automatic", "per_vector", "per_dimension"});
    archive("has_zero_vectors", self.m_has_zero);
    const bool has_steps = self.has_steps(), has_step_centre = has_steps && self.m_form == product_form::squared_l2;
    archive("steps", self.m_steps, {has_steps ? dim : 0});
    if (self.m_scales == scalar_scales::automatic) archive("n_wide_dimensions", n_wide);
    if constexpr (Archive::is_loading) {
      buffer<lane> step_centre, centre;
      archive("step_centre", step_centre, {has_step_centre ? dim : 0});
      archive("centre", centre, {dim});
      buffer<std::uint32_t> wide;
      if (n_wide > 0) archive("wide_dimensions", wide, {n_wide});
      const auto is_step = [](lane x) { return x >= 0 && is_finite(x); };
      const auto finite = [](lane x) { return is_finite(x); };
      archive.expect(std::ranges::all_of(self.m_steps, is_step) && std::ranges::all_of(step_centre, finite) &&
                         std::ranges::all_of(centre, finite),
                     "has a step below 0, or a step or a centre that is not finite");
      archive.expect(std::ranges::all_of(wide, [&](std::uint32_t j) { return j < dim; }),
                     "has a wide dimension that is not below its dimension");
      archive.expect(!self.is_exact() || self.m_scales == scalar_scales::per_vector,
                     "has steps or wide dimensions for rows that are their own codes");
      archive.expect(!self.m_has_zero || self.m_form == product_form::cosine,
                     "has zero vectors, which only cosine has");
      self.m_frame = {self.m_form, std::move(has_step_centre ? step_centre : centre), std::move(wide)};
      self.m_round = row_rounder<lane, std::int8_t>(dim);
      self.m_words.assign(self.m_round.words(), 0);
    } else {
      const buffer<lane> none;
      const buffer<lane>& centre = self.m_frame.centre();
      archive("step_centre", has_step_centre ? centre : none, {has_step_centre ? dim : 0});
      archive("centre", centre, {dim});
      if (n_wide > 0) archive("wide_dimensions", self.m_frame.wide(), {n_wide});
    }
  }

 private:
  bool has_steps() const noexcept { return m_scales == scalar_scales::per_dimension; }
  bool is_zero(const T* row) const noexcept {
    return std::all_of(row, row + row_dim(), [](T x) { return static_cast<lane>(x) == 0; });
  }

  row_frame<T> make_frame(matrix_view<T> data) const {
    if (!is_exact() && !has_steps()) return fit_row_frame(m_form, data, m_scales == scalar_scales::automatic);
    const bool is_centred = has_steps() && m_form == product_form::squared_l2;
    return row_frame<T>(m_form, is_centred ? mean_of_rows(data) : buffer<lane>(data.cols()));
  }

  void fit_steps(matrix_view<T> data) {
    m_steps.assign(row_dim(), 0);
    for (std::size_t i = 0; i < data.rows(); ++i) {
      m_frame.take(data.row(i).data());
      for (std::size_t j = 0; j < row_dim(); ++j) m_steps[j] = std::max(m_steps[j], std::abs(m_frame.rest()[j]) / 127);
    }
  }

  /// Writes dim() signed codes.
  code_terms encode(const T* row, std::int8_t* out) {
    if (is_exact()) return encode_exact(row, out);
    if (m_form == product_form::cosine && is_zero(row)) return encode_zero(out);
    if (m_has_zero) out[row_dim()] = 0;
    const float offset = m_frame.take(row);
    if (!has_steps()) return {round(out), offset};
    lane* const rest = m_frame.rest();
    for (std::size_t j = 0; j < row_dim(); ++j) rest[j] = m_steps[j] > 0 ? rest[j] / m_steps[j] : lane(0);
    const float scale = round(out);
    if (m_form != product_form::squared_l2) return {scale, offset};
    double norm = 0;  // of the decoded row, so that the error of a rank is that of the difference of row and query
    for (std::size_t j = 0; j < row_dim(); ++j) {
      const double x = static_cast<double>(scale) * static_cast<double>(m_steps[j]) * out[j];
      norm += x * x;
    }
    return {scale, static_cast<float>(norm)};
  }

  /// Writes bytes as their own codes.
  code_terms encode_exact(const T* row, std::int8_t* out) const noexcept {
    std::int32_t sum = 0, norm = 0;
    for (std::size_t j = 0; j < row_dim(); ++j) {
      const int code = static_cast<int>(row[j]) - (std::is_signed_v<T> ? 0 : 128);
      out[j] = static_cast<std::int8_t>(code);
      sum += code;
      norm += code * code;
    }
    if (m_form == product_form::squared_l2) return {1, static_cast<float>(norm)};
    // <a + 128, b + 128> = <a, b> + 128 (sum a + sum b) + 128^2 d, for unsigned bytes.
    return {1, std::is_signed_v<T> ? 0 : -128 * (static_cast<float>(sum) + 64 * static_cast<float>(row_dim()))};
  }

  /// Encodes a zero vector under cosine: less the centre, and with 1 in the direction of its own.
  code_terms encode_zero(std::int8_t* out) noexcept {
    m_frame.take_zero();
    double norm = 1;
    for (std::size_t j = 0; j < row_dim(); ++j) {
      const lane code = std::round(std::clamp(127 * m_frame.rest()[j], lane(-127), lane(127)));
      out[j] = static_cast<std::int8_t>(code);
      norm += static_cast<double>(code * code) / (127 * 127);
    }
    if (m_has_zero) out[row_dim()] = 127;
    return {1.0f / 127, static_cast<float>(norm / 2)};
  }

  /// Rounds what the frame left of a row to codes. Returns their scale.
  float round(std::int8_t* out) noexcept {
    const quantized_row known = m_round(m_frame.rest(), 0, m_words.data());
    std::memcpy(out, m_words.data(), row_dim());
    return known.scale;
  }

  /// Rounds what the frame left of a query, after multiplying it by the steps of the rows.
  void round_by_steps(code_query& query) {
    constexpr lane greatest = std::numeric_limits<lane>::max() / 4;  // a greater coordinate has no finite scale
    lane* const rest = m_frame.rest();
    for (std::size_t j = 0; j < row_dim(); ++j) rest[j] = std::clamp(rest[j], -greatest, greatest);
    m_unrounded.assign(rest, rest + row_dim());
    for (std::size_t j = 0; j < row_dim(); ++j) rest[j] = std::clamp(rest[j] * m_steps[j], -greatest, greatest);
    const float scale = round(query.codes.data());
    double offset = m_form == product_form::cosine ? 0.5 : 0.0;
    if (m_form == product_form::squared_l2)  // so that a row that equals the query has a rank of about 0
      for (std::size_t j = 0; j < row_dim(); ++j) {
        const auto x = static_cast<double>(m_unrounded[j]), step = static_cast<double>(m_steps[j]);
        const double rounded = step > 0 ? static_cast<double>(scale) * query.codes[j] / step : x;
        offset += x * (2 * rounded - x);
      }
    query.terms = {scale, static_cast<float>(offset)};
  }

  std::shared_ptr<const char> m_mark = std::make_shared<const char>();  ///< shared by an encoder and its copies
  product_form m_form;
  scalar_scales m_scales;
  bool m_has_zero = false;
  row_frame<T> m_frame;
  buffer<lane> m_steps;
  row_rounder<lane, std::int8_t> m_round;
  std::vector<lane> m_unrounded;
  std::vector<std::int8_t> m_codes;
  std::vector<coordinate_word> m_words;
};

/// All rows of `data` as codes; unsigned bytes that are their own codes are not copied. O(n d).
template <class T>
sq8_rows encode_rows(const sq8_encoder<T>& encoder, matrix_view<T> data, const thread_team& team) {
  sq8_rows codes = [&] {
    if constexpr (std::same_as<T, std::uint8_t>)
      if (encoder.is_exact()) return sq8_rows(data, encoder.form());
    return encoder.make_codes(data.rows());
  }();
  std::vector<sq8_encoder<T>> encoders(team.size(), encoder);
  parallel_for(team, data.rows(), 1024, [&](std::size_t begin, std::size_t end, std::size_t worker) {
    for (std::size_t i = begin; i < end; ++i) encoders[worker].encode(data.row(i).data(), i, codes);
  });
  return codes;
}

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
