#pragma once

// What the tests of changes check for each storage of an index.

#include <tuple>

#include "message_of.hpp"
#include "nndescent/random_changes.hpp"

namespace changes {

using graphs::infinity;
using graphs::not_a_number;
using searches::same_bits;

inline const nndescent_search_params narrow{.beam = 40}, wide{.beam = 200};

/// How many of some rows, whose ids follow each other, are not the first answer to a search for themselves.
template <class Index>
std::size_t lost(const Index& index, const float_rows& rows, id_type first,
                 const nndescent_search_params& params = wide) {
  const auto found = index.search(rows, 1, params);
  std::size_t count = 0;
  for (std::size_t i = 0; i < rows.rows(); ++i) count += found.ids(i, 0) != first + i && found.distances(i, 0) != 0;
  return count;
}

inline const indexes::split<float>& data() {
  static const auto made = clustered<float>(1500, 12, 60, 15);
  return made;
}

template <class Storage>
void check_first_ids() {
  index_over<Storage> index(rows_between(data().rows, 0, 300));
  CHECK(index.insert(rows_between(data().rows, 300, 301)) == 300);
  CHECK(index.insert(float_rows(0, 12)) == 301);
  CHECK(index.insert(rows_between(data().rows, 301, 400)) == 301);
  CHECK(index.insert(data().rows.row(400)) == 400);
  CHECK(index.size() == 401);
  CHECK(index.graph().ids.rows() == 401);
}

template <class Storage>
void check_inserted() {
  index_over<Storage> index(rows_between(data().rows, 0, 1000));
  const auto more = rows_between(data().rows, 1000, 1500);
  index.insert(more);
  CHECK(lost(index, more, 1000) == 0);
  const auto found = index.search(data().queries, 10);
  CHECK(well_formed(found));
  CHECK(indexes::wrong_distances(found, data().rows, data().queries, euclidean{}) == 0);
  CHECK(recall(found, knn(data().rows, data().queries, 10), 10) >= 0.98);
}

template <class Storage>
void check_growth() {
  index_over<Storage> index(float_rows(0, 12));
  CHECK(index.insert(data().rows.row(0)) == 0);
  CHECK(index.search(data().queries, 3).ids(0, 0) == 0);
  CHECK(index.insert(rows_between(data().rows, 1, 1500)) == 1);
  CHECK(lost(index, data().rows, 0) == 0);
  const auto found = index.search(data().queries, 10);
  CHECK(indexes::wrong_distances(found, data().rows, data().queries, euclidean{}) == 0);
  CHECK(recall(found, knn(data().rows, data().queries, 10), 10) >= 0.98);
}

template <class Storage>
void check_refused_insert() {
  index_over<Storage> index(rows_between(data().rows, 0, 500));
  const auto before = index.search(data().queries, 10);
  const auto graph = index.graph();
  for (const float bad : {not_a_number, infinity}) {
    auto rows = rows_between(data().rows, 500, 510);
    rows(4, 2) = bad;
    CHECK_THAT(message_of([&] { index.insert(rows); }), ContainsSubstring("row 4, coordinate 2"));
    CHECK_THROWS_AS(index.update(3, rows.row(4)), std::invalid_argument);
  }
  CHECK_THAT(message_of([&] { index.insert(float_rows(3, 11)); }), ContainsSubstring("dimension = 11"));
  CHECK_THAT(message_of([&] { index.update(3, std::vector<float>(11)); }), ContainsSubstring("dimension = 11"));
  CHECK(index.size() == 500);
  CHECK(same_bits(index.search(data().queries, 10), before));
  CHECK(same_bits(index.graph(), graph));
}

template <class Storage>
void check_erased() {
  index_over<Storage> index(data().rows);
  std::vector<bool> is_left(1500, true);
  std::size_t size = 1500;
  for (std::size_t i = 0; i < 1500; i += 3) {
    index.erase(static_cast<id_type>(i));
    is_left[i] = false;
    CHECK(index.size() == --size);
    if (i % 100 != 0) continue;
    for (const nndescent_search_params& params : {nndescent_search_params{}, narrow}) {
      const auto found = index.search(data().queries, 10, params);
      CHECK(well_formed(found));
      CHECK(std::ranges::all_of(std::span(found.ids.data(), 600), [&](id_type id) { return is_left[id]; }));
      CHECK(recall(found, knn(data().rows, data().queries, 10, euclidean{}, {.filter = is_left}), 10) >= 0.97);
    }
  }
  const auto balls = index.radius_search(data().queries, 5);
  CHECK(std::ranges::all_of(balls.indices, [&](std::int32_t id) { return is_left[static_cast<std::size_t>(id)]; }));
  CHECK(balls.n_columns == 1500);
}

template <class Storage>
void check_emptied() {
  index_over<Storage> index(rows_between(data().rows, 0, 400));
  for (std::size_t i = 0; i < 400; ++i) index.erase(static_cast<id_type>((7 * i) % 400));
  CHECK(index.size() == 0);
  CHECK(same_bits(index.search(data().queries, 5), neighbors(60, 5)));
  CHECK(same_bits(index.search(data().queries, 5, {.filter = std::vector<bool>(400, true)}), neighbors(60, 5)));
  CHECK(index.radius_search(data().queries, infinity).indices.empty());
  CHECK(index.graph().ids.rows() == 0);
  CHECK(index.ids().empty());
  index.consolidate();
  const auto more = rows_between(data().rows, 500, 1200);
  CHECK(index.insert(more) == 400);
  CHECK(index.size() == 700);
  CHECK(lost(index, more, 400) == 0);
  const auto found = index.search(data().queries, 10, narrow);
  CHECK(recall(found, knn(more, data().queries, 10), 10) >= 0.95);
}

template <class Storage>
void check_consolidated() {
  index_over<Storage> index(data().rows);
  for (std::size_t i = 0; i < 1500; ++i)
    if (i % 10 != 3) index.erase(static_cast<id_type>(i));
  index.consolidate();
  CHECK(index.size() == 150);
  float_rows left(150, 12);
  for (std::size_t i = 0; i < 150; ++i) std::ranges::copy(data().rows.row(10 * i + 3), left.row(i).begin());
  const auto found = index.search(left, 1, {.beam = 30});
  std::size_t missed = 0;
  for (std::size_t i = 0; i < 150; ++i) missed += found.ids(i, 0) != 10 * i + 3;
  CHECK(missed == 0);
  CHECK(index.search(left, 150).ids(0, 149) != no_id);
}

template <class Storage>
void check_updated() {
  index_over<Storage> index(rows_between(data().rows, 0, 1000));
  auto rows = rows_between(data().rows, 0, 1000);
  for (std::size_t i = 0; i < 1000; i += 2) {
    std::ranges::copy(data().rows.row(1000 + i / 2), rows.row(i).begin());
    index.update(static_cast<id_type>(i), rows.row(i));
  }
  CHECK(index.size() == 1000);
  CHECK(lost(index, rows, 0) == 0);
  for (const nndescent_search_params& params : {nndescent_search_params{}, narrow}) {
    const auto found = index.search(data().queries, 10, params);
    CHECK(well_formed(found));
    CHECK(indexes::wrong_distances(found, rows, data().queries, euclidean{}) == 0);
    CHECK(recall(found, knn(rows, data().queries, 10), 10) >= 0.97);
  }
}

template <class Storage>
void check_recall_of_changed() {
  const auto all = clustered<float>(4000, 16, 200, 40);
  index_over<Storage> index(rows_between(all.rows, 0, 3200));
  index.insert(rows_between(all.rows, 3200, 4000));
  std::vector<bool> is_left(4000, true);
  for (std::size_t i = 0; i < 4000; i += 5) {
    is_left[i] = false;
    index.erase(static_cast<id_type>(i));
  }
  index.consolidate();
  float_rows left(3200, 16);
  for (std::size_t i = 0, at = 0; i < 4000; ++i)
    if (is_left[i]) std::ranges::copy(all.rows.row(i), left.row(at++).begin());
  const index_over<Storage> rebuilt(left);
  const auto truth = knn(left, all.queries, 10);
  for (const std::size_t beam : {20u, 40u}) {
    CAPTURE(beam);
    const double changed = recall(index.search(all.queries, 10, {.beam = beam}), truth, 10);
    CHECK(changed >= recall(rebuilt.search(all.queries, 10, {.beam = beam}), truth, 10) - 0.01);
  }
}

template <class Storage>
void check_copy() {
  index_over<Storage> index(rows_between(data().rows, 0, 1000));
  const auto before = index.search(data().queries, 10);
  index_over<Storage> copy = index;
  index.insert(rows_between(data().rows, 1000, 1500));
  index.erase(0);
  const auto after = index.search(data().queries, 10);
  CHECK(copy.size() == 1000);
  CHECK(same_bits(copy.search(data().queries, 10), before));
  copy = index;
  CHECK(same_bits(copy.search(data().queries, 10), after));
  CHECK(same_bits(copy.graph(), index.graph()));
}

template <class Storage>
void check_move() {
  index_over<Storage> index(rows_between(data().rows, 0, 1000));
  const auto before = index.search(data().queries, 10);
  index_over<Storage> moved = std::move(index);
  CHECK(same_bits(moved.search(data().queries, 10), before));
  index_over<Storage> other(rows_between(data().rows, 0, 3));
  other = std::move(moved);
  CHECK(same_bits(other.search(data().queries, 10), before));
  CHECK(other.insert(rows_between(data().rows, 1000, 1010)) == 1000);
}

template <class Storage>
void check_threads() {
  const nndescent_params params{.n_neighbors = 10, .pruning_degree_multiplier = 0.4};  // edges are full
  index_over<Storage> start(rows_between(data().rows, 0, 700), {}, params);
  for (id_type id = 0; id < 400; id += 3) start.erase(id);
  const auto more = indexes::joined(rows_between(data().rows, 600, 1500), rows_between(data().rows, 0, 300));
  const auto changed_by = [&](std::size_t threads) {
    index_over<Storage> index = start;
    index.insert(more, {.threads = threads});
    return std::tuple(index.search(data().queries, 10, {.beam = 10}), index.graph(), index.ids());
  };
  const auto expected = changed_by(1);
  for (const std::size_t threads : {0u, 2u, 3u, 8u}) {
    CAPTURE(threads);
    CHECK(changed_by(threads) == expected);
  }
}

template <class Storage>
void check_equal_rows() {
  const auto some = rows_between(data().rows, 0, 500), twice = rows_between(data().rows, 100, 200);
  index_over<Storage> index(indexes::joined(some, twice));  // ids 500 to 599 are copies of 100 to 199
  CHECK(index.insert(twice) == 600);
  CHECK(index.size() == 700);
  const auto copies_of = [&](std::size_t i) {
    const auto found = index.search(twice.row(i), 8);
    const auto end = std::ranges::upper_bound(found.distances.row(0), 0.0f);
    return std::vector<id_type>(found.ids.row(0).begin(),
                                found.ids.row(0).begin() + (end - found.distances.row(0).begin()));
  };
  for (id_type i = 0; i < 100; i += 7) CHECK(copies_of(i) == std::vector<id_type>{100 + i, 500 + i, 600 + i});
  CHECK(well_formed(index.graph()));

  index.erase(507);
  CHECK(index.size() == 699);
  CHECK(copies_of(7) == std::vector<id_type>{107, 607});
  CHECK_THROWS_AS(index.erase(507), std::invalid_argument);

  index.update(3, twice.row(14));  // a fourth
  CHECK(copies_of(14) == std::vector<id_type>{3, 114, 514, 614});
  index.update(3, some.row(3));
  CHECK(copies_of(14) == std::vector<id_type>{114, 514, 614});
  CHECK(index.search(some.row(3), 1).ids(0, 0) == 3);
  for (const id_type id : {114u, 514u, 614u}) index.erase(id);
  CHECK(copies_of(14).empty());
  CHECK(index.insert(twice.row(14)) == 700);
  CHECK(copies_of(14) == std::vector<id_type>{700});
}

template <class Metric>
void check_graph_of_copies() {
  auto rows = rows_between(data().rows, 0, 600);
  for (std::size_t i = 0; i < 600; ++i)
    if (i % 5 != 0) std::ranges::copy(rows.row(i - i % 5), rows.row(i).begin());
  nndescent_index index(rows, Metric{}, {.n_neighbors = 12});
  const auto check = [&](const float_rows& all) {
    const auto graph = index.graph();
    CHECK(graphs::well_formed(graph));
    CHECK(graphs::holes(graph) == 0);
    CHECK(indexes::wrong_distances(graph, all, all, Metric{}) == 0);
    CHECK(estimate_recall(graph, all, Metric{}, {.n_samples = 300}) >= 0.95);
  };
  check(rows);
  index.insert(rows_between(rows, 0, 200));
  check(indexes::joined(rows, rows_between(rows, 0, 200)));
}

}  // namespace changes
