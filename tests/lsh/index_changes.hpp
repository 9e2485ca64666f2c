#pragma once

// What the tests of changes of an LSH index check for each kind of rows and family.

#include "catch.hpp"
#include "lsh/indexes.hpp"

namespace lsh_tests {

/// The index holds the rows of the source under these ids, and nothing else: all its answers are theirs.
template <class Points, class Family>
void check_holds(const annulus::lsh_index<Points, Family>& index, const std::map<id_type, std::size_t>& row_of_id,
                 const Points& rows, const Points& asked) {
  const lsh_tests::key_model<Points, Family> model(rows, asked, index.family(), index.params());
  const auto expected = model.candidates(row_of_id);
  const auto candidates = index.candidates(asked);
  CHECK(index.size() == row_of_id.size());
  CHECK(same(candidates, expected));
  if (index.params().only_index) return;
  CHECK(same_bits(index.search(asked, 7),
                  lsh_tests::exact_among<typename Family::metric>(expected, rows, asked, 7, row_of_id)));
}

/// Ids first to first + count for the source's rows from row on.
inline void extend(std::map<id_type, std::size_t>& row_of_id, std::size_t first, std::size_t row, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) row_of_id[static_cast<id_type>(first + i)] = row + i;
}

/// Hundreds of changes at random, of an index and of a map.
template <class Points, class Family>
void check_changes(const Points& rows, const Points& asked, const Family& family, const annulus::lsh_params& params,
                   std::size_t n_begin, std::uint64_t seed) {
  const counter_random random(seed);
  annulus::lsh_index<Points, Family> index(rows.dim(), family, params);
  std::map<id_type, std::size_t> expected;
  std::size_t next_id = 0;
  const auto insert = [&](std::size_t row, std::size_t count) {
    CHECK(index.insert(rows_between(rows, row, row + count)) == next_id);
    extend(expected, next_id, row, count);
    next_id += count;
  };
  if (n_begin > 0) insert(0, n_begin);
  std::size_t refused = 0;
  for (std::size_t step = 0; step < 400; ++step) {
    const auto dice = random.below(4 * step, 100), number = random.below(4 * step + 1, 1u << 20);
    const bool grows = step / 100 % 2 == 0;  // in turns, so that it gets small and large
    const auto any = [&] {
      return std::next(expected.begin(), static_cast<std::ptrdiff_t>(number % expected.size()))->first;
    };
    if (dice < (grows ? 50u : 15u)) {
      const std::size_t count = number % 5;
      insert(number / 8 % (rows.size() - count), count);
    } else if (dice < 80 && !expected.empty()) {
      const id_type id = any();
      index.erase(id);
      expected.erase(id);
      try {
        index.erase(id);
      } catch (const std::invalid_argument&) {
        ++refused;
      }
      --refused;
    } else if (dice < 96 && !expected.empty()) {
      const std::size_t row = number / 8 % rows.size();
      const id_type id = any();
      index.update(id, rows_between(rows, row, row + 1));
      expected[id] = row;
    } else if (dice == 99) {
      index.compact();
    }
    if (step % 20 == 7) check_holds(index, expected, rows, asked);
  }
  CHECK(refused == 0);
  index.compact();
  check_holds(index, expected, rows, asked);
  for (id_type id = 0; id < next_id; ++id)
    if (expected.contains(id)) index.erase(id);
  check_holds(index, {}, rows, asked);
  insert(3, 20);
  check_holds(index, std::map<id_type, std::size_t>(expected.find(static_cast<id_type>(next_id - 20)), expected.end()),
              rows, asked);
}

}  // namespace lsh_tests
