#include <annulus/core/base/random.hpp>
#include <annulus/knn/flat_index.hpp>
#include <annulus/knn/knn.hpp>
#include <annulus/metrics/bits.hpp>

#include "catch.hpp"
#include "metrics/golden.hpp"

#include <limits>

using namespace annulus;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

bit_matrix random_bits(std::size_t rows, std::size_t bits, double share, std::uint64_t seed) {
  bit_matrix m(rows, bits);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t bit = 0; bit < bits; ++bit)
      if (counter_random(seed, i).uniform(bit) < share) m.set(i, bit);
  return m;
}

std::vector<float> unpacked(const bit_matrix& m, std::size_t row) {
  std::vector<float> values(m.bits());
  for (std::size_t bit = 0; bit < m.bits(); ++bit) values[bit] = m.test(row, bit) ? 3.0f : 0.0f;
  return values;
}

/// How many pairs of packed rows are at another distance than the rows unpacked.
template <class Metric>
std::size_t differently_packed() {
  std::size_t different = 0;
  for (const std::size_t bits : {1u, 5u, 8u, 9u, 64u, 65u, 100u, 256u, 600u}) {
    const auto m = random_bits(5, bits, 0.4, bits);
    const packed<Metric> metric{bits};
    for (std::size_t i = 0; i < m.rows(); ++i)
      for (std::size_t j = 0; j < m.rows(); ++j)
        different += metric(m.row(i).data(), m.row(j).data(), m.cols()) !=
                     Metric{}(unpacked(m, i).data(), unpacked(m, j).data(), bits);
  }
  return different;
}

/// How many ranks of a block of rows are in other bits than those of single pairs.
template <class Metric>
std::size_t differently_ranked(const Metric& metric) {
  std::size_t different = 0;
  const auto try_shape = [&](std::size_t bytes, std::size_t gap, std::size_t count) {
    const auto rows = random_bits(count, 8 * (bytes + gap), 0.3, count),
               queries = random_bits(2, 8 * bytes, 0.5, bytes);
    for (std::size_t q = 0; q < 2; ++q) {
      const std::uint8_t* const query = queries.row(q).data();
      std::vector<double> ranks(count);
      prepared_query<Metric, std::uint8_t>(metric, query, bytes)(rows.data(), rows.cols(), count, ranks.data());
      for (std::size_t i = 0; i < count; ++i)
        different += ranks[i] != rank_of(metric, query, rows.row(i).data(), bytes);
    }
  };
  for (std::size_t bytes = 1; bytes <= 70; bytes += 3) try_shape(bytes, bytes % 2, 21);
  for (const std::size_t count : {0u, 1u, 255u, 256u, 257u, 600u}) try_shape(32, 0, count);
  try_shape(31, 1, 600);
  return different;
}

}  // namespace

TEST_CASE("bit metrics are those of the golden values", "[bits]") {
  const auto packed_row = [](const std::vector<float>& row) {
    return std::vector<std::uint8_t>(row.begin(), row.end());
  };
  for (const auto& e : golden::examples("bit_jaccard"))
    CHECK(bit_jaccard{}(packed_row(e.x).data(), packed_row(e.y).data(), e.x.size()) ==
          Approx(e.distance).epsilon(1e-6));
  for (const auto& e : golden::examples("bit_hamming"))
    CHECK(bit_hamming{}(packed_row(e.x).data(), packed_row(e.y).data(), e.x.size()) == Approx(e.distance));
}

TEST_CASE("bit_jaccard is minus the logarithm of the part of the bits that is common", "[bits]") {
  const std::uint8_t a[] = {0b1111, 0}, b[] = {0b0011, 0b1100};
  CHECK(bit_jaccard{}(a, b, 2) == Approx(std::log(3.0)).epsilon(1e-14));
  CHECK(bit_jaccard{}(a, a, 2) == 0);
}

TEST_CASE("rows without a bit are at no bit_jaccard distance, and infinitely far from others", "[bits]") {
  const std::uint8_t none[] = {0, 0, 0}, some[] = {0, 4, 0}, others[] = {1, 2, 3};
  CHECK(bit_jaccard{}(none, none, 3) == 0);
  CHECK(detail::bits_of(bit_jaccard{}(none, some, 3)) == detail::bits_of(infinity));
  CHECK(detail::bits_of(bit_jaccard{}(some, others, 3)) == detail::bits_of(infinity));
  CHECK(bit_jaccard{}(some, others, 0) == 0);
}

TEST_CASE("ranks of bit_jaccard are finite and in the order of its distances, over rows of any length", "[bits]") {
  constexpr std::size_t n = 12;
  std::size_t wrong = 0;
  for (const std::size_t bits : {3u, 256u, 40000u}) {
    const auto m = random_bits(n, bits, 0.5, bits);
    for (std::size_t i = 1; i < n; ++i)
      for (std::size_t j = 1; j < n; ++j) {
        const auto rank = [&](std::size_t row) { return bit_jaccard::rank(m.data(), m.row(row).data(), m.cols()); };
        const auto distance = [&](std::size_t row) { return bit_jaccard{}(m.data(), m.row(row).data(), m.cols()); };
        wrong += (rank(i) < rank(j)) != (distance(i) < distance(j)) || !annulus::detail::is_finite(rank(i));
        wrong += bit_jaccard::to_distance(rank(i)) != distance(i);
      }
  }
  CHECK(wrong == 0);
}

TEST_CASE("rows of which one bit in 40000 tells them apart have ranks apart", "[bits]") {
  bit_matrix m(3, 40000);
  for (std::size_t bit = 0; bit < 40000; ++bit)
    for (std::size_t i = 0; i < 3; ++i) m.set(i, bit, bit >= i);
  const auto rank = [&](std::size_t i, std::size_t j) {
    return bit_jaccard::rank(m.row(i).data(), m.row(j).data(), m.cols());
  };
  CHECK(rank(0, 0) == 0);
  CHECK(rank(0, 1) > 0);
  CHECK(rank(0, 2) > rank(0, 1));
  CHECK(rank(0, 1) != static_cast<double>(static_cast<float>(rank(1, 2))));
}

TEST_CASE("set metrics over packed bits are those over the rows unpacked", "[bits]") {
  CHECK(differently_packed<jaccard>() == 0);
  CHECK(differently_packed<dice>() == 0);
  CHECK(differently_packed<matching>() == 0);
  CHECK(differently_packed<kulsinski>() == 0);
  CHECK(differently_packed<rogerstanimoto>() == 0);
  CHECK(differently_packed<russellrao>() == 0);
  CHECK(differently_packed<sokalsneath>() == 0);
  CHECK(differently_packed<sokalmichener>() == 0);
  CHECK(differently_packed<yule>() == 0);
}

TEST_CASE("packed rows stand for all bits of their bytes where no number is given", "[bits]") {
  const std::uint8_t a[] = {1, 0}, b[] = {0, 1};
  CHECK(packed<matching>{}(a, b, 2) == 2.0 / 16);
  CHECK(packed<matching>{10}(a, b, 2) == 2.0 / 10);
}

TEST_CASE("packed metrics refuse rows that are too short for their bits", "[bits]") {
  CHECK_NOTHROW(packed<dice>{16}.check_dimension(2));
  CHECK_NOTHROW(packed<dice>{3}.check_dimension(8));
  CHECK_NOTHROW(packed<dice>{}.check_dimension(0));
  CHECK_THROWS_WITH(packed<dice>{17}.check_dimension(2), ContainsSubstring("bits") && ContainsSubstring("17"));
}

TEST_CASE("blocks of packed rows have the ranks of single ones", "[bits]") {
  CHECK(differently_ranked(packed<dice>{}) == 0);
  CHECK(differently_ranked(packed<kulsinski>{}) == 0);
  CHECK(differently_ranked(packed<yule>{}) == 0);
  CHECK(differently_ranked(packed<russellrao>{}) == 0);
  CHECK(differently_ranked(bit_jaccard{}) == 0);
}

TEST_CASE("empty rows in a block of packed rows are at no distance from an empty query", "[bits]") {
  const bit_matrix rows(20, 64);
  std::vector<double> ranks(20, 1.0);
  packed<jaccard>{}.ranks(rows.data(), 8, rows.data(), 8, 20, ranks.data());
  CHECK(ranks == std::vector<double>(20, 0.0));
}

TEST_CASE("knn over bits returns the nearest rows by bit_jaccard, disjoint ones last", "[bits]") {
  const auto data = random_bits(300, 40, 0.1, 1), queries = random_bits(5, 40, 0.1, 2);
  const auto found = knn(data, queries, 300, bit_jaccard{}, {.threads = 2});
  for (std::size_t i = 0; i < queries.rows(); ++i) {
    std::vector<candidate<double>> expected;
    for (std::size_t j = 0; j < data.rows(); ++j)
      expected.push_back({bit_jaccard::rank(queries.row(i).data(), data.row(j).data(), 5), static_cast<id_type>(j)});
    std::ranges::sort(expected, [](const auto& a, const auto& b) { return a < b; });
    std::size_t wrong = 0;
    for (std::size_t j = 0; j < expected.size(); ++j) {
      const auto distance = static_cast<float>(bit_jaccard::to_distance(expected[j].rank));
      wrong += found.ids(i, j) != expected[j].id || found.distances(i, j) != distance;
    }
    CHECK(wrong == 0);
    CHECK(found.distances(i, 299) == infinity);
  }
}

TEST_CASE("knn by a set metric over dense rows is knn over their bits", "[bits]") {
  const auto bits = random_bits(100, 75, 0.3, 1);
  matrix<float> rows(100, 75);
  for (std::size_t i = 0; i < 100; ++i) std::ranges::copy(unpacked(bits, i), rows.row(i).begin());
  CHECK(knn(rows, rows, 9, dice{}) == knn(bits, bits, 9, packed<dice>{75}));
  CHECK(knn(rows, rows, 9, matching{}) == knn(bits, bits, 9, packed<matching>{75}));
}

TEST_CASE("packed metrics have names of their own", "[bits]") {
  CHECK(bit_jaccard::name == "bit_jaccard");
  CHECK(packed<dice>::name == "packed_dice");
  CHECK(packed<jaccard>::name == "packed_jaccard");
  STATIC_REQUIRE(metric_for<bit_jaccard, bit_matrix>);
  STATIC_REQUIRE(metric_for<packed<yule>, bit_matrix>);
  STATIC_REQUIRE(!metric_for<packed<yule>, matrix<float>>);
}

TEST_CASE("a bit_matrix tells how many bits its rows have, and rows with others set are refused", "[bits]") {
  const auto data = random_bits(40, 77, 0.4, 1), queries = random_bits(5, 77, 0.4, 2);
  matrix<float> rows(40, 77), asked(5, 77);
  for (std::size_t j = 0; j < 77; ++j) {
    for (std::size_t i = 0; i < 40; ++i) rows(i, j) = data.test(i, j) ? 1.0f : 0.0f;
    for (std::size_t i = 0; i < 5; ++i) asked(i, j) = queries.test(i, j) ? 1.0f : 0.0f;
  }
  const neighbors expected = knn(rows, asked, 7, rogerstanimoto{});
  CHECK(knn(data, queries, 7, packed<rogerstanimoto>{}) == expected);
  CHECK(knn(data, queries, 7, packed<rogerstanimoto>{77}) == expected);
  CHECK(flat_index(data, packed<rogerstanimoto>{}).search(queries, 7) == expected);
  CHECK(knn(data.bytes(), queries, 7, packed<rogerstanimoto>{}).distances != expected.distances);  // of 80 bits

  matrix<std::uint8_t> bytes = data.bytes();
  bytes(3, 9) |= 0x20;
  CHECK_THROWS_WITH(knn(bytes, queries, 7, packed<rogerstanimoto>{77}),
                    ContainsSubstring("row 3 has a bit set beyond those that the metric counts"));
  CHECK_THROWS_AS(knn(data, bytes, 7, packed<rogerstanimoto>{77}), std::invalid_argument);
  CHECK_THROWS_AS(flat_index(bytes, packed<rogerstanimoto>{72}), std::invalid_argument);
  CHECK_NOTHROW(knn(bytes, queries, 7, packed<rogerstanimoto>{78}));
  CHECK_NOTHROW(knn(bytes, queries, 7, packed<rogerstanimoto>{}));
}
