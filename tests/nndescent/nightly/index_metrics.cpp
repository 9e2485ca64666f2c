#include <atomic>

#include "catch.hpp"
#include "nndescent/indexes.hpp"

// Indexes by other metrics than those of ../index.cpp: by cosine, and by metrics that throw.

using namespace annulus;
using indexes::clustered;
using indexes::rows_between;
using searches::same_bits;

namespace {

constexpr std::size_t k = 10;

const indexes::split<float>& data() {
  static const auto made = clustered<float>(2000, 16, 150, 30);
  return made;
}

struct user_error : std::exception {};

}  // namespace

TEST_CASE("the threads of a build do not change an index of codes by cosine", "[nndescent_index]") {
  const auto rows = rows_between(data().rows, 0, 1200);
  const nndescent_index one(rows, cosine{}, {.n_neighbors = 15, .threads = 1}, sq8{});
  for (const std::size_t threads : {2u, 3u, 8u}) {
    const nndescent_params params{.n_neighbors = 15, .threads = threads};
    const nndescent_index index(rows, cosine{}, params, sq8{});
    CAPTURE(threads);
    CHECK(same_bits(index.search(data().queries, k, {.beam = 10}), one.search(data().queries, k, {.beam = 10})));
    CHECK(same_bits(index.graph(), one.graph()));
  }
}

TEST_CASE("an exception of a metric reaches the caller of a build, whenever it comes", "[nndescent_index]") {
  const auto few = rows_between(data().rows, 0, 300);
  for (const std::size_t threads : {1u, 3u}) {
    std::atomic<std::size_t> calls{0}, last{std::numeric_limits<std::size_t>::max()};
    const auto metric = [&](const float* a, const float* b, std::size_t dim) {
      if (++calls >= last) throw user_error();
      return sqeuclidean{}(a, b, dim);
    };
    const nndescent_params params{.n_neighbors = 10, .threads = threads};
    static_cast<void>(nndescent_index(few, metric, params));
    const std::size_t all = calls;
    for (const double share : {0.0, 0.1, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999}) {
      calls = 0;
      last = static_cast<std::size_t>(share * static_cast<double>(all)) + 1;
      CAPTURE(threads, share);
      CHECK_THROWS_AS(nndescent_index(few, metric, params), user_error);
    }
  }
}

TEST_CASE("an exception of a metric reaches the caller of a search, and the index goes on", "[nndescent_index]") {
  std::atomic<bool> fails{false};
  const auto metric = [&](const float* a, const float* b, std::size_t dim) {
    if (fails) throw user_error();
    return sqeuclidean{}(a, b, dim);
  };
  nndescent_index index(rows_between(data().rows, 0, 300), metric, {.n_neighbors = 10});
  const auto before = index.search(data().queries, k);
  for (const std::size_t threads : {1u, 3u}) {
    fails = true;
    CHECK_THROWS_AS(index.search(data().queries, k, {.threads = threads}), user_error);
    CHECK_THROWS_AS(index.radius_search(data().queries, 1, {.threads = threads}), user_error);
    CHECK_THROWS_AS(index.tune(0.9, {.n_queries = 20, .k = k, .threads = threads}), user_error);
    fails = false;
    CHECK(same_bits(index.search(data().queries, k, {.threads = threads}), before));
  }
}
