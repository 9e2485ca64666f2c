#include <annulus/core/result/recall.hpp>
#include <annulus/lsh/families/p_stable.hpp>
#include <annulus/lsh/families/simple_mips.hpp>
#include <annulus/lsh/neighbor_distance.hpp>
#include <annulus/lsh/tuning.hpp>

#include "catch.hpp"
#include "failing_allocations.hpp"
#include "lsh/indexes.hpp"
#include "message_of.hpp"

using namespace annulus;
using lsh_tests::clusters;
using lsh_tests::rows_between;
using lsh_tests::same;
using lsh_tests::same_bits;

// What a family takes from the data: a width from distances, a length from norms.

namespace {

using float_rows = matrix<float>;

template <class T>
matrix<T> scaled(matrix<T> rows, double scale) {
  for (T& x : std::span(rows.data(), rows.rows() * rows.cols())) x = static_cast<T>(static_cast<double>(x) * scale);
  return rows;
}

/// The median over all rows of the distance of the 10th nearest other one.
template <class Metric, class T>
double exact_neighbor_distance(const matrix<T>& rows) {
  std::vector<float> tenth;
  const auto found = lsh_tests::exact<Metric>(rows, rows, 11);
  for (std::size_t i = 0; i < rows.rows(); ++i) tenth.push_back(found.distances(i, 10));
  std::ranges::nth_element(tenth, tenth.begin() + static_cast<std::ptrdiff_t>(tenth.size() / 2));
  return static_cast<double>(tenth[tenth.size() / 2]);
}

template <class Family, class T>
double width_of(const matrix<T>& rows, std::uint64_t seed = 0, std::size_t threads = 0) {
  return Family{}.fitted(matrix_view<T>(rows), {.threads = threads, .seed = seed}).width;
}

template <class Metric, class T>
double distance_of_neighbors(const matrix<T>& rows) {
  return detail::neighbor_distance<Metric>(matrix_view<T>(rows), 1, 0);
}

}  // namespace

// ---- The width ------------------------------------------------------------------------------------------------------

TEST_CASE("the width is some times the distance of the neighbours", "[lsh][fitted]") {
  const auto rows = clusters<float>(1500, 8, 30, 1);
  const auto doubles = clusters<double>(1500, 8, 30, 1);
  CHECK(width_of<p_stable_l2>(rows) == Approx(4 * exact_neighbor_distance<euclidean>(rows)).epsilon(0.06));
  CHECK(width_of<p_stable_l2>(doubles) == Approx(4 * exact_neighbor_distance<euclidean>(doubles)).epsilon(0.06));
  CHECK(width_of<p_stable_l1>(rows) == Approx(8 * exact_neighbor_distance<manhattan>(rows)).epsilon(0.06));
}

TEST_CASE("the distance of the neighbours is foretold from some thousands of rows", "[lsh][fitted]") {
  const auto rows = clusters<float>(20000, 6, 200, 1);
  const detail::tuning_sample<float_rows, euclidean> exact(rows, {}, 200, 10, 20000, 1);
  CHECK(distance_of_neighbors<euclidean>(rows) == Approx(exact.scale()).epsilon(0.1));
}

TEST_CASE("the order of the rows does not matter to the width", "[lsh][fitted]") {
  const auto rows = clusters<float>(9000, 6, 100, 1);  // in turns, of each centre one
  std::vector<std::size_t> by_centre;
  for (std::size_t c = 0; c < 100; ++c)
    for (std::size_t i = c; i < 9000; i += 100) by_centre.push_back(i);
  CHECK(width_of<p_stable_l2>(lsh_tests::rows_of(rows, by_centre)) == Approx(width_of<p_stable_l2>(rows)).epsilon(0.1));
}

TEST_CASE("an index of rows in any unit is as good", "[lsh][fitted]") {
  const auto all = clusters<float>(1540, 10, 100, 1);
  const auto answers = [&](const auto& family, double scale) {
    const auto rows = scaled(rows_between(all, 0, 1500), scale), queries = scaled(rows_between(all, 1500, 1540), scale);
    const lsh_index index(rows, family, {.n_projections = 8});
    lsh_search_stats stats;
    const auto ids = index.search(queries, 10, {}, &stats).ids;
    return std::pair(ids, stats.candidates);
  };
  const auto check = [&](const auto& family) {
    const auto expected = answers(family, 1);
    for (const double scale : {0x1p-20, 0x1p20, 0x1p-60, 0x1p55}) CHECK(answers(family, scale) == expected);
    for (const double scale : {1e-6, 1e6})
      CHECK(answers(family, scale).second == Approx(expected.second).epsilon(0.01));
  };
  check(p_stable_l2{});
  check(p_stable_l1{});
}

TEST_CASE("one seed gives one width, whatever the threads, and another nearly the same", "[lsh][fitted]") {
  const auto rows = clusters<float>(9000, 8, 300, 1);
  const double width = width_of<p_stable_l2>(rows, 5, 1);
  for (const std::size_t threads : {0u, 2u, 3u, 8u}) CHECK(width_of<p_stable_l2>(rows, 5, threads) == width);
  const double other = width_of<p_stable_l2>(rows, 6, 1);
  CHECK(other != width);
  CHECK(other == Approx(width).epsilon(0.1));
  const lsh_index index(rows, p_stable_l2{}, {.seed = 5, .threads = 3});
  CHECK(index.family().width == width);
}

TEST_CASE("the width that the index takes is that of which suggested parameters try the half and the double",
          "[lsh][fitted]") {
  const auto rows = clusters<float>(2000, 10, 100, 1);
  const double suggested = suggest_lsh_params(rows, p_stable_l2{}, 0.8, {.n_queries = 100}).family.width;
  const double ratio = suggested / lsh_index(rows, p_stable_l2{}).family().width;
  CHECK((std::abs(ratio - 1) < 0.1 || std::abs(ratio / 2 - 1) < 0.1 || std::abs(ratio * 2 - 1) < 0.1));
}

TEST_CASE("a width that is given is kept, and one that is none refused", "[lsh][fitted]") {
  const auto rows = clusters<float>(100, 4, 5, 1);
  CHECK(lsh_index(rows, p_stable_l2{.width = 0.5}).family().width == 0.5);
  CHECK(p_stable_l1{.width = 0.5}.fitted(matrix_view<float>(rows)).width == 0.5);
  for (const double width : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()})
    CHECK_THROWS_WITH(p_stable_l2{.width = width}.fitted(matrix_view<float>(rows)), ContainsSubstring("width"));
}

TEST_CASE("without a width a function collides at distances in those of the neighbours", "[lsh][fitted]") {
  CHECK(p_stable_l2{}.collision_probability(1) == gaussian_probability(1, 4));
  CHECK(p_stable_l1{}.collision_probability(1) == cauchy_probability(1, 8));
}

// ---- Rows whose distances tell little -------------------------------------------------------------------------------

TEST_CASE("a far row changes the width little", "[lsh][fitted]") {
  auto rows = clusters<float>(1000, 6, 30, 1);
  const double width = width_of<p_stable_l2>(rows);
  for (float& x : rows.row(123)) x = 1e9f;
  CHECK(width_of<p_stable_l2>(rows) == Approx(width).epsilon(0.05));
}

TEST_CASE("rows that are there many times have the width of the different ones", "[lsh][fitted]") {
  const auto different = clusters<float>(400, 6, 10, 1);
  std::vector<std::size_t> twentyfold;
  for (std::size_t i = 0; i < 8000; ++i) twentyfold.push_back(i % 400);
  const auto rows = lsh_tests::rows_of(different, twentyfold);
  const double width = width_of<p_stable_l2>(rows), nearest = exact_neighbor_distance<euclidean>(different);
  CHECK(width > 0.8 * nearest);
  CHECK(width < 4.4 * nearest);
  // Two rows, each a hundred times.
  float_rows two(200, 3);
  for (std::size_t i = 0; i < 200; i += 2) two(i, 1) = 2.5f;
  CHECK(width_of<p_stable_l2>(two) == 10);
}

TEST_CASE("rows that are all equal, or a single one, have the width of their greatest coordinate", "[lsh][fitted]") {
  for (const std::size_t n : {1u, 2u, 5000u}) {
    float_rows rows(n, 3);
    CHECK(width_of<p_stable_l2>(rows) == 4);
    for (std::size_t i = 0; i < n; ++i) rows(i, 0) = 2, rows(i, 1) = -50, rows(i, 2) = 1;
    CHECK(width_of<p_stable_l2>(rows) == 200);
    CHECK(width_of<p_stable_l1>(rows) == 400);
    const lsh_index index(rows, p_stable_l2{});
    const auto found = index.search(rows_between(rows, 0, 1), n + 1);
    CHECK(lsh_tests::count_of(found.ids.row(0)) == n);
    CHECK(found.distances(0, n - 1) == 0);
  }
}

TEST_CASE("two rows have the width of their distance", "[lsh][fitted]") {
  float_rows rows(2, 3);
  rows(1, 0) = 3;
  rows(1, 2) = -4;
  CHECK(width_of<p_stable_l2>(rows) == 20);
  CHECK(width_of<p_stable_l1>(rows) == 56);
}

TEST_CASE("rows whose squares overflow or vanish have a width that is finite and above 0", "[lsh][fitted]") {
  for (const double scale : {1e-44, 1e-30, 1e30, 1e37}) {
    const auto rows = scaled(clusters<float>(200, 4, 5, 1), scale);
    CHECK(width_of<p_stable_l2>(rows) > 0.01 * scale);
    CHECK(width_of<p_stable_l2>(rows) < 1000 * scale);
    CHECK(lsh_tests::well_formed(lsh_index(rows, p_stable_l2{}).search(rows, 3, {.recall_target = 0.9})));
  }
  const matrix<double> largest(3, 2, std::numeric_limits<double>::max());
  CHECK(annulus::detail::is_finite(width_of<p_stable_l2>(largest)));
}

TEST_CASE("rows that are not finite are refused by number where a width is to be taken from them", "[lsh][fitted]") {
  for (const float bad : {lsh_tests::not_a_number, lsh_tests::infinity}) {
    auto rows = clusters<float>(100, 4, 5, 1);
    rows(17, 2) = bad;
    CHECK_THAT(message_of([&] { lsh_index(rows, p_stable_l2{}); }), ContainsSubstring("row 17, coordinate 2"));
    CHECK_THAT(message_of([&] { lsh_index(rows_between(rows, 17, 18), p_stable_l1{}); }),
               ContainsSubstring("row 0, coordinate 2"));
  }
}

// ---- The first rows of an index without any -------------------------------------------------------------------------

TEST_CASE("an index takes from its first rows what it would have taken from its constructor's", "[lsh][fitted]") {
  const auto rows = clusters<float>(300, 6, 20, 1), queries = clusters<float>(10, 6, 20, 2);
  const auto check = [&](const auto& family, const auto& taken) {
    const lsh_params params{.n_projections = 6, .n_tables = 3, .seed = 9};
    using index_type = lsh_index<float_rows, std::remove_cvref_t<decltype(family)>>;
    const index_type built(rows, family, params);
    index_type by_dim(6, family, params), of_none(float_rows(0, 6), family, params);
    for (index_type* index : {&by_dim, &of_none}) {
      CHECK(same_bits(index->search(queries, 3), neighbors(10, 3)));
      CHECK(index->insert(float_rows(0, 6)) == 0);
      CHECK(taken(index->family()) == 0);
      CHECK(index->insert(rows) == 0);
      CHECK(taken(index->family()) == taken(built.family()));
      CHECK(same(index->candidates(queries), built.candidates(queries)));
      CHECK(same_bits(index->search(queries, 3, {.recall_target = 0.9}),
                      built.search(queries, 3, {.recall_target = 0.9})));
      const auto before = taken(index->family());
      for (id_type id = 0; id < 300; ++id) index->erase(id);
      CHECK(index->insert(scaled(rows, 10)) == 300);
      CHECK(taken(index->family()) == before);
    }
  };
  check(p_stable_l2{}, [](const p_stable_l2& family) { return family.width; });
  check(p_stable_l1{}, [](const p_stable_l1& family) { return family.width; });
  check(simple_mips{}, [](const simple_mips& family) { return family.max_norm; });
}

TEST_CASE("an index whose first rows are refused takes nothing from them", "[lsh][fitted]") {
  auto rows = clusters<float>(100, 6, 20, 1);
  lsh_index<float_rows, p_stable_l2> index(6, {}, {});
  rows(44, 1) = lsh_tests::not_a_number;
  CHECK_THAT(message_of([&] { index.insert(rows); }), ContainsSubstring("row 44, coordinate 1"));
  CHECK(index.family().width == 0);
  CHECK(index.size() == 0);
  CHECK(index.insert(rows_between(rows, 0, 40)) == 0);
  CHECK(index.family().width > 0);
}

TEST_CASE("an index is as before where an allocation of its first insertion fails", "[lsh][allocations]") {
  const auto rows = clusters<float>(60, 6, 20, 1);
  const auto check = [&](const auto& index) {
    const auto insert = [&](auto& changed) { changed.insert(rows); };
    const auto ask = [&](const auto& asked) {
      return std::tuple(asked.size(), asked.family().needs_rows(), asked.search(rows, 3, {.threads = 1}));
    };
    const auto result = allocations::fail_change(index, insert, ask, 60);
    CAPTURE(result);
    CHECK(result.is_clean());
  };
  check(lsh_index<float_rows, p_stable_l2>(6, {}, {.n_projections = 3, .n_tables = 2, .threads = 1}));
  check(lsh_index<float_rows, simple_mips>(6, {}, {.n_projections = 3, .n_tables = 2, .threads = 1}));
}
