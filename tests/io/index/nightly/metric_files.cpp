#include <annulus/core/base/random.hpp>
#include <annulus/metrics/sinkhorn.hpp>
#include <annulus/metrics/wasserstein.hpp>
#include <annulus/metrics/weighted.hpp>
#include <annulus/storage/metric_archive.hpp>

#include "io/index_edit.hpp"
#include "message_of.hpp"

#include <bit>
#include <optional>
#include <set>

// Metrics in files, without an index around them.

using namespace annulus;

namespace {

constexpr std::size_t dim = 7;
constexpr double infinity = std::numeric_limits<double>::infinity(),
                 not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Saved, a file of nothing but a metric.
template <class Metric>
struct holder {
  static constexpr std::string_view kind = "metric_holder";

  explicit holder(Metric m) : metric(std::move(m)) {}
  explicit holder(detail::unfilled) : metric(detail::metric_to_fill<Metric>()) {}

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    detail::persist_metric(self.metric, archive);
  }

  Metric metric;
};

/// What a file says that has a kantorovich's name and such costs.
struct any_costs {
  static constexpr std::string_view name = "kantorovich";
  matrix<double> costs;

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive("cost", self.costs);
  }
};

/// A minkowski by its name alone.
struct no_parameters {
  static constexpr std::string_view name = "minkowski";
};

/// n x d, from 0.1 to 1.1.
template <class T>
matrix<T> masses(std::size_t n, std::size_t d, std::uint64_t seed) {
  const counter_random random(seed);
  matrix<T> rows(n, d);
  for (std::size_t i = 0; i < n * d; ++i) rows.data()[i] = static_cast<T>(0.1 + random.uniform(i));
  return rows;
}
std::vector<double> weights(std::size_t d = dim) {
  const auto row = masses<double>(1, d, 5);
  return {row.data(), row.data() + d};
}

/// A product of n x d and its transpose, of rank n at most.
matrix<double> semidefinite(std::size_t n, std::size_t d) {
  const auto half = masses<double>(n, d, 8);
  matrix<double> product(d, d);
  for (std::size_t k = 0; k < n; ++k)
    for (std::size_t i = 0; i < d; ++i)
      for (std::size_t j = 0; j < d; ++j) product(i, j) += half(k, i) * half(k, j);
  return product;
}

/// The bits of the distances between some rows, float and double, one of them of zeros.
template <class Metric>
std::vector<std::uint64_t> distances(const Metric& metric, std::size_t d = dim) {
  std::vector<std::uint64_t> all;
  const auto add = [&]<class T>(matrix<T> rows) {
    std::fill_n(rows.data(), d, T(0));
    for (std::size_t i = 0; i < rows.rows(); ++i)
      for (std::size_t j = 0; j < rows.rows(); ++j)
        all.push_back(
            std::bit_cast<std::uint64_t>(static_cast<double>(metric(rows.row(i).data(), rows.row(j).data(), d))));
  };
  add(masses<float>(6, d, 1));
  add(masses<double>(5, d, 2));
  return all;
}

template <class Metric>
void save_metric(const Metric& metric, const std::filesystem::path& path) {
  save(holder<Metric>(metric), path);
}
template <class Metric>
Metric load_metric(const std::filesystem::path& path) {
  return load_index<holder<Metric>>(path).metric;
}

/// Whether a metric that is loaded and one that is mapped are the saved one still when the file is gone.
template <class Metric>
bool returns(const Metric& metric, std::size_t d = dim) {
  std::optional<Metric> loaded, mapped;
  bool all = true;
  {
    const scratch_folder folder;
    save_metric(metric, folder / "metric");
    loaded = load_metric<Metric>(folder / "metric");
    mapped = map_index<holder<Metric>>(folder / "metric").metric;
    save_metric(*mapped, folder / "again");
    all &= bytes_of(folder / "again") == bytes_of(folder / "metric");
  }
  if constexpr (requires { metric.check_dimension(d); }) {
    loaded->check_dimension(d);
    mapped->check_dimension(d);
  }
  const auto expected = distances(metric, d);
  return all && distances(*loaded, d) == expected && distances(*mapped, d) == expected;
}

/// What load_index says of the file of a metric once edit(file) has changed it, the same as map_index.
template <class Metric>
std::string complaint(const Metric& metric, auto edit) {
  const scratch_folder folder;
  save_metric(metric, folder / "metric");
  edited_index file(folder / "metric");
  edit(file);
  file.save(folder / "edited");
  const std::string loaded = message_or_nothing<format_error>([&] { load_metric<Metric>(folder / "edited"); });
  CHECK(message_or_nothing<format_error>([&] { map_index<holder<Metric>>(folder / "edited"); }) == loaded);
  return loaded;
}
template <class Metric>
std::string complaint_of_text(const Metric& metric, const std::string& key, const std::string& text) {
  return complaint(metric, [&](edited_index& file) { file.set(key, text); });
}
template <class Metric>
std::string complaint_of_value(const Metric& metric, const std::string& tensor, double value) {
  return complaint(metric, [&](edited_index& file) { file.values<double>(tensor)[3] = value; });
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The orders that a file of `metric` is refused with and the constructor is not, or the other way round.
template <class Metric>
std::vector<double> contradictions(const Metric& metric, const std::string& key, auto make) {
  std::vector<double> wrong;
  for (const double value : {-infinity, -1.0, -0.0, 0.0, 1e-300, 1e-9, 0.5, std::nextafter(1.0, 0.0), 1.0, 1.5, 1e6,
                             std::nextafter(1e6, 1e7), 1e300, infinity, not_a_number, -not_a_number}) {
    bool is_taken = true;
    try {
      static_cast<void>(make(value));
    } catch (const std::invalid_argument&) {
      is_taken = false;
    }
    const std::string said = complaint_of_text(metric, key, detail::to_text(value));
    if (is_taken != (said == "nothing") || (!is_taken && !contains(said, "metric "))) wrong.push_back(value);
  }
  return wrong;
}

/// f(metric) for one of each kind that has parameters.
void for_each_kind(auto f) {
  f(minkowski(3.3));
  f(wasserstein_1d(1.7));
  f(circular_kantorovich(1.7));
  f(wminkowski(weights(), 3.3));
  f(seuclidean(weights()));
  f(mahalanobis(semidefinite(dim, dim)));
  f(kantorovich(masses<double>(dim, dim, 6)));
  f(sinkhorn(masses<double>(dim, dim, 6), 0.05));
}

}  // namespace

TEST_CASE("metrics come back from files with the order of their powers", "[index_file]") {
  for (const double p : {1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 10.0 / 3, std::nextafter(1.5, 2.0), 900.0}) {
    CAPTURE(p);
    CHECK(returns(minkowski(p)));
    CHECK(returns(wminkowski(weights(), p)));
    CHECK(returns(wasserstein_1d(p)));
    CHECK(returns(circular_kantorovich(p)));
  }
  const scratch_folder folder;
  save_metric(minkowski(10.0 / 3), folder / "metric");
  CHECK(load_metric<minkowski>(folder / "metric").p() == 10.0 / 3);
}

TEST_CASE("metrics come back from files with their weights", "[index_file]") {
  for (const std::size_t d : {1u, 7u, 33u, 300u}) {
    CAPTURE(d);
    CHECK(returns(seuclidean(weights(d)), d));
    CHECK(returns(wminkowski(weights(d), 1.5), d));
  }
  CHECK(returns(wminkowski(std::vector<double>(dim, 0.0))));
  CHECK(returns(seuclidean(std::vector<double>{}), 0));
}

TEST_CASE("metrics come back from files with a matrix of any rank", "[index_file]") {
  for (const std::size_t d : {1u, 7u, 33u, 70u})
    for (const std::size_t rank : {std::size_t{0}, std::size_t{1}, d / 2, d}) {
      CAPTURE(d, rank);
      CHECK(returns(mahalanobis(semidefinite(rank, d)), d));
    }
}

TEST_CASE("metrics come back from files with costs and what is spent on them", "[index_file]") {
  for (const std::size_t d : {1u, 7u, 20u}) {
    CAPTURE(d);
    CHECK(returns(kantorovich(masses<double>(d, d, 6)), d));
    CHECK(returns(sinkhorn(masses<double>(d, d, 6), 0.01), d));
    CHECK(returns(sinkhorn(masses<double>(d, d, 6), 0.003, 2), d));
  }
  const sinkhorn metric(masses<double>(dim, dim, 6), 1.0 / 3, 77);
  const scratch_folder folder;
  save_metric(metric, folder / "metric");
  const auto loaded = load_metric<sinkhorn>(folder / "metric");
  CHECK(loaded.regularization() == 1.0 / 3);
  CHECK(loaded.max_iterations() == 77);
}

TEST_CASE("the file of a matrix is laid out in the same way by every build", "[index_file]") {
  const auto shape = [](std::size_t rank, std::size_t d) {
    const scratch_folder folder;
    save_metric(mahalanobis(semidefinite(rank, d)), folder / "metric");
    return read_index_info(folder / "metric").tensors.at("metric.transform").shape;
  };
  CHECK(shape(7, 7) == std::vector<std::uint64_t>{7, 32});
  CHECK(shape(1, 40) == std::vector<std::uint64_t>{40, 32});
  CHECK(shape(40, 40) == std::vector<std::uint64_t>{40, 64});
}

TEST_CASE("a metric of another name than the one in the file is refused by name", "[index_file]") {
  std::set<std::string> seen;
  for_each_kind([&]<class Saved>(const Saved& metric) {
    const scratch_folder folder;
    save_metric(metric, folder / "metric");
    const std::string name(Saved::name);
    seen.insert(name);
    CHECK(read_index_info(folder / "metric").metadata.at("metric") == name);
    for_each_kind([&]<class Wanted>(const Wanted&) {
      const std::string said = message_or_nothing<format_error>([&] { load_metric<Wanted>(folder / "metric"); });
      if constexpr (std::same_as<Saved, Wanted>) CHECK(said == "nothing");
      else CHECK(contains(said, "metric is " + name + ", not the " + std::string(Wanted::name) + " asked for"));
    });
  });
  CHECK(seen.size() == 8);
}

TEST_CASE("a metric without parameters is known by its name and a callable as custom", "[index_file]") {
  const auto callable = [](const float* a, const float* b, std::size_t) { return a[0] - b[0]; };
  const scratch_folder folder;
  save_metric(euclidean{}, folder / "metric");
  CHECK(contains(message_of<format_error>([&] { load_metric<manhattan>(folder / "metric"); }),
                 "metric is euclidean, not the manhattan asked for"));
  CHECK(contains(message_of<format_error>([&] { load_metric<decltype(callable)>(folder / "metric"); }),
                 "metric is euclidean, not the custom asked for"));
  save_metric(callable, folder / "metric");
  CHECK(contains(message_of<format_error>([&] { load_metric<euclidean>(folder / "metric"); }),
                 "metric is custom, not the euclidean asked for"));
}

TEST_CASE("a file may hold the numbers that a constructor takes and no others", "[index_file]") {
  const std::vector<double> none;
  CHECK(contradictions(minkowski(3), "metric.p", [](double p) { return minkowski(p); }) == none);
  CHECK(contradictions(wasserstein_1d(3), "metric.p", [](double p) { return wasserstein_1d(p); }) == none);
  CHECK(contradictions(circular_kantorovich(3), "metric.p", [](double p) { return circular_kantorovich(p); }) == none);
  CHECK(contradictions(wminkowski(weights(), 3), "metric.p", [](double p) { return wminkowski(weights(), p); }) ==
        none);
  const auto cost = masses<double>(dim, dim, 6);
  CHECK(contradictions(sinkhorn(cost), "metric.regularization", [&](double r) { return sinkhorn(cost, r); }) == none);
}

TEST_CASE("what is no number in the place of one is refused", "[index_file]") {
  for (const std::string text : {"", "two", "3x", " 3", "1e400", "0x10"}) {
    CAPTURE(text);
    CHECK(contains(complaint_of_text(minkowski(3), "metric.p", text), "metric.p = '" + text + "' is not a number"));
  }
  const sinkhorn metric(masses<double>(dim, dim, 6));
  CHECK(contains(complaint_of_text(metric, "metric.max_iterations", "0"), "max_iterations"));
  for (const std::string text : {"-1", "1.5", "18446744073709551616"})
    CHECK(contains(complaint_of_text(metric, "metric.max_iterations", text), "is not a number"));
}

TEST_CASE("weights in a file that are negative or not finite are refused", "[index_file]") {
  const std::string said = "metric has a factor that is negative or not finite";
  for (const double bad : {-1.0, -1e-300, infinity, -infinity, not_a_number}) {
    CAPTURE(bad);
    CHECK(contains(complaint_of_value(seuclidean(weights()), "metric.factors", bad), said));
    CHECK(contains(complaint_of_value(wminkowski(weights()), "metric.factors", bad), said));
  }
  CHECK(complaint_of_value(wminkowski(weights()), "metric.factors", 0) == "nothing");
}

TEST_CASE("a matrix in a file that is not finite is refused", "[index_file]") {
  const mahalanobis metric(semidefinite(dim, dim));
  for (const double bad : {infinity, -infinity, not_a_number})
    CHECK(contains(complaint_of_value(metric, "metric.transform", bad), "metric has a transform that is not finite"));
  CHECK(complaint_of_value(metric, "metric.transform", -3) == "nothing");
}

TEST_CASE("costs in a file that a constructor does not take are refused", "[index_file]") {
  const auto cost = masses<double>(dim, dim, 6);
  for (const double bad : {-1.0, 1e301, infinity, not_a_number}) {
    CAPTURE(bad);
    CHECK(contains(complaint_of_value(kantorovich(cost), "metric.cost", bad), "row 0, column 3 must be from 0 to"));
    CHECK(contains(complaint_of_value(sinkhorn(cost), "metric.cost", bad), "row 0, column 3 must be from 0 to"));
  }
  CHECK(contains(complaint_of_value(sinkhorn(cost), "metric.cost", 1e299), "of the greatest cost"));

  const auto refusal = [](matrix<double> costs) {
    const scratch_folder folder;
    save_metric(any_costs{std::move(costs)}, folder / "metric");
    return message_or_nothing<format_error>([&] { load_metric<kantorovich>(folder / "metric"); });
  };
  CHECK(refusal(cost) == "nothing");
  CHECK(contains(refusal(masses<double>(3, 4, 6)), "rows must be as many as its columns = 4"));
  CHECK(contains(refusal(matrix<double>()), "rows must be at least 1"));
}

TEST_CASE("sizes in a file that are not those of its arrays are refused", "[index_file]") {
  const std::string most = std::to_string(std::numeric_limits<std::size_t>::max());
  const mahalanobis metric(semidefinite(40, 40));
  for (const std::string size : {"0", "6", "8", "41", "2305843009213693952", most.c_str()}) {
    CAPTURE(size);
    CHECK(contains(complaint_of_text(seuclidean(weights()), "metric.dim", size),
                   "the tensor 'metric.factors' is F64 [7]"));
    CHECK(contains(complaint_of_text(wminkowski(weights()), "metric.dim", size),
                   "the tensor 'metric.factors' is F64 [7]"));
    CHECK(complaint_of_text(metric, "metric.dim", size) != "nothing");
  }
  for (const std::string rank : {"0", "41", most.c_str()})
    CHECK(contains(complaint_of_text(metric, "metric.rank", rank), "metric has no rank from 1 to its dimension"));
  CHECK(contains(complaint_of_text(metric, "metric.rank", "32"), "the tensor 'metric.transform' is F64 [40, 64]"));
}

TEST_CASE("a file without the parameters of its metric is refused", "[index_file]") {
  const scratch_folder folder;
  save_metric(no_parameters{}, folder / "metric");
  CHECK(contains(message_of<format_error>([&] { load_metric<minkowski>(folder / "metric"); }),
                 "the metadata 'metric.p' is missing"));
  save_metric(any_costs{masses<double>(3, 3, 6)}, folder / "metric");
  edited_index file(folder / "metric");
  file.set("metric", "sinkhorn");
  file.save(folder / "edited");
  CHECK(contains(message_of<format_error>([&] { load_metric<sinkhorn>(folder / "edited"); }),
                 "the metadata 'metric.regularization' is missing"));
  file.set("metric", "seuclidean");
  file.save(folder / "edited");
  CHECK(contains(message_of<format_error>([&] { load_metric<seuclidean>(folder / "edited"); }),
                 "the metadata 'metric.dim' is missing"));
}
