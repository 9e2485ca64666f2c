#include <annulus/core/base/random.hpp>
#include <annulus/core/metric/set_metrics.hpp>
#include <annulus/lsh/row_store.hpp>

#include "catch.hpp"
#include "lsh/indexes.hpp"
#include "message_of.hpp"

using namespace annulus;
using detail::row_store;
using lsh_tests::rows_between;

namespace {

/// Whether a store holds these rows of the source.
template <class T>
std::size_t wrong_rows(const row_store<matrix<T>>& store, const matrix<T>& source,
                       const std::vector<std::size_t>& numbers) {
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) wrong += !std::ranges::equal(store.row(i), source.row(numbers[i]));
  return wrong;
}
std::size_t wrong_rows(const row_store<csr_matrix<float>>& store, const csr_matrix<float>& source,
                       const std::vector<std::size_t>& numbers) {
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i)
    wrong +=
        !std::ranges::equal(store.row(i).indices, source.row(numbers[i]).indices) || store.row(i).dim != source.dim();
  return wrong;
}

/// How many ranks of rows, in an order of their own, are not those of the pairs.
template <class Metric, class Points>
std::size_t wrong_ranks(const row_store<Points>& store, const Points& queries, std::size_t n) {
  typename row_store<Points>::template rank_type<Metric> ranks[40];
  std::vector<id_type> order;
  for (std::size_t i = 0; i < n; ++i) order.push_back(static_cast<id_type>(i * 7 % n));
  std::size_t wrong = 0;
  for (std::size_t q = 0; q < queries.size(); ++q)
    for (std::size_t count = 0; count <= n; ++count) {
      const auto query = queries.row(q);
      store.ranks(Metric{}, query, std::span(order).first(count), ranks);
      for (std::size_t j = 0; j < count; ++j)
        wrong += ranks[j] != lsh_tests::rank_between<Metric>(query, store.row(order[j]));
    }
  return wrong;
}

/// Rows that come, go and move are where they should be.
template <class Points>
void check_changes(const Points& source) {
  row_store<Points> store(source.dim());
  store.append(rows_between(source, 0, 0));
  store.append(rows_between(source, 0, 1));
  store.append(rows_between(source, 1, 30));
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < 30; ++i) numbers.push_back(i);
  CHECK(wrong_rows(store, source, numbers) == 0);
  CHECK(store.memory_bytes() > 0);

  store.append(rows_between(source, 30, 40));
  store.truncate(20);
  store.append(rows_between(source, 32, 38));
  numbers.resize(20);
  for (std::size_t i = 32; i < 38; ++i) numbers.push_back(i);
  CHECK(wrong_rows(store, source, numbers) == 0);

  std::vector<id_type> places;
  std::vector<std::size_t> left;
  for (std::size_t i = 0; i < 26; ++i) {
    places.push_back(i % 4 == 0 || i == 25 ? no_id : static_cast<id_type>(left.size()));
    if (places.back() != no_id) left.push_back(numbers[i]);
  }
  store.renumber(places, left.size());
  CHECK(wrong_rows(store, source, left) == 0);
  store.append(rows_between(source, 38, 40));
  left.push_back(38);
  left.push_back(39);
  CHECK(wrong_rows(store, source, left) == 0);
  store.truncate(0);
  store.append(rows_between(source, 5, 8));
  CHECK(wrong_rows(store, source, {5, 6, 7}) == 0);
}

}  // namespace

TEST_CASE("rows appended, truncated and renumbered are where they should be", "[lsh][row_store]") {
  check_changes(lsh_tests::clusters<float>(40, 7, 3, 1));
  check_changes(lsh_tests::clusters<double>(40, 33, 3, 2));
  check_changes(lsh_tests::bit_clusters(40, 5, 3, 3));
  check_changes(lsh_tests::set_clusters(40, 3, 4));
}

TEST_CASE("ranks are the metric's, whatever the number and order of rows", "[lsh][row_store]") {
  const auto check = [](const auto& all, auto metric) {
    const lsh_tests::split data(all, 3);
    row_store<std::remove_cvref_t<decltype(all)>> store(all.dim());
    store.append(data.rows);
    CHECK(wrong_ranks<decltype(metric)>(store, data.queries, data.rows.size()) == 0);
  };
  check(lsh_tests::clusters<float>(33, 19, 3, 1), euclidean{});
  check(lsh_tests::clusters<float>(33, 70, 3, 1), cosine{});
  check(lsh_tests::clusters<double>(33, 5, 3, 1), manhattan{});
  check(lsh_tests::bit_clusters(33, 9, 3, 3), bit_hamming{});
  check(lsh_tests::set_clusters(33, 3, 4), jaccard{});
}

TEST_CASE("a set's rank does not depend on its values", "[lsh][row_store]") {
  const csr_matrix<float> ones({0, 3}, {1, 4, 6}, {1, 1, 1}, 10), others({0, 3}, {4, 6, 9}, {0, -2, 5}, 10);
  row_store<csr_matrix<float>> store(10);
  store.append(others);
  float rank = 0;
  store.ranks(jaccard{}, ones.row(0), std::vector<id_type>{0}, &rank);
  CHECK(rank == 0.5f);
}

TEST_CASE("only rows of finite numbers are taken", "[lsh][row_store]") {
  using store = row_store<matrix<float>>;
  auto rows = lsh_tests::clusters<float>(9, 7, 3, 1);
  CHECK_NOTHROW(store::check(rows, 1));
  for (const float bad : {lsh_tests::not_a_number, lsh_tests::infinity, -lsh_tests::infinity}) {
    rows(6, 3) = bad;
    CHECK_THAT(message_of([&] { store::check(rows, 1); }), ContainsSubstring("row 6, coordinate 3"));
    CHECK_FALSE(store::is_finite(rows.row(6)));
    CHECK(store::is_finite(rows.row(5)));
  }
}
