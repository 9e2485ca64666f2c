#pragma once

/// \file
/// dynamic_index: an index of any kind, metric, storage and rows, all known at run time. Needs the library
/// annulus::dynamic, neither Eigen nor xsimd, and compiles in a second.
///
///     annulus::any_rows rows(annulus::dtype::f32, data, n, d);
///     auto index = annulus::dynamic_index::build(rows, {.metric = "cosine", .storage = "sq8"});
///     index.save("words.index");
///     auto same = annulus::dynamic_index::open("words.index");
///     annulus::neighbors found = same.search(queries, 10, {.beam = 100});

#include <annulus/core/result/neighbors.hpp>
#include <annulus/dynamic/any_rows.hpp>
#include <annulus/dynamic/c_calls.hpp>
#include <annulus/dynamic/c_options.hpp>
#include <annulus/dynamic/index_spec.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

/// Lists of the C interface, freed with this object.
struct c_lists : annulus_lists {
  c_lists() noexcept : annulus_lists{} {}
  c_lists(const c_lists&) = delete;
  c_lists& operator=(const c_lists&) = delete;
  ~c_lists() { annulus_lists_free(this); }

  csr to_csr() const {
    const auto size = static_cast<std::size_t>(indptr[n]);
    return {{indptr, indptr + n + 1}, {ids, ids + size}, {values, values + size}, n_ids};
  }
  /// As wide as the longest list.
  neighbors to_neighbors() const {
    std::int64_t width = 0;
    for (std::size_t i = 0; i < n; ++i) width = std::max(width, indptr[i + 1] - indptr[i]);
    neighbors result(n, static_cast<std::size_t>(width));
    for (std::size_t i = 0; i < n; ++i) {
      std::copy(ids + indptr[i], ids + indptr[i + 1], result.ids.row(i).data());
      std::copy(values + indptr[i], values + indptr[i + 1], result.distances.row(i).data());
    }
    return result;
  }
};

/// What names a file: text (UTF-8), or a std::filesystem::path, whose header costs a unit a fifth of its time.
template <class P>
concept path_like = std::convertible_to<const P&, std::string> || requires(const P& path) {
  path.u8string();
};
template <path_like P>
std::string utf8(const P& path) {
  if constexpr (requires { path.u8string(); }) {
    const auto text = path.u8string();
    return {text.begin(), text.end()};
  } else {
    return path;
  }
}

}  // namespace detail

/// Owns an index; moves and copies. Searching is const and safe from any number of threads; changes are not safe beside
/// anything else, and one that throws changes nothing. Members mean what they mean in flat_index, nndescent_index,
/// lsh_index, fast_scan_index and rabitq_index; one that the kind does not have throws std::invalid_argument, which
/// names the kinds that do. Rows and queries must be of the layout and type of the rows that the index was built of.
///
/// Every call may throw std::bad_alloc, and std::invalid_argument where ANNULUS_ISA names no instruction set that the
/// library and the processor have (docs/dynamic.md). Exceptions of callbacks pass through.
class dynamic_index {
 public:
  using view_type = any_rows;                   ///< what rows and queries come as
  using search_params = dynamic_search_params;  ///< how it is searched

  /// \param rows n x d, copied \param spec what is built, and how \param progress called meanwhile by nndescent, pq,
  /// opq and fast_scan \returns the index \throws std::invalid_argument for names that there are not (with the most
  /// similar one), parameters that the kind does not have, rows that it does not take, and what its constructor
  /// refuses; cancelled
  static dynamic_index build(const any_rows& rows, const index_spec& spec = {},
                             const progress_callback& progress = {}) {
    const detail::c_options options(spec);
    detail::kept_exception kept;
    detail::c_progress report(progress, kept);
    annulus_index* index = nullptr;
    detail::call(kept, [&](annulus_error* error) {
      return annulus_build(rows.c_rows(), options.data(), options.size(), report.function(), report.user(), &index,
                           error);
    });
    return dynamic_index(index);
  }

  /// Loads the index of a file, whatever its kind, and checks all of it. O(bytes). \param path of the file; strings are
  /// UTF-8 \param metric that of an index which was built with a user_metric, and of no other \returns the index
  /// \throws format_error for a file that is damaged or holds no index, std::system_error where it cannot be read,
  /// std::invalid_argument where a metric is missing, or given and not needed
  template <detail::path_like P>
  static dynamic_index open(const P& path, const user_metric& metric = {}) {
    return from_file(detail::utf8(path), false, metric);
  }
  /// Maps the file: processes share its memory. Contents are not checked; verify() does. \param path,metric as of open
  /// \returns the index \throws format_error, std::system_error and std::invalid_argument as open
  template <detail::path_like P>
  static dynamic_index map(const P& path, const user_metric& metric = {}) {
    return from_file(detail::utf8(path), true, metric);
  }

  dynamic_index(dynamic_index&& other) noexcept : m_index(std::exchange(other.m_index, nullptr)) {}
  dynamic_index(const dynamic_index& other) {
    if (other.m_index != nullptr)
      detail::call([&](annulus_error* error) { return annulus_copy(other.m_index, &m_index, error); });
  }
  /// \param other copied or moved from \returns *this
  dynamic_index& operator=(dynamic_index other) noexcept {
    std::swap(m_index, other.m_index);
    return *this;
  }
  ~dynamic_index() { annulus_free(m_index); }

  /// Replaces the file at once or not at all, as annulus::save does. \param path of the file; strings are UTF-8 \throws
  /// std::system_error where it cannot be written
  template <detail::path_like P>
  void save(const P& path) const {
    const std::string name = detail::utf8(path);
    detail::call([&](annulus_error* error) { return annulus_save(m_index, name.c_str(), error); });
  }
  /// Checks all that the index holds. O(bytes). \throws format_error that names the first defect
  void verify() const {
    detail::call([&](annulus_error* error) { return annulus_verify(m_index, error); });
  }

  /// The k nearest rows of each query, nearest first, ties by lower id. \param queries m x dim() \param k at least 1
  /// \param params see there \returns m x k ids and distances, padded with no_id and +infinity \throws
  /// std::invalid_argument for k = 0, queries of another dimension or type, and parameters that the kind does not have;
  /// cancelled
  neighbors search(const any_rows& queries, std::size_t k, const dynamic_search_params& params = {}) const {
    neighbors found(queries.size(), k);
    search(queries, k, {found.ids.data(), queries.size() * k}, {found.distances.data(), queries.size() * k}, params);
    return found;
  }
  /// The same into memory of the caller. \param queries,k,params as above \param ids,distances queries.size() * k, row
  /// after row \throws std::invalid_argument also for spans of another size; cancelled
  void search(const any_rows& queries, std::size_t k, std::span<id_type> ids, std::span<float> distances,
              const dynamic_search_params& params = {}) const {
    const std::size_t size = detail::checked_product(queries.size(), k, "k");
    if (ids.size() != size) detail::invalid("ids.size()", ids.size(), "must be queries.size() * k = ", size);
    if (distances.size() != size)
      detail::invalid("distances.size()", distances.size(), "must be queries.size() * k = ", size);
    const detail::c_search_params given(params);
    detail::call(given.kept(), [&](annulus_error* error) {
      return annulus_search(m_index, queries.c_rows(), k, given.get(), ids.data(), distances.data(), error);
    });
  }
  /// nndescent, lsh: all rows within a distance of each query that the search finds, nearest first. \param queries m x
  /// dim() \param radius that distance \param params see there \returns m lists \throws std::invalid_argument for NaN,
  /// and as search
  csr radius_search(const any_rows& queries, float radius, const dynamic_search_params& params = {}) const {
    const detail::c_search_params given(params);
    detail::c_lists found;
    detail::call(given.kept(), [&](annulus_error* error) {
      return annulus_radius_search(m_index, queries.c_rows(), radius, given.get(), &found, error);
    });
    return found.to_csr();
  }
  /// lsh: the rows that share buckets with each query. \param queries m x dim() \param params n_probes, max_candidates,
  /// threads and filter \returns m lists, in place of a distance in how many buckets \throws std::invalid_argument as
  /// search
  csr candidates(const any_rows& queries, const dynamic_search_params& params = {}) const {
    const detail::c_search_params given(params);
    detail::c_lists found;
    detail::call(given.kept(), [&](annulus_error* error) {
      return annulus_candidates(m_index, queries.c_rows(), given.get(), &found, error);
    });
    return found.to_csr();
  }

  /// lsh: how many rows the buckets of all tables hold. O(rows tables). \returns their number, sizes and memory \throws
  /// std::invalid_argument for another kind
  annulus_buckets describe_buckets() const {
    annulus_buckets found;
    detail::call([&](annulus_error* error) { return annulus_describe_buckets(m_index, &found, error); });
    return found;
  }

  /// All but rabitq: adds rows. \param rows m x dim() \param threads 0: all cores; lsh takes those of its build
  /// \returns the id of the first; the others follow \throws std::invalid_argument for rows that the index does not
  /// take
  id_type insert(const any_rows& rows, std::size_t threads = 0) {
    id_type first = no_id;
    detail::call([&](annulus_error* error) { return annulus_insert(m_index, rows.c_rows(), threads, &first, error); });
    return first;
  }
  /// nndescent, lsh: removes a row. \param id of the row \throws std::invalid_argument where there is none
  void erase(id_type id) {
    detail::call([&](annulus_error* error) { return annulus_erase(m_index, id, error); });
  }
  /// nndescent, lsh: replaces a row, which keeps its id. \param id of the row \param row 1 x dim() \throws
  /// std::invalid_argument as insert and erase
  void update(id_type id, const any_rows& row) {
    detail::call([&](annulus_error* error) { return annulus_update(m_index, id, row.c_rows(), error); });
  }
  /// nndescent, lsh: frees the memory of erased rows, which else happens by itself in time. \throws
  /// std::invalid_argument for another kind
  void consolidate() {
    detail::call([&](annulus_error* error) { return annulus_consolidate(m_index, error); });
  }

  /// nndescent: the cheapest search of a recall, tried with rows of the index. \param recall_target the share of the k
  /// nearest rows that is found, in (0, 1] \param k at least 1 \param n_queries how many rows it is tried with \param
  /// threads 0: all cores \returns the search, and the recall that it has \throws std::invalid_argument for values out
  /// of range
  dynamic_tuned_search tune(double recall_target, std::size_t k = 10, std::size_t n_queries = 300,
                            std::size_t threads = 0) const {
    return tuned(nullptr, recall_target, k, n_queries, threads);
  }
  /// The same, tried with queries. \param queries m x dim() \param recall_target,k,threads as above \returns as above
  /// \throws std::invalid_argument also for m = 0 and another dimension
  dynamic_tuned_search tune(const any_rows& queries, double recall_target, std::size_t k = 10,
                            std::size_t threads = 0) const {
    return tuned(queries.c_rows(), recall_target, k, queries.size(), threads);
  }
  /// nndescent: the k-NN graph. \returns the neighbours of each row of the index \throws std::invalid_argument for
  /// another kind
  neighbors graph() const {
    detail::c_lists lists;
    detail::call([&](annulus_error* error) { return annulus_graph(m_index, &lists, error); });
    return lists.to_neighbors();
  }

  std::size_t size() const noexcept { return annulus_size(m_index); }  ///< \returns rows
  std::size_t dim() const noexcept { return annulus_dim(m_index); }    ///< \returns coordinates of a row; of bits, bits
  std::size_t memory_bytes() const noexcept { return annulus_memory_bytes(m_index); }  ///< \returns bytes
  /// \param name "kind", "metric", "storage" (or family, or quantizer) or "rows" \returns its text, as "rows of
  /// float32"; empty where it has none
  std::string_view info(const char* name) const noexcept {
    const char* const text = annulus_info(m_index, name);
    return text == nullptr ? std::string_view() : std::string_view(text);
  }
  const annulus_index* c_index() const noexcept { return m_index; }  ///< \returns it for the C interface

 private:
  explicit dynamic_index(annulus_index* index) noexcept : m_index(index) {}

  static dynamic_index from_file(const std::string& name, bool is_mapped, const user_metric& metric) {
    annulus_index* index = nullptr;
    detail::call([&](annulus_error* error) {
      return annulus_open_with(name.c_str(), is_mapped, metric.function, metric.user, &index, error);
    });
    return dynamic_index(index);
  }
  dynamic_tuned_search tuned(const annulus_rows* queries, double recall_target, std::size_t k, std::size_t n_queries,
                             std::size_t threads) const {
    annulus_tuned found;
    detail::call([&](annulus_error* error) {
      return annulus_tune(m_index, queries, recall_target, k, n_queries, threads, &found, error);
    });
    dynamic_search_params params;
    params.beam = found.params.beam;
    params.epsilon = found.params.epsilon;
    params.by_estimates = found.params.by_estimates != 0;
    return {params, found.recall, found.reached != 0};
  }

  annulus_index* m_index = nullptr;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
