#pragma once

/// \file
/// Metrics of sets, or of rows of binary coordinates, from the numbers of coordinates, of n, that both rows have (tt),
/// neither has (ff), or one of them has (tf, ft; differing = tf + ft).
///
/// All of them, and core's jaccard, take dense rows (what is not zero is a member), sparse rows (what is stored is a
/// member, whatever its value) and, as packed<dice> and so on, rows of packed bits, to the same result in double. Where
/// a formula says 0 / 0 the distance is 0: of two empty sets, and of rows without coordinates. Searches pack dense rows
/// into bits once. O(d), O(stored in both) for sparse rows, O(d / 64) words for packed ones.

#include <annulus/core/metric/set_metrics.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// differing / (2 tt + differing), from 0 to 1 (Dice 1945, Sorensen 1948).
struct dice : detail::set_metric<dice> {
  static constexpr std::string_view name = "dice";
  /// \param of what two sets have and share \returns their distance
  template <class Number>
  static Number from_counts(const set_counts<Number>& of) noexcept {
    return detail::ratio(of.differing(), of.a + of.b);
  }
};

/// differing / n, from 0 to 1: one less the simple matching coefficient (Sokal, Michener 1958).
struct matching : detail::set_metric<matching> {
  static constexpr std::string_view name = "matching";
  /// \param of what two sets have and share \returns their distance
  template <class Number>
  static Number from_counts(const set_counts<Number>& of) noexcept {
    return detail::ratio(of.differing(), of.dim);
  }
};

/// (differing - tt + n) / (differing + n), from 0 to 1, and 0 for equal sets (Kulczynski 1927, as scipy and PyNNDescent
/// define it).
struct kulsinski : detail::set_metric<kulsinski> {
  static constexpr std::string_view name = "kulsinski";
  /// \param of what two sets have and share \returns their distance
  template <class Number>
  static Number from_counts(const set_counts<Number>& of) noexcept {
    const Number differing = of.differing();
    const Number distance = detail::ratio(differing - of.common + of.dim, differing + of.dim);
    return detail::choose(differing == Number(0), Number(0), distance);
  }
};

/// 2 differing / (n + differing), from 0 to 1 (Rogers, Tanimoto 1960).
struct rogerstanimoto : detail::set_metric<rogerstanimoto> {
  static constexpr std::string_view name = "rogerstanimoto";
  /// \param of what two sets have and share \returns their distance
  template <class Number>
  static Number from_counts(const set_counts<Number>& of) noexcept {
    const Number differing = of.differing();
    return detail::ratio(differing + differing, of.dim + differing);
  }
};

/// (n - tt) / n, from 0 to 1, and 0 for equal sets, which the formula alone would put at a distance (Russell, Rao
/// 1940).
struct russellrao : detail::set_metric<russellrao> {
  static constexpr std::string_view name = "russellrao";
  /// \param of what two sets have and share \returns their distance
  template <class Number>
  static Number from_counts(const set_counts<Number>& of) noexcept {
    return detail::choose(of.differing() == Number(0), Number(0), detail::ratio(of.dim - of.common, of.dim));
  }
};

/// differing / (tt / 2 + differing), from 0 to 1 (Sokal, Sneath 1963).
struct sokalsneath : detail::set_metric<sokalsneath> {
  static constexpr std::string_view name = "sokalsneath";
  /// \param of what two sets have and share \returns their distance
  template <class Number>
  static Number from_counts(const set_counts<Number>& of) noexcept {
    const Number twice = of.differing() + of.differing();
    return detail::ratio(twice, of.common + twice);
  }
};

/// 2 differing / (n + differing), from 0 to 1: another name of rogerstanimoto, as in PyNNDescent.
struct sokalmichener : detail::set_metric<sokalmichener> {
  static constexpr std::string_view name = "sokalmichener";
  /// \param of what two sets have and share \returns their distance
  template <class Number>
  static Number from_counts(const set_counts<Number>& of) noexcept {
    return rogerstanimoto::from_counts(of);
  }
};

/// 2 tf ft / (tt ff + tf ft), from 0 to 2 (Yule 1912). 0 wherever one set contains the other, so that different sets
/// may be at distance 0.
struct yule : detail::set_metric<yule> {
  static constexpr std::string_view name = "yule";
  /// \param of what two sets have and share \returns their distance
  template <class Number>
  static Number from_counts(const set_counts<Number>& of) noexcept {
    const Number tf = of.a - of.common, ft = of.b - of.common, ff = of.dim - of.common - of.differing();
    const Number crossed = tf * ft;
    return detail::ratio(crossed + crossed, of.common * ff + crossed);
  }
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
