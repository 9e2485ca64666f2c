#pragma once

// A small point set for each family of hash functions, with parameters under which buckets hold some of the rows.

#include <annulus/lsh/families/bit_sampling.hpp>
#include <annulus/lsh/families/cross_polytope.hpp>
#include <annulus/lsh/families/minhash.hpp>
#include <annulus/lsh/families/p_stable.hpp>
#include <annulus/lsh/families/sign_random_projection.hpp>
#include <annulus/lsh/families/simple_mips.hpp>

#include "lsh/indexes.hpp"

namespace lsh_tests {

/// Rows of lengths from half to one and a half.
template <class T>
matrix<T> of_several_lengths(matrix<T> rows, std::uint64_t seed) {
  const counter_random random(seed, 2);
  for (std::size_t i = 0; i < rows.rows(); ++i)
    for (T& x : rows.row(i)) x *= static_cast<T>(0.5 + random.uniform(i));
  return rows;
}

/// f(family, rows, parameters), of n rows about centres that each have some ten.
template <class F>
void for_every_family(std::size_t n, std::uint64_t seed, F f) {
  const auto floats = clusters<float>(n, 10, n / 10, seed);
  const auto doubles = clusters<double>(n, 7, n / 10, seed);
  f(annulus::sign_random_projection{}, floats, annulus::lsh_params{.n_projections = 9, .n_tables = 5, .seed = seed});
  f(annulus::sign_random_projection{}, doubles, annulus::lsh_params{.n_projections = 6, .n_tables = 5, .seed = seed});
  f(annulus::cross_polytope{}, floats, annulus::lsh_params{.n_projections = 8, .n_tables = 5, .seed = seed});
  f(annulus::p_stable_l2{}, floats, annulus::lsh_params{.n_projections = 6, .n_tables = 5, .seed = seed});
  f(annulus::p_stable_l1{}, doubles, annulus::lsh_params{.n_projections = 5, .n_tables = 5, .seed = seed});
  f(annulus::simple_mips{}, of_several_lengths(floats, seed),
    annulus::lsh_params{.n_projections = 6, .n_tables = 6, .seed = seed});
  f(annulus::bit_sampling{}, bit_clusters(n, 8, n / 10, seed),
    annulus::lsh_params{.n_projections = 12, .n_tables = 5, .seed = seed});
  f(annulus::minhash{}, set_clusters(n, n / 10, seed),
    annulus::lsh_params{.n_projections = 2, .n_tables = 5, .seed = seed});
}

}  // namespace lsh_tests
