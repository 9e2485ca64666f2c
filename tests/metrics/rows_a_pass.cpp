#include <Eigen/Core>
#include <annulus/metrics/named.hpp>

#include "catch.hpp"

// Which metrics compare a query with several rows a pass. A type of ranks that is not the kernel's own, say, would have
// searches compare row by row: to the same answers, in more time.

using namespace annulus;
using Eigen::bfloat16;
using Eigen::half;

namespace {

template <class... Listed>
struct only {
  template <class Metric>
  static constexpr bool has = (std::same_as<Metric, Listed> || ...);

  /// Whether these, and none else that has a name, fold several rows of T into a pass.
  template <class T>
  static constexpr bool fold_rows = []<class... Metrics>(detail::metric_types<Metrics...>) {
    return ((detail::folds_rows<Metrics, T> == has<Metrics>)&&...);
  }(detail::named_metrics{});

  /// Whether these, and none else that has a name, have a loop of their own over rows of T.
  template <class T>
  static constexpr bool have_own_loop = []<class... Metrics>(detail::metric_types<Metrics...>) {
    return ((detail::has_own_loop<Metrics, T> == has<Metrics>)&&...);
  }(detail::named_metrics{});
};

using folding = only<euclidean, sqeuclidean, inner_product, dot, manhattan, chebyshev, canberra>;

}  // namespace

TEMPLATE_TEST_CASE("metrics of one sum over the coordinates compare several rows a pass, of every type", "[kernels]",
                   float, double, half, bfloat16, std::uint8_t, std::int8_t) {
  STATIC_REQUIRE(folding::fold_rows<TestType>);
}

TEST_CASE("metrics of packed bits compare many rows by a loop of their own", "[kernels]") {
  STATIC_REQUIRE(only<bit_hamming, bit_jaccard>::have_own_loop<std::uint8_t>);
  STATIC_REQUIRE(only<>::have_own_loop<std::int8_t>);
  STATIC_REQUIRE(only<>::have_own_loop<float>);
}

TEST_CASE("ranks of 8-bit rows are the integers of kernels", "[kernels]") {
  STATIC_REQUIRE(std::same_as<rank_t<euclidean, std::uint8_t>, std::uint64_t>);
  STATIC_REQUIRE(std::same_as<rank_t<sqeuclidean, std::int8_t>, std::uint64_t>);
  STATIC_REQUIRE(std::same_as<rank_t<inner_product, std::uint8_t>, std::int64_t>);
  STATIC_REQUIRE(std::same_as<rank_t<manhattan, std::uint8_t>, std::uint32_t>);
  STATIC_REQUIRE(std::same_as<rank_t<bit_hamming, std::uint8_t>, std::uint32_t>);
}
