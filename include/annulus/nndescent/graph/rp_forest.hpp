#pragma once

/// \file
/// Random projection trees (Dasgupta, Freund 2008): each part of the data is halved by the hyperplane between two of
/// its rows, until it fits a leaf. Rows of a leaf are near each other more often than not.

#include <annulus/core/base/ids.hpp>
#include <annulus/core/base/parallel.hpp>
#include <annulus/core/base/random.hpp>

#include <numeric>
#include <ranges>
#include <span>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The rows in leaf order, and where each leaf begins, with the end behind the last.
struct rp_leaves {
  std::vector<id_type> order;
  std::vector<std::size_t> begins;
};

/// Splits parts of a space; holds scratch.
template <class Space>
class rp_splitter {
 public:
  /// Parts this deep are halved at random: duplicates and outliers must not make a tree a list.
  static constexpr std::size_t greatest_depth = 100;

  explicit rp_splitter(const Space& space) : m_ranker(space) {}

  /// out[i] = rank of a and ids[i].
  void ranks(id_type a, std::span<const id_type> ids, float* out) { m_ranker.from(a, ids, out); }

  /// Parts `ids` by the hyperplane between rows a and b; returns how many are on a's side, which come first. Both
  /// sides keep their order. Rows on the plane, and all rows where one side would be empty, go by coin.
  std::size_t split(std::span<id_type> ids, id_type a, id_type b, const counter_random& coin, bool is_deep) {
    m_margins.resize(ids.size());
    if (is_deep) m_margins.assign(ids.size(), 0);
    else m_ranker.margins(a, b, ids, m_margins.data());
    std::size_t left = part(ids, coin);
    if (left == 0 || left == ids.size()) {
      m_margins.assign(ids.size(), 0);
      left = part(ids, coin);
    }
    if (left == 0 || left == ids.size()) left = ids.size() / 2;
    return left;
  }

 private:
  std::size_t part(std::span<id_type> ids, const counter_random& coin) {
    m_right.clear();
    std::size_t left = 0;
    m_kept.assign(ids.begin(), ids.end());
    for (std::size_t i = 0; i < m_kept.size(); ++i) {
      const float margin = m_margins[i];
      const bool is_left = margin == 0 ? (coin.bits(m_kept[i]) & 1u) != 0 : margin > 0;
      if (is_left) ids[left++] = m_kept[i];
      else m_right.push_back(m_kept[i]);
    }
    std::ranges::copy(m_right, ids.begin() + static_cast<std::ptrdiff_t>(left));
    return left;
  }

  typename Space::ranker m_ranker;
  std::vector<float> m_margins;
  std::vector<id_type> m_right, m_kept;
};

/// One tree over all rows, each split at two random rows of its part. O(n log n) ranks.
template <class Space>
rp_leaves build_rp_tree(const Space& space, std::size_t leaf_size, std::uint64_t seed, std::uint64_t tree) {
  struct part {
    std::size_t begin, end, depth;
  };
  rp_leaves leaves;
  leaves.order.resize(space.size());
  std::iota(leaves.order.begin(), leaves.order.end(), id_type{0});
  rp_splitter<Space> splitter(space);
  const counter_random pick(seed, 2 * tree);
  std::vector<part> open{{0, space.size(), 0}};
  for (std::uint64_t n_splits = 0; !open.empty(); ++n_splits) {
    const part p = open.back();
    open.pop_back();
    const std::size_t n = p.end - p.begin;
    if (n <= leaf_size) {
      leaves.begins.push_back(p.begin);
      continue;
    }
    const std::span<id_type> ids(leaves.order.data() + p.begin, n);
    const std::size_t first = pick.below(2 * n_splits, n), other = pick.below(2 * n_splits + 1, n - 1);
    const counter_random coin(seed ^ n_splits, 2 * tree + 1);
    const std::size_t left = splitter.split(ids, ids[first], ids[other + (other >= first)], coin,
                                            p.depth >= rp_splitter<Space>::greatest_depth);
    open.push_back({p.begin + left, p.end, p.depth + 1});  // the left part comes next: leaves go from left to right
    open.push_back({p.begin, p.begin + left, p.depth + 1});
  }
  leaves.begins.push_back(space.size());
  return leaves;
}

/// Trees `first` to `first + count` of the forest of this seed, in parallel.
template <class Space>
std::vector<rp_leaves> build_rp_forest(const Space& space, std::size_t leaf_size, std::size_t first, std::size_t count,
                                       std::uint64_t seed, const thread_team& team, const progress_callback& progress) {
  std::vector<rp_leaves> forest(count);
  parallel_for(
      team, count, 1,
      [&](std::size_t begin, std::size_t, std::size_t) {
        forest[begin] = build_rp_tree(space, leaf_size, seed, first + begin);
      },
      progress, "trees");
  return forest;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
