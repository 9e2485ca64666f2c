#pragma once

/// \file
/// disk_index: searches an nndescent_index whose exact rows stay in a file. Needs nlohmann/json and xxHash, as io/index
/// does; liburing where ANNULUS_WITH_LIBURING is defined. annulus.hpp leaves this header out.
///
///   using index_type = annulus::nndescent_index<annulus::matrix<float>, annulus::euclidean, annulus::sq8>;
///   annulus::save(index_type(rows), "rows.index");
///   annulus::disk_index<annulus::matrix<float>, annulus::euclidean, annulus::sq8> index("rows.index");
///   annulus::neighbors found = index.search(queries, 10);

#include <annulus/disk/index_on_disk.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// What a query cost, on average. Rows that the cache had are no reads.
struct disk_search_stats : nndescent_search_stats {
  double reads = 0;   ///< of rows
  double bytes = 0;   ///< read, in whole units of what the disk reads
  double cached = 0;  ///< rows that the cache had
};

/// An nndescent_index<Points, Metric, Storage> in a file of io/index/index_file.hpp, of which codes, edges, entry tree
/// and names are in memory. A search walks over the codes; the exact rows of the last few candidates, all of a query at
/// once, are read from the index file, or from a file of rows, as where it was built with keep_rows = false. Answers
/// are those of the index in memory, bit for bit, whatever is cached and however rows are read. Storage compresses
/// rows: sq8, half_precision, or rabitq of these. Where codes cannot tell rows apart (as among near-duplicates closer
/// than their rounding), the walk reads rows as it goes.
///
/// Searching is const and safe from any number of threads. The index cannot be changed: filters take the place of
/// erasing. Files must not be written to while they are open; to replace one by a rename is safe. Copies share all.
template <class Points, class Metric = euclidean, class Storage = sq8>
class disk_index {
  using index_type = nndescent_index<Points, Metric, Storage>;
  using access = detail::graph_access;
  using compared = detail::compared<Metric, Points>;
  using value_type = typename compared::points::value_type;
  using parts_type = detail::index_on_disk<index_type, compared>;
  using walk_type = typename detail::walk_of<typename compared::points, typename compared::metric, Storage>::type;
  using rows_type = detail::fetched_rows<value_type>;
  using walk_scratch_type =
      detail::graph_scratch<typename compared::points, typename compared::metric, walk_type, rows_type>;
  static_assert(walk_type::is_compressed,
                "annulus: a disk_index walks over codes: its Storage is sq8, half_precision, or rabitq of these");

  /// A query whose rows are being fetched.
  struct pending {
    explicit pending(const parts_type& p) : fetcher(p.rows, p.params.reads) {}
    detail::row_fetcher<value_type> fetcher;
    std::vector<value_type> rewritten;
    std::span<const value_type> query;  ///< as it is compared
    std::vector<id_type> chosen;
    std::size_t number = none;
  };
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

 public:
  using view_type = typename index_type::view_type;  ///< what queries come as
  using row_type = typename index_type::row_type;    ///< what one query comes as

  /// What one thread needs to search: made once, used for query after query. Keeps files open.
  class search_scratch : public walk_scratch_type {
    friend disk_index;
    search_scratch(std::shared_ptr<const parts_type> parts, std::size_t in_flight)
        : walk_scratch_type(parts->graph().walk()), m_parts(std::move(parts)) {
      m_under_way.reserve(in_flight);
      for (std::size_t i = 0; i < in_flight; ++i) m_under_way.emplace_back(*m_parts);
    }
    std::shared_ptr<const parts_type> m_parts;
    std::vector<pending> m_under_way;
  };

  /// Opens the file of an index. O(bytes but those of rows); checks sums and sizes of what it takes into memory. \param
  /// path of the file \param params how, and where the rows are \throws format_error and std::system_error as
  /// load_index does, also for a file of rows of another size, or of which a sample is far from its codes;
  /// std::invalid_argument where no file has the rows, and for queries_in_flight = 0
  explicit disk_index(const std::filesystem::path& path, const disk_index_params& params = {}) {
    if (params.queries_in_flight == 0) detail::invalid("queries_in_flight", 0, "must be at least 1");
    m_parts = std::make_shared<const parts_type>(path, params);
  }

  /// As nndescent_index::search. \param queries m x dim() \param k at least 1 \param params see there \param stats what
  /// queries cost, unless null \returns m x k ids and distances, nearest first, padded with no_id and +infinity \throws
  /// std::invalid_argument as nndescent_index::search; std::system_error where rows cannot be read; format_error where
  /// their file was written to or cut since it was opened
  neighbors search(const view_type& queries, std::size_t k, const nndescent_search_params& params = {},
                   disk_search_stats* stats = nullptr) const {
    if (queries.size() > 0) detail::check_graph_search(dim(), queries.dim(), k, params);
    else if (k == 0) detail::invalid("k", k, "must be at least 1");
    access::check_queries(m_parts->index, queries);
    detail::checked_product(queries.size(), k, "queries * k");
    neighbors result(queries.size(), k);
    const std::size_t workers = std::min(resolve_threads(params.threads), queries.size());
    std::vector<search_scratch> scratch;
    scratch.reserve(workers);
    for (std::size_t i = 0; i < workers; ++i)
      scratch.push_back(search_scratch(m_parts, m_parts->params.queries_in_flight));
    const auto passes = detail::prepared_filter(m_parts->graph().names(), params.filter, queries.size());
    parallel_for(workers, queries.size(), 64, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      search_scratch& s = scratch[worker];
      const auto complete = [&](pending& p) {
        if (const std::size_t i = std::exchange(p.number, none); i != none)
          finish(result.ids.row(i), result.distances.row(i), passes, s, p);
      };
      for (std::size_t i = begin; i < end; ++i) {
        pending& p = s.m_under_way[i % s.m_under_way.size()];
        complete(p);
        if (start(queries.row(i), result.ids.row(i), result.distances.row(i), params, passes, s, p)) p.number = i;
      }
      for (pending& p : s.m_under_way) complete(p);
    });
    if (stats != nullptr) *stats = mean_stats(scratch, queries.size());
    return result;
  }

  /// One query. Once the scratch has seen a query like it, nothing is allocated. \param query dim() \param
  /// ids,distances k each, filled \param scratch of this index \param params see there \throws std::invalid_argument,
  /// std::system_error and format_error as above, and for spans that differ in size
  void search(const row_type& query, std::span<id_type> ids, std::span<float> distances, search_scratch& scratch,
              const nndescent_search_params& params = {}) const {
    detail::check_graph_search(dim(), query.size(), ids.size(), params);
    access::check_queries(m_parts->index, view_type(query));
    if (ids.size() != distances.size())
      detail::invalid("distances size", distances.size(), "must equal ids size = ", ids.size());
    std::ranges::fill(ids, no_id);
    std::ranges::fill(distances, std::numeric_limits<float>::infinity());
    const detail::vertex_filter passes(m_parts->graph().names(), params.filter);
    pending& p = scratch.m_under_way.front();
    if (start(query, ids, distances, params, passes, scratch, p)) finish(ids, distances, passes, scratch, p);
  }

  /// \returns what one thread needs to search \throws std::bad_alloc
  search_scratch make_scratch() const { return search_scratch(m_parts, 1); }

  std::size_t size() const noexcept { return m_parts->index.size(); }        ///< \returns how many rows it holds
  std::size_t dim() const noexcept { return m_parts->index.dim(); }          ///< \returns coordinates of a row
  const Metric& metric() const noexcept { return m_parts->index.metric(); }  ///< \returns how rows are compared
  /// \returns bytes of codes, edges, tree, names and cache; also of those in a mapped file
  std::size_t memory_bytes() const noexcept {
    return m_parts->graph().memory_bytes() + (m_parts->cache ? m_parts->cache->memory_bytes() : 0);
  }
  /// \returns whether reads go past the system's cache of files
  bool reads_directly() const noexcept { return m_parts->rows.file->is_direct(); }
  /// \returns whether the kernel lets this process read by io_uring \throws std::bad_alloc
  bool reads_by_io_uring() const {
    return detail::row_reader(m_parts->rows.file, m_parts->params.reads).uses_io_uring();
  }

 private:
  /// Walks, and begins to fetch the rows that decide; false where there are none, and the result is written.
  bool start(const row_type& query, std::span<id_type> ids, std::span<float> distances,
             const nndescent_search_params& params, const detail::vertex_filter& passes, search_scratch& s,
             pending& p) const {
    if (!detail::is_finite_row(query)) return false;
    p.query = access::as_compared(m_parts->index, query, p.rewritten);
    const rows_type rows(p.fetcher);
    if (!m_parts->graph().walker_over(rows).choose(p.query, ids, distances, params, passes, s)) return false;
    p.chosen.swap(s.chosen);
    p.fetcher.start(p.chosen);
    return true;
  }
  void finish(std::span<id_type> ids, std::span<float> distances, const detail::vertex_filter& passes,
              search_scratch& s, pending& p) const {
    const rows_type rows(p.fetcher);
    m_parts->graph().walker_over(rows).rank_chosen(p.query, p.chosen, ids, distances, passes, s);
  }

  static disk_search_stats mean_stats(const std::vector<search_scratch>& scratch, std::size_t queries) {
    disk_search_stats stats{detail::mean_stats(scratch, queries)};
    const auto n = static_cast<double>(std::max<std::size_t>(queries, 1));
    for (const search_scratch& s : scratch)
      for (const pending& p : s.m_under_way) {
        stats.reads += static_cast<double>(p.fetcher.reader().n_reads()) / n;
        stats.bytes += static_cast<double>(p.fetcher.reader().n_bytes()) / n;
        stats.cached += static_cast<double>(p.fetcher.n_cached()) / n;
      }
    return stats;
  }

  std::shared_ptr<const parts_type> m_parts;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
