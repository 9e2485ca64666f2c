#pragma once

/// \file
/// Search of all rows by codes of a bit or a few a dimension and, of the rows that these rank first, by the rows
/// themselves (RaBitQ: Gao, Long 2024, arXiv 2405.12497, with the fast scan of its second version; more bits: Gao et
/// al. 2024, arXiv 2409.09913).

#include <annulus/core/metric/prepared_query.hpp>
#include <annulus/core/result/filter.hpp>
#include <annulus/core/result/result_rows.hpp>
#include <annulus/core/select/reservoir.hpp>
#include <annulus/core/select/top_k.hpp>
#include <annulus/quantization/rabitq_codes.hpp>
#include <annulus/quantization/rank_by_rows.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// How codes are searched.
struct rabitq_search_params {
  std::size_t k_factor = 16;        ///< k * k_factor candidates are ranked by the rows
  std::size_t threads = 0;          ///< 0: all cores
  id_filter filter = {};            ///< rows that may be returned
  progress_callback progress = {};  ///< of a search; returning false cancels
};

/// Codes of the leading principal directions of rows, of one bit each by default, relative to the centroid of each
/// row's k-means cell: far fewer bits than coordinates, and sharper ones. More bits find more before the rows are
/// asked, and are as many times the bytes to scan. A query looks up all codes, 32 at a time, but for blocks of rows
/// that the triangle inequality rules out; the rows themselves stay with the caller. Needs no training but that of the
/// directions and the cells. Owns the codes; moves and copies. Searching is const and safe from any number of threads.
class rabitq_index {
 public:
  using view_type = matrix_view<float>;                     ///< of rows and queries
  using search_params = rabitq_search_params;               ///< of its searches
  static constexpr std::string_view kind = "rabitq_index";  ///< in files

  /// Encodes rows. O(n dim (code_dims + n_cells) + dim^3), the last on one thread. \param rows n x dim; row i has id i
  /// \param params see there \throws std::invalid_argument for rows of no coordinates, a row with a NaN, an infinity or
  /// squares that overflow, bits not from 1 to 8, code_dims above dim or 6144, or 2^32 - 1 rows or more.
  explicit rabitq_index(matrix_view<float> rows, const rabitq_index_params& params = {})
      : m_metric(params.metric), m_dim(rows.cols()), m_size(rows.rows()) {
    if (m_dim == 0) detail::invalid("dimension", m_dim, "must be at least 1");
    if (params.bits < 1 || params.bits > 8) detail::invalid("bits", params.bits, "must be from 1 to 8");
    if (m_size >= no_id) detail::invalid("rows", m_size, "must be below 2^32 - 1");
    const std::size_t most = std::min(m_dim, detail::rabitq_codes::max_dims);
    if (params.code_dims > most) detail::invalid("code_dims", params.code_dims, "must be at most ", most);
    const thread_team team(params.threads);
    detail::check_norms(rows, "data", team);
    if (m_size == 0) return;
    matrix<float> normalized;
    if (m_metric == pq_metric::cosine) {
      normalized = matrix<float>(m_size, m_dim);
      for (std::size_t i = 0; i < m_size; ++i) detail::copy_row(rows.row(i), true, normalized.row(i).data());
      rows = normalized;
    }
    m_codes = detail::rabitq_codes(rows, params, team);
  }

  /// The k nearest rows of each query (sqeuclidean, inner_product: the negative product, or cosine: 1 - cos) among the
  /// k * k_factor whose codes estimate the least distance, ranked by the rows themselves. The order of estimates is
  /// what counts, not their size: the directions that codes leave out shift those of all near rows alike. Where k *
  /// k_factor >= size(), and for queries whose squares overflow, all rows are compared. Rows at a distance that is not
  /// finite are left out. O(n code_dims) a query. Parallel over queries; the same bits for every number of threads and
  /// in every batch. \param queries q x dim; one with a NaN or an infinity gets no neighbours \param k at least 1
  /// \param rows size() x dim(): row i is that of id i \param params see there \returns q x k, nearest first, ties by
  /// id, padded with no_id and +infinity \throws std::invalid_argument for k = 0, k_factor = 0, queries of another
  /// dimension, and rows of another shape \throws annulus::cancelled where the progress callback returns false.
  neighbors search(matrix_view<float> queries, std::size_t k, matrix_view<float> rows,
                   const rabitq_search_params& params = {}) const {
    if (k == 0) detail::invalid("k", k, "must be at least 1");
    if (queries.rows() > 0 && queries.cols() != m_dim)
      detail::invalid("dimension", queries.cols(), "must equal the index's ", m_dim);
    detail::check_rows_of_codes(rows, m_size, m_dim, params.k_factor);
    return detail::with_row_metric(m_metric,
                                   [&](const auto& metric) { return search_rows(metric, queries, k, rows, params); });
  }

  std::size_t size() const noexcept { return m_size; }                ///< \returns how many rows it encodes
  std::size_t dim() const noexcept { return m_dim; }                  ///< \returns coordinates of a row
  unsigned bits() const noexcept { return m_codes.cells().bits(); }   ///< \returns bits of a dimension of codes
  std::size_t code_dims() const noexcept { return m_codes.dims(); }   ///< \returns dimensions of codes
  std::size_t n_cells() const noexcept { return m_codes.n_cells(); }  ///< \returns k-means cells
  pq_metric metric() const noexcept { return m_metric; }              ///< \returns that of searches
  /// \returns bytes of the codes with what belongs to them, and of the map and the centroids.
  std::size_t memory_bytes() const noexcept { return m_codes.memory_bytes(); }

 private:
  static constexpr std::size_t nearest_cells = 16;      ///< that a search may begin with
  static constexpr std::size_t most_ranked_first = 64;  ///< rows that bound the distance of the k-th

  /// The scratch of a thread.
  struct scratch {
    explicit scratch(const rabitq_index& index) : tables(index.code_dims()), order(index.n_cells()) {}
    detail::rabitq_tables<> tables;
    std::vector<std::pair<float, std::uint32_t>> order;  ///< cells by what they add to ranks
    detail::reservoir<float> found;                      ///< rows by their estimates
    std::vector<candidate<float>> candidates;
    std::vector<id_type> ranked;  ///< rows that `best` has been given already
    top_k<float> best{1};
  };

  template <class Metric>
  neighbors search_rows(const Metric& metric, matrix_view<float> queries, std::size_t k, matrix_view<float> rows,
                        const rabitq_search_params& params) const {
    constexpr std::size_t together = 12;
    neighbors result(queries.rows(), k);
    const std::size_t kept = std::min(k, m_size), count = detail::n_to_rank(k, params.k_factor, m_size);
    const thread_team team(params.threads);
    std::vector<scratch> scratches;
    for (std::size_t i = 0; count > 0 && i < team.size(); ++i) scratches.emplace_back(*this);
    const std::size_t grain = std::min(together, queries.rows() / team.size() + 1);
    parallel_for(
        team, count > 0 ? queries.rows() : 0, grain,
        [&](std::size_t begin, std::size_t end, std::size_t worker) {
          scratch& s = scratches[worker];
          matrix<float> centred(end - begin, m_dim), products(end - begin, m_codes.projected());
          for (std::size_t i = begin; i < end; ++i) {
            detail::copy_row(queries.row(i), m_metric == pq_metric::cosine, centred.row(i - begin).data());
            m_codes.centre(centred.row(i - begin).data());
          }
          m_codes.project(centred, products.data());
          for (std::size_t i = begin; i < end; ++i) {
            if (!detail::all_finite(queries.row(i))) continue;
            const prepared_query<Metric, float> rank(metric, queries.row(i).data(), m_dim);
            s.best.reset(kept);
            const float length_square = m_codes.square(centred.row(i - begin).data());
            if (count == m_size || !detail::is_finite(length_square) ||
                !detail::all_finite(std::as_const(products).row(i - begin)))
              rank_all(rank, rows, params.filter, s.best);
            else search_one(rank, products.row(i - begin), length_square, count, kept, rows, params.filter, s);
            detail::write_row(s.best.sorted(), result, i, [&](float r) { return distance_of(metric, r); });
          }
        },
        params.progress, "rabitq");
    return result;
  }

  template <class Rank>
  void rank_all(const Rank& rank, matrix_view<float> rows, const id_filter& filter, top_k<float>& best) const {
    for (std::size_t i = 0; i < m_size; ++i)
      if (const auto id = static_cast<id_type>(i); filter(id)) best.push(rank(rows.row(i).data()), id);
  }

  template <class Rank>
  void search_one(const Rank& rank, std::span<const float> products, float length_square, std::size_t count,
                  std::size_t kept, matrix_view<float> rows, const id_filter& filter, scratch& s) const {
    const detail::rabitq_cells& cells = m_codes.cells();
    s.tables.prepare(products.data());
    const bool is_dot = m_metric == pq_metric::inner_product;
    for (std::size_t c = 0; c < n_cells(); ++c)
      s.order[c] = {m_codes.term(products, length_square, c), static_cast<std::uint32_t>(c)};
    const auto first_end = s.order.begin() + static_cast<std::ptrdiff_t>(std::min(nearest_cells, n_cells()));
    std::partial_sort(s.order.begin(), first_end, s.order.end());

    const std::size_t capacity = 3 * count + detail::rabitq_cells::block;
    s.found.reset(capacity);
    float limit = std::numeric_limits<float>::max();
    const auto found = [&](float estimate, id_type id) {
      if (!(estimate <= limit) || id >= m_size || !filter(id)) return;
      s.found.append(estimate, id);
      if (s.found.size() == capacity) limit = s.found.cut(count).rank;
    };
    std::size_t scanned = 0;
    auto next = s.order.begin();
    for (; next != first_end && scanned < 2 * count; ++next) {
      const auto [term, cell] = *next;
      cells.scan(s.tables, cells.first_block(cell), cells.last_block(cell), term, limit, found);
      scanned += (cells.last_block(cell) - cells.first_block(cell)) * detail::rabitq_cells::block;
    }
    // The best so far bound the distance of the k-th, whatever the estimates of the rows that this rules out.
    s.ranked.clear();
    const float radius = is_dot ? std::numeric_limits<float>::max() : radius_of(rank, kept, rows, s);
    for (; next != s.order.end(); ++next) {
      const auto [term, cell] = *next;
      auto blocks = std::pair(cells.first_block(cell), cells.last_block(cell));
      if (!is_dot) {
        const float distance = detail::sqrt(term);
        const float slack =
            radius + 1e-3f * detail::sqrt(length_square + m_codes.square_of(cell));  // roundings of `term`
        blocks = cells.blocks_between(cell, distance - slack, distance + slack);
      }
      cells.scan(s.tables, blocks.first, blocks.second, term, limit, found);
      if (s.found.size() > count + count / 2) limit = s.found.cut(count).rank;
    }
    if (s.found.size() > count) s.found.cut(count);
    s.found.copy_to(s.candidates);
    const auto is_ranked = [&](const auto& c) { return std::ranges::find(s.ranked, c.id) != s.ranked.end(); };
    s.candidates.erase(std::remove_if(s.candidates.begin(), s.candidates.end(), is_ranked), s.candidates.end());
    detail::rank_by_rows(rank, s.candidates, rows, s.best);
  }

  /// Ranks the rows that estimates rank first, as many as are looked for, and returns the distance of the last of them
  /// in the space of the codes.
  template <class Rank>
  float radius_of(const Rank& rank, std::size_t kept, matrix_view<float> rows, scratch& s) const {
    if (kept > most_ranked_first || s.found.size() < kept) return std::numeric_limits<float>::max();
    s.found.copy_to(s.candidates);
    std::nth_element(s.candidates.begin(), s.candidates.begin() + static_cast<std::ptrdiff_t>(kept - 1),
                     s.candidates.end());
    s.candidates.resize(kept);
    detail::rank_by_rows(rank, s.candidates, rows, s.best);
    for (const auto& c : s.candidates) s.ranked.push_back(c.id);
    const float kth = s.best.threshold();
    if (!(kth < std::numeric_limits<float>::max())) return kth;
    return detail::sqrt(m_metric == pq_metric::cosine ? 2 * kth : kth);  // 1 - cos is |a - b|^2 / 2 of unit vectors
  }

  friend detail::persistence;
  explicit rabitq_index(detail::unfilled) {}

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive.choice("metric", self.m_metric, {"l2", "dot", "cosine"});
    archive("dim", self.m_dim);
    archive("size", self.m_size);
    archive.expect(self.m_dim > 0 && self.m_size < no_id, "has no dimension, or 2^32 - 1 rows or more");
    if (self.m_size == 0) return;
    detail::rabitq_codes::persist_fields(self.m_codes, archive, self.m_metric == pq_metric::inner_product, self.m_dim);
  }
  std::string defect() const { return m_size == 0 ? std::string() : m_codes.defect(m_size); }

  pq_metric m_metric = pq_metric::sqeuclidean;
  std::size_t m_dim = 0, m_size = 0;
  detail::rabitq_codes m_codes;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
