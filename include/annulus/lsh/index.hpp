#pragma once

/// \file
/// lsh_index: approximate nearest neighbours by locality-sensitive hashing.

#include <annulus/lsh/function_sample.hpp>
#include <annulus/lsh/query_blocks.hpp>
#include <annulus/lsh/row_ids.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// Finds rows of Points by hash tables in which near rows share buckets (Indyk, Motwani 1998). Points is a matrix<T>,
/// a bit_matrix, or a csr_matrix<T>; the family says by which metric rows are near. Owns a copy of the rows, unless
/// only_index; moves and copies.
///
/// Searching is const and safe from any number of threads; insert, erase, update and compact are not safe beside
/// anything else, and change nothing where they throw, be it for want of memory. Answers depend on data, parameters and
/// query alone: not on threads, and not on the batch. Each row has an id that is its own for good: the rows of the
/// constructor from 0, then those inserted in their order.
template <class Points, class Family>
  requires hash_family<Family, detail::view_of<Points>>
class lsh_index {
  using store_type = detail::row_store<Points>;
  using view_type = typename store_type::view_type;
  using row_type = typename store_type::row_type;
  using hasher_type = hasher_t<Family, view_type>;
  using searcher_type = detail::lsh_searcher<Points, Family>;

 public:
  using metric_type = typename Family::metric;
  static constexpr std::string_view kind = "lsh_index";  ///< in files
  /// What one thread needs to search: made once, used for query after query.
  using search_scratch = detail::lsh_scratch<Points, Family>;

  /// Copies `data` (n x d, n from 0 on) and sorts it into the buckets of all tables: O(n d n_tables n_projections) for
  /// families of projections. Memory: the rows, and for each 8 bytes and at most 6 bytes a table. \throws
  /// std::invalid_argument for d = 0, n_projections = 0, n_tables = 0, a row with a NaN or an infinity, 2^32 - 1 rows
  /// and more, and what the family refuses.
  template <std::convertible_to<view_type> D>
  explicit lsh_index(const D& data, Family family = {}, const lsh_params& params = {})
      : lsh_index(view_type(data).dim(),
                  detail::fitted(detail::told_of_bits(std::move(family), data), view_type(data), params), params) {
    detail::check_is_point_set<D>();
    insert(data);
  }

  /// Without rows yet, for rows of dim coordinates. What the family takes from data it takes from the first rows
  /// inserted. \throws std::invalid_argument as above.
  explicit lsh_index(std::size_t dim, Family family = {}, const lsh_params& params = {})
      : m_dim(dim),
        m_family(std::move(family)),
        m_params(detail::checked(params, dim)),
        m_hasher(make_hasher()),
        m_tables(params.n_tables),
        m_rows(dim),
        m_usual_distance(detail::usual_distance(m_hasher)) {}

  /// The k nearest rows of each query (m x d) among those in the buckets looked into: m x k ids and exact distances,
  /// nearest first, ties by lower id, padded with no_id and +infinity where fewer were found. A NaN query gets no
  /// neighbours. Running out of buckets is not an error. `stats`, if given, tells the cost. \throws
  /// std::invalid_argument for k = 0, another dimension, recall_target outside [0, 1], or an index without its rows.
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

  /// One query, k = ids.size() = distances.size(). Once the scratch has seen a query like it, nothing is allocated.
  /// \throws std::invalid_argument as above, or where the spans differ in size.
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

  search_scratch make_scratch() const { return {}; }

  /// All rows at most `radius` from each query (m x d) among those in the buckets looked into, however many: a sparse
  /// matrix of m x (ids given out so far) with exact distances, each row nearest first, ties by lower id. With a
  /// recall_target each row within the radius is found with that probability at least, and all are with a target of 1.
  /// A NaN query gets none, nor does a negative radius but for inner products, whose distances are minus the products.
  /// \throws std::invalid_argument for a NaN radius, for 2^31 ids and more, and as search does.
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
    return detail::to_csr(found, m_ids.n_ids());
  }

  /// The same for one query: ids and distances hold what was found, and nothing else. Once the scratch has seen a query
  /// like it, nothing else is allocated. \throws std::invalid_argument as above, but for the number of ids.
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

  /// For each query the rows in the buckets looked into, with the number of these buckets, whether or not the index has
  /// its rows. recall_target is not looked at. Past a bucket a table, these are not quite a search's, which goes by how
  /// near what it found is. \throws std::invalid_argument for another dimension.
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

  /// Adds rows (m x dim()) and returns the id of the first; the others follow. \throws std::invalid_argument for
  /// another dimension, a row with a NaN or an infinity, or 2^32 - 1 ids and more; nothing has changed then.
  id_type insert(const view_type& rows) {
    check_rows(rows);
    if (rows.size() >= no_id - m_ids.n_ids())
      detail::invalid("rows", rows.size(), "an index gives out fewer than 2^32 - 1 ids");
    if (rows.size() > 0 && detail::needs_rows(m_family)) {  // no rows have come before
      *this = lsh_index(rows, m_family, m_params);
      return 0;
    }
    const id_type first = m_ids.give_out(rows.size());
    try {
      add(rows, first);
    } catch (...) {
      m_ids.take_back(first);
      throw;
    }
    settle();
    return first;
  }

  /// Takes a row out: it is not found any more. Its memory is free with the next compact(), which comes by itself once
  /// a fifth of all rows were erased. \throws std::invalid_argument for an id that is not in the index.
  void erase(id_type id) {
    check_id(id);
    m_ids.erase(id);
    settle();
  }

  /// Gives id another row. \throws std::invalid_argument as insert and erase do; nothing has changed then.
  void update(id_type id, const view_type& row) {
    check_id(id);
    if (row.size() != 1) detail::invalid("rows", row.size(), "must be one");
    check_rows(row);
    const id_type old = m_ids.row_of(id);
    add(row, id);
    m_ids.erase_row(old);
    settle();
  }

  /// Sorts inserted rows in and frees the memory of erased ones: the index is as it would have been built of its rows.
  void compact() {
    if (m_tables.n_added() == 0 && m_ids.n_alive() == m_ids.n_rows()) return;
    const std::vector<id_type> numbers = m_ids.numbers_alive();
    m_tables.renumber(numbers, m_ids.n_alive(), m_params.threads);
    if (!m_params.only_index) m_rows.renumber(numbers, m_ids.n_alive());
    m_ids.renumber(numbers);
  }

  /// How rows are spread over buckets. O(n n_tables log n).
  bucket_statistics describe() const {
    return m_tables.describe([&](std::size_t row) { return m_ids.is_alive(row); });
  }

  std::size_t size() const noexcept { return m_ids.n_alive(); }  ///< how many rows it holds
  std::size_t dim() const noexcept { return m_dim; }
  const Family& family() const noexcept { return m_family; }
  const lsh_params& params() const noexcept { return m_params; }
  /// The probability that two rows at that distance share their bucket of a table.
  double collision_probability(double distance) const { return m_hasher.collision_probability(distance); }
  std::size_t memory_bytes() const noexcept {
    return m_tables.memory_bytes() + m_rows.memory_bytes() + m_hasher.memory_bytes() + m_ids.memory_bytes();
  }

 private:
  hasher_type make_hasher() const {
    const Family family = detail::needs_rows(m_family) ? detail::any_family<Family, view_type>() : m_family;
    return family.template make_hasher<view_type>(m_dim, m_params.n_projections, m_params.n_tables, m_params.seed);
  }

  void check_dim(std::size_t dim) const {
    if (dim != m_dim) detail::invalid("dimension", dim, "must equal the index's ", m_dim);
  }
  void check_search(std::size_t dim, const lsh_search_params& params) const {
    if (m_params.only_index) detail::invalid("only_index", true, "an index without its rows has candidates only");
    check_dim(dim);
    detail::check(params);
  }
  void check_rows(const view_type& rows) const {
    if (rows.size() > 0) check_dim(rows.dim());
    store_type::check(rows, m_params.threads);
  }
  void check_id(id_type id) const {
    if (!m_ids.holds(id)) detail::invalid("id", id, "is not in the index");
  }

  /// The values of one query, to the scratch; false for one that is not finite.
  bool project(const view_type& query, search_scratch& scratch) const {
    if (query.size() != 1) detail::invalid("queries", query.size(), "must be one");
    if (!store_type::is_finite(query.row(0))) return false;
    scratch.values.resize(m_hasher.n_values());
    m_hasher.project(query, 0, 1, scratch.values.data());
    return true;
  }

  /// Appends checked rows under the ids from first_id on, for which there is room. Nothing has changed if it throws.
  void add(const view_type& rows, id_type first_id) {
    const std::size_t n = rows.size(), first = m_ids.n_rows();
    m_ids.make_room(n);
    try {
      if (!m_params.only_index) m_rows.append(rows);
      m_tables.add(n, m_params.threads,
                   [&](std::size_t begin, std::size_t end, std::size_t table, std::size_t n_tables,
                       std::uint64_t* keys) { m_hasher.hash(rows, begin, end - begin, table, n_tables, keys); });
    } catch (...) {
      if (!m_params.only_index) m_rows.truncate(first);
      throw;
    }
    m_ids.append(first_id, n);
  }

  /// Compacts where that pays and there is the memory for it: else the next change tries again.
  void settle() {
    constexpr std::size_t share = 5;
    try {
      if (m_tables.is_loose() || share * (m_ids.n_rows() - m_ids.n_alive()) > m_ids.n_rows()) compact();
    } catch (const std::bad_alloc&) {
    }
  }

  friend detail::persistence;
  explicit lsh_index(detail::unfilled) : lsh_index(1, Family(), {.n_projections = 1, .n_tables = 1}) {}

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive.constant("points", detail::points_name<Points>());
    archive.constant("family", Family::name);
    archive("dim", self.m_dim);
    archive.part("params", self.m_params);
    if constexpr (!std::is_empty_v<Family>) archive.part("family", self.m_family);
    if constexpr (Archive::is_loading) {
      archive.rebuild([&] { detail::checked(self.m_params, self.m_dim); });
      self.m_tables = detail::hash_tables(detail::unfilled{}, self.m_params.n_tables);
      self.m_rows = store_type(self.m_dim);
    }
    archive.part("tables", self.m_tables);
    if (!self.m_params.only_index) archive.part("rows", self.m_rows);
    detail::row_ids::persist(self.m_ids, archive, self.m_tables.size());
    archive.expect(self.m_params.only_index || self.m_rows.size() == self.m_ids.n_rows(), "has rows of no table");
    archive.expect(self.m_ids.n_ids() == 0 || !detail::needs_rows(self.m_family),
                   "has rows its family was not fitted to");
    if constexpr (Archive::is_loading) {
      const std::size_t bytes = self.m_tables.memory_bytes() + self.m_rows.memory_bytes();
      archive.expect(detail::few_functions<view_type>(self.m_dim, self.m_params, bytes), "has too many functions");
      archive.rebuild([&] { self.m_hasher = self.make_hasher(); });
      self.m_usual_distance = detail::usual_distance(self.m_hasher);
    }
    detail::check_sample(archive, view_type(), self.m_hasher, self.m_dim, self.m_params);
  }
  std::string defect() const {
    std::string defect = detail::defect_of("tables", m_tables.defect());
    if (defect.empty() && !m_params.only_index) defect = detail::defect_of("rows", m_rows.defect());
    return defect.empty() ? m_ids.defect() : defect;
  }

  searcher_type searcher() const noexcept {
    return {m_hasher, m_tables, m_rows, m_ids.of_rows(), m_ids.n_alive(), m_usual_distance};
  }

  std::size_t m_dim;
  Family m_family;
  lsh_params m_params;
  hasher_type m_hasher;
  detail::hash_tables m_tables;
  store_type m_rows;
  detail::row_ids m_ids;
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

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
