#pragma once

// Rows, options and results as the C interface has them.

#include <annulus/core/rows/bit_matrix.hpp>
#include <annulus/dynamic/engine/factories.hpp>
#include <annulus/dynamic/engine/row_access.hpp>
#include <annulus/dynamic/engine/search_params.hpp>
#include <annulus/io/index/index_file.hpp>

#include "catch.hpp"
#include "io/scratch.hpp"

namespace dynamic_tests {

using namespace annulus;

template <class T>
annulus_rows given(const matrix<T>& rows) {
  return {ANNULUS_DENSE,
          detail::dtype_of<T>(),
          rows.rows(),
          rows.cols(),
          rows.data(),
          static_cast<std::ptrdiff_t>(rows.cols()),
          1,
          nullptr,
          nullptr};
}
inline annulus_rows given(const bit_matrix& rows) {
  return {ANNULUS_BITS, ANNULUS_U8, rows.rows(), rows.bits(), rows.data(), static_cast<std::ptrdiff_t>(rows.cols()), 1,
          nullptr,      nullptr};
}

/// Sparse rows of which the offsets are at hand.
template <class T>
struct sparse_rows {
  std::vector<std::int64_t> indptr;
  csr_matrix<T> rows;

  sparse_rows(std::vector<std::int64_t> offsets, std::vector<std::int32_t> indices, std::vector<T> values,
              std::size_t dim)
      : indptr(offsets), rows(std::move(offsets), std::move(indices), std::move(values), dim) {}
  operator csr_view<T>() const { return rows; }
  std::size_t size() const { return rows.size(); }
};
template <class T>
annulus_rows given(const sparse_rows<T>& rows) {
  const auto first = rows.rows.row(0);
  return {ANNULUS_CSR, detail::dtype_of<T>(), rows.size(),         rows.rows.dim(), first.values.data(), 0,
          0,           rows.indptr.data(),    first.indices.data()};
}

/// Row i of these alone.
inline annulus_rows row_of(const annulus_rows& rows, std::size_t i) {
  annulus_rows row = rows;
  row.n = 1;
  if (rows.layout == ANNULUS_CSR) FAIL("sparse rows have offsets of their own");
  const std::size_t element = rows.dtype == ANNULUS_F64 ? 8 : rows.dtype == ANNULUS_F32 ? 4 : 1;
  row.data = static_cast<const char*>(rows.data) + i * static_cast<std::size_t>(rows.row_stride) * element;
  return row;
}

using option_list = std::vector<std::pair<const char*, const char*>>;

/// build(reader) with these options.
template <class Build>
auto with_options(const option_list& list, Build build) {
  std::vector<annulus_option> options;
  for (const auto& [name, text] : list) options.push_back({name, text, nullptr, 0, nullptr, nullptr, nullptr});
  detail::option_reader reader(options);
  return build(reader);
}

inline neighbors search(const detail::index_model& model, const annulus_rows& queries, std::size_t k,
                        const annulus_search_params& params = detail::default_search_params()) {
  neighbors found(queries.n, k);
  model.search(queries, k, params, found.ids.data(), found.distances.data());
  return found;
}

inline bool is_same(const csr& a, const csr& b) {
  return a.indptr == b.indptr && a.indices == b.indices && a.distances == b.distances && a.n_columns == b.n_columns;
}

inline annulus_search_params params_with(auto set) {
  annulus_search_params params = detail::default_search_params();
  set(params);
  return params;
}

}  // namespace dynamic_tests
