#pragma once

/// \file
/// A tree, made of a sample of rows, that parts all rows into pieces: each row has a home, and a second one where
/// neighbours of it may have theirs. annulus.hpp leaves this header out.

#include <annulus/core/base/random.hpp>
#include <annulus/core/metric/row_query.hpp>
#include <annulus/core/rows/value_checks.hpp>
#include <annulus/core/select/top_k.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The pieces of a row. The second is the first where the row is far from all other pieces.
struct piece_homes {
  std::uint32_t first, second;
};

/// Each node parts rows by which of two rows of the sample they are nearer to, at a threshold that puts as many on each
/// side as it has pieces. Of some pairs of rows a node takes that which separates the fewest neighbours in the sample.
/// Its unit is the mean difference of a row and a neighbour across the plane: a row that is nearer to the plane than
/// `reach` units of the node may have neighbours on the other side.
///
/// Which pieces a row has depends on what it contains alone, so that equal rows have the same.
template <class T, class Metric>
class piece_tree {
 public:
  static constexpr double reach = 1;

  /// A tree of n_pieces leaves. O(rows log n_pieces), and a constant a node.
  piece_tree(matrix_view<T> sample, const Metric& metric, std::size_t n_pieces, std::uint64_t seed)
      : m_sample(sample), m_metric(&metric), m_n_pieces(n_pieces) {
    std::vector<std::uint32_t> rows(sample.rows());
    std::iota(rows.begin(), rows.end(), 0u);
    grow(rows, n_pieces, seed);
  }

  std::size_t n_pieces() const noexcept { return m_n_pieces; }

  piece_homes homes(std::span<const T> row) const {
    double least = std::numeric_limits<double>::infinity();
    std::uint32_t other = nothing;
    const std::uint32_t first = descend(0, row, [&](double margin, std::uint32_t not_followed) {
      if (margin < least) {
        least = margin;
        other = not_followed;
      }
    });
    if (other == nothing || !(least < reach)) return {first, first};
    return {first, descend(other, row, [](double, std::uint32_t) {})};
  }

 private:
  static constexpr std::uint32_t nothing = 0xFFFFFFFFu;
  struct node {
    std::uint32_t a = 0, b = 0;  ///< rows of the sample
    double weight_a = 1, weight_b = 1;
    double threshold = 0, unit = 0;
    std::uint32_t child = 0;  ///< the left one; the right one follows. 0 for a leaf
    std::uint32_t piece = 0;  ///< of a leaf
  };

  double rank(std::uint32_t i, std::span<const T> row) const {
    return static_cast<double>(rank_of_rows(*m_metric, m_sample.row(i), row));
  }
  /// Grows with the nearness to a.
  double margin(const node& x, std::span<const T> row) const {
    return x.weight_b * rank(x.b, row) - x.weight_a * rank(x.a, row);
  }

  template <class PassBy>
  std::uint32_t descend(std::uint32_t at, std::span<const T> row, PassBy pass_by) const {
    while (m_nodes[at].child != 0) {
      const node& x = m_nodes[at];
      const double beyond = margin(x, row) - x.threshold;
      const bool is_right = beyond >= 0;
      pass_by(x.unit > 0 ? std::abs(beyond) / x.unit : std::numeric_limits<double>::infinity(), x.child + !is_right);
      at = x.child + is_right;
    }
    return m_nodes[at].piece;
  }

  /// Adds the nodes over these rows of the sample, whose order changes.
  void grow(std::span<std::uint32_t> rows, std::size_t n_pieces, std::uint64_t seed) {
    struct part {
      std::span<std::uint32_t> rows;
      std::uint32_t at, first_piece;
      std::size_t n_pieces;
    };
    m_nodes.assign(1, {});
    std::vector<part> open{{rows, 0, 0, n_pieces}};
    while (!open.empty()) {
      const part p = open.back();
      open.pop_back();
      if (p.n_pieces == 1 || p.rows.size() < 2) {  // pieces without a row in the sample have none in the data either
        m_nodes[p.at].piece = p.first_piece;
        continue;
      }
      const std::size_t left_pieces = p.n_pieces / 2;
      const double share = static_cast<double>(left_pieces) / static_cast<double>(p.n_pieces);
      node x = best_plane(p.rows, share, counter_random(seed, p.at));
      std::vector<double> margins(p.rows.size());
      std::transform(p.rows.begin(), p.rows.end(), margins.begin(),
                     [&](std::uint32_t i) { return margin(x, m_sample.row(i)); });
      x.threshold = quantile(margins, share);
      x.child = static_cast<std::uint32_t>(m_nodes.size());
      m_nodes[p.at] = x;
      m_nodes.resize(m_nodes.size() + 2);
      const auto right = std::stable_partition(
          p.rows.begin(), p.rows.end(), [&](std::uint32_t i) { return margin(x, m_sample.row(i)) < x.threshold; });
      const auto n_left = static_cast<std::size_t>(right - p.rows.begin());
      open.push_back({p.rows.subspan(n_left), x.child + 1, p.first_piece + static_cast<std::uint32_t>(left_pieces),
                      p.n_pieces - left_pieces});
      open.push_back({p.rows.first(n_left), x.child, p.first_piece, left_pieces});
    }
  }

  static double quantile(std::vector<double> values, double share) {
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size()));
    std::nth_element(values.begin(), at, values.end());
    return *at;
  }

  /// Of some pairs of rows the one whose plane separates the fewest neighbours, judged by some rows.
  node best_plane(std::span<const std::uint32_t> rows, double share, const counter_random& random) const {
    constexpr std::size_t n_pairs = 16, most_rows = 2048, most_probes = 128, n_nearest = 8;
    std::vector<std::uint32_t> pool;
    visit_sample(rows.size(), most_rows, [&](std::size_t i) { pool.push_back(rows[i]); });
    const std::size_t n_probes = std::min(most_probes, pool.size());
    std::vector<std::pair<std::size_t, std::size_t>> pairs;  // of neighbours, by their places in the pool
    top_k<double> nearest(std::min(n_nearest, pool.size()));
    for (std::size_t p = 0; p < n_probes; ++p) {
      const std::size_t at = p * pool.size() / n_probes;
      nearest.reset(std::min(n_nearest, pool.size()));
      for (std::size_t i = 0; i < pool.size(); ++i)
        if (i != at) nearest.push(rank(pool[at], m_sample.row(pool[i])), static_cast<id_type>(i));
      for (const auto& c : nearest.sorted()) pairs.emplace_back(at, std::size_t{c.id});
    }
    node best;
    std::size_t least = std::numeric_limits<std::size_t>::max();
    std::vector<double> margins(pool.size());
    for (std::size_t trial = 0; trial < n_pairs; ++trial) {
      node x;
      const std::size_t a = random.below(2 * trial, pool.size()), b = random.below(2 * trial + 1, pool.size() - 1);
      x.a = pool[a];
      x.b = pool[b + (b >= a)];
      if constexpr (form_of<Metric>() == product_form::inner_product) {  // which part rows by direction
        const auto weight = [&](std::uint32_t i) {
          const double square = -rank(i, m_sample.row(i));
          return square > 0 ? 1 / std::sqrt(square) : 0.0;
        };
        x.weight_a = weight(x.a);
        x.weight_b = weight(x.b);
      }
      for (std::size_t i = 0; i < pool.size(); ++i) margins[i] = margin(x, m_sample.row(pool[i]));
      const double threshold = quantile(margins, share);
      std::size_t n_cut = 0;
      for (const auto& [i, j] : pairs) {
        n_cut += (margins[i] < threshold) != (margins[j] < threshold);
        x.unit += std::abs(margins[i] - margins[j]) / static_cast<double>(pairs.size());
      }
      if (n_cut >= least && trial > 0) continue;
      least = n_cut;
      best = x;
    }
    return best;
  }

  matrix_view<T> m_sample;
  const Metric* m_metric;
  std::size_t m_n_pieces;
  std::vector<node> m_nodes;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
