#include <annulus/quantization/nearest_codeword.hpp>

#include "catch.hpp"
#include "quantization/random_rows.hpp"

#include "precise.hpp"

using annulus::matrix;
using annulus::matrix_view;
using annulus::detail::framed_points;
using annulus::detail::integer_frame;
using annulus::detail::nearest_codeword;

namespace {

using codes_type = std::vector<std::uint32_t>;

codes_type found_by(const nearest_codeword& search, matrix_view<float> points) {
  codes_type codes(points.rows(), 0xFFFFFFFFu);
  nearest_codeword::scratch scratch(points.cols());
  search(points, codes, scratch);
  return codes;
}

/// Whether the codeword is as near as any, but for the rounding of one sum of squares in floats.
bool is_nearest(std::span<const float> x, matrix_view<float> codewords, std::uint32_t code) {
  if (code >= codewords.rows()) return false;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t c = 0; c < codewords.rows(); ++c) least = std::min(least, squared_distance(x, codewords.row(c)));
  const auto terms = static_cast<double>(x.size());
  const double relative = (terms + 4) * std::numeric_limits<float>::epsilon(),
               absolute = terms * (denormals_are_zero() ? std::numeric_limits<float>::min()
                                                        : std::numeric_limits<float>::denorm_min());
  return squared_distance(x, codewords.row(code)) <= least * (1 + relative) + absolute;
}

void check(matrix_view<float> points, matrix_view<float> codewords, const nearest_codeword& search) {
  const codes_type codes = found_by(search, points);
  for (std::size_t i = 0; i < points.rows(); ++i) {
    CAPTURE(codewords.rows(), codewords.cols(), i, codes[i]);
    REQUIRE(is_nearest(points.row(i), codewords, codes[i]));
  }
}

void check(matrix_view<float> points, matrix_view<float> codewords) {
  check(points, codewords, nearest_codeword(codewords));
}

matrix<float> integer_rows(std::size_t n, std::size_t d, std::uint64_t seed, int most) {
  std::mt19937_64 generator(seed);
  std::uniform_int_distribution<int> any(-most, most);
  matrix<float> rows(n, d);
  for (std::size_t i = 0; i < n; ++i)
    for (float& x : rows.row(i)) x = static_cast<float>(any(generator));
  return rows;
}

/// The points half-way between random pairs of rows, a little nearer to either.
matrix<float> midpoints(const matrix<float>& rows, std::size_t n, double aside) {
  std::mt19937_64 generator(7);
  matrix<float> points(n, rows.cols());
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t a = generator() % rows.rows(), b = generator() % rows.rows();
    for (std::size_t j = 0; j < rows.cols(); ++j)
      points(i, j) = static_cast<float>((0.5 + aside) * static_cast<double>(rows(a, j)) +
                                        (0.5 - aside) * static_cast<double>(rows(b, j)));
  }
  return points;
}

constexpr std::size_t dimensions[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64};
constexpr std::size_t sizes[] = {1, 2, 3, 15, 16, 17, 100, 255, 256, 257, 300, 600, 1000};

}  // namespace

TEST_CASE("the codeword found is the nearest, for every number of codewords and coordinates", "[nearest_codeword]") {
  for (const std::size_t ds : dimensions)
    for (const std::size_t ks : sizes) check(random_rows(37, ds, ks), random_rows(ks, ds, 1000 + ks));
}

TEST_CASE("the codeword found is the nearest, however far the data is from zero, and however wide",
          "[nearest_codeword]") {
  struct spread {
    double centre, deviation;
  };
  for (const auto [centre, deviation] :
       {spread{1e4, 1}, {1e6, 1}, {-1e6, 1e-3}, {0, 1e-20}, {0, 1e-30}, {1e-20, 1e-22}, {0, 1e15}, {1e15, 1e12}})
    for (const std::size_t ds : {1u, 3u, 8u, 17u})
      for (const std::size_t ks : {2u, 17u, 300u}) {
        CAPTURE(centre, deviation);
        check(random_rows(60, ds, 1, centre, deviation), random_rows(ks, ds, 2, centre, deviation));
      }
}

TEST_CASE("the codeword found is the nearest, far outside of the codewords", "[nearest_codeword]") {
  for (const std::size_t ds : {1u, 2u, 8u, 33u})
    for (const double factor : {1.4, 1.6, 3.0, 1000.0, 1e12})
      check(random_rows(60, ds, 1, 0, factor), random_rows(100, ds, 2));
}

TEST_CASE("the codeword found is the nearest, where the codewords fill little of the frame", "[nearest_codeword]") {
  for (const std::size_t ds : {1u, 2u, 8u, 33u})
    for (const double deviation : {0.5, 0.1, 1e-3, 1e-6, 0.0}) {
      const matrix<float> points = random_rows(60, ds, 1), codewords = random_rows(100, ds, 2, 0.5, deviation);
      check(points, codewords, nearest_codeword(codewords, integer_frame(points)));
    }
}

TEST_CASE("the codeword found is the nearest, where codewords are far outside of the frame", "[nearest_codeword]") {
  for (const std::size_t ds : {1u, 2u, 8u, 33u})
    for (const double factor : {1.5, 2.0, 3.0, 10.0, 1000.0, 1e9}) {
      CAPTURE(factor);
      const matrix<float> points = random_rows(60, ds, 1);
      matrix<float> codewords = random_rows(100, ds, 2);
      for (std::size_t c = 0; c < 90; ++c)
        for (float& x : codewords.row(c)) x *= static_cast<float>(factor);
      check(points, codewords, nearest_codeword(codewords, integer_frame(points)));
    }
}

TEST_CASE("the codeword found is the nearest, where two are all but as near", "[nearest_codeword]") {
  for (const std::size_t ds : {1u, 2u, 5u, 16u, 64u})
    for (const double aside : {0.0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2}) {
      CAPTURE(aside);
      const matrix<float> codewords = random_rows(20, ds, ds);
      check(midpoints(codewords, 60, aside), codewords);
    }
}

TEST_CASE("of codewords that are as near the lowest is found", "[nearest_codeword]") {
  for (const std::size_t ds : {1u, 2u, 3u, 8u, 16u, 17u})
    for (const std::size_t ks : {2u, 16u, 40u, 256u, 300u, 700u}) {
      const matrix<float> codewords = integer_rows(ks, ds, ks, 3), points = integer_rows(50, ds, 1, 4);
      const codes_type codes = found_by(nearest_codeword(codewords), points);
      for (std::size_t i = 0; i < points.rows(); ++i) {
        std::uint32_t expected = 0;  // sums of integers are exact
        for (std::uint32_t c = 1; c < ks; ++c)
          if (squared_distance(points.row(i), codewords.row(c)) <
              squared_distance(points.row(i), codewords.row(expected)))
            expected = c;
        CAPTURE(ds, ks, i);
        REQUIRE(codes[i] == expected);
      }
    }
}

TEST_CASE("a codeword that comes again, in any chunk, is found where it comes first", "[nearest_codeword]") {
  for (const std::size_t apart : {1u, 15u, 16u, 255u, 256u, 257u, 512u}) {
    matrix<float> codewords = random_rows(1000, 6, apart);
    for (std::size_t c = 0; c + apart < codewords.rows(); c += 2 * apart)
      std::ranges::copy(codewords.row(c), codewords.row(c + apart).begin());
    const codes_type codes = found_by(nearest_codeword(codewords), codewords);
    for (std::size_t c = 0; c < codewords.rows(); ++c) {
      const std::size_t pair = c >= apart && (c - apart) % (2 * apart) == 0 ? c - apart : c;
      REQUIRE(codes[c] == pair);
    }
  }
}

TEST_CASE("where all codewords are one, the first is found", "[nearest_codeword]") {
  for (const float value : {0.0f, 0.1f, -1e6f, 1e15f, 1e-30f})
    for (const std::size_t ks : {1u, 17u, 300u}) {
      const matrix<float> codewords(ks, 5, value);
      const nearest_codeword search(codewords);
      CHECK(found_by(search, codewords) == codes_type(ks));
      CHECK(found_by(search, random_rows(20, 5, 1)) == codes_type(20));
      const matrix<float> points = random_rows(20, 5, 1);
      CHECK(found_by(nearest_codeword(codewords, integer_frame(points)), points) == codes_type(20));
    }
}

TEST_CASE("a point that is not finite gets some codeword", "[nearest_codeword]") {
  const matrix<float> codewords = random_rows(40, 3, 1);
  matrix<float> points = random_rows(20, 3, 2);
  const codes_type expected = found_by(nearest_codeword(codewords), points);
  points(3, 1) = std::numeric_limits<float>::quiet_NaN();
  points(5, 0) = std::numeric_limits<float>::infinity();
  points(19, 2) = -std::numeric_limits<float>::max();
  const codes_type codes = found_by(nearest_codeword(codewords), points);
  for (std::size_t i = 0; i < 20; ++i) {
    if (i == 3 || i == 5 || i == 19) REQUIRE(codes[i] < 40);
    else REQUIRE(codes[i] == expected[i]);
  }
}

TEST_CASE("no points get no codes", "[nearest_codeword]") {
  const matrix<float> codewords = random_rows(40, 3, 1);
  CHECK(found_by(nearest_codeword(codewords), matrix<float>(0, 3)).empty());
}

TEST_CASE("the codeword found depends neither on the other points nor on where the point stands among them",
          "[nearest_codeword]") {
  for (const std::size_t ds : {1u, 5u, 8u, 19u}) {
    const matrix<float> codewords = random_rows(270, ds, 1), points = random_rows(600, ds, 2, 0, 1.3);
    const nearest_codeword search(codewords);
    const codes_type codes = found_by(search, points);
    const matrix_view<float> all(points);
    for (std::size_t i = 0; i < points.rows(); ++i) {
      REQUIRE(found_by(search, all.middle_rows(i, 1)).front() == codes[i]);
      if (i % 40 == 0)
        REQUIRE(std::ranges::equal(found_by(search, all.middle_rows(i, 600 - i)), std::span(codes).subspan(i)));
    }
  }
}

TEST_CASE("points that are framed once are found as others are", "[nearest_codeword]") {
  const matrix<float> points = random_rows(700, 7, 1), codewords = random_rows(50, 7, 2);
  const integer_frame frame(points);
  const nearest_codeword search(codewords, frame);
  framed_points framed(7);
  framed.assign(points, frame);
  nearest_codeword::scratch scratch(7);
  codes_type codes(700);
  for (std::size_t i = 0; i < 700; i += nearest_codeword::block) {
    const std::size_t count = std::min(nearest_codeword::block, 700 - i);
    search.search(framed, i, matrix_view<float>(points).middle_rows(i, count), std::span(codes).subspan(i, count),
                  scratch);
  }
  CHECK(codes == found_by(search, points));
}

TEST_CASE("points may have any stride and alignment", "[nearest_codeword]") {
  for (const std::size_t ds : {1u, 7u, 16u, 18u}) {
    const matrix<float> codewords = random_rows(60, ds, 1), points = random_rows(45, ds, 2);
    const codes_type expected = found_by(nearest_codeword(codewords), points);
    for (const std::size_t stride : {ds, ds + 1, 2 * ds + 3})
      for (std::size_t offset = 0; offset < 4; ++offset) {
        std::vector<float> values(offset + 44 * stride + ds, std::numeric_limits<float>::quiet_NaN());
        for (std::size_t i = 0; i < 45; ++i)
          std::ranges::copy(points.row(i), values.begin() + static_cast<std::ptrdiff_t>(offset + i * stride));
        const matrix_view<float> view(values.data() + offset, 45, ds, stride);
        REQUIRE(found_by(nearest_codeword(codewords), view) == expected);
      }
  }
}

TEST_CASE("distances and products to all codewords are those of their definition", "[nearest_codeword]") {
  for (const std::size_t ds : {1u, 3u, 8u, 17u, 64u})
    for (const std::size_t ks : {1u, 3u, 16u, 17u, 300u}) {
      const matrix<float> codewords = random_rows(ks, ds, 1), point = random_rows(1, ds, 2);
      const nearest_codeword search(codewords);
      std::vector<float> distances(ks + 1, -1.0f), products(ks + 1, -1.0f);
      search.squared_distances(point.data(), distances.data());
      search.inner_products(point.data(), products.data());
      for (std::size_t c = 0; c < ks; ++c) {
        const double distance = squared_distance(point.row(0), codewords.row(c));
        REQUIRE(static_cast<double>(distances[c]) == Approx(distance).epsilon(1e-5));
        REQUIRE(static_cast<double>(products[c]) ==
                Approx(inner_product(point.row(0), codewords.row(c))).margin(1e-5 * static_cast<double>(ds)));
      }
      CHECK(distances[ks] == -1);
      CHECK(products[ks] == -1);
    }
}

TEST_CASE("the frame is the mean, and a unit in which all rows have their place", "[nearest_codeword]") {
  for (const std::size_t ds : {1u, 3u, 64u, 300u}) {
    const matrix<float> rows = random_rows(50, ds, ds, 100, 5);
    const integer_frame frame(rows);
    framed_points framed(ds);
    framed.assign(rows, frame);
    for (std::size_t j = 0; j < ds; ++j) {
      double mean = 0;
      for (std::size_t i = 0; i < 50; ++i) mean += static_cast<double>(rows(i, j)) / 50;
      REQUIRE(static_cast<double>(frame.centre[j]) == Approx(mean));
    }
    float longest = 0;
    for (std::size_t i = 0; i < 50; ++i) {
      longest = std::max(longest, framed.lengths()[i]);
      REQUIRE(static_cast<double>(framed.errors()[i]) <= 0.5 * std::sqrt(static_cast<double>(ds)) + 0.01);
    }
    CHECK(longest <= integer_frame::longest);
    CHECK(longest > 0.95f * integer_frame::longest);
  }
}
