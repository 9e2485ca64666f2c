#pragma once

/// \file
/// Builds a partition tree over a sample of all rows.

#include <annulus/core/base/ids.hpp>
#include <annulus/core/base/parallel.hpp>
#include <annulus/mpi/partition_tree.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Each split is the best of a few: the one that parts the fewest neighbours, by a k-NN graph of the sample.
template <class T, class Metric>
class partition_tree_builder {
 public:
  /// `graph`: neighbours of each row of the sample. All that is referred to must outlive it.
  partition_tree_builder(matrix_view<T> sample, const Metric& metric, matrix_view<id_type> graph, std::uint64_t seed,
                         const thread_team& team)
      : m_sample(sample),
        m_metric(&metric),
        m_graph(graph),
        m_seed(seed),
        m_team(&team),
        m_margins(sample.rows()),
        m_sides(sample.rows(), outside) {}

  /// A tree of n_partitions > 1 leaves, which take about the same number of rows. The sample must not be empty.
  partition_tree<T> build(std::size_t n_partitions) {
    std::vector<id_type> all(m_sample.rows());
    std::iota(all.begin(), all.end(), id_type{0});
    m_groups = matrix<T>(rows_per_split * (n_partitions - 1), m_sample.cols());
    grow(all, 0, n_partitions);
    return {std::move(m_splits), std::move(m_groups), m_seed};
  }

 private:
  static constexpr std::size_t rows_per_split = partition_tree<T>::rows_per_split;
  static constexpr std::size_t n_starts = 6, n_refinements = 6, most_judged = 4096;
  enum side : std::uint8_t { left, right, outside };

  /// Divides `members`, which it reorders, into partitions `first` to `first + count`; returns the node.
  std::uint32_t grow(std::span<id_type> members, std::size_t first, std::size_t count) {
    if (count == 1) return partition_split::leaf_bit | static_cast<std::uint32_t>(first);
    const std::size_t node = m_splits.size(), n_left = (count + 1) / 2;
    m_splits.emplace_back();
    split(members, node, static_cast<double>(n_left) / static_cast<double>(count));
    measure(members, matrix_view<T>(m_groups).middle_rows(rows_per_split * node, rows_per_split));
    assign_sides(members, node, m_splits[node]);
    const auto middle =
        std::stable_partition(members.begin(), members.end(), [&](id_type i) { return m_sides[i] == left; });
    for (const id_type i : members) m_sides[i] = outside;
    const auto size = static_cast<std::size_t>(middle - members.begin());
    const std::uint32_t children[2] = {grow(members.first(size), first, n_left),
                                       grow(members.subspan(size), first + n_left, count - n_left)};
    std::ranges::copy(children, m_splits[node].children);
    return static_cast<std::uint32_t>(node);
  }

  /// Finds the split of a node, such that `share` of its members are on the left. Each start is refined as in 2-means:
  /// the sides follow from the groups, and the next groups are drawn from both sides.
  void split(std::span<const id_type> members, std::size_t node, double share) {
    const counter_random random(m_seed + 1, node);
    const std::span<const id_type> judged = members.first(std::min(members.size(), most_judged));
    std::uint64_t n_drawn = 0;
    matrix<T> groups(rows_per_split, m_sample.cols());
    double least = std::numeric_limits<double>::max();
    std::vector<id_type> sides[2];
    for (std::size_t start = 0; start < n_starts; ++start) {
      partition_split found;
      for (std::size_t refinement = 0; refinement <= n_refinements; ++refinement) {
        // To begin with a group is one row, again and again.
        for (std::size_t i = 0; i < rows_per_split; ++i) {
          const auto& drawn_from = sides[i / partition_split::group_size];
          if (refinement == 0 && i % partition_split::group_size != 0) {
            std::ranges::copy(std::as_const(groups).row(i - 1), groups.row(i).begin());
            continue;
          }
          const std::span<const id_type> from = refinement == 0 || drawn_from.empty() ? judged : drawn_from;
          const std::size_t row =
              from.empty() ? random.below(n_drawn++, m_sample.rows()) : from[random.below(n_drawn++, from.size())];
          std::ranges::copy(m_sample.row(row), groups.row(i).begin());
        }
        measure(judged, groups);
        found.threshold = quantile(judged, share);
        assign_sides(judged, node, found);
        for (auto& s : sides) s.clear();
        for (const id_type i : judged) sides[m_sides[i]].push_back(i);
      }
      const auto [cut, unit] = judge(judged);
      for (const id_type i : judged) m_sides[i] = outside;
      if (cut >= least) continue;
      least = cut;
      found.unit = unit;
      m_splits[node] = found;
      std::copy_n(groups.data(), rows_per_split * groups.cols(), m_groups.row(rows_per_split * node).data());
    }
  }

  void measure(std::span<const id_type> members, matrix_view<T> groups) {
    parallel_for(*m_team, members.size(), 256, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (const id_type i : members.subspan(begin, end - begin))
        m_margins[i] = partition_split::margin(
            prepared_query<Metric, T>(*m_metric, m_sample.row(i).data(), m_sample.cols()), groups);
    });
  }

  void assign_sides(std::span<const id_type> members, std::size_t node, const partition_split& by) {
    const counter_random coin(m_seed, node);
    for (const id_type i : members) m_sides[i] = by.is_right(m_margins[i], i, coin) ? right : left;
  }

  double quantile(std::span<const id_type> members, double share) const {
    if (members.empty()) return 0;
    std::vector<double> values;
    for (const id_type i : members) values.push_back(m_margins[i]);
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size()));
    std::nth_element(values.begin(), at, values.end());
    return *at;
  }

  struct quality {
    double cut;   ///< the share of the edges between members that the split parts
    double unit;  ///< the mean difference of the margins of two neighbours
  };
  quality judge(std::span<const id_type> members) const {
    double cut = 0, difference = 0, edges = 0;
    for (const id_type i : members)
      for (const id_type j : m_graph.row(i)) {
        if (j == no_id || m_sides[j] == outside) continue;
        edges += 1;
        cut += m_sides[i] != m_sides[j];
        difference += std::abs(m_margins[i] - m_margins[j]);
      }
    if (edges == 0 || !(difference > 0)) return {1, 1};
    return {cut / edges, difference / edges};
  }

  matrix_view<T> m_sample;
  const Metric* m_metric;
  matrix_view<id_type> m_graph;
  std::uint64_t m_seed;
  const thread_team* m_team;
  std::vector<double> m_margins;
  std::vector<std::uint8_t> m_sides;  ///< of the members of the node at work
  std::vector<partition_split> m_splits;
  matrix<T> m_groups;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
