#pragma once

// build_knn_graph beside brute force as plainly as it can be written, for every metric and element type that the tests
// share, and data to build graphs of.

#include <annulus/nndescent/graph/knn_graph.hpp>

#include "knn/searches.hpp"

namespace graphs {

using annulus::id_type;
using annulus::matrix;
using annulus::neighbors;
using annulus::nndescent_params;
using annulus::no_id;
using searches::same_bits;

constexpr float infinity = std::numeric_limits<float>::infinity(),
                not_a_number = std::numeric_limits<float>::quiet_NaN();

/// One metric over rows of T. Each is compiled in one unit only.
template <class T>
struct builder {
  std::string_view metric;
  bool has_codes;  ///< whether graphs are built from 8-bit codes where those are fine enough
  neighbors (*build)(const matrix<T>& data, const nndescent_params& params);
  neighbors (*rebuild)(const matrix<T>& data, const nndescent_params& params, const neighbors& initial);
  /// The k nearest others of rows 0, every, 2 every, ..., by the metric of every pair.
  neighbors (*naive)(const matrix<T>& data, std::size_t k, std::size_t every);
  double (*estimate)(const neighbors& graph, const matrix<T>& data, std::size_t n_samples);
};

/// All metrics tested over rows of T, of which each unit that is compiled adds its own.
template <class T>
std::vector<builder<T>>& all() {
  static std::vector<builder<T>> added;
  return added;
}
template <class T>
bool add(const std::vector<builder<T>>& some) {
  all<T>().insert(all<T>().end(), some.begin(), some.end());
  return true;
}

template <class T>
const builder<T>& by(std::string_view metric) {
  const auto found = std::ranges::find(all<T>(), metric, &builder<T>::metric);
  if (found == all<T>().end()) throw std::out_of_range("no graph by this metric over these types is compiled here");
  return *found;
}

/// A coordinate of size about 1 as T holds it: bytes take steps of 1/20.
template <class T>
T coordinate(double x) {
  if constexpr (annulus::detail::is_byte<T>) {
    using limits = std::numeric_limits<T>;
    const double middle = limits::min() == 0 ? 128 : 0;
    return static_cast<T>(std::clamp(std::round(middle + 20 * x), double{limits::min()}, double{limits::max()}));
  } else {
    return static_cast<T>(x);
  }
}

/// n rows in normal clusters of deviation 1 around centres of deviation 2.
template <class T>
matrix<T> clusters(std::size_t n, std::size_t d, std::size_t n_clusters, std::uint64_t seed) {
  const annulus::counter_random centres(seed), points(seed, 1);
  matrix<T> m(n, d);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j)
      m(i, j) = coordinate<T>(2 * centres.normal(i % n_clusters * d + j) + points.normal(i * d + j));
  return m;
}

/// The share of the naive graph's neighbours that are in `graph`, by distance.
template <class T>
double recall_of(const neighbors& graph, const builder<T>& b, const matrix<T>& data, std::size_t every) {
  const neighbors truth = b.naive(data, graph.ids.cols(), every);
  std::vector<std::size_t> numbers(truth.ids.rows());
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = i * every;
  return annulus::recall(searches::rows_of(graph, numbers), truth, graph.ids.cols());
}

/// Whether rows ascend by distance, ties by id, have padding at their ends alone, repeat no id and hold no self.
inline bool well_formed(const neighbors& graph) {
  if (!searches::well_formed(graph)) return false;
  for (std::size_t i = 0; i < graph.ids.rows(); ++i)
    for (std::size_t j = 0; j < graph.ids.cols(); ++j) {
      const id_type id = graph.ids(i, j);
      if (id == i || (id != no_id && id >= graph.ids.rows())) return false;
      if (j > 0 && graph.distances(i, j) == graph.distances(i, j - 1) && id < graph.ids(i, j - 1)) return false;
    }
  return true;
}

/// How many of a graph's entries are no_id.
inline std::size_t holes(const neighbors& graph) {
  return static_cast<std::size_t>(
      std::count(graph.ids.data(), graph.ids.data() + graph.ids.rows() * graph.ids.cols(), no_id));
}

}  // namespace graphs
