#pragma once

/// \file
/// From the lists of pieces to those of vertices, and to the edges that start from them. annulus.hpp leaves this header
/// out.

#include <annulus/disk/index_parts.hpp>
#include <annulus/disk/piece_lists.hpp>
#include <annulus/nndescent/index/graph_files.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// An edge to a vertex of another piece than its start.
struct incoming_edge {
  id_type to, from;
  float rank;
};

/// Merges the lists that the rows of one home have in all pieces, and writes of its vertices
///
///   the k-NN lists, rows and codes of the index
///   "kept"               the neighbours that diversification keeps, nearest first, of which it keeps up to `degree`
///   "incoming.<piece>"   edges to vertices of other pieces, in sections by these
///
/// Lists with the same neighbour have the same distance, to the bit: that of the two rows.
template <class State, class Space>
class list_merger {
  using T = typename State::points_type::value_type;
  using metric_type = typename State::metric_type;

 public:
  list_merger(const piece_job<T, metric_type>& job, const State& state, const Space& space, matrix_view<T> rows,
              const piece_vertices& vertices, index_parts& parts)
      : m_job(&job),
        m_state(&state),
        m_rows(rows),
        m_vertices(&vertices),
        m_parts(&parts),
        m_rule(state.rule()),
        m_diversifiers(job.team.size(), diversifier<Space>(space, m_rule)),
        m_rankers(job.team.size(), typename Space::ranker(space)) {}

  void operator()(std::size_t piece, const progress_callback& progress) {
    const std::size_t begin = m_vertices->begins[piece], end = m_vertices->begins[piece + 1];
    merge(piece, begin, end - begin);
    m_incoming.clear();
    constexpr std::size_t block = 8192;
    for (std::size_t first = begin; first < end; first += block) {
      const std::size_t count = std::min(block, end - first);
      write_block(piece, first, count, m_lists.data() + (first - begin) * m_job->list_width);
      report(progress, "merge", static_cast<double>(first + count - begin) / static_cast<double>(end - begin));
    }
    write_incoming(piece);
    m_lists = {};
  }

 private:
  using list = std::span<candidate<float>>;
  static constexpr candidate<float> nothing{std::numeric_limits<float>::infinity(), no_id};

  /// The lists of the vertices of a piece, by numbers of rows.
  void merge(std::size_t piece, std::size_t begin, std::size_t count) {
    const std::size_t width = m_job->list_width;
    m_lists.assign(count * width, nothing);
    std::vector<candidate<float>> both(2 * width);
    for (std::size_t p = 0; p < m_job->n_pieces; ++p) {
      const mapped_sections<id_type> keys(m_job->folder, of_piece("keys", p), m_job->n_pieces);
      const mapped_values<candidate<float>> lists(m_job->folder, of_piece("lists", p));
      const auto rows = keys.of(piece);
      const candidate<float>* from = lists.all().data() + keys.begin_of(piece) * width;
      for (const id_type row : rows) {
        const list to(m_lists.data() + (m_vertices->vertex_of[row] - begin) * width, width);
        std::merge(to.begin(), to.end(), from, from + width, both.begin());
        const auto last = std::unique(both.begin(), both.end());  // padding beyond it counts as one more
        std::copy_n(both.begin(), std::min(width, static_cast<std::size_t>(last - both.begin())), to.begin());
        from += width;
      }
    }
  }

  void write_block(std::size_t piece, std::size_t first, std::size_t count, candidate<float>* lists) {
    const std::size_t width = m_job->list_width;
    m_kept.assign(count * m_rule.degree, nothing);
    knn_lists nearest(m_state->lists.width());
    nearest.resize(count);
    auto walked = m_state->walk;
    walked.resize(count);
    auto exact = m_state->rows;
    if (m_state->keeps_beside()) exact.resize(count);
    parallel_for(m_job->team, count, 64, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      std::vector<candidate<float>> row;
      std::vector<id_type> ids;
      std::vector<float> ranks;
      for (std::size_t i = begin; i < end; ++i) {
        row.clear();
        for (const auto& c : std::span(lists + i * width, width))
          if (c.id != no_id) row.push_back({c.rank, m_vertices->vertex_of[c.id]});
        std::sort(row.begin(), row.end());
        nearest.assign(i, row);
        ids.clear();
        for (const auto& c : row) ids.push_back(c.id);
        ranks.resize(ids.size());
        const auto vertex = static_cast<id_type>(first + i);
        m_rankers[worker].from(vertex, ids, ranks.data());
        for (std::size_t j = 0; j < row.size(); ++j) row[j].rank = ranks[j];
        std::sort(row.begin(), row.end());
        m_diversifiers[worker](vertex, row);
        std::ranges::copy(row, m_kept.data() + i * m_rule.degree);
        if (m_state->keeps_beside()) exact.assign(i, m_rows.row(vertex));
      }
    });
    for (std::size_t i = 0; i < count; ++i) walked.assign(i, m_rows.row(first + i));
    m_parts->append(walk_name<State>(), walked);
    if (m_state->keeps_beside()) m_parts->append("rows", exact);
    m_parts->append("graph.neighbors", nearest);
    append_values<candidate<float>>(m_job->folder, "kept", m_kept);
    for (std::size_t i = 0; i < count; ++i)
      for (const auto& c : std::span(m_kept).subspan(i * m_rule.degree, m_rule.degree))
        if (c.id != no_id && m_vertices->piece_of(c.id) != piece)
          m_incoming.push_back({c.id, static_cast<id_type>(first + i), c.rank});
  }

  void write_incoming(std::size_t piece) {
    std::vector<std::uint64_t> begins(m_job->n_pieces + 1, 0);
    for (const incoming_edge& e : m_incoming) ++begins[m_vertices->piece_of(e.to) + 1];
    std::partial_sum(begins.begin(), begins.end(), begins.begin());
    std::sort(m_incoming.begin(), m_incoming.end(), [](const incoming_edge& a, const incoming_edge& b) {
      return a.to != b.to ? a.to < b.to : a.from < b.from;
    });
    append_sections<incoming_edge>(m_job->folder, of_piece("incoming", piece), begins, m_incoming);
    m_incoming = {};
  }

  const piece_job<T, metric_type>* m_job;
  const State* m_state;
  matrix_view<T> m_rows;
  const piece_vertices* m_vertices;
  index_parts* m_parts;
  diversify_rule m_rule;
  std::vector<diversifier<Space>> m_diversifiers;
  std::vector<typename Space::ranker> m_rankers;
  std::vector<candidate<float>> m_lists, m_kept;
  std::vector<incoming_edge> m_incoming;
};

/// Joins the edges that start from the vertices of one piece by those that lead to them, as build_search_graph does,
/// and appends the part "joined" of the index. Incoming edges are held for as many vertices at a time as memory allows.
template <class State, class Space>
class edge_joiner {
  using T = typename State::points_type::value_type;
  using metric_type = typename State::metric_type;

 public:
  edge_joiner(const piece_job<T, metric_type>& job, const State& state, const Space& space,
              const piece_vertices& vertices, index_parts& parts)
      : m_job(&job),
        m_vertices(&vertices),
        m_parts(&parts),
        m_rule(state.rule()),
        m_kept(job.folder, "kept"),
        m_diversifiers(job.team.size(), diversifier<Space>(space, m_rule)) {}

  void operator()(std::size_t piece, const progress_callback& progress) {
    const std::size_t begin = m_vertices->begins[piece], end = m_vertices->begins[piece + 1];
    std::vector<std::uint32_t> in_degrees(end - begin, 0);
    visit_incoming(piece, [&](id_type to, candidate<float>) { ++in_degrees[to - begin]; });
    const std::size_t most_held = std::max<std::size_t>(m_job->memory_bytes / 4 / sizeof(candidate<float>), 1);
    for (std::size_t first = begin; first < end;) {
      std::vector<std::size_t> begins(1, 0);
      while (first + begins.size() - 1 < end && (begins.size() == 1 || begins.back() < most_held))
        begins.push_back(begins.back() + in_degrees[first + begins.size() - 1 - begin]);
      join(piece, first, begins);
      first += begins.size() - 1;
      report(progress, "reverse edges", static_cast<double>(first - begin) / static_cast<double>(end - begin));
    }
  }

 private:
  std::span<const candidate<float>> kept(std::size_t vertex) const noexcept {
    const auto row = m_kept.all().subspan(vertex * m_rule.degree, m_rule.degree);
    const auto end = std::ranges::find(row, no_id, [](const auto& c) { return c.id; });
    return row.first(static_cast<std::size_t>(end - row.begin()));
  }
  /// f(to, {rank, from}) for the edges to the vertices of a piece.
  template <class F>
  void visit_incoming(std::size_t piece, F f) const {
    const std::size_t begin = m_vertices->begins[piece], end = m_vertices->begins[piece + 1];
    for (std::size_t v = begin; v < end; ++v)
      for (const auto& c : kept(v))
        if (c.id >= begin && c.id < end) f(c.id, candidate<float>{c.rank, static_cast<id_type>(v)});
    for (std::size_t p = 0; p < m_job->n_pieces; ++p) {
      const mapped_sections<incoming_edge> edges(m_job->folder, of_piece("incoming", p), m_job->n_pieces);
      for (const incoming_edge& e : edges.of(piece)) f(e.to, candidate<float>{e.rank, e.from});
    }
  }

  /// Vertices from `first` on, where those that lead to the i-th of these stand from begins[i] to begins[i + 1].
  void join(std::size_t piece, std::size_t first, const std::vector<std::size_t>& begins) {
    const std::size_t count = begins.size() - 1;
    std::vector<candidate<float>> incoming(begins.back());
    std::vector<std::size_t> next(begins.begin(), begins.end() - 1);
    visit_incoming(piece, [&](id_type to, candidate<float> from) {
      if (to >= first && to < first + count) incoming[next[to - first]++] = from;
    });
    constexpr std::size_t block = 65536;
    for (std::size_t done = 0; done < count; done += block) {
      search_edges edges(std::min(block, count - done), m_rule.degree + 1);
      parallel_for(m_job->team, edges.size(), 256, [&](std::size_t begin, std::size_t end, std::size_t worker) {
        std::vector<candidate<float>> row;
        std::vector<id_type> ids;
        for (std::size_t i = begin; i < end; ++i) {
          const std::size_t at = done + i;
          const auto own = kept(first + at);
          row.assign(own.begin(), own.end());
          row.insert(row.end(), incoming.begin() + static_cast<std::ptrdiff_t>(begins[at]),
                     incoming.begin() + static_cast<std::ptrdiff_t>(begins[at + 1]));
          join_edges(first + at, row, m_rule, m_diversifiers[worker]);
          ids.clear();
          for (const auto& c : row) ids.push_back(c.id);
          edges.assign(i, ids);
        }
      });
      m_parts->append("joined", edges);
    }
  }

  const piece_job<T, metric_type>* m_job;
  const piece_vertices* m_vertices;
  index_parts* m_parts;
  diversify_rule m_rule;
  mapped_values<candidate<float>> m_kept;
  std::vector<diversifier<Space>> m_diversifiers;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
