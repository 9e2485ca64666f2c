#pragma once

#include <annulus/approx_top_k/approx_min_k.hpp>
#include <annulus/knn/knn.hpp>
#include <cstddef>

// Included by every unit, each of which must get its own instruction set from the headers and the right answer, 2.
namespace {

/// The row nearest to the query, or 99 where the ways of finding it do not agree.
std::size_t nearest() {
  constexpr std::size_t n = 90, d = 37;
  annulus::matrix<float> rows(n, d);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j) rows(i, j) = static_cast<float>((i * 31 + j * 17) % 23) - 11;
  for (std::size_t j = 0; j < d; ++j) rows(2, j) = 0.25f;

  const annulus::matrix<float> query(1, d), queries(20, d);  // one is searched by the kernel, many by tiles
  const auto found = annulus::knn(rows, query, n, annulus::euclidean{});
  const auto found_by_tiles = annulus::knn(rows, queries, 3, annulus::euclidean{});
  std::vector<float> distances(n);
  for (std::size_t j = 0; j < n; ++j) distances[found.ids(0, j)] = found.distances(0, j);
  const auto least = annulus::approx_min_k(distances, 1);

  // A row with a NaN is refused, and a NaN is nobody's neighbour.
  annulus::matrix<float> damaged = rows;
  damaged(5, 5) = distances[5] = std::numeric_limits<float>::quiet_NaN();
  bool refuses = false;
  try {
    annulus::knn(damaged, query, 1);
  } catch (const std::invalid_argument&) {
    refuses = true;
  }
  const auto all_but_one = annulus::approx_max_k(distances, n, {.recall_target = 1});

  const bool agree = refuses && all_but_one.indices[n - 1] == 5 && found_by_tiles.ids(19, 0) == found.ids(0, 0) &&
                     least.indices[0] == found.ids(0, 0) && found_by_tiles.distances(19, 2) == found.distances(0, 2);
  return agree ? found.ids(0, 0) : 99;
}

}  // namespace
