#include "approx_top_k/reductions.hpp"

#include <array>

using namespace annulus;

TEST_CASE("all integers are ordered as they are, whatever their name", "[approx_min_k]") {
  const auto check = [](auto number) {
    using T = decltype(number);
    const T least = std::numeric_limits<T>::lowest(), most = std::numeric_limits<T>::max();
    std::vector<T> values(5000, static_cast<T>(least + 1));
    values[17] = values[4000] = most;
    values[2345] = least;
    for (const double target : {0.9, 1.0}) {
      const auto largest = approx_max_k(values, 3, {.recall_target = target});
      const auto smallest = approx_min_k(values, 2, {.recall_target = target});
      CHECK(largest.indices == std::vector<std::int64_t>{17, 4000, 0});
      CHECK(largest.values == std::vector<T>{most, most, static_cast<T>(least + 1)});
      CHECK(smallest.indices == std::vector<std::int64_t>{2345, 0});
      CHECK(smallest.values == std::vector<T>{least, static_cast<T>(least + 1)});
    }
  };
  check(0LL);
  check(0ULL);
  check(0L);
  check(0UL);
  check('0');
  check(L'0');

  std::array<bool, 700> flags{};
  flags[5] = flags[650] = true;
  CHECK(approx_max_k(flags, 3, {.recall_target = 1}).indices == std::vector<std::int64_t>{5, 650, 0});
  CHECK(approx_min_k(flags, 3, {.recall_target = 1}).indices == std::vector<std::int64_t>{0, 1, 2});
}
