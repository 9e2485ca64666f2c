#pragma once

// What the tests of block_select check for each type of elements.

#include <annulus/approx_top_k/block_select.hpp>

#include "approx_top_k/selections.hpp"
#include "catch.hpp"

#include "precise.hpp"

namespace selections {

/// Part of a row.
struct part {
  std::size_t first, size;
};

/// The parts of a row of n, of random sizes up to `most` and in random order, with another one than the first in front.
inline std::vector<part> shuffled_parts(std::size_t n, std::size_t most, std::mt19937_64& generator) {
  std::vector<part> parts;
  for (std::size_t first = 0; first < n; first += parts.back().size)
    parts.push_back({first, std::min(n - first, generator() % most + 1)});
  std::shuffle(parts.begin(), parts.end(), generator);
  if (parts.front().first == 0) std::swap(parts.front(), parts.back());
  return parts;
}

/// The positions of the k best of what is kept, in order.
template <class T, bool Largest, class Position>
operands::places best_kept(const annulus::detail::block_select<T, Largest, Position>& select, std::size_t k) {
  std::vector<annulus::candidate<annulus::detail::key_t<T>, Position>> kept;
  select.kept().copy_to(kept);
  std::sort(kept.begin(), kept.end());
  operands::places positions;
  for (std::size_t i = 0; i < std::min(k, kept.size()); ++i) positions.push_back(static_cast<std::int64_t>(kept[i].id));
  return positions;
}

/// Those of the best that are numbers.
template <class T>
operands::places numbers_among(operands::places best, const std::vector<T>& row) {
  std::erase_if(best, [&](std::int64_t i) { return annulus::detail::is_nan(row[static_cast<std::size_t>(i)]); });
  return best;
}

/// Scans part of a row from memory of its own, so that a sanitizer sees what is read beyond it.
template <class T, bool Largest, class Position>
void scan_part(annulus::detail::block_select<T, Largest, Position>& select, const std::vector<T>& row, part p) {
  const auto begin = row.begin() + static_cast<std::ptrdiff_t>(p.first);
  const std::vector<T> elements(begin, begin + static_cast<std::ptrdiff_t>(p.size));
  select.scan(elements.data(), elements.size(), static_cast<Position>(p.first));
}

/// Rows scanned in parts in random order, by one and the same selection.
template <class T, bool Largest, class Position>
void check_scans(const std::vector<std::size_t>& row_lengths) {
  std::mt19937_64 generator(4);
  annulus::detail::block_select<T, Largest, Position> select;
  for_all_rows<T, Largest>(row_lengths, [&](const auto& row, std::size_t k, const operands::places& best) {
    const std::size_t n = row.size();
    for (const std::size_t most : {n, n / 3 + 1, n / 20 + 1}) {
      select.reset(n, k);
      for (const part p : shuffled_parts(n, std::min(most, select.chunk()), generator)) {
        scan_part(select, row, p);
        REQUIRE(select.kept().size() <= 2 * k + 64);
      }
      CAPTURE(n, k, most);
      REQUIRE(best_kept(select, k) == numbers_among(best, row));
      select.cut();
      REQUIRE(select.kept().size() == numbers_among(best, row).size());
      REQUIRE(best_kept(select, k) == numbers_among(best, row));
    }
  });
}

/// Rows whose parts are dealt out to several selections, which are merged in the end, or before the last part.
template <class T, bool Largest, class Position>
void check_merges(const std::vector<std::size_t>& row_lengths) {
  std::mt19937_64 generator(5);
  std::vector<annulus::detail::block_select<T, Largest, Position>> selects(3);
  for_all_rows<T, Largest>(row_lengths, [&](const auto& row, std::size_t k, const operands::places& best) {
    const std::size_t n = row.size();
    for (const bool one_part_after : {false, true}) {
      for (auto& select : selects) select.reset(n, k);
      auto parts = shuffled_parts(n, std::min(n / 10 + 1, selects[0].chunk()), generator);
      const part last = parts.back();
      if (one_part_after) parts.pop_back();
      for (const part p : parts) scan_part(selects[generator() % selects.size()], row, p);
      selects[0].merge(selects[1]);
      selects[0].merge(selects[2]);
      if (one_part_after) scan_part(selects[0], row, last);
      CAPTURE(n, k, one_part_after);
      REQUIRE(best_kept(selects[0], k) == numbers_among(best, row));
    }
  });
}

}  // namespace selections

#include <annulus/core/base/macros_on.hpp>
