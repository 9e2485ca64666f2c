#include <annulus/core/base/random.hpp>
#include <annulus/nndescent/graph/copied_lists.hpp>

#include "catch.hpp"

using annulus::candidate;
using annulus::counter_random;
using annulus::id_type;
using annulus::neighbors;

namespace {

/// Rows of one number each, several of which may be equal, under |a - b| + offset or, as inner products are, -a b.
struct numbers {
  std::vector<float> vertices;  ///< different
  std::vector<id_type> ids;     ///< ascending, of all rows
  std::vector<std::vector<id_type>> ids_at;
  std::vector<std::size_t> vertex_of;  ///< of each of ids
  bool is_product;

  float distance(std::size_t a, std::size_t b) const {
    return is_product ? -vertices[a] * vertices[b] : std::abs(vertices[a] - vertices[b]);
  }
};

numbers some_numbers(std::size_t n_vertices, std::size_t n_rows, bool has_ties, bool is_product, std::uint64_t seed) {
  const counter_random random(seed);
  numbers made;
  made.is_product = is_product;
  made.ids_at.resize(n_vertices);
  for (std::size_t v = 0; v < n_vertices; ++v)
    made.vertices.push_back(has_ties ? static_cast<float>(v) - static_cast<float>(n_vertices / 2)
                                     : static_cast<float>(random.normal(v)));
  id_type id = 0;
  for (std::size_t i = 0; i < n_rows; ++i) {
    id += static_cast<id_type>(seed % 2 == 0 ? 1 : 1 + random.below(10000 + i, 3));  // with gaps, of erased rows
    const std::size_t v = i < n_vertices ? i : random.below(20000 + i, n_vertices) * random.below(30000 + i, 2);
    made.ids.push_back(id - 1);
    made.vertex_of.push_back(v);
    made.ids_at[v].push_back(id - 1);
  }
  return made;
}

/// The lists of all rows by comparison of each with each.
neighbors naive(const numbers& rows, std::size_t width, bool include_self) {
  neighbors result(rows.ids.size(), width);
  for (std::size_t i = 0; i < rows.ids.size(); ++i) {
    std::vector<candidate<float>> all;
    for (std::size_t j = 0; j < rows.ids.size(); ++j)
      if (i != j) all.push_back({rows.distance(rows.vertex_of[i], rows.vertex_of[j]), rows.ids[j]});
    std::sort(all.begin(), all.end());
    if (include_self) all.insert(all.begin(), {rows.distance(rows.vertex_of[i], rows.vertex_of[i]), rows.ids[i]});
    for (std::size_t j = 0; j < std::min(width, all.size()); ++j) {
      result.ids(i, j) = all[j].id;
      result.distances(i, j) = all[j].rank;
    }
  }
  return result;
}

/// The same from lists of at most `length` different rows each.
neighbors from_lists(const numbers& rows, std::size_t width, std::size_t length, bool include_self,
                     std::size_t threads) {
  const auto ids_at = [&](id_type v) -> std::span<const id_type> { return rows.ids_at[v]; };
  const auto list_of = [&](id_type v, std::size_t, std::vector<candidate<float>>& list) {
    list.clear();
    for (id_type other = 0; other < rows.vertices.size(); ++other)
      if (other != v) list.push_back({rows.distance(v, other), other});
    std::sort(list.begin(), list.end());
    list.resize(std::min(list.size(), length));
    return rows.distance(v, v);
  };
  return annulus::detail::lists_with_copies(rows.ids, rows.vertices.size(), width, include_self, threads, ids_at,
                                            list_of);
}

}  // namespace

TEST_CASE("lists of all rows follow from those of the different ones", "[copied_lists]") {
  for (const bool is_product : {false, true})
    for (const bool include_self : {false, true})
      for (const std::uint64_t seed : {1u, 2u, 3u, 4u})
        for (const std::size_t n_rows : {40u, 41u, 60u, 400u})
          for (const std::size_t width : {0u, 1u, 3u, 10u, 50u}) {
            const numbers rows = some_numbers(40, n_rows, false, is_product, seed);
            CAPTURE(is_product, include_self, seed, n_rows, width);
            CHECK(from_lists(rows, width, width, include_self, 1) == naive(rows, width, include_self));
          }
}

TEST_CASE("of copies at one distance the lowest ids come first", "[copied_lists]") {
  for (const bool is_product : {false, true})
    for (const std::size_t n_rows : {40u, 100u, 300u})
      for (const std::size_t width : {1u, 4u, 20u}) {
        const numbers rows = some_numbers(40, n_rows, true, is_product, 2);
        CAPTURE(is_product, n_rows, width);
        CHECK(from_lists(rows, width, 100, false, 1) == naive(rows, width, false));
      }
}

TEST_CASE("lists with copies are the same for every number of threads", "[copied_lists]") {
  const numbers rows = some_numbers(600, 1500, false, false, 5);
  const auto expected = from_lists(rows, 8, 8, false, 1);
  for (const std::size_t threads : {2u, 3u, 8u}) CHECK(from_lists(rows, 8, 8, false, threads) == expected);
}

TEST_CASE("vertices without a name have no list", "[copied_lists]") {
  const numbers rows{{0, 1, 2, 3}, {4, 7}, {{}, {4}, {}, {7}}, {1, 3}, false};
  neighbors expected(2, 2);
  expected.ids(0, 0) = 7;
  expected.ids(1, 0) = 4;
  expected.distances(0, 0) = expected.distances(1, 0) = 2;
  CHECK(from_lists(rows, 2, 3, false, 1) == expected);
}
