#pragma once

// Random sparse rows for the tests of everything that reads them.

#include <annulus/core/base/random.hpp>
#include <annulus/core/rows/csr_matrix.hpp>

#include <set>
#include <vector>

namespace sparse_rows {

/// A row that owns what it stores.
template <class T>
struct stored_row {
  std::vector<std::int32_t> indices;  // of exactly this size, so that a sanitizer sees any read past the end
  std::vector<T> values;
  std::size_t dim = 0;

  operator annulus::sparse_row<T>() const { return {indices, values, dim}; }
  annulus::sparse_row<T> row() const { return *this; }
  std::vector<T> dense() const {
    std::vector<T> full(dim);
    for (std::size_t i = 0; i < indices.size(); ++i) full[static_cast<std::size_t>(indices[i])] = values[i];
    return full;
  }
};

/// `stored` <= dim coordinates of dim, with values in steps of 1/8: from -4 to 4, or from 0 to 31 for uint8.
template <class T>
stored_row<T> random_row(std::size_t stored, std::size_t dim, std::uint64_t seed) {
  const annulus::counter_random random(seed, 1), value(seed, 2);
  std::set<std::int32_t> chosen;
  for (std::uint64_t i = 0; chosen.size() < stored; ++i)
    chosen.insert(static_cast<std::int32_t>(random.below(i, static_cast<std::uint64_t>(dim))));
  stored_row<T> row{{chosen.begin(), chosen.end()}, std::vector<T>(stored), dim};
  for (std::size_t i = 0; i < stored; ++i) {
    const auto step = static_cast<int>(value.below(i, 64));
    if constexpr (std::is_same_v<T, std::uint8_t>) row.values[i] = static_cast<T>(step / 2);
    else row.values[i] = static_cast<T>(static_cast<double>(step - 32) / 8);
  }
  return row;
}

/// n rows that store from 0 to `most` coordinates.
template <class T>
annulus::csr_matrix<T> random_rows(std::size_t n, std::size_t most, std::size_t dim, std::uint64_t seed) {
  const annulus::counter_random count(seed, 3);
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<T> values;
  for (std::size_t i = 0; i < n; ++i) {
    const auto row = random_row<T>(static_cast<std::size_t>(count.below(i, most + 1)), dim, seed + 1000 * i);
    indices.insert(indices.end(), row.indices.begin(), row.indices.end());
    values.insert(values.end(), row.values.begin(), row.values.end());
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  return {indptr, indices, values, dim};
}

}  // namespace sparse_rows
