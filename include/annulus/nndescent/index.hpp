#pragma once

/// \file
/// nndescent_index: approximate nearest neighbours by walking a graph that NN-descent built.

#include <annulus/core/metric/protocol_checks.hpp>
#include <annulus/nndescent/index/search_graph.hpp>
#include <annulus/nndescent/index/sq8_walk.hpp>
#include <annulus/nndescent/index/tuning.hpp>
#include <annulus/storage/metric_archive.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// Searches rows of Points by a graph of their neighbours. Owns a copy of the data; moves and copies. Points is a
/// matrix<T> or a csr_matrix<T>; Storage is what a search walks over: full_precision, half_precision
/// (half_precision.hpp), sq8, or rabitq of these (rabitq.hpp), the first for sparse rows. Rows of bits are a matrix of
/// bytes (bit_matrix). Where the metric rewrites rows (rewritten_metric.hpp), the index holds the rewritten ones.
///
/// Searching is const and safe from any number of threads; changes are not safe beside anything else, and change
/// nothing where they throw, be it for want of memory. Answers depend on data, parameters and query, not on threads or
/// the batch. Each row has an id for good: the rows of the constructor from 0, then those inserted in their order.
///
/// Saved, loaded and mapped by io/index/index_file.hpp. Parameters of a metric come from the file; a callable that has
/// no default is given to load_index again. A mapped index may be searched whatever its file contains; before it is
/// changed, verify must have passed.
template <class Points, class Metric = euclidean, class Storage = full_precision>
  requires(detail::explained<Points, Metric> || metric_for<Metric, detail::view_of<Points>>)
class nndescent_index {
  static_assert(detail::argument_check<Points, Metric>::value);

  friend detail::persistence;
  friend detail::graph_access;
  explicit nndescent_index(detail::unfilled) : nndescent_index(detail::unfilled{}, detail::metric_to_fill<Metric>()) {}
  nndescent_index(detail::unfilled, Metric by)
      : m_dim(0), m_metric(std::move(by)), m_graph(detail::unfilled{}, detail::compared_metric<Points>(m_metric, 0)) {}

 public:
  using value_type = typename Points::value_type;              ///< T, of coordinates
  using view_type = detail::view_of<Points>;                   ///< matrix_view<T> or csr_view<T>
  using row_type = row_t<view_type>;                           ///< std::span<const T> or sparse_row<T>
  using search_params = nndescent_search_params;               ///< of its searches
  static constexpr std::string_view kind = "nndescent_index";  ///< in files

 private:
  static constexpr bool is_sparse = detail::is_sparse_row<row_type>;
  using compared = detail::compared<Metric, Points>;
  using graph_type = detail::search_graph<typename compared::points, typename compared::metric, Storage>;

 public:
  /// What one thread needs to search: made once, used for query after query.
  struct search_scratch : graph_type::scratch_type {
    using graph_type::scratch_type::scratch_type;
    std::vector<typename compared::points::value_type> rewritten;  ///< the query, where the metric rewrites rows
  };

  /// Builds k-NN graph and search graph: about O(n^1.1 d n_neighbors). Memory: the rows in the storage, compressed ones
  /// also as they are if keep_rows, and 4 (degree + 1) + 8 n_neighbors + 9 bytes a row. \param data n x d, copied
  /// \param by the metric \param params,storage see there \param initial none, or a graph to start from
  /// (build_knn_graph, one iteration, 16 candidates) \throws std::invalid_argument and others as build_knn_graph does.
  template <detail::rows_like D>
    requires std::same_as<detail::points_of<D>, Points>
  explicit nndescent_index(const D& data, Metric by = {}, const nndescent_params& params = {}, Storage storage = {},
                           const neighbors& initial = {})
      : m_dim(view_type(data).dim()),
        m_metric(detail::told_of_bits(std::move(by), data)),
        m_graph(make_graph(view_type(data), m_metric, params, storage, initial)) {
    detail::check_is_point_set<D>();
  }

  /// The k nearest rows of each query, very nearly. Distances are exact floats, but for compressed rows without
  /// keep_rows. Each call clears a byte a row and thread: for single queries the form with a scratch is quicker.
  /// \param queries m x d; for one with a NaN nothing is found \param k at least 1 \param params see there \param stats
  /// receives the mean cost of a query, unless null \returns m x k ids and distances, nearest first, ties by lower id,
  /// padded with no_id and +infinity where fewer rows are there or pass the filter \throws std::invalid_argument for k
  /// = 0, epsilon < 0, another dimension, or a query whose squares overflow or that the storage cannot hold.
  neighbors search(const view_type& queries, std::size_t k, const nndescent_search_params& params = {},
                   nndescent_search_stats* stats = nullptr) const {
    if (queries.size() > 0) detail::check_graph_search(m_dim, queries.dim(), k, params);
    else if (k == 0) detail::invalid("k", k, "must be at least 1");
    check_queries(queries);
    detail::checked_product(queries.size(), k, "queries * k");
    neighbors result(queries.size(), k);
    const std::size_t workers = std::min(resolve_threads(params.threads), queries.size());
    std::vector<search_scratch> scratch(workers, make_scratch());
    const auto passes = detail::prepared_filter(m_graph.names(), params.filter, queries.size());
    parallel_for(workers, queries.size(), 32, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      for (std::size_t i = begin; i < end; ++i)
        find(queries.row(i), result.ids.row(i), result.distances.row(i), params, passes, scratch[worker]);
    });
    if (stats != nullptr) *stats = detail::mean_stats(scratch, queries.size());
    return result;
  }

  /// The same for one query. Allocates nothing once the scratch has seen a query like it. \param query d coordinates
  /// \param ids,distances receive the k = ids.size() = distances.size() nearest \param scratch of make_scratch()
  /// \param params all but `threads` \throws std::invalid_argument as above, or where the spans differ in size.
  void search(const row_type& query, std::span<id_type> ids, std::span<float> distances, search_scratch& scratch,
              const nndescent_search_params& params = {}) const {
    detail::check_graph_search(m_dim, detail::dim_of(query), ids.size(), params);
    detail::check_has_values<Metric>(query, "query");
    if (const row_refusal why = detail::refusal(m_metric, query)) detail::refuse_row("query", {}, query, why);
    if constexpr (!is_sparse) check_queries(view_type(query));
    if (ids.size() != distances.size())
      detail::invalid("distances size", distances.size(), "must equal ids size = ", ids.size());
    std::ranges::fill(ids, no_id);
    std::ranges::fill(distances, std::numeric_limits<float>::infinity());
    find(query, ids, distances, params, detail::vertex_filter(m_graph.names(), params.filter), scratch);
  }

  /// \returns scratch for the searches of one thread \throws std::bad_alloc
  search_scratch make_scratch() const { return search_scratch(m_graph.walk()); }

  /// All rows within a radius of each query, very nearly. Walks on up to radius + epsilon |radius|: a wider belt finds
  /// more. \param queries m x d \param radius a distance \param params see there \returns m x (ids given out so far),
  /// each row nearest first \throws std::invalid_argument for a NaN radius, 2^31 ids or more, and as search does.
  csr radius_search(const view_type& queries, float radius, const nndescent_search_params& params = {}) const {
    if (detail::is_nan(radius)) detail::invalid("radius", radius, "must be a number");
    detail::check_csr_columns("ids", m_graph.n_ids());
    if (queries.size() > 0) detail::check_graph_search(m_dim, queries.dim(), 1, params);
    check_queries(queries);
    std::vector<std::vector<candidate<float>>> found(queries.size());
    const std::size_t workers = std::min(resolve_threads(params.threads), queries.size());
    std::vector<search_scratch> scratch(workers, make_scratch());
    const auto passes = detail::prepared_filter(m_graph.names(), params.filter, queries.size());
    parallel_for(workers, queries.size(), 8, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      search_scratch& s = scratch[worker];
      for (std::size_t i = begin; i < end; ++i)
        if (detail::is_finite_row(queries.row(i)) && size() > 0)
          found[i] = m_graph.walker().within(as_compared(queries.row(i), s.rewritten), radius, params, passes, s);
    });
    return detail::lists_to_csr(found, m_graph.n_ids());
  }

  /// The cheapest of some beams (with codes of edges also by_estimates, if that reads less) whose recall of the k
  /// nearest reaches the target on rows of the index, searched for as if they were not in it, by exact search. Queries
  /// unlike the rows need a wider beam: give some to the function below. O(n_queries n d). \param recall_target in (0,
  /// 1] \param params see there \returns that beam; where none reaches the target, the widest tried \throws
  /// std::invalid_argument for an argument out of range, or an index without its rows.
  tuned_search tune(double recall_target, const tune_params& params = {}) const {
    detail::check_tuning(recall_target, params.n_queries, params.k, keeps_rows());
    if (size() < 2) return {};
    return detail::tune_by_own_rows(m_graph.walker(), recall_target, params);
  }

  /// The same for given queries. O(m n d). \param queries m x d, m > 0 \param recall_target,params as above \returns as
  /// above \throws std::invalid_argument also for another dimension, or a query that is not finite.
  tuned_search tune(const view_type& queries, double recall_target, const tune_params& params = {}) const {
    detail::check_tuning(recall_target, queries.size(), params.k, keeps_rows());
    const auto taken = checked(queries, "queries");
    if (size() == 0) return {};
    return detail::tune_beam(m_graph.walker(), taken.view(), {}, recall_target, params.k, params.threads);
  }

  /// The ids of all rows, in O(n). \returns them, ascending \throws std::bad_alloc
  std::vector<id_type> ids() const { return m_graph.names().ids(); }

  /// The k-NN graph: what the descent found, exact but for it; inserted rows have what their search found, and take
  /// their place with others. Lists that lost rows are searched for again; once rows were inserted each list is
  /// compared with those of its neighbours, and under inner products searched for anew: then O(n n_neighbors^2 d).
  /// \returns n_neighbors for each of ids(), in that order \throws std::bad_alloc and what a metric does.
  neighbors graph() const { return m_graph.knn_graph(); }

  /// Adds rows. Each is searched for and linked to what was found; a copy of another shares its place in the graph.
  /// O(m) searches, and each call clears a byte a row and thread: large calls are quicker. The first change of an index
  /// hashes its rows, O(n d). Under inner products O(n) more for every 256 rows. After growth by a sixteenth all rows
  /// are made reachable again, O(n n_neighbors), by a fifth the entry tree is built anew, O(n log n) distances.
  /// \param rows m x dim() \param params threads \returns the id of the first; the others follow \throws
  /// std::invalid_argument for another dimension, a row that is not finite, 2^32 - 1 ids or 2^31 different rows.
  id_type insert(const view_type& rows, const run_params& params = {}) {
    const auto taken = checked(rows, "data");
    if (rows.size() >= no_id - m_graph.n_ids())
      detail::invalid("rows", rows.size(), "an index gives out fewer than 2^32 - 1 ids");
    if (rows.size() >= detail::vertex_names::max_vertices - m_graph.names().n_vertices())
      detail::invalid("rows", rows.size(), "an index holds fewer than 2^31 rows");
    const std::size_t most = std::max<std::size_t>(rows.size(), 1);  // more threads would only take memory
    return m_graph.insert(taken.view(), std::min(resolve_threads(params.threads), most));
  }

  /// Removes a row. Its place in the graph is freed by consolidate(), which the next change calls once a fifth of all
  /// rows are erased. O(log n). \param id its id \throws std::invalid_argument for an id that is not in the index.
  void erase(id_type id) {
    check_id(id);
    m_graph.erase(id);
  }

  /// Gives an id another row. \param id its \param row 1 x dim() \throws std::invalid_argument as insert and erase do.
  void update(id_type id, const view_type& row) {
    check_id(id);
    if (row.size() != 1) detail::invalid("row", row.size(), "must be one");
    const auto taken = checked(row, "row");
    m_graph.update(id, taken.view().row(0));
  }

  /// Routes the edges around erased rows and frees their memory. O(n d). \throws std::bad_alloc and what a metric does.
  void consolidate() { m_graph.consolidate(); }

  std::size_t size() const noexcept { return m_graph.size(); }                  ///< \returns how many rows it holds
  std::size_t dim() const noexcept { return m_dim; }                            ///< \returns coordinates of a row
  const Metric& metric() const noexcept { return m_metric; }                    ///< \returns the metric
  std::size_t memory_bytes() const noexcept { return m_graph.memory_bytes(); }  ///< \returns bytes of rows and graphs

 private:
  /// A finite row as the graph holds rows.
  template <class Values>
  auto as_compared(const row_type& row, [[maybe_unused]] Values& rewritten) const {
    if constexpr (compared::is_rewritten) {
      rewritten.resize(m_metric.embedded_dim(m_dim));
      m_metric.embed(row.data(), m_dim, rewritten.data());
      return std::span<const typename compared::points::value_type>(rewritten);
    } else {
      return row;
    }
  }
  void find(const row_type& query, std::span<id_type> ids, std::span<float> distances,
            const nndescent_search_params& params, const detail::vertex_filter& passes, search_scratch& scratch) const {
    if (detail::is_finite_row(query))
      m_graph.walker().find(as_compared(query, scratch.rewritten), ids, distances, params, passes, scratch);
  }
  void check_queries(const view_type& queries) const {
    detail::check_query_lengths<typename compared::metric>(queries);
    detail::check_has_values<Metric>(queries, "queries");
    detail::check_rows_for(m_metric, queries, "queries");
    if constexpr (!compared::is_rewritten) graph_type::check_storage(queries, "queries");  // rewritten rows are short
  }
  /// Rows that the index can take in, as it holds them.
  detail::compared_rows<Metric, view_type> checked(const view_type& rows, std::string_view name) const {
    if (rows.size() > 0 && rows.dim() != m_dim)
      detail::invalid(std::string(name) + " dimension", rows.dim(), "must equal the index's ", m_dim);
    return checked(rows, m_metric, 1);
  }
  bool keeps_rows() const noexcept { return size() == 0 || m_graph.walker().rows.size() > 0; }
  static detail::compared_rows<Metric, view_type> checked(const view_type& rows, const Metric& by,
                                                          const thread_team& team) {
    detail::check_data(by, rows, team);
    detail::compared_rows<Metric, view_type> taken(by, rows, team);
    graph_type::check_storage(taken.view(), "data");
    return taken;
  }
  static graph_type make_graph(const view_type& data, Metric by, const nndescent_params& params, Storage storage,
                               const neighbors& initial) {
    const thread_team team(params.threads);
    const auto taken = checked(data, by, team);
    const auto start = detail::initial_graph_of(initial, data.size());
    return {taken.view(), detail::compared_metric<Points>(by, data.dim()), params, storage, start, team};
  }
  void check_id(id_type id) const {
    if (!m_graph.holds(id)) detail::invalid("id", id, "is not in the index");
  }

  std::string defect() const { return m_graph.defect(); }

  /// What a file is to hold, if not the index as it is: none of the rows that were erased.
  std::optional<nndescent_index> compact_copy() const {
    if (m_graph.names().n_erased() == 0) return std::nullopt;
    nndescent_index copy = *this;
    copy.consolidate();
    return copy;
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive.constant("points", detail::points_name<Points>());
    archive.constant("storage", Storage::name);
    archive("dim", self.m_dim);
    detail::persist_metric(self.m_metric, archive);
    if constexpr (Archive::is_loading && std::is_move_assignable_v<graph_type>)  // callables are not, nor need they be
      archive.rebuild([&] {
        self.m_graph = {detail::unfilled{}, detail::compared_metric<Points>(self.m_metric, self.m_dim)};
      });
    detail::persistence::persist(self.m_graph, archive);
    if constexpr (Archive::is_loading)
      archive.rebuild([&] {
        if constexpr (checks_dimension<Metric>) self.m_metric.check_dimension(self.m_dim);
        std::size_t expected = self.m_dim;
        if constexpr (compared::is_rewritten) expected = self.m_metric.embedded_dim(self.m_dim);
        archive.expect(self.m_graph.walk().dim() == expected, "has rows of another length than its dimension");
      });
  }

  std::size_t m_dim;
  Metric m_metric;
  graph_type m_graph;
};

template <detail::rows_like D, class Metric = euclidean>
nndescent_index(const D&, Metric = {}, const nndescent_params& = {}) -> nndescent_index<detail::points_of<D>, Metric>;
template <detail::rows_like D, class Metric, class Storage>
nndescent_index(const D&, Metric, const nndescent_params&, Storage, const neighbors& = {})
    -> nndescent_index<detail::points_of<D>, Metric, Storage>;
/// For the error in words where data are no rows.
template <class D, class Metric = euclidean>
  requires(!detail::rows_like<D>)
nndescent_index(const D&, Metric = {}, const nndescent_params& = {})
->nndescent_index<D, Metric>;

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
