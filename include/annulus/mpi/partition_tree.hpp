#pragma once

/// \file
/// The tree that divides rows into partitions, near rows into the same one. Each of its splits compares the mean rank
/// of a row to two groups of rows: under squared Euclidean distances that is the hyperplane between the means of the
/// groups, and it works for any metric.

#include <annulus/core/base/random.hpp>
#include <annulus/core/metric/prepared_query.hpp>
#include <annulus/mpi/message_exchange.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The two partitions that a row is in: that of its leaf, and the one beyond the split that it is nearest to. Rows far
/// from all splits have the first home only, and it stands for both.
struct row_homes {
  std::uint32_t first = 0, second = 0;
};

/// A split of the tree, over 2 * group_size rows.
struct partition_split {
  static constexpr std::uint32_t leaf_bit = 0x80000000u;
  static constexpr std::size_t group_size = 16;

  std::uint32_t children[2] = {};  ///< numbers of splits, or leaf_bit and the number of a partition
  double threshold = 0;            ///< a row with a lesser margin goes left, one with an equal margin by coin
  double unit = 1;                 ///< how much margins of neighbours differ: closeness is in this unit

  /// The margin of a row: its mean rank to the first group less that to the second.
  template <class Metric, class T>
  static double margin(const prepared_query<Metric, T>& query, matrix_view<T> groups) {
    rank_t<Metric, T> ranks[2 * group_size];
    query(groups.data(), groups.stride(), 2 * group_size, ranks);
    double sum = 0;
    for (std::size_t i = 0; i < group_size; ++i)
      sum += static_cast<double>(ranks[i]) - static_cast<double>(ranks[group_size + i]);
    return is_finite(sum) ? sum / static_cast<double>(group_size) : 0;
  }

  bool is_right(double margin, std::uint64_t id, const counter_random& coin) const noexcept {
    return margin > threshold || (margin == threshold && (coin.bits(id) & 1u) != 0);
  }
};

template <class T>
class partition_tree {
 public:
  static constexpr std::size_t rows_per_split = 2 * partition_split::group_size;

  partition_tree() = default;
  /// `groups`: the rows of each split, one split's behind the other's.
  partition_tree(std::vector<partition_split> splits, matrix<T> groups, std::uint64_t seed)
      : m_splits(std::move(splits)), m_groups(std::move(groups)), m_seed(seed) {}

  void write(message_writer& out) const {
    out.put(m_greatest_closeness);
    out.put_all(std::span<const partition_split>(m_splits));
    out.put_all(std::span<const T>(m_groups.data(), m_groups.rows() * m_groups.cols()));
  }
  /// Reads a tree of rows of `dim` coordinates.
  static partition_tree read(message_reader& in, std::size_t n_partitions, std::size_t dim, std::uint64_t seed) {
    const auto greatest = in.get<double>();
    std::vector<partition_split> splits(n_partitions - 1);
    in.get_all(std::span(splits));
    matrix<T> groups(rows_per_split * splits.size(), dim);
    in.get_all(std::span<T>(groups.data(), groups.rows() * dim));
    partition_tree tree(std::move(splits), std::move(groups), seed);
    tree.m_greatest_closeness = greatest;
    return tree;
  }

  /// Gives about that share of all rows a second home, those nearest to a split, judged by a sample of them.
  template <class Metric>
  void limit_second_homes(double share, const Metric& metric, matrix_view<T> sample) {
    std::vector<double> found(sample.rows());
    for (std::size_t i = 0; i < found.size(); ++i) found[i] = locate(metric, sample.row(i), i).closeness;
    const auto kept = static_cast<std::size_t>(share * static_cast<double>(found.size()));
    if (kept == found.size()) return;
    std::ranges::sort(found);
    m_greatest_closeness = kept == 0 ? -1 : found[kept - 1];
  }

  /// The homes of a row with that global id: a function of both and of the tree alone.
  template <class Metric>
  row_homes homes(const Metric& metric, std::span<const T> row, std::uint64_t id) const {
    if (m_splits.empty()) return {};
    const location at = locate(metric, row, id);
    return {at.homes.first, at.closeness <= m_greatest_closeness ? at.homes.second : at.homes.first};
  }

 private:
  struct location {
    row_homes homes;
    double closeness;  ///< how far the row is from the nearest split on its way
  };

  template <class Metric>
  location locate(const Metric& metric, std::span<const T> row, std::uint64_t id) const {
    const prepared_query<Metric, T> query(metric, row.data(), row.size());
    location found{{}, std::numeric_limits<double>::max()};
    std::uint32_t beyond = 0;
    found.homes.first = descend(query, id, 0, [&](double closeness, std::uint32_t other) {
      if (closeness >= found.closeness) return;
      found.closeness = closeness;
      beyond = other;
    });
    found.homes.second = descend(query, id, beyond, [](double, std::uint32_t) {});
    return found;
  }

  /// From node `at` down to a partition. passed(closeness, other child) for each split on the way.
  template <class Metric, class Passed>
  std::uint32_t descend(const prepared_query<Metric, T>& query, std::uint64_t id, std::uint32_t at,
                        Passed passed) const {
    while ((at & partition_split::leaf_bit) == 0) {
      const partition_split& split = m_splits[at];
      const double margin =
          partition_split::margin(query, matrix_view<T>(m_groups).middle_rows(rows_per_split * at, rows_per_split));
      const std::size_t side = split.is_right(margin, id, counter_random(m_seed, at));
      passed(std::abs(margin - split.threshold) / split.unit, split.children[1 - side]);
      at = split.children[side];
    }
    return at & ~partition_split::leaf_bit;
  }

  std::vector<partition_split> m_splits;
  matrix<T> m_groups;
  double m_greatest_closeness = std::numeric_limits<double>::max();
  std::uint64_t m_seed = 0;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
