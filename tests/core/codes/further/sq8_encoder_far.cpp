// Rows that differ by little of what they are, or in few dimensions by far more than in the others.

#include <Eigen/Core>
#include <annulus/core/codes/sq8_encoder.hpp>

#include "catch.hpp"

#include <random>

#include "precise.hpp"

using namespace annulus;
using namespace annulus::detail;

namespace {

constexpr auto l2 = product_form::squared_l2;
constexpr auto ip = product_form::inner_product;
constexpr auto by_angle = product_form::cosine;
const auto forms = {l2, ip, by_angle};
const auto dimensions = {1u, 2u, 3u, 100u};
constexpr double spread = 8;  // of dimensions that are nothing special

template <class T>
struct data_set {
  std::string name;
  matrix<T> rows, queries;
  double widest;  ///< what codes should have to tell apart, at most
};

/// fill(row, i, any) writes row i, of queries too, whose i is -1; any() is in [-spread, spread].
template <class T, class Fill>
data_set<T> make(std::string name, std::size_t d, Fill fill, double widest = spread) {
  std::mt19937_64 generator(d);
  std::uniform_real_distribution<double> any(-spread, spread);
  data_set<T> made{std::move(name), matrix<T>(90, d), matrix<T>(15, d), widest};
  std::vector<double> row(d);
  const auto fill_all = [&](matrix<T>& rows, bool are_queries) {
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      for (double& x : row) x = any(generator);
      fill(std::span(row), are_queries ? -1 : static_cast<int>(i), [&] { return any(generator); });
      for (std::size_t j = 0; j < d; ++j) rows(i, j) = static_cast<T>(row[j]);
    }
  };
  fill_all(made.rows, false);
  fill_all(made.queries, true);
  return made;
}

template <class T>
std::vector<data_set<T>> data_sets(std::size_t d) {
  constexpr bool is_half = std::same_as<T, Eigen::half>;
  const std::vector<double> offsets = is_half ? std::vector{500.0, -2000.0} : std::vector{1e5, -3.2e7, 1e9};
  const double large = is_half ? 2e4 : 1e6;
  std::vector<data_set<T>> sets;
  for (const double offset : offsets) {
    sets.push_back(make<T>("a dimension about " + std::to_string(offset), d,
                           [=](std::span<double> row, int, auto) { row[0] += offset; }));
    sets.push_back(make<T>("all dimensions about " + std::to_string(offset), d, [=](std::span<double> row, int, auto) {
      for (double& x : row) x += offset;
    }));
    sets.push_back(make<T>("every other dimension constant", d, [=](std::span<double> row, int, auto) {
      for (std::size_t j = 0; j < row.size(); j += 2) row[j] = offset;
    }));
  }
  if (!is_half)
    sets.push_back(make<T>(
        "seconds of a year", d,
        [](std::span<double> row, int, auto any) { row[0] = 1.7e9 + (any() / spread + 1) * 1.6e7; },
        d == 1 ? 1.7e7 : spread));
  sets.push_back(make<T>(
      "a mark in half of the rows", d, [=](std::span<double> row, int, auto any) { row[0] = any() > 0 ? large : 0; },
      d == 1 ? large : spread));
  sets.push_back(make<T>(
      "every other dimension of another scale", d,
      [=](std::span<double> row, int, auto) {
        for (std::size_t j = 0; j < row.size(); ++j) row[j] *= j % 2 == 0 ? large / spread : 1e-3;
      },
      d == 2 || d == 3 ? 1e-3 * spread : large));
  sets.push_back(make<T>("an outlier", d, [=](std::span<double> row, int i, auto) {
    if (i == 7) std::ranges::fill(row, large);
  }));
  return sets;
}

/// Up to a constant of the query, which doubles would round.
double reference(product_form form, std::span<const double> a, std::span<const double> b) {
  double product = 0, difference = 0;
  for (std::size_t j = 0; j < a.size(); ++j) {
    product += a[j] * b[j];
    difference += (a[j] - b[j]) * (a[j] - b[j]);
  }
  return form == l2 ? difference : form == ip ? -product : difference / 2;
}

double norm_of(std::span<const double> row) {
  return std::sqrt(std::inner_product(row.begin(), row.end(), row.begin(), 0.0));
}

template <class T>
std::vector<double> as_compared(product_form form, std::span<const T> row) {
  std::vector<double> x;
  for (const T c : row) x.push_back(static_cast<double>(c));
  if (form != by_angle) return x;
  const double norm = norm_of(x);
  for (double& c : x) c /= norm > 0 ? norm : 1;
  x.push_back(norm > 0 ? 0 : 1);  // zero vectors have a direction of their own
  return x;
}

std::vector<float> ranks_of(const sq8_rows& codes, const code_query& query) {
  std::vector<id_type> ids(codes.size());
  std::iota(ids.begin(), ids.end(), id_type{0});
  std::vector<float> out(codes.size());
  codes.ranks(query, ids, out.data());
  return out;
}

/// How many pairs of rows a query's ranks part by what is off by more than the rounding of codes, and of floats.
template <class T>
std::size_t wrong_differences(product_form form, const matrix<T>& rows, const sq8_rows& codes,
                              std::span<const double> q, const code_query& query) {
  const auto d = static_cast<double>(codes.dim());
  const double query_scale = static_cast<double>(query.terms.scale) / (form == l2 ? 2 : 1);
  const auto ranks = ranks_of(codes, query);
  std::size_t wrong = 0;
  std::vector<double> off, bounds;
  double reach = 0;  // what floats are rounded of in dimensions that are not codes
  for (std::size_t i = 0; i < rows.rows(); ++i)
    reach = std::max(reach, reference(l2, as_compared<T>(form, rows.row(i)), q));
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const auto x = as_compared<T>(form, rows.row(i));
    const double exact = reference(form, x, q), scale = static_cast<double>(codes.terms(i).scale);
    off.push_back(static_cast<double>(ranks[i]) - exact);
    // Codes are at most 127 and 1/2 off; products add up as Cauchy and Schwarz say.
    const double of_codes = (form == l2 ? 2 : 1) * 131 * d * scale * query_scale;
    const double squares = 127 * 127 * d * (scale * scale + query_scale * query_scale);
    const double of_floats = form == ip ? 3e-7 * (norm_of(x) + norm_of(q)) * (norm_of(x) + norm_of(q))
                                        : 2e-6 * (squares + exact) + 1e-6 * std::sqrt(reach * exact) + 1e-12 * reach +
                                              (codes.terms(i).offset == 0.5f ? 1e-6 : 0.0);
    bounds.push_back(of_codes + of_floats);
  }
  for (std::size_t i = 0; i < off.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) wrong += !(std::abs(off[i] - off[j]) <= bounds[i] + bounds[j]);
  return wrong;
}

}  // namespace

TEMPLATE_TEST_CASE("codes order rows as they are ordered, but for a step of what they differ by", "[scalar_quantizer]",
                   float, double, Eigen::half) {
  for (const std::size_t d : dimensions)
    for (const auto& data : data_sets<TestType>(d))
      for (const auto form : forms) {
        sq8_encoder<TestType> encoder(form, matrix_view<TestType>(data.rows), scalar_scales::automatic);
        const auto codes = encode_rows(encoder, matrix_view<TestType>(data.rows), 1);
        std::size_t of_queries = 0, of_rows = 0;
        code_query query;
        for (std::size_t i = 0; i < data.queries.rows(); ++i) {
          encoder.prepare(data.queries.row(i).data(), codes.row_bytes(), query);
          const auto q = as_compared<TestType>(form, data.queries.row(i));
          of_queries += wrong_differences(form, data.rows, codes, q, query);
        }
        for (std::size_t i = 0; i < data.rows.rows(); i += 9) {
          encoder.prepare(codes, i, query);
          const auto q = as_compared<TestType>(form, data.rows.row(i));
          of_rows += wrong_differences(form, data.rows, codes, q, query);
        }
        CAPTURE(data.name, d, form == l2, form == ip);
        CHECK(of_queries == 0);
        CHECK(of_rows == 0);
      }
}

TEMPLATE_TEST_CASE("a step is 1/127 of what rows differ by, however far from 0 they are", "[scalar_quantizer]", float,
                   double, Eigen::half) {
  for (const std::size_t d : dimensions)
    for (const auto& data : data_sets<TestType>(d)) {
      const matrix_view<TestType> rows(data.rows);
      const auto codes = encode_rows(sq8_encoder<TestType>(l2, rows, scalar_scales::automatic), rows, 1);
      std::size_t coarse = 0;
      for (std::size_t i = 0; i < codes.size(); ++i)
        coarse += !(static_cast<double>(codes.terms(i).scale) <= 2 * data.widest / 127);
      CAPTURE(data.name, d, data.widest);
      CHECK(coarse <= (data.name == "an outlier" ? 1 : 0));
    }
}

TEST_CASE("rows about 0 of like dimensions have no centre under products, and no dimension apart",
          "[scalar_quantizer]") {
  std::mt19937_64 generator(1);
  std::normal_distribution<float> any;
  matrix<float> rows(300, 40);
  for (std::size_t i = 0; i < 300; ++i)
    for (float& x : rows.row(i)) x = any(generator);
  for (const auto form : forms) {
    const auto automatic = encode_rows(sq8_encoder<float>(form, matrix_view<float>(rows), scalar_scales::automatic),
                                       matrix_view<float>(rows), 1);
    const auto plain = encode_rows(sq8_encoder<float>(form, matrix_view<float>(rows), scalar_scales::per_vector),
                                   matrix_view<float>(rows), 1);
    std::size_t different = 0;
    for (std::size_t i = 0; i < 300; ++i)
      different += std::memcmp(automatic.row(i), plain.row(i), 40) != 0 ||
                   automatic.terms(i).scale != plain.terms(i).scale ||
                   automatic.terms(i).offset != plain.terms(i).offset;
    CHECK(different == 0);
    CHECK(automatic.wide(0).empty());
    if (form == ip) CHECK(automatic.terms(3).offset == 0);
    if (form == by_angle) CHECK(automatic.terms(3).offset == 0.5f);
  }
}

TEST_CASE("at most four dimensions stand apart, and never all", "[scalar_quantizer]") {
  std::mt19937_64 generator(2);
  std::normal_distribution<double> any;
  for (const std::size_t d : {1u, 2u, 5u, 12u})
    for (std::size_t n_wide = 0; n_wide <= d; ++n_wide) {
      matrix<double> rows(200, d);
      for (std::size_t i = 0; i < 200; ++i)
        for (std::size_t j = 0; j < d; ++j) rows(i, j) = any(generator) * (j < n_wide ? 1e6 : 1);
      const auto codes = sq8_encoder<double>(l2, rows, scalar_scales::automatic).make_codes(1);
      const std::size_t found = codes.wide(0).size();
      CAPTURE(d, n_wide);
      CHECK(found == (n_wide <= 4 && n_wide < d ? n_wide : 0));
      CHECK(sq8_encoder<double>(l2, rows).make_codes(1).wide(0).empty());
    }
}

TEST_CASE("queries about 0 find their order among rows that are far from it", "[scalar_quantizer]") {
  std::mt19937_64 generator(3);
  std::normal_distribution<double> any;
  for (const std::size_t d : {2u, 3u, 100u})
    for (const double offset : {1e2, 1e4, 1e7})
      for (const auto form : forms) {
        matrix<double> rows(100, d);
        std::vector<double> near_0(d);
        for (std::size_t i = 0; i < 100; ++i)
          for (std::size_t j = 0; j < d; ++j) rows(i, j) = any(generator) + (j == 0 ? offset : 0);
        sq8_encoder<double> encoder(form, rows, scalar_scales::automatic);
        const auto codes = encode_rows(encoder, matrix_view<double>(rows), 1);
        code_query query;
        std::size_t wrong = 0;
        for (int times = 0; times < 10; ++times) {
          for (double& x : near_0) x = any(generator);
          encoder.prepare(near_0.data(), codes.row_bytes(), query);
          // Of products, what is to be rounded is as small as the query: all of it but what it has of the centre.
          if (form == ip) CHECK(query.terms.scale <= 5.0f / 127);
          wrong += wrong_differences(form, rows, codes, as_compared<double>(form, near_0), query);
        }
        CAPTURE(d, offset, form == l2, form == ip);
        CHECK(wrong == 0);
      }
}

TEMPLATE_TEST_CASE("zero vectors among rows far from 0 are at 0 from each other and at 1 from all else",
                   "[scalar_quantizer]", float, double) {
  std::mt19937_64 generator(4);
  std::normal_distribution<double> any;
  for (const std::size_t d : {1u, 3u, 64u})
    for (const double offset : {1e2, 1e5})
      for (const double mark : {0.0, 1e7}) {
        matrix<TestType> rows(60, d);
        for (std::size_t i = 0; i < 60; ++i)
          for (std::size_t j = 0; j < d; ++j)
            rows(i, j) = i % 20 == 3 ? TestType(0) : static_cast<TestType>(any(generator) + (j == 0 ? offset : 0));
        for (std::size_t i = 0; i < 60; i += 4) rows(i, d - 1) += TestType(mark);
        sq8_encoder<TestType> encoder(by_angle, matrix_view<TestType>(rows), scalar_scales::automatic);
        const auto codes = encode_rows(encoder, matrix_view<TestType>(rows), 1);
        code_query query;
        for (std::size_t a = 0; a < 60; ++a)
          for (const bool is_row : {false, true}) {
            if (is_row) encoder.prepare(codes, a, query);
            else encoder.prepare(rows.row(a).data(), codes.row_bytes(), query);
            CHECK(encoder.is_zero_vector(query) == (a % 20 == 3));
            const auto ranks = ranks_of(codes, query);
            std::size_t wrong = 0;
            for (std::size_t b = 0; b < 60; ++b)
              if (a % 20 == 3 || b % 20 == 3)
                wrong += !(std::abs(ranks[b] - (a % 20 == b % 20 ? 0.0f : 1.0f)) < 1.0f / 127);
            CAPTURE(d, offset, mark, a, is_row);
            CHECK(wrong == 0);
          }
      }
}

TEST_CASE("a row inserted where codes reach is ranked, and one beyond has a step of its own", "[scalar_quantizer]") {
  std::mt19937_64 generator(5);
  std::normal_distribution<double> any;
  matrix<double> rows(100, 10);
  for (std::size_t i = 0; i < 100; ++i)
    for (double& x : rows.row(i)) x = 1e7 + any(generator);
  for (const auto scales : {scalar_scales::automatic, scalar_scales::per_vector, scalar_scales::per_dimension}) {
    sq8_encoder<double> encoder(l2, matrix_view<double>(rows), scales);
    auto codes = encode_rows(encoder, matrix_view<double>(rows), 1);
    std::vector<double> beyond(10, 1e7 + 500);
    codes.resize(101);
    encoder.encode(beyond.data(), 100, codes);
    code_query query;
    encoder.prepare(rows.row(5).data(), codes.row_bytes(), query);
    const double exact = reference(l2, rows.row(5), beyond);
    CHECK(static_cast<double>(ranks_of(codes, query)[100]) == Approx(exact).epsilon(0.02));
  }
}

TEMPLATE_TEST_CASE("rows of codes are ranked among each other as queries are, also by steps of each dimension",
                   "[scalar_quantizer]", float, double) {
  std::mt19937_64 generator(6);
  std::normal_distribution<double> any;
  for (const auto form : forms)
    for (const std::size_t d : {1u, 5u, 70u}) {
      matrix<TestType> rows(50, d);
      for (std::size_t i = 0; i < 50; ++i)
        for (std::size_t j = 0; j < d; ++j)
          rows(i, j) = static_cast<TestType>((form == l2 ? 1e4 : 0.0) + any(generator) * (j % 2 == 0 ? 1 : 5));
      sq8_encoder<TestType> encoder(form, matrix_view<TestType>(rows), scalar_scales::per_dimension);
      const auto codes = encode_rows(encoder, matrix_view<TestType>(rows), 1);
      code_query of_row, of_codes;
      for (std::size_t a = 0; a < 50; ++a) {
        encoder.prepare(rows.row(a).data(), codes.row_bytes(), of_row);
        encoder.prepare(codes, a, of_codes);
        const auto expected = ranks_of(codes, of_row), found = ranks_of(codes, of_codes);
        const double scale = form == by_angle ? 1.0 : 25.0 * static_cast<double>(d);
        for (std::size_t b = 0; b < 50; ++b)
          CHECK(std::abs(static_cast<double>(expected[b]) - static_cast<double>(found[b])) <= 0.05 * scale + 0.02);
      }
    }
}
