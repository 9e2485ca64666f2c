#pragma once

/// \file
/// The kinds of faiss indexes that hold vectors or codes themselves, as their files have them.

#include <annulus/knn/flat_index.hpp>
#include <annulus/quantization/fast_scan.hpp>

#include <bit>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// Two words that faiss writes into every header and ignores.
using faiss_reserved = std::array<std::int64_t, 2>;
/// These words as faiss writes them.
inline constexpr faiss_reserved faiss_reserved_default{1 << 20, 1 << 20};

namespace detail {

inline constexpr std::size_t faiss_max_nbits = 16;
inline constexpr std::size_t faiss_max_m = byte_table::max_m;
inline constexpr std::size_t faiss_max_dim = std::numeric_limits<std::int32_t>::max();

/// faiss's nbits of a quantiser. Throws std::invalid_argument where faiss has no such quantiser.
template <code_scalar Code>
std::size_t faiss_nbits(const product_quantizer<Code>& quantizer) {
  const std::size_t ks = quantizer.ks(), most = std::size_t{1} << faiss_max_nbits;
  if (quantizer.dim() == 0) invalid("quantizer's dim", quantizer.dim(), "it must be fitted first");
  if (ks < 2 || ks > most || !std::has_single_bit(ks)) invalid("ks", ks, "faiss needs a power of 2, from 2 to ", most);
  if (quantizer.metric() == pq_metric::cosine)
    invalid("metric", "cosine", "faiss has sqeuclidean and inner_product only");
  if (quantizer.m() > faiss_max_m) invalid("m", quantizer.m(), "must be at most ", faiss_max_m);
  if (quantizer.dim() != quantizer.m() * quantizer.ds())
    invalid("quantizer's dim", quantizer.dim(),
            "faiss has no padding, it must be m * ds = ", quantizer.m() * quantizer.ds());
  if (quantizer.dim() > faiss_max_dim) invalid("quantizer's dim", quantizer.dim(), "must be at most ", faiss_max_dim);
  return static_cast<std::size_t>(std::countr_zero(ks));
}

}  // namespace detail

/// The other fields of a file of an IndexPQ, beside quantiser and codes. Searches ignore them.
struct faiss_pq_fields {
  faiss_reserved reserved = faiss_reserved_default;  ///< of the header
  std::int32_t search_type = 0;                      ///< 0: by tables, as the searches here always are
  bool encode_signs = false;                         ///< of faiss's searches by Hamming distance
  std::optional<std::int32_t> polysemous_ht = {};    ///< absent: faiss's default, nbits * M + 1
};

/// An IndexPQ: a product quantiser and the codes of n vectors. Read from a file, Code is uint8 for nbits up to 8 and
/// uint16 up to 16. Searching is const and safe from any number of threads.
template <code_scalar Code>
class faiss_pq {
 public:
  /// \param quantizer is fitted \param codes n x m \param fields the rest \throws std::invalid_argument for what faiss
  /// does not have: a quantiser that is not fitted, ks other than a power of 2 from 2 to 65,536, the metric cosine,
  /// padding; for more than 65,536 sub-spaces, for codes of another m or not below ks, and for more than 2^32 - 2 of
  /// them.
  faiss_pq(product_quantizer<Code> quantizer, matrix<Code> codes, const faiss_pq_fields& fields = {})
      : m_quantizer(std::move(quantizer)),
        m_codes(std::move(codes)),
        m_nbits(detail::faiss_nbits(m_quantizer)),
        m_fields(fields) {
    detail::check_codes<Code>(m_codes, m_quantizer.m(), m_quantizer.ks());
    if (size() >= no_id) detail::invalid("codes", size(), "must stay below 2^32 - 1");
    if (!m_fields.polysemous_ht) m_fields.polysemous_ht = static_cast<std::int32_t>(m_nbits * m_quantizer.m() + 1);
  }

  /// As product_quantizer::search. \param queries q x dim() \param k at least 1 \param params threads \returns q x k
  /// ids and distances: squared L2, or minus the inner product that faiss reports \throws std::invalid_argument for k =
  /// 0 and another dimension
  neighbors search(matrix_view<float> queries, std::size_t k, const run_params& params = {}) const {
    return m_quantizer.search(m_codes, queries, k, {.threads = params.threads});
  }

  std::size_t size() const noexcept { return m_codes.rows(); }         ///< \returns vectors
  std::size_t dim() const noexcept { return m_quantizer.dim(); }       ///< \returns coordinates of a vector
  std::size_t nbits() const noexcept { return m_nbits; }               ///< \returns bits of one code: log2 ks
  pq_metric metric() const noexcept { return m_quantizer.metric(); }   ///< \returns sqeuclidean or inner_product
  const matrix<Code>& codes() const noexcept { return m_codes; }       ///< \returns n x m
  const faiss_pq_fields& fields() const noexcept { return m_fields; }  ///< \returns what the file has beside
  /// \returns the quantiser of the codes
  const product_quantizer<Code>& quantizer() const noexcept { return m_quantizer; }

 private:
  product_quantizer<Code> m_quantizer;
  matrix<Code> m_codes;
  std::size_t m_nbits;
  faiss_pq_fields m_fields;
};

/// The other fields of a file of an IndexPQFastScan, beside quantiser and codes. Searches ignore them.
struct faiss_fast_scan_fields {
  faiss_reserved reserved = faiss_reserved_default;  ///< of the header
  std::int32_t implem = 0;                           ///< faiss's implementation; 0: faiss chooses
  std::int32_t qbs = 0;                              ///< faiss's blocks of queries; 0: faiss chooses
};

/// An IndexPQFastScan, in blocks of 32 codes. Searching is const and safe from any number of threads.
class faiss_fast_scan {
 public:
  /// \param index of ks = 16 \param fields the rest \throws std::invalid_argument for what faiss does not have: ks
  /// other than 16, the metric cosine, padding
  explicit faiss_fast_scan(fast_scan_index<> index, const faiss_fast_scan_fields& fields = {})
      : m_index(std::move(index)), m_fields(fields) {
    if (detail::faiss_nbits(m_index.quantizer()) != 4)
      detail::invalid("ks", m_index.quantizer().ks(), "an IndexPQFastScan needs 16");
  }

  /// As fast_scan_index::search, by bytes. Codes often have equal sums of bytes; among these the lower id is first,
  /// which faiss does not guarantee. \param queries q x dim() \param k at least 1 \param params threads \returns q x k
  /// ids and distances: squared L2, or minus the inner product \throws std::invalid_argument for k = 0 and another
  /// dimension
  template <std::same_as<run_params> Params = run_params>  // compiled by programs that call it
  neighbors search(matrix_view<float> queries, std::size_t k, const Params& params = {}) const {
    return m_index.search(queries, k, {.threads = params.threads});
  }

  std::size_t size() const noexcept { return m_index.size(); }                ///< \returns vectors
  std::size_t dim() const noexcept { return m_index.dim(); }                  ///< \returns coordinates of a vector
  pq_metric metric() const noexcept { return m_index.quantizer().metric(); }  ///< \returns sqeuclidean or inner_product
  const fast_scan_index<>& index() const noexcept { return m_index; }  ///< \returns the codes and their quantiser
  const faiss_fast_scan_fields& fields() const noexcept { return m_fields; }  ///< \returns what the file has beside
  /// \returns the quantiser of the codes
  const product_quantizer<std::uint8_t>& quantizer() const noexcept { return m_index.quantizer(); }

 private:
  fast_scan_index<> m_index;
  faiss_fast_scan_fields m_fields;
};

/// An IndexFlat: the vectors themselves. Searching is const and safe from any number of threads.
class faiss_flat {
 public:
  /// Exact search under either metric.
  using index_type = std::variant<flat_index<matrix<float>, sqeuclidean>, flat_index<matrix<float>, inner_product>>;

  /// \param index the vectors \param reserved of the header \throws std::invalid_argument for dimension 0 or beyond
  /// int32
  explicit faiss_flat(index_type index, const faiss_reserved& reserved = faiss_reserved_default)
      : m_index(std::move(index)), m_reserved(reserved) {
    if (dim() == 0 || dim() > detail::faiss_max_dim)
      detail::invalid("dimension", dim(), "must be from 1 to ", detail::faiss_max_dim);
  }

  /// \param vectors n x dim, copied \param metric sqeuclidean or inner_product \param reserved of the header \throws
  /// std::invalid_argument also for the metric cosine, for rows with NaN or infinity, and for more than 2^32 - 2 of
  /// them.
  explicit faiss_flat(matrix_view<float> vectors, pq_metric metric = pq_metric::sqeuclidean,
                      const faiss_reserved& reserved = faiss_reserved_default)
      : faiss_flat(indexed(vectors, metric), reserved) {}

  /// As flat_index::search. \param queries q x dim() \param k at least 1 \param params threads \returns q x k ids and
  /// distances: squared L2, or minus the inner product that faiss reports \throws std::invalid_argument for k = 0 and
  /// another dimension
  template <std::same_as<run_params> Params = run_params>  // compiled by programs that call it
  neighbors search(matrix_view<float> queries, std::size_t k, const Params& params = {}) const {
    return std::visit([&](const auto& index) { return index.search(queries, k, {.threads = params.threads}); },
                      m_index);
  }

  std::size_t size() const noexcept { return vectors().rows(); }  ///< \returns vectors
  std::size_t dim() const noexcept { return vectors().cols(); }   ///< \returns coordinates of a vector
  /// \returns sqeuclidean or inner_product
  pq_metric metric() const noexcept { return m_index.index() == 0 ? pq_metric::sqeuclidean : pq_metric::inner_product; }
  const index_type& index() const noexcept { return m_index; }  ///< \returns the vectors, to be searched
  /// \returns n x dim
  const matrix<float>& vectors() const noexcept {
    return *std::visit([](const auto& index) { return &index.data(); }, m_index);
  }
  const faiss_reserved& reserved() const noexcept { return m_reserved; }  ///< \returns words of the header

 private:
  static index_type indexed(matrix_view<float> vectors, pq_metric metric) {
    if (metric == pq_metric::cosine)
      detail::invalid("metric", "cosine", "faiss has sqeuclidean and inner_product only");
    if (metric == pq_metric::sqeuclidean) return flat_index(vectors, sqeuclidean{});
    return flat_index(vectors, inner_product{});
  }

  index_type m_index;
  faiss_reserved m_reserved;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
