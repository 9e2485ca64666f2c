#include <annulus/metrics/dense.hpp>
#include <annulus/metrics/transport.hpp>
#include <annulus/metrics/weighted.hpp>

#include "io/index_nndescent.hpp"
#include "message_of.hpp"

// Metrics that have parameters, most of them arrays.

using namespace annulus;
using indexes::rows_between;

namespace {

constexpr std::size_t n = 250, d = 6;
const nndescent_params params{.n_neighbors = 6};

const matrix<float>& masses() {
  static const auto made = saved::masses(n + 20, d);
  return made;
}

template <class Metric>
bool returns(const Metric& metric, std::size_t n_rows) {
  const nndescent_index index(rows_between(masses(), 0, n_rows), metric, params);
  return saved::returns(index, rows_between(masses(), n, n + 20), rows_between(masses(), n + 3, n + 4), 1, true);
}

std::vector<double> weights() {
  std::vector<double> w(d);
  for (std::size_t i = 0; i < d; ++i) w[i] = 0.3 + 0.7 * static_cast<double>(i);
  return w;
}

matrix<double> costs() {
  matrix<double> cost(d, d);
  for (std::size_t i = 0; i < d; ++i)
    for (std::size_t j = 0; j < d; ++j) cost(i, j) = std::abs(static_cast<double>(i) - static_cast<double>(j));
  return cost;
}

}  // namespace

TEST_CASE("weights and costs come back with the index", "[index_file]") {
  CHECK(returns(seuclidean(weights()), n));
  CHECK(returns(kantorovich(costs()), 60));
}

TEST_CASE("the order of a norm comes back with the index", "[index_file]") { CHECK(returns(minkowski(3.3), n)); }

TEST_CASE("weights that a metric does not take are refused", "[index_file]") {
  using index_type = nndescent_index<matrix<float>, seuclidean>;
  const scratch_folder folder;
  save(index_type(rows_between(masses(), 0, 50), seuclidean(weights()), params), folder / "index");
  const auto complaint = [&](double value) {
    edited_index file(folder / "index");
    file.values<double>("metric.factors")[2] = value;
    file.save(folder / "edited");
    return message_or_nothing<format_error>([&] { map_index<index_type>(folder / "edited"); });
  };
  CHECK(complaint(0.5) == "nothing");
  for (const double bad : {-1.0, std::numeric_limits<double>::infinity()})
    CHECK(complaint(bad).find("metric has a factor that is negative or not finite") != std::string::npos);
}

TEST_CASE("no damage to masses or costs holds up a search", "[index_file]") {
  const nndescent_index index(rows_between(masses(), 0, 60), kantorovich(costs()), params);
  CHECK(saved::search_damaged(index, rows_between(masses(), n, n + 3), 1, 40) == 0);
}
