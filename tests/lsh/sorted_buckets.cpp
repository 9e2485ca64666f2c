#include <annulus/core/base/parallel.hpp>
#include <annulus/core/base/random.hpp>
#include <annulus/lsh/sorted_buckets.hpp>

#include <map>

#include "catch.hpp"

using namespace annulus;
using detail::sorted_buckets;

namespace {

using numbers = std::vector<std::uint64_t>;
using bucket_map = std::map<std::uint64_t, std::vector<std::uint32_t>>;

constexpr std::uint64_t n_buckets = std::uint64_t{1} << detail::bucket_bits;

constexpr std::size_t n_kinds = 6;

/// n rows' buckets: scattered, a few, one for all, close to each other, at both ends, or in one slot of the directory.
numbers drawn(std::size_t n, std::size_t kind, std::uint64_t seed = 1) {
  const counter_random random(seed, kind);
  const std::uint64_t base = random.bits(1u << 20) % (n_buckets - 100);
  numbers buckets(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint64_t r = random.bits(i);
    switch (kind) {
      case 0:
        buckets[i] = r % n_buckets;
        break;
      case 1:
        buckets[i] = random.bits((1u << 21) + r % 5) % n_buckets;
        break;
      case 2:
        buckets[i] = base;
        break;
      case 3:
        buckets[i] = base + r % 100;
        break;
      case 4:
        buckets[i] = r % 2 == 0 ? r / 2 % 3 : n_buckets - 1 - r / 2 % 3;
        break;
      default:
        buckets[i] = base ^ r % 4096;
        break;
    }
  }
  return buckets;
}

/// One table a kind.
sorted_buckets tables_of(std::size_t n) {
  sorted_buckets tables(n, n_kinds);
  std::vector<std::uint64_t> scratch;
  for (std::size_t kind = 0; kind < n_kinds; ++kind) tables.assign(kind, drawn(n, kind), scratch);
  return tables;
}

bucket_map map_of(const numbers& buckets) {
  bucket_map map;
  for (std::size_t i = 0; i < buckets.size(); ++i) map[buckets[i]].push_back(static_cast<std::uint32_t>(i));
  return map;
}

std::vector<std::uint32_t> rows_in(const sorted_buckets& tables, std::size_t table, std::uint64_t bucket) {
  std::vector<std::uint32_t> rows;
  tables.visit(table, bucket, [&](std::uint32_t row) { rows.push_back(row); });
  return rows;
}

std::vector<std::size_t> sizes() {
  std::vector<std::size_t> all{1000, 5000};
  for (std::size_t n = 0; n <= 40; ++n) all.push_back(n);
  for (std::size_t power = 64; power <= 8192; power *= 2)
    for (const std::size_t n : {power - 1, power, power + 1}) all.push_back(n);
  return all;
}

}  // namespace

TEST_CASE("a bucket holds the rows that a plain map does, ascending", "[lsh][sorted_buckets]") {
  for (const std::size_t n : sizes()) {
    const auto tables = tables_of(n);
    std::size_t wrong = 0;
    for (std::size_t kind = 0; kind < n_kinds; ++kind)
      for (const auto& [bucket, rows] : map_of(drawn(n, kind))) wrong += rows_in(tables, kind, bucket) != rows;
    CAPTURE(n);
    CHECK(tables.size() == n);
    CHECK(wrong == 0);
  }
}

TEST_CASE("a bucket without rows is empty, also next to others and at both ends", "[lsh][sorted_buckets]") {
  for (const std::size_t n : sizes()) {
    const auto tables = tables_of(n);
    std::size_t wrong = 0;
    for (std::size_t kind = 0; kind < n_kinds; ++kind) {
      const auto map = map_of(drawn(n, kind));
      const auto check = [&](std::uint64_t bucket) {
        wrong += !map.contains(bucket) && !rows_in(tables, kind, bucket).empty();
      };
      for (const auto& [bucket, rows] : map) {
        check((bucket + 1) % n_buckets);
        check((bucket + n_buckets - 1) % n_buckets);
        for (unsigned bit = 0; bit < detail::bucket_bits; bit += 4) check(bucket ^ std::uint64_t{1} << bit);
      }
      for (const std::uint64_t bucket : drawn(50, 0, 2)) check(bucket);
      check(0);
      check(n_buckets - 1);
    }
    CAPTURE(n);
    CHECK(wrong == 0);
  }
}

TEST_CASE("all rows are visited once, each with its bucket, and buckets ascend", "[lsh][sorted_buckets]") {
  for (const std::size_t n : sizes()) {
    const auto tables = tables_of(n);
    for (std::size_t kind = 0; kind < n_kinds; ++kind) {
      const auto buckets = drawn(n, kind);
      std::size_t wrong = 0;
      std::uint64_t last = 0;
      std::vector<std::uint32_t> rows;
      tables.visit_all(kind, [&](std::uint32_t row, std::uint64_t bucket) {
        wrong += bucket != buckets.at(row) || bucket < last;
        last = bucket;
        rows.push_back(row);
      });
      std::ranges::sort(rows);
      for (std::size_t i = 0; i < rows.size(); ++i) wrong += rows[i] != i;
      CAPTURE(n, kind);
      CHECK(rows.size() == n);
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("a row takes at most six bytes a table", "[lsh][sorted_buckets]") {
  for (std::size_t n = 0; n <= 5000; ++n) {
    constexpr std::size_t n_tables = 7, small = 8;
    CHECK(sorted_buckets(n, n_tables).memory_bytes() <= n_tables * (6 * n + small));
  }
}

TEST_CASE("tables assigned by several threads are those assigned by one thread", "[lsh][sorted_buckets]") {
  constexpr std::size_t n = 3001;
  const auto expected = tables_of(n);
  for (const std::size_t threads : {2u, 3u, 8u}) {
    sorted_buckets tables(n, n_kinds);
    parallel_for(threads, n_kinds, 1, [&](std::size_t table, std::size_t, std::size_t) {
      std::vector<std::uint64_t> scratch;
      tables.assign(table, drawn(n, table), scratch);
    });
    std::size_t wrong = 0;
    for (std::size_t kind = 0; kind < n_kinds; ++kind)
      for (const std::uint64_t bucket : drawn(n, kind))
        wrong += rows_in(tables, kind, bucket) != rows_in(expected, kind, bucket);
    CHECK(wrong == 0);
  }
}

TEST_CASE("a copy of sorted buckets outlives them", "[lsh][sorted_buckets]") {
  auto tables = tables_of(100);
  const auto copy = tables;
  tables = tables_of(3);
  for (std::size_t kind = 0; kind < n_kinds; ++kind)
    for (const auto& [bucket, rows] : map_of(drawn(100, kind))) CHECK(rows_in(copy, kind, bucket) == rows);
}

TEST_CASE("a bucket's number is the upper bits of the mixed key", "[lsh][sorted_buckets]") {
  const counter_random random(5);
  for (std::size_t i = 0; i < 1000; ++i) {
    const std::uint64_t key = i < 64 ? std::uint64_t{1} << i : random.bits(i);
    CHECK(detail::bucket_of(key) == detail::mixed_bits(key) >> 27);
    CHECK(detail::bucket_of(key) < n_buckets);
  }
}

TEST_CASE("keys that follow each other, or differ in few bits, have buckets all over", "[lsh][sorted_buckets]") {
  for (const unsigned shift : {0u, 20u, 48u}) {
    std::vector<std::size_t> slots(64);
    numbers buckets;
    for (std::uint64_t key = 0; key < 6400; ++key) {
      buckets.push_back(detail::bucket_of(key << shift));
      ++slots[buckets.back() >> (detail::bucket_bits - 6)];
    }
    for (const std::size_t count : slots) CHECK(std::abs(static_cast<double>(count) - 100) < 45);
    std::ranges::sort(buckets);
    CHECK(std::ranges::adjacent_find(buckets) == buckets.end());
  }
}
