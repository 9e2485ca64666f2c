#pragma once

// What the tests of searches within a filter or a radius check for each storage of an index.

#include "catch.hpp"
#include "nndescent/indexes.hpp"

namespace limited {

using namespace annulus;
using graphs::infinity;
using indexes::clustered;
using indexes::count_of;
using searches::same_bits;
using searches::well_formed;

using float_rows = matrix<float>;
constexpr std::size_t n = 3000, d = 12, k = 10;

inline const indexes::split<float>& data() {
  static const auto made = clustered<float>(n, d, 100, 30);
  return made;
}

template <class Storage>
const nndescent_index<float_rows, euclidean, Storage>& index_over() {
  static const nndescent_index<float_rows, euclidean, Storage> index(data().rows);
  return index;
}

inline std::vector<bool> share_of_rows(double share) {
  const counter_random random(3);
  std::vector<bool> allowed(n);
  for (std::size_t i = 0; i < n; ++i) allowed[i] = random.uniform(i) < share;
  return allowed;
}

inline id_filter callable(const std::vector<bool>& allowed) {
  return [allowed](id_type id) { return static_cast<bool>(allowed[id]); };
}

/// Row by row the share of a ball's rows that were found, over all queries; and what is found but not in the ball.
struct ball_scores {
  double recall = 0;
  std::size_t wrong = 0;
};

template <class Metric, class Allowed>
ball_scores judge(const csr& balls, const float_rows& rows, const float_rows& queries, float radius,
                  const Metric& metric, Allowed allowed) {
  std::size_t wanted = 0, met = 0, wrong = balls.indptr.size() != queries.rows() + 1;
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    const auto begin = static_cast<std::size_t>(balls.indptr[q]), end = static_cast<std::size_t>(balls.indptr[q + 1]);
    std::vector<bool> is_found(rows.rows());
    for (std::size_t i = begin; i < end; ++i) {
      const auto id = static_cast<std::size_t>(balls.indices[i]);
      const auto distance = static_cast<float>(metric(queries.row(q).data(), rows.row(id).data(), rows.cols()));
      wrong += is_found[id] || balls.distances[i] != distance || !(distance <= radius) ||
               !allowed(static_cast<id_type>(id)) || (i > begin && balls.distances[i] < balls.distances[i - 1]);
      is_found[id] = true;
    }
    for (std::size_t id = 0; id < rows.rows(); ++id)
      if (allowed(static_cast<id_type>(id)) &&
          static_cast<float>(metric(queries.row(q).data(), rows.row(id).data(), rows.cols())) <= radius) {
        ++wanted;
        met += is_found[id];
      }
  }
  return {wanted == 0 ? 1.0 : static_cast<double>(met) / static_cast<double>(wanted), wrong};
}

inline const auto every_row = [](id_type) { return true; };

template <class Storage>
void check_filter() {
  for (const double share : {1.0, 0.9, 0.5, 0.1, 0.01}) {
    const auto allowed = share_of_rows(share);
    const auto truth = knn(data().rows, data().queries, k, euclidean{}, {.filter = allowed});
    for (const id_filter& filter : {id_filter(allowed), callable(allowed)})
      for (const std::size_t beam : {0u, 10u, 60u}) {
        const auto found = index_over<Storage>().search(data().queries, k, {.beam = beam, .filter = filter});
        CAPTURE(share, beam);
        CHECK(well_formed(found));
        CHECK(indexes::wrong_distances(found, data().rows, data().queries, euclidean{}) == 0);
        std::size_t forbidden = 0;
        for (const id_type id : std::span(found.ids.data(), 100 * k)) forbidden += id == no_id || !allowed[id];
        CHECK(forbidden == 0);
        CHECK(recall(found, truth, k) >= (beam == 10 ? 0.8 : 0.97));
      }
  }
}

template <class Storage>
void check_kinds_of_filters() {
  const auto allowed = share_of_rows(0.6);
  for (const std::size_t beam : {0u, 10u})
    CHECK(same_bits(index_over<Storage>().search(data().queries, k, {.beam = beam, .filter = allowed}),
                    index_over<Storage>().search(data().queries, k, {.beam = beam, .filter = callable(allowed)})));
}

template <class Storage>
void check_filter_of_one() {
  for (const id_type only : {0u, 1234u, 2999u}) {
    std::vector<bool> allowed(only + 1);
    allowed[only] = true;
    for (const std::size_t beam : {0u, 10u}) {
      const auto found = index_over<Storage>().search(data().queries, k, {.beam = beam, .filter = allowed});
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < 100; ++i) wrong += found.ids(i, 0) != only || count_of(found.ids.row(i)) != 1;
      CHECK(wrong == 0);
    }
  }
}

template <class Storage>
void check_filter_of_none() {
  for (const id_filter& filter :
       {id_filter(std::vector<bool>{}), id_filter(std::vector<bool>(n)), id_filter([](id_type) { return false; })}) {
    CHECK(same_bits(index_over<Storage>().search(data().queries, k, {.filter = filter}), neighbors(100, k)));
    CHECK(index_over<Storage>().radius_search(data().queries, infinity, {.filter = filter}).indices.empty());
  }
}

template <class Storage>
void check_radius() {
  for (const float radius : {1.0f, 3.0f, 5.0f, 8.0f, 100.0f}) {
    const auto balls = index_over<Storage>().radius_search(data().queries, radius);
    const auto scores = judge(balls, data().rows, data().queries, radius, euclidean{}, every_row);
    CAPTURE(radius, scores.recall);
    CHECK(scores.wrong == 0);
    CHECK(scores.recall >= 0.95);
    CHECK(balls.n_columns == n);
  }
}

/// How many rows a radius search finds that are the query.
template <class Index>
std::size_t found_themselves(const Index& index, float radius) {
  const auto balls = index.radius_search(data().rows, radius);
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; ++i)
    for (auto j = balls.indptr[i]; j < balls.indptr[i + 1]; ++j)
      count += balls.indices[static_cast<std::size_t>(j)] == static_cast<std::int32_t>(i);
  return count;
}

}  // namespace limited
