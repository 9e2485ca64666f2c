#pragma once

/// \file
/// Files hold the seed of hash functions, not the functions: a sample of their values shows whether loading drew the
/// same ones again. Also how a family is fitted to data.

#include <annulus/core/metric/row_query.hpp>
#include <annulus/lsh/family.hpp>
#include <annulus/lsh/params.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Calls f with a row that is the same for every index: coordinates go up in steps of 37 modulo 256, as fractions
/// unless they are integers.
template <class T, class F>
void with_fixed_row(matrix_view<T>, std::size_t dim, F f) {
  std::vector<T> row(dim);
  for (std::size_t i = 0; i < dim; ++i) {
    const auto step = static_cast<std::uint8_t>(37 * i + 11);
    if constexpr (std::floating_point<T>) row[i] = static_cast<T>(step) / 256;
    else row[i] = static_cast<T>(step);
  }
  f(matrix_view<T>(row));
}
/// Sparse: the set of the first 16 coordinates.
template <class T, class F>
void with_fixed_row(const csr_view<T>&, std::size_t dim, F f) {
  std::array<std::int32_t, 16> members{};
  for (std::size_t i = 0; i < members.size(); ++i) members[i] = static_cast<std::int32_t>(i);
  const std::size_t count = std::min(dim, members.size());
  const std::array<std::int64_t, 2> ends{0, static_cast<std::int64_t>(count)};
  f(csr_view<T>(ends, std::span(members).first(count), dim));
}

/// Some functions' values for the fixed row.
struct function_sample {
  std::array<double, 8> values{};  ///< zeros after the last function

  template <class View, class Hasher>
  static function_sample of(const View& view, const Hasher& hasher, std::size_t dim, const lsh_params& params) {
    function_sample sample;
    with_fixed_row(view, dim, [&](const View& row) {
      std::vector<typename Hasher::value_type> all(hasher.n_values());
      hasher.project(row, 0, 1, all.data());
      // Only the values of the functions: some hashers have values of other kinds after them.
      const std::size_t n = std::min({sample.values.size(), params.n_projections, all.size()});
      for (std::size_t i = 0; i < n; ++i) sample.values[i] = static_cast<double>(all[i]);
    });
    return sample;
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    for (std::size_t i = 0; i < self.values.size(); ++i) archive(std::to_string(i), self.values[i]);
  }
};

/// Saves some values of the functions, or compares them with those in the file: integers exactly, real numbers with a
/// tolerance for the rounding of other instruction sets and mathematical libraries.
template <class Archive, class View, class Hasher>
void check_sample(Archive& archive, const View& view, const Hasher& hasher, std::size_t dim, const lsh_params& params) {
  const function_sample own = function_sample::of(view, hasher, dim, params);
  function_sample given = own;
  archive.part("functions", given);
  double greatest = 0;
  for (const double x : own.values) greatest = std::max(greatest, std::abs(x));
  const double tolerance = std::integral<typename Hasher::value_type> ? 0 : 1e-4 * greatest;
  for (std::size_t i = 0; i < own.values.size(); ++i)
    archive.expect(given.values[i] == own.values[i] || !(std::abs(given.values[i] - own.values[i]) > tolerance),
                   "was written where its seed draws other hash functions than here: it has to be built again");
}

/// Whether a file of this size may ask for so many functions. It holds their number, not the functions, which take
/// memory once they are drawn: a damaged number must not allocate without bound.
template <class View>
bool is_plausible_count(std::size_t dim, const lsh_params& params, std::size_t bytes) noexcept {
  const auto n = static_cast<double>(params.n_projections) * static_cast<double>(params.n_tables);
  const auto d = static_cast<double>(dim);
  constexpr bool takes_bits = std::integral<typename View::value_type>;
  const double numbers = is_sparse_row<row_t<View>> ? n : takes_bits ? n + 64 * d : n * d;
  return numbers <= 0x1p26 + 1024 * static_cast<double>(bytes);
}

/// The family with its parameters fitted to the data, where it has such parameters.
template <class Family, class View>
Family fitted(Family family, const View& data, const lsh_params& params) {
  const fit_params how{.threads = params.threads, .seed = params.seed};
  if constexpr (requires { family.fitted(data, how); }) return family.fitted(data, how);
  else return family;
}

/// Whether the family must be fitted to rows before it makes functions.
template <class Family>
bool needs_rows([[maybe_unused]] const Family& family) noexcept {
  if constexpr (requires { family.needs_rows(); }) return family.needs_rows();
  else return false;
}

/// A family fitted to a fixed row: the functions of an empty index, which are replaced with its first rows.
template <class Family, class View>
Family any_family() {
  Family family;
  with_fixed_row(View(), 1, [&](const View& row) { family = fitted(Family(), row, {}); });
  return family;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
