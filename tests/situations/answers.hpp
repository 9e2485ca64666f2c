#pragma once

// Checks of what an index answers, and how much of the truth it has.

#include "situations/history.hpp"

namespace situations {

/// How many of how many rows were found.
struct share {
  std::size_t found = 0, expected = 0;
  double value() const { return expected > 0 ? static_cast<double>(found) / static_cast<double>(expected) : 1; }
  share& operator+=(const share& other) {
    found += other.found;
    expected += other.expected;
    return *this;
  }
};

/// Checks that rows are there, pass, ascend, and have their distances, and that padding stands only where fewer rows
/// pass. Returns how many are no further than the last of the true neighbours, so that ties count whichever is found.
inline share check_answer(const collection& rows, std::span<const float> query, std::span<const id_type> ids,
                          std::span<const float> distances, const passing_ids& passing) {
  const auto truth = rows.nearest(query, ids.size(), passing);
  const auto n_found = static_cast<std::size_t>(std::ranges::find(ids, no_id) - ids.begin());
  for (std::size_t j = n_found; j < ids.size(); ++j)
    require(ids[j] == no_id && !annulus::detail::is_finite(distances[j]) && distances[j] > 0,
            "padding is not at the end, or at ", distances[j]);
  require(n_found == truth.size(), n_found, " rows are returned of ", truth.size(), " that pass");
  rows.check_order(ids.first(n_found), distances.first(n_found));
  share result{0, truth.size()};
  for (std::size_t j = 0; j < n_found; ++j) {
    rows.check_row(query, ids[j], distances[j], passing);
    result.found += rows.distance(query, ids[j]) <= truth.back().distance + rows.tolerance(query, truth.back());
  }
  return result;
}

/// The same for all queries.
inline share share_found(const history& of, const matrix<float>& queries, std::size_t k, const passing_ids& passing,
                         annulus::nndescent_search_params params = {}) {
  params.threads = 1;
  if (std::ranges::find(passing, false) != passing.end()) params.filter = filter_of(passing);
  const neighbors found = of.index().search(queries, k, params);
  share total;
  for (std::size_t i = 0; i < queries.rows(); ++i)
    total += check_answer(of.rows(), queries.row(i), found.ids.row(i), found.distances.row(i), passing);
  return total;
}

/// The share of the rows within the radius that a search for them finds. Rows that are as far as the radius, give or
/// take a rounding, may be there or not.
inline share share_within(const history& of, const matrix<float>& queries, float radius, const passing_ids& passing) {
  const auto found = of.index().radius_search(queries, radius, {.threads = 1, .filter = filter_of(passing)});
  const collection& rows = of.rows();
  share total;
  for (std::size_t i = 0; i < queries.rows(); ++i) {
    const auto begin = static_cast<std::size_t>(found.indptr[i]), end = static_cast<std::size_t>(found.indptr[i + 1]);
    std::vector<id_type> ids(found.indices.begin() + found.indptr[i], found.indices.begin() + found.indptr[i + 1]);
    const std::span distances(found.distances.data() + begin, end - begin);
    rows.check_order(ids, distances);
    for (std::size_t e = 0; e < ids.size(); ++e) {
      rows.check_row(queries.row(i), ids[e], distances[e], passing);
      require(distances[e] <= radius, "a row at ", distances[e], " is within a radius of ", radius);
    }
    std::ranges::sort(ids);
    for (const auto& at : rows.nearest(queries.row(i), rows.size(), passing)) {
      if (at.distance + rows.tolerance(queries.row(i), at) > static_cast<double>(radius)) continue;
      ++total.expected;
      total.found += std::ranges::binary_search(ids, at.id);
    }
  }
  return total;
}

/// How much of the true lists of neighbours the index's graph has, over rows 0, every, 2 every, ... of the collection.
inline share share_of_graph(const any_index& index, const collection& rows, std::size_t every) {
  const graph_lists graph = index.graph();
  const std::size_t width = graph.lists.ids.cols();
  share total;
  for (std::size_t i = 0; i < rows.size(); i += every) {
    const id_type id = rows.ids()[i];
    const auto query = rows.row(id);
    passing_ids others = rows.all();
    others[id] = false;
    const auto truth = rows.nearest(query, width, others);
    total.expected += truth.size();
    const auto place = static_cast<std::size_t>(std::ranges::lower_bound(graph.ids, id) - graph.ids.begin());
    if (place == graph.ids.size() || graph.ids[place] != id) continue;
    const auto list = graph.lists.ids.row(place);
    const auto distances = graph.lists.distances.row(place);
    const auto count = static_cast<std::size_t>(std::ranges::find(list, no_id) - list.begin());
    rows.check_order(list.first(count), distances.first(count));
    for (std::size_t j = 0; j < count; ++j) {
      rows.check_row(query, list[j], distances[j], others);
      total.found += rows.distance(query, list[j]) <= truth.back().distance + rows.tolerance(query, truth.back());
    }
  }
  return total;
}

}  // namespace situations
