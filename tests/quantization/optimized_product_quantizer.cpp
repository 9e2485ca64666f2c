#include <annulus/quantization/fast_scan.hpp>
#include <annulus/quantization/optimized_product_quantizer.hpp>

#include "catch.hpp"
#include "message_of.hpp"
#include "progress_watch.hpp"
#include "quantization/rotations.hpp"

#include <map>

namespace optimized_product_quantizer_tests {

using annulus::matrix;
using annulus::matrix_view;
using annulus::opq_params;
using annulus::pq_metric;

using optimized = annulus::optimized_product_quantizer<>;
using plain = annulus::product_quantizer<>;

namespace {

constexpr std::size_t d = 12, m = 4, ks = 16;
constexpr pq_metric every_metric[] = {pq_metric::sqeuclidean, pq_metric::inner_product, pq_metric::cosine};

/// Normal rows whose axes have deviations of 1, 0.7, 0.49 and so on, turned by a random rotation.
matrix<float> correlated_rows(std::size_t n, std::uint64_t seed, float scale = 1) {
  matrix<float> rows = random_rows(n, d, seed);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j) rows(i, j) *= scale * std::pow(0.7f, static_cast<float>(j));
  return product_of(rows, random_rotation(d, 99));
}

/// Rows each of whose sub-vectors is one of ks: the axes as they are lose nothing.
matrix<float> block_rows(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  const matrix<float> centres = random_rows(m * ks, d / m, seed);
  matrix<float> rows(n, d);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < m; ++j) {
      std::ranges::copy(centres.row(j * ks + generator() % ks), rows.row(i).data() + j * d / m);
    }
  return rows;
}

/// Cheap, as most tests need no more.
opq_params short_training(annulus::progress_callback progress = {}) {
  return {.pq_iter = 4, .rotation_iter = 3, .threads = 1, .progress = std::move(progress)};
}

optimized fitted(const matrix<float>& rows, pq_metric metric = pq_metric::sqeuclidean) {
  optimized quantizer(m, ks, metric);
  quantizer.fit(rows, short_training());
  return quantizer;
}

std::vector<float> normalised(std::span<const float> row) {
  const auto norm = static_cast<float>(std::sqrt(inner_product(row, row)));
  std::vector<float> unit;
  for (const float x : row) unit.push_back(x / norm);
  return unit;
}

/// Of decoded rows to the rows themselves, by definition.
template <class Quantizer>
double error(const Quantizer& quantizer, const matrix<float>& rows) {
  const matrix<float> decoded = quantizer.decode(quantizer.encode(rows, {.threads = 1}));
  double sum = 0;
  for (std::size_t i = 0; i < rows.rows(); ++i)
    sum += squared_distance(rows.row(i), decoded.row(i)) / static_cast<double>(rows.rows());
  return sum;
}

}  // namespace

TEST_CASE("a learned rotation is orthogonal and lowers the error of correlated dimensions", "[opq]") {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const matrix<float> rows = correlated_rows(1000, seed), others = correlated_rows(300, seed + 10);
    plain without(m, ks);
    without.fit(rows, {.threads = 1});
    for (const bool parametric : {true, false}) {
      optimized with(m, ks);
      with.fit(rows, {.parametric_init = parametric, .seed = seed, .threads = 1});
      CAPTURE(seed, parametric);
      CHECK(off_orthogonal(with.rotation()) < 1e-5);
      CHECK(error(with, rows) < 0.75 * error(without, rows));
      CHECK(error(with, others) < 0.8 * error(without, others));
      CHECK(with.distortion(rows, {.threads = 1}).mean_squared_error == Approx(error(with, rows)).epsilon(1e-4));
    }
  }
}

TEST_CASE("the axes stay as they are where they suit already", "[opq]") {
  for (const bool parametric : {true, false}) {
    const matrix<float> rows = block_rows(800, 1);
    optimized with(m, ks);
    with.fit(rows, {.parametric_init = parametric, .init = annulus::kmeans_init::plus_plus, .threads = 1});
    CHECK(with.rotation() == annulus::detail::identity(d));
    plain without(m, ks);
    CHECK(with.quantizer() == without.fit(rows, {.init = annulus::kmeans_init::plus_plus, .threads = 1}));
    CHECK(with.decode(with.encode(rows, {.threads = 1})) == without.decode(without.encode(rows, {.threads = 1})));
  }
}

TEST_CASE("a fit is never worse than a plain quantiser's", "[opq]") {
  for (std::uint64_t seed = 0; seed < 3; ++seed)
    for (const matrix<float>& rows : {random_rows(500, d, seed), random_rows(500, d, seed, 100), block_rows(500, seed),
                                      matrix<float>(500, d, 0.5f)})
      for (const auto metric : {pq_metric::sqeuclidean, pq_metric::cosine}) {
        plain without(m, ks, metric);
        without.fit(rows, {.iter = 4, .threads = 1});
        CAPTURE(seed);
        CHECK(fitted(rows, metric).distortion(rows, {.threads = 1}).mean_squared_error <=
              1.01 * without.distortion(rows, {.threads = 1}).mean_squared_error + 1e-12);
      }
}

TEST_CASE("without rounds of rotation, a fit keeps where it starts", "[opq]") {
  const matrix<float> rows = correlated_rows(600, 1);
  plain without(m, ks);
  without.fit(rows, {.threads = 1});
  optimized axes(m, ks), parametric(m, ks), rotated(m, ks);
  axes.fit(rows, {.parametric_init = false, .rotation_iter = 0, .threads = 1});
  CHECK(axes.rotation() == annulus::detail::identity(d));
  CHECK(axes.quantizer() == without);
  parametric.fit(rows, {.parametric_init = true, .rotation_iter = 0, .threads = 1});
  CHECK(parametric.rotation() == annulus::detail::parametric_rotation(rows, m));
  CHECK(error(parametric, rows) < 0.8 * error(without, rows));
  rotated.fit(rows, {.parametric_init = false, .rotation_iter = 10, .threads = 1});
  CHECK(error(rotated, rows) < 0.8 * error(axes, rows));
}

TEST_CASE("the codewords that are kept begin with those that the rotation was learned with", "[opq]") {
  const matrix<float> rows = correlated_rows(800, 1);
  optimized quantizer(m, ks);
  quantizer.fit(rows, {.pq_iter = 1, .threads = 1});
  const matrix<float> rotated = quantizer.rotate(rows, {.threads = 1});
  plain afresh(m, ks);
  afresh.fit(rotated, {.iter = 1, .threads = 1});
  CHECK(error(quantizer, rows) < 0.9 * error(afresh, rotated));
}

TEST_CASE("data of few dimensions in many has a rotation", "[opq]") {
  for (const std::size_t wide : {24u, 40u, 100u}) {
    matrix<float> line(60, wide);
    const matrix<float> along = random_rows(1, wide, 1), at = random_rows(60, 1, 2);
    for (std::size_t i = 0; i < 60; ++i)
      for (std::size_t j = 0; j < wide; ++j) line(i, j) = at(i, 0) * along(0, j);
    for (const matrix<float>& rows : {line, matrix<float>(60, wide), matrix<float>(60, wide, 0.5f)})
      for (const bool parametric : {true, false}) {
        optimized quantizer(m, 8);
        quantizer.fit(rows, {.parametric_init = parametric, .pq_iter = 4, .rotation_iter = 3, .threads = 1});
        CAPTURE(wide, parametric);
        CHECK(off_orthogonal(quantizer.rotation()) < 1e-5);
        CHECK(error(quantizer, rows) < 0.1 * static_cast<double>(wide));
      }
  }
}

TEST_CASE("every way to begin k-means trains a rotation", "[opq]") {
  const matrix<float> rows = correlated_rows(600, 1);
  plain without(m, ks);
  without.fit(rows, {.threads = 1});
  for (const auto init : {annulus::kmeans_init::random, annulus::kmeans_init::plus_plus}) {
    optimized quantizer(m, ks);
    quantizer.fit(rows, {.init = init, .threads = 1});
    CHECK(error(quantizer, rows) < 0.8 * error(without, rows));
  }
}

TEST_CASE("training on a sample is training on some of the rows", "[opq]") {
  const matrix<float> rows = correlated_rows(1000, 1);
  optimized sampled(m, ks), all(m, ks);
  all.fit(rows, short_training());
  opq_params params = short_training();
  params.max_points_per_centroid = 20;
  sampled.fit(rows, params);
  CHECK(sampled.rotation() != all.rotation());
  CHECK(error(sampled, rows) < 1.3 * error(all, rows));
  params.max_points_per_centroid = 100;  // more than there are
  CHECK(sampled.fit(rows, params) == all);
}

TEST_CASE("a power of two in the data changes no rotation and no code", "[opq]") {
  const matrix<float> rows = correlated_rows(500, 1);
  const optimized quantizer = fitted(rows);
  REQUIRE(quantizer.rotation() != annulus::detail::identity(d));
  for (const float factor : {0x1p-40f, 0x1p20f, 0x1p60f}) {
    matrix<float> scaled = rows;
    for (std::size_t i = 0; i < scaled.rows(); ++i)
      for (float& x : scaled.row(i)) x *= factor;
    const optimized other = fitted(scaled);
    CAPTURE(factor);
    CHECK(other.rotation() == quantizer.rotation());
    CHECK(other.encode(scaled, {.threads = 1}) == quantizer.encode(rows, {.threads = 1}));
  }
}

TEST_CASE("codes are of rotated vectors, and decoded they are rotated back", "[opq]") {
  const matrix<float> rows = correlated_rows(2000, 1);  // more than are encoded at a time
  for (const auto metric : every_metric) {
    const optimized quantizer = fitted(rows, metric);
    const matrix<float> rotated = quantizer.rotate(rows, {.threads = 1});
    CHECK(quantizer.dim() == d);
    CHECK(quantizer.ds() == d / m);
    CHECK(quantizer.codewords() == quantizer.quantizer().codewords());
    const auto codes = quantizer.encode(rows, {.threads = 1});
    CHECK(codes == quantizer.quantizer().encode(rotated, {.threads = 1}));
    const matrix<float> expected = product_of(rows, quantizer.rotation());
    const matrix<float> inner = quantizer.quantizer().decode(codes), decoded = quantizer.decode(codes);
    const matrix<float> decoded_and_rotated = product_of(decoded, quantizer.rotation());
    double furthest = 0, furthest_inner = 0;
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      furthest = std::max(furthest, squared_distance(rotated.row(i), expected.row(i)));
      furthest_inner = std::max(furthest_inner, squared_distance(decoded_and_rotated.row(i), inner.row(i)));
    }
    CHECK(furthest < 1e-10);
    CHECK(furthest_inner < 1e-10);
  }
}

TEST_CASE("a vector has the same bits alone as among others", "[opq]") {
  const matrix<float> rows = correlated_rows(400, 1);
  const optimized quantizer = fitted(rows);
  const matrix<float> rotated = quantizer.rotate(rows, {.threads = 1});
  const auto codes = quantizer.encode(rows, {.threads = 1});
  const matrix<float> decoded = quantizer.decode(codes);
  for (const std::size_t i : {0u, 7u, 383u, 384u, 399u}) {
    CHECK(std::ranges::equal(quantizer.rotate(rows.row(i)), rotated.row(i)));
    CHECK(std::ranges::equal(quantizer.encode(rows.row(i)).row(0), codes.row(i)));
    CHECK(std::ranges::equal(quantizer.decode(codes.row(i)).row(0), decoded.row(i)));
  }
  const std::vector<float> vector(rows.row(1).begin(), rows.row(1).end());
  CHECK(std::ranges::equal(quantizer.rotate(vector), rotated.row(1)));
}

TEST_CASE("rows of a stride are trained on and encoded as packed ones", "[opq]") {
  const matrix<float> rows = correlated_rows(300, 1);
  matrix<float> wide(300, d + 5, std::numeric_limits<float>::quiet_NaN());
  for (std::size_t i = 0; i < 300; ++i) std::ranges::copy(rows.row(i), wide.row(i).begin());
  const matrix_view<float> strided(wide.data(), 300, d, d + 5);
  for (const auto metric : {pq_metric::sqeuclidean, pq_metric::cosine}) {
    optimized quantizer(m, ks, metric);
    CHECK(quantizer.fit(strided, short_training()) == fitted(rows, metric));
    CHECK(quantizer.encode(strided, {.threads = 1}) == quantizer.encode(rows, {.threads = 1}));
  }
}

TEST_CASE("the metric is kept, and tables are by it of queries and decoded vectors", "[opq]") {
  const matrix<float> rows = correlated_rows(300, 1), queries = correlated_rows(5, 2);
  for (const auto metric : every_metric) {
    const optimized quantizer = fitted(rows, metric);
    CHECK(quantizer.metric() == metric);
    const auto codes = quantizer.encode(rows, {.threads = 1});
    const matrix<float> decoded = quantizer.decode(codes);
    for (std::size_t q = 0; q < queries.rows(); ++q) {
      const auto table = quantizer.dtable(queries.row(q));
      CHECK(table.metric() == metric);
      const auto distances = table.adist(codes);
      for (std::size_t i = 0; i < rows.rows(); ++i) {
        const double expected = metric == pq_metric::sqeuclidean ? squared_distance(queries.row(q), decoded.row(i))
                                : metric == pq_metric::inner_product
                                    ? inner_product(queries.row(q), decoded.row(i))
                                    : 1 - inner_product(normalised(queries.row(q)), decoded.row(i));
        REQUIRE(static_cast<double>(distances[i]) == Approx(expected).epsilon(1e-4).margin(1e-5));
      }
    }
  }
}

TEST_CASE("a search is the plain quantiser's of rotated queries, the nearest by tables", "[opq]") {
  const matrix<float> rows = correlated_rows(500, 1), queries = correlated_rows(40, 2);
  for (const auto metric : every_metric) {
    const optimized quantizer = fitted(rows, metric);
    const auto codes = quantizer.encode(rows, {.threads = 1});
    const auto found = quantizer.search(codes, queries, 10, {.threads = 1});
    CHECK(found == quantizer.quantizer().search(codes, quantizer.rotate(queries, {.threads = 1}), 10, {.threads = 1}));
    for (std::size_t q = 0; q < queries.rows(); ++q) {
      auto distances = quantizer.dtable(queries.row(q)).adist(codes);
      if (metric == pq_metric::inner_product)
        for (float& x : distances) x = -x;
      for (std::size_t j = 0; j < 10; ++j) REQUIRE(found.distances(q, j) == distances[found.ids(q, j)]);
      std::ranges::sort(distances);
      REQUIRE(std::ranges::equal(found.distances.row(q), std::span(distances).first(10)));
    }
    const auto few = matrix_view<std::uint8_t>(codes).middle_rows(0, 9);
    CHECK(quantizer.search_symmetric(codes, few, 3, {.threads = 1}) ==
          quantizer.quantizer().search_symmetric(codes, few, 3, {.threads = 1}));
  }
}

TEST_CASE("a query that is not finite has no neighbours, and the others keep theirs", "[opq]") {
  const matrix<float> rows = correlated_rows(200, 1);
  matrix<float> queries = correlated_rows(9, 2);
  const optimized quantizer = fitted(rows);
  const auto codes = quantizer.encode(rows, {.threads = 1});
  const auto before = quantizer.search(codes, queries, 3, {.threads = 1});
  queries(2, 0) = std::numeric_limits<float>::quiet_NaN();
  queries(5, 3) = -std::numeric_limits<float>::infinity();
  const auto after = quantizer.search(codes, queries, 3, {.threads = 1});
  for (std::size_t q = 0; q < 9; ++q) {
    const bool is_finite = q != 2 && q != 5;
    CHECK(std::ranges::equal(after.ids.row(q), before.ids.row(q)) == is_finite);
    if (!is_finite) CHECK(std::ranges::count(after.ids.row(q), annulus::no_id) == 3);
  }
  CHECK(quantizer.search(codes, matrix<float>(0, d), 3).ids.rows() == 0);
}

TEST_CASE("the length of vectors does not count under cosine", "[opq]") {
  const matrix<float> rows = correlated_rows(300, 1);
  matrix<float> longer = rows;
  for (std::size_t i = 0; i < rows.rows(); ++i)
    for (float& x : longer.row(i)) x *= i % 2 == 0 ? 4.0f : 0.125f;
  const optimized quantizer = fitted(rows, pq_metric::cosine);
  CHECK(fitted(longer, pq_metric::cosine) == quantizer);
  CHECK(quantizer.encode(longer, {.threads = 1}) == quantizer.encode(rows, {.threads = 1}));
  CHECK(fitted(longer) != fitted(rows));
}

TEST_CASE("fits, codes and answers have the same bits for every number of threads", "[opq]") {
  const matrix<float> rows = correlated_rows(2500, 1), queries = correlated_rows(40, 2);
  const auto run = [&](std::size_t threads, bool parametric) {
    optimized quantizer(m, ks);
    quantizer.fit(rows, {.parametric_init = parametric, .pq_iter = 3, .rotation_iter = 2, .threads = threads});
    return quantizer;
  };
  for (const bool parametric : {true, false}) {
    const optimized one = run(1, parametric);
    const auto codes = one.encode(rows, {.threads = 1});
    for (const std::size_t threads : {2u, 3u, 8u}) {
      CHECK(run(threads, parametric) == one);
      CHECK(one.encode(rows, {.threads = threads}) == codes);
      CHECK(one.rotate(rows, {.threads = threads}) == one.rotate(rows, {.threads = 1}));
      CHECK(one.search(codes, queries, 5, {.threads = threads}) == one.search(codes, queries, 5, {.threads = 1}));
      CHECK(one.distortion(rows, {.threads = threads}).mean_squared_error ==
            one.distortion(rows, {.threads = 1}).mean_squared_error);
    }
  }
}

TEST_CASE("a second fit replaces the first", "[opq]") {
  const matrix<float> rows = correlated_rows(300, 1), others = random_rows(200, 8, 3);
  optimized quantizer = fitted(rows, pq_metric::inner_product);
  CHECK(quantizer.fit(others, short_training()) == fitted(others, pq_metric::inner_product));
  CHECK(quantizer.dim() == 8);
}

TEST_CASE("progress names its stages, and cancelling at any call leaves the quantiser as it was", "[opq]") {
  const matrix<float> rows = correlated_rows(200, 1), others = correlated_rows(200, 2);
  const optimized before = fitted(rows);
  std::map<std::string, std::vector<double>> stages;
  std::size_t calls = 0;
  optimized quantizer = before;
  progress_watch watch;
  quantizer.fit(others, short_training([&](const annulus::progress_report& report) {
                  watch.see(report);
                  const std::string_view stage = report.stage;
                  const double fraction = report.fraction;
                  ++calls;
                  stages[std::string(stage)].push_back(fraction);
                  return true;
                }));
  CHECK(quantizer == fitted(others));
  CHECK(watch.fault({"product quantizer", "rotation", "rotated codewords"}) == "");
  REQUIRE(stages.contains("rotation"));
  CHECK(stages["rotation"] == std::vector<double>{1.0 / 3, 2.0 / 3, 1});
  for (const auto& [stage, fractions] : stages) {
    CAPTURE(stage);
    CHECK(fractions.back() == 1);
    for (const double fraction : fractions) CHECK((fraction > 0 && fraction <= 1));
  }
  for (std::size_t last = 1; last <= calls; ++last) {
    std::size_t made = 0;
    quantizer = before;
    CAPTURE(last, calls);
    CHECK_THROWS_AS(
        quantizer.fit(others, short_training([&](const annulus::progress_report&) { return ++made < last; })),
        annulus::cancelled);
    CHECK(made == last);
    CHECK(quantizer == before);
  }
}

TEST_CASE("a fit that fails says why and leaves the quantiser as it was", "[opq]") {
  const matrix<float> rows = correlated_rows(200, 1);
  const optimized before = fitted(rows);
  optimized quantizer = before;
  matrix<float> bad = rows;
  bad(123, 5) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THAT(message_of([&] { quantizer.fit(bad); }), ContainsSubstring("row 123"));
  bad(123, 5) = std::numeric_limits<float>::infinity();
  CHECK_THAT(message_of([&] { quantizer.fit(bad); }), ContainsSubstring("row 123"));
  bad(123, 5) = 1e30f;
  CHECK_THAT(message_of([&] { quantizer.fit(bad); }), ContainsSubstring("overflow"));
  CHECK_THAT(message_of([&] { quantizer.fit(correlated_rows(ks - 1, 1)); }), ContainsSubstring("16"));
  CHECK_THAT(message_of([&] { quantizer.fit(random_rows(100, 11, 1)); }), ContainsSubstring("multiple of m = 4"));
  CHECK_THAT(message_of([&] { quantizer.fit(matrix<float>(100, 0)); }), ContainsSubstring("multiple of m = 4"));
  CHECK_THAT(message_of([&] { quantizer.fit(rows, {.pq_iter = 0}); }), ContainsSubstring("must be at least 1"));
  CHECK(quantizer == before);
  quantizer.fit(correlated_rows(ks, 1), short_training());  // as many as codewords is enough
  CHECK(error(quantizer, correlated_rows(ks, 1)) < 1e-9);
}

TEST_CASE("an unfitted quantiser can do nothing, and says so", "[opq]") {
  const optimized quantizer(m, ks);
  const matrix<float> rows = correlated_rows(3, 1);
  const matrix<std::uint8_t> codes(3, m);
  const auto fitted_first = ContainsSubstring("must be fitted first");
  CHECK(quantizer.dim() == 0);
  CHECK(quantizer.rotation().rows() == 0);
  CHECK_THAT(message_of([&] { quantizer.rotate(rows); }), fitted_first);
  CHECK_THAT(message_of([&] { quantizer.rotate(rows.row(0)); }), fitted_first);
  CHECK_THAT(message_of([&] { quantizer.encode(rows); }), fitted_first);
  CHECK_THAT(message_of([&] { quantizer.decode(codes); }), fitted_first);
  CHECK_THAT(message_of([&] { quantizer.dtable(rows.row(0)); }), fitted_first);
  CHECK_THAT(message_of([&] { quantizer.search(codes, rows, 1); }), fitted_first);
  CHECK_THAT(message_of([&] { quantizer.search_symmetric(codes, codes, 1); }), fitted_first);
  CHECK_THAT(message_of([&] { quantizer.distortion(rows); }), fitted_first);
  CHECK_THROWS_AS(optimized(0, 16), std::invalid_argument);
  CHECK_THROWS_AS(optimized(4, 0), std::invalid_argument);
  CHECK_THROWS_AS(optimized(4, 257), std::invalid_argument);
}

TEST_CASE("vectors and codes that do not fit are refused", "[opq]") {
  matrix<float> rows = correlated_rows(200, 1);
  const optimized quantizer = fitted(rows);
  const matrix<float> longer = random_rows(200, d + 1, 1);
  const auto equal_12 = ContainsSubstring("must equal the quantiser's 12");
  CHECK_THAT(message_of([&] { quantizer.rotate(longer); }), equal_12);
  CHECK_THAT(message_of([&] { quantizer.encode(longer); }), equal_12);
  CHECK_THAT(message_of([&] { quantizer.dtable(longer.row(0)); }), equal_12);
  CHECK_THAT(message_of([&] { quantizer.distortion(longer); }), equal_12);
  auto codes = quantizer.encode(rows, {.threads = 1});
  CHECK_THAT(message_of([&] { quantizer.search(codes, longer, 1); }), equal_12);
  CHECK_THROWS_AS(quantizer.search(codes, rows, 0), std::invalid_argument);
  CHECK_THROWS_AS(quantizer.decode(matrix<std::uint8_t>(3, m + 1)), std::invalid_argument);
  codes(77, 1) = ks;
  CHECK_THAT(message_of([&] { quantizer.decode(codes); }), ContainsSubstring("row 77"));
  CHECK_THAT(message_of([&] { quantizer.search(codes, rows, 1); }), ContainsSubstring("row 77"));
  rows(150, 2) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THAT(message_of([&] { quantizer.encode(rows); }), ContainsSubstring("row 150"));
  CHECK_THAT(message_of([&] { quantizer.distortion(rows); }), ContainsSubstring("row 150"));
  matrix<float> many = correlated_rows(2000, 1);
  many(1999, 2) = std::numeric_limits<float>::infinity();
  CHECK_THAT(message_of([&] { quantizer.encode(many); }), ContainsSubstring("row 1999"));
  CHECK(quantizer.encode(matrix<float>(0, d)).rows() == 0);
  CHECK(quantizer.decode(matrix<std::uint8_t>(0, m)).cols() == d);
}

TEST_CASE("a quantiser is made of a rotation and a plain quantiser", "[opq]") {
  const matrix<float> rows = correlated_rows(200, 1);
  const optimized quantizer = fitted(rows, pq_metric::inner_product);
  const optimized made(quantizer.rotation(), quantizer.quantizer());
  CHECK(made == quantizer);
  CHECK(made.metric() == pq_metric::inner_product);
  CHECK(made.encode(rows, {.threads = 1}) == quantizer.encode(rows, {.threads = 1}));
  CHECK(made != optimized(annulus::detail::identity(d), quantizer.quantizer()));
}

TEST_CASE("rotations that do not fit, or are none, are refused", "[opq]") {
  const plain inner = fitted(correlated_rows(200, 1)).quantizer();
  const auto refused = [&](matrix<float> rotation) {
    return message_or_nothing([&] { optimized(std::move(rotation), inner); });
  };
  const auto changed = [](std::size_t i, std::size_t j, float value) {
    matrix<float> rotation = annulus::detail::identity(d);
    rotation(i, j) = value;
    return rotation;
  };
  CHECK(refused(random_rotation(d, 1)) == "nothing");
  CHECK(refused(changed(0, 0, -1)) == "nothing");
  CHECK(refused(changed(2, 7, 5e-4f)) == "nothing");
  CHECK_THAT(refused(changed(2, 7, 3e-3f)), ContainsSubstring("orthonormal"));
  CHECK_THAT(refused(changed(11, 11, 1.002f)), ContainsSubstring("orthonormal"));
  CHECK_THAT(refused(matrix<float>(d, d)), ContainsSubstring("orthonormal"));
  CHECK_THAT(refused(changed(3, 4, std::numeric_limits<float>::quiet_NaN())), ContainsSubstring("row 3"));
  CHECK_THAT(refused(random_rotation(d - 1, 1)), ContainsSubstring("square"));
  CHECK_THAT(refused(matrix<float>(d, d + 1)), ContainsSubstring("square"));
  CHECK_THAT(refused(matrix<float>(d + 1, d)), ContainsSubstring("square"));
  CHECK_THAT(refused(matrix<float>()), ContainsSubstring("square"));
  CHECK_THAT(message_of([] { optimized(annulus::detail::identity(d), plain(m, ks)); }),
             ContainsSubstring("must be fitted first"));
}

TEST_CASE("a fast scan behind a rotation finds what the quantiser finds", "[optimized_product_quantizer]") {
  const matrix<float> rows = correlated_rows(300, 31), queries = correlated_rows(9, 32);
  for (const auto metric : {pq_metric::sqeuclidean, pq_metric::inner_product, pq_metric::cosine}) {
    const optimized quantizer = fitted(rows, metric);
    const annulus::fast_scan_index index(quantizer, rows);
    CAPTURE(static_cast<int>(metric));
    CHECK(index.search(queries, 8, {.float_tables = true}) == quantizer.search(quantizer.encode(rows), queries, 8));
  }
}

}  // namespace optimized_product_quantizer_tests
