#pragma once

/// \file
/// The walk over rows stored as 8-bit codes.

#include <annulus/core/codes/sq8_decoder.hpp>
#include <annulus/nndescent/index/row_walk.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// A byte a coordinate and integer kernels, of at most 65,536 dimensions. The nearest found are ranked again by the
/// exact rows.
struct sq8 {
  static constexpr std::string_view name = "sq8";   ///< in files
  scalar_scales scales = scalar_scales::automatic;  ///< the steps of codes
};

namespace detail {

/// Walks over 8-bit codes.
template <class T>
class sq8_walk {
 public:
  static constexpr bool is_exact = false, is_compressed = true;
  using rank_type = float;

  struct query {
    sq8_encoder<T> encoder;
    code_query codes;
    float norm = 0;  ///< of the codes
  };

  explicit sq8_walk(sq8_encoder<T> encoder) : m_encoder(std::move(encoder)), m_codes(m_encoder.make_codes(0)) {}

  template <class Metric>
  sq8_walk(unfilled, const Metric&) : sq8_walk(sq8_encoder<T>(unfilled{}, Metric::form)) {}

  std::size_t size() const noexcept { return m_codes.size(); }
  std::size_t dim() const noexcept { return m_encoder.row_dim(); }
  void resize(std::size_t n) { m_codes.resize(n); }
  void assign(std::size_t i, std::span<const T> row) { m_encoder.encode(row.data(), i, m_codes); }
  void keep_only(std::span<const id_type> order) noexcept { m_codes.keep_only(order); }

  /// Whether all rows are their own codes, and none fit better.
  bool is_lossless() const noexcept { return m_encoder.is_exact(); }
  /// An empty one, whose codes fit such rows.
  sq8_walk fitted(matrix_view<T> rows) const { return sq8_walk(m_encoder.fitted(rows)); }
  /// Becomes the codes of all these rows.
  void assign_all(matrix_view<T> rows, const thread_team& team) { m_codes = encode_rows(m_encoder, rows, team); }

  query make_query() const {
    query q{m_encoder, {}, 0};
    q.codes.codes.resize(m_codes.row_bytes());
    return q;
  }
  void prepare(std::span<const T> row, query& q) const {
    renew(q);
    q.encoder.prepare(row.data(), m_codes.row_bytes(), q.codes);
    q.norm = norm_of(q.codes);
  }
  void prepare_row(std::size_t i, query& q) const {
    renew(q);
    q.encoder.prepare(m_codes, i, q.codes);
    q.norm = norm_of(q.codes);
  }
  /// How far the rank of a row may be off: two standard deviations of what half a step in each coordinate of both makes
  /// of their product.
  float rank_error(const query& q, id_type id, float) const noexcept {
    if (m_encoder.is_exact()) return 0;
    constexpr float deviation = 0.408f;  // of the sum of two errors that are uniform in half a step to either side
    return 2 * deviation * q.codes.terms.scale * m_codes.terms(id).scale * q.norm;
  }
  float square_rank(double rank) const noexcept { return static_cast<float>(rank); }
  /// A row as floats, of length 1 under cosine, less a centre.
  void decode(std::size_t i, const float* centre, float* out) const noexcept {
    decode_row(m_encoder, m_codes, i, centre, out);
  }
  bool lacks_direction(const query& q) const noexcept { return q.encoder.is_zero_vector(q.codes); }
  void ranks(const query& q, std::span<const id_type> ids, float* out) const noexcept {
    m_codes.ranks(q.codes, ids, out);
  }
  void prefetch(std::size_t i) const noexcept { m_codes.prefetch(i); }
  std::size_t memory_bytes() const noexcept { return m_codes.memory_bytes(); }

  std::string defect() const { return m_codes.defect(); }
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    persistence::persist(self.m_encoder, archive);
    if constexpr (Archive::is_loading) {
      checked_dim(self.m_encoder.dim(), archive);
      self.m_codes = self.m_encoder.make_codes(0);
    }
    persistence::persist(self.m_codes, archive);
  }

 private:
  /// A query's scratch may be older than the codes, which are fitted anew as rows come in.
  void renew(query& q) const {
    if (!q.encoder.is_copy_of(m_encoder)) q.encoder = m_encoder;
  }
  static float norm_of(const code_query& q) noexcept {
    std::int32_t sum = 0;
    for (const std::int32_t c : q.codes) sum += c * c;
    return detail::sqrt(static_cast<float>(sum));
  }

  sq8_encoder<T> m_encoder;
  sq8_rows m_codes;
};

template <class T, class Metric>
struct walk_of<matrix<T>, Metric, sq8> {
  static_assert(has_product_form<Metric>,
                "annulus: sq8 takes euclidean, sqeuclidean, inner_product or cosine, whose ranks follow from products");
  using type = sq8_walk<T>;
  static type make(matrix_view<T> data, const Metric&, sq8 storage) {
    if (data.cols() > most_codes)
      invalid("data columns", data.cols(), "sq8 must have at most ", most_codes, ": products of more codes overflow");
    return type(sq8_encoder<T>(Metric::form, data, storage.scales));
  }
};

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
