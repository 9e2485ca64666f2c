#include <annulus/metrics/named.hpp>

#include "catch.hpp"
#include "message_of.hpp"

using namespace annulus;

namespace {

constexpr std::size_t dim = 4;
constexpr float x[dim] = {1, 2, 3, 0}, y[dim] = {2, 1, 0, 1};

const auto distance_of_rows = []<class M>(const M& metric) requires metric_for<M, matrix_view<float>> {
  return static_cast<double>(metric(x, y, dim));
};
const auto name_of = [](const auto& metric) { return metric.name; };

double distance(std::string_view name, const metric_params& params = {}) {
  return with_metric(name, params, distance_of_rows);
}

/// What is thrown for it.
std::string complaint(std::string_view name, const metric_params& params) {
  return message_of([&] { with_metric(name, params, [](const auto&) {}); });
}

/// The absolute difference of two bins to the power of `power`.
matrix<double> cost_of(double power) {
  matrix<double> cost(dim, dim);
  for (std::size_t i = 0; i < dim; ++i)
    for (std::size_t j = 0; j < dim; ++j)
      cost(i, j) = std::pow(std::abs(static_cast<double>(i) - static_cast<double>(j)), power);
  return cost;
}

matrix<double> diagonal(double value) {
  matrix<double> square(dim, dim);
  for (std::size_t i = 0; i < dim; ++i) square(i, i) = value;
  return square;
}

/// All parameters there are, each with a name.
std::vector<std::pair<std::string, metric_params>> single_params() {
  return {{"p", {.p = 3.0}},
          {"w", {.w = {1, 1, 1, 1}}},
          {"variance", {.variance = {1, 1, 1, 1}}},
          {"vinv", {.vinv = diagonal(1)}},
          {"cost", {.cost = cost_of(1)}},
          {"regularization", {.regularization = 0.5}}};
}

/// What a metric needs, and nothing else.
metric_params needed(const metric_info& metric) {
  metric_params params;
  if (metric.find_parameter("w") != nullptr) params.w = {1, 1, 1, 1};
  if (metric.find_parameter("variance") != nullptr) params.variance = {1, 1, 1, 1};
  if (metric.find_parameter("vinv") != nullptr) params.vinv = diagonal(1);
  if (metric.find_parameter("cost") != nullptr) params.cost = cost_of(1);
  return params;
}

/// Keeps count of its calls.
struct counter {
  int calls = 0;
  template <dense_metric<float> M>
  void operator()(const M&) {
    ++calls;
  }
};

}  // namespace

TEST_CASE("with_metric makes the metric of that name", "[metrics][named]") {
  for (const metric_info& metric : known_metrics) {
    CAPTURE(metric.name);
    CHECK(with_metric(metric.name, needed(metric), name_of) == metric.name);
  }
}

TEST_CASE("with_metric takes an alias for the name", "[metrics][named]") {
  std::size_t aliases = 0;
  for (const metric_info& metric : known_metrics)
    for (const std::string_view alias : metric.aliases)
      if (!alias.empty()) {
        CHECK(with_metric(alias, needed(metric), name_of) == metric.name);
        ++aliases;
      }
  CHECK(aliases == 18);
}

TEST_CASE("with_metric refuses an unknown name and tells all names", "[metrics][named]") {
  std::string names;
  for (const metric_info& metric : known_metrics) names += (names.empty() ? "" : ", ") + std::string(metric.name);
  for (const std::string name : {"", "l3", "nonsense", "x"})
    CHECK(complaint(name, {}) == "annulus: metric = " + name + ": must be one of " + names);
  for (const auto& [name, meant] :
       std::vector<std::pair<std::string, std::string>>{{"helinger", "hellinger"},
                                                        {"euclidean ", "euclidean"},
                                                        {"euclidian", "euclidean"},
                                                        {"Euclid", "euclidean"},
                                                        {"mahnattan", "manhattan"},
                                                        {"city-block", "manhattan"},
                                                        {"METRIC_L2", "euclidean"},
                                                        {"IP", "inner_product"},
                                                        {"cosinesimil", "cosine"},
                                                        {"METRIC_INNER_PRODUCT", "inner_product"},
                                                        {"l2sq", "sqeuclidean"},
                                                        {"inner-product", "inner_product"},
                                                        {"jensenshannon", "jensen_shannon"},
                                                        {"tanimoto", "jaccard"},
                                                        {"rogers_tanimoto", "rogerstanimoto"}})
    CHECK(complaint(name, {}) ==
          "annulus: metric = " + name + ": did you mean " + meant + "? It must be one of " + names);
}

TEST_CASE("names of metrics may have any case", "[metrics][named]") {
  CHECK(with_metric("Euclidean", name_of) == "euclidean");
  CHECK(with_metric("L2", name_of) == "euclidean");
  CHECK(with_metric("CITYBLOCK", name_of) == "manhattan");
  CHECK(with_metric("Jensen-Shannon", name_of) == "jensen_shannon");
}

TEST_CASE("every name that another library has for a metric is of one, and no name of ours", "[metrics][named]") {
  for (const auto& [theirs, ours] : detail::foreign_names) {
    CAPTURE(theirs);
    CHECK(find_metric(theirs) == nullptr);
    REQUIRE(find_metric(ours) != nullptr);
    CHECK(find_metric(ours)->name == ours);
    CHECK(detail::meant_metric(theirs) == ours);
  }
}

TEST_CASE("the distance of names is the number of edits", "[metrics][named]") {
  using detail::edit_distance;
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("Ab", "bA") == 1);
  CHECK(edit_distance("same", "SAME") == 0);
  CHECK(edit_distance("ca", "abc") == 3);
  CHECK(detail::most_similar("abx", std::vector<std::string_view>{"", "abcd", "abc"}) == "abc");
}

TEST_CASE("with_metric refuses a metric that the callable cannot be passed", "[metrics][named]") {
  const auto of_sparse = []<class M>(const M&) requires metric_for<M, csr_view<float>> { return true; };
  CHECK(with_metric("hellinger", of_sparse));
  CHECK_THROWS_WITH(with_metric("haversine", of_sparse), "annulus: metric = haversine: does not take such rows");
  CHECK_THROWS_WITH(with_metric("bit_hamming", {}, of_sparse),
                    "annulus: metric = bit_hamming: does not take such rows");
  const auto of_one = [](const cosine&) { return 1; };
  CHECK(with_metric("cosine", of_one) == 1);
  CHECK_THROWS_AS(with_metric("dot", of_one), std::invalid_argument);
}

TEST_CASE("with_metric refuses a parameter that the metric does not have", "[metrics][named]") {
  for (const metric_info& metric : known_metrics)
    for (const auto& [name, one] : single_params()) {
      if (metric.find_parameter(name) != nullptr) continue;
      metric_params params = needed(metric);
      if (name == "p") params.p = one.p;
      if (name == "w") params.w = one.w;
      if (name == "variance") params.variance = one.variance;
      if (name == "vinv") params.vinv = one.vinv;
      if (name == "cost") params.cost = one.cost;
      if (name == "regularization") params.regularization = one.regularization;
      CHECK(complaint(metric.name, params) ==
            "annulus: metric = " + std::string(metric.name) + ": has no parameter " + name);
    }
}

TEST_CASE("with_metric asks for a parameter that the metric needs", "[metrics][named]") {
  CHECK(complaint("seuclidean", {}) == "annulus: metric = seuclidean: needs the parameter variance");
  CHECK(complaint("wminkowski", {.p = 3.0}) == "annulus: metric = wminkowski: needs the parameter w");
  CHECK(complaint("mahalanobis", {}) == "annulus: metric = mahalanobis: needs the parameter vinv");
  CHECK(complaint("wasserstein", {}) == "annulus: metric = kantorovich: needs the parameter cost");
  CHECK(complaint("sinkhorn", {.regularization = 0.1}) == "annulus: metric = sinkhorn: needs the parameter cost");
}

TEST_CASE("with_metric passes what a metric says against its parameters", "[metrics][named]") {
  CHECK(complaint("minkowski", {.p = 0.5}).find("p = 0.5") != std::string::npos);
  CHECK(complaint("wasserstein_1d", {.p = 0.25}).find("p = 0.25") != std::string::npos);
  CHECK(complaint("circular_kantorovich", {.p = -1.0}).find("p = -1") != std::string::npos);
  CHECK(complaint("wminkowski", {.p = 0.5, .w = {1, 1, 1, 1}}).find("p = 0.5") != std::string::npos);
  CHECK(complaint("wminkowski", {.w = {1, -2, 1, 1}}).find("w = -2") != std::string::npos);
  CHECK(complaint("seuclidean", {.variance = {1, 0, 1, 1}}).find("variance = 0") != std::string::npos);
  CHECK(complaint("mahalanobis", {.vinv = matrix<double>(2, 3)}).find("vinv") != std::string::npos);
  CHECK(complaint("kantorovich", {.cost = matrix<double>(2, 3)}).find("cost") != std::string::npos);
  CHECK(complaint("sinkhorn", {.cost = cost_of(1), .regularization = -2.0}).find("-2") != std::string::npos);
}

TEST_CASE("with_metric gives the parameters to the metric", "[metrics][named]") {
  // |x - y| is 1, 1, 3, 1.
  CHECK(distance("minkowski", {.p = 3.0}) == Approx(std::cbrt(30.0)));
  CHECK(distance("wminkowski", {.p = 1.0, .w = {1, 2, 3, 4}}) == Approx(16));
  CHECK(distance("wminkowski", {.w = {1, 2, 3, 4}}) == Approx(std::sqrt(34.0)));
  CHECK(distance("seuclidean", {.variance = {1, 4, 9, 4}}) == Approx(std::sqrt(2.5)));
  CHECK(distance("mahalanobis", {.vinv = diagonal(4)}) == Approx(2 * std::sqrt(12.0)));
  // The shares are 2, 4, 6, 0 and 6, 3, 0, 3 twelfths, whose cumulated differences -4, -3, 3, 0 twelfths.
  CHECK(distance("wasserstein_1d", {.p = 2.0}) == Approx(std::sqrt(34.0) / 12));
  CHECK(distance("circular_kantorovich", {.p = 2.0}) == Approx(std::sqrt(30.0) / 12));
  CHECK(distance("kantorovich", {.cost = cost_of(1)}) == Approx(10.0 / 12));
  CHECK(distance("kantorovich", {.cost = cost_of(0)}) == Approx(1));  // 0^0 is 1: all costs are
  CHECK(distance("sinkhorn", {.cost = cost_of(1), .regularization = 0.01}) <
        distance("sinkhorn", {.cost = cost_of(1), .regularization = 2.0}) - 0.1);
}

TEST_CASE("with_metric without a parameter takes what the table says", "[metrics][named]") {
  std::size_t defaults = 0;
  for (const metric_info& metric : known_metrics)
    for (const auto& [name, value] : metric.parameters) {
      if (value.empty()) continue;
      ++defaults;
      metric_params given = needed(metric), other = given;
      (name == "p" ? given.p : given.regularization) = std::stod(std::string(value));
      (name == "p" ? other.p : other.regularization) = 1.5;
      CAPTURE(metric.name, name);
      CHECK(distance(metric.name, needed(metric)) == distance(metric.name, given));
      CHECK(std::abs(distance(metric.name, needed(metric)) - distance(metric.name, other)) > 1e-3);
    }
  CHECK(defaults == 5);
}

TEST_CASE("with_metric returns what the callable does and throws what it throws", "[metrics][named]") {
  int calls = 0;
  static_assert(std::same_as<int&, decltype(with_metric("cosine", [&](const auto&) -> int& { return ++calls; }))>);
  CHECK(&with_metric("cosine", [&](const auto&) -> int& { return ++calls; }) == &calls);
  with_metric("l1", {}, [&](auto) { ++calls; });
  CHECK(calls == 2);
  CHECK_THROWS_AS(with_metric("cosine", [](const auto&) { throw std::out_of_range("mine"); }), std::out_of_range);
}

TEST_CASE("with_metric calls a function object that changes as itself", "[metrics][named]") {
  counter count;
  with_metric("cosine", count);
  with_metric("hamming", {}, count);
  CHECK(count.calls == 2);
}
