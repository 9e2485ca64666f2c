#pragma once

/// \file
/// Names compared whatever their case, and the known name that is most similar to a misspelt one.

#include <annulus/core/base/errors.hpp>

#include <algorithm>
#include <span>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

constexpr char lower_case(char c) noexcept { return 'A' <= c && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Whether two names are the same but for the case of ASCII letters.
constexpr bool is_same_name(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, {}, lower_case, lower_case);
}

/// How many letters have to be inserted, removed, replaced or swapped with the next to turn a into b, whatever their
/// case (Damerau 1964, no part edited twice). O(a.size() b.size()).
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto same = [&](std::size_t x, std::size_t y) { return lower_case(a[x]) == lower_case(b[y]); };
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same(i - 1, j - 1) ? 0u : 1u)});
      if (i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1)) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

/// The known name that is most similar to `name`: one that begins with it, if it has three letters or more, or one at
/// the least edit distance, if that is at most a third of its letters. The first of several; empty where no name is
/// similar.
inline std::string_view most_similar(std::string_view name, std::span<const std::string_view> names) {
  std::string_view best;
  std::size_t least = name.size() / 3 + 1;
  for (const std::string_view known : names) {
    if (known.empty()) continue;
    const bool is_start = is_same_name(known.substr(0, name.size()), name);
    const std::size_t distance = is_start ? 1 : edit_distance(name, known);
    if (distance >= least) continue;
    best = known;
    least = distance;
  }
  return best;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
