#pragma once

/// \file
/// Keeps the codes of edges in step with the edges of a graph: all of them when it is built, and those that change.

#include <annulus/core/base/parallel.hpp>
#include <annulus/core/base/random.hpp>
#include <annulus/nndescent/index/edge_codes.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The mean of some rows of a walk becomes the centre of codes, which have no edges yet.
template <class Walk>
void fit_centre(const Walk& walk, edge_codes& codes) {
  const aligned_vector<float> origin(codes.dim(), 0.0f);
  aligned_vector<float> row(codes.dim());
  std::vector<double> sum(codes.dim());
  double count = 0;
  visit_sample(walk.size(), 256, [&](std::size_t i) {
    walk.decode(i, origin.data(), row.data());
    for (std::size_t j = 0; j < row.size(); ++j) sum[j] += static_cast<double>(row[j]);
    ++count;
  });
  std::ranges::transform(sum, row.begin(), [&](double x) { return static_cast<float>(x / std::max(count, 1.0)); });
  codes.set_centre(row);
}

/// Encodes edges of some vertices, one after the other: those that are others than before. Allocates nothing.
template <class Walk>
class edge_encoder {
 public:
  edge_encoder(const Walk& walk, edge_codes& codes)
      : m_walk(&walk), m_codes(&codes), m_scratch(codes), m_from(codes.dim()), m_to(codes.dim()) {}

  /// The edges of a vertex become `edges`, padded with no_id.
  void operator()(std::size_t vertex, std::span<const id_type> edges) noexcept {
    bool is_read = false;
    for (std::size_t j = 0; j < m_codes->n_places(); ++j) {
      const id_type to = j < edges.size() ? edges[j] : no_id;
      if (m_codes->neighbor(vertex, j) == to) continue;
      if (to == no_id) {
        m_codes->clear_edge(vertex, j);
        continue;
      }
      if (!std::exchange(is_read, true)) read(vertex, m_from.data());
      read(to, m_to.data());
      m_codes->put_edge(vertex, j, to, m_from.data(), m_to.data(), m_scratch);
    }
  }

 private:
  void read(std::size_t vertex, float* out) const noexcept {
    m_walk->decode(vertex, m_codes->centre().data(), out);
    m_codes->prepare_row(out);
  }

  const Walk* m_walk;
  edge_codes* m_codes;
  edge_codes::scratch m_scratch;
  aligned_vector<float> m_from, m_to;
};

/// Encodes all edges of a graph whose codes have none yet. Each row is rotated once: O(n (d + degree) d), and n d
/// floats meanwhile.
template <class Walk>
void encode_all(const Walk& walk, const search_edges& edges, edge_codes& codes, const thread_team& team) {
  fit_centre(walk, codes);
  const std::size_t n = edges.size(), dim = codes.dim();
  auto rows = buffer<float>::for_overwrite(n * dim);
  parallel_for(team, n, 256, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t v = begin; v < end; ++v) {
      walk.decode(v, codes.centre().data(), rows.data() + v * dim);
      codes.prepare_row(rows.data() + v * dim);
    }
  });
  std::vector<edge_codes::scratch> scratch(team.size(), edge_codes::scratch(codes));
  parallel_for(team, n, 256, [&](std::size_t begin, std::size_t end, std::size_t worker) {
    for (std::size_t v = begin; v < end; ++v) {
      std::size_t j = 0;
      for (const id_type to : edges.of(v))
        codes.put_edge(v, j++, to, rows.data() + v * dim, rows.data() + to * dim, scratch[worker]);
    }
  });
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
