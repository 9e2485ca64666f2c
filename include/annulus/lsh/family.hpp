#pragma once

/// \file
/// The concepts of a family of hash functions and of its hasher.
///
/// A family is an aggregate of parameters, with its metric and the probability that one of its functions agrees on two
/// rows. It makes a hasher: the functions themselves, drawn by a seed, n_projections of them for the key of each table.
/// For a row a hasher computes keys; for a query it computes `values` (for projections: the real numbers that the key
/// rounds), from which follow the query's key, the keys of the buckets around it, and the probability that a row at a
/// given distance is in each of these.
///
/// Keys are additive: a change of one function's value adds a number to the key that does not depend on the others.
/// Tables mix the bits of keys.

#include <annulus/core/base/random.hpp>
#include <annulus/core/metric/metric.hpp>

#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// How to fit a family to data: to choose its width, or the like.
struct fit_params {
  std::size_t threads = 0;            ///< 0: all cores
  std::uint64_t seed = default_seed;  ///< of the draw of a sample
};

/// A change of one function of a key, which leads to a bucket next to the query's.
struct perturbation {
  float score = 0;               ///< the squared distance of the query to the change, in the family's unit
  std::uint32_t projection = 0;  ///< the function of the table; a probe changes each at most once
  std::uint64_t delta = 0;       ///< is added to the key
};

namespace detail {

/// Rows that families of projections take. Products of others would need another type than that of the rows.
template <class Points>
concept projectable = std::same_as<Points, matrix_view<float>> || std::same_as<Points, matrix_view<double>>;

/// Functions for all tables, over rows of Points (a matrix_view or csr_view). A hasher may also have
///   joint_factor(distance, n)   the factor on the product of the odds of n changes
///   query_length(values)        the length of a query, where distances grow with it; collision_probability is for 1
///   zero_key()                  the key, in the first table, of rows of zeros and others whose distance hardly depends
///                               on the query's direction
///   zero_distance(values)       the least distance of these rows; a search compares them where it may be among the
///                               nearest
///   shared_key()                the key, in the first table, of rows that every search compares
template <class H, class Points>
concept hasher_for = requires(const H& h, const Points& points, std::size_t i, std::uint64_t* keys,
                              typename H::value_type* values, const typename H::value_type* query,
                              std::vector<perturbation>& changes, double distance, float* odds) {
  { h.n_tables() } -> std::convertible_to<std::size_t>;
  { h.memory_bytes() } -> std::convertible_to<std::size_t>;
  /// The number of values of a query.
  { h.n_values() } -> std::convertible_to<std::size_t>;
  /// keys[t * count + j] = the key in table first_table + t of row `first` + j, for j < count, t < n_tables.
  h.hash(points, i /*first*/, i /*count*/, i /*first_table*/, i /*n_tables*/, keys);
  /// The values of queries `first` to first + count, one row of n_values() each. Must not depend on the batch.
  h.project(points, i /*first*/, i /*count*/, values);
  /// keys[t] in each table, of a query's values.
  h.keys(query, keys);
  /// Appends the changes of a query's key in one table, in any order; there may be no changes.
  h.perturb(query, i /*table*/, changes);
  /// Returns the probability that a row at `distance` from the query is in the query's bucket of the table, given the
  /// query's values. odds[j] = the probability of the bucket that changes[j] leads to, divided by that one. The odds of
  /// changes of different functions multiply.
  {
    h.probabilities(query, i /*table*/, distance, std::span<const perturbation>(changes), odds)
    } -> std::same_as<double>;
  /// The probability that two rows at that distance share their bucket of a table.
  { h.collision_probability(distance) } -> std::same_as<double>;
};

}  // namespace detail

/// A family over rows of Points: its metric and the hasher that it makes.
template <class F, class Points>
concept hash_family = std::copy_constructible<F> && requires(const F& family, std::size_t n) {
  typename F::metric;
  { F::name } -> std::convertible_to<std::string_view>;
  {
    family.template make_hasher<Points>(n /*dim*/, n /*n_projections*/, n /*n_tables*/, std::uint64_t{})
    } -> detail::hasher_for<Points>;
};

/// The hasher that a family makes for Points.
template <class F, class Points>
using hasher_t = decltype(std::declval<const F&>().template make_hasher<Points>(0, 0, 0, 0));

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
