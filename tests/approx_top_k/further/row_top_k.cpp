#include "approx_top_k/reductions.hpp"

TEMPLATE_TEST_CASE("a recall target of 1 gives what a sort gives, at every length", "[row_top_k]", double, std::int8_t,
                   std::uint16_t) {
  reductions::check_every_length<TestType>();
}
