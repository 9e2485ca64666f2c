#include <annulus/core/base/errors.hpp>

#include "catch.hpp"

using namespace annulus;

namespace {

constexpr std::size_t largest = std::numeric_limits<std::ptrdiff_t>::max();

}  // namespace

TEST_CASE("a refused argument is named with its value and its limit", "[errors]") {
  CHECK_THROWS_AS(detail::invalid("k", 12, "must be at most n = ", 10), std::invalid_argument);
  CHECK_THROWS_WITH(detail::invalid("k", 12, "must be at most n = ", 10), "annulus: k = 12: must be at most n = 10");
}

TEST_CASE("a format error names the file, the byte and the reason", "[errors]") {
  const format_error error("points.fvecs", 20, "the last row is cut off");
  CHECK(std::string(error.what()) == "points.fvecs: byte 20: the last row is cut off");
}

TEST_CASE("a format error can be caught as a runtime error", "[errors]") {
  CHECK_THROWS_AS(throw format_error("x", 0, "y"), std::runtime_error);
}

TEST_CASE("a cancelled call can be caught as a runtime error", "[errors]") {
  CHECK_THROWS_AS(throw cancelled(), std::runtime_error);
}

TEST_CASE("a product that fits is returned", "[errors]") {
  CHECK(detail::checked_product(6, 7, "n") == 42);
  CHECK(detail::checked_product(largest, 1, "n") == largest);
  CHECK(detail::checked_product(1, largest, "n") == largest);
  CHECK(detail::checked_product(largest / 3, 3, "n") == largest / 3 * 3);
}

TEST_CASE("a product with zero is zero", "[errors]") {
  CHECK(detail::checked_product(0, largest, "n") == 0);
  CHECK(detail::checked_product(std::numeric_limits<std::size_t>::max(), 0, "n") == 0);
}

TEST_CASE("a product beyond the address space is refused", "[errors]") {
  CHECK_THROWS_AS(detail::checked_product(largest, 2, "n"), std::invalid_argument);
  CHECK_THROWS_AS(detail::checked_product(2, largest, "n"), std::invalid_argument);
  CHECK_THROWS_AS(detail::checked_product(largest / 3 + 1, 3, "n"), std::invalid_argument);
  CHECK_THROWS_AS(detail::checked_product(std::size_t{1} << 32, std::size_t{1} << 32, "n"), std::invalid_argument);
  CHECK_THROWS_WITH(detail::checked_product(largest, 2, "rows"), ContainsSubstring("rows = "));
}
