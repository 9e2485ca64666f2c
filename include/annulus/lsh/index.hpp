#pragma once

/// \file
/// lsh_index: approximate nearest neighbours by locality-sensitive hashing.

#include <annulus/core/metric/protocol_checks.hpp>
#include <annulus/lsh/function_sample.hpp>
#include <annulus/lsh/hashed_rows.hpp>
#include <annulus/lsh/query_blocks.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// Finds rows of Points by hash tables in which near rows share buckets (Indyk, Motwani 1998). Points is a matrix<T>,
/// a bit_matrix, or a csr_matrix<T>; the family determines the metric. Owns a copy of the rows, unless only_index. Can
/// be moved and copied.
///
/// Any number of threads may search at once; insert, erase, update and compact must not run beside anything else. Where
/// these throw, also std::bad_alloc, nothing has changed. Answers depend on data, parameters and query alone, not on
/// threads or the batch. A row keeps its id: the rows of the constructor count from 0, then those inserted, in order.
template <class Points, class Family>
class lsh_index {
  static_assert(!detail::nested_rows<Points>,
                "annulus: rows must be one contiguous block, which a vector of vectors is not: copy it into a "
                "matrix<float>(n, d), or pass a matrix_view, a row-major Eigen matrix or a csr_matrix");
  static_assert(detail::names_its_metric<Family>,
                "annulus: lsh_index takes a family of hash functions, not a metric: sign_random_projection or "
                "cross_polytope for cosine, p_stable_l2 for euclidean, p_stable_l1 for manhattan, "
                "simple_mips for inner_product, bit_sampling for bit_hamming, minhash for jaccard");
  static_assert(detail::nested_rows<Points> || !detail::names_its_metric<Family> ||
                    hash_family<Family, detail::view_of<Points>>,
                "annulus: this family does not take these rows: minhash takes a csr_matrix, bit_sampling a bit_matrix, "
                "the others matrices of float or double");

  friend detail::persistence;
  explicit lsh_index(detail::unfilled) : lsh_index(1, Family(), {.n_projections = 1, .n_tables = 1}) {}

  using rows_type = detail::hashed_rows<Points>;
  using store_type = typename rows_type::store_type;
  using row_type = typename store_type::row_type;
  using hasher_type = hasher_t<Family, typename store_type::view_type>;
  using searcher_type = detail::lsh_searcher<Points, Family>;

 public:
  using view_type = typename store_type::view_type;      ///< of rows and queries: matrix_view<T> or csr_view<T>
  using search_params = lsh_search_params;               ///< of its searches
  using metric_type = typename Family::metric;           ///< the family's
  static constexpr std::string_view kind = "lsh_index";  ///< in files
  /// What one thread needs to search; kept from query to query.
  using search_scratch = detail::lsh_scratch<Points, Family>;

  /// Sorts rows into the buckets of all tables: O(n d n_tables n_projections) for families of projections. Memory: the
  /// rows, and for each row 8 bytes and at most 6 bytes a table. \param data n x d, copied \param family fitted to data
  /// where it has to be \param params see there \throws std::invalid_argument for d = 0, n_projections = 0, n_tables =
  /// 0, a row with a NaN or an infinity, 2^32 - 1 rows or more, and what the family refuses.
  template <std::convertible_to<view_type> D>
  explicit lsh_index(const D& data, Family family = {}, const lsh_params& params = {})
      : lsh_index(view_type(data).dim(),
                  detail::fitted(detail::told_of_bits(std::move(family), data), view_type(data), params), params) {
    detail::check_is_point_set<D>();
    insert(data);
  }

  /// An empty index. A family that is fitted to data is fitted to the first rows inserted. \param dim coordinates of a
  /// row \param family,params as above \throws std::invalid_argument as above.
  explicit lsh_index(std::size_t dim, Family family = {}, const lsh_params& params = {})
      : m_dim(dim),
        m_family(std::move(family)),
        m_params(detail::checked(params, dim)),
        m_hasher(make_hasher()),
        m_rows(dim, params),
        m_usual_distance(detail::usual_distance(m_hasher)) {}

  /// The k nearest rows of each query among those in the buckets looked into. \param queries m x d; one with a NaN or
  /// an infinity gets no neighbours \param k at least 1 \param params see there \param stats receives the mean cost of
  /// a query, unless null \returns m x k ids and exact distances (floats), nearest first, ties by lower id, padded with
  /// no_id and +infinity where fewer were found, as where the buckets ran out \throws std::invalid_argument for k = 0,
  /// another dimension, recall_target outside (0, 1], or an only_index index.
  neighbors search(const view_type& queries, std::size_t k, const lsh_search_params& params = {},
                   lsh_search_stats* stats = nullptr) const {
    detail::check_k(k);
    check_search(queries.size() > 0 ? queries.dim() : m_dim, params);
    detail::checked_product(queries.size(), k, "queries * k");
    neighbors result(queries.size(), k);
    const auto searcher = this->searcher();
    const auto find = [&](std::size_t i, const auto* values, search_scratch& s) {
      searcher.find(values, queries.row(i), result.ids.row(i), result.distances.row(i), params, s);
    };
    const auto scratch = detail::over_queries<search_scratch>(m_hasher, queries, params.threads, find);
    if (stats != nullptr) *stats = detail::mean_lsh_stats(scratch, queries.size());
    return result;
  }

  /// The same for one query. Allocates nothing once the scratch has grown to what such a query needs. \param query 1 x
  /// d \param ids,distances receive the k = ids.size() = distances.size() nearest \param scratch of one thread
  /// \param params all but `threads` \throws std::invalid_argument as above, or where the spans differ in size.
  void search(const view_type& query, std::span<id_type> ids, std::span<float> distances, search_scratch& scratch,
              const lsh_search_params& params = {}) const {
    detail::check_k(ids.size());
    check_search(query.dim(), params);
    if (ids.size() != distances.size())
      detail::invalid("distances size", distances.size(), "must equal ids size = ", ids.size());
    std::ranges::fill(ids, no_id);
    std::ranges::fill(distances, std::numeric_limits<float>::infinity());
    if (!project(query, scratch)) return;
    searcher().find(scratch.values.data(), query.row(0), ids, distances, params, scratch);
  }

  /// \returns scratch for the searches of one thread \throws std::bad_alloc
  search_scratch make_scratch() const { return {}; }

  /// All rows at most `radius` from each query among those in the buckets looked into. With a recall_target each row
  /// within is found with at least that probability; with a target of 1 all are. \param queries m x d; one with a NaN
  /// or an infinity gets none \param radius a distance: under inner products minus the product \param params,stats as
  /// above \returns m x (ids given out so far), with exact distances, each row nearest first, ties by lower id
  /// \throws std::invalid_argument for a NaN radius, 2^31 ids or more, and as search does.
  csr radius_search(const view_type& queries, float radius, const lsh_search_params& params = {},
                    lsh_search_stats* stats = nullptr) const {
    check_search(queries.size() > 0 ? queries.dim() : m_dim, params);
    detail::check_radius(radius);
    std::vector<std::vector<candidate<float>>> found(queries.size());
    const auto searcher = this->searcher();
    const auto find = [&](std::size_t i, const auto* values, search_scratch& s) {
      searcher.find_within(values, queries.row(i), radius, params, s);
      found[i].reserve(s.within.size());
      for (const auto& c : s.within) found[i].push_back({distance_of(metric_type{}, c.rank), c.id});
    };
    const auto scratch = detail::over_queries<search_scratch>(m_hasher, queries, params.threads, find);
    if (stats != nullptr) *stats = detail::mean_lsh_stats(scratch, queries.size());
    return detail::to_csr(found, n_ids());
  }

  /// The same for one query. Allocates for ids and distances alone once the scratch has grown. \param query 1 x d
  /// \param radius,scratch,params as above \param ids,distances are replaced \throws std::invalid_argument as above,
  /// but for the number of ids.
  void radius_search(const view_type& query, float radius, std::vector<id_type>& ids, std::vector<float>& distances,
                     search_scratch& scratch, const lsh_search_params& params = {}) const {
    check_search(query.dim(), params);
    detail::check_radius(radius);
    ids.clear();
    distances.clear();
    if (!project(query, scratch)) return;
    searcher().find_within(scratch.values.data(), query.row(0), radius, params, scratch);
    for (const auto& c : scratch.within) {
      ids.push_back(c.id);
      distances.push_back(distance_of(metric_type{}, c.rank));
    }
  }

  /// The rows in the buckets looked into; also for an only_index index. With more than one probe a table, the buckets
  /// may differ from those of a search, which orders them by the distances of what it found. \param queries m x d
  /// \param params see there; recall_target is ignored \param stats as above \returns for each query rows with the
  /// number of these buckets that they are in \throws std::invalid_argument for another dimension.
  std::vector<lsh_candidates> candidates(const view_type& queries, lsh_search_params params = {},
                                         lsh_search_stats* stats = nullptr) const {
    if (queries.size() > 0) check_dim(queries.dim());
    params.recall_target.reset();
    std::vector<lsh_candidates> result(queries.size());
    const auto searcher = this->searcher();
    const auto find = [&](std::size_t i, const auto* values, search_scratch& s) {
      result[i] = searcher.collisions(values, params, s);
    };
    const auto scratch = detail::over_queries<search_scratch>(m_hasher, queries, params.threads, find);
    if (stats != nullptr) *stats = detail::mean_lsh_stats(scratch, queries.size());
    return result;
  }

  /// Adds rows. \param rows m x dim() \returns the id of the first; the others follow \throws std::invalid_argument for
  /// another dimension, a row with a NaN or an infinity, or 2^32 - 1 ids or more.
  id_type insert(const view_type& rows) {
    const thread_team team(m_params.threads);
    check_rows(rows, team);
    if (rows.size() >= no_id - n_ids())
      detail::invalid("rows", rows.size(), "an index gives out fewer than 2^32 - 1 ids");
    if (rows.size() > 0 && detail::needs_rows(m_family)) {  // the first rows
      *this = lsh_index(rows, m_family, m_params);
      return 0;
    }
    return m_rows.insert(m_hasher, rows, team);
  }

  /// Erases a row. The next compact() frees its memory; erase calls it once a fifth of all rows are erased. \param id
  /// of the row \throws std::invalid_argument for an id that is not in the index.
  void erase(id_type id) {
    check_id(id);
    m_rows.erase(id, m_params.threads);
  }

  /// Gives an id another row. \param id its \param row 1 x dim() \throws std::invalid_argument as insert and erase do.
  void update(id_type id, const view_type& row) {
    check_id(id);
    if (row.size() != 1) detail::invalid("rows", row.size(), "must be one");
    const thread_team team(m_params.threads);
    check_rows(row, team);
    m_rows.update(m_hasher, id, row, team);
  }

  /// Sorts inserted rows into the tables and frees the memory of erased ones, as if the index were built of its rows;
  /// ids stay. \throws std::bad_alloc
  void compact() { m_rows.compact(m_params.threads); }

  /// The sizes of buckets, in O(n n_tables log n). \returns their statistics \throws std::bad_alloc
  bucket_statistics describe() const { return m_rows.describe(); }

  std::size_t size() const noexcept { return m_rows.ids().n_alive(); }  ///< \returns rows that were not erased
  std::size_t n_ids() const noexcept { return m_rows.ids().n_ids(); }   ///< \returns ids given out so far
  std::size_t dim() const noexcept { return m_dim; }                    ///< \returns coordinates of a row
  const Family& family() const noexcept { return m_family; }            ///< \returns the family, fitted
  const lsh_params& params() const noexcept { return m_params; }        ///< \returns what it was built with
  /// How likely rows share a table's bucket. \param distance theirs \returns 0 to 1 \throws std::exception of a hasher.
  double collision_probability(double distance) const { return m_hasher.collision_probability(distance); }
  /// \returns bytes of rows, tables and functions.
  std::size_t memory_bytes() const noexcept { return m_rows.memory_bytes() + m_hasher.memory_bytes(); }

 private:
  hasher_type make_hasher() const {
    const Family family = detail::needs_rows(m_family) ? detail::any_family<Family, view_type>() : m_family;
    return family.template make_hasher<view_type>(m_dim, m_params.n_projections, m_params.n_tables, m_params.seed);
  }

  void check_dim(std::size_t dim) const {
    if (dim != m_dim) detail::invalid("dimension", dim, "must equal the index's ", m_dim);
  }
  void check_search(std::size_t dim, const lsh_search_params& params) const {
    if (m_params.only_index)
      detail::invalid("only_index", true, "this index keeps no rows: call candidates, or build it without only_index");
    check_dim(dim);
    detail::check(params);
  }
  void check_rows(const view_type& rows, const thread_team& team) const {
    if (rows.size() > 0) check_dim(rows.dim());
    store_type::check(rows, team);
  }
  void check_id(id_type id) const {
    if (!m_rows.ids().holds(id)) detail::invalid("id", id, "is not in the index");
  }

  /// Computes the values of one query into the scratch; returns false for one that is not finite.
  bool project(const view_type& query, search_scratch& scratch) const {
    if (query.size() != 1) detail::invalid("queries", query.size(), "must be one");
    if (!store_type::is_finite(query.row(0))) return false;
    scratch.values.resize(m_hasher.n_values());
    m_hasher.project(query, 0, 1, scratch.values.data());
    return true;
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive.constant("points", detail::points_name<Points>());
    archive.constant("family", Family::name);
    archive("dim", self.m_dim);
    archive.part("params", self.m_params);
    if constexpr (!std::is_empty_v<Family>) archive.part("family", self.m_family);
    if constexpr (Archive::is_loading) {
      archive.rebuild([&] { detail::checked(self.m_params, self.m_dim); });
      self.m_rows = rows_type(detail::unfilled{}, self.m_dim, self.m_params);
    }
    rows_type::persist(self.m_rows, archive);
    archive.expect(self.n_ids() == 0 || !detail::needs_rows(self.m_family), "has rows its family was not fitted to");
    if constexpr (Archive::is_loading) {
      const std::size_t bytes = self.m_rows.tables().memory_bytes() + self.m_rows.contents().memory_bytes();
      archive.expect(detail::is_plausible_count<view_type>(self.m_dim, self.m_params, bytes), "has too many functions");
      archive.rebuild([&] { self.m_hasher = self.make_hasher(); });
      self.m_usual_distance = detail::usual_distance(self.m_hasher);
    }
    detail::check_sample(archive, view_type(), self.m_hasher, self.m_dim, self.m_params);
  }
  std::string defect() const { return m_rows.defect(); }

  searcher_type searcher() const noexcept {
    const detail::row_ids& ids = m_rows.ids();
    return {m_hasher, m_rows.tables(), m_rows.contents(), ids.of_rows(), ids.n_alive(), m_usual_distance};
  }

  std::size_t m_dim;
  Family m_family;
  lsh_params m_params;
  hasher_type m_hasher;
  rows_type m_rows;
  double m_usual_distance;
};

template <class D, class Family>
  requires(!std::integral<D>)
lsh_index(const D&, Family)
->lsh_index<detail::points_of<D>, Family>;
template <class D, class Family>
  requires(!std::integral<D>)
lsh_index(const D&, Family, const lsh_params&)
->lsh_index<detail::points_of<D>, Family>;
/// For the error in words where data are no rows.
template <class D, class Family>
  requires(!std::integral<D> && !detail::rows_like<D>)
lsh_index(const D&, Family, const lsh_params& = {})
->lsh_index<D, Family>;

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
