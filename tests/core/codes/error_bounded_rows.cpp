#include <annulus/core/codes/error_bounded_rows.hpp>

#include "catch.hpp"
#include "core/rows.hpp"

using namespace annulus;
using namespace annulus::detail;

namespace {

template <class Coordinate>
using coordinates = std::vector<Coordinate>;

/// A row as the quantiser takes it: less nothing, divided by its norm for cosine.
std::vector<double> as_taken(product_form form, std::span<const float> row) {
  std::vector<double> x(row.begin(), row.end());
  double norm = 0;
  for (const double c : x) norm += c * c;
  if (form == product_form::cosine && norm > 0)
    for (double& c : x) c /= std::sqrt(norm);
  return x;
}

struct quantised {
  quantized_row known;
  std::vector<double> multiples;  ///< of its scale
};

template <class Coordinate>
std::vector<quantised> quantise(product_form form, const matrix<float>& rows) {
  error_bounded_rows<float, Coordinate> quantize(form, matrix_view<float>(rows));
  std::vector<quantised> result(rows.rows());
  std::vector<coordinate_word> words(quantize.words());
  coordinates<Coordinate> multiples(words.size() * coordinates_a_word<Coordinate>);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    result[i].known = quantize(rows.row(i).data(), words.data());
    std::memcpy(multiples.data(), words.data(), words.size() * sizeof words[0]);
    result[i].multiples.assign(multiples.begin(), multiples.end());
  }
  return result;
}

/// Rows that strain a quantiser, of d coordinates.
matrix<float> hard_rows(std::size_t d) {
  std::mt19937_64 generator(1);
  matrix<float> m(12, d);
  std::ranges::copy(rows::random_values<float>(12 * d, generator), m.data());
  const auto fill = [&](std::size_t i, auto value) {
    for (std::size_t j = 0; j < d; ++j) m(i, j) = static_cast<float>(value(j));
  };
  fill(0, [](std::size_t) { return 0; });
  fill(1, [](std::size_t) { return 1; });
  fill(2, [](std::size_t) { return 0.99999; });
  fill(3, [](std::size_t j) { return j == 0; });
  fill(4, [](std::size_t j) { return j % 2 == 0 ? 1 : -1; });
  fill(5, [](std::size_t) { return -1e14; });
  fill(6, [](std::size_t j) { return j == 0 ? 1e12 : 1e-3; });
  fill(7, [](std::size_t j) { return j % 2 == 0 ? 0.5 : 0.4999; });
  for (std::size_t j = 0; j < d; ++j) m(8, j) *= 1e-15f;
  for (std::size_t j = 0; j < d; ++j) m(9, j) *= 1e-10f;
  return m;
}

const auto forms = {product_form::squared_l2, product_form::inner_product, product_form::cosine};
const std::vector<std::size_t> dimensions{1, 2, 3, 4, 5, 31, 128, 1001, 20000};

}  // namespace

TEMPLATE_TEST_CASE("a quantised row is as far from the row as it says", "[row_quantizer]", std::int16_t, std::int8_t) {
  for (const auto form : {product_form::inner_product, product_form::cosine})
    for (const std::size_t d : dimensions) {
      const auto rows = hard_rows(d);
      const auto all = quantise<TestType>(form, rows);
      for (std::size_t i = 0; i < rows.rows(); ++i) {
        const auto x = as_taken(form, rows.row(i));
        const auto& known = all[i].known;
        double error = 0, norm = 0;
        for (std::size_t j = 0; j < d; ++j) {
          const double difference = x[j] - static_cast<double>(known.scale) * all[i].multiples[j];
          error += difference * difference;
          norm += x[j] * x[j];
        }
        CAPTURE(d, i, form == product_form::cosine);
        const double rounding = 1e-5 * std::sqrt(norm) + 1e-30;
        CHECK(std::sqrt(error) == Approx(static_cast<double>(known.error)).epsilon(1e-4).margin(rounding));
        CHECK(std::sqrt(norm) == Approx(static_cast<double>(known.norm)).epsilon(1e-5).margin(1e-30));
      }
    }
}

TEMPLATE_TEST_CASE("centred rows differ by what the rows do, to within their errors", "[row_quantizer]", std::int16_t,
                   std::int8_t) {
  for (const std::size_t d : {1u, 5u, 128u, 1001u})
    for (const float offset : {0.0f, 100.0f, 1e4f}) {
      std::mt19937_64 generator(2);
      matrix<float> m(20, d);
      std::ranges::copy(rows::random_values<float>(20 * d, generator), m.data());
      for (std::size_t i = 0; i < 20; ++i)
        for (float& x : m.row(i)) x += offset;
      const auto all = quantise<TestType>(product_form::squared_l2, m);
      std::size_t wrong = 0;
      for (std::size_t a = 0; a < 20; ++a)
        for (std::size_t b = 0; b < a; ++b) {
          double error = 0;
          for (std::size_t j = 0; j < d; ++j) {
            const double quantised_difference = static_cast<double>(all[a].known.scale) * all[a].multiples[j] -
                                                static_cast<double>(all[b].known.scale) * all[b].multiples[j];
            const double difference =
                static_cast<double>(m(a, j)) - static_cast<double>(m(b, j)) - quantised_difference;
            error += difference * difference;
          }
          const double bound = static_cast<double>(all[a].known.error) + static_cast<double>(all[b].known.error);
          const double norms = static_cast<double>(all[a].known.norm) + static_cast<double>(all[b].known.norm);
          wrong += !(std::sqrt(error) <= bound * 1.0001 + 1e-6 * norms);
        }
      CAPTURE(d, offset);
      CHECK(wrong == 0);
      // The centre is good to 8 bits.
      CHECK(static_cast<double>(all[0].known.norm) <= (1.2 + double{offset} / 256) * std::sqrt(static_cast<double>(d)));
    }
}

TEMPLATE_TEST_CASE("the product of any two quantised rows fits 32 bits", "[row_quantizer]", std::int16_t, std::int8_t) {
  for (const auto form : forms)
    for (const std::size_t d : dimensions) {
      double greatest = 0;
      for (const auto& row : quantise<TestType>(form, hard_rows(d))) {
        double norm = 0;
        for (const double x : row.multiples) norm += x * x;
        greatest = std::max(greatest, norm);
      }
      CAPTURE(d);
      CHECK(greatest <= std::numeric_limits<std::int32_t>::max());
    }
}

TEMPLATE_TEST_CASE("small integers lose nothing to 16 bits", "[row_quantizer]", std::uint8_t, std::int8_t) {
  std::mt19937_64 generator(3);
  matrix<TestType> m(50, 60);
  std::ranges::copy(rows::random_values<TestType>(50 * 60, generator), m.data());
  error_bounded_rows<TestType, std::int16_t> quantize(product_form::squared_l2, matrix_view<TestType>(m));
  std::vector<coordinate_word> words(quantize.words());
  for (std::size_t i = 0; i < 50; ++i) CHECK(quantize(m.row(i).data(), words.data()).error == 0);
}
