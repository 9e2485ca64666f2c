#include <Eigen/Core>
#include <annulus/knn/knn.hpp>

#include "catch.hpp"
#include "knn/searches.hpp"
#include "message_of.hpp"
#include "progress_watch.hpp"

#include <sstream>

namespace knn_tests {

using namespace annulus;
using searches::random_rows;
using searches::rows_of;
using searches::same_bits;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity(),
                not_a_number = std::numeric_limits<float>::quiet_NaN();
using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// So many queries are searched by tiles with the metrics that have a product form, and so few by the kernel.
constexpr std::size_t many = 40, few = 3;

/// Rows with ties to break, that all searches of this file share.
const matrix<float>& data() {
  static const auto rows = [] {
    std::mt19937_64 generator(1);
    auto m = random_rows<float>(300, 21, generator);
    for (std::size_t i = 0; i < 300; i += 7) std::ranges::copy(m.row(i / 2), m.row(i).begin());
    return m;
  }();
  return rows;
}

const matrix<float>& queries() {
  static const auto rows = [] {
    std::mt19937_64 generator(2);
    return random_rows<float>(many, 21, generator);
  }();
  return rows;
}

matrix<float> first_queries(std::size_t count) {
  matrix<float> some(count, queries().cols());
  std::copy_n(queries().data(), count * some.cols(), some.data());
  return some;
}

neighbors search(const matrix<float>& q, const knn_params& params = {}) {
  return searches::by<float>("euclidean").knn(data(), q, 10, params);
}

}  // namespace

TEMPLATE_TEST_CASE("an exact search returns what sorting all rows by the kernel does, bit for bit", "[knn]", float,
                   double, std::uint8_t, std::int8_t, Eigen::half, Eigen::bfloat16) {
  std::mt19937_64 generator(3);
  for (std::size_t repetition = 0; repetition < 10; ++repetition) {
    const std::size_t n = 1 + generator() % 400, d = 1 + generator() % 130, k = 1 + generator() % (n + 3);
    const std::size_t m = 1 + generator() % (repetition % 3 == 0 ? few : many);
    const auto rows = random_rows<TestType>(n, d, generator), q = random_rows<TestType>(m, d, generator);
    for (const auto& s : searches::all<TestType>()) {
      CAPTURE(s.metric, n, d, k, m);
      CHECK(same_bits(s.knn(rows, q, k, {}), s.naive(rows, q, k, {})));
    }
  }
}

TEMPLATE_TEST_CASE("a few neighbours of many rows are the right ones", "[knn]", float, double, std::uint8_t,
                   Eigen::half) {
  std::mt19937_64 generator(4);
  const auto rows = random_rows<TestType>(2000, 20, generator), q = random_rows<TestType>(16, 20, generator);
  for (const auto& s : searches::all<TestType>())
    for (const std::size_t k : {3u, 100u}) {
      CAPTURE(s.metric, k);
      CHECK(same_bits(s.knn(rows, q, k, {}), s.naive(rows, q, k, {})));
    }
}

TEST_CASE("where fewer than k rows are there the rest is padding", "[knn]") {
  for (const std::size_t m : {few, many})
    for (const auto& s : searches::all<float>()) {
      const auto found = s.knn(data(), first_queries(m), 305, {});
      CAPTURE(s.metric, m);
      REQUIRE(found.ids.cols() == 305);
      CHECK(searches::well_formed(found));
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < m; ++i)
        for (std::size_t j = 0; j < 305; ++j) {
          const bool is_padding = found.ids(i, j) == no_id && found.distances(i, j) == infinity;
          wrong += is_padding != (j >= 300);
        }
      CHECK(wrong == 0);
    }
}

TEST_CASE("no rows, no queries and no columns are searched too", "[knn]") {
  for (const auto& s : searches::all<float>()) {
    CAPTURE(s.metric);
    CHECK(same_bits(s.knn(matrix<float>(0, 21), queries(), 5, {}), neighbors(many, 5)));
    CHECK(same_bits(s.knn(matrix<float>(0, 0), queries(), 5, {}), neighbors(many, 5)));
    CHECK(same_bits(s.knn(data(), matrix<float>(0, 21), 5, {}), neighbors(0, 5)));
    const auto found = s.knn(matrix<float>(4, 0), matrix<float>(many, 0), 5, {});
    for (std::size_t j = 0; j < 4; ++j) CHECK(found.ids(many - 1, j) == j);
    CHECK(found.ids(many - 1, 4) == no_id);
  }
}

TEST_CASE("one row of one coordinate is found", "[knn]") {
  for (const auto& s : searches::all<float>())
    for (const std::size_t m : {few, many}) {
      const matrix<float> one(1, 1, 3), q(m, 1, 2);
      CAPTURE(s.metric, m);
      CHECK(same_bits(s.knn(one, q, 2, {}), s.naive(one, q, 2, {})));
    }
}

// ---- What does not change an answer ---------------------------------------------------------------------------------

TEST_CASE("the number of threads does not change an answer", "[knn]") {
  for (const double target : {1.0, 0.95})
    for (const std::size_t m : {std::size_t{1}, few, many})
      for (const auto& s : searches::all<float>()) {
        const auto expected = s.knn(data(), first_queries(m), 10, {.recall_target = target, .threads = 1});
        for (const std::size_t threads : {0u, 2u, 3u, 8u}) {
          CAPTURE(s.metric, m, target, threads);
          const auto found = s.knn(data(), first_queries(m), 10, {.recall_target = target, .threads = threads});
          CHECK(same_bits(found, expected));
        }
      }
}

TEST_CASE("the queries beside it do not change a query's answer", "[knn]") {
  std::mt19937_64 generator(5);
  const auto rows = random_rows<float>(400, 150, generator), q = random_rows<float>(many, 150, generator);
  std::vector<std::size_t> numbers(many);
  std::iota(numbers.begin(), numbers.end(), 0u);
  for (const double target : {1.0, 0.95, 0.5})
    for (const auto& s : searches::all<float>()) {
      const knn_params params{.recall_target = target, .threads = 1};
      const auto together = s.knn(rows, q, 7, params);
      for (const std::size_t size : {1u, 3u, 15u, 16u, 39u}) {
        std::ranges::shuffle(numbers, generator);
        const std::vector<std::size_t> some(numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(size));
        CAPTURE(s.metric, target, size);
        CHECK(same_bits(s.knn(rows, rows_of(q, some), 7, params), rows_of(together, some)));
      }
    }
}

// ---- Queries and data that are not finite ---------------------------------------------------------------------------

TEST_CASE("a query that is not finite gets nothing, and the others are not affected", "[knn]") {
  for (const double target : {1.0, 0.95})
    for (const float bad : {not_a_number, infinity, -infinity})
      for (const std::size_t m : {few, many})
        for (const auto& s : searches::all<float>()) {
          auto q = first_queries(m);
          q(1, 20) = bad;
          auto expected = s.knn(data(), first_queries(m), 10, {.recall_target = target});
          std::ranges::fill(expected.ids.row(1), no_id);
          std::ranges::fill(expected.distances.row(1), infinity);
          CAPTURE(s.metric, bad, m, target);
          CHECK(same_bits(s.knn(data(), q, 10, {.recall_target = target}), expected));
        }
}

TEMPLATE_TEST_CASE("queries that are not finite get nothing, whatever their type", "[knn]", double, Eigen::half,
                   Eigen::bfloat16) {
  std::mt19937_64 generator(6);
  const auto rows = random_rows<TestType>(50, 3, generator);
  for (const float bad : {not_a_number, infinity})
    for (const auto& s : searches::all<TestType>())
      CHECK(same_bits(s.knn(rows, matrix<TestType>(many, 3, TestType(bad)), 4, {}), neighbors(many, 4)));
}

TEMPLATE_TEST_CASE("data that are not finite are refused by the number of the row", "[knn]", float, double, Eigen::half,
                   Eigen::bfloat16) {
  std::mt19937_64 generator(7);
  const auto q = random_rows<TestType>(2, 5, generator);
  for (const float bad : {not_a_number, infinity, -infinity})
    for (const std::size_t row : {0u, 17u, 49u}) {
      auto rows = random_rows<TestType>(50, 5, generator);
      rows(row, 4) = TestType(bad);
      for (const auto& s : searches::all<TestType>()) {
        CAPTURE(s.metric, bad);
        const auto message = message_of([&] { s.knn(rows, q, 3, {}); });
        CHECK_THAT(message, ContainsSubstring("data = "));
        CHECK_THAT(message, ContainsSubstring("row " + std::to_string(row) + ", coordinate 4"));
      }
    }
}

// ---- Arguments ------------------------------------------------------------------------------------------------------

TEST_CASE("k = 0 is refused", "[knn]") {
  const auto message = message_of([] { knn(data(), queries(), 0); });
  CHECK_THAT(message, ContainsSubstring("k = 0") && ContainsSubstring("at least 1"));
}

TEST_CASE("a recall_target that is no share above 0 is refused by its value", "[knn]") {
  for (const double target : {0.0, -1.0, 1.5}) {
    std::ostringstream value;
    value << "recall_target = " << target;
    const auto message = message_of([&] { search(queries(), {.recall_target = target}); });
    CHECK_THAT(message, ContainsSubstring(value.str()) && ContainsSubstring("(0, 1]"));
  }
  CHECK_THROWS_AS(search(queries(), {.recall_target = std::nan("")}), std::invalid_argument);
}

TEST_CASE("queries of another dimension are refused by both dimensions", "[knn]") {
  const auto message = message_of([] { search(matrix<float>(2, 22)); });
  CHECK_THAT(message, ContainsSubstring("dimension = 22") && ContainsSubstring("21"));
}

TEST_CASE("a k that cannot be held is refused", "[knn]") {
  CHECK_THROWS_AS(knn(data(), queries(), std::numeric_limits<std::size_t>::max()), std::invalid_argument);
}

// ---- Filters --------------------------------------------------------------------------------------------------------

TEST_CASE("a filter leaves the nearest of the rows that it allows", "[knn]") {
  std::mt19937_64 generator(8);
  std::vector<bool> some(300), short_one(130), rare(300);
  for (std::size_t i = 0; i < 300; ++i) some[i] = generator() % 2 != 0;
  for (std::size_t i = 0; i < 130; ++i) short_one[i] = generator() % 3 != 0;
  rare[4] = rare[299] = true;
  const std::vector<id_filter> filters{id_filter{}, some, short_one, rare, [](id_type id) { return id % 3 == 1; }};
  for (std::size_t f = 0; f < filters.size(); ++f)
    for (const std::size_t m : {std::size_t{1}, few, many})
      for (const auto& s : searches::all<float>()) {
        const auto q = first_queries(m);
        CAPTURE(s.metric, f, m);
        CHECK(same_bits(s.knn(data(), q, 10, {.filter = filters[f]}), s.naive(data(), q, 10, filters[f])));
      }
}

TEST_CASE("an approximate search keeps to its filter, and finds as much", "[knn]") {
  const id_filter odd = [](id_type id) { return id % 2 == 1; };
  for (const auto& s : searches::all<float>()) {
    const auto found = s.knn(data(), queries(), 10, {.recall_target = 0.95, .filter = odd});
    CAPTURE(s.metric);
    CHECK(std::ranges::all_of(found.ids.row(0), odd));
    CHECK(searches::well_formed(found));
    CHECK(recall(found, s.naive(data(), queries(), 10, odd), 10) >= 0.95);
  }
}

TEST_CASE("a filter that allows nothing leaves padding alone", "[knn]") {
  const std::vector<id_filter> filters{std::vector<bool>{}, std::vector<bool>(300), [](id_type) { return false; }};
  for (const double target : {1.0, 0.95})
    for (const auto& filter : filters)
      for (const std::size_t m : {few, many})
        for (const auto& s : searches::all<float>()) {
          CAPTURE(s.metric, m, target);
          const auto found = s.knn(data(), first_queries(m), 10, {.recall_target = target, .filter = filter});
          CHECK(same_bits(found, neighbors(m, 10)));
        }
}

// ---- Progress and exceptions ----------------------------------------------------------------------------------------

TEST_CASE("progress ends at 1 and is reported on the calling thread", "[knn]") {
  std::mt19937_64 generator(9);
  const auto rows = random_rows<float>(5000, 4, generator);  // so many that a block of queries reports on its way
  const auto caller = std::this_thread::get_id();
  for (const double target : {1.0, 0.95})
    for (const std::size_t threads : {1u, 3u})
      for (const std::size_t m : {few, many})
        for (const auto* metric : {"euclidean", "manhattan"}) {
          std::vector<double> fractions;
          std::size_t elsewhere = 0;
          progress_watch watch;
          const progress_callback progress = [&](const progress_report& report) {
            watch.see(report);
            const std::string_view stage = report.stage;
            const double fraction = report.fraction;
            fractions.push_back(fraction);
            elsewhere += std::this_thread::get_id() != caller || stage != "knn";
            return true;
          };
          matrix<float> q(m, 4);
          std::copy_n(queries().data(), m * 4, q.data());
          if (m == many) q(1, 0) = 1e16f;  // which has no place in a tile
          searches::by<float>(metric).knn(
              rows, q, 10, {.recall_target = target, .threads = threads, .filter = {}, .progress = progress});
          CAPTURE(metric, m, target, threads);
          REQUIRE(!fractions.empty());
          CHECK(fractions.back() == 1.0);
          CHECK(watch.fault({"knn"}) == "");
          CHECK(std::ranges::all_of(fractions, [](double f) { return f >= 0 && f <= 1; }));
          CHECK(elsewhere == 0);
          const bool is_by_tiles = simd::has_fast_integers && metric == std::string_view("euclidean");
          if (m == many && threads == 1 && is_by_tiles) CHECK(fractions.size() > 1);
        }
}

TEST_CASE("progress that returns false cancels, at any call", "[knn]") {
  std::mt19937_64 generator(10);
  const auto rows = random_rows<float>(5000, 4, generator), q = random_rows<float>(many, 4, generator);
  for (const std::size_t threads : {1u, 3u})
    for (const auto* metric : {"euclidean", "manhattan"}) {
      std::size_t calls = 0, last = 0;
      const progress_callback progress = [&](const progress_report&) { return ++calls != last; };
      const knn_params params{.recall_target = 1, .threads = threads, .filter = {}, .progress = progress};
      searches::by<float>(metric).knn(rows, q, 10, params);
      const std::size_t all = threads == 1 ? calls : 1;  // how often depends on the threads
      for (last = 1; last <= all; ++last) {
        calls = 0;
        CAPTURE(metric, threads, last);
        CHECK_THROWS_AS(searches::by<float>(metric).knn(rows, q, 10, params), cancelled);
      }
    }
}

namespace {

struct user_error : std::exception {};

}  // namespace

TEST_CASE("an exception of a metric reaches the caller", "[knn]") {
  const auto fails = [](const float* a, const float* b, std::size_t) {
    if (*b == data()(250, 0)) throw user_error();
    return *a - *b;
  };
  for (const std::size_t threads : {1u, 3u})
    for (const std::size_t m : {few, many})
      CHECK_THROWS_AS(knn(data(), first_queries(m), 10, fails, {.threads = threads}), user_error);
}

TEST_CASE("an exception of a filter reaches the caller", "[knn]") {
  const id_filter fails = [](id_type id) { return id != 250 ? true : throw user_error(); };
  for (const double target : {1.0, 0.95})
    for (const std::size_t threads : {1u, 3u})
      for (const std::size_t m : {few, many})
        CHECK_THROWS_AS(search(first_queries(m), {.recall_target = target, .threads = threads, .filter = fails}),
                        user_error);
}

TEST_CASE("an exception of the progress callback reaches the caller", "[knn]") {
  const progress_callback fails = [](const progress_report&) -> bool { throw user_error(); };
  for (const std::size_t threads : {1u, 3u})
    for (const std::size_t m : {few, many}) {
      const knn_params params{.recall_target = 1, .threads = threads, .filter = {}, .progress = fails};
      CHECK_THROWS_AS(search(first_queries(m), params), user_error);
    }
}

// ---- What data and queries may be -----------------------------------------------------------------------------------

TEST_CASE("views with a stride are searched in place", "[knn]") {
  const auto expected = search(queries());
  matrix<float> wide(300, 30, not_a_number), wide_queries(many, 24, not_a_number);  // never to be read
  for (std::size_t i = 0; i < 300; ++i) std::ranges::copy(data().row(i), wide.row(i).begin());
  for (std::size_t i = 0; i < many; ++i) std::ranges::copy(queries().row(i), wide_queries.row(i).begin());
  const matrix_view<float> rows(wide.data(), 300, 21, 30), q(wide_queries.data(), many, 21, 24);
  CHECK(same_bits(knn(rows, q, 10), expected));
  CHECK(same_bits(knn(rows, q.middle_rows(0, few), 10), search(first_queries(few))));
}

TEST_CASE("row-major Eigen matrices, maps and blocks are searched", "[knn]") {
  const auto expected = search(queries());
  const Eigen::Map<const row_major> map(data().data(), 300, 21), map_of_queries(queries().data(), many, 21);
  CHECK(same_bits(knn(map, map_of_queries, 10), expected));
  const row_major m = map, q = map_of_queries;
  CHECK(same_bits(knn(m, q, 10), expected));
  row_major wide(302, 25);
  wide.setConstant(not_a_number);
  wide.block(1, 2, 300, 21) = m;
  CHECK(same_bits(knn(wide.block(1, 2, 300, 21), q, 10), expected));
}

TEST_CASE("the columns of a column-major Eigen matrix are searched", "[knn]") {
  const Eigen::MatrixXf columns = Eigen::Map<const Eigen::MatrixXf>(data().data(), 21, 300);
  CHECK(same_bits(knn(columns_as_points(columns), queries(), 10), search(queries())));
}

TEST_CASE("a vector or span is a single query", "[knn]") {
  const auto row = queries().row(0);
  const std::vector<float> vector(row.begin(), row.end());
  const auto expected = search(first_queries(1));
  CHECK(same_bits(knn(data(), vector, 10), expected));
  CHECK(same_bits(knn(data(), row, 10), expected));
}

TEST_CASE("the metric is euclidean where none is given", "[knn]") {
  CHECK(same_bits(knn(data(), queries(), 10), searches::by<float>("euclidean").naive(data(), queries(), 10, {})));
}

}  // namespace knn_tests
