#pragma once

/// \file
/// Approximate nearest neighbours by walking a graph that NN-descent built.

#include <annulus/nndescent/graph_editor.hpp>
#include <annulus/nndescent/graph_walker.hpp>
#include <annulus/nndescent/knn_graph.hpp>

namespace annulus::inline ANNULUS_ARCH {

/// Searches rows of Points by a graph of their neighbours. Owns a copy of the data; moves and copies. Points is a
/// matrix<T>; Storage is what a search walks over: full_precision, half_precision or sq8 (storage.hpp).
///
/// Searching is const and safe from any number of threads; insert, erase, update and consolidate are not safe beside
/// anything else. Answers depend on data, parameters and query alone: not on threads, and not on the batch. Each row
/// has an id that is its own for good: the rows of the constructor from 0, then those inserted in their order.
template <class Points, class Metric = euclidean, class Storage = full_precision>
  requires metric_for<Metric, Points> && detail::dense_points<Points>
class nndescent_index {
 public:
  using value_type = typename Points::value_type;
  using T = value_type;

 private:
  using walk_maker = detail::walk_of<T, Metric, Storage>;
  using walk_type = typename walk_maker::type;
  static constexpr bool is_compressed = !std::same_as<Storage, full_precision>;

 public:
  /// What one thread needs to search: made once, used for query after query.
  using search_scratch = detail::graph_scratch<T, Metric, walk_type>;

  /// Copies `data` (n x d, n from 0 on). The k-NN graph, then the search graph, about O(n^1.1 d n_neighbors).
  /// Memory: the rows in the storage and, compressed, as they are too (unless keep_rows is false), and for each row
  /// 4 (degree + 1) + 8 n_neighbors + 9 bytes. \throws std::invalid_argument and annulus::cancelled as build_knn_graph
  /// does, and whatever a callable metric throws.
  template <matrix_like D>
    requires std::same_as<value_t<D>, T>
  explicit nndescent_index(const D& data, Metric metric = {}, const nndescent_params& params = {}, Storage storage = {})
      : nndescent_index(matrix_view<T>(data), std::move(metric), params, storage, 0) {}

  /// The k nearest rows of each query (m x d), very nearly: m x k ids and distances, nearest first, ties by lower id,
  /// padded with no_id and +infinity where there are fewer rows or the filter lets fewer pass. A NaN query gets no
  /// neighbours. Distances are exact, but for compressed rows without keep_rows. `stats`, if given, tells the cost.
  /// \throws std::invalid_argument for k = 0, epsilon < 0 or NaN, or another dimension.
  neighbors search(matrix_view<T> queries, std::size_t k, const search_params& params = {},
                   search_stats* stats = nullptr) const {
    if (queries.rows() > 0) check_query(queries.cols(), k, params);
    else if (k == 0) detail::invalid("k", k, "must be at least 1");
    detail::checked_product(queries.rows(), k, "queries * k");
    neighbors result(queries.rows(), k);
    const std::size_t workers = std::min(resolve_threads(params.threads), queries.rows());
    std::vector<search_scratch> scratch(workers, make_scratch());
    parallel_for(workers, queries.rows(), 32, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      for (std::size_t i = begin; i < end; ++i)
        find(queries.row(i), result.ids.row(i), result.distances.row(i), scratch[worker], params);
    });
    if (stats != nullptr) *stats = detail::mean_stats(scratch, queries.rows());
    return result;
  }

  /// One query, k = ids.size() = distances.size(). Once the scratch has seen a query like it, nothing is allocated.
  /// \throws std::invalid_argument as above, or where the spans differ in size.
  void search(std::span<const T> query, std::span<id_type> ids, std::span<float> distances, search_scratch& scratch,
              const search_params& params = {}) const {
    check_query(query.size(), ids.size(), params);
    if (ids.size() != distances.size())
      detail::invalid("distances size", distances.size(), "must equal ids size = ", ids.size());
    std::ranges::fill(ids, no_id);
    std::ranges::fill(distances, std::numeric_limits<float>::infinity());
    find(query, ids, distances, scratch, params);
  }

  search_scratch make_scratch() const { return search_scratch(m_walk); }

  /// All rows within `radius` of each query, very nearly, as a sparse matrix of m x (ids given out so far), each row
  /// nearest first. Walks through rows up to radius + epsilon |radius|: a wider belt finds more.
  /// \throws std::invalid_argument for a NaN radius, and as search does.
  csr radius_search(matrix_view<T> queries, float radius, const search_params& params = {}) const {
    if (std::isnan(radius)) detail::invalid("radius", radius, "must be a number");
    if (queries.rows() > 0) check_query(queries.cols(), 1, params);
    std::vector<std::vector<candidate<float>>> found(queries.rows());
    const std::size_t workers = std::min(resolve_threads(params.threads), queries.rows());
    std::vector<search_scratch> scratch(workers, make_scratch());
    parallel_for(workers, queries.rows(), 8, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      for (std::size_t i = begin; i < end; ++i)
        if (detail::all_finite(queries.row(i)) && m_size > 0)
          found[i] = walker().within(queries.row(i), radius, params, scratch[worker]);
    });
    csr result{{0}, {}, {}, m_slots.size()};
    for (const auto& row : found) {
      for (const auto& c : row) {
        result.indices.push_back(static_cast<std::int32_t>(c.id));
        result.distances.push_back(c.rank);
      }
      result.indptr.push_back(static_cast<std::int64_t>(result.indices.size()));
    }
    return result;
  }

  /// The cheapest of some beams whose recall of the k nearest reaches the target on rows of the index that are searched
  /// for as if they were not in it, by exact search over all others; the widest beam tried if none does. O(sample n d).
  /// \throws std::invalid_argument for a target outside (0, 1], k = 0, sample = 0, or an index without its rows.
  search_params tune(double target_recall, std::size_t sample = 300, std::size_t k = 10,
                     std::size_t threads = 0) const {
    if (!(target_recall > 0 && target_recall <= 1))
      detail::invalid("target_recall", target_recall, "must be in (0, 1]");
    if (k == 0 || sample == 0) detail::invalid("sample", sample, "and k = ", k, " must be at least 1");
    if (m_size < 2) return {};
    if (exact_rows().size() == 0) detail::invalid("keep_rows", false, "tuning needs the rows");
    return detail::tune_beam(walker(), target_recall, sample, k, threads);
  }

  /// The k-NN graph: a row of n_neighbors for each id given out so far, padding for those erased. What the descent
  /// found, exact but for it; inserted rows have what their search found, and take their place with others.
  neighbors graph() const {
    const std::size_t k = m_params.n_neighbors;
    neighbors result(m_slots.size(), k);
    for (std::size_t i = 0; i < m_slots.size(); ++i) {
      if (m_slots[i] == no_id) continue;
      std::size_t at = 0;
      for (std::size_t j = 0; j < k; ++j) {
        const candidate<float>& c = m_knn[i * k + j];
        if (c.id == no_id || m_slots[c.id] == no_id) continue;
        result.ids(i, at) = c.id;
        result.distances(i, at++) = c.rank;
      }
    }
    return result;
  }

  /// Adds rows (m x dim()) and returns the id of the first; the others follow. Each is searched for and linked to what
  /// was found. O(m) searches. \throws std::invalid_argument for another dimension, a row with a NaN or an infinity,
  /// or 2^31 rows and more.
  id_type insert(matrix_view<T> rows) {
    check_rows(rows);
    const auto first = static_cast<id_type>(m_slots.size());
    if (rows.rows() >= (std::size_t{1} << 31) - m_slots.size())
      detail::invalid("rows", rows.rows(), "an index gives out fewer than 2^31 ids");
    m_slots.resize(m_slots.size() + rows.rows(), no_id);
    m_knn.resize(m_slots.size() * m_params.n_neighbors, nothing);
    search_scratch scratch = make_scratch();
    for (std::size_t i = 0; i < rows.rows(); ++i) add(static_cast<id_type>(first + i), rows.row(i), scratch);
    return first;
  }

  /// Takes a row out: it is not found any more. Its place in the graph goes with the next consolidate(), which comes by
  /// itself once a fifth of all rows were erased. \throws std::invalid_argument for an id that is not in the index.
  void erase(id_type id) {
    check_id(id);
    m_ids[m_slots[id]] = no_id;
    m_slots[id] = no_id;
    --m_size;
    ++m_n_erased;
    if (5 * m_n_erased > m_ids.size() - m_free.size()) consolidate();
  }

  /// Gives id another row. \throws std::invalid_argument as insert and erase do; nothing has changed then.
  void update(id_type id, std::span<const T> row) {
    check_id(id);
    check_rows(row);
    m_ids[m_slots[id]] = no_id;
    m_slots[id] = no_id;
    --m_size;
    ++m_n_erased;
    std::fill_n(m_knn.begin() + static_cast<std::ptrdiff_t>(id * m_params.n_neighbors), m_params.n_neighbors, nothing);
    search_scratch scratch = make_scratch();
    add(id, row, scratch);
  }

  /// Routes the edges around erased rows, whose places are free for new ones then. O(n) where many were erased.
  void consolidate() {
    if (m_n_erased == 0) return;
    const auto is_gone = [&](id_type slot) { return m_ids[slot] == no_id; };
    detail::graph_editor<walk_type> editor(m_walk, m_graph, rule());
    for (id_type slot = 0; slot < m_ids.size(); ++slot)
      if (!is_gone(slot)) editor.mend(slot, is_gone);
    m_free.clear();
    for (id_type slot = 0; slot < m_ids.size(); ++slot)
      if (is_gone(slot)) {
        m_graph.assign(slot, {});
        m_free.push_back(slot);
      }
    m_n_erased = 0;
    repair();
  }

  std::size_t size() const noexcept { return m_size; }  ///< how many rows it holds
  std::size_t dim() const noexcept { return m_dim; }
  const Metric& metric() const noexcept { return m_metric; }
  std::size_t memory_bytes() const noexcept {
    return m_walk.memory_bytes() + m_rows.memory_bytes() + m_graph.memory_bytes() + m_tree.memory_bytes() +
           (m_ids.capacity() + m_slots.capacity() + m_free.capacity()) * sizeof(id_type) +
           m_knn.capacity() * sizeof(candidate<float>);
  }

 private:
  static constexpr candidate<float> nothing{std::numeric_limits<float>::infinity(), no_id};
  /// The search graph is made from lists at least this wide: it gains more by that than the k-NN graph does.
  static constexpr std::size_t least_width = 46;

  nndescent_index(matrix_view<T> data, Metric metric, const nndescent_params& params, Storage storage, int)
      : m_metric(std::move(metric)),
        m_params(detail::resolved(params, data.rows())),
        m_dim(data.cols()),
        m_walk(walk_maker::make(checked(data, params.threads), m_metric, storage)),
        m_rows(data.cols()) {
    const std::size_t n = data.rows();
    m_params.include_self = false;
    m_graph = detail::adjacency(0, stride());
    m_slots.resize(n);
    m_knn.assign(n * m_params.n_neighbors, nothing);
    if (n > 0) {
      detail::with_lists(data, m_metric, detail::list_width(std::max(m_params.n_neighbors, least_width), n), m_params,
                         {}, [&](const auto& space, const auto& order, const auto& lists) {
                           build(data, space, order, lists);
                           return 0;
                         });
    }
    m_params.progress = {};
  }

  static matrix_view<T> checked(matrix_view<T> data, std::size_t threads) {
    detail::check_data(data, threads);
    return data;
  }

  template <class Space>
  void build(matrix_view<T> data, const Space& space, const detail::row_order& order,
             const detail::neighbor_lists& lists) {
    const std::size_t n = data.rows(), k = m_params.n_neighbors;
    const neighbors graph = detail::exact_graph(data, m_metric, order, lists, m_params);
    for (std::size_t i = 0; i < n * k; ++i) m_knn[i] = {graph.distances.data()[i], graph.ids.data()[i]};

    std::vector<std::uint32_t> in_degrees(n, 0);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < lists.count(i); ++j) ++in_degrees[lists(i, j).id()];
    const auto hub = static_cast<id_type>(std::ranges::max_element(in_degrees) - in_degrees.begin());
    constexpr std::size_t start_leaf = 32;
    const auto leaves = m_tree.build(space, in_degrees, start_leaf, m_params.seed);
    m_root = static_cast<id_type>(std::ranges::find(leaves, hub) - leaves.begin());
    m_graph = detail::build_search_graph(space, lists, rule(), m_params.threads, m_params.progress)
                  .reordered(leaves, m_params.threads);

    m_ids.resize(n);
    m_walk.resize(n);
    if (is_compressed && m_params.keep_rows) m_rows.resize(n);
    for (std::size_t slot = 0; slot < n; ++slot) {
      const id_type id = order[leaves[slot]];
      m_ids[slot] = id;
      m_slots[id] = static_cast<id_type>(slot);
      put(slot, data.row(id));
    }
    m_size = n;
    repair();
  }

  /// Compressed storages have two sides of a row.
  void put(std::size_t slot, std::span<const T> row) {
    m_walk.assign(slot, row.data());
    if (is_compressed && m_params.keep_rows) std::ranges::copy(row, m_rows.data(slot));
  }

  void add(id_type id, std::span<const T> row, search_scratch& scratch) {
    const std::size_t k = m_params.n_neighbors;
    std::vector<id_type> near(k, no_id);
    std::vector<float> distances(k, std::numeric_limits<float>::infinity());
    std::vector<candidate<float>> found;
    const auto& around = walker().neighborhood(row, std::max(2 * k, 2 * degree()), near, distances, scratch);
    for (std::size_t i = 0; i < around.size(); ++i)
      found.push_back({static_cast<float>(around[i].rank), around[i].id()});

    id_type slot = static_cast<id_type>(m_ids.size());
    if (m_free.empty()) {
      m_ids.push_back(no_id);
      m_graph.resize(m_ids.size());
      m_walk.resize(m_ids.size());
      if (is_compressed && m_params.keep_rows) m_rows.resize(m_ids.size());
    } else {
      slot = m_free.back();
      m_free.pop_back();
    }
    put(slot, row);
    m_ids[slot] = id;
    m_slots[id] = slot;
    if (m_size++ == 0) m_root = slot;
    detail::graph_editor<walk_type>(m_walk, m_graph, rule()).link(slot, std::move(found));
    for (std::size_t i = 0; i < k && near[i] != no_id; ++i) {
      enlist(id, near[i], distances[i]);
      enlist(near[i], id, distances[i]);
    }
  }

  /// Enters a neighbour into the k-NN list of id.
  void enlist(id_type id, id_type neighbor, float distance) {
    const auto first = m_knn.begin() + static_cast<std::ptrdiff_t>(id * m_params.n_neighbors);
    const auto last = first + static_cast<std::ptrdiff_t>(m_params.n_neighbors);
    const candidate<float> c{distance, neighbor};
    const auto gone =
        std::remove_if(first, last, [&](const auto& x) { return x.id == no_id || m_slots[x.id] == no_id; });
    std::fill(gone, last, nothing);
    const auto at = std::upper_bound(first, last, c);
    if (at == last) return;
    std::move_backward(at, last - 1, last);
    *at = c;
  }

  /// Every row in reach of the root.
  void repair() {
    if (m_size == 0) return;
    const auto is_here = [&](id_type slot) { return m_ids[slot] != no_id; };
    if (!is_here(m_root))
      m_root =
          static_cast<id_type>(std::ranges::find_if(m_ids, [](id_type id) { return id != no_id; }) - m_ids.begin());
    const detail::walk_space<walk_type> space(m_walk);
    typename detail::walk_space<walk_type>::ranker ranker(space);
    detail::connect(
        m_graph, m_root, [&](id_type u, std::span<const id_type> ids, float* out) { ranker.from(u, ids, out); },
        is_here);
  }

  std::size_t degree() const noexcept {
    constexpr std::size_t least = 30;  // a k-NN graph may be thin, a graph to search may not
    const auto k = static_cast<double>(std::max(m_params.n_neighbors, least));
    return std::max<std::size_t>(4, static_cast<std::size_t>(std::lround(m_params.pruning_degree_multiplier * k)));
  }
  /// Room for the edges and a spare one, in whole half cache lines.
  std::size_t stride() const noexcept { return (degree() + 1 + 7) / 8 * 8; }

  detail::diversify_rule rule() const {
    const auto alpha = static_cast<float>(m_params.alpha);
    constexpr bool is_square =
        detail::has_product_form<Metric>();  // euclidean ranks, and cosine distances, are squares
    constexpr bool is_signed = std::same_as<Metric, inner_product>;
    const float factor = is_signed ? 1.0f : is_square ? alpha * alpha : alpha;
    return {stride() - 1, m_params.diversify_prob, factor, counter_random(m_params.seed + 3)};
  }

  const detail::aligned_rows<T>& exact_rows() const noexcept {
    if constexpr (is_compressed) return m_rows;
    else return m_walk.rows();
  }

  detail::graph_walker<T, Metric, walk_type> walker() const noexcept {
    return {m_walk, exact_rows(), m_metric, m_graph, m_tree, m_root, m_ids, m_size};
  }
  void find(std::span<const T> query, std::span<id_type> ids, std::span<float> distances, search_scratch& scratch,
            const search_params& params) const {
    walker().find(query, ids, distances, params, scratch);
  }

  void check_query(std::size_t dim, std::size_t k, const search_params& params) const {
    if (k == 0) detail::invalid("k", k, "must be at least 1");
    if (!(params.epsilon >= 0)) detail::invalid("epsilon", params.epsilon, "must be at least 0");
    if (dim != m_dim) detail::invalid("query dimension", dim, "must equal the index's ", m_dim);
  }
  void check_rows(matrix_view<T> rows) const {
    if (rows.rows() > 0 && rows.cols() != m_dim)
      detail::invalid("dimension", rows.cols(), "must equal the index's ", m_dim);
    static_cast<void>(detail::check_rows(rows, "data", 1));
  }
  void check_id(id_type id) const {
    if (id >= m_slots.size() || m_slots[id] == no_id) detail::invalid("id", id, "is not in the index");
  }

  Metric m_metric;
  nndescent_params m_params;
  std::size_t m_dim = 0, m_size = 0, m_n_erased = 0;
  walk_type m_walk;                ///< by slot, as are the rows, the graph and the ids
  detail::aligned_rows<T> m_rows;  ///< exact ones of a compressed storage
  detail::adjacency m_graph;
  detail::hub_tree m_tree;
  id_type m_root = 0;
  std::vector<id_type> m_ids, m_slots;  ///< no_id for what was erased
  std::vector<id_type> m_free;          ///< slots for new rows
  std::vector<candidate<float>> m_knn;  ///< n_neighbors an id
};

template <matrix_like D>
nndescent_index(const D&) -> nndescent_index<matrix<value_t<D>>>;
template <matrix_like D, class Metric>
nndescent_index(const D&, Metric) -> nndescent_index<matrix<value_t<D>>, Metric>;
template <matrix_like D, class Metric>
nndescent_index(const D&, Metric, const nndescent_params&) -> nndescent_index<matrix<value_t<D>>, Metric>;
template <matrix_like D, class Metric, class Storage>
nndescent_index(const D&, Metric, const nndescent_params&, Storage)
    -> nndescent_index<matrix<value_t<D>>, Metric, Storage>;

}  // namespace annulus::inline ANNULUS_ARCH
