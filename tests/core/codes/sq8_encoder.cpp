#include <Eigen/Core>
#include <annulus/core/codes/sq8_encoder.hpp>

#include "catch.hpp"
#include "core/rows.hpp"

using namespace annulus;
using namespace annulus::detail;

namespace {

constexpr auto l2 = product_form::squared_l2;
constexpr auto ip = product_form::inner_product;
constexpr auto by_angle = product_form::cosine;
const auto forms = {l2, ip, by_angle};

using rows::random_matrix;

template <class T>
sq8_rows encode(const matrix<T>& data, product_form form, scalar_scales scales = scalar_scales::per_vector) {
  const matrix_view<T> view(data);
  return encode_rows(sq8_encoder<T>(form, view, scales), view, 1);
}

std::vector<id_type> all_ids(std::size_t n) {
  std::vector<id_type> ids(n);
  std::iota(ids.begin(), ids.end(), id_type{0});
  return ids;
}

/// The ranks of row a of the codes and all others.
std::vector<float> ranks_from(const sq8_rows& codes, std::size_t a) {
  code_query query;
  codes.prepare(a, query);
  std::vector<float> out(codes.size());
  codes.ranks(query, all_ids(codes.size()), out.data());
  return out;
}

/// The same of a row that the encoder prepares.
template <class T>
std::vector<float> ranks_of_query(sq8_encoder<T>& encoder, const T* row, const sq8_rows& codes) {
  code_query query;
  encoder.prepare(row, codes.row_bytes(), query);
  std::vector<float> out(codes.size());
  codes.ranks(query, all_ids(codes.size()), out.data());
  return out;
}

double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double reference(product_form form, std::span<const double> a, std::span<const double> b) {
  if (form == ip) return -dot(a, b);
  if (form == l2) return dot(a, a) + dot(b, b) - 2 * dot(a, b);
  const double norms = std::sqrt(dot(a, a) * dot(b, b));
  if (norms == 0) return dot(a, a) == dot(b, b) ? 0 : 1;
  return 1 - dot(a, b) / norms;
}

/// Rows as the codes take them: divided by their norms for cosine, less their mean for squared_l2 where that is asked.
template <class T>
matrix<double> as_taken(const matrix<T>& data, product_form form, bool less_mean = false) {
  const std::size_t n = data.rows(), d = data.cols();
  matrix<double> x(n, d);
  std::vector<double> mean(d);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j) {
      x(i, j) = static_cast<double>(data(i, j));
      mean[j] += x(i, j) / static_cast<double>(n);
    }
  for (std::size_t i = 0; i < n; ++i) {
    const double norm = std::sqrt(dot(x.row(i), x.row(i)));
    for (std::size_t j = 0; j < d; ++j) {
      if (form == by_angle && norm > 0) x(i, j) /= norm;
      if (form == l2 && less_mean) x(i, j) -= mean[j];
    }
  }
  return x;
}

/// Rows that strain a quantiser.
template <class T>
matrix<T> hard_rows(std::size_t d) {
  auto m = random_matrix<T>(24, d, d);
  for (std::size_t j = 0; j < d; ++j) {
    m(1, j) = 1;
    m(2, j) = T(j == 0);
    m(3, j) = T(j % 2 == 0 ? 1 : -1);
    m(4, j) = T(j == 0 ? 100 : 1e-3);
    m(5, j) = T(j % 2 == 0 ? 0.5 : 0.4999);
    m(6, j) = T(0.99999);
    m(7, j) *= T(1e-3);
  }
  std::ranges::copy(m.row(8), m.row(9).begin());
  return m;
}

}  // namespace

TEMPLATE_TEST_CASE("bytes under squared_l2 and inner_product are ranked exactly", "[scalar_quantizer]", std::uint8_t,
                   std::int8_t) {
  for (const auto form : {l2, ip})
    for (const auto scales : {scalar_scales::per_vector, scalar_scales::per_dimension})
      for (const std::size_t d : {1u, 2u, 3u, 4u, 5u, 16u, 31u, 64u, 65u, 200u}) {
        auto data = random_matrix<TestType>(20, d, d);
        using limits = std::numeric_limits<TestType>;
        std::ranges::fill(data.row(1), limits::min());
        std::ranges::fill(data.row(2), limits::max());
        std::ranges::fill(data.row(3), TestType(0));
        const auto x = as_taken(data, l2);
        sq8_encoder<TestType> encoder(form, matrix_view<TestType>(data), scales);
        const auto codes = encode_rows(encoder, matrix_view<TestType>(data), 1);
        CHECK(encoder.is_exact());
        std::size_t wrong = 0;
        for (std::size_t a = 0; a < 20; ++a) {
          const auto ranks = ranks_from(codes, a), again = ranks_of_query(encoder, data.row(a).data(), codes);
          wrong += ranks != again;
          for (std::size_t b = 0; b < 20; ++b)
            wrong += static_cast<double>(ranks[b]) != reference(form, x.row(a), x.row(b));
        }
        CAPTURE(d, form == ip);
        CHECK(wrong == 0);
      }
}

TEMPLATE_TEST_CASE("long rows of bytes are ranked to the rounding of a float", "[scalar_quantizer]", std::uint8_t,
                   std::int8_t) {
  for (const auto form : {l2, ip})
    for (const std::size_t d : {1001u, 65536u}) {
      auto data = random_matrix<TestType>(6, d, d);
      using limits = std::numeric_limits<TestType>;
      std::ranges::fill(data.row(1), limits::min());
      std::ranges::fill(data.row(2), limits::max());
      std::ranges::fill(data.row(3), TestType(0));
      const auto x = as_taken(data, l2);
      const auto codes = encode(data, form);
      for (std::size_t a = 0; a < 6; ++a) {
        const auto ranks = ranks_from(codes, a);
        for (std::size_t b = 0; b < 6; ++b)
          CHECK(static_cast<double>(ranks[b]) ==
                Approx(reference(form, x.row(a), x.row(b))).margin(3e-7 * 65536 * static_cast<double>(d)));
      }
    }
}

TEST_CASE("unsigned bytes that are their own codes are not copied", "[scalar_quantizer]") {
  const auto data = random_matrix<std::uint8_t>(10, 7, 1);
  for (const auto form : {l2, ip}) {
    const auto codes = encode(data, form);
    CHECK(codes.is_view());
    CHECK(codes.row(3) == data.row(3).data());
  }
  CHECK(!encode(data, by_angle).is_view());
}

TEMPLATE_TEST_CASE("unsigned bytes of any stride are read to their ends and no further", "[scalar_quantizer]",
                   std::uint8_t, std::int8_t) {
  for (const auto form : forms)
    for (const std::size_t d : {1u, 3u, 15u, 16u, 17u, 64u, 65u})
      for (const std::size_t gap : {0u, 1u, 13u}) {
        constexpr std::size_t n = 13;
        std::mt19937_64 generator(d);
        const auto values =
            rows::random_values<TestType>((n - 1) * (d + gap) + d, generator);  // ends with its last row
        const matrix_view<TestType> view(values.data(), n, d, d + gap);
        matrix<TestType> packed(n, d);
        for (std::size_t i = 0; i < n; ++i) std::ranges::copy(view.row(i), packed.row(i).begin());
        const auto codes = encode_rows(sq8_encoder<TestType>(form, view), view, 1);
        const auto expected = encode(packed, form);
        for (std::size_t a = 0; a < n; ++a) CHECK(ranks_from(codes, a) == ranks_from(expected, a));
      }
}

TEMPLATE_TEST_CASE("rows of numbers are ranked to within half a step of every coordinate", "[scalar_quantizer]", float,
                   double) {
  for (const auto form : forms)
    for (const std::size_t d : {1u, 2u, 3u, 5u, 16u, 33u, 100u, 300u}) {
      const auto data = hard_rows<TestType>(d);
      const auto x = as_taken(data, form);
      const auto codes = encode(data, form);
      const double root = std::sqrt(static_cast<double>(d));
      const auto error = [&](std::size_t i) { return root * 0.51 * static_cast<double>(codes.terms(i).scale); };
      const auto norm = [&](std::size_t i) {  // less the centre that the codes chose
        return form == l2 ? std::sqrt(static_cast<double>(codes.terms(i).offset)) : std::sqrt(dot(x.row(i), x.row(i)));
      };
      std::size_t wrong = 0;
      for (std::size_t a = 0; a < data.rows(); ++a) {
        const auto ranks = ranks_from(codes, a);
        for (std::size_t b = 0; b < data.rows(); ++b) {
          const double product = norm(a) * error(b) + (norm(b) + error(b)) * error(a);
          const double rounding = 2e-6 * (norm(a) + norm(b) + 1e-6) * (norm(a) + norm(b) + 1e-6);
          const double bound = (form == l2 ? 2 : 1) * product + rounding + (form == by_angle ? 1e-6 : 0);
          wrong += !(std::abs(static_cast<double>(ranks[b]) - reference(form, x.row(a), x.row(b))) <= bound);
        }
      }
      CAPTURE(d, form == l2, form == ip);
      CHECK(wrong == 0);
    }
}

TEMPLATE_TEST_CASE("steps of each dimension rank to within half a step on either side", "[scalar_quantizer]", float,
                   double) {
  for (const auto form : forms)
    for (const std::size_t d : {1u, 2u, 3u, 5u, 16u, 33u, 100u, 300u}) {
      const auto data = hard_rows<TestType>(d);
      const std::size_t n = data.rows();
      const auto x = as_taken(data, form, true);
      std::vector<double> steps(d);
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < d; ++j) steps[j] = std::max(steps[j], std::abs(x(i, j)) / 127);
      sq8_encoder<TestType> encoder(form, matrix_view<TestType>(data), scalar_scales::per_dimension);
      const auto codes = encode_rows(encoder, matrix_view<TestType>(data), 1);
      std::size_t wrong = 0;
      for (std::size_t a = 0; a < n; ++a) {
        const auto ranks = ranks_of_query(encoder, data.row(a).data(), codes);
        double greatest = 0;
        for (std::size_t j = 0; j < d; ++j) greatest = std::max(greatest, std::abs(x(a, j)) * steps[j]);
        for (std::size_t b = 0; b < n; ++b) {
          double of_rows = 0, of_query = 0;
          for (std::size_t j = 0; j < d; ++j) {
            // Under squared_l2 an error is multiplied by the difference, else by the other side.
            const double in_a = std::abs(x(a, j)), in_b = std::abs(x(b, j)), both = in_a + in_b;
            of_rows += (form == l2 ? both : in_a) * steps[j] / 2;
            if (steps[j] > 0) of_query += greatest / 127 / 2 * ((form == l2 ? both : in_b) / steps[j] + 0.5);
          }
          const double norms = std::sqrt(dot(x.row(a), x.row(a))) + std::sqrt(dot(x.row(b), x.row(b)));
          const double bound = (form == l2 ? 2 : 1) * 1.02 * (of_rows + of_query) + 1e-5 * norms * norms + 1e-6;
          wrong += !(std::abs(static_cast<double>(ranks[b]) - reference(form, x.row(a), x.row(b))) <= bound);
        }
      }
      CAPTURE(d, form == l2, form == ip);
      CHECK(wrong == 0);
    }
}

TEMPLATE_TEST_CASE("ranks of encoded rows are symmetric to the bit", "[scalar_quantizer]", float, double, std::uint8_t,
                   std::int8_t, Eigen::half) {
  for (const auto form : forms)
    for (const std::size_t d : {1u, 7u, 64u, 100u}) {
      const auto data = random_matrix<TestType>(40, d, d);  // unsigned bytes stay where they are
      const auto codes = encode(data, form);
      std::vector<std::vector<float>> ranks;
      for (std::size_t a = 0; a < 40; ++a) ranks.push_back(ranks_from(codes, a));
      std::size_t wrong = 0;
      for (std::size_t a = 0; a < 40; ++a)
        for (std::size_t b = 0; b < a; ++b)
          wrong += std::bit_cast<std::uint32_t>(ranks[a][b]) != std::bit_cast<std::uint32_t>(ranks[b][a]);
      CAPTURE(d);
      CHECK(wrong == 0);
    }
}

TEMPLATE_TEST_CASE("zero vectors under cosine are at 0 from each other and at 1 from all else", "[scalar_quantizer]",
                   float, double, std::uint8_t, std::int8_t) {
  for (const auto scales : {scalar_scales::per_vector, scalar_scales::per_dimension})
    for (const std::size_t d : {1u, 3u, 4u, 63u, 64u, 100u}) {
      auto data = random_matrix<TestType>(15, d, d);
      for (std::size_t i = 0; i < 15; ++i) data(i, 0) = 1;  // so that no other is zero
      for (const std::size_t zero : {0u, 6u, 14u}) std::ranges::fill(data.row(zero), TestType(0));
      sq8_encoder<TestType> encoder(by_angle, matrix_view<TestType>(data), scales);
      const auto codes = encode_rows(encoder, matrix_view<TestType>(data), 1);
      CHECK(codes.dim() == d + 1);
      for (std::size_t a = 0; a < 15; ++a) {
        const auto ranks = ranks_of_query(encoder, data.row(a).data(), codes);
        for (std::size_t b = 0; b < 15; ++b) {
          const bool is_a = a == 0 || a == 6 || a == 14, is_b = b == 0 || b == 6 || b == 14;
          CAPTURE(d, a, b);
          if (is_a && is_b) CHECK(std::abs(ranks[b]) < 1e-6f);
          if (is_a != is_b) CHECK(std::abs(ranks[b] - 1) < 1.0f / 127);  // a step, where codes count from a centre
        }
      }
    }
}

TEST_CASE("a zero query under cosine is at 1 from rows that have no zero among them", "[scalar_quantizer]") {
  const auto data = random_matrix<float>(15, 10, 1);
  const std::vector<float> zero(10);
  for (const auto scales : {scalar_scales::per_vector, scalar_scales::per_dimension}) {
    sq8_encoder<float> encoder(by_angle, matrix_view<float>(data), scales);
    const auto codes = encode_rows(encoder, matrix_view<float>(data), 1);
    CHECK(codes.dim() == 10);
    for (const float rank : ranks_of_query(encoder, zero.data(), codes)) CHECK(rank == 1);
  }
}

TEMPLATE_TEST_CASE("equal rows are at about 0, whatever their coordinates", "[scalar_quantizer]", float, double) {
  for (const double value : {0.0, 1.0, -3.0, 1e-12, 1e6, 0.1})
    for (const auto scales : {scalar_scales::per_vector, scalar_scales::per_dimension})
      for (const auto form : {l2, by_angle})
        for (const std::size_t d : {1u, 9u, 64u}) {
          const matrix<TestType> data(10, d, TestType(value));
          sq8_encoder<TestType> encoder(form, matrix_view<TestType>(data), scales);
          const auto codes = encode_rows(encoder, matrix_view<TestType>(data), 1);
          CAPTURE(value, d, form == l2, scales == scalar_scales::per_vector);
          for (const float rank : ranks_of_query(encoder, data.row(0).data(), codes))
            CHECK(std::abs(static_cast<double>(rank)) <=
                  1e-5 * (form == l2 ? value * value * static_cast<double>(d) : 1.0));
        }
}

TEST_CASE("rows of all zeros have codes under every form", "[scalar_quantizer]") {
  for (const auto scales : {scalar_scales::per_vector, scalar_scales::per_dimension})
    for (const auto form : forms) {
      const matrix<float> data(4, 5);
      sq8_encoder<float> encoder(form, matrix_view<float>(data), scales);
      const auto codes = encode_rows(encoder, matrix_view<float>(data), 1);
      for (const float rank : ranks_of_query(encoder, data.row(0).data(), codes)) CHECK(std::abs(rank) < 1e-6f);
    }
}

TEST_CASE("no rows have no codes", "[scalar_quantizer]") {
  for (const auto form : forms) {
    CHECK(encode(matrix<float>(0, 5), form).size() == 0);
    CHECK(encode(matrix<std::uint8_t>(0, 5), form).size() == 0);
  }
}

TEST_CASE("the number of threads does not change the codes", "[scalar_quantizer]") {
  const auto data = random_matrix<float>(5000, 9, 2);
  const matrix_view<float> view(data);
  for (const auto form : forms)
    for (const auto scales : {scalar_scales::per_vector, scalar_scales::per_dimension}) {
      const sq8_encoder<float> encoder(form, view, scales);
      const auto expected = encode_rows(encoder, view, 1);
      for (const std::size_t threads : {2u, 8u}) {
        const auto codes = encode_rows(encoder, view, threads);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < 5000; ++i)
          wrong += std::memcmp(codes.row(i), expected.row(i), 9) != 0 ||
                   codes.terms(i).scale != expected.terms(i).scale || codes.terms(i).offset != expected.terms(i).offset;
        CHECK(wrong == 0);
      }
    }
}
