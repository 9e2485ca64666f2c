#include <annulus/core/base/keyed_loop.hpp>

#include "catch.hpp"

#include <random>

using namespace annulus;
using annulus::detail::for_each_by_key;

namespace {

/// Keys of sources, at random: up to `most` of each.
std::vector<std::vector<std::size_t>> random_keys(std::size_t n, std::size_t n_keys, std::size_t most,
                                                  std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::vector<std::vector<std::size_t>> keys(n);
  for (auto& of_one : keys)
    for (std::size_t left = generator() % (most + 1); left != 0; --left) of_one.push_back(generator() % n_keys);
  return keys;
}

/// The sources of each key in the order in which they came.
std::vector<std::vector<std::size_t>> sources_of(const thread_team& team, std::size_t n_keys,
                                                 const std::vector<std::vector<std::size_t>>& keys) {
  std::vector<std::vector<std::size_t>> sources(n_keys);
  for_each_by_key(
      team, keys.size(), n_keys,
      [&](std::size_t source, auto add) {
        for (const std::size_t key : keys[source]) add(key);
      },
      [&](std::size_t source, std::size_t key) { sources[key].push_back(source); });
  return sources;
}

}  // namespace

TEST_CASE("a key meets its sources in ascending order, on any number of threads", "[keyed_loop]") {
  for (const std::size_t n : {0u, 1u, 2u, 1023u, 1024u, 1025u, 5000u})
    for (const std::size_t n_keys : {1u, 2u, 63u, 64u, 65u, 128u, 5000u}) {
      const auto keys = random_keys(n, n_keys, 3, n + n_keys);
      std::vector<std::vector<std::size_t>> expected(n_keys);
      for (std::size_t source = 0; source < n; ++source)
        for (const std::size_t key : keys[source]) expected[key].push_back(source);
      for (const std::size_t threads : {1u, 2u, 3u, 16u}) {
        CAPTURE(n, n_keys, threads);
        CHECK(sources_of(threads, n_keys, keys) == expected);
      }
    }
}

TEST_CASE("more sources than threads sort at once come in ascending order", "[keyed_loop]") {
  constexpr std::size_t n = 150000, n_keys = 300;
  const auto keys = random_keys(n, n_keys, 1, 7);
  CHECK(sources_of(3, n_keys, keys) == sources_of(1, n_keys, keys));
}

TEST_CASE("several threads read the keys of each source once", "[keyed_loop]") {
  constexpr std::size_t n = 3000;
  for (const std::size_t threads : {1u, 2u, 16u}) {
    std::vector<std::atomic<int>> reads(n);
    for_each_by_key(
        threads, n, 10,
        [&](std::size_t source, auto add) {
          ++reads[source];
          add(source % 10);
        },
        [](std::size_t, std::size_t) {});
    CHECK(std::all_of(reads.begin(), reads.end(), [](const auto& times) { return times == 1; }));
  }
}

TEST_CASE("a loop by key without keys, or without sources, calls nothing", "[keyed_loop]") {
  std::atomic<int> calls{0};
  const auto count = [&](std::size_t, std::size_t) { ++calls; };
  for (const std::size_t threads : {1u, 3u}) {
    for_each_by_key(
        threads, 100, 0, [](std::size_t, auto) {}, count);
    for_each_by_key(
        threads, 0, 100, [](std::size_t, auto add) { add(0); }, count);
  }
  CHECK(calls == 0);
}

TEST_CASE("an exception from a loop by key reaches the caller, whatever the number of threads", "[keyed_loop]") {
  for (const std::size_t threads : {1u, 3u}) {
    const auto fails = [](std::size_t, std::size_t key) {
      if (key == 7) throw std::runtime_error("key");
    };
    CHECK_THROWS_AS(for_each_by_key(
                        threads, 5000, 10, [](std::size_t source, auto add) { add(source % 10); }, fails),
                    std::runtime_error);
  }
}
