#include <Eigen/Core>
#include <annulus/knn/flat_index.hpp>
#include <annulus/knn/sparse_knn.hpp>

#include "catch.hpp"
#include "core/sparse_rows.hpp"
#include "knn/searches.hpp"
#include "progress_watch.hpp"

#include "message_of.hpp"
#include "precise.hpp"

// Exact search among rows of every size, most of whose squares are no floats.

using namespace annulus;
using searches::rows_of;
using searches::same_bits;

namespace {

constexpr std::size_t n = 300, d = 20, k = 6;
constexpr float infinity = std::numeric_limits<float>::infinity();

struct metric_growth {
  const char* metric;
  int degree;  ///< rows times s have distances times s^degree
};
constexpr metric_growth metrics[] = {{"euclidean", 1},     {"sqeuclidean", 2}, {"cosine", 0},
                                     {"inner_product", 2}, {"manhattan", 1},   {"chebyshev", 1}};

/// Multiples of 1/64, which stay exact times any power of two.
template <class T>
matrix<T> plain_rows(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  auto rows = searches::random_rows<T>(count, d, generator);
  for (std::size_t i = 0; i < count * d; ++i)
    rows.data()[i] = static_cast<T>(std::round(64 * static_cast<double>(rows.data()[i])) / 64);
  return rows;
}

template <class T>
matrix<T> scaled(matrix<T> rows, int exponent) {
  for (std::size_t i = 0; i < rows.rows(); ++i)
    for (T& x : rows.row(i)) x = static_cast<T>(std::ldexp(static_cast<double>(x), exponent));
  return rows;
}

neighbors scaled(neighbors found, int exponent) {
  for (std::size_t i = 0; i < found.distances.rows(); ++i)
    for (float& x : found.distances.row(i)) x = std::ldexp(x, exponent);
  return found;
}

template <class M>
M first_rows(const M& rows, std::size_t count) {
  std::vector<std::size_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), std::size_t{0});
  return rows_of(rows, numbers);
}

/// Exponents at which rows have distances that grow by that power within the floats.
template <class T>
std::vector<int> exponents(int degree) {
  if (std::same_as<T, double>) return degree == 2 ? std::vector{-900, -300, 60} : std::vector{-900, -300, 300, 900};
  return degree == 2 ? std::vector{-120, -60, -30, 58} : std::vector{-120, -60, -30, 58, 70, 90, 119};
}

/// Rows of any sizes from 2^-110 to 2^largest, among them zeros, and some twice.
matrix<float> rows_of_all_sizes(std::size_t count, std::uint64_t seed, int largest = 110) {
  std::mt19937_64 generator(seed);
  auto rows = plain_rows<float>(count, seed);
  for (std::size_t i = 0; i < count; ++i) {
    const int exponent = static_cast<int>(generator() % static_cast<unsigned>(111 + largest)) - 110;
    for (float& x : rows.row(i)) x = i % 17 == 3 ? 0.0f : std::ldexp(x, exponent);
    if (i % 11 == 5) std::ranges::copy(rows.row(i / 2), rows.row(i).begin());
  }
  return rows;
}

}  // namespace

TEMPLATE_TEST_CASE("rows times a power of two have the same neighbours, at distances times a power of two", "[sizes]",
                   float, double, Eigen::bfloat16) {
  const auto rows = plain_rows<TestType>(n, 1), queries = plain_rows<TestType>(n, 2);
  for (const auto& [name, degree] : metrics) {
    const auto all = searches::all<TestType>();
    const auto s = std::ranges::find(all, std::string_view(name), &searches::search<TestType>::metric);
    if (s == all.end()) continue;
    for (const std::size_t batch : {std::size_t{1}, std::size_t{7}, n}) {
      const auto asked = first_rows(queries, batch);
      const neighbors expected = s->knn(rows, asked, k, {});
      for (const int e : exponents<TestType>(degree)) {
        CAPTURE(name, batch, e);
        CHECK(same_bits(s->knn(scaled(rows, e), scaled(asked, e), k, {}), scaled(expected, degree * e)));
      }
    }
  }
}

TEST_CASE("an index of rows of any size returns what knn does", "[sizes]") {
  const auto rows = plain_rows<float>(n, 1), queries = plain_rows<float>(n, 2);
  for (const int e : {-120, -60, 0, 58, 100})
    for (const std::size_t batch : {std::size_t{1}, n}) {
      const auto data = scaled(rows, e), asked = scaled(first_rows(queries, batch), e);
      flat_index index(matrix_view<float>(data).middle_rows(0, 50));
      index.insert(matrix_view<float>(data).middle_rows(50, n - 50));
      CAPTURE(e, batch);
      CHECK(same_bits(index.search(asked, k), searches::by<float>("euclidean").knn(data, asked, k, {})));
      CHECK(same_bits(flat_index(data, cosine{}).search(asked, k),
                      searches::by<float>("cosine").knn(data, asked, k, {})));
    }
}

TEST_CASE("sparse rows times a power of two have the same neighbours", "[sizes]") {
  const auto scaled_sparse = [](const csr_matrix<float>& rows, int e) {
    return detail::scaled_copy(
        csr_view<float>(rows), [e](std::size_t) { return -e; }, 1);
  };
  const auto rows = sparse_rows::random_rows<float>(n, 20, 60, 1),
             queries = sparse_rows::random_rows<float>(40, 20, 60, 2);
  const auto check = [&](const auto& metric, int degree) {
    for (const int e : exponents<float>(degree)) {
      const neighbors expected = scaled(knn(rows, queries, k, metric), degree * e);
      CAPTURE(metric.name, e);
      CHECK(same_bits(knn(scaled_sparse(rows, e), scaled_sparse(queries, e), k, metric), expected));
    }
  };
  check(euclidean{}, 1);
  check(sqeuclidean{}, 2);
  check(inner_product{}, 2);
  check(cosine{}, 0);
  check(manhattan{}, 1);
}

TEST_CASE("queries may be of another size than the rows", "[sizes]") {
  const auto rows = plain_rows<float>(n, 1), queries = plain_rows<float>(n, 2);
  for (const auto& [name, degree] : metrics) {
    const auto& s = searches::by<float>(name);
    const int end = degree == 2 ? 58 : 118;
    for (const int of_rows : {-118, -40, 0, 40, end})
      for (const int of_queries : {-118, -40, 0, 40, end})
        for (const std::size_t batch : {std::size_t{3}, std::size_t{40}}) {
          const auto data = scaled(rows, of_rows), asked = scaled(first_rows(queries, batch), of_queries);
          CAPTURE(name, of_rows, of_queries, batch);
          CHECK(s.wrong(data, asked, s.knn(data, asked, k, {})) == 0);
        }
  }
}

TEST_CASE("rows of all sizes at once are all found, in the order of their distances", "[sizes]") {
  for (const int largest : {0, 110}) {
    const auto rows = rows_of_all_sizes(n, 3, largest), queries = rows_of_all_sizes(40, 4, largest);
    for (const auto* name : {"euclidean", "manhattan", "chebyshev", "cosine"}) {
      const auto& s = searches::by<float>(name);
      for (const std::size_t wanted : {std::size_t{1}, k, n, n + 5}) {
        CAPTURE(name, wanted, largest);
        CHECK(s.wrong(rows, queries, s.knn(rows, queries, wanted, {})) == 0);
      }
    }
  }
}

TEST_CASE("rows far too large to square change nothing for the others", "[sizes]") {
  const auto rows = plain_rows<float>(n, 1), queries = plain_rows<float>(40, 2);
  auto with_large = plain_rows<float>(n + 20, 1);
  std::copy_n(rows.data(), n * d, with_large.data());
  for (std::size_t i = n; i < n + 20; ++i)
    for (float& x : with_large.row(i)) x = std::ldexp(x + 2, 100);
  const auto& s = searches::by<float>("euclidean");
  CHECK(same_bits(s.knn(with_large, queries, k, {}), s.knn(rows, queries, k, {})));
  const neighbors all = s.knn(with_large, queries, n + 20, {}), near = s.knn(rows, queries, n, {});
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 40; ++i) {
    for (std::size_t j = 0; j < n; ++j) wrong += all.ids(i, j) != near.ids(i, j);
    for (std::size_t j = n; j < n + 20; ++j) wrong += all.ids(i, j) < n || !(all.distances(i, j) > 1e29f);
  }
  CHECK(wrong == 0);
  CHECK(searches::well_formed(all));
}

TEST_CASE("a filter may leave rows of other sizes alone", "[sizes]") {
  auto rows = plain_rows<float>(n, 1);
  for (std::size_t i = 0; i < n; ++i)
    for (float& x : rows.row(i)) x = std::ldexp(x, i % 3 == 0 ? 100 : 0);
  const auto queries = plain_rows<float>(20, 2);
  const id_filter large = [](id_type id) { return id % 3 == 0; };
  const auto found = searches::by<float>("euclidean").knn(rows, queries, n, {.filter = large});
  for (std::size_t i = 0; i < 20; ++i) {
    CHECK(std::ranges::count(found.ids.row(i), no_id) == n - n / 3);
    CHECK(found.distances(i, n / 3 - 1) < infinity);
    CHECK(std::ranges::is_sorted(found.distances.row(i)));
  }
}

TEST_CASE("a zero query finds the smallest rows first", "[sizes]") {
  for (const int e : {-120, 0, 100}) {
    const auto rows = scaled(plain_rows<float>(n, 1), e);
    const matrix<float> zeros(20, d);
    const auto& s = searches::by<float>("euclidean");
    CAPTURE(e);
    CHECK(s.wrong(rows, zeros, s.knn(rows, zeros, k, {})) == 0);
  }
}

TEST_CASE("answers for rows of all sizes do not depend on the batch or the number of threads", "[sizes]") {
  const auto rows = rows_of_all_sizes(n, 5);
  auto queries = rows_of_all_sizes(40, 6);
  queries(7, 3) = std::nanf("");
  for (const auto* name : {"euclidean", "cosine", "manhattan"}) {
    const auto& s = searches::by<float>(name);
    const neighbors together = s.knn(rows, queries, 30, {.threads = 1});
    CAPTURE(name);
    CHECK(std::ranges::count(together.ids.row(7), no_id) == 30);
    for (const std::size_t threads : {2u, 3u, 8u})
      CHECK(same_bits(s.knn(rows, queries, 30, {.threads = threads}), together));
    for (const std::vector<std::size_t>& some : {std::vector<std::size_t>{5}, {7, 39, 0}, {1, 2, 3, 4, 5, 6, 8}})
      CHECK(same_bits(s.knn(rows, rows_of(queries, some), 30, {.threads = 1}), rows_of(together, some)));
  }
}

TEST_CASE("an approximate search of rows of any size finds as much as it is asked for", "[sizes]") {
  const auto rows = plain_rows<float>(n, 1), queries = plain_rows<float>(40, 2);
  for (const auto* name : {"euclidean", "cosine"})
    for (const int e : {-100, 58, 100}) {
      const auto& s = searches::by<float>(name);
      const auto data = scaled(rows, e), asked = scaled(queries, e);
      CAPTURE(name, e);
      CHECK(recall(s.knn(data, asked, k, {.recall_target = 0.95}), s.knn(data, asked, k, {}), k) >= 0.95);
    }
}

TEST_CASE("doubles whose distances are no floats are in order, at infinite distances", "[sizes]") {
  const auto rows = plain_rows<double>(n, 1), queries = plain_rows<double>(7, 2);
  for (const auto& s : searches::all<double>())
    if (s.metric == "euclidean") {
      const auto found = s.knn(scaled(rows, 900), scaled(queries, 900), k, {});
      CHECK(found.ids == s.knn(rows, queries, k, {}).ids);
      CHECK(found.distances(0, 0) == infinity);
    }
}

// ---- What is refused ------------------------------------------------------------------------------------------------

TEST_CASE("rows whose distances may be no floats are refused by number, and so are such queries", "[sizes]") {
  const auto rows = plain_rows<float>(n, 1), queries = plain_rows<float>(20, 2);
  auto large = rows;
  large(17, 3) = 1e25f;
  auto large_query = queries;
  large_query(9, 0) = -1e25f;
  for (const auto* name : {"sqeuclidean", "inner_product"}) {
    const auto& s = searches::by<float>(name);
    const auto of_data = message_of([&] { s.knn(large, queries, k, {}); });
    CHECK_THAT(of_data, ContainsSubstring("data = 1e+25") && ContainsSubstring("row 17 "));
    const auto of_queries = message_of([&] { s.knn(rows, large_query, k, {}); });
    CHECK_THAT(of_queries, ContainsSubstring("queries = 1e+25") && ContainsSubstring("row 9 "));
  }
  CHECK_NOTHROW(searches::by<float>("euclidean").knn(large, large_query, k, {}));
  const matrix<float> at_the_end(3, d, std::numeric_limits<float>::max());
  for (const auto* name : {"euclidean", "manhattan", "chebyshev"})
    CHECK_THROWS_AS(searches::by<float>(name).knn(at_the_end, queries, k, {}), std::invalid_argument);
  CHECK_NOTHROW(searches::by<float>("cosine").knn(at_the_end, queries, k, {}));
}

TEST_CASE("an index that refuses a row for its size has not changed", "[sizes]") {
  flat_index index(plain_rows<float>(n, 1), sqeuclidean{});
  auto more = plain_rows<float>(10, 2);
  more(4, 4) = 1e20f;
  CHECK_THROWS_WITH(index.insert(more), ContainsSubstring("row 4 "));
  CHECK(index.size() == n);
}

TEST_CASE("sparse rows whose distances may be no floats are refused by number", "[sizes]") {
  const csr_matrix<float> rows({0, 1, 2}, {2, 0}, {3, 1e25f}, 4), ordinary({0, 1}, {1}, {2}, 4);
  CHECK_THROWS_WITH(knn(rows, ordinary, 1, sqeuclidean{}), ContainsSubstring("data") && ContainsSubstring("row 1 "));
  CHECK_THROWS_WITH(knn(ordinary, rows, 1, sqeuclidean{}), ContainsSubstring("queries") && ContainsSubstring("row 1 "));
  CHECK(knn(rows, ordinary, 2).ids(0, 1) == 1);
}

// ---- Progress -------------------------------------------------------------------------------------------------------

TEST_CASE("progress of a search at several scales rises to 1, and cancels it", "[sizes]") {
  const auto rows = rows_of_all_sizes(n, 7), queries = rows_of_all_sizes(40, 8);
  const auto& s = searches::by<float>("euclidean");
  std::vector<double> fractions;
  progress_watch seen;
  const progress_callback watch = [&](const progress_report& report) {
    seen.see(report);
    fractions.push_back(report.fraction);
    return true;
  };
  s.knn(rows, queries, k, {.threads = 1, .progress = watch});
  CHECK(fractions.size() > 3);
  CHECK(seen.fault({"knn"}) == "");
  CHECK(std::ranges::is_sorted(fractions));
  CHECK(fractions.back() == 1.0);
  const std::size_t calls = fractions.size();
  for (std::size_t last = 0; last < calls; last += 3) {
    std::size_t count = 0;
    const progress_callback cancel = [&](const progress_report&) { return count++ != last; };
    CHECK_THROWS_AS(s.knn(rows, queries, k, {.threads = 1, .progress = cancel}), cancelled);
  }
}
