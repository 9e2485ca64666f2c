#include <annulus/quantization/product_quantizer.hpp>

#include "catch.hpp"
#include "progress_watch.hpp"
#include "quantization/random_rows.hpp"

namespace product_quantizer_tests {

using annulus::distortion_report;
using annulus::kmeans_init;
using annulus::matrix;
using annulus::matrix_view;
using annulus::pq_metric;
using annulus::pq_padding;
using annulus::product_quantizer;

namespace {

using pq8 = product_quantizer<>;
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();

pq8 fitted(std::size_t m, std::size_t ks, const matrix<float>& vecs, pq_metric metric = pq_metric::sqeuclidean,
           pq_padding padding = pq_padding::refuse) {
  return std::move(pq8(m, ks, metric, padding).fit(vecs));
}

matrix<float> normalised(matrix<float> rows) {
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const auto scale = static_cast<float>(1 / std::sqrt(inner_product(rows.row(i), rows.row(i))));
    for (float& x : rows.row(i)) x *= scale;
  }
  return rows;
}

double mean_squared_error(const matrix<float>& a, const matrix<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.rows(); ++i) sum += squared_distance(a.row(i), b.row(i));
  return sum / static_cast<double>(a.rows());
}

template <class Call>
void refused(Call&& call, const std::string& message) {
  CHECK_THROWS_AS(call(), std::invalid_argument);
  CHECK_THROWS_WITH(call(), ContainsSubstring(message));
}

}  // namespace

TEST_CASE("a hundred vectors in four codes of ten lose less than a tenth", "[product_quantizer]") {
  std::mt19937_64 generator(1);
  std::uniform_real_distribution<float> any(0, 1);
  matrix<float> vecs(100, 12);
  for (std::size_t i = 0; i < 100; ++i)
    for (float& x : vecs.row(i)) x = any(generator);
  const pq8 quantizer = fitted(4, 10, vecs);
  const matrix<std::uint8_t> codes = quantizer.encode(vecs);
  CHECK(codes.rows() == 100);
  CHECK(codes.cols() == 4);
  double squares = 0;
  for (std::size_t i = 0; i < 100; ++i) squares += inner_product(vecs.row(i), vecs.row(i)) / 100;
  CHECK(mean_squared_error(vecs, quantizer.decode(codes)) < 0.1 * squares);
}

TEST_CASE("a vector's own code is the nearest to it, where all codes are different", "[product_quantizer]") {
  const matrix<float> vecs = random_rows(100, 12, 1);
  const pq8 quantizer = fitted(4, 100, vecs);
  const auto codes = quantizer.encode(vecs);
  for (std::size_t i = 0; i < 100; ++i) {
    const std::vector<float> distances = quantizer.dtable(vecs.row(i)).adist(codes);
    REQUIRE(std::ranges::min_element(distances) - distances.begin() == static_cast<std::ptrdiff_t>(i));
  }
}

TEST_CASE("inner products by table have no bias", "[product_quantizer]") {
  const matrix<float> vecs = random_rows(200, 12, 1, 1);
  pq8 quantizer(4, 10, pq_metric::inner_product);
  quantizer.fit(vecs, {.iter = 500});  // ends where nothing changes, so that codewords are means
  const auto codes = quantizer.encode(vecs);
  for (std::size_t q = 0; q < 5; ++q) {
    const std::vector<float> products = quantizer.dtable(vecs.row(q)).adist(codes);
    double bias = 0;
    for (std::size_t i = 0; i < 200; ++i)
      bias += (static_cast<double>(products[i]) - inner_product(vecs.row(q), vecs.row(i))) / 200;
    CHECK(std::abs(bias) < 1e-6);
  }
}

TEST_CASE("each code is that of the nearest codeword, and decoding looks it up", "[product_quantizer]") {
  const matrix<float> vecs = random_rows(300, 12, 1), others = random_rows(300, 12, 2, 0, 1.5);
  const pq8 quantizer = fitted(3, 20, vecs);
  const auto codes = quantizer.encode(others);
  const matrix<float> decoded = quantizer.decode(codes);
  REQUIRE(decoded.rows() == 300);
  REQUIRE(decoded.cols() == 12);
  for (std::size_t r = 0; r < 300; ++r)
    for (std::size_t i = 0; i < 3; ++i) {
      const auto part = others.row(r).subspan(4 * i, 4);
      const auto chosen = quantizer.codewords(i).row(codes(r, i));
      REQUIRE(std::ranges::equal(decoded.row(r).subspan(4 * i, 4), chosen));
      for (std::size_t c = 0; c < 20; ++c)
        REQUIRE(squared_distance(part, chosen) <= squared_distance(part, quantizer.codewords(i).row(c)) * (1 + 1e-5));
    }
}

TEST_CASE("a decoded code is encoded as itself", "[product_quantizer]") {
  const pq8 quantizer(5, random_rows(5 * 256, 3, 1));
  std::mt19937_64 generator(2);
  matrix<std::uint8_t> codes(700, 5);
  for (std::size_t i = 0; i < 700; ++i)
    for (auto& c : codes.row(i)) c = static_cast<std::uint8_t>(generator());
  CHECK(quantizer.encode(quantizer.decode(codes)) == codes);
}

TEST_CASE("every type of code gives the same codes", "[product_quantizer]") {
  const matrix<float> vecs = random_rows(200, 6, 1);
  const auto bytes = fitted(2, 30, vecs).encode(vecs);
  const auto as_bytes = [&](const auto& quantizer) {
    const auto codes = quantizer.encode(vecs);
    CHECK(quantizer.decode(codes) == fitted(2, 30, vecs).decode(bytes));
    matrix<std::uint8_t> result(codes.rows(), codes.cols());
    std::transform(codes.data(), codes.data() + codes.rows() * codes.cols(), result.data(),
                   [](auto c) { return static_cast<std::uint8_t>(c); });
    return result;
  };
  CHECK(as_bytes(product_quantizer<std::uint16_t>(2, 30).fit(vecs)) == bytes);
  CHECK(as_bytes(product_quantizer<std::uint32_t>(2, 30).fit(vecs)) == bytes);
}

TEST_CASE("more codewords than a byte tells apart are told apart by wider codes", "[product_quantizer]") {
  const matrix<float> vecs = random_rows(400, 4, 1);
  product_quantizer<std::uint16_t> quantizer(1, 400);
  quantizer.fit(vecs);
  const auto codes = quantizer.encode(vecs);
  CHECK(*std::max_element(codes.data(), codes.data() + 400) == 399);
  CHECK(quantizer.decode(codes) == vecs);
}

TEST_CASE("a quantiser tells what it is made of, before fit and after", "[product_quantizer]") {
  pq8 quantizer(4, 10, pq_metric::inner_product, pq_padding::zeros);
  CHECK(quantizer.m() == 4);
  CHECK(quantizer.ks() == 10);
  CHECK(quantizer.ds() == 0);
  CHECK(quantizer.dim() == 0);
  CHECK(quantizer.metric() == pq_metric::inner_product);
  CHECK(quantizer.padding() == pq_padding::zeros);
  CHECK(quantizer.codewords().rows() == 0);
  quantizer.fit(random_rows(50, 11, 1));
  CHECK(quantizer.ds() == 3);
  CHECK(quantizer.dim() == 11);
  CHECK(quantizer.metric() == pq_metric::inner_product);
  CHECK(quantizer.codewords().rows() == 40);
  CHECK(quantizer.codewords().cols() == 3);
  CHECK(quantizer.codewords(2).rows() == 10);
  CHECK(quantizer.codewords(2).data() == quantizer.codewords().row(20).data());
}

TEST_CASE("sub-spaces are trained one by one, each from its own codewords", "[product_quantizer]") {
  const matrix<float> vecs = random_rows(200, 6, 1), initial = random_rows(2 * 8, 3, 2);
  pq8 quantizer(2, 8);
  quantizer.fit(vecs, initial, {.iter = 7});
  for (std::size_t i = 0; i < 2; ++i) {
    const auto part = annulus::detail::packed_copy({vecs.data() + 3 * i, 200, 3, 6});
    const auto start = annulus::detail::packed_copy(matrix_view<float>(initial).middle_rows(8 * i, 8));
    const matrix<float> expected = annulus::kmeans(part, start, {.iter = 7}).centroids;
    CHECK(annulus::detail::packed_copy(quantizer.codewords(i)) == expected);
  }
}

TEST_CASE("every way to begin trains about as well", "[product_quantizer]") {
  const matrix<float> vecs = random_rows(500, 4, 1);
  const double expected = fitted(2, 16, vecs).distortion(vecs).mean_squared_error;
  for (const auto init : {kmeans_init::random, kmeans_init::plus_plus}) {
    pq8 quantizer(2, 16);
    CHECK(quantizer.fit(vecs, {.init = init}).distortion(vecs).mean_squared_error == Approx(expected).epsilon(0.1));
  }
  pq8 sampled(2, 16);
  sampled.fit(vecs, {.max_points_per_centroid = 10});
  CHECK_FALSE(sampled == fitted(2, 16, vecs));
  CHECK(sampled.distortion(vecs).mean_squared_error == Approx(expected).epsilon(0.3));
}

TEST_CASE("fit and encode give the same bits for every number of threads", "[product_quantizer]") {
  const matrix<float> vecs = random_rows(5000, 9, 1);
  for (const pq_metric metric : {pq_metric::sqeuclidean, pq_metric::cosine}) {
    pq8 one(3, 20, metric);
    one.fit(vecs, {.iter = 4, .threads = 1});
    const auto codes = one.encode(vecs, {.threads = 1});
    for (const std::size_t threads : {2u, 3u, 8u}) {
      pq8 many(3, 20, metric);
      many.fit(vecs, {.iter = 4, .threads = threads});
      CHECK(many == one);
      CHECK(many.encode(vecs, {.threads = threads}) == codes);
      CHECK(many.distortion(vecs, {.threads = threads}).table_bias == one.distortion(vecs, {.threads = 1}).table_bias);
    }
  }
}

TEST_CASE("a code depends neither on the other vectors nor on their stride", "[product_quantizer]") {
  const matrix<float> vecs = random_rows(300, 10, 1);
  for (const pq_metric metric : {pq_metric::sqeuclidean, pq_metric::cosine}) {
    const pq8 quantizer = fitted(3, 40, vecs, metric, pq_padding::zeros);
    const auto codes = quantizer.encode(vecs);
    matrix<float> wide(300, 13, nan_value);
    for (std::size_t i = 0; i < 300; ++i) {
      std::ranges::copy(vecs.row(i), wide.row(i).begin() + 2);
      REQUIRE(std::ranges::equal(quantizer.encode(vecs.row(i)).row(0), codes.row(i)));
    }
    CHECK(quantizer.encode(matrix_view<float>(wide.data() + 2, 300, 10, 13)) == codes);
  }
}

TEST_CASE("quantisers are equal where everything is", "[product_quantizer]") {
  const matrix<float> vecs = random_rows(60, 6, 1);
  const pq8 quantizer = fitted(2, 9, vecs);
  const pq8 copy = quantizer;
  CHECK(copy == quantizer);
  CHECK(copy.encode(vecs) == quantizer.encode(vecs));
  CHECK(pq8(2, quantizer.codewords()) == quantizer);
  CHECK_FALSE(pq8(2, quantizer.codewords(), pq_metric::inner_product) == quantizer);
  CHECK_FALSE(pq8(1, quantizer.codewords()) == quantizer);
  CHECK_FALSE(pq8(2, quantizer.codewords(), pq_metric::sqeuclidean, 5) == quantizer);
  CHECK_FALSE(fitted(2, 9, random_rows(60, 6, 2)) == quantizer);
  CHECK(pq8(2, 9) == pq8(2, 9));
  CHECK_FALSE(pq8(2, 9) == pq8(2, 8));
  CHECK_FALSE(pq8(2, 9) == quantizer);
}

TEST_CASE("with padding, dimensions that m does not divide are as if zeros followed", "[product_quantizer]") {
  struct shape {
    std::size_t dim, m, padded;
  };
  for (const auto [dim, m, padded] : {shape{10, 4, 12}, {5, 4, 8}, {3, 2, 4}, {9, 8, 16}, {8, 4, 8}, {7, 7, 7}})
    for (const pq_metric metric : {pq_metric::sqeuclidean, pq_metric::inner_product}) {
      const matrix<float> vecs = random_rows(60, dim, 1);
      matrix<float> longer(60, padded);
      for (std::size_t i = 0; i < 60; ++i) std::ranges::copy(vecs.row(i), longer.row(i).begin());
      const pq8 quantizer = fitted(m, 8, vecs, metric, pq_padding::zeros), expected = fitted(m, 8, longer, metric);
      CAPTURE(dim, m);
      REQUIRE(quantizer.dim() == dim);
      REQUIRE(quantizer.ds() == padded / m);
      REQUIRE(quantizer.codewords() == expected.codewords());
      const auto codes = quantizer.encode(vecs);
      REQUIRE(codes == expected.encode(longer));
      const matrix<float> decoded = quantizer.decode(codes), decoded_longer = expected.decode(codes);
      REQUIRE(decoded.cols() == dim);
      for (std::size_t i = 0; i < 60; ++i)
        REQUIRE(std::ranges::equal(decoded.row(i), decoded_longer.row(i).first(dim)));
      REQUIRE(quantizer.dtable(vecs.row(0)) == expected.dtable(longer.row(0)));
      REQUIRE(quantizer.search(codes, vecs, 3) == expected.search(codes, longer, 3));
      REQUIRE(quantizer.distortion(vecs).mean_squared_error == expected.distortion(longer).mean_squared_error);

      const pq8 again(m, quantizer.codewords(), metric, dim);
      REQUIRE(again == quantizer);
      REQUIRE(again.padding() == (dim < padded ? pq_padding::zeros : pq_padding::refuse));
      REQUIRE(again.encode(vecs) == codes);
    }
}

TEST_CASE("under cosine, vectors of any length have the codes of their directions", "[product_quantizer]") {
  matrix<float> vecs = random_rows(300, 8, 1);
  const matrix<float> directions = normalised(vecs);
  for (std::size_t i = 0; i < 300; ++i)
    for (float& x : vecs.row(i)) x *= static_cast<float>(1 + i);
  const pq8 quantizer = fitted(4, 16, vecs, pq_metric::cosine);
  const pq8 expected(4, quantizer.codewords());
  CHECK(quantizer.distortion(vecs).mean_squared_error ==
        Approx(fitted(4, 16, directions).distortion(directions).mean_squared_error).epsilon(0.05));
  const auto codes = quantizer.encode(vecs), others = expected.encode(directions);
  for (std::size_t r = 0; r < 300; ++r)
    for (std::size_t i = 0; i < 4; ++i) {
      const auto part = directions.row(r).subspan(2 * i, 2);
      REQUIRE(squared_distance(part, quantizer.codewords(i).row(codes(r, i))) ==
              Approx(squared_distance(part, quantizer.codewords(i).row(others(r, i)))).epsilon(1e-4).margin(1e-9));
    }
}

TEST_CASE("under cosine, distances are 1 minus the cosine to what the codes stand for", "[product_quantizer]") {
  const matrix<float> vecs = random_rows(100, 10, 1, 0, 50), queries = random_rows(5, 10, 2, 0, 0.01);
  const pq8 quantizer = fitted(4, 16, vecs, pq_metric::cosine, pq_padding::zeros);
  const auto codes = quantizer.encode(vecs);
  const matrix<float> decoded = quantizer.decode(codes), directions = normalised(queries);
  for (std::size_t q = 0; q < 5; ++q) {
    const auto distances = quantizer.dtable(queries.row(q)).adist(codes);
    for (std::size_t i = 0; i < 100; ++i)
      REQUIRE(static_cast<double>(distances[i]) ==
              Approx(1 - inner_product(directions.row(q), decoded.row(i))).margin(1e-5));
  }
}

TEST_CASE("under cosine, a zero vector is at 1 from everything", "[product_quantizer]") {
  matrix<float> vecs = random_rows(40, 6, 1);
  std::ranges::fill(vecs.row(7), 0.0f);
  const pq8 quantizer = fitted(3, 8, vecs, pq_metric::cosine);
  const auto codes = quantizer.encode(vecs);
  for (const float x : quantizer.dtable(vecs.row(7)).adist(codes)) REQUIRE(x == Approx(1));
  const auto found = quantizer.search(codes, matrix_view<float>(vecs).middle_rows(7, 1), 4);
  CHECK(std::ranges::all_of(found.ids.row(0), [](auto id) { return id < 40; }));
  const matrix<float> decoded = quantizer.decode(codes);
  for (const float x : decoded.row(7)) REQUIRE(annulus::detail::is_finite(x));
}

TEST_CASE("tables are distances to codewords, and inner products for dot", "[product_quantizer]") {
  const matrix<float> codewords = random_rows(3 * 20, 4, 1), query = random_rows(1, 12, 2);
  for (const pq_metric metric : {pq_metric::sqeuclidean, pq_metric::inner_product}) {
    const annulus::distance_table table = pq8(3, codewords, metric).dtable(query.row(0));
    REQUIRE(table.m() == 3);
    REQUIRE(table.ks() == 20);
    REQUIRE(table.metric() == metric);
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t c = 0; c < 20; ++c) {
        const auto part = query.row(0).subspan(4 * i, 4);
        const auto codeword = codewords.row(20 * i + c);
        REQUIRE(static_cast<double>(table.values()(i, c)) == Approx(metric == pq_metric::inner_product
                                                                        ? inner_product(part, codeword)
                                                                        : squared_distance(part, codeword))
                                                                 .margin(1e-5));
      }
  }
}

TEST_CASE("the distortion is that of the decoded vectors", "[product_quantizer]") {
  const matrix<float> vecs = random_rows(201, 12, 1, 1);
  for (const pq_metric metric : {pq_metric::sqeuclidean, pq_metric::inner_product, pq_metric::cosine}) {
    const pq8 quantizer = fitted(3, 20, vecs, metric);
    const matrix<float> rows = metric == pq_metric::cosine ? normalised(vecs) : vecs;
    const auto codes = quantizer.encode(vecs);
    const matrix<float> decoded = quantizer.decode(codes);
    const distortion_report report = quantizer.distortion(vecs);
    CHECK(report.mean_squared_error == Approx(mean_squared_error(rows, decoded)));
    REQUIRE(report.subspace_errors.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
      double error = 0;
      for (std::size_t r = 0; r < 201; ++r)
        error += squared_distance(rows.row(r).subspan(4 * i, 4), decoded.row(r).subspan(4 * i, 4)) / 201;
      CHECK(report.subspace_errors[i] == Approx(error));
    }
    double bias = 0;
    for (std::size_t r = 0; r < 201; ++r) {
      const auto x = rows.row(r), code = decoded.row(r), other = rows.row((r + 100) % 201);
      const double distances[] = {squared_distance(other, code) - squared_distance(other, x),
                                  inner_product(other, code) - inner_product(other, x),
                                  inner_product(other, x) - inner_product(other, code)};
      bias += distances[static_cast<std::size_t>(metric)] / 201;
    }
    CHECK(report.table_bias == Approx(bias).epsilon(1e-4).margin(1e-6));
  }
}

TEST_CASE("squared distances by table are too short by the error, inner products about right", "[product_quantizer]") {
  const matrix<float> vecs = random_rows(3000, 8, 1);
  const distortion_report l2 = fitted(4, 16, vecs).distortion(vecs),
                          dot = fitted(4, 16, vecs, pq_metric::inner_product).distortion(vecs);
  CHECK(l2.table_bias == Approx(-l2.mean_squared_error).epsilon(0.2));
  CHECK(std::abs(dot.table_bias) < 0.2 * dot.mean_squared_error);
}

TEST_CASE("codewords that no vector uses are counted", "[product_quantizer]") {
  matrix<float> codewords = random_rows(2 * 5, 2, 1);
  for (const std::size_t c : {1u, 3u, 4u}) codewords(c, 0) = 1000;
  codewords(7, 1) = -1000;
  const pq8 quantizer(2, codewords);
  CHECK(quantizer.distortion(random_rows(500, 4, 2)).unused_codewords == std::vector<std::size_t>{3, 1});
  CHECK(quantizer.distortion(random_rows(1, 4, 2)).unused_codewords == std::vector<std::size_t>{4, 4});
}

TEST_CASE("fit reports its progress and can be cancelled, which changes nothing", "[product_quantizer]") {
  const matrix<float> vecs = random_rows(60, 8, 1), others = random_rows(60, 4, 2);
  std::vector<double> fractions;
  pq8 quantizer(4, 8);
  progress_watch watch;
  quantizer.fit(vecs, {.threads = 1, .progress = [&](const annulus::progress_report& report) {
                         watch.see(report);
                         fractions.push_back(report.fraction);
                         return true;
                       }});
  CHECK(fractions.size() == 4);
  CHECK(watch.fault({"product quantizer"}) == "");
  CHECK(std::ranges::is_sorted(fractions));
  CHECK(fractions.back() == 1);
  const pq8 before = quantizer;
  for (std::size_t after = 1; after < 4; ++after) {
    std::size_t calls = 0;
    const auto cancel = [&](const annulus::progress_report&) { return ++calls < after; };
    CHECK_THROWS_AS(quantizer.fit(others, {.threads = 1, .progress = cancel}), annulus::cancelled);
    CHECK(quantizer == before);
    CHECK(quantizer.encode(vecs) == before.encode(vecs));
  }
}

TEST_CASE("a quantiser that cannot be is refused", "[product_quantizer]") {
  refused([] { pq8(0); }, "m = 0: must be at least 1");
  refused([] { pq8(4, 0); }, "ks = 0: must be from 1 to 256");
  refused([] { pq8(4, 257); }, "ks = 257: must be from 1 to 256");
  refused([] { product_quantizer<std::uint16_t>(4, 65537); }, "ks = 65537: must be from 1 to 65536");
  CHECK_NOTHROW(pq8(4, 256));
  CHECK_NOTHROW(product_quantizer<std::uint16_t>(4, 65536));
  CHECK_NOTHROW(product_quantizer<std::uint32_t>(4, 65537));
}

TEST_CASE("codewords that make no quantiser are refused", "[product_quantizer]") {
  const matrix<float> codewords = random_rows(12, 5, 1);
  refused([&] { pq8(0, codewords); }, "m = 0");
  refused([&] { pq8(5, codewords); }, "codeword rows = 12: must be a multiple of m = 5");
  refused([&] { pq8(13, codewords); }, "ks = 0");
  refused([&] { pq8(2, matrix<float>(0, 5)); }, "ks = 0");
  refused([&] { pq8(2, matrix<float>(12, 0)); }, "codeword columns = 0: must be at least 1");
  refused([&] { pq8(2, random_rows(514, 1, 1)); }, "ks = 257");
  for (const std::size_t dim : {1u, 5u, 6u, 8u, 11u, 100u})
    refused([&] { pq8(2, codewords, pq_metric::sqeuclidean, dim); }, "dim = ");
  for (const std::size_t dim : {9u, 10u}) CHECK(pq8(2, codewords, pq_metric::sqeuclidean, dim).dim() == dim);
  for (const float bad : {nan_value, infinity, 1e30f}) {
    matrix<float> broken = codewords;
    broken(11, 4) = bad;
    refused([&] { pq8(2, broken); }, "codewords = ");
  }
}

TEST_CASE("training that cannot be is refused, and changes nothing", "[product_quantizer]") {
  const matrix<float> vecs = random_rows(20, 8, 1), initial = random_rows(12, 4, 1);
  pq8 quantizer(2, 6);
  quantizer.fit(vecs);
  const pq8 before = quantizer;
  const auto refuses = [&](const matrix<float>& rows, const std::string& message, const matrix<float>& from = {},
                           const annulus::kmeans_params& params = {}) {
    refused([&] { from.rows() > 0 ? quantizer.fit(rows, from, params) : quantizer.fit(rows, params); }, message);
    CHECK(quantizer == before);
    CHECK(quantizer.encode(vecs) == before.encode(vecs));
  };
  refuses(random_rows(20, 7, 1), "dimension = 7: must be a multiple of m = 2");
  refuses(random_rows(20, 0, 1), "dimension = 0: must be at least m = 2");
  refuses(random_rows(5, 8, 1), "rows = 5: must be at least the number of codewords, 6");
  refuses(random_rows(0, 8, 1), "rows = 0");
  refuses(vecs, "iter = 0", {}, {.iter = 0});
  refuses(vecs, "iter = 0", initial, {.iter = 0});
  for (const auto& [value, message] :
       {std::pair{nan_value, "data = nan: row 13"}, {-infinity, "data = -inf: row 13"}, {1e20f, "squares overflow"}}) {
    matrix<float> bad = vecs;
    bad(13, 5) = value;
    refuses(bad, message);
    refuses(bad, message, initial);
  }
  refuses(vecs, "initial rows = 11: must be m * ks = 12", random_rows(11, 4, 1));
  refuses(vecs, "initial columns = 3: must be ds = 4", random_rows(12, 3, 1));
  matrix<float> bad = initial;
  bad(3, 3) = nan_value;
  refuses(vecs, "codewords = nan: row 3", bad);
  refused([] { pq8(4, 6, pq_metric::sqeuclidean, pq_padding::zeros).fit(random_rows(20, 3, 1)); }, "dimension = 3");
}

TEST_CASE("a quantiser that is not fitted does nothing", "[product_quantizer]") {
  const pq8 quantizer(2, 6);
  const matrix<float> vecs = random_rows(4, 8, 1);
  const matrix<std::uint8_t> codes(4, 2);
  const std::string message = "must be fitted first";
  refused([&] { quantizer.encode(vecs); }, message);
  refused([&] { quantizer.decode(codes); }, message);
  refused([&] { quantizer.dtable(vecs.row(0)); }, message);
  refused([&] { quantizer.search(codes, vecs, 1); }, message);
  refused([&] { quantizer.search_symmetric(codes, codes, 1); }, message);
  refused([&] { quantizer.distortion(vecs); }, message);
}

TEST_CASE("vectors and codes that do not fit the quantiser are refused", "[product_quantizer]") {
  const pq8 quantizer = fitted(2, 6, random_rows(20, 8, 1));
  const matrix<float> wrong = random_rows(4, 6, 1);
  const std::string message = "dimension = 6: must equal the quantiser's 8";
  refused([&] { quantizer.encode(wrong); }, message);
  refused([&] { quantizer.dtable(wrong.row(0)); }, message);
  refused([&] { quantizer.search(matrix<std::uint8_t>(3, 2), wrong, 1); }, message);
  refused([&] { quantizer.distortion(wrong); }, message);
  refused([&] { quantizer.distortion(matrix<float>(0, 8)); }, "vectors = 0: must be at least 1");
  for (const auto& [value, text] : {std::pair{nan_value, "vectors = nan: row 2"},
                                    {infinity, "vectors = inf: row 2"},
                                    {1e20f, "squares overflow"}}) {
    matrix<float> bad = random_rows(4, 8, 1);
    bad(2, 7) = value;
    refused([&] { quantizer.encode(bad); }, text);
    refused([&] { quantizer.distortion(bad); }, text);
  }

  refused([&] { quantizer.decode(matrix<std::uint8_t>(4, 3)); }, "code columns = 3: must equal m = 2");
  matrix<std::uint8_t> codes(4, 2, 5);
  CHECK_NOTHROW(quantizer.decode(codes));
  codes(3, 1) = 6;
  const std::string beyond = "code = 6: row 3 must be below ks = 6";
  const matrix<float> queries = random_rows(2, 8, 1);
  refused([&] { quantizer.decode(codes); }, beyond);
  refused([&] { quantizer.search(codes, queries, 1); }, beyond);
  refused([&] { quantizer.search_symmetric(codes, matrix<std::uint8_t>(1, 2), 1); }, beyond);
  refused([&] { quantizer.search_symmetric(matrix<std::uint8_t>(1, 2), codes, 1); }, beyond);
  refused([&] { quantizer.search_symmetric(matrix<std::uint8_t>(1, 2), matrix<std::uint8_t>(1, 3), 1); },
          "code columns = 3");
  refused([&] { quantizer.search(matrix<std::uint8_t>(4, 2), queries, 0); }, "k = 0: must be at least 1");
}

TEST_CASE("no vectors have no codes, and no codes no vectors", "[product_quantizer]") {
  const pq8 quantizer = fitted(2, 6, random_rows(20, 8, 1));
  CHECK(quantizer.encode(matrix<float>(0, 8)) == matrix<std::uint8_t>(0, 2));
  CHECK(quantizer.decode(matrix<std::uint8_t>(0, 2)) == matrix<float>(0, 8));
}

}  // namespace product_quantizer_tests
