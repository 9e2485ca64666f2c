#pragma once

// What the tests of accumulators check for each type of elements.

#include <annulus/approx_top_k/accumulator.hpp>

#include "approx_top_k/operands.hpp"
#include "catch.hpp"

#include "precise.hpp"

namespace accumulators {

using annulus::approx_top_k_accumulator;
using annulus::approx_top_k_params;
using annulus::top_k_result;

/// Pushes all values to `parts` accumulators, cut at random into blocks of up to `longest` that come in random order,
/// and merges them in random order.
template <bool Largest, class T>
approx_top_k_accumulator<T, Largest> accumulate(const std::vector<T>& values,
                                                const approx_top_k_accumulator<T, Largest>& empty, std::size_t longest,
                                                std::size_t parts, std::mt19937_64& generator, std::int64_t base = 0) {
  std::vector<std::pair<std::size_t, std::size_t>> blocks;
  for (std::size_t first = 0; first < values.size(); first += blocks.back().second)
    blocks.emplace_back(first, std::min<std::size_t>(1 + generator() % longest, values.size() - first));
  std::shuffle(blocks.begin(), blocks.end(), generator);
  std::vector<approx_top_k_accumulator<T, Largest>> accumulators(parts, empty);
  for (const auto& [first, size] : blocks) {
    const std::vector<T> block(values.begin() + static_cast<std::ptrdiff_t>(first),
                               values.begin() + static_cast<std::ptrdiff_t>(first + size));
    accumulators[generator() % parts].push(block, base + static_cast<std::int64_t>(first));
  }
  while (accumulators.size() > 1) {
    std::shuffle(accumulators.begin(), accumulators.end(), generator);
    accumulators.front().merge(accumulators.back());
    accumulators.pop_back();
  }
  return accumulators.front();
}

/// The same bits, where NaN and the sign of zero have but one form.
template <class T>
bool same(const top_k_result<T>& a, const top_k_result<T>& b) {
  return a.indices == b.indices && a.values.size() == b.values.size() &&
         std::memcmp(a.values.data(), b.values.data(), a.values.size() * sizeof(T)) == 0;
}

/// The result of many ways to push the same values is the same; returns it.
template <bool Largest, class T>
top_k_result<T> one_result(const std::vector<T>& values, const approx_top_k_accumulator<T, Largest>& empty,
                           std::int64_t base = 0) {
  std::mt19937_64 generator(1);
  auto whole = empty;
  whole.push(values, base);
  const auto expected = whole.finish();
  for (const std::size_t longest : {1u, 100u, 3000u, 20000u})
    for (const std::size_t parts : {1u, 2u, 5u}) {
      CAPTURE(longest, parts);
      CHECK(same(accumulate(values, empty, longest, parts, generator, base).finish(), expected));
    }
  return expected;
}

template <class T>
void check_exact(const std::vector<T>& values, std::size_t k) {
  const auto smallest = one_result(values, approx_top_k_accumulator<T>(values.size(), k, {.recall_target = 1}));
  const auto largest = one_result(values, approx_top_k_accumulator<T, true>(values.size(), k, {.recall_target = 1}));
  CHECK(smallest.indices == operands::k_best<false>(values, k));
  CHECK(largest.indices == operands::k_best<true>(values, k));
  CHECK(operands::are_values_at(smallest.values, values, smallest.indices));
  CHECK(operands::are_values_at(largest.values, values, largest.indices));
}

template <class T>
void check_cuts() {
  std::mt19937_64 generator(2);
  const std::size_t n = 30011;
  for (const std::size_t k : {20u, 300u}) {
    const approx_top_k_params params{.recall_target = 0.9};
    for (const auto& values : {operands::random_values<T>(n, generator), operands::tied_values<T>(n, generator)}) {
      const auto smallest = one_result(values, approx_top_k_accumulator<T>(n, k, params));
      CHECK(smallest.indices == operands::k_best(values, k));
      CHECK(operands::are_values_at(smallest.values, values, smallest.indices));
      const auto largest = one_result(values, approx_top_k_accumulator<T, true>(n, k, params));
      CHECK(largest.indices == operands::k_best<true>(values, k));
      CHECK(operands::are_values_at(largest.values, values, largest.indices));
    }
  }
}

/// Indices up to the largest are taken, and larger ones refused by name.
template <class T>
void check_last_indices() {
  std::mt19937_64 generator(7);
  constexpr std::int64_t limit = std::numeric_limits<std::int64_t>::max();
  const auto values = operands::random_values<T>(20000, generator);
  approx_top_k_accumulator<T> empty(20000, 50);
  auto expected = operands::k_best(values, 50);
  for (std::int64_t& i : expected) i += limit - 20000;
  CHECK(one_result(values, empty, limit - 20000).indices == expected);
  CHECK_THROWS_AS(empty.push(values, limit - 19999), std::invalid_argument);
  CHECK_THROWS_WITH(empty.push(values, limit - 19999), ContainsSubstring("base_index = ") &&
                                                           ContainsSubstring("20000") &&
                                                           ContainsSubstring(std::to_string(limit)));
  CHECK_THROWS_WITH(empty.push(values, -1), ContainsSubstring("base_index = -1: must not be negative"));
  CHECK_THROWS_AS(empty.push(values, limit), std::invalid_argument);
  CHECK(empty.finish().indices.empty());
}

}  // namespace accumulators

#include <annulus/core/base/macros_on.hpp>
