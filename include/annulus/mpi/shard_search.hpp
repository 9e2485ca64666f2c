#pragma once

/// \file
/// The search of one shard: what its index finds, as lists of k neighbours by global ids, in the order by which lists
/// are merged. annulus.hpp leaves this header out.

#include <annulus/core/metric/metric.hpp>
#include <annulus/core/metric/rewritten_metric.hpp>
#include <annulus/core/result/filter.hpp>
#include <annulus/core/result/neighbors.hpp>
#include <annulus/metrics/table.hpp>
#include <annulus/mpi/global_ids.hpp>
#include <annulus/mpi/global_neighbors.hpp>
#include <annulus/mpi/packed_rows.hpp>

#include <functional>
#include <numeric>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {
namespace mpi {

/// Parameters of an index of codes, with the rows by which the best of what it finds are ranked: on each rank those of
/// its shard, in the order of the index.
template <class Params>
struct ranked_by_rows {
  matrix_view<float> rows;  ///< of this rank
  Params params = {};       ///< of the index
};

/// Which rows may be returned, by their global ids; empty: all. A rank asks about its own rows, from several threads.
using global_filter = std::function<bool(std::int64_t)>;

/// What a sharded_index can be of: an index that names its queries and its parameters.
template <class Index>
concept shard_index = requires(const Index& index) {
  typename Index::view_type;
  typename Index::search_params;
  { index.size() } -> std::convertible_to<std::size_t>;
  { index.dim() } -> std::convertible_to<std::size_t>;
};

}  // namespace mpi

namespace detail {

template <class Index>
inline constexpr bool is_dynamic_index = std::same_as<typename Index::view_type, any_rows>;

template <class Index>
concept searches_alone = requires(const Index& index, const typename Index::view_type& queries,
                                  const typename Index::search_params& params) {
  index.search(queries, std::size_t{1}, params);
};
template <class Index>
concept searches_with_rows = requires(const Index& index, const typename Index::view_type& queries,
                                      const mpi::ranked_by_rows<typename Index::search_params>& params) {
  index.search(queries, std::size_t{1}, params.rows, params.params);
};
/// The parameters of a search that has no others.
template <class Index>
struct shard_params {
  using type = mpi::ranked_by_rows<typename Index::search_params>;
};
template <searches_alone Index>
struct shard_params<Index> {
  using type = typename Index::search_params;
};

/// Parameters with rows, of an index that searches without them too.
template <class Params, class Index>
concept extra_params_of = searches_alone<Index> && searches_with_rows<Index> &&
    std::same_as<Params, mpi::ranked_by_rows<typename Index::search_params>>;
template <class Index>
concept searches_radius = requires(const Index& index, const typename Index::view_type& queries,
                                   const typename Index::search_params& params) {
  index.radius_search(queries, 1.0f, params);
};

template <class Index, class Params>
neighbors search_index(const Index& index, const typename Index::view_type& queries, std::size_t k,
                       const Params& params) {
  if constexpr (std::same_as<Params, typename Index::search_params>) return index.search(queries, k, params);
  else return index.search(queries, k, params.rows, params.params);
}

template <class Params>
void set_filter(Params& params, const id_filter& filter) {
  if constexpr (requires { params.params; }) params.params.filter = filter;
  else params.filter = filter;
}

/// Whether an index of these rows compares numbers that are not its distances, some of which round to one distance, as
/// the squares of euclidean distances do.
template <class Metric, class T>
constexpr bool rounds_ranks() {
  if constexpr (rewrites_rows<Metric, T>) return true;
  else return !std::same_as<rank_t<Metric, T>, float> || has_to_distance<Metric, float>;
}

/// What types of indexes tell, of an index that is named at run time.
template <class Index>
std::string shard_description(const Index& index) {
  std::string text;
  if constexpr (is_dynamic_index<Index>)
    for (const char* const name : {"kind", "metric", "rows"}) {
      if (!text.empty()) text += ", ";
      text += index.info(name);
    }
  return text;
}

/// Whether the search is exact, so that the answer over shards is to be that of one index, and more than k rows may tie
/// with the k-th by their distance, though not by what the index compares: which of these it returns depends on what
/// else it holds.
template <class Index, class Params>
bool hides_ties(const Index& index, const Params& params) {
  if constexpr (is_dynamic_index<Index>) {
    if (index.info("kind") != "flat" || params.recall_target.value_or(1.0) < 1) return false;
    const metric_info* const known = find_metric(index.info("metric"));
    return known == nullptr || !known->proxy.empty() || index.info("rows") == "rows of float64";
  } else if constexpr (Index::kind == "flat_index") {
    using metric_type = std::remove_cvref_t<decltype(index.metric())>;
    return rounds_ranks<metric_type, typename Index::value_type>() && !(params.recall_target < 1);
  } else {
    return false;
  }
}

/// Writes a list of k for each query. Where ties are hidden one more row is asked for, and for queries whose last row
/// ties with the k-th twice as many, until the k first by distance and global id are known.
template <class Index, class Params>
void search_shard(const Index& index, const typename Index::view_type& queries, std::size_t k, const Params& params,
                  const global_ids& ids, std::span<global_candidate> lists) {
  const bool widens = hides_ties(index, params);
  std::size_t width = widens ? k + 1 : k;
  std::vector<global_candidate> row;
  // Whether the list of the query is complete.
  const auto take = [&](const neighbors& found, std::size_t i, std::span<global_candidate> list) {
    row.clear();
    for (std::size_t j = 0; j < width && found.ids(i, j) != no_id; ++j)
      row.emplace_back(found.distances(i, j), ids.global_of(found.ids(i, j)));
    if (widens && row.size() == width && row[k - 1].distance == row.back().distance) return false;
    if (!std::is_sorted(row.begin(), row.end())) std::sort(row.begin(), row.end());
    std::ranges::copy_n(row.begin(), static_cast<std::ptrdiff_t>(std::min(k, row.size())), list.begin());
    return true;
  };
  std::vector<std::size_t> open;
  const neighbors first = search_index(index, queries, width, params);
  for (std::size_t i = 0; i < queries.size(); ++i)
    if (!take(first, i, lists.subspan(i * k, k))) open.push_back(i);
  while (!open.empty()) {
    width *= 2;
    const packed_rows packed = pack_rows(queries, open);
    const neighbors found = search_index(index, unpack_rows<typename Index::view_type>(packed), width, params);
    std::vector<std::size_t> still_open;
    for (std::size_t i = 0; i < open.size(); ++i)
      if (!take(found, i, lists.subspan(open[i] * k, k))) still_open.push_back(open[i]);
    open = std::move(still_open);
  }
}

/// Writes the lists of k of all queries over padding. `between`, if given, is called after every few hundred queries:
/// an answer does not depend on its batch.
template <class Index, class Params>
void write_shard_lists(const Index& index, const typename Index::view_type& queries, std::size_t k, Params params,
                       const global_ids& ids, const mpi::global_filter& filter, std::span<global_candidate> lists,
                       const std::function<void()>& between = {}) {
  if (queries.size() > 0 && queries.dim() != index.dim())
    invalid("query dimension", queries.dim(), "must equal the index's ", index.dim());
  if (index.size() == 0 || queries.size() == 0) return;
  if (filter) set_filter(params, [&](id_type id) { return filter(ids.global_of(id)); });
  if (!between) {
    search_shard(index, queries, k, params, ids, lists);
    return;
  }
  constexpr std::size_t at_once = 256;
  for (std::size_t begin = 0; begin < queries.size(); begin += at_once) {
    const std::size_t count = std::min(at_once, queries.size() - begin);
    const packed_rows packed = pack_rows(queries, row_range{begin, count});
    search_shard(index, unpack_rows<typename Index::view_type>(packed), k, params, ids,
                 lists.subspan(begin * k, count * k));
    between();
  }
}
/// The same into memory of their own.
template <class Index, class Params>
std::vector<global_candidate> shard_lists(const Index& index, const typename Index::view_type& queries, std::size_t k,
                                          const Params& params, const global_ids& ids,
                                          const mpi::global_filter& filter) {
  check_list_length(k);
  std::vector<global_candidate> lists(checked_product(queries.size(), k, "queries * k"));
  write_shard_lists(index, queries, k, params, ids, filter, std::span(lists));
  return lists;
}

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
