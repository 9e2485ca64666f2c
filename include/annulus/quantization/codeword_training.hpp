#pragma once

/// \file
/// Trains the codewords of a product quantiser: by k-means in each sub-space. Sets up the search for the nearest ones.

#include <annulus/core/base/parallel.hpp>
#include <annulus/quantization/kmeans.hpp>
#include <annulus/quantization/nearest_codeword.hpp>

#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// What fit does with a dimension that m does not divide.
enum class pq_padding {
  refuse,  ///< throw
  zeros    ///< append zeros to vectors, up to the next multiple of m
};

namespace detail {

/// The coordinates of sub-space i of rows of m * ds coordinates.
inline matrix_view<float> sub_vectors(matrix_view<float> rows, std::size_t m, std::size_t i) {
  const std::size_t ds = rows.cols() / m;
  return {rows.data() + i * ds, rows.rows(), ds, rows.stride()};
}

/// (m * ks) x ds codewords for n x (m * ds) rows, from `initial` of the same shape, or where that is empty as
/// params.init says. Sub-spaces are trained in parallel, each with a seed of its own. The same bits for any number of
/// threads. O(iter n ks m ds).
/// \throws annulus::cancelled when `progress` returns false, and as run_kmeans does.
inline matrix<float> train_codewords(matrix_view<float> rows, std::size_t m, std::size_t ks,
                                     const matrix<float>& initial, const kmeans_params& params,
                                     const thread_team& team) {
  matrix<float> codewords(m * ks, rows.cols() / m);
  parallel_for(
      team, m, 1,
      [&](std::size_t i, std::size_t, std::size_t) {
        const kmeans_params part{.iter = params.iter, .seed = params.seed + i, .init = params.init};
        const thread_team part_team(std::max<std::size_t>(team.size() / m, 1));
        const matrix<float> own = packed_copy(sub_vectors(rows, m, i));
        const std::size_t first = i * ks;
        const matrix<float> start = initial.rows() == 0
                                        ? initial_centroids(own, ks, part, part_team)
                                        : packed_copy(matrix_view<float>(initial).middle_rows(first, ks));
        const matrix<float> trained = run_kmeans(own, start, part, part_team).centroids;
        std::copy_n(trained.data(), ks * own.cols(), codewords.row(first).data());
      },
      params.progress, "product quantizer");
  return codewords;
}

/// The search for the nearest codeword of each of m sub-spaces, for (m * ks) x ds codewords.
inline std::vector<nearest_codeword> codebooks_of(matrix_view<float> codewords, std::size_t m) {
  const std::size_t ks = codewords.rows() / m;
  std::vector<nearest_codeword> codebooks;
  codebooks.reserve(m);
  for (std::size_t i = 0; i < m; ++i) codebooks.emplace_back(codewords.middle_rows(i * ks, ks));
  return codebooks;
}

}  // namespace detail

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
