#pragma once

// What tests of whole reductions check for each type of elements.

#include <annulus/approx_top_k/approx_min_k.hpp>

#include "approx_top_k/operands.hpp"
#include "catch.hpp"

#include "precise.hpp"

namespace reductions {

using annulus::approx_top_k_params;
using annulus::top_k_result;

/// Whether the result is what a sort gives: values and indices in order, ties by lowest index, NaN last.
template <bool Largest, class T>
bool is_exact(const top_k_result<T>& result, const std::vector<T>& values, std::size_t k) {
  return result.indices == operands::k_best<Largest>(values, k) &&
         operands::are_values_at(result.values, values, result.indices);
}

template <class T>
bool both_are_exact(const std::vector<T>& values, std::size_t k, std::size_t threads = 1) {
  const approx_top_k_params params{.recall_target = 1, .threads = threads};
  return is_exact<false>(approx_min_k(values, k, params), values, k) &&
         is_exact<true>(approx_max_k(values, k, params), values, k);
}

/// By a recall target of 1, rows of every length up to 300, and a few longer ones.
template <class T>
void check_every_length() {
  std::mt19937_64 generator(1);
  std::size_t wrong = 0;
  for (std::size_t n = 1; n <= 300; ++n) {
    const std::size_t k = 1 + generator() % n;
    wrong += !both_are_exact(operands::random_values<T>(n, generator), k);
    wrong += !both_are_exact(operands::tied_values<T>(n, generator), k);
  }
  for (const std::size_t n : {1000u, 4097u, 10007u, 30000u})
    for (const std::size_t k : {1u, 10u, 400u, 1000u}) {
      wrong += !both_are_exact(operands::random_values<T>(n, generator), k);
      wrong += !both_are_exact(operands::tied_values<T>(n, generator), k);
    }
  CHECK(wrong == 0);
}

template <class T>
bool equal(const top_k_result<T>& a, const top_k_result<T>& b) {
  return a.values == b.values && a.indices == b.indices;
}

/// A plan made before finds what a call finds, along either dimension, with aggregation and without.
template <class T>
void check_plan() {
  std::mt19937_64 generator(9);
  annulus::approx_top_k_scratch<T> scratch;
  for (const bool aggregate : {true, false})
    for (const std::ptrdiff_t dimension : {0, 1})
      for (const std::size_t n : {40u, 3000u}) {
        const std::size_t others = 7, k = 20;
        const auto values = std::make_unique<T[]>(others * n);
        for (std::size_t i = 0; i < others * n; ++i) values[i] = static_cast<T>(generator() % 1000);
        const auto shape = dimension == 1 ? std::vector<std::size_t>{others, n} : std::vector<std::size_t>{n, others};
        const annulus::tensor_view<T> tensor(values.get(), shape);
        const approx_top_k_params params{
            .reduction_dimension = dimension, .aggregate_to_topk = aggregate, .threads = 1};
        const auto plan = annulus::plan_approx_top_k(n, k, params, 2);
        const auto smallest = approx_min_k(tensor, k, params), largest = approx_max_k(tensor, k, params);
        CHECK(equal(approx_min_k(tensor, plan), smallest));
        CHECK(equal(approx_max_k(tensor, plan), largest));
        const std::size_t size = others * plan.output_size;
        const auto found = std::make_unique<T[]>(size);
        operands::places at(size);
        approx_min_k(tensor, plan, std::span(found.get(), size), at, scratch);
        CHECK(at == smallest.indices);
        CHECK(std::equal(smallest.values.begin(), smallest.values.end(), found.get()));
        approx_max_k(tensor, plan, std::span(found.get(), size), at, scratch);
        CHECK(at == largest.indices);
        CHECK(std::equal(largest.values.begin(), largest.values.end(), found.get()));
      }
}

}  // namespace reductions

#include <annulus/core/base/macros_on.hpp>
