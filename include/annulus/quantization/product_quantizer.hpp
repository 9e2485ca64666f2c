#pragma once

/// \file
/// Product quantisation: vectors in a few bytes, and distances to them by look-up (Jégou, Douze, Schmid 2011).

#include <annulus/quantization/codeword_training.hpp>
#include <annulus/quantization/distortion.hpp>
#include <annulus/quantization/scan/float_table_scan.hpp>

#include <functional>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// Splits vectors of dim() coordinates into m() sub-vectors of ds(), and stores the number of the nearest of ks()
/// codewords for each, as a Code. Codewords are trained by k-means. The metric only changes tables and searches, but
/// that under cosine vectors are normalised first. Const members are safe from any number of threads. Moves and copies.
template <code_scalar Code = std::uint8_t>
class product_quantizer {
 public:
  using code_type = Code;                                        ///< of one sub-space
  static constexpr std::string_view kind = "product_quantizer";  ///< in files

  /// Not fitted yet. \param m sub-vectors of a vector, at least 1 \param ks codewords of each, from 1 to 2^(8
  /// sizeof(Code)) \param metric,padding see there \throws std::invalid_argument for others.
  explicit product_quantizer(std::size_t m, std::size_t ks = 256, pq_metric metric = pq_metric::sqeuclidean,
                             pq_padding padding = pq_padding::refuse)
      : m_m(m), m_ks(ks), m_metric(metric), m_padding(padding) {
    constexpr std::uint64_t most = std::uint64_t{1} << (8 * sizeof(Code));
    if (m == 0) detail::invalid("m", m, "must be at least 1");
    if (ks == 0 || ks > most) detail::invalid("ks", ks, "must be from 1 to ", most, ", which the codes can tell apart");
  }

  /// Takes codewords. \param m,metric as above \param codewords (m * ks) x ds: those of sub-space i from row i * ks
  /// \param dim below m * ds where the last coordinates are padding, or 0 \throws std::invalid_argument as above, for
  /// rows that are no multiple of m, a dim that does not fit m and ds, and codewords that are not finite.
  product_quantizer(std::size_t m, matrix<float> codewords, pq_metric metric = pq_metric::sqeuclidean,
                    std::size_t dim = 0)
      : product_quantizer(m, m == 0 ? 0 : codewords.rows() / m, metric) {
    if (codewords.rows() % m != 0) detail::invalid("codeword rows", codewords.rows(), "must be a multiple of m = ", m);
    const std::size_t padded = m * codewords.cols();
    if (dim == 0) dim = padded;
    if (codewords.cols() == 0) detail::invalid("codeword columns", codewords.cols(), "must be at least 1");
    if (dim > padded || (dim + m - 1) / m != codewords.cols())
      detail::invalid("dim", dim, "must be m sub-vectors of ", codewords.cols(),
                      " coordinates, of which only the last may be padding");
    if (dim < padded) m_padding = pq_padding::zeros;
    detail::check_norms<float>(codewords, "codewords", 1);
    adopt(std::move(codewords), dim);
  }

  /// Trains the codewords. Nothing changes where it throws. O(iter n ks dim); memory beyond the codewords: threads x n
  /// x ds. The same bits for any number of threads. \param vecs n x dim, n >= ks, finite, with finite squares; dim a
  /// multiple of m, unless padding is zeros \param params with iter above 0 \returns itself \throws
  /// std::invalid_argument for others (naming the row) \throws annulus::cancelled when `progress` returns false.
  product_quantizer& fit(matrix_view<float> vecs, const kmeans_params& params = {}) {
    return train(vecs, {}, params, params.threads);
  }

  /// The same from given codewords. \param vecs,params as above \param initial (m * ks) x ds \returns itself \throws
  /// std::invalid_argument also where it does not fit.
  product_quantizer& fit(matrix_view<float> vecs, const matrix<float>& initial, const kmeans_params& params = {}) {
    if (initial.rows() != m_m * m_ks) detail::invalid("initial rows", initial.rows(), "must be m * ks = ", m_m * m_ks);
    if (const std::size_t ds = (vecs.cols() + m_m - 1) / m_m; initial.cols() != ds)
      detail::invalid("initial columns", initial.cols(), "must be ds = ", ds);
    detail::check_norms<float>(initial, "codewords", 1);
    return train(vecs, initial, params, params.threads);
  }

  /// The codes of vectors. O(n ks dim), and memory for a few vectors a thread. \param vecs n x dim \param params
  /// threads \returns n x m \throws std::invalid_argument before fit, for another dimension, and where fit does.
  matrix<Code> encode(matrix_view<float> vecs, const run_params& params = {}) const {
    return encode_with(vecs, params.threads);
  }

  /// The vectors that codes stand for. \param codes n x m \returns n x dim \throws std::invalid_argument before fit,
  /// for another number of columns, and for codes that are not below ks (naming the row).
  template <matrix_like Codes>
    requires std::same_as<value_t<Codes>, Code> matrix<float> decode(const Codes& codes)
  const {
    const matrix_view<Code> view(codes);
    check_fitted();
    detail::check_codes(view, m_m, m_ks);
    matrix<float> vecs(view.rows(), m_dim);
    for (std::size_t r = 0; r < view.rows(); ++r)
      for (std::size_t i = 0; i < m_m; ++i) {
        const std::size_t first = std::min(i * m_ds, m_dim);  // the last sub-spaces may be padding only
        std::copy_n(m_codewords.row(i * m_ks + view.row(r)[i]).data(), std::min(m_ds, m_dim - first),
                    vecs.row(r).data() + first);
      }
    return vecs;
  }

  /// A query's distances to all codewords. O(ks dim). \param query dim coordinates \returns m x ks distances \throws
  /// std::invalid_argument before fit and for another dimension.
  distance_table dtable(std::span<const float> query) const {
    check_dim(query.size());
    matrix<float> values(m_m, m_ks), copied;
    write_table(query, values.data(), copied);
    return distance_table(std::move(values), m_metric);
  }

  /// The k nearest codes to each query by its table, whatever the batch and threads; a batch is several times as fast
  /// as its queries alone. O(q (ks dim + n m)). \param codes n x m \param queries q x dim; one that is not finite has
  /// no neighbours \param k at least 1 \param params see there \returns q x k, nearest first, ties by lower id, padded
  /// with no_id and +infinity; distances of adist, under inner_product negated \throws std::invalid_argument before
  /// fit, for k = 0, other dimensions, or codes not below ks \throws annulus::cancelled when `progress` returns false.
  template <matrix_like Codes>
    requires std::same_as<value_t<Codes>, Code> neighbors search(const Codes& codes, matrix_view<float> queries,
                                                                 std::size_t k, const pq_search_params& params = {})
  const {
    check_fitted();
    if (queries.rows() > 0) check_dim(queries.cols());
    return search_tables(codes, queries.rows(), k, params, [&](std::size_t q, float* table, matrix<float>& copied) {
      if (!detail::all_finite(queries.row(q))) return false;
      write_table(queries.row(q), table, copied);
      return true;
    });
  }

  /// The same where queries are codes: symmetric distances, between decoded vectors; faster to prepare, less accurate.
  /// \param codes,k,params as above \param query_codes q x m \returns as above \throws std::invalid_argument likewise.
  template <matrix_like Codes>
    requires std::same_as<value_t<Codes>, Code> neighbors search_symmetric(const Codes& codes,
                                                                           matrix_view<Code> query_codes, std::size_t k,
                                                                           const pq_search_params& params = {})
  const {
    check_fitted();
    detail::check_codes(query_codes, m_m, m_ks);
    return search_tables(codes, query_codes.rows(), k, params, [&](std::size_t q, float* table, matrix<float>&) {
      for (std::size_t i = 0; i < m_m; ++i)
        write_row(i, m_codewords.row(i * m_ks + query_codes.row(q)[i]).data(), table + i * m_ks);
      return true;
    });
  }

  /// The error of encoding and decoding. \param vecs n x dim \param params threads \returns its report \throws
  /// std::invalid_argument as encode does, and for no vectors.
  distortion_report distortion(matrix_view<float> vecs, const run_params& params = {}) const {
    return distortion_with(vecs, params.threads);
  }

  std::size_t m() const noexcept { return m_m; }             ///< \returns sub-vectors of a vector
  std::size_t ks() const noexcept { return m_ks; }           ///< \returns codewords of a sub-space
  std::size_t ds() const noexcept { return m_ds; }           ///< \returns coordinates of a sub-vector, 0 before fit
  std::size_t dim() const noexcept { return m_dim; }         ///< \returns coordinates of a vector, 0 before fit
  pq_metric metric() const noexcept { return m_metric; }     ///< \returns that of tables and searches
  pq_padding padding() const noexcept { return m_padding; }  ///< \returns what fit does with other dimensions
  /// \returns (m * ks) x ds, empty before fit: the codewords of sub-space i from row i * ks.
  const matrix<float>& codewords() const noexcept { return m_codewords; }
  /// The codewords of one sub-space. \param i its number, below m() \returns ks x ds.
  matrix_view<float> codewords(std::size_t i) const noexcept {
    return matrix_view<float>(m_codewords).middle_rows(i * m_ks, m_ks);
  }

  friend bool operator==(const product_quantizer& a, const product_quantizer& b) {
    return a.m_m == b.m_m && a.m_ks == b.m_ks && a.m_dim == b.m_dim && a.m_metric == b.m_metric &&
           a.m_codewords == b.m_codewords;
  }

 private:
  template <code_scalar>
  friend class optimized_product_quantizer;

  /// Scratch of one thread.
  struct encoding {
    static constexpr std::size_t block = 64;  // rows that stay in the first cache while their sub-vectors are read
    explicit encoding(std::size_t ds) : search(ds) {}
    detail::nearest_codeword::scratch search;
    std::array<std::uint32_t, block> found{};
    matrix<float> copied;
  };

  void check_fitted() const {
    if (m_codewords.rows() == 0) detail::invalid("codewords", "none", "the quantiser must be fitted first");
  }
  void check_dim(std::size_t dim) const {
    check_fitted();
    if (dim != m_dim) detail::invalid("dimension", dim, "must equal the quantiser's ", m_dim);
  }
  void check_vectors(matrix_view<float> vecs, const thread_team& team) const {
    check_fitted();
    if (vecs.rows() > 0) check_dim(vecs.cols());
    detail::check_norms(vecs, "vectors", team);
  }

  /// The rows to quantise: those given, or `copied`, where they are normalised or padded to m * ds.
  matrix_view<float> prepared(matrix_view<float> rows, matrix<float>& copied) const {
    const std::size_t padded = (rows.cols() + m_m - 1) / m_m * m_m;
    if (m_metric != pq_metric::cosine && padded == rows.cols()) return rows;
    if (copied.rows() < rows.rows()) copied = matrix<float>(rows.rows(), padded);
    for (std::size_t r = 0; r < rows.rows(); ++r)
      detail::copy_row(rows.row(r), m_metric == pq_metric::cosine, copied.row(r).data());
    return matrix_view<float>(copied).middle_rows(0, rows.rows());
  }

  matrix<Code> encode_with(matrix_view<float> vecs, const thread_team& team) const {
    check_fitted();
    if (vecs.rows() > 0) check_dim(vecs.cols());
    matrix<Code> codes(vecs.rows(), m_m);
    std::vector<encoding> scratch(team.size(), encoding(m_ds));
    std::atomic<bool> all_finite = true;
    parallel_for(team, vecs.rows(), encoding::block, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      auto& [search, found, copied] = scratch[worker];
      const auto part = vecs.middle_rows(begin, end - begin);
      if (!detail::norms_are_finite(part)) all_finite = false;
      const auto rows = prepared(part, copied);
      for (std::size_t i = 0; i < m_m; ++i) {
        m_codebooks[i](detail::sub_vectors(rows, m_m, i), std::span(found).first(part.rows()), search);
        for (std::size_t r = 0; r < part.rows(); ++r) codes(begin + r, i) = static_cast<Code>(found[r]);
      }
    });
    if (!all_finite) check_vectors(vecs, team);  // names the first row that is not
    return codes;
  }

  distortion_report distortion_with(matrix_view<float> vecs, const thread_team& team) const {
    check_vectors(vecs, team);
    matrix<float> copied;
    return detail::distortion_of(*this, prepared(vecs, copied), encode_with(vecs, team));
  }

  product_quantizer& train(matrix_view<float> vecs, const matrix<float>& initial, const kmeans_params& params,
                           const thread_team& team) {
    if (m_padding == pq_padding::refuse && vecs.cols() % m_m != 0)
      detail::invalid("dimension", vecs.cols(), "must be a multiple of m = ", m_m, ", or padding be zeros");
    if (vecs.cols() < m_m) detail::invalid("dimension", vecs.cols(), "must be at least m = ", m_m);
    detail::check_training_rows(vecs, m_ks, team);
    matrix<float> sampled, copied;
    const std::size_t dim = vecs.cols();
    const auto rows = prepared(detail::training_rows(vecs, m_ks, params, sampled), copied);
    adopt(detail::train_codewords(rows, m_m, m_ks, initial, params, team), dim);
    return *this;
  }

  void adopt(matrix<float> codewords, std::size_t dim) {
    m_codebooks = detail::codebooks_of(codewords, m_m);
    m_ds = codewords.cols();
    m_dim = dim;
    m_codewords = std::move(codewords);
  }

  friend detail::persistence;
  explicit product_quantizer(detail::unfilled) : product_quantizer(1) {}

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive.constant("code", detail::scalar_name<Code>());
    archive("m", self.m_m);
    archive("ks", self.m_ks);
    archive("dim", self.m_dim);
    archive.choice("metric", self.m_metric, {"l2", "dot", "cosine"});
    archive.choice("padding", self.m_padding, {"refuse", "zeros"});
    archive("codewords", self.m_codewords);
    if constexpr (Archive::is_loading) {
      archive.expect(self.m_codewords.rows() / std::max<std::size_t>(self.m_m, 1) == (self.m_dim > 0 ? self.m_ks : 0),
                     "does not have m * ks codewords");
      archive.rebuild([&] {
        const pq_padding padding = self.m_padding;
        if (self.m_dim == 0) self = product_quantizer(self.m_m, self.m_ks, self.m_metric);
        else self = product_quantizer(self.m_m, std::move(self.m_codewords), self.m_metric, self.m_dim);
        self.m_padding = padding;
      });
    }
  }

  void write_row(std::size_t i, const float* sub_vector, float* out) const {
    detail::write_table_row(m_codebooks[i], m_metric, m_m, sub_vector, std::span(out, m_ks));
  }

  void write_table(std::span<const float> query, float* out, matrix<float>& copied) const {
    const auto row = prepared(query, copied);
    for (std::size_t i = 0; i < m_m; ++i) write_row(i, row.data() + i * m_ds, out + i * m_ks);
  }

  /// table(q, out, copied) writes the table of query q, or returns false where it has no neighbours.
  template <class Table>
  neighbors search_tables(matrix_view<Code> codes, std::size_t queries, std::size_t k, const pq_search_params& params,
                          Table table) const {
    detail::check_codes(codes, m_m, m_ks);
    std::vector<matrix<float>> copied(resolve_threads(params.threads));
    const auto smaller_is_nearer = [&](std::size_t q, float* out, std::size_t worker) {
      if (!table(q, out, copied[worker])) return false;
      if (m_metric == pq_metric::inner_product) std::transform(out, out + m_m * m_ks, out, std::negate<>());
      return true;
    };
    return detail::search_by_float_tables(codes, m_m, m_ks, queries, k, params, smaller_is_nearer);
  }

  std::size_t m_m, m_ks, m_ds = 0, m_dim = 0;
  pq_metric m_metric;
  pq_padding m_padding;
  matrix<float> m_codewords;
  std::vector<detail::nearest_codeword> m_codebooks;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
