#include <annulus/quantization/kmeans.hpp>

#include "catch.hpp"
#include "progress_watch.hpp"
#include "quantization/random_rows.hpp"

#include <set>

using annulus::kmeans;
using annulus::kmeans_init;
using annulus::kmeans_params;
using annulus::kmeans_result;
using annulus::matrix;
using annulus::matrix_view;

namespace {

constexpr kmeans_init every_init[] = {kmeans_init::random, kmeans_init::plus_plus, kmeans_init::points};

matrix<float> first_rows(const matrix<float>& points, std::size_t k) {
  return annulus::detail::packed_copy(matrix_view<float>(points).middle_rows(0, k));
}

/// Lloyd's rounds by their definition. Clusters must not become empty.
struct plain_lloyd {
  matrix<double> centroids;
  double mean_squared_error = 0;

  plain_lloyd(const matrix<float>& points, const matrix<float>& initial, std::size_t iter)
      : centroids(initial.rows(), initial.cols()) {
    const std::size_t n = points.rows(), k = initial.rows(), d = points.cols();
    std::copy_n(initial.data(), k * d, centroids.data());
    std::vector<std::size_t> nearest(n), count(k);
    for (std::size_t round = 0; round < iter; ++round) {
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t c = 0; c < k; ++c)
          if (distance(points, i, c) < distance(points, i, nearest[i])) nearest[i] = c;
      std::fill_n(centroids.data(), k * d, 0.0);
      std::ranges::fill(count, 0u);
      for (std::size_t i = 0; i < n; ++i) {
        ++count[nearest[i]];
        for (std::size_t j = 0; j < d; ++j) centroids(nearest[i], j) += static_cast<double>(points(i, j));
      }
      for (std::size_t c = 0; c < k; ++c)
        for (std::size_t j = 0; j < d; ++j) centroids(c, j) /= static_cast<double>(count[c]);
    }
    for (std::size_t i = 0; i < n; ++i) mean_squared_error += distance(points, i, nearest[i]) / static_cast<double>(n);
  }

  double distance(const matrix<float>& points, std::size_t i, std::size_t c) const {
    double sum = 0;
    for (std::size_t j = 0; j < points.cols(); ++j) {
      const double difference = static_cast<double>(points(i, j)) - centroids(c, j);
      sum += difference * difference;
    }
    return sum;
  }
};

struct assignment {
  double mean_squared_error = 0;
  std::size_t n_used = 0;

  assignment(matrix_view<float> points, const matrix<float>& centroids) {
    std::set<std::size_t> used;
    for (std::size_t i = 0; i < points.rows(); ++i) {
      std::size_t nearest = 0;
      for (std::size_t c = 1; c < centroids.rows(); ++c)
        if (squared_distance(points.row(i), centroids.row(c)) < squared_distance(points.row(i), centroids.row(nearest)))
          nearest = c;
      used.insert(nearest);
      mean_squared_error +=
          squared_distance(points.row(i), centroids.row(nearest)) / static_cast<double>(points.rows());
    }
    n_used = used.size();
  }
};

/// The row of `points` that this is, or points.rows().
std::size_t find_row(const matrix<float>& points, std::span<const float> row) {
  std::size_t i = 0;
  while (i < points.rows() && !std::ranges::equal(points.row(i), row)) ++i;
  return i;
}

matrix<float> repeated(const matrix<float>& rows, std::size_t times) {
  matrix<float> all(rows.rows() * times, rows.cols());
  for (std::size_t i = 0; i < all.rows(); ++i) std::ranges::copy(rows.row(i % rows.rows()), all.row(i).begin());
  return all;
}

bool all_finite(const matrix<float>& m) {
  return std::all_of(m.data(), m.data() + m.rows() * m.cols(), [](float x) { return annulus::detail::is_finite(x); });
}

}  // namespace

TEST_CASE("k-means is Lloyd's algorithm from the centroids that are given", "[kmeans]") {
  for (const std::size_t d : {1u, 2u, 7u, 24u})
    for (const std::size_t k : {1u, 5u, 19u})
      for (const std::size_t iter : {1u, 2u, 10u})
        for (const double centre : {0.0, 100.0}) {
          const matrix<float> points = random_rows(700, d, d, centre), initial = first_rows(points, k);
          const kmeans_result found = kmeans(points, initial, {.iter = iter});
          const plain_lloyd expected(points, initial, iter);
          CAPTURE(d, k, iter, centre);
          REQUIRE(found.mean_squared_error == Approx(expected.mean_squared_error).epsilon(1e-4));
          for (std::size_t c = 0; c < k; ++c)
            for (std::size_t j = 0; j < d; ++j)
              REQUIRE(static_cast<double>(found.centroids(c, j)) ==
                      Approx(expected.centroids(c, j)).epsilon(1e-3).margin(1e-3));
        }
}

TEST_CASE("k-means is Lloyd's algorithm, also from centroids far outside of the data", "[kmeans]") {
  for (const float far : {3.0f, 10.0f, 1e5f, -1e9f}) {
    const matrix<float> points = random_rows(300, 1, 1);
    matrix<float> initial(2, 1);
    initial(0, 0) = far;
    initial(1, 0) = 1;
    const kmeans_result found = kmeans(points, initial, {.iter = 1});
    double sum = 0, count = 0;  // of the points that the second is nearer to
    for (std::size_t i = 0; i < points.rows(); ++i)
      if (std::abs(points(i, 0) - 1) < std::abs(points(i, 0) - far)) {
        sum += static_cast<double>(points(i, 0));
        ++count;
      }
    CAPTURE(far);
    if (count < 300) REQUIRE(static_cast<double>(found.centroids(1, 0)) == Approx(sum / count).margin(1e-6));
    REQUIRE(kmeans(points, initial, {.iter = 30}).mean_squared_error ==
            Approx(kmeans(points, 2, {.iter = 30}).mean_squared_error).epsilon(0.02));
  }
}

TEST_CASE("the error never rises from a round to the next", "[kmeans]") {
  for (const auto init : every_init)
    for (const std::size_t d : {1u, 6u}) {
      const matrix<float> points = random_rows(500, d, 1);
      double last = std::numeric_limits<double>::infinity();
      for (std::size_t iter = 1; iter < 20; ++iter) {
        const double error = kmeans(points, 30, {.iter = iter, .init = init}).mean_squared_error;
        CAPTURE(d, iter);
        REQUIRE(error <= last * (1 + 1e-6));
        last = error;
      }
    }
}

TEST_CASE("the centroids are the means of their points, and the error is theirs", "[kmeans]") {
  for (const auto init : every_init) {
    const matrix<float> points = random_rows(300, 3, 2, 5);
    const kmeans_result found = kmeans(points, 8, {.iter = 1000, .init = init});  // ends where nothing changes
    const assignment nearest(points, found.centroids);
    CHECK(found.mean_squared_error == Approx(nearest.mean_squared_error).epsilon(1e-5));
    CHECK(kmeans(points, found.centroids, {.iter = 1}).centroids == found.centroids);
  }
}

TEST_CASE("the first centroids are different rows, chosen at random", "[kmeans]") {
  const matrix<float> points = random_rows(200, 3, 1);
  for (const auto init : {kmeans_init::points, kmeans_init::plus_plus})
    for (const std::size_t k : {1u, 2u, 50u, 200u}) {
      std::vector<std::size_t> chosen;
      const matrix<float> rows = annulus::detail::initial_centroids(points, k, {.init = init}, 1);
      REQUIRE(rows.rows() == k);
      for (std::size_t c = 0; c < k; ++c) chosen.push_back(find_row(points, rows.row(c)));
      const std::set<std::size_t> different(chosen.begin(), chosen.end());
      CHECK(different.size() == k);
      CHECK(*different.rbegin() < 200);
      if (k == 50) CHECK(rows != annulus::detail::initial_centroids(points, k, {.seed = 124, .init = init}, 1));
      CHECK(rows == annulus::detail::initial_centroids(points, k, {.init = init}, 1));
    }
}

TEST_CASE("every row is chosen as often as any other", "[kmeans]") {
  const matrix<float> points = random_rows(20, 1, 1);
  std::vector<int> times(20);
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const matrix<float> rows = annulus::detail::initial_centroids(points, 5, {.seed = seed}, 1);
    for (std::size_t c = 0; c < 5; ++c) ++times[find_row(points, rows.row(c))];
  }
  for (const int count : times) CHECK(std::abs(count - 250) < 70);  // five standard deviations
}

TEST_CASE("plus_plus chooses no row twice while there are others", "[kmeans]") {
  const matrix<float> different = random_rows(30, 2, 1);
  const matrix<float> rows =
      annulus::detail::initial_centroids(repeated(different, 7), 30, {.init = kmeans_init::plus_plus}, 1);
  std::set<std::size_t> chosen;
  for (std::size_t c = 0; c < 30; ++c) chosen.insert(find_row(different, rows.row(c)));
  CHECK(chosen.size() == 30);
}

TEST_CASE("plus_plus begins in every cluster, also in small ones far on in the data", "[kmeans]") {
  matrix<float> points = random_rows(9000, 2, 1, 0, 1e-3);
  for (std::size_t i = 0; i < 9; ++i) points(900 * i + 899, 0) += static_cast<float>(10 * (i + 1));
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const matrix<float> rows =
        annulus::detail::initial_centroids(points, 10, {.seed = seed, .init = kmeans_init::plus_plus}, 1);
    std::set<long> clusters;
    for (std::size_t c = 0; c < 10; ++c) clusters.insert(std::lround(rows(c, 0) / 10));
    CHECK(clusters.size() == 10);
  }
}

TEST_CASE("random centroids have the mean and the covariance of the points", "[kmeans]") {
  constexpr std::size_t k = 4000;
  matrix<float> points = random_rows(200, 3, 1, 10, 2);
  for (std::size_t i = 0; i < 200; ++i) points(i, 1) = points(i, 0) * 0.5f - points(i, 2);
  const auto moments = [](const matrix<float>& rows) {  // the mean, and the covariance's rows
    std::vector<double> m(12);
    for (std::size_t j = 0; j < 3; ++j)
      for (std::size_t i = 0; i < rows.rows(); ++i)
        m[j] += static_cast<double>(rows(i, j)) / static_cast<double>(rows.rows());
    for (std::size_t i = 0; i < rows.rows(); ++i)
      for (std::size_t j = 0; j < 3; ++j)
        for (std::size_t l = 0; l < 3; ++l)
          m[3 + 3 * j + l] += (static_cast<double>(rows(i, j)) - m[j]) * (static_cast<double>(rows(i, l)) - m[l]) /
                              static_cast<double>(rows.rows() - 1);
    return m;
  };
  const auto expected = moments(points);
  const auto found = moments(annulus::detail::initial_centroids(points, k, {.init = kmeans_init::random}, 1));
  for (std::size_t j = 0; j < 3; ++j) CHECK(found[j] == Approx(expected[j]).margin(0.2));
  for (std::size_t j = 3; j < 12; ++j) CHECK(found[j] == Approx(expected[j]).margin(0.5));
}

TEST_CASE("from random centroids, the nearest is found on two-valued data too", "[kmeans]") {
  matrix<float> points(400, 1, 1.0f);
  for (std::size_t i = 0; i < 400; i += 2) points(i, 0) = -1;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const kmeans_params params{.iter = 1, .seed = seed, .init = kmeans_init::random};
    const kmeans_result found = kmeans(points, 300, params);  // the outermost are three times as far out as the data
    const matrix<float> initial = annulus::detail::initial_centroids(points, 300, params, params.threads);
    CHECK(found.mean_squared_error == Approx(0).margin(1e-9));
    CHECK(assignment(points, initial).n_used == 2);
    CHECK(assignment(points, found.centroids).mean_squared_error == Approx(0).margin(1e-9));
  }
}

TEST_CASE("k-means gives the same bits for every number of threads", "[kmeans]") {
  const matrix<float> points = random_rows(10000, 5, 1);
  for (const auto init : every_init)
    for (const std::size_t most : {0u, 300u}) {
      const auto run = [&](std::size_t threads) {
        return kmeans(points, 21, {.iter = 4, .init = init, .max_points_per_centroid = most, .threads = threads});
      };
      const kmeans_result one = run(1);
      for (const std::size_t threads : {2u, 3u, 8u, 30u}) {
        const kmeans_result many = run(threads);
        CHECK(many.centroids == one.centroids);
        CHECK(many.mean_squared_error == one.mean_squared_error);
      }
    }
}

TEST_CASE("clusters that are empty are filled from others", "[kmeans]") {
  for (const std::size_t d : {1u, 4u}) {
    const matrix<float> points = random_rows(600, d, 1, 3);
    const matrix<float> initial(16, d, 2.5f);
    const kmeans_result found = kmeans(points, initial, {.iter = 40});
    const assignment nearest(points, found.centroids);
    CHECK(nearest.n_used == 16);
    CHECK(nearest.mean_squared_error < 1.3 * kmeans(points, 16, {.iter = 40}).mean_squared_error);
  }
}

TEST_CASE("data of fewer different rows than centroids has a result, whose error is as it says", "[kmeans]") {
  const matrix<float> different = random_rows(3, 4, 1);
  for (const auto init : every_init)
    for (const std::size_t iter : {1u, 2u, 10u}) {
      const matrix<float> points = repeated(different, 10);
      const kmeans_result found = kmeans(points, 7, {.iter = iter, .init = init});
      REQUIRE(all_finite(found.centroids));
      const assignment nearest(points, found.centroids);
      CAPTURE(static_cast<int>(init), iter);
      CHECK(nearest.mean_squared_error <= found.mean_squared_error + 1e-9);
      if (init == kmeans_init::plus_plus) CHECK(nearest.mean_squared_error == Approx(0).margin(1e-12));
    }
}

TEST_CASE("with at most as many different rows as centroids the error is 0, from the first round on", "[kmeans]") {
  for (const std::size_t n_different : {1u, 2u, 10u, 16u})
    for (const double centre : {0.0, 1e5}) {
      matrix<float> points = repeated(random_rows(n_different, 3, n_different, centre), 249 / n_different);
      for (std::size_t i = 0; i < points.rows() / 2; ++i)  // most are equal
        std::ranges::copy(points.row(0), points.row(i).begin());
      for (const auto init : every_init)
        for (const std::size_t iter : {1u, 20u})
          for (std::uint64_t seed = 0; seed < 10; ++seed) {
            const kmeans_result found = kmeans(points, 16, {.iter = iter, .seed = seed, .init = init, .threads = 1});
            CAPTURE(n_different, centre, static_cast<int>(init), iter, seed);
            REQUIRE(assignment(points, found.centroids).mean_squared_error == 0);
            REQUIRE(found.mean_squared_error == Approx(0).margin(1e-9));
          }
    }
}

TEST_CASE("no centroid is left over where most rows are equal, and the error is that of spread ones", "[kmeans]") {
  for (const std::size_t percent : {30u, 60u, 95u}) {
    matrix<float> points = random_rows(3000, 4, percent);
    for (std::size_t i = 0; i < points.rows(); ++i)
      if (annulus::counter_random(1).below(i, 100) < percent) std::ranges::fill(points.row(i), 0.0f);
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      const double spread = kmeans(points, 64, {.seed = seed, .init = kmeans_init::plus_plus}).mean_squared_error;
      for (const auto init : every_init) {
        const kmeans_result found = kmeans(points, 64, {.seed = seed, .init = init});
        CAPTURE(percent, seed, static_cast<int>(init));
        CHECK(assignment(points, found.centroids).n_used == 64);
        if (init == kmeans_init::points) CHECK(found.mean_squared_error <= spread * (percent == 95 ? 1 : 1.2));
      }
      const auto run = [&](std::size_t threads) {
        return kmeans(points, 64, {.iter = 3, .seed = seed, .init = kmeans_init::random, .threads = threads}).centroids;
      };
      CHECK(run(1) == run(2));
      CHECK(run(1) == run(5));
    }
  }
}

TEST_CASE("empty clusters take parts in proportion to the errors, none of one without", "[kmeans]") {
  using parts = std::vector<std::size_t>;
  const auto of = [](std::vector<double> errors, std::size_t n) { return annulus::detail::parts_by_error(errors, n); };
  CHECK(of({6, 0, 3, 1}, 6) == parts{4, 0, 2, 0});
  CHECK(of({0, 0, 2}, 3) == parts{0, 0, 3});
  CHECK(of({1, 1, 1}, 2) == parts{1, 1, 0});
  CHECK(of({0, 0}, 2) == parts{0, 0});
  CHECK(of({1, 2}, 0) == parts{0, 0});
}

TEST_CASE("the centroids of constant data are that constant", "[kmeans]") {
  for (const float value : {0.0f, 0.1f, -1e6f, 1e15f, 1e-30f})
    for (const auto init : every_init) {
      const kmeans_result found = kmeans(matrix<float>(20, 3, value), 4, {.iter = 3, .init = init});
      CHECK(found.mean_squared_error ==
            Approx(0).margin(1e-14 * static_cast<double>(value) * static_cast<double>(value)));
      for (std::size_t c = 0; c < 4; ++c)
        for (const float x : found.centroids.row(c)) REQUIRE(std::abs(x - value) <= 1e-6f * std::abs(value) + 1e-35f);
    }
}

TEST_CASE("as many centroids as points are the points", "[kmeans]") {
  const matrix<float> points = random_rows(50, 3, 1);
  for (const auto init : {kmeans_init::points, kmeans_init::plus_plus}) {
    const kmeans_result found = kmeans(points, 50, {.init = init});
    CHECK(found.mean_squared_error == Approx(0).margin(1e-12));
    for (std::size_t i = 0; i < 50; ++i) REQUIRE(find_row(found.centroids, points.row(i)) < 50);
  }
  const matrix<float> one = random_rows(1, 3, 1);
  for (const auto init : every_init) CHECK(kmeans(one, 1, {.init = init}).centroids == one);
}

TEST_CASE("one centroid is the mean, also of data far from zero", "[kmeans]") {
  for (const double centre : {0.0, 1e4, -1e6})
    for (const auto init : every_init) {
      const matrix<float> points = random_rows(1000, 2, 3, centre);
      const kmeans_result found = kmeans(points, 1, {.init = init});
      double error = 0;
      for (std::size_t j = 0; j < 2; ++j) {
        double mean = 0;
        for (std::size_t i = 0; i < 1000; ++i) mean += static_cast<double>(points(i, j)) / 1000;
        for (std::size_t i = 0; i < 1000; ++i) error += std::pow(static_cast<double>(points(i, j)) - mean, 2) / 1000;
        CHECK(static_cast<double>(found.centroids(0, j)) == Approx(mean).epsilon(1e-7).margin(1e-7));
      }
      CHECK(found.mean_squared_error == Approx(error).epsilon(1e-3));
    }
}

TEST_CASE("max_points_per_centroid trains on a sample", "[kmeans]") {
  const matrix<float> points = random_rows(1000, 3, 1);
  const kmeans_result all = kmeans(points, 5), sampled = kmeans(points, 5, {.max_points_per_centroid = 20});
  CHECK(sampled.centroids != all.centroids);
  CHECK(sampled.centroids == kmeans(points, 5, {.max_points_per_centroid = 20}).centroids);
  CHECK(assignment(points, sampled.centroids).mean_squared_error < 1.3 * all.mean_squared_error);
  CHECK(kmeans(points, 5, {.max_points_per_centroid = 200}).centroids == all.centroids);
  CHECK(kmeans(points, 1, {.max_points_per_centroid = 1}).mean_squared_error == Approx(0).margin(1e-12));

  const matrix<float> initial = first_rows(points, 5);
  CHECK(kmeans(points, initial, {.max_points_per_centroid = 20}).centroids != kmeans(points, initial).centroids);
}

TEST_CASE("the sample is of different rows from the whole of the data", "[kmeans]") {
  matrix<float> points(1000, 1);
  for (std::size_t i = 0; i < 1000; ++i) points(i, 0) = static_cast<float>(i);
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    matrix<float> sampled;
    const matrix_view<float> rows =
        annulus::detail::training_rows(points, 5, {.seed = seed, .max_points_per_centroid = 20}, sampled);
    std::set<float> different;
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      different.insert(rows.row(i)[0]);
      sum += static_cast<double>(rows.row(i)[0]);
    }
    REQUIRE(different.size() == 100);
  }
  CHECK(sum / 2000 == Approx(499.5).margin(35));  // five standard deviations
}

TEST_CASE("k-means reports its progress up to 1, also where it ends early, and can be cancelled", "[kmeans]") {
  const matrix<float> points = random_rows(100, 2, 1);
  for (const std::size_t iter : {1u, 3u, 1000u}) {
    std::vector<double> fractions;
    progress_watch watch;
    kmeans(points, 4, {.iter = iter, .progress = [&](const annulus::progress_report& report) {
                         watch.see(report);
                         fractions.push_back(report.fraction);
                         return true;
                       }});
    REQUIRE_FALSE(fractions.empty());
    CHECK(std::ranges::is_sorted(fractions));
    CHECK(fractions.front() > 0);
    CHECK(fractions.back() == 1);
    CHECK(watch.fault({"k-means"}) == "");
  }
  std::size_t calls = 0;
  const auto cancel = [&](const annulus::progress_report&) { return ++calls < 2; };
  CHECK_THROWS_AS(kmeans(points, 4, {.progress = cancel}), annulus::cancelled);
  CHECK(calls == 2);
}

TEST_CASE("k-means refuses what it cannot train on, and says why", "[kmeans]") {
  const matrix<float> points = random_rows(10, 3, 1);
  const auto refused = [&](auto&& call, const std::string& message) {
    CHECK_THROWS_AS(call(), std::invalid_argument);
    CHECK_THROWS_WITH(call(), ContainsSubstring(message));
  };
  refused([&] { kmeans(points, 0); }, "k = 0: must be at least 1");
  refused([&] { kmeans(points, 11); }, "rows = 10: must be at least the number of codewords, 11");
  refused([&] { kmeans(matrix<float>(0, 3), 1); }, "rows = 0");
  refused([&] { kmeans(matrix<float>(10, 0), 1); }, "columns = 0: must be at least 1");
  refused([&] { kmeans(points, 2, {.iter = 0}); }, "iter = 0: must be at least 1");
  refused([&] { kmeans(points, first_rows(points, 2), {.iter = 0}); }, "iter = 0");
  refused([&] { kmeans(points, 2, {.init = static_cast<kmeans_init>(7)}); }, "init = 7");

  matrix<float> bad = points;
  bad(6, 1) = std::numeric_limits<float>::quiet_NaN();
  refused([&] { kmeans(bad, 2); }, "data = nan: row 6");
  bad(4, 2) = std::numeric_limits<float>::infinity();
  refused([&] { kmeans(bad, 2); }, "data = inf: row 4");
  bad = points;
  bad(5, 0) = 1e20f;
  refused([&] { kmeans(bad, 2); }, "squares overflow");

  refused([&] { kmeans(points, matrix<float>(2, 4)); }, "initial columns = 4: must equal the points' 3");
  refused([&] { kmeans(points, matrix<float>(0, 3)); }, "k = 0");
  refused([&] { kmeans(points, matrix<float>(11, 3)); }, "rows = 10");
  matrix<float> initial = first_rows(points, 2);
  initial(1, 1) = std::numeric_limits<float>::quiet_NaN();
  refused([&] { kmeans(points, initial); }, "initial centroids = nan: row 1");
}
