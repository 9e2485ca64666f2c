#pragma once

// What the tests of row_select check for each type of elements.

#include <annulus/approx_top_k/row_select.hpp>

#include "approx_top_k/selections.hpp"
#include "catch.hpp"

#include "precise.hpp"

namespace selections {

template <class T>
struct selected {
  std::vector<T> values;
  operands::places indices;
};

/// The k best of the row, as `select` finds them.
template <class T, bool Largest>
selected<T> select_from(annulus::detail::row_select<T, Largest>& select, const std::vector<T>& row, std::size_t k,
                        std::size_t threads) {
  selected<T> found{std::vector<T>(k), operands::places(k)};  // a sanitizer sees what is written beyond
  select(row.data(), found.values.data(), found.indices.data(), threads);
  return found;
}

/// All lengths, one after the other by one row_select, by one thread and by three.
template <class T, bool Largest>
void check_row_select() {
  annulus::detail::row_select<T, Largest> select;
  for_all_rows<T, Largest>(lengths, [&](const auto& row, std::size_t k, const operands::places& best) {
    for (const std::size_t threads : {1u, 3u}) {
      if (threads > 1 && row.size() < 60000) continue;  // shorter rows are one chunk, of one thread
      select.reset(row.size(), k);
      const auto found = select_from(select, row, k, threads);
      CAPTURE(row.size(), k, threads);
      REQUIRE(found.indices == best);
      REQUIRE(operands::are_values_at(found.values, row, best));
    }
  });
}

/// Rows that are taken in parts.
template <class T, bool Largest>
void check_spans() {
  for_all_rows<T, Largest>({1, 2, 17, 100, 1000}, [](const auto& row, std::size_t k, const operands::places& best) {
    for (const std::size_t span : {std::size_t{1}, std::size_t{16}, std::size_t{99}, row.size() - 1, row.size()}) {
      if (span == 0 || row.size() > 50 * span) continue;
      annulus::detail::row_select<T, Largest> select(row.size(), k, span);
      const auto found = select_from(select, row, k, 1);
      CAPTURE(row.size(), k, span);
      REQUIRE(found.indices == best);
      REQUIRE(operands::are_values_at(found.values, row, best));
    }
  });
}

}  // namespace selections

#include <annulus/core/base/macros_on.hpp>
