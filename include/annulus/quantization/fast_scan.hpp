#pragma once

/// \file
/// Search over product-quantisation codes by tables rounded to bytes ("fast scan": André, Kermarrec and Le Scouarnec,
/// VLDB 2015; faiss's IndexPQFastScan), in place of tables of floats.

#include <annulus/core/base/parallel.hpp>
#include <annulus/core/metric/prepared_query.hpp>
#include <annulus/core/result/result_rows.hpp>
#include <annulus/quantization/product_quantizer.hpp>
#include <annulus/quantization/rank_by_rows.hpp>
#include <annulus/quantization/scan/byte_table_search.hpp>
#include <annulus/quantization/scan/scan_4_bits.hpp>
#include <annulus/quantization/scan/scan_8_bits.hpp>

#include <variant>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// How codes are searched.
struct fast_scan_params {
  bool float_tables = false;        ///< rank by tables of floats; else by these rounded to bytes, where that suffices
  std::size_t k_factor = 4;         ///< k * k_factor candidates are ranked by the rows, where rows are given
  std::size_t threads = 0;          ///< 0: all cores
  id_filter filter = {};            ///< rows that may be returned
  progress_callback progress = {};  ///< of a search; returning false cancels
};

/// The codes of vectors under a fitted quantiser of at most 256 codewords a sub-space, for searches of all codes. Up to
/// 16 codewords (4 bits) a code takes m / 2 bytes, up to 256 it takes m. Tables are held in registers where the build
/// can look bytes up there: those for 4 bits with SSSE3, AVX2 or AVX-512, those for 8 bits with AVX-512 VBMI. Other
/// builds look up tables in memory for 8 or 16 queries at once, to the same results; there a query alone takes as long
/// as a few together. Owns the quantiser and the codes; moves and copies. Searching is const and safe from any number
/// of threads.
///
/// Quantizer: product_quantizer<std::uint8_t> or optimized_product_quantizer<std::uint8_t>.
template <class Quantizer = product_quantizer<std::uint8_t>>
class fast_scan_index {
 public:
  using view_type = matrix_view<float>;                        ///< of vectors and queries
  using search_params = fast_scan_params;                      ///< of its searches
  static constexpr std::string_view kind = "fast_scan_index";  ///< in files

  /// An empty index. \param quantizer fitted \throws std::invalid_argument for a quantiser that is not fitted, or of
  /// more than 65,536 sub-spaces.
  explicit fast_scan_index(Quantizer quantizer)
      : m_quantizer(std::move(quantizer)), m_codes(empty_codes(m_quantizer)) {}

  /// Encodes vectors. O(n dim ks). \param quantizer fitted \param vectors n x dim \param params threads
  /// \throws std::invalid_argument as the other constructor and insert do.
  fast_scan_index(Quantizer quantizer, matrix_view<float> vectors, const run_params& params = {})
      : fast_scan_index(std::move(quantizer)) {
    insert(vectors, params);
  }

  /// Adds codes. O(n m). Nothing changes where it throws. \param codes n x m \returns the id of the first; the others
  /// follow \throws std::invalid_argument for another m, a code >= ks, or 2^32 - 1 codes or more in all.
  id_type insert_codes(matrix_view<std::uint8_t> codes) {
    detail::check_codes(codes, m_quantizer.m(), m_quantizer.ks());
    if (codes.rows() >= no_id - size()) detail::invalid("codes", codes.rows(), "must stay below 2^32 - 1 in all");
    const auto first = static_cast<id_type>(size());
    std::visit([&](auto& blocks) { blocks.append(codes); }, m_codes);
    return first;
  }

  /// Encodes vectors and adds their codes. \param vectors n x dim \param params threads \returns the id of the first;
  /// the others follow \throws std::invalid_argument as insert_codes and the quantiser's encode do.
  id_type insert(matrix_view<float> vectors, const run_params& params = {}) {
    return insert_codes(m_quantizer.encode(vectors, params));
  }

  /// The k nearest codes of each query, by the distance of the query to the decoded code in the quantiser's metric
  /// (sqeuclidean: the squared distance; inner_product: the negative product; cosine: 1 - cos), read from a table of m
  /// x ks floats a query. These are rounded to bytes, and a distance is then off by up to m / 2 of 1/255 of the widest
  /// sub-space's range; with float_tables the codes that the rounding leaves in doubt are ranked by the floats: the
  /// result is that of adding up the floats for all codes, in the order of the sub-spaces. A query whose bytes cannot
  /// tell near codes apart, since most sub-spaces are far narrower than the widest, is ranked by floats in any case:
  /// two to four times as slow. This happens with rotations to principal axes that are not balanced, and with codewords
  /// of outliers. O(n m) a query. Parallel over blocks of queries; the same bits for every number of threads and in
  /// every batch. \param queries q x dim; one with a NaN or an infinity gets no neighbours \param k at least 1
  /// \param params see there \returns q x k, nearest first, ties by id, padded with no_id and +infinity
  /// \throws std::invalid_argument for k = 0 or queries of another dimension \throws annulus::cancelled where the
  /// progress callback returns false.
  neighbors search(matrix_view<float> queries, std::size_t k, const fast_scan_params& params = {}) const {
    check(queries, k);
    neighbors result(queries.rows(), k);
    run(queries, std::min(k, size()), params, [&](auto& scan, std::size_t added, std::size_t i, std::size_t) {
      detail::write_row(scan.sorted(added), result, i, [&](auto rank) { return scan.distance(added, rank); });
    });
    return result;
  }

  /// The same, but the k * k_factor nearest by their codes are ranked by the vectors themselves. Distances are those of
  /// sqeuclidean, inner_product and cosine; rows at a distance that is NaN or infinite are left out.
  /// \param queries,k,params as above \param rows size() x dim(); row i is that of id i \returns as above
  /// \throws std::invalid_argument also for k_factor = 0 and rows of another shape.
  neighbors search(matrix_view<float> queries, std::size_t k, matrix_view<float> rows,
                   const fast_scan_params& params = {}) const {
    check(queries, k);
    detail::check_rows_of_codes(rows, size(), dim(), params.k_factor);
    return detail::with_row_metric(m_quantizer.metric(),
                                   [&](const auto& metric) { return search_rows(metric, queries, k, rows, params); });
  }

  /// \returns how many codes it holds.
  std::size_t size() const noexcept {
    return std::visit([](const auto& blocks) { return blocks.size(); }, m_codes);
  }
  std::size_t dim() const noexcept { return m_quantizer.dim(); }  ///< \returns coordinates of a vector
  /// \returns bytes of the codes.
  std::size_t memory_bytes() const noexcept {
    return std::visit([](const auto& blocks) { return blocks.memory_bytes(); }, m_codes);
  }
  const Quantizer& quantizer() const noexcept { return m_quantizer; }  ///< \returns the quantiser

  /// A part of a code. \param i an id, below size() \param m the number of a sub-space \returns the number of its
  /// codeword \throws std::invalid_argument for i >= size() or m >= quantizer().m().
  std::uint8_t code(std::size_t i, std::size_t m) const {
    if (i >= size()) detail::invalid("i", i, "must be below size() = ", size());
    if (m >= m_quantizer.m()) detail::invalid("m", m, "must be below the quantiser's ", m_quantizer.m());
    return std::visit([=](const auto& blocks) { return blocks.code(i, m); }, m_codes);
  }

  /// \returns all codes, size() x m \throws std::bad_alloc
  matrix<std::uint8_t> codes() const {
    return std::visit([](const auto& blocks) { return detail::unpack_codes(blocks); }, m_codes);
  }

 private:
  using code_blocks = std::variant<detail::blocks_4_bits<>, detail::blocks_8_bits>;

  static code_blocks empty_codes(const Quantizer& quantizer) {
    if (quantizer.m() > detail::byte_table::max_m)
      detail::invalid("m", quantizer.m(), "must be at most ", detail::byte_table::max_m);
    if (quantizer.dim() == 0) detail::invalid("quantizer's dim", quantizer.dim(), "it must be fitted first");
    if (quantizer.ks() <= 16) return detail::blocks_4_bits<>(quantizer.m());
    return detail::blocks_8_bits(quantizer.m());
  }

  void check(matrix_view<float> queries, std::size_t k) const {
    if (k == 0) detail::invalid("k", k, "must be at least 1");
    if (queries.rows() > 0 && queries.cols() != dim())
      detail::invalid("dimension", queries.cols(), "must equal the quantiser's ", dim());
  }

  /// Queries that are searched for together, with their numbers.
  template <class Blocks, class Rank>
  struct query_block {
    detail::byte_table_search<Blocks, Rank> scan;
    std::vector<std::size_t> numbers = {};

    void clear() noexcept {
      scan.clear();
      numbers.clear();
    }
    bool add(matrix_view<float> table, bool mirrored, std::size_t number) {
      if (!scan.add(table, mirrored)) return false;
      numbers.push_back(number);
      return true;
    }
    template <class Take>
    void run(const Take& take, std::size_t worker) {
      if (numbers.empty()) return;
      scan.run();
      for (std::size_t j = 0; j < numbers.size(); ++j) take(scan, j, numbers[j], worker);
    }
  };

  /// Finds the `count` nearest codes of every query and calls take(scan, added, i, worker) for query i, whose
  /// candidates are scan.sorted(added).
  template <class Take>
  void run(matrix_view<float> queries, std::size_t count, const fast_scan_params& params, Take take) const {
    if (count == 0) return detail::report(params.progress, "fast_scan", 1.0);
    std::visit([&](const auto& blocks) { run_blocks(blocks, queries, count, params, take); }, m_codes);
  }

  template <class Blocks, class Take>
  void run_blocks(const Blocks& blocks, matrix_view<float> queries, std::size_t count, const fast_scan_params& params,
                  const Take& take) const {
    using by_bytes = query_block<Blocks, std::uint32_t>;
    using by_floats = query_block<Blocks, float>;
    const std::size_t workers = resolve_threads(params.threads);
    const std::size_t grain = std::min(decltype(by_bytes::scan)::queries_at_once, queries.rows() / workers + 1);
    std::vector<by_bytes> bytes(workers, by_bytes{{blocks, count, params.filter}});
    std::vector<by_floats> floats(workers, by_floats{{blocks, count, params.filter}});
    parallel_for(
        workers, queries.rows(), grain,
        [&](std::size_t begin, std::size_t end, std::size_t worker) {
          bytes[worker].clear();
          floats[worker].clear();
          for (std::size_t i = begin; i < end; ++i) {
            if (!detail::all_finite(queries.row(i))) continue;
            const distance_table table = m_quantizer.dtable(queries.row(i));
            const bool is_dot = table.metric() == pq_metric::inner_product;
            const matrix<float> negative = is_dot ? negated(table.values()) : matrix<float>();
            const matrix_view<float> less_is_nearer = is_dot ? negative : table.values();
            if (params.float_tables || !bytes[worker].add(less_is_nearer, is_dot, i))
              floats[worker].add(less_is_nearer, is_dot, i);
          }
          bytes[worker].run(take, worker);
          floats[worker].run(take, worker);
        },
        params.progress, "fast_scan");
  }

  static matrix<float> negated(matrix<float> values) {
    for (std::size_t i = 0; i < values.rows(); ++i)
      for (float& x : values.row(i)) x = -x;
    return values;
  }

  template <class Metric>
  neighbors search_rows(const Metric& metric, matrix_view<float> queries, std::size_t k, matrix_view<float> rows,
                        const fast_scan_params& params) const {
    neighbors result(queries.rows(), k);
    const std::size_t kept = std::min(k, size()), count = detail::n_to_rank(k, params.k_factor, size());
    if (count == 0) {
      detail::report(params.progress, "fast_scan", 1.0);
      return result;
    }
    std::vector<top_k<float>> nearest(resolve_threads(params.threads), top_k<float>(kept));
    run(queries, count, params, [&](auto& scan, std::size_t added, std::size_t i, std::size_t worker) {
      const prepared_query<Metric, float> rank(metric, queries.row(i).data(), dim());
      const auto candidates = scan.sorted(added);
      auto& best = nearest[worker];
      best.reset(kept);
      detail::rank_by_rows(rank, candidates, rows, best);
      detail::write_row(best.sorted(), result, i, [&](float r) { return distance_of(metric, r); });
    });
    return result;
  }

  friend detail::persistence;
  explicit fast_scan_index(detail::unfilled)
      : m_quantizer(detail::persistence::make<Quantizer>()), m_codes(detail::blocks_4_bits<>(1)) {}

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive.constant("quantizer", Quantizer::kind);
    archive.part("quantizer", self.m_quantizer);
    if constexpr (Archive::is_loading) archive.rebuild([&] { self.m_codes = empty_codes(self.m_quantizer); });
    std::visit([&](auto& blocks) { archive.part("codes", blocks); }, self.m_codes);
    archive.expect(self.size() < no_id, "has 2^32 - 1 codes or more");
  }
  std::string defect() const {
    const auto of_blocks = [&](const auto& blocks) { return blocks.defect(m_quantizer.ks()); };
    return detail::defect_of("codes", std::visit(of_blocks, m_codes));
  }

  Quantizer m_quantizer;
  code_blocks m_codes;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
