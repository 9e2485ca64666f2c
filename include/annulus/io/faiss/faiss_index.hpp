#pragma once

/// \file
/// A faiss index of any kind, and the kinds that have another one inside.

#include <annulus/io/faiss/faiss_kinds.hpp>
#include <annulus/quantization/optimized_product_quantizer.hpp>

#include <memory>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

class faiss_pre_transform;
class faiss_refine_flat;

/// The kinds of faiss indexes that are read and written.
using faiss_kind = std::variant<faiss_pq<std::uint8_t>, faiss_pq<std::uint16_t>, faiss_fast_scan, faiss_flat,
                                faiss_pre_transform, faiss_refine_flat>;

namespace detail {

inline constexpr std::size_t faiss_max_depth = 8;

/// Whether an optimized_product_quantizer accepts the matrix.
inline bool is_rotation(const matrix<float>& m) {
  return m.rows() == m.cols() && distance_from_orthonormal(m) < rotation_tolerance;
}

template <class T, class Variant>
inline constexpr bool is_alternative = false;
template <class T, class... Alternatives>
inline constexpr bool is_alternative<T, std::variant<Alternatives...>> = (std::same_as<T, Alternatives> || ...);
template <class T>
concept alternative_of_faiss_kind = is_alternative<T, faiss_kind>;

}  // namespace detail

/// A faiss index of one of the kinds, which never changes. Copies share it.
class faiss_index {
 public:
  /// \param kind an index of one of the kinds \throws std::bad_alloc
  template <detail::alternative_of_faiss_kind Kind>
  faiss_index(Kind kind) : m_kind(std::make_shared<const faiss_kind>(std::move(kind))) {}

  /// \returns its kind, as in `std::get_if<faiss_pq<std::uint8_t>>(&index.kind())`
  const faiss_kind& kind() const noexcept;

  /// The results of faiss's search in the form of annulus. A query with a NaN or an infinity gets no neighbours.
  /// Parallel over queries; the same bits for every number of threads. \param queries q x dim() \param k at least 1
  /// \param params threads \returns q x k ids and distances, nearest first, ties by id, padded with no_id and
  /// +infinity; distances are squared L2, or minus the inner product that faiss reports \throws std::invalid_argument
  /// for k = 0, another dimension, and queries so long, as they are or as a transform makes them, that distances may be
  /// beyond float32.
  template <std::same_as<run_params> Params = run_params>  // compiled by programs that call it
  neighbors search(matrix_view<float> queries, std::size_t k, const Params& params = {}) const;

  std::size_t size() const noexcept;   ///< \returns vectors
  std::size_t dim() const noexcept;    ///< \returns coordinates of a vector
  pq_metric metric() const noexcept;   ///< \returns sqeuclidean or inner_product
  std::size_t depth() const noexcept;  ///< \returns the number of indexes, each inside the one before

 private:
  std::shared_ptr<const faiss_kind> m_kind;
};

/// An IndexPreTransform of one LinearTransform, which may be an OPQMatrix: vectors x become x * matrix() + bias()
/// before an index sees them. Searching is const and safe from any number of threads.
class faiss_pre_transform {
 public:
  /// \param matrix dim x base.dim(), the transpose of faiss's A \param bias base.dim() elements, or none \param base
  /// what is searched \param reserved of the header \throws std::invalid_argument where they do not fit together or
  /// hold NaN or infinity, and for a base that is itself 8 indexes deep.
  faiss_pre_transform(annulus::matrix<float> matrix, std::vector<float> bias, faiss_index base,
                      const faiss_reserved& reserved = faiss_reserved_default)
      : m_matrix(std::move(matrix)), m_bias(std::move(bias)), m_base(std::move(base)), m_reserved(reserved) {
    if (m_matrix.rows() == 0 || m_matrix.rows() > detail::faiss_max_dim)
      detail::invalid("matrix rows", m_matrix.rows(), "must be from 1 to ", detail::faiss_max_dim);
    if (m_matrix.cols() != m_base.dim())
      detail::invalid("matrix columns", m_matrix.cols(), "must equal the dimension of the index, ", m_base.dim());
    if (!m_bias.empty() && m_bias.size() != m_base.dim())
      detail::invalid("bias elements", m_bias.size(), "must equal the dimension of the index, ", m_base.dim());
    detail::check_rows<float>(m_matrix, "matrix", 1);
    detail::check_rows<float>(m_bias, "bias", 1);
    if (m_base.depth() >= detail::faiss_max_depth)
      detail::invalid("depth", m_base.depth(), "must be below ", detail::faiss_max_depth);
  }

  /// A quantiser behind a rotation, as faiss has it: an OPQMatrix before an IndexPQ. \param quantizer is fitted \param
  /// codes n x m \throws std::invalid_argument as faiss_pq does
  template <code_scalar Code>
  faiss_pre_transform(const optimized_product_quantizer<Code>& quantizer, annulus::matrix<Code> codes)
      : faiss_pre_transform(quantizer.rotation(), {}, faiss_pq<Code>(quantizer.quantizer(), std::move(codes))) {}

  /// The same before an IndexPQFastScan. \param index the codes \throws std::invalid_argument as faiss_fast_scan does
  explicit faiss_pre_transform(const fast_scan_index<optimized_product_quantizer<std::uint8_t>>& index)
      : faiss_pre_transform(index.quantizer().rotation(), {}, without_rotation(index)) {}

  /// Searches base() for the transformed queries. \param queries,k,params as of faiss_index::search \returns as there
  /// \throws std::invalid_argument as there
  template <std::same_as<run_params> Params = run_params>
  neighbors search(matrix_view<float> queries, std::size_t k, const Params& params = {}) const {
    return m_base.search(transform(queries, params), k, params);
  }

  /// O(n dim() base().dim()). \param vecs n x dim() \param params threads \returns n x base().dim() \throws
  /// std::invalid_argument for another dimension
  annulus::matrix<float> transform(matrix_view<float> vecs, const run_params& params = {}) const {
    if (vecs.cols() != dim() && vecs.rows() > 0)
      detail::invalid("dimension", vecs.cols(), "must equal the index's ", dim());
    auto transformed = detail::multiplied(vecs, m_matrix, params.threads);
    for (std::size_t i = 0; i < transformed.rows(); ++i)
      for (std::size_t j = 0; j < m_bias.size(); ++j) transformed(i, j) += m_bias[j];
    return transformed;
  }

  /// \returns transform and quantiser in one, where the base is an IndexPQ with this Code, or an IndexPQFastScan and
  /// Code is uint8; its codes are then those of the base. Else nothing: also for a bias, or a matrix further than 1e-3
  /// from a rotation \throws std::bad_alloc
  template <code_scalar Code = std::uint8_t>
  std::optional<optimized_product_quantizer<Code>> optimized_quantizer() const;

  std::size_t size() const noexcept { return m_base.size(); }                 ///< \returns vectors
  std::size_t dim() const noexcept { return m_matrix.rows(); }                ///< \returns coordinates of a vector
  pq_metric metric() const noexcept { return m_base.metric(); }               ///< \returns that of base()
  std::size_t depth() const noexcept { return m_base.depth() + 1; }           ///< \returns one more than that of base()
  const annulus::matrix<float>& matrix() const noexcept { return m_matrix; }  ///< \returns dim() x base().dim()
  const std::vector<float>& bias() const noexcept { return m_bias; }          ///< \returns base().dim(), or none
  const faiss_index& base() const noexcept { return m_base; }                 ///< \returns what is searched
  const faiss_reserved& reserved() const noexcept { return m_reserved; }      ///< \returns words of the header

 private:
  static faiss_fast_scan without_rotation(const fast_scan_index<optimized_product_quantizer<std::uint8_t>>& index) {
    fast_scan_index<> inner(index.quantizer().quantizer());
    inner.insert_codes(index.codes());
    return faiss_fast_scan(std::move(inner));
  }

  annulus::matrix<float> m_matrix;
  std::vector<float> m_bias;
  faiss_index m_base;
  faiss_reserved m_reserved;
};

/// An IndexRefineFlat: an index whose candidates are ranked again by the vectors themselves. Searching is const and
/// safe from any number of threads.
class faiss_refine_flat {
 public:
  /// \param base finds candidates \param vectors rank them \param k_factor candidates, in multiples of k \param
  /// reserved of the header \throws std::invalid_argument where base and vectors differ in size, dimension or metric,
  /// for k_factor that is not a number from 1, and for a base that is itself 8 indexes deep.
  faiss_refine_flat(faiss_index base, faiss_flat vectors, float k_factor = 1,
                    const faiss_reserved& reserved = faiss_reserved_default)
      : m_base(std::move(base)), m_vectors(std::move(vectors)), m_k_factor(k_factor), m_reserved(reserved) {
    if (m_vectors.size() != m_base.size())
      detail::invalid("vectors", m_vectors.size(), "must be as many as the index has, ", m_base.size());
    if (m_vectors.dim() != m_base.dim())
      detail::invalid("vectors' dimension", m_vectors.dim(), "must equal the index's ", m_base.dim());
    if (m_vectors.metric() != m_base.metric())
      detail::invalid("vectors' metric", m_vectors.metric() == pq_metric::sqeuclidean ? "sqeuclidean" : "inner_product",
                      "must be the index's");
    if (!(k_factor >= 1 && detail::is_finite(k_factor))) detail::invalid("k_factor", k_factor, "must be at least 1");
    if (m_base.depth() >= detail::faiss_max_depth)
      detail::invalid("depth", m_base.depth(), "must be below ", detail::faiss_max_depth);
  }

  /// The k nearest by their vectors, of the floor(k * k_factor) that base().search finds. \param queries,k,params as of
  /// faiss_index::search \returns as there \throws std::invalid_argument as there
  template <std::same_as<run_params> Params = run_params>
  neighbors search(matrix_view<float> queries, std::size_t k, const Params& params = {}) const {
    if (k == 0) detail::invalid("k", k, "must be at least 1");
    const std::size_t kept = std::max<std::size_t>(std::min(k, size()), 1);
    const float wanted = static_cast<float>(k) * m_k_factor;
    const bool is_all = !(wanted < static_cast<float>(size()));
    const neighbors found =
        m_base.search(queries, std::max(kept, is_all ? size() : static_cast<std::size_t>(wanted)), params);
    neighbors result(queries.rows(), k);
    std::visit([&](const auto& flat) { rank(flat, queries, found, kept, params.threads, result); }, m_vectors.index());
    return result;
  }

  std::size_t size() const noexcept { return m_base.size(); }             ///< \returns vectors
  std::size_t dim() const noexcept { return m_base.dim(); }               ///< \returns coordinates of a vector
  pq_metric metric() const noexcept { return m_base.metric(); }           ///< \returns that of base()
  std::size_t depth() const noexcept { return m_base.depth() + 1; }       ///< \returns one more than that of base()
  const faiss_index& base() const noexcept { return m_base; }             ///< \returns what finds candidates
  const faiss_flat& vectors() const noexcept { return m_vectors; }        ///< \returns what ranks them
  float k_factor() const noexcept { return m_k_factor; }                  ///< \returns candidates, in multiples of k
  const faiss_reserved& reserved() const noexcept { return m_reserved; }  ///< \returns words of the header

 private:
  template <class Metric>
  static void rank(const flat_index<matrix<float>, Metric>& flat, matrix_view<float> queries, const neighbors& found,
                   std::size_t kept, std::size_t threads, neighbors& result) {
    constexpr std::size_t grain = 16;
    std::vector<top_k<float>> nearest(resolve_threads(threads), top_k<float>(kept));
    parallel_for(threads, queries.rows(), grain, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      for (std::size_t q = begin; q < end; ++q) {
        const prepared_query<Metric, float> distance(flat.metric(), queries.row(q).data(), flat.dim());
        nearest[worker].reset(kept);
        for (const id_type id : found.ids.row(q))
          if (id != no_id) nearest[worker].push(distance(flat.data().row(id).data()), id);
        std::size_t j = 0;
        for (const auto& c : nearest[worker].sorted()) {
          result.ids(q, j) = c.id;
          result.distances(q, j++) = distance_of(flat.metric(), c.rank);
        }
      }
    });
  }

  faiss_index m_base;
  faiss_flat m_vectors;
  float m_k_factor;
  faiss_reserved m_reserved;
};

inline const faiss_kind& faiss_index::kind() const noexcept { return *m_kind; }
template <std::same_as<run_params> Params>
neighbors faiss_index::search(matrix_view<float> queries, std::size_t k, const Params& params) const {
  return std::visit([&](const auto& index) { return index.search(queries, k, params); }, kind());
}
inline std::size_t faiss_index::size() const noexcept {
  return std::visit([](const auto& index) { return index.size(); }, kind());
}
inline std::size_t faiss_index::dim() const noexcept {
  return std::visit([](const auto& index) { return index.dim(); }, kind());
}
inline pq_metric faiss_index::metric() const noexcept {
  return std::visit([](const auto& index) { return index.metric(); }, kind());
}
inline std::size_t faiss_index::depth() const noexcept {
  return std::visit(
      [](const auto& index) {
        if constexpr (requires { index.depth(); }) return index.depth();
        else return std::size_t{1};
      },
      kind());
}

template <code_scalar Code>
std::optional<optimized_product_quantizer<Code>> faiss_pre_transform::optimized_quantizer() const {
  return std::visit(
      [&](const auto& base) -> std::optional<optimized_product_quantizer<Code>> {
        if constexpr (requires {
                        { base.quantizer() } -> std::same_as<const product_quantizer<Code>&>;
                      }) {
          if (m_bias.empty() && detail::is_rotation(m_matrix))
            return optimized_product_quantizer<Code>(m_matrix, base.quantizer());
        }
        return {};
      },
      m_base.kind());
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
