#pragma once

/// \file
/// RaBitQ: vectors as 1 to 8 bits a dimension, without training, and estimates of distances with the deviation of their
/// error (Gao, Long 2024, arXiv 2405.12497; Gao et al. 2024, arXiv 2409.09913).

#include <annulus/core/base/parallel.hpp>
#include <annulus/core/codes/rabitq_code.hpp>
#include <annulus/core/codes/random_rotation.hpp>
#include <annulus/core/codes/row_centre.hpp>
#include <annulus/core/kernels/norm_checks.hpp>
#include <annulus/core/result/result_rows.hpp>
#include <annulus/core/rows/matrix.hpp>
#include <annulus/core/select/top_k.hpp>
#include <annulus/quantization/scan/float_table_scan.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// How vectors are encoded.
struct rabitq_params {
  unsigned bits = 1;                  ///< a dimension, from 1 to 8
  std::uint64_t seed = default_seed;  ///< of the rotation
};

/// An estimate and how far off it may be, over random rotations: for 97 % of codes the error is within two deviations.
struct rabitq_estimate {
  float value = 0;      ///< the estimate
  float deviation = 0;  ///< the standard deviation of its error
};

/// Stores a vector less the mean of the data, rotated at random, as the nearest direction of a grid, and two numbers
/// more. A code is code_bytes() bytes: dim() values of bits() bits each, the first in the lowest bits, then the length
/// and the rescaling factor as floats. Estimates have no bias: their errors are different for each code, as much up as
/// down. Const members are safe from any number of threads. Moves and copies.
class rabitq_quantizer {
 public:
  static constexpr std::string_view kind = "rabitq_quantizer";  ///< in files

  /// Not fitted yet. \param params see there \throws std::invalid_argument for bits not from 1 to 8.
  explicit rabitq_quantizer(const rabitq_params& params = {}) : m_bits(params.bits), m_seed(params.seed) {
    if (m_bits < 1 || m_bits > 8) detail::invalid("bits", m_bits, "must be from 1 to 8");
  }

  /// Takes the mean of vectors as the centre of codes. O(n d). \param vecs n x d \param params threads \returns itself
  /// \throws std::invalid_argument for no vectors, d = 0, and a vector with a NaN, an infinity or squares that
  /// overflow.
  rabitq_quantizer& fit(matrix_view<float> vecs, const run_params& params = {}) {
    if (vecs.rows() == 0) detail::invalid("vectors", vecs.rows(), "must be at least 1");
    if (vecs.cols() == 0) detail::invalid("dimension", vecs.cols(), "must be at least 1");
    detail::check_norms(vecs, "vectors", thread_team(params.threads));
    matrix<float> centre(1, vecs.cols());
    std::ranges::copy(detail::mean_of_rows(vecs), centre.data());
    m_rotation = detail::random_rotation(vecs.cols(), m_seed);
    m_centre = std::move(centre);
    return *this;
  }

  /// The codes of vectors. O(n dim log dim), parallel over vectors. \param vecs n x dim \param params threads \returns
  /// n x code_bytes() \throws std::invalid_argument before fit, for another dimension, and for vectors that fit
  /// refuses.
  matrix<std::uint8_t> encode(matrix_view<float> vecs, const run_params& params = {}) const {
    check_dim(vecs);
    const thread_team team(params.threads);
    detail::check_norms(vecs, "vectors", team);
    matrix<std::uint8_t> codes(vecs.rows(), code_bytes());
    std::vector<scratch> scratches(team.size(), scratch(dim()));
    parallel_for(team, vecs.rows(), rows_at_once, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      scratch& s = scratches[worker];
      for (std::size_t i = begin; i < end; ++i) {
        rotate(vecs.row(i), s.rotated);
        const auto factors = detail::rabitq_encode(s.rotated, m_bits, s.values.data());
        pack(s.values, codes.row(i).data());
        const float numbers[] = {factors.length, factors.rescale};
        std::memcpy(codes.row(i).data() + packed_bytes(), numbers, sizeof numbers);
      }
    });
    return codes;
  }

  /// The vectors that codes stand for: the centre plus the multiple of the code's direction nearest to what was
  /// encoded. O(n dim^2): the rotation is undone by its transpose. \param codes n x code_bytes() \returns n x dim
  /// \throws std::invalid_argument before fit, and for codes of another length.
  matrix<float> decode(matrix_view<std::uint8_t> codes) const {
    check_codes(codes);
    const std::size_t d = dim();
    matrix<float> vecs(codes.rows(), d), rotated(codes.rows(), d), rotation(d, d);
    for (std::size_t j = 0; j < d; ++j) {
      rotation(j, j) = 1;
      m_rotation(rotation.row(j).data(), rotation.row(j).data());  // of a unit vector: a column of the matrix
    }
    scratch s(d);
    for (std::size_t i = 0; i < codes.rows(); ++i) {
      const code_numbers code = unpack(codes.row(i), s.values);
      // <x, r> / |x|^2, where <x, r> = length^2 / rescale.
      const float scale = code.rescale > 0 ? code.length * code.length / (code.rescale * code.square) : 0;
      for (std::size_t j = 0; j < d; ++j) rotated(i, j) = scale * detail::rabitq_value(s.values[j], m_bits);
      for (std::size_t j = 0; j < d; ++j)
        vecs(i, j) =
            m_centre(0, j) + one_to_one<kernels::inner_product>(rotated.row(i).data(), rotation.row(j).data(), d);
    }
    return vecs;
  }

  /// Squared distances of a query to encoded vectors. O(dim (n + log dim)). \param query dim coordinates \param codes n
  /// x code_bytes() \returns n estimates \throws std::invalid_argument before fit, for another dimension, and for codes
  /// of another length.
  std::vector<rabitq_estimate> squared_distances(std::span<const float> query, matrix_view<std::uint8_t> codes) const {
    check_dim(query);
    check_codes(codes);
    std::vector<rabitq_estimate> result(codes.rows());
    scratch s(dim());
    visit_squared_distances(query, codes, s, [&](std::size_t i, rabitq_estimate estimate) { result[i] = estimate; });
    return result;
  }

  /// Inner products of a query and encoded vectors. \param query,codes as above \returns n estimates
  /// \throws std::invalid_argument likewise.
  std::vector<rabitq_estimate> inner_products(std::span<const float> query, matrix_view<std::uint8_t> codes) const {
    check_dim(query);
    check_codes(codes);
    std::vector<rabitq_estimate> result(codes.rows());
    scratch s(dim());
    m_rotation(query.data(), s.rotated.data());  // <q, o> = <q, c> + <q, r>
    const float centre_product = one_to_one<kernels::inner_product>(query.data(), m_centre.row(0).data(), dim());
    visit_products(codes, s, [&](std::size_t i, const code_numbers&, float product, float deviation, float) {
      result[i] = {centre_product + product, deviation};
    });
    return result;
  }

  /// The k codes at the least estimated squared distances from each query. O(n dim) a query, code by code: rabitq_index
  /// is far quicker. Parallel over queries. \param codes n x code_bytes() \param queries m x dim; one with a NaN or an
  /// infinity gets no neighbours \param k at least 1 \param params see there \returns m x k ids and estimates, nearest
  /// first, ties by lower id, padded with no_id and +infinity \throws std::invalid_argument as squared_distances does,
  /// and for k = 0 \throws annulus::cancelled when `progress` returns false.
  neighbors search(matrix_view<std::uint8_t> codes, matrix_view<float> queries, std::size_t k,
                   const pq_search_params& params = {}) const {
    if (k == 0) detail::invalid("k", k, "must be at least 1");
    check_dim(queries);
    check_codes(codes);
    neighbors result(queries.rows(), k);
    const thread_team team(params.threads);
    std::vector<scratch> scratches(team.size(), scratch(dim()));
    std::vector<top_k<float>> nearest(team.size(), top_k<float>(std::min(k, std::max<std::size_t>(codes.rows(), 1))));
    parallel_for(
        team, queries.rows(), 1,
        [&](std::size_t begin, std::size_t end, std::size_t worker) {
          for (std::size_t q = begin; q < end; ++q) {
            if (!detail::all_finite(queries.row(q))) continue;
            top_k<float>& best = nearest[worker];
            best.reset(best.k());
            visit_squared_distances(queries.row(q), codes, scratches[worker],
                                    [&](std::size_t i, const rabitq_estimate& estimate) {
                                      const auto id = static_cast<id_type>(i);
                                      if (params.filter(id)) best.push(estimate.value, id);
                                    });
            detail::write_row(best.sorted(), result, q, [](float rank) { return rank; });
          }
        },
        params.progress, "rabitq");
    return result;
  }

  unsigned bits() const noexcept { return m_bits; }             ///< \returns bits of a dimension
  std::uint64_t seed() const noexcept { return m_seed; }        ///< \returns that of the rotation
  std::size_t dim() const noexcept { return m_centre.cols(); }  ///< \returns coordinates of a vector, 0 before fit
  /// \returns bytes of a code.
  std::size_t code_bytes() const noexcept { return packed_bytes() + 2 * sizeof(float); }
  /// \returns 1 x dim, empty before fit.
  const matrix<float>& centre() const noexcept { return m_centre; }

  friend bool operator==(const rabitq_quantizer& a, const rabitq_quantizer& b) {
    return a.m_bits == b.m_bits && a.m_seed == b.m_seed && a.m_centre == b.m_centre;
  }

 private:
  static constexpr std::size_t rows_at_once = 256;

  struct scratch {
    explicit scratch(std::size_t d) : rotated(d), x(d), values(d) {}
    std::vector<float> rotated, x;
    std::vector<std::uint8_t> values;
  };

  /// Of a code: the numbers behind its values, and |x|^2.
  struct code_numbers {
    float length, rescale, square;
  };

  std::size_t packed_bytes() const noexcept { return (dim() * m_bits + 7) / 8; }

  void check_fitted() const {
    if (dim() == 0) detail::invalid("centre", "none", "the quantiser must be fitted first");
  }
  void check_dim(matrix_view<float> vecs) const {
    check_fitted();
    if (vecs.rows() > 0 && vecs.cols() != dim())
      detail::invalid("dimension", vecs.cols(), "must equal the quantiser's ", dim());
  }
  void check_codes(matrix_view<std::uint8_t> codes) const {
    check_fitted();
    if (codes.rows() > 0 && codes.cols() != code_bytes())
      detail::invalid("code length", codes.cols(), "must equal the quantiser's code_bytes(), ", code_bytes());
  }

  void rotate(std::span<const float> row, std::vector<float>& rotated) const noexcept {
    std::ranges::transform(row, m_centre.row(0), rotated.begin(), std::minus<>());
    m_rotation(rotated.data(), rotated.data());
  }

  void pack(std::span<const std::uint8_t> values, std::uint8_t* code) const noexcept {
    std::uint32_t waiting = 0;
    unsigned count = 0;
    for (const std::uint8_t value : values) {
      waiting |= std::uint32_t{value} << count;
      for (count += m_bits; count >= 8; count -= 8, waiting >>= 8) *code++ = static_cast<std::uint8_t>(waiting);
    }
    if (count > 0) *code = static_cast<std::uint8_t>(waiting);
  }

  code_numbers unpack(std::span<const std::uint8_t> code, std::span<std::uint8_t> values) const noexcept {
    std::uint32_t waiting = 0;
    unsigned count = 0;
    const std::uint8_t* next = code.data();
    float square = 0;
    for (std::uint8_t& value : values) {
      if (count < m_bits) {
        waiting |= std::uint32_t{*next++} << count;
        count += 8;
      }
      value = static_cast<std::uint8_t>(waiting & ((1u << m_bits) - 1u));
      waiting >>= m_bits;
      count -= m_bits;
      const float x = detail::rabitq_value(value, m_bits);
      square += x * x;
    }
    code_numbers numbers{0, 0, square};
    std::memcpy(&numbers.length, code.data() + packed_bytes(), sizeof(float));
    std::memcpy(&numbers.rescale, code.data() + packed_bytes() + sizeof(float), sizeof(float));
    return numbers;
  }

  /// f(i, estimate) of code i.
  template <class F>
  void visit_squared_distances(std::span<const float> query, matrix_view<std::uint8_t> codes, scratch& s, F f) const {
    rotate(query, s.rotated);  // |q - o|^2 = |q - c|^2 + |r|^2 - 2 <r, q - c>
    visit_products(codes, s,
                   [&](std::size_t i, const code_numbers& code, float product, float deviation, float square) {
                     const float estimate = square + code.length * code.length - 2 * product;
                     f(i, rabitq_estimate{std::max(0.0f, estimate), 2 * deviation});
                   });
  }
  /// f(i, code, product, deviation, |y|^2) of code i, from the estimate of <r, y> and its deviation; y is s.rotated.
  template <class F>
  void visit_products(matrix_view<std::uint8_t> codes, scratch& s, F f) const {
    const float* const y = s.rotated.data();
    const float square = one_to_one<kernels::inner_product>(y, y, dim());
    const float other_dims = static_cast<float>(std::max<std::size_t>(dim() - 1, 1));
    for (std::size_t i = 0; i < codes.rows(); ++i) {
      const code_numbers code = unpack(codes.row(i), s.values);
      for (std::size_t j = 0; j < dim(); ++j) s.x[j] = detail::rabitq_value(s.values[j], m_bits);
      const float product = code.rescale * one_to_one<kernels::inner_product>(s.x.data(), y, dim());
      // The cosine t of code and vector is length / (rescale |x|); the error is that of rabitq_factors.
      const float inverse_square = code.length > 0 ? std::pow(code.rescale / code.length, 2.0f) * code.square : 1;
      const float missed = std::max(inverse_square - 1, 1e-6f);
      f(i, code, product, code.length * std::sqrt(missed / other_dims * square), square);
    }
  }

  friend detail::persistence;
  explicit rabitq_quantizer(detail::unfilled) {}

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive("bits", self.m_bits);
    archive.expect(self.m_bits >= 1 && self.m_bits <= 8, "has bits that are not from 1 to 8");
    archive("seed", self.m_seed);
    archive("centre", self.m_centre);
    archive.expect(self.m_centre.rows() <= 1 && (self.m_centre.rows() == 1) == (self.m_centre.cols() > 0),
                   "has a centre of other than one row");
    if constexpr (Archive::is_loading)
      if (self.dim() > 0) self.m_rotation = detail::random_rotation(self.dim(), self.m_seed);
  }
  std::string defect() const {
    return detail::all_finite(std::span(m_centre.data(), dim())) ? "" : "centre: a NaN or an infinity";
  }

  unsigned m_bits = 1;
  std::uint64_t m_seed = default_seed;
  matrix<float> m_centre;
  detail::random_rotation m_rotation{1, 0};
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
