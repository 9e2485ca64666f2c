// What bench/scale/page.hpp writes.

#include <scale/page.hpp>

using namespace scale;

TEST_CASE("Measured numbers have three significant digits, counts all, in groups of three", "[page]") {
  CHECK(number(0) == "0");
  CHECK(number(0.01234) == "0.0123");
  CHECK(number(1.239) == "1.24");
  CHECK(number(12.39) == "12.4");
  CHECK(number(99.97) == "100");
  CHECK(number(-0.09996) == "-0.100");
  CHECK(number(123.9) == "124");
  CHECK(number(1234567) == "1,230,000");
  CHECK(count(999) == "999");
  CHECK(count(1e10) == "10,000,000,000");
  CHECK(count(-123) == "-123");
  CHECK(count(-1234) == "-1,234");
  CHECK(percent_off(1.1, 1) == "+10.0 %");
}

TEST_CASE("A table has a line under its headings", "[page]") {
  CHECK(table({{"a", "b"}, {"1", "2"}}) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n\n");
}

TEST_CASE("A part of a page is replaced, and nothing else", "[page]") {
  const std::string page = "before\n<!-- plan: begin -->\nold\n<!-- plan: end -->\nafter\n";
  const std::string expected = "before\n<!-- plan: begin -->\nnew\n<!-- plan: end -->\nafter\n";
  CHECK(with_part(page, "plan", "new\n") == expected);
  CHECK(with_part(expected, "plan", "new\n") == expected);
}

TEST_CASE("A page without the part is refused", "[page]") {
  CHECK_THROWS_AS(with_part("text", "plan", "new\n"), std::runtime_error);
  CHECK_THROWS_AS(with_part("<!-- plan: begin -->\n", "plan", "new\n"), std::runtime_error);
}
