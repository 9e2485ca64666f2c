#include <annulus/core/metric/prepared_query.hpp>
#include <annulus/core/rows/matrix.hpp>
#include <annulus/core/select/top_k.hpp>

#include "catch.hpp"
#include "failing_allocations.hpp"

#include <array>
#include <memory>
#include <random>

using namespace annulus;

namespace {

/// By calls that no compiler leaves out.
struct memory {
  void* const p = ::operator new(1);
  memory() = default;
  memory(const memory&) = delete;
  ~memory() { ::operator delete(p); }
};

}  // namespace

TEST_CASE("top_k allocates nothing after its construction", "[allocations]") {
  std::mt19937_64 generator(1);
  std::vector<float> ranks(10000);
  for (auto& rank : ranks) rank = static_cast<float>(generator() % 1000);
  for (const std::size_t k : {1u, 32u, 33u, 500u}) {
    top_k<float> best(k);
    const std::size_t before = allocations::n_made;
    best.push_block(ranks.data(), ranks.size(), 0);
    const float nearest = best.sorted().front().rank;
    best.reset(k);
    const std::size_t after = allocations::n_made;
    CHECK(nearest == 0);
    CHECK(after == before);
  }
}

TEST_CASE("a query is prepared and compared without an allocation", "[allocations]") {
  const std::vector<float> rows(10 * 100, 1.0f);
  std::vector<float> ranks(10);
  const std::size_t before = allocations::n_made;
  prepared_query<cosine, float>(cosine{}, rows.data(), 100)(rows.data(), 100, 10, ranks.data());
  prepared_query<euclidean, float>(euclidean{}, rows.data(), 100)(rows.data(), 100, 10, ranks.data());
  const std::size_t after = allocations::n_made;
  CHECK(after == before);
}

TEST_CASE("allocations of either kind are counted, and those that are alive", "[allocations]") {
  const std::size_t before = allocations::n_made, alive = allocations::n_alive;
  auto made = std::make_unique<std::vector<int>>(100);
  const annulus::matrix<float> rows(3, 4);
  CHECK(allocations::n_made == before + 3);
  CHECK(allocations::n_alive == alive + 3);
  made.reset();
  CHECK(allocations::n_alive == alive + 1);
}

TEST_CASE("an allocation fails alone or with all that follow", "[allocations]") {
  for (const bool lasting : {false, true}) {
    std::array<bool, 4> has_failed{};
    const auto allocate = [] {
      void* const p = ::operator new(1, std::nothrow);
      ::operator delete(p);
      return p != nullptr;
    };
    {
      const allocations::failing second(1, lasting);
      for (std::size_t i = 0; i < 3; ++i) has_failed[i] = !allocate();
    }
    has_failed[3] = !allocate();
    CHECK(has_failed == std::array{false, true, lasting, false});
  }
}

TEST_CASE("an attempt is made with each of its allocations failing alone and with all that follow", "[allocations]") {
  const auto three = [](auto fail) {
    fail([] { const memory a, b, c; });
    return true;
  };
  const auto result = allocations::fail_each(three);
  CHECK(result.failures == 6);
  CHECK(result.is_clean());
  CHECK(allocations::fail_each(three, 2).failures == 4);
}

TEST_CASE("an attempt that survives or leaks or changes something is told from others", "[allocations]") {
  const auto survives = [](auto fail) {
    fail([] { ::operator delete(::operator new(1, std::nothrow)); });
    return true;
  };
  const auto changes = [](auto fail) {
    fail([] { const memory a; });
    return false;
  };
  std::vector<void*> kept;
  kept.reserve(3);
  const auto leaks = [&](auto fail) {
    kept.push_back(::operator new(1));
    fail([] { const memory a; });
    return true;
  };
  CHECK(allocations::fail_each(survives).survived == 2);
  CHECK(allocations::fail_each(changes).disturbed == 3);
  CHECK(allocations::fail_each(leaks).leaking == 2);
  for (void* const p : kept) ::operator delete(p);
}
