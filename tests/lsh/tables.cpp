#include <annulus/core/base/random.hpp>
#include <annulus/lsh/tables.hpp>

#include <map>

#include "catch.hpp"

using namespace annulus;
using detail::hash_tables;

namespace {

constexpr std::size_t n_tables = 5;

/// A row's key in a table: large and small buckets.
std::uint64_t key_of(std::size_t row, std::size_t table) {
  const std::uint64_t r = counter_random(3, table).bits(row);
  return r % 2 == 0 ? r / 2 % 10 : r / 2 % 400;
}

/// What a table hashes rows `first` and on with.
auto keys_from(std::size_t first_row) {
  return [=](std::size_t begin, std::size_t end, std::size_t first, std::size_t count, std::uint64_t* keys) {
    for (std::size_t t = 0; t < count; ++t)
      for (std::size_t i = begin; i < end; ++i) keys[t * (end - begin) + i - begin] = key_of(first_row + i, first + t);
  };
}

void add(hash_tables& tables, std::size_t count, std::size_t threads = 1) {
  tables.add(count, threads, keys_from(tables.size()));
}

std::vector<std::size_t> rows_in(const hash_tables& tables, std::size_t table, std::uint64_t key) {
  std::vector<std::size_t> rows;
  tables.visit(table, detail::bucket_of(key), [&](std::size_t row) { rows.push_back(row); });
  return rows;
}

/// How many buckets do not hold those rows whose keys are theirs; row i has the keys of row numbers[i].
std::size_t wrong_buckets(const hash_tables& tables, const std::vector<std::size_t>& numbers) {
  std::size_t wrong = tables.size() != numbers.size();
  for (std::size_t t = 0; t < n_tables; ++t)
    for (std::uint64_t key = 0; key < 405; ++key) {
      std::vector<std::size_t> expected;
      for (std::size_t i = 0; i < numbers.size(); ++i)
        if (key_of(numbers[i], t) == key) expected.push_back(i);
      auto rows = rows_in(tables, t, key);
      std::ranges::sort(rows);
      wrong += rows != expected;
    }
  return wrong;
}

std::vector<std::size_t> first_numbers(std::size_t n) {
  std::vector<std::size_t> numbers(n);
  for (std::size_t i = 0; i < n; ++i) numbers[i] = i;
  return numbers;
}

constexpr auto all = [](std::size_t) { return true; };

}  // namespace

TEST_CASE("rows are in the buckets of their keys, whether they came first or later", "[lsh][hash_tables]") {
  for (const std::size_t n : {0u, 1u, 5u, 191u, 192u, 193u, 385u, 600u}) {
    hash_tables tables(n_tables);
    CHECK(wrong_buckets(tables, {}) == 0);
    add(tables, n);
    CAPTURE(n);
    CHECK(tables.n_added() == 0);
    CHECK(wrong_buckets(tables, first_numbers(n)) == 0);
    add(tables, 1);
    add(tables, 0);
    add(tables, 194);
    CHECK(tables.n_added() == (n == 0 ? 194u : 195u));
    CHECK(wrong_buckets(tables, first_numbers(n + 195)) == 0);
  }
}

TEST_CASE("each row is hashed once for each table", "[lsh][hash_tables]") {
  hash_tables tables(n_tables);
  for (const std::size_t n : {500u, 300u}) {
    std::map<std::pair<std::size_t, std::size_t>, int> counts;
    tables.add(n, 1,
               [&](std::size_t begin, std::size_t end, std::size_t first, std::size_t count, std::uint64_t* keys) {
                 for (std::size_t t = first; t < first + count; ++t)
                   for (std::size_t i = begin; i < end; ++i) ++counts[{t, i}];
                 std::fill_n(keys, count * (end - begin), 0);
               });
    CHECK(counts.size() == n_tables * n);
    CHECK(std::ranges::all_of(counts, [](const auto& count) { return count.second == 1; }));
  }
}

TEST_CASE("any number of threads fills the same tables", "[lsh][hash_tables]") {
  std::vector<id_type> numbers(1500, no_id);
  for (std::size_t i = 0; i < 1500; ++i)
    if (i % 3 != 0) numbers[i] = static_cast<id_type>(i - i / 3 - 1);
  const auto grown = [&](std::size_t threads, bool renumber) {
    hash_tables tables(n_tables);
    add(tables, 900, threads);
    add(tables, 600, threads);
    if (renumber) tables.renumber(numbers, 1000, threads);
    return tables;
  };
  for (const bool renumber : {false, true}) {
    const auto expected = grown(1, renumber);
    for (const std::size_t threads : {2u, 3u, 8u}) {
      const auto tables = grown(threads, renumber);
      std::size_t wrong = 0;
      for (std::size_t t = 0; t < n_tables; ++t)
        for (std::uint64_t key = 0; key < 405; ++key) wrong += rows_in(tables, t, key) != rows_in(expected, t, key);
      CHECK(tables.size() == expected.size());
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("a hash that throws in any thread adds nothing", "[lsh][hash_tables]") {
  struct failure {};
  for (const std::size_t threads : {1u, 3u}) {
    hash_tables tables(n_tables);
    const auto fail = [](std::size_t begin, std::size_t, std::size_t, std::size_t, std::uint64_t*) {
      if (begin >= 192) throw failure{};
    };
    CHECK_THROWS_AS(tables.add(1000, threads, fail), failure);
    CHECK(wrong_buckets(tables, {}) == 0);
    add(tables, 300);
    CHECK_THROWS_AS(tables.add(1000, threads, fail), failure);
    CHECK(wrong_buckets(tables, first_numbers(300)) == 0);
    add(tables, 100);
    CHECK(wrong_buckets(tables, first_numbers(400)) == 0);
  }
}

TEST_CASE("rows stay in their buckets when they are renumbered, and those without a number go", "[lsh][hash_tables]") {
  const counter_random random(1);
  for (const std::size_t first : {0u, 1u, 60u, 500u}) {
    hash_tables tables(n_tables);
    add(tables, first);
    std::vector<std::size_t> held = first_numbers(first);
    for (std::size_t round = 0, next = first; round < 4; ++round) {
      const std::size_t count = random.below(2 * round, 200) * (round != 2);
      tables.add(count, 1, keys_from(next));
      for (std::size_t i = 0; i < count; ++i) held.push_back(next++);
      std::vector<id_type> numbers(held.size(), no_id);
      std::vector<std::size_t> left;
      for (std::size_t i = 0; i < held.size(); ++i) {
        if (random.below(1000 * (round + 1) + i, 4) == 0) continue;
        numbers[i] = static_cast<id_type>(left.size());
        left.push_back(held[i]);
      }
      tables.renumber(numbers, left.size(), 1);
      held = left;
      CAPTURE(first, round);
      CHECK(tables.n_added() == 0);
      CHECK(wrong_buckets(tables, held) == 0);
    }
    tables.renumber(std::vector<id_type>(held.size(), no_id), 0, 1);
    CHECK(wrong_buckets(tables, {}) == 0);
    add(tables, 30);
    CHECK(wrong_buckets(tables, first_numbers(30)) == 0);
  }
}

TEST_CASE("tables are loose once more than a thousand rows, and a quarter, were added", "[lsh][hash_tables]") {
  const auto grown = [](std::size_t sorted, std::size_t added) {
    hash_tables tables(1);
    add(tables, sorted);
    add(tables, added);
    return tables.should_sort();
  };
  CHECK_FALSE(grown(100, 1024));
  CHECK(grown(100, 1025));
  CHECK_FALSE(grown(8000, 2000));
  CHECK(grown(8000, 2001));
  CHECK_FALSE(grown(8000, 0));
}

TEST_CASE("buckets are described as a plain count does", "[lsh][hash_tables]") {
  const auto some = [](std::size_t row) { return row % 3 != 1; };
  const auto none = [](std::size_t) { return false; };
  hash_tables tables(n_tables);
  CHECK(tables.describe(all).n_buckets == 0);
  add(tables, 700);
  add(tables, 250);
  const auto check = [&](auto is_there) {
    std::map<std::pair<std::size_t, std::uint64_t>, std::size_t> sizes;
    for (std::size_t t = 0; t < n_tables; ++t)
      for (std::size_t i = 0; i < 950; ++i)
        if (is_there(i)) ++sizes[{t, key_of(i, t)}];
    double sum = 0, squares = 0;
    std::size_t least = sizes.empty() ? 0 : 1000, most = 0;
    for (const auto& [bucket, size] : sizes) {
      sum += static_cast<double>(size);
      least = std::min(least, size);
      most = std::max(most, size);
    }
    const double n = static_cast<double>(sizes.size()), mean = sizes.empty() ? 0 : sum / n;
    for (const auto& [bucket, size] : sizes) squares += std::pow(static_cast<double>(size) - mean, 2);
    const bucket_statistics stats = tables.describe(is_there);
    CHECK(stats.n_buckets == sizes.size());
    CHECK(stats.mean == Approx(mean));
    CHECK(stats.sd == Approx(sizes.empty() ? 0 : std::sqrt(squares / n)));
    CHECK(stats.min == least);
    CHECK(stats.max == most);
    CHECK(stats.bytes == tables.memory_bytes());
  };
  check(all);
  check(some);
  check([](std::size_t row) { return row == 800; });
  check(none);
}
