#include "nndescent/spaces.hpp"

#include <map>

#include "catch.hpp"

using namespace annulus;
using namespace annulus::detail;
using spaces::all_ids;
using spaces::codes_of;
using spaces::random_matrix;
using spaces::rows_of;

namespace {

using id_pair = std::pair<id_type, id_type>;

/// How many of what a joiner of `first` and `second` gives are not each wanted pair once with the ranker's bits, or not
/// infinite where no pair is.
template <class Space>
std::size_t wrong_pairs(const Space& space, typename Space::joiner& joiner, typename Space::ranker& ranker,
                        const std::vector<id_type>& first, const std::vector<id_type>& second) {
  joined_ids members;
  members.assign(first, second);
  joiner.gather(members);
  std::map<id_pair, float> found;
  std::size_t wrong = 0;
  joiner.pairs([&](std::size_t i, std::size_t p, const float* ranks) {
    wrong += i >= first.size() || p >= members.panels();
    for (std::size_t r = 0; r < joined_ids::lanes; ++r) {
      const id_type a = members.ids()[i], b = members.panel(p)[r];
      if (b == no_id) wrong += !(ranks[r] == std::numeric_limits<float>::infinity());
      else if (ranks[r] < std::numeric_limits<float>::infinity())
        wrong += !found.emplace(std::minmax({a, b}), ranks[r]).second;
    }
  });
  std::size_t wanted = 0;
  const auto expect = [&](id_type a, id_type b) {
    ++wanted;
    float rank = 0;
    ranker.from(a, std::span(&b, 1), &rank);
    const auto at = found.find(std::minmax({a, b}));
    wrong += at == found.end() || std::bit_cast<std::uint32_t>(at->second) != std::bit_cast<std::uint32_t>(rank);
  };
  for (std::size_t i = 0; i < first.size(); ++i) {
    for (std::size_t j = i + 1; j < first.size(); ++j) expect(first[i], first[j]);
    for (const id_type b : second) expect(first[i], b);
  }
  static_cast<void>(space);
  return wrong + (found.size() != wanted);
}

template <class Space>
void check_joins(const Space& space, const std::vector<std::size_t>& sizes) {
  typename Space::joiner joiner(space);  // one for all, as a worker has it
  typename Space::ranker ranker(space);
  std::mt19937_64 generator(1);
  for (const std::size_t n_first : sizes)
    for (const std::size_t n_second : sizes) {
      auto ids = all_ids(space.size());
      std::ranges::shuffle(ids, generator);
      const auto middle = ids.begin() + static_cast<std::ptrdiff_t>(n_first);
      const std::vector<id_type> first(ids.begin(), middle),
          second(middle, middle + static_cast<std::ptrdiff_t>(n_second));
      CAPTURE(n_first, n_second);
      REQUIRE(wrong_pairs(space, joiner, ranker, first, second) == 0);
    }
}

const std::vector<std::size_t> few_sizes{0, 1, 4, 8, 15, 16, 17, 33, 70};

/// By how much margins disagree in sign with the hyperplane between a and b, beyond rounding.
template <class Metric, class T, class Ranker>
std::size_t wrong_sides(const matrix<T>& data, Ranker&& ranker, double tolerance) {
  const std::size_t n = data.rows(), d = data.cols();
  const auto dot = [&](std::size_t a, std::size_t b) {
    double sum = 0;
    for (std::size_t j = 0; j < d; ++j) sum += static_cast<double>(data(a, j)) * static_cast<double>(data(b, j));
    return sum;
  };
  std::vector<float> margins(n);
  std::size_t wrong = 0;
  for (std::size_t a = 0; a < n; a += 7)
    for (std::size_t b = 1; b < n; b += 11) {
      if (a == b) continue;
      ranker.margins(static_cast<id_type>(a), static_cast<id_type>(b), all_ids(n), margins.data());
      const double norm_a = dot(a, a), norm_b = dot(b, b);
      for (std::size_t i = 0; i < n; ++i) {
        const double norm = dot(i, i);
        const double side = Metric::is_angular
                                ? dot(a, i) / std::sqrt(norm_a * norm) - dot(b, i) / std::sqrt(norm_b * norm)
                                : (2 * (dot(a, i) - dot(b, i)) + norm_b - norm_a) / (norm_a + norm_b + norm);
        wrong += std::abs(side) > tolerance && (margins[i] > 0) != (side > 0);
      }
    }
  return wrong;
}

}  // namespace

TEST_CASE("joined ids hold both parts, each padded to whole panels", "[spaces]") {
  joined_ids members;
  for (std::size_t n_first = 0; n_first < 40; ++n_first)
    for (std::size_t n_second = 0; n_second < 40; ++n_second) {
      const auto first = all_ids(n_first), second = all_ids(n_second);
      members.assign(first, second);
      const auto panels = [](std::size_t n) { return (n + joined_ids::lanes - 1) / joined_ids::lanes; };
      REQUIRE(members.first() == n_first);
      REQUIRE(members.first_panels() == panels(n_first));
      REQUIRE(members.panels() == panels(n_first) + panels(n_second));
      std::vector<id_type> expected = first;
      expected.resize(panels(n_first) * joined_ids::lanes, no_id);
      expected.insert(expected.end(), second.begin(), second.end());
      expected.resize(members.panels() * joined_ids::lanes, no_id);
      REQUIRE(std::ranges::equal(members.ids(), expected));
    }
}

TEST_CASE("codes are joined each pair once, as the ranker ranks them, at all sizes", "[spaces]") {
  const auto data = random_matrix<float>(145, 19, 1);
  std::vector<std::size_t> sizes;
  for (std::size_t n = 0; n <= 70; n += 3) sizes.push_back(n);
  for (const std::size_t n : {1u, 2u, 4u, 5u, 7u, 8u, 16u, 17u, 31u, 32u, 64u, 65u}) sizes.push_back(n);
  check_joins(codes_of<euclidean>(data), sizes);
}

TEMPLATE_TEST_CASE("codes of any length are joined as the ranker ranks them", "[spaces]", float, std::uint8_t,
                   std::int8_t) {
  for (const std::size_t d : {1u, 2u, 3u, 4u, 5u, 8u, 15u, 16u, 17u, 31u, 32u, 33u, 63u, 64u, 65u, 128u, 200u}) {
    const auto data = random_matrix<TestType>(145, d, d);
    CAPTURE(d);
    check_joins(codes_of<euclidean>(data), few_sizes);
    check_joins(codes_of<inner_product>(data), {1, 17, 40});
    check_joins(codes_of<cosine>(data), {1, 17, 40});
  }
}

TEST_CASE("codes at their extremes are joined as the ranker ranks them", "[spaces]") {
  for (const std::size_t d : {3u, 64u, 100u, 1024u}) {
    matrix<std::uint8_t> data(145, d);
    for (std::size_t i = 0; i < 145; ++i)
      for (std::size_t j = 0; j < d; ++j) data(i, j) = i % 3 == 0 ? 0 : i % 3 == 1 ? 255 : (i + j) % 2 == 0 ? 255 : 0;
    check_joins(codes_of<euclidean>(data), {5, 40});
    check_joins(codes_of<inner_product>(data), {5, 40});
  }
}

TEST_CASE("zero vectors under cosine are joined as the ranker ranks them", "[spaces]") {
  for (const std::size_t d : {3u, 4u, 63u, 64u}) {
    auto data = random_matrix<float>(145, d, d);
    for (std::size_t i = 0; i < 145; i += 5) std::ranges::fill(data.row(i), 0.0f);
    check_joins(codes_of<cosine>(data), {5, 40});
  }
}

TEST_CASE("bytes of a stride are joined without a read past their ends", "[spaces]") {
  for (const std::size_t d : {1u, 5u, 31u, 64u, 65u, 100u})
    for (const std::size_t gap : {0u, 3u}) {
      std::mt19937_64 generator(d);
      const auto values = rows::random_values<std::uint8_t>(144 * (d + gap) + d, generator);  // ends with its last row
      const matrix_view<std::uint8_t> view(values.data(), 145, d, d + gap);
      code_space space(encode_rows(sq8_encoder<std::uint8_t>(product_form::squared_l2, view), view, 1), false);
      check_joins(space, {5, 40});
      auto order = all_ids(145);
      std::ranges::shuffle(order, generator);
      space.reorder(order);
      check_joins(space, {5, 40});
    }
}

TEMPLATE_TEST_CASE("rows are joined each pair once, as the ranker ranks them", "[spaces]", euclidean, cosine,
                   manhattan) {
  const auto data = random_matrix<float>(145, 9, 2);
  auto space = rows_of<TestType>(data);
  check_joins(space, few_sizes);
  auto order = all_ids(145);
  std::ranges::reverse(order);
  space.reorder(order);
  check_joins(space, {5, 40});
}

TEST_CASE("a space of rows seen through two orders has the ranks of the rows", "[spaces]") {
  const auto data = random_matrix<float>(50, 4, 3);
  auto space = rows_of<euclidean>(data);
  std::mt19937_64 generator(4);
  auto expected = all_ids(50);
  for (int times = 0; times < 3; ++times) {
    auto order = all_ids(50);
    std::ranges::shuffle(order, generator);
    space.reorder(order);
    std::vector<id_type> next(50);
    for (std::size_t i = 0; i < 50; ++i) next[i] = expected[order[i]];
    expected = next;
    for (id_type a = 0; a < 50; ++a)
      REQUIRE(space.rank(a, 7) == euclidean::rank(data.row(expected[a]).data(), data.row(expected[7]).data(), 4));
  }
}

namespace {

/// Symmetric but for rounding, as a user's metric may be.
struct lopsided {
  float operator()(const float* a, const float* b, std::size_t) const { return *a - *b; }
};

}  // namespace

TEST_CASE("a space of rows is symmetric to the bit, whatever its metric", "[spaces]") {
  const auto data = random_matrix<float>(20, 1, 5);
  auto space = rows_of<lopsided>(data);
  auto order = all_ids(20);
  std::ranges::reverse(order);
  for (int times = 0; times < 2; ++times) {
    for (id_type a = 0; a < 20; ++a)
      for (id_type b = 0; b < 20; ++b) REQUIRE(space.rank(a, b) == space.rank(b, a));
    space.reorder(order);
  }
}

TEMPLATE_TEST_CASE("the margins of rows have the sign of the side of the plane", "[spaces]", euclidean, sqeuclidean,
                   inner_product, cosine) {
  for (const std::size_t d : {1u, 2u, 20u, 64u}) {
    const auto data = random_matrix<float>(80, d, d);
    const auto space = rows_of<TestType>(data);
    CAPTURE(d);
    CHECK(wrong_sides<TestType>(data, typename decltype(rows_of<TestType>(data))::ranker(space), 1e-5) == 0);
  }
}

TEMPLATE_TEST_CASE("the margins of codes have the sign of the side of the plane but for their rounding", "[spaces]",
                   euclidean, inner_product, cosine) {
  for (const std::size_t d : {1u, 2u, 20u, 64u}) {
    const auto data = random_matrix<float>(80, d, d);
    const auto space = codes_of<TestType>(data);
    CAPTURE(d);
    CHECK(wrong_sides<TestType>(data, code_space::ranker(space), 0.05) == 0);
  }
}

TEST_CASE("the margins of bytes have the sign of the side of the plane but for rounding the normal", "[spaces]") {
  for (const std::size_t d : {1u, 2u, 20u, 64u}) {
    const auto bytes = random_matrix<std::uint8_t>(80, d, d);
    const auto signs = random_matrix<std::int8_t>(80, d, d);
    const auto of_bytes = codes_of<euclidean>(bytes), of_signs = codes_of<euclidean>(signs);
    CAPTURE(d);
    CHECK(wrong_sides<euclidean>(bytes, code_space::ranker(of_bytes), 0.05) == 0);
    CHECK(wrong_sides<euclidean>(signs, code_space::ranker(of_signs), 0.05) == 0);
  }
}

TEST_CASE("the margins of two equal rows are 0", "[spaces]") {
  auto data = random_matrix<float>(20, 8, 6);
  std::ranges::copy(data.row(3), data.row(4).begin());
  std::vector<float> margins(20);
  const auto codes = codes_of<euclidean>(data);
  code_space::ranker(codes).margins(3, 4, all_ids(20), margins.data());
  CHECK(std::ranges::all_of(margins, [](float m) { return std::abs(m) < 1e-6f; }));
}
