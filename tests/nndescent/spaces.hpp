#pragma once

// Spaces of codes and of rows over data at random.

#include <annulus/core/codes/sq8_encoder.hpp>
#include <annulus/nndescent/graph/code_space.hpp>
#include <annulus/nndescent/graph/row_space.hpp>

#include <numeric>

#include "core/rows.hpp"

namespace spaces {

using rows::random_matrix;

template <class Metric, class T>
annulus::detail::code_space codes_of(const annulus::matrix<T>& data) {
  const annulus::matrix_view<T> view(data);
  return {annulus::detail::encode_rows(annulus::detail::sq8_encoder<T>(Metric::form, view), view, 1),
          Metric::is_angular};
}

template <class Metric, class T>
auto rows_of(const annulus::matrix<T>& data) {
  return annulus::detail::row_space<annulus::matrix<T>, Metric>(data, Metric{});
}

inline std::vector<annulus::id_type> all_ids(std::size_t n) {
  std::vector<annulus::id_type> ids(n);
  std::iota(ids.begin(), ids.end(), annulus::id_type{0});
  return ids;
}

}  // namespace spaces
