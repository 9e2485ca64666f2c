#include "metrics/golden.hpp"

#include <annulus/metrics/angular.hpp>
#include <annulus/metrics/binary.hpp>
#include <annulus/metrics/bits.hpp>
#include <annulus/metrics/dense.hpp>
#include <annulus/metrics/distributions.hpp>
#include <annulus/metrics/spatial.hpp>
#include <annulus/metrics/transport.hpp>
#include <annulus/metrics/wasserstein.hpp>
#include <annulus/metrics/weighted.hpp>

#include "catch.hpp"

#include <functional>

using namespace annulus;
using golden::example;

namespace {

template <class Metric>
double distance(const Metric& metric, const example& e) {
  if (e.is_sparse) {
    if constexpr (metric_for<Metric, csr_view<float>>)
      return static_cast<double>(metric(sparse_row<float>{e.x_indices, e.x, e.dim},  //
                                        sparse_row<float>{e.y_indices, e.y, e.dim}));
    else throw std::runtime_error(e.metric + " has no sparse form");
  } else if constexpr (dense_metric<Metric, float>) {
    return static_cast<double>(metric(e.x.data(), e.y.data(), e.dim));
  } else {
    std::vector<std::uint8_t> x(e.dim), y(e.dim);
    std::ranges::transform(e.x, x.begin(), [](float v) { return static_cast<std::uint8_t>(v); });
    std::ranges::transform(e.y, y.begin(), [](float v) { return static_cast<std::uint8_t>(v); });
    return static_cast<double>(metric(x.data(), y.data(), e.dim));
  }
}

using distance_function = std::function<double(const example&)>;

template <class Metric>
distance_function by() {
  return [](const example& e) { return distance(Metric{}, e); };
}

/// A metric made of the example's parameters.
template <class Make>
distance_function made(Make make) {
  return [make](const example& e) { return distance(make(e), e); };
}

matrix<double> square(const example& e, const std::string& param) {
  matrix<double> m(e.dim, e.dim);
  std::ranges::copy(e.params.at(param), m.data());
  return m;
}

using family = std::map<std::string, distance_function>;

const family dense{{"euclidean", by<euclidean>()},
                   {"sqeuclidean", by<sqeuclidean>()},
                   {"manhattan", by<manhattan>()},
                   {"chebyshev", by<chebyshev>()},
                   {"minkowski", made([](const example& e) { return minkowski(e.param("p")); })},
                   {"canberra", by<canberra>()},
                   {"braycurtis", by<braycurtis>()},
                   {"hamming", by<hamming>()}};

const family angular{{"cosine", by<cosine>()}, {"correlation", by<correlation>()},
                     {"dot", by<dot>()},       {"spearmanr", by<spearmanr>()},
                     {"tsss", by<tsss>()},     {"true_angular", by<true_angular>()}};

const family spatial{{"haversine", by<haversine>()}};

const family weighted{
    {"seuclidean", made([](const example& e) { return seuclidean(e.params.at("variance")); })},
    {"wminkowski", made([](const example& e) { return wminkowski(e.params.at("w"), e.param("p")); })},
    {"mahalanobis", made([](const example& e) { return mahalanobis(matrix_view<double>(square(e, "vinv"))); })}};

const family distributions{{"hellinger", by<hellinger>()},
                           {"jensen_shannon", by<jensen_shannon>()},
                           {"symmetric_kl", by<symmetric_kl>()},
                           {"wasserstein_1d", by<wasserstein_1d>()},
                           {"circular_kantorovich", by<circular_kantorovich>()},
                           {"kantorovich", made([](const example& e) { return kantorovich(square(e, "cost")); })}};

const family sets{{"jaccard", by<jaccard>()},
                  {"dice", by<dice>()},
                  {"matching", by<matching>()},
                  {"kulsinski", by<kulsinski>()},
                  {"rogerstanimoto", by<rogerstanimoto>()},
                  {"russellrao", by<russellrao>()},
                  {"sokalsneath", by<sokalsneath>()},
                  {"sokalmichener", by<sokalmichener>()},
                  {"yule", by<yule>()}};

const family bits{{"bit_hamming", by<bit_hamming>()}, {"bit_jaccard", by<bit_jaccard>()}};

/// What is true where the reference has another convention: its true_angular is 1 - angle / pi, and the largest float
/// for obtuse angles.
double expected_distance(const example& e) {
  if (e.metric != "true_angular") return e.distance;
  if (e.distance < 1) return 1 - e.distance;
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < e.dim; ++i) {
    const double x = static_cast<double>(e.x[i]), y = static_cast<double>(e.y[i]);
    xy += x * y;
    xx += x * x;
    yy += y * y;
  }
  return std::acos(xy / std::sqrt(xx * yy)) / std::numbers::pi;
}

/// Every example of the family's metrics; each metric has some.
void check(const family& metrics) {
  for (const auto& [name, distance_of] : metrics) {
    std::size_t examples = 0;
    for (const example& e : golden::all()) {
      if (e.metric != name) continue;
      INFO(name << (e.is_sparse ? " of sparse rows of " : " of rows of ") << e.dim);
      const double tolerance = name == "tsss" ? 1e-3 : 1e-4;
      CHECK(distance_of(e) == Approx(expected_distance(e)).epsilon(tolerance));
      ++examples;
    }
    CHECK(examples > 0);
  }
}

}  // namespace

TEST_CASE("metrics of coordinates give the golden distances", "[golden]") { check(dense); }
TEST_CASE("angular metrics give the golden distances", "[golden]") { check(angular); }
TEST_CASE("spatial metrics give the golden distances", "[golden]") { check(spatial); }
TEST_CASE("weighted metrics give the golden distances", "[golden]") { check(weighted); }
TEST_CASE("metrics of distributions give the golden distances", "[golden]") { check(distributions); }
TEST_CASE("metrics of sets give the golden distances", "[golden]") { check(sets); }
TEST_CASE("metrics of packed bits give the golden distances", "[golden]") { check(bits); }

TEST_CASE("every metric of the golden file is in a family", "[golden]") {
  for (const example& e : golden::all()) {
    const auto has = [&](const family* f) { return f->contains(e.metric); };
    const std::vector<const family*> all{&dense, &angular, &spatial, &weighted, &distributions, &sets, &bits};
    INFO(e.metric);
    CHECK(std::ranges::count_if(all, has) == 1);
  }
}
