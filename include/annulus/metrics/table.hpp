#pragma once

/// \file
/// The table of metrics by name, for programs that let their users choose one, and for the documentation.

#include <annulus/core/base/errors.hpp>
#include <annulus/core/base/similar_name.hpp>

#include <algorithm>
#include <array>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// A parameter, named as in metric_params (named.hpp).
struct metric_parameter {
  std::string_view name;   ///< of the member of metric_params
  std::string_view value;  ///< the default; empty where the parameter is required
};

/// One metric. Lists end with their first empty entry. In formulas a and b are coordinates of the two rows; p and q are
/// their shares of the row's sum, F and G cumulated shares; tt, tf, ft and ff are the numbers, of n coordinates, that
/// are set in both rows, in one of them and in neither, and ne = tf + ft.
struct metric_info {
  std::string_view name;                       ///< of the type too
  std::array<std::string_view, 3> aliases;     ///< names that mean the same
  std::string_view formula;                    ///< of the distance
  std::array<metric_parameter, 2> parameters;  ///< in the order of the constructor
  bool is_metric;  ///< symmetric, 0 from a row to itself, with the triangle inequality, for all parameters
  bool dense;      ///< takes dense rows of every element type
  bool sparse;     ///< takes sparse rows
  bool bits;       ///< takes rows of packed bits
  /// How exact search compares dense rows: "products" (integer matrix products, then the kernel for the remaining
  /// candidates), "kernel" (one pass in SIMD registers), "popcount" (bits, into which dense rows are packed) or "-" (a
  /// solver).
  std::string_view simd;
  std::string_view proxy;  ///< the rank that searches compare; empty where it is the distance itself

  /// \param parameter its name \returns the parameter, or a null pointer where the metric has none of that name
  constexpr const metric_parameter* find_parameter(std::string_view parameter) const noexcept {
    for (const metric_parameter& known : parameters)
      if (!known.name.empty() && known.name == parameter) return &known;
    return nullptr;
  }
};

/// Every metric that has a name.
inline constexpr auto known_metrics = [] {
  enum : unsigned { metric = 1, dense = 2, sparse = 4, bits = 8, rows = dense | sparse };
  using names = std::array<std::string_view, 3>;
  using parameters = std::array<metric_parameter, 2>;
  constexpr auto describe = [](std::string_view name, const names& aliases, std::string_view formula,
                               const parameters& taken, unsigned is, std::string_view simd, std::string_view proxy) {
    return metric_info{
        name, aliases, formula, taken, (is & metric) != 0, (is & dense) != 0, (is & sparse) != 0, (is & bits) != 0,
        simd, proxy};
  };
  constexpr parameters none{}, p_is_1{{{"p", "1"}}}, p_is_2{{{"p", "2"}}};
  return std::array{
      describe("euclidean", {"l2"}, "sqrt(sum (a - b)^2)", none, metric | rows, "products", "its square"),
      describe("sqeuclidean", {}, "sum (a - b)^2", none, rows, "products", ""),
      describe("manhattan", {"l1", "taxicab", "cityblock"}, "sum |a - b|", none, metric | rows, "kernel", ""),
      describe("chebyshev", {"linf", "linfinity", "linfty"}, "max |a - b|", none, metric | rows, "kernel", ""),
      describe("minkowski", {}, "(sum |a - b|^p)^(1/p), p >= 1", p_is_2, metric | rows, "kernel",
               "the sum, for p = 3/2, 2, 5/2, 3, 4"),
      describe("seuclidean", {"standardised_euclidean"}, "sqrt(sum (a - b)^2 / variance)", {{{"variance", ""}}},
               metric | rows, "products", "its square"),
      describe("wminkowski", {"weighted_minkowski"}, "(sum w |a - b|^p)^(1/p), p >= 1", {{{"w", ""}, {"p", "2"}}},
               metric | rows, "kernel", "the sum, for p = 3/2, 2, 5/2, 3, 4"),
      describe("mahalanobis", {}, "sqrt((a - b)^T vinv (a - b))", {{{"vinv", ""}}}, metric | rows, "products",
               "its square"),
      describe("cosine", {}, "1 - sum a b / (|a| |b|)", none, rows, "products", ""),
      describe("inner_product", {}, "-sum a b", none, rows, "products", ""),
      describe("dot", {}, "1 - sum a b, of unit rows", none, rows, "products", "inner_product"),
      describe("correlation", {}, "cosine of rows less their means", none, rows, "products", ""),
      describe("true_angular", {}, "arccos(sum a b / (|a| |b|)) / pi", none, metric | rows, "products", "cosine"),
      describe("spearmanr", {}, "correlation of the coordinates' ranks", none, dense, "products", ""),
      describe("tsss", {}, "area of the triangle times area of the sector of a, b", none, rows, "kernel", ""),
      describe("haversine", {}, "angle between (latitude, longitude) in radians", none, metric | dense, "products",
               "the squared chord"),
      describe("canberra", {}, "sum |a - b| / (|a| + |b|)", none, metric | rows, "kernel", ""),
      describe("braycurtis", {}, "sum |a - b| / sum |a + b|", none, rows, "kernel", ""),
      describe("hellinger", {}, "sqrt(1 - sum sqrt(p q))", none, metric | rows, "products", "sum (sqrt p - sqrt q)^2"),
      describe("jensen_shannon", {"jensen-shannon"}, "KL(p, (p + q)/2)/2 + KL(q, (p + q)/2)/2", none, rows, "kernel",
               ""),
      describe("symmetric_kl", {"symmetric-kl", "symmetric_kullback_liebler", "symmetric_kullback_leibler"},
               "KL(p, q) + KL(q, p), smoothed", none, rows, "kernel", ""),
      describe("wasserstein_1d", {"wasserstein-1d", "kantorovich_1d", "kantorovich-1d"},
               "(sum |F - G|^p)^(1/p), p >= 1", p_is_1, metric | rows, "kernel", "the sum, for p = 2"),
      describe("circular_kantorovich", {"circular_wasserstein"}, "min over m of (sum |F - G - m|^p)^(1/p), p >= 1",
               p_is_1, metric | rows, "-", ""),
      describe("kantorovich", {"wasserstein"}, "least sum of P cost over plans P from p to q", {{{"cost", ""}}}, rows,
               "-", ""),
      describe("sinkhorn", {}, "sum of P cost, P of least sum of P cost - regularization entropy(P)",
               {{{"cost", ""}, {"regularization", "1"}}}, rows, "-", ""),
      describe("hamming", {}, "share of the coordinates with a != b", none, metric | rows, "kernel", ""),
      describe("jaccard", {}, "ne / (tt + ne)", none, metric | rows, "popcount", ""),
      describe("dice", {}, "ne / (2 tt + ne)", none, rows, "popcount", ""),
      describe("matching", {}, "ne / n", none, metric | rows, "popcount", ""),
      describe("kulsinski", {}, "(ne - tt + n) / (ne + n), 0 of equal sets", none, metric | rows, "popcount", ""),
      describe("rogerstanimoto", {}, "2 ne / (n + ne)", none, metric | rows, "popcount", ""),
      describe("russellrao", {}, "(n - tt) / n, 0 of equal sets", none, metric | rows, "popcount", ""),
      describe("sokalsneath", {}, "ne / (tt/2 + ne)", none, metric | rows, "popcount", ""),
      describe("sokalmichener", {}, "2 ne / (n + ne)", none, metric | rows, "popcount", ""),
      describe("yule", {}, "2 tf ft / (tt ff + tf ft)", none, rows, "popcount", ""),
      describe("bit_hamming", {}, "ne", none, metric | bits, "popcount", ""),
      describe("bit_jaccard", {}, "-ln(tt / (tt + ne))", none, bits, "popcount", "ne / (tt + ne)"),
  };
}();

/// \param name a name or alias in any case \returns the metric, or a null pointer where none has that name
constexpr const metric_info* find_metric(std::string_view name) noexcept {
  if (name.empty()) return nullptr;  // as unused aliases are
  const auto is_named = [name](std::string_view known) { return detail::is_same_name(known, name); };
  for (const metric_info& known : known_metrics)
    if (is_named(known.name) || std::ranges::any_of(known.aliases, is_named)) return &known;
  return nullptr;
}

namespace detail {

/// A name that other libraries use, and the metric here that is most like it. Not an alias: mostly values differ, as by
/// a square or a sign.
struct foreign_name {
  std::string_view theirs, ours;
};
inline constexpr std::array foreign_names{
    foreign_name{"l2sq", "sqeuclidean"},        // usearch
    foreign_name{"squared_l2", "sqeuclidean"},  // and others
    foreign_name{"squared_euclidean", "sqeuclidean"},
    foreign_name{"nan_euclidean", "euclidean"},  // scikit-learn
    foreign_name{"p", "minkowski"},
    foreign_name{"lp", "minkowski"},        // faiss, nmslib
    foreign_name{"infinity", "chebyshev"},  // scikit-learn
    foreign_name{"maximum", "chebyshev"},   // R
    foreign_name{"ip", "inner_product"},    // faiss, hnswlib, usearch
    foreign_name{"innerproduct", "inner_product"},
    foreign_name{"mips", "inner_product"},
    foreign_name{"negdotprod", "inner_product"},   // nmslib
    foreign_name{"dot_product", "inner_product"},  // ScaNN
    foreign_name{"max_inner_product", "inner_product"},
    foreign_name{"cos", "cosine"},                    // usearch
    foreign_name{"cosinesimil", "cosine"},            // nmslib
    foreign_name{"angular", "cosine"},                // annoy, ann-benchmarks
    foreign_name{"angulardist", "true_angular"},      // nmslib
    foreign_name{"pearson", "correlation"},           // usearch
    foreign_name{"jensenshannon", "jensen_shannon"},  // scipy; the square root of ours
    foreign_name{"jsdivergence", "jensen_shannon"},   // nmslib
    foreign_name{"js", "jensen_shannon"},
    foreign_name{"kl", "symmetric_kl"},
    foreign_name{"kldivgenfast", "symmetric_kl"},  // nmslib
    foreign_name{"wasserstein_distance", "wasserstein_1d"},
    foreign_name{"emd", "kantorovich"},
    foreign_name{"earth_movers", "kantorovich"},
    foreign_name{"tanimoto", "jaccard"},  // usearch
    foreign_name{"sorensen", "dice"},     // usearch
    foreign_name{"bit_tanimoto", "bit_jaccard"},
};

/// The metric that is most likely meant by an unknown name, or an empty name.
inline std::string_view meant_metric(std::string_view name) {
  constexpr std::string_view of_faiss = "metric_";
  if (name.size() > of_faiss.size() && is_same_name(name.substr(0, of_faiss.size()), of_faiss))
    name.remove_prefix(of_faiss.size());
  if (const metric_info* const known = find_metric(name)) return known->name;
  std::vector<std::string_view> names;
  for (const metric_info& metric : known_metrics) names.push_back(metric.name);
  for (const metric_info& metric : known_metrics)
    names.insert(names.end(), metric.aliases.begin(), metric.aliases.end());
  for (const foreign_name& foreign : foreign_names)
    if (is_same_name(name, foreign.theirs)) return foreign.ours;
  const metric_info* const similar = find_metric(most_similar(name, names));
  return similar != nullptr ? similar->name : std::string_view();
}

}  // namespace detail

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
