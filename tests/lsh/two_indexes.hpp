#pragma once

// An index of hyperplanes and one of lines over the same rows, and what a search of them can be asked.

#include <annulus/lsh/families/p_stable.hpp>
#include <annulus/lsh/families/sign_random_projection.hpp>

#include "lsh/indexes.hpp"

namespace lsh_tests {

using annulus::lsh_index;
using annulus::lsh_params;
using annulus::lsh_search_params;

using float_rows = matrix<float>;
using cosine_index = lsh_index<float_rows, annulus::sign_random_projection>;
using euclidean_index = lsh_index<float_rows, annulus::p_stable_l2>;

inline const split<float_rows>& data() {
  static const split made(clusters<float>(1560, 16, 30, 1), 60);
  return made;
}

inline const lsh_params short_keys{.n_projections = 7, .n_tables = 6, .seed = 3};

inline const cosine_index& by_cosine() {
  static const cosine_index made(data().rows, {}, short_keys);
  return made;
}
inline const euclidean_index& by_distance() {
  static const euclidean_index made(data().rows, {.width = 20}, short_keys);
  return made;
}

/// What a search can be asked.
inline const std::vector<lsh_search_params>& requests() {
  static const std::vector<lsh_search_params> made{{},
                                                   {.n_probes = 3},
                                                   {.n_probes = 40},
                                                   {.n_probes = 200, .max_candidates = 50},
                                                   {.recall_target = 0.8},
                                                   {.n_probes = 60, .filter = [](id_type id) { return id % 3 == 1; }}};
  return made;
}

/// f(index) for an index of each metric.
template <class F>
void for_both(F f) {
  f(by_cosine());
  f(by_distance());
}

}  // namespace lsh_tests
