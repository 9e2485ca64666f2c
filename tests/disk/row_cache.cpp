#include <annulus/core/base/parallel.hpp>
#include <annulus/disk/row_cache.hpp>

#include "catch.hpp"

using annulus::id_type;
using annulus::detail::row_cache;

namespace {

constexpr std::size_t row_bytes = 40;
using row_type = std::array<std::byte, row_bytes>;

row_type row_of(id_type number) {
  row_type row;
  for (std::size_t i = 0; i < row_bytes; ++i)
    row[i] = static_cast<std::byte>(annulus::detail::mixed_bits(number * row_bytes + i));
  return row;
}
bool has(row_cache& cache, id_type number) {
  row_type found;
  if (!cache.find(number, found.data())) return false;
  CHECK(found == row_of(number));
  return true;
}
std::size_t count_of(row_cache& cache, id_type begin, id_type end) {
  std::size_t count = 0;
  for (id_type i = begin; i < end; ++i) count += has(cache, i);
  return count;
}

}  // namespace

TEST_CASE("a cache has the rows that were put into it", "[row_cache]") {
  row_cache cache(100'000, row_bytes);
  CHECK(count_of(cache, 0, 1000) == 0);
  for (id_type i = 0; i < 500; ++i) cache.put(i, row_of(i).data());
  CHECK(count_of(cache, 0, 500) == 500);  // a fifth of its capacity
  CHECK(count_of(cache, 500, 1000) == 0);
}

TEST_CASE("a cache stays within its budget and uses nearly all of it", "[row_cache]") {
  for (const std::size_t budget : {std::size_t{10'000}, std::size_t{123'456}}) {
    row_cache cache(budget, row_bytes);
    for (id_type i = 0; i < 20'000; ++i) cache.put(i, row_of(i).data());
    CHECK(cache.memory_bytes() <= budget);
    CHECK(cache.memory_bytes() > budget / 10 * 9);
    CHECK(count_of(cache, 0, 20'000) == cache.capacity());
  }
  for (const std::size_t budget : {0u, 1u, 300u}) {  // of no row
    row_cache cache(budget, row_bytes);
    cache.put(1, row_of(1).data());
    CHECK(!has(cache, 1));
    CHECK(cache.memory_bytes() == 0);
  }
}

TEST_CASE("rows that are used again and again stay while others come and go", "[row_cache]") {
  row_cache cache(20'000, row_bytes);
  constexpr id_type hot = 50;  // some 380 places
  for (id_type i = 0; i < hot; ++i) cache.put(i, row_of(i).data());
  std::size_t found = 0;
  for (id_type round = 0; round < 20; ++round) {
    for (id_type i = 0; i < hot; ++i) found += has(cache, i);
    for (id_type i = 0; i < 100; ++i) cache.put(1000 + 100 * round + i, row_of(1000 + 100 * round + i).data());
  }
  CHECK(found > 19 * hot);
}

TEST_CASE("threads never see a row that another is writing", "[row_cache][threads]") {
  row_cache cache(4'000, row_bytes);
  std::atomic<std::size_t> found{0}, wrong{0};
  annulus::parallel_for(4, 40'000, 100, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) {
      const auto number = static_cast<id_type>(annulus::detail::mixed_bits(i) % 100);
      row_type row;
      if (!cache.find(number, row.data())) cache.put(number, row_of(number).data());
      else ++found, wrong += row != row_of(number);
    }
  });
  CHECK(found > 1000);
  CHECK(wrong == 0);
}
