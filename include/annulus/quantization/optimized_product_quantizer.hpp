#pragma once

/// \file
/// Optimised product quantisation: a product quantiser behind a learned rotation (Ge, He, Ke, Sun 2013).

#include <annulus/quantization/product_quantizer.hpp>
#include <annulus/quantization/rotation_training.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// A product quantiser of vectors rotated by rotation(), which is learned together with the codewords. Where a rotation
/// does not lower the error, fit keeps the axes of the data. Const members are safe from any number of threads. Moves
/// and copies.
template <code_scalar Code = std::uint8_t>
class optimized_product_quantizer {
 public:
  using code_type = Code;                                                  ///< of one sub-space
  static constexpr std::string_view kind = "optimized_product_quantizer";  ///< in files

  /// Not fitted yet. \param m sub-vectors of a vector, at least 1 \param ks codewords of each, from 1 to 2^(8
  /// sizeof(Code)) \param metric see there \throws std::invalid_argument for others.
  explicit optimized_product_quantizer(std::size_t m, std::size_t ks = 256, pq_metric metric = pq_metric::sqeuclidean)
      : m_quantizer(m, ks, metric) {}

  /// Takes a rotation and a quantiser. \param rotation dim x dim: a row vector x becomes x * rotation \param quantizer
  /// fitted, of as many dimensions \throws std::invalid_argument where they do not fit together, or the rotation is
  /// further than 1e-3 from orthogonal.
  optimized_product_quantizer(matrix<float> rotation, product_quantizer<Code> quantizer)
      : m_rotation(std::move(rotation)), m_quantizer(std::move(quantizer)) {
    const std::size_t d = m_quantizer.dim();
    if (d == 0) detail::invalid("quantizer", "unfitted", "must be fitted first");
    if (m_rotation.rows() != d || m_rotation.cols() != d)
      detail::invalid("rotation", m_rotation.rows(), "must be square, of the quantiser's ", d, " dimensions");
    detail::check_rows<float>(m_rotation, "rotation", 1);
    const float off = detail::distance_from_orthonormal(m_rotation);
    if (!(detail::is_number(off) && off < detail::rotation_tolerance))
      detail::invalid("rotation", off, "its rows must be orthonormal to within 1e-3");
  }

  /// Learns rotation and codewords. Nothing changes where it throws. Time O(rotation_iter (n dim (ks + dim) + dim^3) +
  /// pq_iter n ks dim), memory O(n dim). The same bits for any number of threads. \param vecs n x dim \param params see
  /// there \returns itself \throws std::invalid_argument for fewer vectors than ks, for dim that m does not divide, for
  /// vectors with NaN or infinity (naming the row) or squares that overflow, and for pq_iter = 0
  /// \throws annulus::cancelled when `progress` returns false.
  optimized_product_quantizer& fit(matrix_view<float> vecs, const opq_params& params = {}) {
    if (vecs.cols() == 0 || vecs.cols() % m() != 0)
      detail::invalid("dimension", vecs.cols(), "must be a multiple of m = ", m());
    const thread_team team(params.threads);
    detail::check_training_rows(vecs, ks(), team);
    kmeans_params kmeans{.iter = params.pq_iter,
                         .seed = params.seed,
                         .init = params.init,
                         .max_points_per_centroid = params.max_points_per_centroid};
    matrix<float> sampled, unit;
    auto rows = detail::training_rows(vecs, ks(), kmeans, sampled);
    kmeans.max_points_per_centroid = 0;
    if (metric() == pq_metric::cosine) rows = unit = detail::packed_copy(rows, true);

    detail::staged_progress progress(params.progress,
                                     {{"product quantizer", 1}, {"rotation", 2}, {"rotated codewords", 1}});
    opq_params turning = params;
    product_quantizer<Code> plain(m(), ks(), metric()), rotated(plain);
    kmeans.progress = progress.of(0);
    plain.train(rows, {}, kmeans, team);
    turning.progress = progress.of(1);
    auto [rotation, codewords] = detail::learn_rotation(rows, m(), ks(), turning, team);
    const matrix<float> turned = detail::multiplied(rows, rotation, team);
    kmeans.progress = progress.of(2);
    rotated.train(turned, codewords, kmeans, team);
    const bool pays =
        rotated.distortion_with(turned, team).mean_squared_error < plain.distortion_with(rows, team).mean_squared_error;
    progress.finish();
    m_rotation = pays ? std::move(rotation) : detail::identity(rows.cols());
    m_quantizer = pays ? std::move(rotated) : std::move(plain);
    return *this;
  }

  /// Rotates vectors. \param vecs n x dim \param params threads \returns vecs * rotation()
  /// \throws std::invalid_argument before fit and for another dimension.
  matrix<float> rotate(matrix_view<float> vecs, const run_params& params = {}) const {
    check_dim(vecs);
    return detail::multiplied(vecs, m_rotation, params.threads);
  }
  /// Rotates one vector. \param vec any contiguous range of floats \returns the rotated one
  /// \throws std::invalid_argument likewise.
  template <detail::contiguous_of<float> Vector>
  std::vector<float> rotate(const Vector& vec) const {
    const matrix<float> rotated = rotate(matrix_view<float>(vec), {.threads = 1});
    return {rotated.data(), rotated.data() + rotated.cols()};
  }

  /// As product_quantizer::encode, of rotated vectors. O(n dim (ks + dim)). \param vecs n x dim \param params threads
  /// \returns their codes, n x m \throws std::invalid_argument before fit, for another dimension, and for vectors that
  /// fit refuses.
  matrix<Code> encode(matrix_view<float> vecs, const run_params& params = {}) const {
    constexpr std::size_t block = 1536;
    check_dim(vecs);
    matrix<Code> codes(vecs.rows(), m());
    std::atomic<bool> all_finite = true;
    parallel_for(params.threads, vecs.rows(), block, [&](std::size_t begin, std::size_t end, std::size_t) {
      const auto rows = vecs.middle_rows(begin, end - begin);
      if (!detail::norms_are_finite(rows)) {
        all_finite = false;
        return;
      }
      const auto part = m_quantizer.encode(detail::multiplied(rows, m_rotation, 1), {.threads = 1});
      std::copy_n(part.data(), (end - begin) * m(), codes.row(begin).data());
    });
    if (!all_finite) detail::check_norms(vecs, "vectors", params.threads);  // names the first row that is not finite
    return codes;
  }

  /// As product_quantizer::decode; the result is rotated back. \param codes n x m \returns n x dim
  /// \throws std::invalid_argument before fit, for another number of columns, and for codes that are not below ks.
  template <matrix_like Codes>
    requires std::same_as<value_t<Codes>, Code> matrix<float> decode(const Codes& codes)
  const {
    const matrix<float> rotated = m_quantizer.decode(codes);
    return detail::multiplied(rotated, detail::transposed(m_rotation), 1);
  }

  /// As product_quantizer::dtable, of the rotated query. O(dim (ks + dim)). \param query dim coordinates \returns its
  /// distances to all codewords \throws std::invalid_argument before fit and for another dimension.
  distance_table dtable(std::span<const float> query) const { return m_quantizer.dtable(rotate(query)); }

  /// As product_quantizer::search, of rotated queries. \param codes n x m \param queries q x dim \param k at least 1
  /// \param params see there \returns q x k, as there \throws std::invalid_argument before fit, for k = 0, other
  /// dimensions, or codes that are not below ks \throws annulus::cancelled when `progress` returns false.
  template <matrix_like Codes>
    requires std::same_as<value_t<Codes>, Code> neighbors search(const Codes& codes, matrix_view<float> queries,
                                                                 std::size_t k, const pq_search_params& params = {})
  const { return m_quantizer.search(codes, rotate(queries, {.threads = params.threads}), k, params); }

  /// As product_quantizer::search_symmetric: a rotation does not change distances between decoded vectors.
  /// \param codes,k,params as above \param query_codes q x m \returns q x k \throws std::invalid_argument as above.
  template <matrix_like Codes>
    requires std::same_as<value_t<Codes>, Code> neighbors search_symmetric(const Codes& codes,
                                                                           matrix_view<Code> query_codes, std::size_t k,
                                                                           const pq_search_params& params = {})
  const { return m_quantizer.search_symmetric(codes, query_codes, k, params); }

  /// As product_quantizer::distortion, of rotated vectors. \param vecs n x dim, n above 0 \param params threads
  /// \returns the error of encoding and decoding them \throws std::invalid_argument as encode does, and for no vectors.
  distortion_report distortion(matrix_view<float> vecs, const run_params& params = {}) const {
    return m_quantizer.distortion(rotate(vecs, params), params);
  }

  std::size_t m() const noexcept { return m_quantizer.m(); }    ///< \returns sub-vectors of a vector
  std::size_t ks() const noexcept { return m_quantizer.ks(); }  ///< \returns codewords of a sub-space
  std::size_t ds() const noexcept { return m_quantizer.ds(); }  ///< \returns coordinates of a sub-vector, 0 before fit
  std::size_t dim() const noexcept { return m_quantizer.dim(); }  ///< \returns coordinates of a vector, 0 before fit
  pq_metric metric() const noexcept { return m_quantizer.metric(); }  ///< \returns that of tables and searches
  /// \returns dim x dim, empty before fit.
  const matrix<float>& rotation() const noexcept { return m_rotation; }
  /// \returns the quantiser of rotated vectors.
  const product_quantizer<Code>& quantizer() const noexcept { return m_quantizer; }
  /// \returns those of rotated vectors, (m * ks) x ds.
  const matrix<float>& codewords() const noexcept { return m_quantizer.codewords(); }

  friend bool operator==(const optimized_product_quantizer&, const optimized_product_quantizer&) = default;

 private:
  void check_dim(matrix_view<float> vecs) const {
    if (m_rotation.rows() == 0) detail::invalid("rotation", "none", "the quantiser must be fitted first");
    if (vecs.cols() != dim() && vecs.rows() > 0)
      detail::invalid("dimension", vecs.cols(), "must equal the quantiser's ", dim());
  }

  friend detail::persistence;
  explicit optimized_product_quantizer(detail::unfilled) : optimized_product_quantizer(1) {}

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive("rotation", self.m_rotation);
    archive.part("quantizer", self.m_quantizer);
    if constexpr (Archive::is_loading)
      archive.rebuild([&] {
        if (self.dim() > 0 || self.m_rotation.rows() > 0)
          self = optimized_product_quantizer(std::move(self.m_rotation), std::move(self.m_quantizer));
      });
  }

  matrix<float> m_rotation;
  product_quantizer<Code> m_quantizer;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
