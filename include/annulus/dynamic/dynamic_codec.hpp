#pragma once

/// \file
/// dynamic_codec: a product quantiser of rows known at run time: codes without an index. Needs the library
/// annulus::dynamic, neither Eigen nor xsimd.
///
///     auto codec = annulus::dynamic_codec::train(rows, {.kind = "opq", .m = 16});
///     annulus::matrix<std::uint8_t> codes = codec.encode(rows);
///     annulus::matrix<float> tables = codec.tables(queries);
///     std::vector<float> distances = codec.distances(tables.row(0), codes);

#include <annulus/dynamic/any_rows.hpp>
#include <annulus/dynamic/c_calls.hpp>
#include <annulus/dynamic/c_options.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// How a codec is trained. Members mean what they mean in product_quantizer, kmeans_params and opq_params; empty ones
/// take the defaults there. One that the kind does not have is refused.
struct codec_spec {
  std::string kind = "pq";                  ///< or opq
  std::string metric = {};                  ///< what tables hold: sqeuclidean (where empty), inner_product, cosine
  std::optional<std::size_t> m = {};        ///< sub-vectors of a row; must be given
  std::optional<std::size_t> ks = {};       ///< codewords of a sub-space; 256
  std::optional<std::size_t> iter = {};     ///< pq: rounds of k-means
  std::string padding = {};                 ///< pq: refuse, zeros
  std::optional<std::size_t> pq_iter = {};  ///< opq: rounds of k-means for the last codewords
  std::optional<std::size_t> rotation_iter = {};  ///< opq: rounds of codewords and rotation in turn
  std::optional<bool> parametric_init = {};       ///< opq: whether the rotation starts from the data's covariance
  std::optional<std::size_t> max_points_per_centroid = {};  ///< more rows than ks times this are sampled
  std::string init = {};                                    ///< points, plus_plus, random
  std::optional<std::uint64_t> seed = {};                   ///< of sampling and k-means
  std::optional<std::size_t> threads = {};                  ///< 0: all cores

  /// Calls f for each member. \param f called with a name and a member \throws any exception of f
  template <class F>
  void visit(F&& f) const {
    f("kind", kind), f("metric", metric), f("m", m), f("ks", ks), f("iter", iter), f("padding", padding);
    f("pq_iter", pq_iter), f("rotation_iter", rotation_iter), f("parametric_init", parametric_init);
    f("max_points_per_centroid", max_points_per_centroid), f("init", init), f("seed", seed), f("threads", threads);
  }
};

/// What codewords of the caller's do not tell by themselves.
struct codewords_params {
  std::string metric = {};              ///< as in codec_spec
  std::optional<std::size_t> dim = {};  ///< coordinates of a row, where the last ones of m * ds are padding
};

namespace detail {

template <class M>
concept rows_of_codes = !eigen_matrix<M> && requires {
  requires std::unsigned_integral<element_of<M>> && sizeof(element_of<M>) <= 4;
  requires std::convertible_to<const M&, matrix_view<element_of<M>>>;
};

}  // namespace detail

/// A product quantiser, plain or behind a rotation. Does not change: copies share it, and any number of threads may use
/// it. Codes are n x m() unsigned integers of code_bytes() each, below ks(). Calls may throw std::bad_alloc, and
/// std::invalid_argument where ANNULUS_ISA names no instruction set (docs/dynamic.md).
class dynamic_codec {
 public:
  /// Learns a codec. \param rows n x d, dense, of f32 \param spec how \param progress called meanwhile \returns the
  /// codec \throws std::invalid_argument for options that there are not, and what fit of product_quantizer and
  /// optimized_product_quantizer refuses; cancelled
  static dynamic_codec train(const any_rows& rows, const codec_spec& spec, const progress_callback& progress = {}) {
    const detail::c_options options(spec);
    detail::kept_exception kept;
    detail::c_progress report(progress, kept);
    annulus_codec* codec = nullptr;
    detail::call(kept, [&](annulus_error* error) {
      return annulus_codec_train(rows.c_rows(), options.data(), options.size(), report.function(), report.user(),
                                 &codec, error);
    });
    return dynamic_codec(codec);
  }
  /// Of given codewords. \param m sub-vectors of a row \param codewords (m * ks) x ds: those of sub-space i are rows
  /// i * ks to (i + 1) * ks \param params what they do not tell \returns the codec \throws std::invalid_argument where
  /// their number is no multiple of m, and as product_quantizer's constructor
  static dynamic_codec of(std::size_t m, const matrix<float>& codewords, const codewords_params& params = {}) {
    return of(m, codewords, nullptr, params);
  }
  /// The same behind a rotation. \param m,codewords,params as above \param rotation dim x dim: a row vector x becomes
  /// x * rotation \returns the codec \throws std::invalid_argument also as optimized_product_quantizer's constructor
  static dynamic_codec of(std::size_t m, const matrix<float>& codewords, const matrix<float>& rotation,
                          const codewords_params& params = {}) {
    const std::size_t dim = params.dim.value_or(m * codewords.cols());
    if (rotation.rows() != dim || rotation.cols() != dim)
      detail::invalid("rotation", rotation.rows(), "must be square, of the quantiser's ", dim, " dimensions");
    return of(m, codewords, rotation.data(), params);
  }

  /// The codes of rows. O(n ks dim). \tparam Code std::uint8_t, std::uint16_t or std::uint32_t, of code_bytes() bytes
  /// \param rows n x dim(), dense, of f32 \param threads 0: all cores \returns n x m() \throws std::invalid_argument as
  /// product_quantizer::encode, and for another Code
  template <std::unsigned_integral Code = std::uint8_t>
  matrix<Code> encode(const any_rows& rows, std::size_t threads = 0) const {
    check_code(sizeof(Code));
    matrix<Code> codes(rows.size(), m());
    detail::call([&](annulus_error* error) {
      return annulus_codec_encode(m_codec.get(), rows.c_rows(), threads, codes.data(), error);
    });
    return codes;
  }
  /// The rows that codes stand for. \param codes n x m() \param threads 0: all cores \returns n x dim() \throws
  /// std::invalid_argument for other columns, and for codes that are not below ks() (naming the row)
  template <detail::rows_of_codes Codes>
  matrix<float> decode(const Codes& codes, std::size_t threads = 0) const {
    return with_packed(codes, [&](const void* data, std::size_t n) {
      matrix<float> rows(n, dim());
      detail::call([&](annulus_error* error) {
        return annulus_codec_decode(m_codec.get(), data, n, threads, rows.data(), error);
      });
      return rows;
    });
  }
  /// The distances of queries to all codewords. \param queries n x dim(), dense, of f32 \returns n x (m() * ks()): the
  /// distance of query i to codeword j of sub-space s is (i, s * ks() + j), under inner_product the product \throws
  /// std::invalid_argument for other rows
  matrix<float> tables(const any_rows& queries) const {
    matrix<float> tables(queries.size(), m() * ks());
    detail::call([&](annulus_error* error) {
      return annulus_codec_tables(m_codec.get(), queries.c_rows(), tables.data(), error);
    });
    return tables;
  }
  /// The distances of a query to codes, sums of m() entries of its table. \param table the query's row of tables()
  /// \param codes n x m() \param threads 0: all cores \returns n of them \throws std::invalid_argument as decode, and
  /// for a table of another size
  template <detail::rows_of_codes Codes>
  std::vector<float> distances(std::span<const float> table, const Codes& codes, std::size_t threads = 0) const {
    if (table.size() != m() * ks()) detail::invalid("table", table.size(), "must be of m * ks = ", m() * ks());
    return with_packed(codes, [&](const void* data, std::size_t n) {
      std::vector<float> distances(n);
      detail::call([&](annulus_error* error) {
        return annulus_codec_distances(m_codec.get(), table.data(), data, n, threads, distances.data(), error);
      });
      return distances;
    });
  }

  std::size_t dim() const noexcept { return m_shape.dim; }                ///< \returns coordinates of a row
  std::size_t m() const noexcept { return m_shape.m; }                    ///< \returns sub-vectors of a row
  std::size_t ks() const noexcept { return m_shape.ks; }                  ///< \returns codewords of a sub-space
  std::size_t ds() const noexcept { return m_shape.ds; }                  ///< \returns coordinates of a codeword
  std::size_t code_bytes() const noexcept { return m_shape.code_bytes; }  ///< \returns those of one integer: 1, 2 or 4
  bool is_rotated() const noexcept { return m_shape.is_rotated != 0; }    ///< \returns whether there is a rotation
  /// \returns (m() * ks()) x ds(), those of each sub-space together \throws std::bad_alloc
  matrix<float> codewords() const {
    matrix<float> codewords(m() * ks(), ds());
    detail::call([&](annulus_error* error) { return annulus_codec_codewords(m_codec.get(), codewords.data(), error); });
    return codewords;
  }
  /// \returns dim() x dim(): a row vector x becomes x * rotation \throws std::invalid_argument where it is not rotated
  matrix<float> rotation() const {
    matrix<float> rotation(dim(), dim());
    detail::call([&](annulus_error* error) { return annulus_codec_rotation(m_codec.get(), rotation.data(), error); });
    return rotation;
  }
  const annulus_codec* c_codec() const noexcept { return m_codec.get(); }  ///< \returns it for the C interface

 private:
  explicit dynamic_codec(annulus_codec* codec) : m_codec(codec, &annulus_codec_free) {
    detail::call([&](annulus_error* error) { return annulus_codec_describe(codec, &m_shape, error); });
  }

  static dynamic_codec of(std::size_t m, const matrix<float>& codewords, const float* rotation,
                          const codewords_params& params) {
    if (m > 0 && codewords.rows() % m != 0)
      detail::invalid("codeword rows", codewords.rows(), "must be a multiple of m = ", m);
    detail::c_options options;
    options("metric", params.metric);
    options("dim", params.dim);
    annulus_codec* codec = nullptr;
    detail::call([&](annulus_error* error) {
      return annulus_codec_of(codewords.data(), rotation, m, m == 0 ? 0 : codewords.rows() / m, codewords.cols(),
                              options.data(), options.size(), &codec, error);
    });
    return dynamic_codec(codec);
  }

  void check_code(std::size_t bytes) const {
    if (bytes != code_bytes())
      detail::invalid("Code", bytes, "codes of ks = ", ks(), " are integers of ", code_bytes(), " bytes");
  }
  /// f(data, n) of codes without gaps between rows.
  template <class Codes, class F>
  auto with_packed(const Codes& codes, F f) const {
    using code_type = detail::element_of<Codes>;
    check_code(sizeof(code_type));
    const matrix_view<code_type> view(codes);
    if (view.cols() != m() && view.rows() > 0) detail::invalid("code columns", view.cols(), "must equal m = ", m());
    if (view.rows() < 2 || view.stride() == view.cols()) return f(view.data(), view.rows());
    matrix<code_type> copy(view.rows(), view.cols());
    for (std::size_t i = 0; i < view.rows(); ++i) std::ranges::copy(view.row(i), copy.row(i).data());
    return f(copy.data(), copy.rows());
  }

  std::shared_ptr<annulus_codec> m_codec;
  annulus_codec_shape m_shape;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
