#include <annulus/core/base/random.hpp>
#include <annulus/lsh/added_buckets.hpp>

#include <map>

#include "catch.hpp"

using namespace annulus;
using detail::added_buckets;

namespace {

/// A row's bucket of a table: one of a few, which differ in their lower or in their upper bits alone.
std::uint64_t bucket_of_row(std::size_t row, std::size_t table, std::uint64_t n_buckets) {
  const std::uint64_t number = counter_random(9, table).below(row, n_buckets);
  return number % 2 == 0 ? number : number << 30;
}

std::vector<std::uint64_t> buckets_of(std::size_t row, std::size_t n_tables, std::uint64_t n_buckets) {
  std::vector<std::uint64_t> buckets;
  for (std::size_t t = 0; t < n_tables; ++t) buckets.push_back(bucket_of_row(row, t, n_buckets));
  return buckets;
}

std::vector<std::size_t> rows_in(const added_buckets& added, std::size_t table, std::uint64_t bucket) {
  std::vector<std::size_t> rows;
  added.visit(table, bucket, [&](std::size_t row) { rows.push_back(row); });
  return rows;
}

}  // namespace

TEST_CASE("added rows are in the buckets of a plain multimap, newest first, whatever they grew by",
          "[lsh][added_buckets]") {
  constexpr std::size_t n_tables = 3;
  for (const std::uint64_t n_buckets : {1u, 7u, 1000u})
    for (const std::size_t step : {1u, 10u, 63u, 64u, 65u, 300u}) {
      added_buckets added(n_tables);
      std::vector<std::multimap<std::uint64_t, std::size_t>> model(n_tables);
      std::size_t wrong = 0;
      while (added.size() < 700) {
        added.reserve(step);
        for (std::size_t i = 0; i < step; ++i) {
          const std::size_t row = added.size();
          const auto buckets = buckets_of(row, n_tables, n_buckets);
          added.add(buckets);
          for (std::size_t t = 0; t < n_tables; ++t) model[t].emplace(buckets[t], row);
        }
        if (step == 1 && added.size() % 50 > 1) continue;
        for (std::size_t t = 0; t < n_tables; ++t)
          for (std::uint64_t number = 0; number < n_buckets; ++number)
            for (const std::uint64_t bucket : {number, number << 30}) {
              const auto [begin, end] = model[t].equal_range(bucket);
              std::vector<std::size_t> expected;
              for (auto i = begin; i != end; ++i) expected.push_back(i->second);
              std::ranges::reverse(expected);
              wrong += rows_in(added, t, bucket) != expected;
            }
      }
      CAPTURE(n_buckets, step);
      CHECK(wrong == 0);
    }
}

TEST_CASE("a row's buckets are kept as they were given", "[lsh][added_buckets]") {
  added_buckets added(4);
  added.reserve(200);
  for (std::size_t row = 0; row < 200; ++row) added.add(buckets_of(row, 4, 1u << 30));
  CHECK(added.size() == 200);
  for (std::size_t row = 0; row < 200; ++row)
    for (std::size_t t = 0; t < 4; ++t) CHECK(added.bucket(t, row) == bucket_of_row(row, t, 1u << 30));
}

TEST_CASE("where nothing was added every bucket is empty", "[lsh][added_buckets]") {
  added_buckets added(2);
  CHECK(rows_in(added, 1, 77).empty());
  CHECK(added.memory_bytes() == 0);
  added.reserve(5);
  CHECK(rows_in(added, 1, 77).empty());
  CHECK(added.size() == 0);
}

TEST_CASE("rows for which there is room take no more memory", "[lsh][added_buckets]") {
  added_buckets added(3);
  for (const std::size_t count : {1u, 64u, 200u, 1000u}) {
    added.reserve(count);
    const std::size_t bytes = added.memory_bytes();
    for (std::size_t i = 0; i < count; ++i) added.add(buckets_of(added.size(), 3, 10));
    CHECK(added.memory_bytes() == bytes);
  }
}

TEST_CASE("a copy of added rows outlives them", "[lsh][added_buckets]") {
  added_buckets added(1);
  added.reserve(2);
  added.add(std::vector<std::uint64_t>{5});
  const auto copy = added;
  added.add(std::vector<std::uint64_t>{5});
  CHECK(rows_in(copy, 0, 5) == std::vector<std::size_t>{0});
  CHECK(rows_in(added, 0, 5) == std::vector<std::size_t>{1, 0});
}
