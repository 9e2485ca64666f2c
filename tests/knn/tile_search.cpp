#include <annulus/core/result/recall.hpp>

#include "catch.hpp"
#include "knn/searches.hpp"

#include "precise.hpp"

// Rows that are hard to search by approximate ranks, through knn with enough queries for tiles.

using namespace annulus;
using searches::random_rows;
using searches::same_bits;

namespace {

constexpr std::size_t some_queries = 20;
const auto metrics_of_tiles = {"euclidean", "inner_product", "cosine"};

/// Rows of one kind, of which any may be queries.
struct hard_rows {
  const char* name;
  matrix<float> (*make)(std::size_t n, std::size_t d, std::mt19937_64& generator);
  bool have_squares = true;          ///< which floats hold with all their digits
  std::string_view refused_by = {};  ///< the metric by which distances may be no floats
  bool need_denormals = false;       ///< for these squares, some of which are that small

  bool keep_squares() const { return have_squares && !(need_denormals && denormals_are_zero()); }
};

/// Whether an exact search of rows of this kind returns what it must.
bool is_exact(const hard_rows& kind, std::string_view metric, const matrix<float>& rows, const matrix<float>& queries,
              std::size_t k) {
  const auto& s = searches::by<float>(metric);
  const neighbors found = s.knn(rows, queries, k, {});
  return kind.keep_squares() ? same_bits(found, s.naive(rows, queries, k, {})) : s.wrong(rows, queries, found) == 0;
}

template <class Change>
matrix<float> changed(std::size_t n, std::size_t d, std::mt19937_64& generator, Change change) {
  auto m = random_rows<float>(n, d, generator);
  for (std::size_t i = 0; i < n; ++i) change(i, m.row(i));
  return m;
}

void scale(std::span<float> row, double by) {
  for (float& x : row) x = static_cast<float>(x * by);
}

const std::vector<hard_rows> kinds{
    {"far from the origin",
     [](std::size_t n, std::size_t d, std::mt19937_64& g) {
       return changed(n, d, g, [](std::size_t, auto row) {
         for (float& x : row) x += 1e4f;
       });
     }},
    {"far apart in tight clusters",
     [](std::size_t n, std::size_t d, std::mt19937_64& g) {
       return changed(n, d, g, [](std::size_t i, auto row) {
         for (std::size_t j = 0; j < row.size(); ++j)
           row[j] = 1e-3f * row[j] + ((i * 13 + j) % 5 < 2 ? 100.0f : -100.0f);
       });
     }},
    {"close to the corners of a cube",  // where 8 bits round all coordinates alike
     [](std::size_t n, std::size_t d, std::mt19937_64& g) {
       return changed(n, d, g, [](std::size_t i, auto row) {
         for (std::size_t j = 0; j < row.size(); ++j) row[j] = 1e-3f * row[j] + ((j >> i % 5) % 2 == 0 ? 1.0f : -1.0f);
       });
     }},
    {"few different",
     [](std::size_t n, std::size_t d, std::mt19937_64& g) {
       auto m = random_rows<float>(n, d, g);
       for (std::size_t i = 3; i < n; ++i) std::ranges::copy(m.row(g() % 3), m.row(i).begin());
       return m;
     }},
    {"all alike", [](std::size_t n, std::size_t d, std::mt19937_64&) { return matrix<float>(n, d, 0.3f); }},
    {"zero", [](std::size_t n, std::size_t d, std::mt19937_64&) { return matrix<float>(n, d); }},
    {"zero now and then",
     [](std::size_t n, std::size_t d, std::mt19937_64& g) {
       return changed(n, d, g, [](std::size_t i, auto row) {
         if (i % 3 == 0) std::ranges::fill(row, 0.0f);
       });
     }},
    {"small integers",
     [](std::size_t n, std::size_t d, std::mt19937_64& g) {
       return changed(n, d, g, [](std::size_t, auto row) {
         for (float& x : row) x = std::round(1.4f * x);
       });
     }},
    {"one-hot",
     [](std::size_t n, std::size_t d, std::mt19937_64& g) {
       matrix<float> m(n, d);
       for (std::size_t i = 0; i < n; ++i) m(i, g() % d) = g() % 2 == 0 ? 1.0f : -1.0f;
       return m;
     }},
    {"huge", [](std::size_t n, std::size_t d,
                std::mt19937_64& g) { return changed(n, d, g, [](std::size_t, auto row) { scale(row, 1e18); }); }},
    {"too huge to square",
     [](std::size_t n, std::size_t d, std::mt19937_64& g) {
       return changed(n, d, g, [](std::size_t i, auto row) { scale(row, i % 2 == 0 ? 1e25 : 1); });
     },
     false, "inner_product"},
    {"tiny",
     [](std::size_t n, std::size_t d, std::mt19937_64& g) {
       return changed(n, d, g, [](std::size_t, auto row) { scale(row, 1e-18); });
     },
     false},
    {"of all sizes up to 1e14",
     [](std::size_t n, std::size_t d, std::mt19937_64& g) {
       return changed(n, d, g,
                      [&](std::size_t, auto row) { scale(row, std::pow(10.0, static_cast<int>(g() % 33) - 18)); });
     },
     true,
     {},
     true},
    {"of all sizes up to 1e18",
     [](std::size_t n, std::size_t d, std::mt19937_64& g) {
       return changed(n, d, g,
                      [&](std::size_t, auto row) { scale(row, std::pow(10.0, static_cast<int>(g() % 37) - 18)); });
     },
     true,
     {},
     true},
    {"tame but for one",
     [](std::size_t n, std::size_t d, std::mt19937_64& g) {
       return changed(n, d, g, [n](std::size_t i, auto row) {
         if (i == n / 2) scale(row, 1e6);
       });
     }},
    {"tame but for one coordinate",
     [](std::size_t n, std::size_t d, std::mt19937_64& g) {
       return changed(n, d, g, [](std::size_t, auto row) { row.front() *= 1e5f; });
     }},
};

}  // namespace

TEST_CASE("an exact search of hard rows is exact", "[tile_search]") {
  for (const auto& kind : kinds)
    for (const std::size_t d : {1u, 50u})
      for (const std::size_t n : {40u, 400u}) {
        std::mt19937_64 generator(1);
        const auto rows = kind.make(n, d, generator), queries = kind.make(some_queries, d, generator);
        for (const auto* metric : metrics_of_tiles)
          for (const std::size_t k : {2u, 50u}) {
            if (metric == kind.refused_by) continue;
            CAPTURE(kind.name, metric, n, d, k);
            CHECK(is_exact(kind, metric, rows, queries, k));
          }
      }
}

TEST_CASE("hard rows among others are found exactly, by queries that are rows", "[tile_search]") {
  // One set of rows of every kind, each kind's rows queries of it.
  for (const auto& kind : kinds) {
    std::mt19937_64 generator(2);
    auto rows = random_rows<float>(600, 12, generator);
    const auto hard = kind.make(300, 12, generator);
    std::copy_n(hard.data(), 300 * 12, rows.row(200).data());
    matrix<float> queries(some_queries, 12);
    std::copy_n(rows.row(190).data(), some_queries * 12, queries.data());
    for (const auto* metric : metrics_of_tiles) {
      if (metric == kind.refused_by) continue;
      CAPTURE(kind.name, metric);
      CHECK(is_exact(kind, metric, rows, queries, 5));
    }
  }
}

TEST_CASE("of rows that tie the lowest ids are returned", "[tile_search]") {
  const matrix<float> rows(700, 9, 2), queries(some_queries, 9, 1);
  for (const auto* metric : metrics_of_tiles)
    for (const std::size_t k : {1u, 5u, 300u}) {
      const auto found = searches::by<float>(metric).knn(rows, queries, k, {});
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < some_queries; ++i)
        for (std::size_t j = 0; j < k; ++j) wrong += found.ids(i, j) != j;
      CAPTURE(metric, k);
      CHECK(wrong == 0);
    }
}

TEST_CASE("a zero query is at cosine distance 1 from all but zero rows", "[tile_search]") {
  std::mt19937_64 generator(3);
  auto rows = random_rows<float>(100, 8, generator), queries = random_rows<float>(some_queries, 8, generator);
  std::ranges::fill(rows.row(60), 0.0f);
  std::ranges::fill(queries.row(7), 0.0f);
  const auto found = searches::by<float>("cosine").knn(rows, queries, 3, {});
  CHECK(found.ids(7, 0) == 60);
  CHECK(found.distances(7, 0) == 0);
  CHECK(found.ids(7, 1) == 0);
  CHECK(found.distances(7, 1) == 1);
}

TEST_CASE("a row too small to square is ranked by cosine as the kernel does", "[tile_search]") {
  // The first coordinate's square rounds up to the smallest float and the others' to zero.
  for (const std::size_t d : {3000u, 8000u}) {
    std::mt19937_64 generator(8);
    auto rows = random_rows<float>(40, d, generator);
    std::ranges::fill(rows.row(7), 2.6e-23f);
    rows(7, 0) = 2.8e-23f;
    const matrix<float> queries(some_queries, d, 1);
    const auto& s = searches::by<float>("cosine");
    CAPTURE(d);
    CHECK(same_bits(s.knn(rows, queries, 3, {}), s.naive(rows, queries, 3, {})));
    CHECK(same_bits(s.knn(rows, queries, 30, {}), s.naive(rows, queries, 30, {})));
  }
}

TEST_CASE("rows of doubles beyond the range of floats are ranked as doubles", "[tile_search]") {
  std::mt19937_64 generator(4);
  for (const double size : {1e-200, 1e-30, 1e30, 1e140}) {
    auto rows = random_rows<double>(300, 10, generator), queries = random_rows<double>(some_queries, 10, generator);
    for (auto* m : {&rows, &queries})
      for (std::size_t i = 0; i < m->rows(); ++i)
        for (double& x : m->row(i)) x *= i % 5 == 0 ? 1 : size;
    for (const auto& s : searches::all<double>()) {
      CAPTURE(s.metric, size);
      CHECK(s.wrong(rows, queries, s.knn(rows, queries, 6, {})) == 0);
    }
  }
}

TEST_CASE("doubles closer than floats can tell are told apart", "[tile_search]") {
  std::mt19937_64 generator(5);
  auto rows = random_rows<double>(500, 10, generator), queries = random_rows<double>(some_queries, 10, generator);
  for (auto* m : {&rows, &queries})
    for (std::size_t i = 0; i < m->rows(); ++i)
      for (double& x : m->row(i)) x = 1 + 1e-10 * x;
  for (const auto& s : searches::all<double>()) {
    CAPTURE(s.metric);
    CHECK(same_bits(s.knn(rows, queries, 6, {}), s.naive(rows, queries, 6, {})));
  }
}

TEST_CASE("an approximate search finds as much as it is asked for", "[tile_search]") {
  std::vector<hard_rows> sets = kinds;
  std::erase_if(sets, [](const auto& kind) { return kind.name == std::string_view("too huge to square"); });
  sets.push_back(
      {"random", [](std::size_t n, std::size_t d, std::mt19937_64& g) { return random_rows<float>(n, d, g); }});
  struct wish {
    std::size_t k;
    double target;
  };
  for (const auto& kind : sets) {
    std::mt19937_64 generator(6);
    const auto rows = kind.make(800, 100, generator), queries = kind.make(some_queries, 100, generator);
    for (const auto* metric : metrics_of_tiles) {
      const auto& s = searches::by<float>(metric);
      const auto truth = kind.keep_squares() ? s.naive(rows, queries, 40, {}) : s.knn(rows, queries, 40, {});
      for (const auto& [k, target] : {wish{1, 0.95}, wish{40, 0.95}, wish{10, 0.5}}) {
        const auto found = s.knn(rows, queries, k, {.recall_target = target});
        CAPTURE(kind.name, metric, k, target);
        CHECK(searches::well_formed(found));
        CHECK(recall(found, truth, k) >= target);
      }
    }
  }
}

TEST_CASE("what an approximate search returns has the kernel's distances", "[tile_search]") {
  std::mt19937_64 generator(7);
  const auto rows = random_rows<float>(800, 33, generator), queries = random_rows<float>(some_queries, 33, generator);
  for (const auto* metric : metrics_of_tiles) {
    const auto& s = searches::by<float>(metric);
    const auto found = s.knn(rows, queries, 10, {.recall_target = 0.5});
    const auto ranking = s.naive(rows, queries, rows.rows(), {});
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < some_queries; ++i)
      for (std::size_t j = 0; j < 10; ++j) {
        const auto at = std::ranges::find(ranking.ids.row(i), found.ids(i, j)) - ranking.ids.row(i).begin();
        wrong += found.distances(i, j) != ranking.distances(i, static_cast<std::size_t>(at));
      }
    CAPTURE(metric);
    CHECK(wrong == 0);
  }
}
