#include <annulus/quantization/rabitq_quantizer.hpp>

#include "catch.hpp"
#include "quantization/random_rows.hpp"

using namespace annulus;

namespace {

/// The share of estimates within `deviations` of the truth, and the mean of (estimate - truth) / deviation.
struct spread {
  double within = 0, mean = 0;
};

template <class Truth>
spread spread_of(const std::vector<rabitq_estimate>& estimates, double deviations, Truth truth) {
  spread s;
  const auto n = static_cast<double>(estimates.size());
  for (std::size_t i = 0; i < estimates.size(); ++i) {
    const double off = (estimates[i].value - truth(i)) / estimates[i].deviation;
    s.within += (std::abs(off) < deviations) / n;
    s.mean += off / n;
  }
  return s;
}

}  // namespace

TEST_CASE("estimates are within their deviations, and have no bias", "[rabitq_quantizer]") {
  for (const std::size_t d : {20u, 64u, 100u}) {
    const auto rows = random_rows(2000, d, d, 3), query = random_rows(1, d, 7, 3);
    for (unsigned bits = 1; bits <= 8; ++bits) {
      const auto quantizer = rabitq_quantizer({.bits = bits}).fit(rows);
      const auto codes = quantizer.encode(rows);
      CHECK(codes.cols() == (d * bits + 7) / 8 + 8);
      const auto by_distance = spread_of(quantizer.squared_distances(query.row(0), codes), 2,
                                         [&](std::size_t i) { return squared_distance(query.row(0), rows.row(i)); });
      const auto by_product = spread_of(quantizer.inner_products(query.row(0), codes), 2,
                                        [&](std::size_t i) { return ::inner_product(query.row(0), rows.row(i)); });
      CAPTURE(d, bits);
      for (const spread& s : {by_distance, by_product}) {
        CHECK(s.within > 0.93);
        CHECK(s.within < 0.999);  // the deviations are no larger than they need be
        CHECK(std::abs(s.mean) < 0.1);
      }
    }
  }
}

TEST_CASE("each bit more halves the deviation, and the error of decoded vectors", "[rabitq_quantizer]") {
  const auto rows = random_rows(200, 60, 1, 5), query = random_rows(1, 60, 2, 5);
  double last_deviation = 0, last_error = 0;
  for (unsigned bits = 1; bits <= 8; ++bits) {
    const auto quantizer = rabitq_quantizer({.bits = bits}).fit(rows);
    const auto codes = quantizer.encode(rows);
    double deviation = 0, error = 0;
    for (const auto& estimate : quantizer.squared_distances(query.row(0), codes))
      deviation += static_cast<double>(estimate.deviation);
    const auto decoded = quantizer.decode(codes);
    for (std::size_t i = 0; i < rows.rows(); ++i) error += squared_distance(decoded.row(i), rows.row(i));
    CAPTURE(bits, deviation, error);
    if (bits == 1) CHECK(error < 0.4 * 60 * 200);  // of normal numbers by their signs: 1 - 2 / pi of the variance
    else CHECK((deviation < 0.62 * last_deviation && error < 0.4 * last_error));
    last_deviation = deviation;
    last_error = error;
  }
}

TEST_CASE("a search returns the codes of least estimates that pass the filter", "[rabitq_quantizer]") {
  const auto rows = random_rows(300, 20, 1);
  auto queries = random_rows(7, 20, 2);
  queries(3, 4) = std::numeric_limits<float>::infinity();
  const id_filter odd = [](id_type id) { return id % 2 == 1; };
  for (const unsigned bits : {1u, 3u, 8u}) {
    const auto quantizer = rabitq_quantizer({.bits = bits}).fit(rows);
    const auto codes = quantizer.encode(rows);
    for (const id_filter& filter : {id_filter(), odd}) {
      const auto found = quantizer.search(codes, queries, 200, {.threads = 1, .filter = filter});
      CHECK(quantizer.search(codes, queries, 200, {.threads = 3, .filter = filter}) == found);
      for (std::size_t q = 0; q < queries.rows(); ++q) {
        std::vector<std::pair<float, id_type>> expected;
        const auto estimates = quantizer.squared_distances(queries.row(q), codes);
        for (id_type id = 0; q != 3 && id < 300; ++id)
          if (filter(id)) expected.push_back({estimates[id].value, id});
        std::sort(expected.begin(), expected.end());
        expected.resize(200, {std::numeric_limits<float>::infinity(), no_id});
        for (std::size_t j = 0; j < 200; ++j) {
          REQUIRE(found.ids(q, j) == expected[j].second);
          REQUIRE(found.distances(q, j) == expected[j].first);
        }
      }
    }
    CHECK(quantizer.search(matrix<std::uint8_t>(0, codes.cols()), queries, 2).ids(0, 1) == no_id);
  }
  CHECK_THROWS_WITH(rabitq_quantizer().fit(rows).search(matrix<std::uint8_t>(1, 11), queries, 0),
                    ContainsSubstring("k = 0"));
}

TEST_CASE("codes are the same for every number of threads, and differ by the seed", "[rabitq_quantizer]") {
  const auto rows = random_rows(700, 33, 1);
  const auto quantizer = rabitq_quantizer({.bits = 3}).fit(rows);
  CHECK(quantizer.encode(rows, {.threads = 1}) == quantizer.encode(rows, {.threads = 3}));
  CHECK(rabitq_quantizer({.bits = 3}).fit(rows) == quantizer);
  CHECK(!(rabitq_quantizer({.bits = 3, .seed = 9}).fit(rows).encode(rows) == quantizer.encode(rows)));
}

TEST_CASE("the centre itself, and vectors of one dimension, have codes", "[rabitq_quantizer]") {
  for (const std::size_t d : {1u, 5u}) {
    const matrix<float> equal(4, d);
    for (const unsigned bits : {1u, 4u}) {
      const auto quantizer = rabitq_quantizer({.bits = bits}).fit(equal);
      const auto codes = quantizer.encode(equal);
      CHECK(quantizer.decode(codes) == equal);
      CHECK(quantizer.squared_distances(equal.row(0), codes)[3].value == 0);
    }
  }
  const auto line = random_rows(50, 1, 3);
  const auto quantizer = rabitq_quantizer({.bits = 2}).fit(line);
  const auto decoded = quantizer.decode(quantizer.encode(line));
  for (std::size_t i = 0; i < 50; ++i) CHECK(decoded(i, 0) == Approx(line(i, 0)).margin(1e-5));
}

TEST_CASE("wrong arguments of a rabitq_quantizer are refused by name", "[rabitq_quantizer]") {
  auto rows = random_rows(10, 4, 1);
  CHECK_THROWS_WITH(rabitq_quantizer({.bits = 0}), ContainsSubstring("bits = 0"));
  CHECK_THROWS_WITH(rabitq_quantizer({.bits = 9}), ContainsSubstring("bits = 9"));
  rabitq_quantizer quantizer;
  CHECK_THROWS_WITH(quantizer.encode(rows), ContainsSubstring("fitted first"));
  CHECK_THROWS_WITH(quantizer.fit(matrix<float>(0, 4)), ContainsSubstring("vectors = 0"));
  quantizer.fit(rows);
  CHECK_THROWS_WITH(quantizer.encode(random_rows(1, 5, 1)), ContainsSubstring("dimension = 5"));
  CHECK_THROWS_WITH(quantizer.decode(matrix<std::uint8_t>(1, 3)), ContainsSubstring("code length = 3"));
  rows(3, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(quantizer.encode(rows), ContainsSubstring("row 3"));
  CHECK_THROWS_WITH(quantizer.fit(rows), ContainsSubstring("row 3"));
}
