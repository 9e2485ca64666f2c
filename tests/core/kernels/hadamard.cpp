#include <annulus/core/kernels/hadamard.hpp>

#include "catch.hpp"

using namespace annulus;
using detail::hadamard_rotations;
using detail::hadamard_transform;
using floats = detail::aligned_vector<float>;

namespace {

/// Whole numbers, small enough that all sums of a transform are exact.
floats small_numbers(std::size_t size, std::uint64_t seed) {
  floats x(size);
  for (std::size_t i = 0; i < size; ++i) x[i] = static_cast<float>(counter_random(seed).below(i, 17)) - 8;
  return x;
}

floats by_definition(const floats& x) {
  floats y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t j = 0; j < x.size(); ++j) y[i] += std::popcount(i & j) % 2 == 0 ? x[j] : -x[j];
  return y;
}

floats rotated(const hadamard_rotations& rotations, std::size_t number, const floats& x) {
  floats y(x.size());
  rotations.apply(number, x.data(), y.data());
  return y;
}

/// The signs of a rotation of one round: its products with unit vectors have one sign and 1 for all coordinates but
/// those of the transform.
floats signs_of(const hadamard_rotations& rotations, std::size_t number) {
  floats signs(rotations.size());
  for (std::size_t i = 0; i < signs.size(); ++i) {
    floats unit(signs.size());
    unit[i] = 1;
    signs[i] = rotated(rotations, number, unit)[0];
  }
  return signs;
}

double norm(const floats& x) {
  double sum = 0;
  for (const float v : x) sum += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(sum);
}

}  // namespace

TEST_CASE("the transform is what its definition says, at every size", "[hadamard]") {
  for (std::size_t size = 16; size <= 1024; size *= 2) {
    const floats x = small_numbers(size, size);
    floats y = x;
    hadamard_transform(y.data(), size);
    CAPTURE(size);
    REQUIRE(y == by_definition(x));
  }
}

TEST_CASE("the transform applied twice multiplies by the size", "[hadamard]") {
  for (std::size_t size = 16; size <= 16384; size *= 2) {
    const floats x = small_numbers(size, size);
    floats y = x;
    hadamard_transform(y.data(), size);
    hadamard_transform(y.data(), size);
    floats expected = x;
    for (float& v : expected) v *= static_cast<float>(size);
    CAPTURE(size);
    REQUIRE(y == expected);
  }
}

TEST_CASE("a rotation of one round is the transform after flips of signs", "[hadamard]") {
  for (const std::size_t size : {16u, 64u, 128u, 512u, 1024u}) {
    const hadamard_rotations rotations(size, 1, 3, 5);
    for (const std::size_t number : {0u, 2u}) {
      const floats signs = signs_of(rotations, number), x = small_numbers(size, 1);
      floats expected = x;
      for (std::size_t i = 0; i < size; ++i) {
        REQUIRE(std::abs(signs[i]) == 1);
        expected[i] *= signs[i];
      }
      hadamard_transform(expected.data(), size);
      CAPTURE(size, number);
      REQUIRE(rotated(rotations, number, x) == expected);
    }
  }
}

TEST_CASE("rounds follow each other, each with signs of its own", "[hadamard]") {
  for (const std::size_t size : {16u, 128u, 256u, 2048u}) {
    const hadamard_rotations three(size, 3, 2, 9), single(size, 1, 6, 9);
    const floats x = small_numbers(size, 2);
    for (std::size_t number = 0; number < 2; ++number) {
      floats expected = x;
      for (std::size_t round = 0; round < 3; ++round) expected = rotated(single, 3 * number + round, expected);
      CAPTURE(size, number);
      REQUIRE(rotated(three, number, x) == expected);
    }
  }
}

TEST_CASE("rotations keep lengths but for a power of the square root of the size", "[hadamard]") {
  for (const std::size_t size : {16u, 32u, 256u, 4096u})
    for (const std::size_t n_rounds : {1u, 3u, 8u}) {
      floats x(size);
      for (std::size_t i = 0; i < size; ++i) x[i] = static_cast<float>(counter_random(3).normal(i));
      const hadamard_rotations rotations(size, n_rounds, 2, 1);
      const double scale = std::pow(static_cast<double>(size), 0.5 * static_cast<double>(n_rounds));
      CAPTURE(size, n_rounds);
      CHECK(norm(rotated(rotations, 1, x)) == Approx(scale * norm(x)).epsilon(1e-5));
    }
}

TEST_CASE("a rotation depends on the seed and its number, not on how many there are", "[hadamard]") {
  const floats x = small_numbers(128, 4);
  const hadamard_rotations few(128, 3, 2, 7), many(128, 3, 9, 7), other_seed(128, 3, 2, 8);
  CHECK(rotated(few, 1, x) == rotated(many, 1, x));
  CHECK(rotated(few, 1, x) != rotated(few, 0, x));
  CHECK(rotated(few, 1, x) != rotated(other_seed, 1, x));
}

TEST_CASE("signs are balanced, and independent between coordinates and rotations", "[hadamard]") {
  constexpr std::size_t size = 1024, count = 4;
  const hadamard_rotations rotations(size, 1, count, 11);
  std::vector<floats> signs;
  for (std::size_t number = 0; number < count; ++number) signs.push_back(signs_of(rotations, number));
  const auto product = [](const floats& a, const floats& b, std::size_t shift) {
    float sum = 0;
    for (std::size_t i = 0; i < size; ++i) sum += a[i] * b[(i + shift) % size];
    return std::abs(sum);
  };
  const float bound = 5 * std::sqrt(static_cast<float>(size));
  for (std::size_t a = 0; a < count; ++a) {
    CHECK(product(signs[a], floats(size, 1), 0) < bound);
    for (std::size_t shift = 1; shift <= 64; ++shift) CHECK(product(signs[a], signs[a], shift) < bound);
    for (std::size_t b = 0; b < a; ++b)
      for (std::size_t shift = 0; shift < size; ++shift) CHECK(product(signs[a], signs[b], shift) < bound);
  }
}

TEST_CASE("rotations read and write at any alignment, and nothing beyond their size", "[hadamard]") {
  for (const std::size_t size : {16u, 128u, 1024u}) {
    const floats x = small_numbers(size, 6);
    const hadamard_rotations rotations(size, 2, 1, 1);
    const floats expected = rotated(rotations, 0, x);
    for (std::size_t shift = 1; shift < 4; ++shift) {
      std::vector<float> from(size + shift), to(size + 2 * shift, 0.5f);
      std::copy(x.begin(), x.end(), from.begin() + static_cast<std::ptrdiff_t>(shift));
      rotations.apply(0, from.data() + shift, to.data() + shift);
      CHECK(std::equal(expected.begin(), expected.end(), to.begin() + static_cast<std::ptrdiff_t>(shift)));
      CHECK(std::count(to.begin(), to.begin() + static_cast<std::ptrdiff_t>(shift), 0.5f) ==
            static_cast<std::ptrdiff_t>(shift));
      CHECK(std::count(to.end() - static_cast<std::ptrdiff_t>(shift), to.end(), 0.5f) ==
            static_cast<std::ptrdiff_t>(shift));
    }
  }
}

TEST_CASE("dense and one-hot rows are spread over all coordinates by three rounds", "[hadamard]") {
  // The fourth moment of standard normals is 3; of one round it is 1 (a one-hot row) or 16 (a row of one sign).
  constexpr std::size_t size = 256, count = 60;
  const hadamard_rotations rotations(size, 3, count, 2);
  for (const bool is_dense : {false, true}) {
    floats x(size, is_dense ? 1.0f : 0.0f);
    x[5] = 1;
    const double scale = std::pow(static_cast<double>(size), 1.0) * norm(x);
    double fourth = 0;
    for (std::size_t number = 0; number < count; ++number)
      for (const float y : rotated(rotations, number, x)) fourth += std::pow(static_cast<double>(y) / scale, 4);
    CAPTURE(is_dense);
    CHECK(fourth / (size * count) == Approx(3).epsilon(0.1));
  }
}
