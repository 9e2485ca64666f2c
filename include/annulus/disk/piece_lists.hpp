#pragma once

/// \file
/// The k-NN lists of one piece. annulus.hpp leaves this header out.

#include <annulus/disk/piece_files.hpp>
#include <annulus/nndescent/graph/build.hpp>
#include <annulus/nndescent/graph/equal_rows.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// What the steps of a build in pieces share.
template <class T, class Metric>
struct piece_job {
  build_folder& folder;
  const Metric& metric;
  const nndescent_params& given;   ///< zeros are resolved for each piece
  const nndescent_params& params;  ///< resolved for all rows
  std::size_t dim, n_pieces;
  std::size_t list_width;  ///< neighbours of a row that are kept until edges are chosen
  std::size_t memory_bytes;
  const thread_team& team;
};

/// A row that equals another one, which stands for both.
struct copied_row {
  id_type id, original;
};

/// Finds the nearest neighbours of the rows of a piece among each other, by NN-descent, and writes
///
///   "keys.<piece>"    the numbers of the rows that differ, in sections by their first home
///   "lists.<piece>"   the list of each, in the same order: list_width neighbours, nearest first, with distances
///   "copies.<piece>"  rows of this home that equal an earlier one
///   "vertex_rows"     the rows of this home that differ, in the order of their section: vertices get their numbers
///                     piece by piece, and within a piece in the order of a tree's leaves
///
/// The rows of the piece are dropped.
template <class T, class Metric>
class piece_builder {
 public:
  piece_builder(const piece_job<T, Metric>& job, std::size_t piece)
      : m_job(&job),
        m_piece(piece),
        m_ids(job.folder, of_piece("ids", piece)),
        m_homes(job.folder, "homes"),
        m_values(job.folder, of_piece("rows", piece)) {}

  void operator()(const progress_callback& progress) {
    build_folder& folder = m_job->folder;
    const matrix_view<T> all(m_values.all().data(), m_ids.all().size(), m_job->dim);
    if (all.rows() == 0) {
      append_sections<id_type>(folder, of_piece("keys", m_piece), std::vector<std::uint64_t>(m_job->n_pieces + 1), {});
    } else {
      const row_groups groups = group_equal_rows(all, m_job->team);
      const distinct_rows<matrix_view<T>> distinct(all, groups);
      const matrix_view<T> data = distinct.view();
      nndescent_params params = resolved(m_job->given, data.rows());
      staged_progress stages(progress, {{"trees", 15}, {"descent", 80}, {"lists", 5}});
      params.progress = stages.callback();
      const std::size_t width = std::max<std::size_t>(1, std::min(m_job->list_width, data.rows() - 1));
      with_lists(data, m_job->metric, width, params, {}, m_job->team,
                 [&](const erased_space&, const row_order& order, neighbor_lists& lists) {
                   write(data, groups, order, lists, params.progress);
                 });
      stages.finish();
    }
    folder.drop(of_piece("rows", m_piece));
    folder.drop(of_piece("ids", m_piece));
  }

 private:
  void write(matrix_view<T> data, const row_groups& groups, const row_order& order, const neighbor_lists& lists,
             const progress_callback& progress) {
    build_folder& folder = m_job->folder;
    const std::span<const id_type> ids = m_ids.all();
    const std::span<const std::uint32_t> homes = m_homes.all();
    const auto id_of = [&](std::size_t i) { return ids[groups.firsts[order[i]]]; };

    std::vector<std::uint64_t> begins(m_job->n_pieces + 1, 0);
    for (std::size_t i = 0; i < order.size(); ++i) ++begins[homes[id_of(i)] + 1];
    std::partial_sum(begins.begin(), begins.end(), begins.begin());
    std::vector<id_type> by_home(order.size()), keys(order.size());
    std::vector<std::uint64_t> next(begins.begin(), begins.end() - 1);
    for (std::size_t i = 0; i < order.size(); ++i) by_home[next[homes[id_of(i)]]++] = static_cast<id_type>(i);
    std::ranges::transform(by_home, keys.begin(), id_of);
    append_sections<id_type>(folder, of_piece("keys", m_piece), begins, keys);

    constexpr std::size_t block = 16384;
    const std::size_t width = m_job->list_width;
    std::vector<candidate<float>> found;
    for (std::size_t first = 0; first < order.size(); first += block) {
      const std::size_t count = std::min(block, order.size() - first);
      found.assign(count * width, {std::numeric_limits<float>::infinity(), no_id});
      parallel_for(m_job->team, count, 256, [&](std::size_t begin, std::size_t end, std::size_t) {
        for (std::size_t k = begin; k < end; ++k) {
          const id_type i = by_home[first + k];
          const row_query rank(m_job->metric, data.row(order[i]));
          candidate<float>* const list = found.data() + k * width;
          for (std::size_t j = 0; j < lists.count(i); ++j) {
            const id_type other = lists(i, j).id();
            list[j] = {distance_of(m_job->metric, rank(data.row(order[other]))), id_of(other)};
          }
          std::sort(list, list + lists.count(i));
        }
      });
      append_values<candidate<float>>(folder, of_piece("lists", m_piece), found);
      report(progress, "lists", static_cast<double>(first + count) / static_cast<double>(order.size()));
    }

    for (std::uint64_t k = begins[m_piece]; k < begins[m_piece + 1]; ++k)
      append_values(folder, "vertex_rows", data.row(order[by_home[k]]));
    for (std::size_t row = 0; row < groups.group_of.size(); ++row) {
      const copied_row copy{ids[row], ids[groups.firsts[groups.group_of[row]]]};
      if (homes[copy.id] == m_piece && copy.id != copy.original)
        folder.append(of_piece("copies", m_piece), &copy, sizeof copy);
    }
  }

  const piece_job<T, Metric>* m_job;
  std::size_t m_piece;
  mapped_values<id_type> m_ids;
  mapped_values<std::uint32_t> m_homes;
  mapped_values<T> m_values;
};

/// The vertices of the graph, once all pieces are built.
struct piece_vertices {
  std::vector<std::size_t> begins;  ///< of each piece, and the end of the last
  std::vector<id_type> vertex_of;   ///< of each row

  piece_vertices(const build_folder& folder, std::size_t n_rows, std::size_t n_pieces)
      : begins(n_pieces + 1, 0), vertex_of(n_rows, no_id) {
    for (std::size_t p = 0; p < n_pieces; ++p) {
      const mapped_sections<id_type> keys(folder, of_piece("keys", p), n_pieces);
      const auto own = keys.of(p);
      for (std::size_t i = 0; i < own.size(); ++i) vertex_of[own[i]] = static_cast<id_type>(begins[p] + i);
      begins[p + 1] = begins[p] + own.size();
      const mapped_values<copied_row> copies(folder, of_piece("copies", p));
      for (const auto& [id, original] : copies.all()) vertex_of[id] = vertex_of[original];
    }
  }
  std::size_t size() const noexcept { return begins.back(); }
  std::size_t piece_of(id_type vertex) const noexcept {
    return static_cast<std::size_t>(std::upper_bound(begins.begin(), begins.end(), vertex) - begins.begin()) - 1;
  }
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
