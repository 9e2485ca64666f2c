#include <annulus/nndescent/rabitq.hpp>

#include "catch.hpp"
#include "nndescent/indexes.hpp"

using namespace annulus;
using indexes::clustered;
using searches::well_formed;

// Compressed storages that drop the exact rows.

namespace {

const indexes::split<float>& data() {
  static const auto made = clustered<float>(2000, 24);
  return made;
}

/// The greatest difference of a distance to the metric's, in units of the latter (or of 1, if less).
template <class T, class Metric>
double worst_error(const neighbors& found, const indexes::split<T>& rows, const Metric& metric) {
  double worst = 0;
  for (std::size_t i = 0; i < found.ids.rows(); ++i)
    for (std::size_t j = 0; j < found.ids.cols(); ++j) {
      const auto exact = static_cast<double>(
          metric(rows.queries.row(i).data(), rows.rows.row(found.ids(i, j)).data(), rows.rows.cols()));
      const double error = std::abs(static_cast<double>(found.distances(i, j)) - exact);
      worst = annulus::detail::is_nan(error) ? error : std::max(worst, error / std::max(1.0, std::abs(exact)));
    }
  return worst;
}

template <class Metric, class Storage>
void check_bare(Metric metric, Storage storage, double tolerance, double floor) {
  const nndescent_index bare(data().rows, metric, {.keep_rows = false}, storage);
  const auto found = bare.search(data().queries, 10);
  CHECK(well_formed(found));
  CHECK(worst_error(found, data(), metric) <= tolerance);
  // By the distances that they really have.
  auto real = found;
  for (std::size_t i = 0; i < real.ids.rows(); ++i)
    for (std::size_t j = 0; j < 10; ++j)
      real.distances(i, j) = metric(data().queries.row(i).data(), data().rows.row(real.ids(i, j)).data(), 24);
  CHECK(recall(real, knn(data().rows, data().queries, 10, metric), 10) >= floor);
}

}  // namespace

TEST_CASE("compressed rows without the exact ones have distances that are nearly right", "[nndescent_index]") {
  check_bare(euclidean{}, half_precision{}, 0.005, 0.97);
  check_bare(cosine{}, half_precision{}, 0.005, 0.97);
  check_bare(euclidean{}, sq8{}, 0.05, 0.85);
  check_bare(euclidean{}, sq8{scalar_scales::per_dimension}, 0.05, 0.85);
  check_bare(cosine{}, sq8{}, 0.02, 0.85);
  check_bare(euclidean{}, rabitq<sq8>{}, 0.05, 0.85);
  check_bare(cosine{}, rabitq<half_precision>{}, 0.005, 0.96);
}

TEST_CASE("rows without the exact ones are at distance 0 from themselves, nearly", "[nndescent_index]") {
  const nndescent_index bare(data().rows, euclidean{}, {.keep_rows = false}, sq8{});
  const auto found = bare.search(data().rows, 10);
  CHECK(well_formed(found));
  CHECK(std::ranges::all_of(std::span(found.distances.data(), 20000), [](float x) { return x >= 0; }));
  std::size_t far = 0;
  for (std::size_t i = 0; i < 2000; ++i) far += !(found.distances(i, 0) <= 0.2f);
  CHECK(far <= 10);
}

TEST_CASE("full precision keeps its rows whatever keep_rows says", "[nndescent_index]") {
  const nndescent_index index(data().rows, cosine{}, {.keep_rows = false});
  CHECK(indexes::wrong_distances(index.search(data().queries, 10), data().rows, data().queries, cosine{}) == 0);
  CHECK_NOTHROW(index.tune(0.9, {.n_queries = 20}));
}

TEMPLATE_TEST_CASE("an index without its exact rows is changed", "[nndescent_index]", sq8, rabitq<sq8>) {
  nndescent_index bare(indexes::rows_between(data().rows, 0, 1500), euclidean{}, {.keep_rows = false}, TestType{});
  bare.insert(indexes::rows_between(data().rows, 1500, 2000));
  for (id_type id = 0; id < 400; ++id) bare.erase(5 * id);
  bare.update(1, data().rows.row(0));
  const auto found = bare.search(data().rows.row(0), 5, {.beam = 100});
  CHECK(found.ids(0, 0) == 1);
  CHECK(found.distances(0, 0) <= 0.2f);
  const auto others = bare.search(data().queries, 10);
  CHECK(well_formed(others));
  CHECK(std::ranges::none_of(std::span(others.ids.data(), 1000), [](id_type id) { return id % 5 == 0; }));
}
