#pragma once

// Rows of mass for the tests of metrics of distributions.

#include <annulus/core/rows/csr_matrix.hpp>

#include <vector>

namespace mass_rows {

/// What a row stores, as a sparse row.
struct stored {
  explicit stored(const std::vector<float>& row) : dim(row.size()) {
    for (std::size_t i = 0; i < row.size(); ++i)
      if (row[i] != 0) {
        indices.push_back(static_cast<std::int32_t>(i));
        values.push_back(row[i]);
      }
  }
  annulus::sparse_row<float> row() const { return {indices, values, dim}; }
  std::size_t dim;
  std::vector<std::int32_t> indices;
  std::vector<float> values;
};

/// The distance of two rows.
template <class Metric>
double between(const Metric& metric, const std::vector<float>& a, const std::vector<float>& b) {
  return static_cast<double>(metric(a.data(), b.data(), a.size()));
}

}  // namespace mass_rows
