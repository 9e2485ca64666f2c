#pragma once

#include <annulus/nndescent/index.hpp>

#include <tuple>

#include "soak/episodes.hpp"

namespace soak {

/// How change_and_ask deals with an nndescent_index.
template <class Index, class Storage>
struct nndescent_adapter {
  using index_type = Index;
  using view_type = typename index_type::view_type;
  static constexpr bool is_sparse = std::same_as<view_type, annulus::csr_view<float>>;

  static index_type make(const matrix<float>& rows, dice& random) {
    const annulus::nndescent_params params{
        .n_neighbors = random.from(6, 20), .seed = random.below(1000), .threads = random.from(1, 3)};
    return index_type(points(rows), {}, params, Storage{});
  }
  static auto points(const matrix<float>& rows) {
    if constexpr (is_sparse) {
      std::vector<std::int64_t> indptr{0};
      std::vector<std::int32_t> indices;
      std::vector<float> values;
      for (std::size_t i = 0; i < rows.rows(); ++i) {
        for (std::size_t j = 0; j < rows.cols(); ++j)
          if (rows(i, j) != 0) {
            indices.push_back(static_cast<std::int32_t>(j));
            values.push_back(rows(i, j));
          }
        indptr.push_back(static_cast<std::int64_t>(indices.size()));
      }
      return annulus::csr_matrix<float>(std::move(indptr), std::move(indices), std::move(values), rows.cols());
    } else {
      return rows;
    }
  }
  static void tidy(index_type& index) { index.consolidate(); }
  static index_type as_saved(index_type index) {
    index.consolidate();
    return index;
  }

  static neighbors search(const index_type& index, const view_type& queries, std::size_t k, const id_filter& filter,
                          dice& random, bool& is_measured) {
    const std::size_t beam = random.chance(0.5) ? 0 : random.from(1, 100);
    is_measured = beam == 0 || beam >= 4 * k;
    return index.search(queries, k, {.beam = beam, .threads = random.from(1, 3), .filter = filter});
  }

  static auto answers(const index_type& index, const view_type& queries) {
    const auto ball = index.radius_search(queries, 1.5f, {.threads = 1});
    return std::tuple(index.size(), index.search(queries, 10, {.threads = 2}),
                      index.search(queries, 3, {.beam = 30, .threads = 1}), ball.indptr, ball.indices, ball.distances,
                      index.graph(), index.ids());
  }

  static void ask_more(const index_type& index, const matrix<float>& queries, const model& truth, dice& random) {
    const float radius = static_cast<float>(random.from(0, 40)) / 10;
    const auto ball = index.radius_search(points(queries), radius, {.threads = random.from(1, 3)});
    for (std::size_t i = 0; i < queries.rows(); ++i)
      for (auto e = static_cast<std::size_t>(ball.indptr[i]); e < static_cast<std::size_t>(ball.indptr[i + 1]); ++e) {
        require(ball.distances[e] <= radius, "a row at ", ball.distances[e], " is in a ball of ", radius);
        truth.check_row(queries.row(i), static_cast<id_type>(ball.indices[e]), ball.distances[e]);
        require(e == static_cast<std::size_t>(ball.indptr[i]) || ball.distances[e - 1] <= ball.distances[e],
                "a ball is not sorted");
      }

    if (!random.chance(0.1)) return;
    const neighbors graph = index.graph();
    const std::vector<id_type> ids = index.ids();
    require(ids == truth.ids() && graph.ids.rows() == ids.size(),
            "the graph has not a list for each row that is there");
    for (std::size_t i = 0; i < ids.size(); ++i)
      for (std::size_t j = 0; j < graph.ids.cols(); ++j) {
        const id_type other = graph.ids(i, j);
        if (other == no_id) continue;
        require(other != ids[i], "id ", other, " is its own neighbour");
        truth.check_row(truth[ids[i]], other, graph.distances(i, j));
      }
  }
};

template <class Points, class Metric, class Storage>
void nndescent_episode(tally& t, dice& random, const std::filesystem::path& file, const distance& measure) {
  change_and_ask<nndescent_adapter<annulus::nndescent_index<Points, Metric, Storage>, Storage>>(t, random, file,
                                                                                                measure);
}

}  // namespace soak
