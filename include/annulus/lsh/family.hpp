#pragma once

/// \file
/// The concepts of a family of hash functions and of its hasher.
///
/// A family is an aggregate of its own parameters that says which metric it serves and how likely one of its functions
/// agrees on two rows. It makes a hasher: the functions themselves, drawn by a seed, n_projections of them to the key
/// of each table. A hasher knows rows by their keys, and a query by its `values` (for projections: the real numbers
/// behind the key), from which follow the key, the keys of the buckets next to it, and how likely a row at a given
/// distance is in each of them.
///
/// Keys are additive: a change of one function's value adds a number to the key, whatever the others are. Tables mix
/// them.

#include <annulus/core/base/random.hpp>
#include <annulus/core/metric/metric.hpp>

#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// How a family takes its width, or whatever else it needs to know, from the data.
struct fit_params {
  std::size_t threads = 0;  ///< 0: all cores
  std::uint64_t seed = default_seed;
};

/// One change of one of the functions behind a key, towards a bucket next to the query's.
struct perturbation {
  float score = 0;               ///< the square of how far the query is from it, in a unit of the family's own
  std::uint32_t projection = 0;  ///< which function of the table changes; a probe changes each at most once
  std::uint64_t delta = 0;       ///< what that adds to the key
};

namespace detail {

/// Functions for all tables, over rows of Points (a matrix_view or csr_view). A hasher may also have
///   joint_factor(distance, n)   by what a bucket past n changes is likelier than the product of their odds says
///   query_length(values)        the length of a query, where distances grow with it: collision_probability is of 1
///   zero_key()                  the key in the first table of rows that are about as near to one query as to another,
///   zero_distance(values)       those of zeros among them, and the least distance at which they are: a search looks
///                               at them where that may be among the nearest
///   shared_key()                the key in the first table of rows that every search looks at
template <class H, class Points>
concept hasher_for = requires(const H& h, const Points& points, std::size_t i, std::uint64_t* keys,
                              typename H::value_type* values, const typename H::value_type* query,
                              std::vector<perturbation>& changes, double distance, float* odds) {
  { h.n_tables() } -> std::convertible_to<std::size_t>;
  { h.memory_bytes() } -> std::convertible_to<std::size_t>;
  /// How many values it knows a query by.
  { h.n_values() } -> std::convertible_to<std::size_t>;
  /// keys[t * count + j] = the key in table first_table + t of row `first` + j, for j < count, t < n_tables.
  h.hash(points, i /*first*/, i /*count*/, i /*first_table*/, i /*n_tables*/, keys);
  /// The values of queries `first` to first + count, one row of n_values() each. Must not depend on the batch.
  h.project(points, i /*first*/, i /*count*/, values);
  /// keys[t] in each table, of a query's values.
  h.keys(query, keys);
  /// Appends the changes of a query's key in one table, in any order; leaves the list as it is where there are none.
  h.perturb(query, i /*table*/, changes);
  /// The probability that a row at `distance` from the query is in its bucket of the table, given its values; and for
  /// each of `changes` (some of perturb's) odds[j]: by what factor it is likelier to be in the bucket past that change
  /// instead. Changes of several functions multiply.
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

/// What a family over Points makes.
template <class F, class Points>
using hasher_t = decltype(std::declval<const F&>().template make_hasher<Points>(0, 0, 0, 0));

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
