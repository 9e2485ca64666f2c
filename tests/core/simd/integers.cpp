#include <annulus/core/simd/transpose.hpp>

#include "catch.hpp"
#include "core/rows.hpp"

using annulus::simd::integers;
using annulus::simd::scalar_integers;

namespace {

constexpr std::size_t width = integers::bytes;
using bytes = std::vector<std::uint8_t>;
using shorts = std::vector<std::int16_t>;

/// A register as elements in memory order.
template <class Element, class Register>
std::vector<Element> elements(const Register& v) {
  std::vector<Element> result(sizeof(Register) / sizeof(Element));
  std::memcpy(result.data(), &v, sizeof(Register));
  return result;
}

/// What the scalar meaning gives for a vector of the build's width, 16 bytes at a time.
template <class F>
bytes scalar_bytes(const bytes& a, const bytes& b, F f) {
  bytes result;
  for (std::size_t i = 0; i < a.size(); i += scalar_integers::bytes) {
    const auto part = elements<std::uint8_t>(f(scalar_integers::load(&a[i]), scalar_integers::load(&b[i])));
    result.insert(result.end(), part.begin(), part.end());
  }
  return result;
}

/// Calls check(a, b) with random bytes, and with every pair of extremes.
template <class Check>
void for_many_bytes(Check check) {
  std::mt19937_64 generator(1);
  for (int repetition = 0; repetition < 50; ++repetition)
    check(rows::random_values<std::uint8_t>(width, generator), rows::random_values<std::uint8_t>(width, generator));
  const bytes extremes{0, 127, 128, 255};
  for (const auto a : extremes)
    for (const auto b : extremes) check(bytes(width, a), bytes(width, b));
}

shorts random_shorts(std::mt19937_64& generator) {
  std::uniform_int_distribution<int> any(-32768, 32767);
  shorts values(width / 2);
  for (auto& x : values) x = static_cast<std::int16_t>(any(generator));
  return values;
}

template <class Byte>
shorts widened(const bytes& a) {
  const auto v = integers::load(a.data());
  shorts result = elements<std::int16_t>(integers::widen_low<Byte>(v));
  const shorts high = elements<std::int16_t>(integers::widen_high<Byte>(v));
  result.insert(result.end(), high.begin(), high.end());
  return result;
}

template <class Byte>
shorts scalar_widened(const bytes& a) {
  shorts result;
  for (const auto x : a) result.push_back(static_cast<std::int16_t>(static_cast<Byte>(x)));
  return result;
}

}  // namespace

TEST_CASE("load_partial takes the first n bytes and zeroes the rest", "[simd_integer]") {
  std::mt19937_64 generator(2);
  for (std::size_t n = 1; n < width; ++n) {
    const bytes values = rows::random_values<std::uint8_t>(n, generator);
    bytes expected = values;
    expected.resize(width);
    REQUIRE(elements<std::uint8_t>(integers::load_partial(values.data(), n)) == expected);
  }
}

TEST_CASE("the scalar load_partial takes the first n bytes and zeroes the rest", "[simd_integer]") {
  const bytes values(scalar_integers::bytes, 7);
  for (std::size_t n = 1; n < scalar_integers::bytes; ++n) {
    bytes expected(scalar_integers::bytes);
    std::fill_n(expected.begin(), n, std::uint8_t{7});
    REQUIRE(elements<std::uint8_t>(scalar_integers::load_partial(values.data(), n)) == expected);
  }
}

TEST_CASE("flip_sign does as its scalar meaning", "[simd_integer]") {
  for_many_bytes([](const bytes& a, const bytes& b) {
    REQUIRE(elements<std::uint8_t>(integers::flip_sign(integers::load(a.data()))) ==
            scalar_bytes(a, b, [](auto x, auto) { return scalar_integers::flip_sign(x); }));
  });
}

TEST_CASE("absolute_difference does as its scalar meaning", "[simd_integer]") {
  for_many_bytes([](const bytes& a, const bytes& b) {
    REQUIRE(elements<std::uint8_t>(integers::absolute_difference(integers::load(a.data()), integers::load(b.data()))) ==
            scalar_bytes(a, b, [](auto x, auto y) { return scalar_integers::absolute_difference(x, y); }));
  });
}

TEST_CASE("maximum does as its scalar meaning", "[simd_integer]") {
  for_many_bytes([](const bytes& a, const bytes& b) {
    REQUIRE(elements<std::uint8_t>(integers::maximum(integers::load(a.data()), integers::load(b.data()))) ==
            scalar_bytes(a, b, [](auto x, auto y) { return scalar_integers::maximum(x, y); }));
  });
}

TEST_CASE("exclusive_or does as its scalar meaning", "[simd_integer]") {
  for_many_bytes([](const bytes& a, const bytes& b) {
    REQUIRE(elements<std::uint8_t>(integers::exclusive_or(integers::load(a.data()), integers::load(b.data()))) ==
            scalar_bytes(a, b, [](auto x, auto y) { return scalar_integers::exclusive_or(x, y); }));
  });
}

TEST_CASE("popcount does as its scalar meaning", "[simd_integer]") {
  for_many_bytes([](const bytes& a, const bytes& b) {
    REQUIRE(elements<std::uint8_t>(integers::popcount(integers::load(a.data()))) ==
            scalar_bytes(a, b, [](auto x, auto) { return scalar_integers::popcount(x); }));
  });
}

TEMPLATE_TEST_CASE("both halves widened hold every byte once, in an order that may interleave", "[simd_integer]",
                   std::uint8_t, std::int8_t) {
  for_many_bytes([](const bytes& a, const bytes&) {
    shorts found = widened<TestType>(a), expected = scalar_widened<TestType>(a);
    std::sort(found.begin(), found.end());
    std::sort(expected.begin(), expected.end());
    REQUIRE(found == expected);
  });
}

TEMPLATE_TEST_CASE("widening puts two vectors in the same order", "[simd_integer]", std::uint8_t, std::int8_t) {
  bytes positions(width);
  for (std::size_t i = 0; i < width; ++i) positions[i] = static_cast<std::uint8_t>(i);
  const shorts order = widened<TestType>(positions);
  for_many_bytes([&](const bytes& a, const bytes&) {
    const shorts found = widened<TestType>(a), in_order = scalar_widened<TestType>(a);
    shorts expected;
    for (const auto i : order) expected.push_back(in_order[static_cast<std::size_t>(i)]);
    REQUIRE(found == expected);
  });
}

TEST_CASE("the scalar meaning widens in memory order, with the sign of its type", "[simd_integer]") {
  const bytes values{0, 1, 127, 128, 129, 254, 255, 3, 4, 5, 200, 7, 8, 9, 10, 11};
  const auto v = scalar_integers::load(values.data());
  using part = scalar_integers::shorts_type;
  CHECK(scalar_integers::widen_low<std::uint8_t>(v) == part{0, 1, 127, 128, 129, 254, 255, 3});
  CHECK(scalar_integers::widen_high<std::uint8_t>(v) == part{4, 5, 200, 7, 8, 9, 10, 11});
  CHECK(scalar_integers::widen_low<std::int8_t>(v) == part{0, 1, 127, -128, -127, -2, -1, 3});
  CHECK(scalar_integers::widen_high<std::int8_t>(v) == part{4, 5, -56, 7, 8, 9, 10, 11});
}

TEST_CASE("multiply_add does as its scalar meaning, also where sums wrap", "[simd_integer]") {
  std::mt19937_64 generator(3);
  for (int repetition = 0; repetition < 50; ++repetition) {
    const bool extreme = repetition == 0;  // -32768 squared twice is 2^31
    const shorts a = extreme ? shorts(width / 2, -32768) : random_shorts(generator);
    const shorts b = extreme ? shorts(width / 2, -32768) : random_shorts(generator);
    auto sum = integers::zero();
    for (int times = 0; times < 5; ++times)
      sum = integers::multiply_add(sum, integers::load_shorts(a.data()), integers::load_shorts(b.data()));

    std::vector<std::int32_t> expected;
    for (std::size_t i = 0; i < width / 2; i += 8) {
      auto part = scalar_integers::zero();
      for (int times = 0; times < 5; ++times)
        part = scalar_integers::multiply_add(part, scalar_integers::load_shorts(&a[i]),
                                             scalar_integers::load_shorts(&b[i]));
      expected.insert(expected.end(), part.begin(), part.end());
    }
    REQUIRE(elements<std::int32_t>(sum) == expected);
  }
}

TEST_CASE("the scalar multiply_add sums neighbouring products", "[simd_integer]") {
  const shorts a{1, 2, 3, 4, -5, 6, 7, 8}, b{10, 20, 30, 40, 50, -60, 70, 80};
  const auto sum = scalar_integers::multiply_add({1000, 2000, 3000, 4000}, scalar_integers::load_shorts(a.data()),
                                                 scalar_integers::load_shorts(b.data()));
  CHECK(sum == scalar_integers::sums_type{1050, 2250, 2390, 5130});
}

TEST_CASE("add_bytes adds every byte once to the reduced sum", "[simd_integer]") {
  for_many_bytes([](const bytes& a, const bytes& b) {
    auto sum = integers::add_bytes(integers::zero(), integers::load(a.data()));
    sum = integers::add_bytes(sum, integers::load(b.data()));
    std::uint32_t expected = 0;
    for (std::size_t i = 0; i < width; ++i) expected += static_cast<std::uint32_t>(a[i] + b[i]);
    REQUIRE(integers::reduce(sum) == expected);
  });
}

TEST_CASE("the scalar add_bytes adds every byte once to the reduced sum", "[simd_integer]") {
  const bytes values{255, 1, 2, 3, 255, 5, 6, 7, 255, 9, 10, 11, 255, 13, 14, 15};
  const auto sum = scalar_integers::add_bytes(scalar_integers::zero(), scalar_integers::load(values.data()));
  CHECK(scalar_integers::reduce(sum) == 4 * 255 + 96);
}

TEST_CASE("add and reduce work modulo 2^32", "[simd_integer]") {
  const shorts most(width / 2, -32768);
  const auto big = integers::multiply_add(integers::zero(), integers::load_shorts(most.data()),
                                          integers::load_shorts(most.data()));  // 2^31 in each of width / 4 lanes
  CHECK(integers::reduce(big) == 0);
  CHECK(elements<std::int32_t>(integers::add(big, big)) == std::vector<std::int32_t>(width / 4));
}

TEST_CASE("reduce adds all lanes", "[simd_integer]") {
  for (std::size_t lane = 0; lane < width / 4; ++lane) {
    shorts a(width / 2), ones(width / 2, 1);
    a[2 * lane] = 77;
    const auto sum =
        integers::multiply_add(integers::zero(), integers::load_shorts(a.data()), integers::load_shorts(ones.data()));
    CHECK(integers::reduce(sum) == 77);
  }
}

TEST_CASE("broadcast_word puts 32 bits, as they lie in memory, in every lane", "[simd_integer]") {
  const shorts pair{-7, 300};
  std::int32_t word = 0;
  std::memcpy(&word, pair.data(), sizeof word);
  shorts expected;
  while (expected.size() < width / 2) expected.insert(expected.end(), pair.begin(), pair.end());
  CHECK(elements<std::int16_t>(integers::broadcast_word(word)) == expected);
  expected.resize(8);
  CHECK(elements<std::int16_t>(scalar_integers::broadcast_word(word)) == expected);
}

TEST_CASE("broadcast_sum puts a sum in every lane", "[simd_integer]") {
  using sums = std::vector<std::int32_t>;
  CHECK(elements<std::int32_t>(integers::broadcast_sum(-123456)) == sums(width / 4, -123456));
  CHECK(elements<std::int32_t>(scalar_integers::broadcast_sum(-123456)) == sums(4, -123456));
}

TEST_CASE("load_words takes words in memory order", "[simd_integer]") {
  std::mt19937_64 generator(4);
  std::vector<std::int32_t> words(width / 4);
  for (auto& x : words) x = static_cast<std::int32_t>(generator());
  CHECK(elements<std::int32_t>(integers::load_words(words.data())) == words);
  words.resize(4);
  CHECK(elements<std::int32_t>(scalar_integers::load_words(words.data())) == words);
}

TEST_CASE("store writes the sums and nothing past them", "[simd_integer]") {
  const shorts a(width / 2, 3);
  const auto sums =
      integers::multiply_add(integers::zero(), integers::load_shorts(a.data()), integers::load_shorts(a.data()));
  std::vector<std::int32_t> found(width / 4 + 2, -1), expected(width / 4 + 2, 18);
  expected.front() = expected.back() = -1;
  integers::store(found.data() + 1, sums);
  CHECK(found == expected);
}

TEST_CASE("least and greatest compare sums as signed numbers, lane by lane", "[simd_integer]") {
  using sums = std::vector<std::int32_t>;
  constexpr std::int32_t lowest = std::numeric_limits<std::int32_t>::min(),
                         highest = std::numeric_limits<std::int32_t>::max();
  const auto check = []<class Integers>(Integers, const sums& a, const sums& b) {
    const std::size_t lanes = Integers::bytes / 4;
    sums least, greatest;
    for (std::size_t i = 0; i < lanes; ++i) {
      least.push_back(std::min(a[i], b[i]));
      greatest.push_back(std::max(a[i], b[i]));
    }
    const auto as_sums = [](const sums& words) {
      typename Integers::sums_type v;
      std::memcpy(&v, words.data(), sizeof v);
      return v;
    };
    REQUIRE(elements<std::int32_t>(Integers::least(as_sums(a), as_sums(b))) == least);
    REQUIRE(elements<std::int32_t>(Integers::greatest(as_sums(a), as_sums(b))) == greatest);
    REQUIRE(elements<std::int32_t>(Integers::where_less(as_sums(a), as_sums(b), as_sums(a), as_sums(b))) == least);
    REQUIRE(elements<std::int32_t>(Integers::where_less(as_sums(a), as_sums(b), as_sums(b), as_sums(a))) == greatest);
  };
  const auto check_both = [&](const sums& a, const sums& b) {
    check(integers{}, a, b);
    check(scalar_integers{}, a, b);
  };
  std::mt19937_64 generator(5);
  for (int repetition = 0; repetition < 50; ++repetition) {
    sums a(width / 4), b(width / 4);
    for (auto* values : {&a, &b})
      for (auto& x : *values) x = static_cast<std::int32_t>(generator());
    check_both(a, b);
  }
  for (const auto a : {lowest, -1, 0, 1, highest})
    for (const auto b : {lowest, -1, 0, 1, highest}) check_both(sums(width / 4, a), sums(width / 4, b));
}

TEST_CASE("store_shorts rounds to even, saturates, and writes its lanes and nothing past them", "[simd_integer]") {
  using batch = annulus::simd::batch<float>;
  constexpr std::size_t lanes = annulus::simd::lanes<float>;
  const std::vector<std::pair<float, std::int16_t>> cases{
      {0.0f, 0},         {-0.0f, 0},        {0.5f, 0},         {1.5f, 2},           {2.5f, 2},
      {-0.5f, 0},        {-1.5f, -2},       {-2.5f, -2},       {0.49f, 0},          {0.51f, 1},
      {-7.0f, -7},       {300.25f, 300},    {32639.6f, 32640}, {-32640.0f, -32640}, {32766.7f, 32767},
      {32767.0f, 32767}, {32767.5f, 32767}, {40000.0f, 32767}, {-32768.0f, -32768}, {-32769.0f, -32768},
      {1e9f, 32767},     {-1e9f, -32768}};
  for (std::size_t first = 0; first < cases.size(); ++first) {
    alignas(64) float values[lanes];
    shorts found(lanes + 2, 99), expected(lanes + 2, 99);
    for (std::size_t i = 0; i < lanes; ++i) {
      values[i] = cases[(first + i) % cases.size()].first;
      expected[i + 1] = cases[(first + i) % cases.size()].second;
    }
    annulus::simd::store_shorts(found.data() + 1, batch::load_aligned(values));
    REQUIRE(found == expected);
  }
}

TEST_CASE("transpose_4x4 exchanges rows and columns, whatever their strides", "[simd_integer]") {
  std::vector<std::int32_t> rows(3 * 5 + 4), found(3 * 7 + 4, -1), expected = found;
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int32_t>(i);
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 4; ++j) expected[j * 7 + i] = rows[i * 5 + j];
  annulus::simd::transpose_4x4(rows.data(), 5, found.data(), 7);
  CHECK(found == expected);
}

// A template, as not every build has this function.
TEMPLATE_TEST_CASE("multiply_add_bytes is exact where the build has it", "[simd_integer]", integers) {
  constexpr bool has_it = requires(typename TestType::sums_type sum, typename TestType::bytes_type v) {
    TestType::multiply_add_bytes(sum, v, v);
  };
  STATIC_REQUIRE(has_it == annulus::simd::has_byte_products);
  if constexpr (has_it)
    for_many_bytes([](const bytes& a, const bytes& b) {
      std::vector<std::int32_t> expected(width / 4, 1000);
      for (std::size_t i = 0; i < width; ++i)
        expected[i / 4] += static_cast<annulus::simd::first_factor>(a[i]) * static_cast<std::int8_t>(b[i]);
      const auto sum = TestType::multiply_add_bytes(TestType::broadcast_sum(1000), TestType::load(a.data()),
                                                    TestType::load(b.data()));
      REQUIRE(elements<std::int32_t>(sum) == expected);
    });
}

namespace {

/// Whether add_byte_products adds the products of bytes of types A and B, modulo 2^32, to what the lanes held.
template <class A, class B, class Integers>
void check_byte_products() {
  using annulus::simd::add_byte_products;
  for_many_bytes([](const bytes& a, const bytes& b) {
    for (const std::int32_t start : {0, -7, std::numeric_limits<std::int32_t>::max()}) {
      auto sum = Integers::broadcast_sum(start);
      auto expected = static_cast<std::uint32_t>(start) * static_cast<std::uint32_t>(Integers::bytes / 4);
      for (std::size_t i = 0; i < Integers::bytes; ++i)
        expected += static_cast<std::uint32_t>(static_cast<A>(a[i]) * static_cast<B>(b[i]));
      sum = add_byte_products<A, B, Integers>(sum, Integers::load(a.data()), Integers::load(b.data()));
      REQUIRE(Integers::reduce(sum) == expected);
    }
  });
}

}  // namespace

TEMPLATE_TEST_CASE("products of bytes of either type are added to the sums", "[simd_integer]", integers,
                   scalar_integers) {
  check_byte_products<std::uint8_t, std::uint8_t, TestType>();
  check_byte_products<std::int8_t, std::int8_t, TestType>();
  check_byte_products<std::uint8_t, std::int8_t, TestType>();
}
