#pragma once

/// \file
/// NN-descent (Dong, Charikar, Li 2011): a neighbour of a neighbour is likely to be a neighbour. In every iteration the
/// neighbours of each row are compared with each other, until hardly any list changes.

#include <annulus/core/base/function_ref.hpp>
#include <annulus/nndescent/graph/id_set.hpp>
#include <annulus/nndescent/graph/joined_ids.hpp>
#include <annulus/nndescent/graph/neighbor_lists.hpp>
#include <annulus/nndescent/graph/params.hpp>
#include <annulus/nndescent/graph/rp_forest.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// One build. The lists after each step are a function of space, parameters and seed alone: random numbers are hashes
/// of (seed, iteration, edge), joins read a state that nobody writes meanwhile, and what they find is applied by the
/// owner of the list, in the order of the joins.
template <class Space>
class descent {
 public:
  static constexpr std::size_t lanes = joined_ids::lanes;

  /// `params` resolved; lists of `width` neighbours. All that is referred to must outlive it.
  descent(const Space& space, std::size_t width, const nndescent_params& params, const thread_team& team)
      : m_space(&space), m_params(&params), m_team(&team), m_lists(space.size(), width) {
    for (std::size_t i = 0; i < team.size(); ++i) m_workers.emplace_back(space);
  }

  neighbor_lists& lists() noexcept { return m_lists; }

  /// Introduces all rows of a leaf to each other. A row is in one leaf of a tree only, so the leaves are independent.
  void join_leaves(const rp_leaves& leaves) {
    const std::size_t count = leaves.begins.size() - 1;
    parallel_for(*m_team, count, 8, [&](std::size_t begin, std::size_t end, std::size_t w) {
      worker& me = m_workers[w];
      for (std::size_t leaf = begin; leaf < end; ++leaf) {
        me.members.assign({leaves.order.data() + leaves.begins[leaf], leaves.begins[leaf + 1] - leaves.begins[leaf]},
                          {});
        join(me, [&](std::size_t i, id_type owner, id_type id, float rank) {
          if (m_lists.insert(owner, id, rank)) me.thresholds[i] = m_lists.threshold(owner);
        });
      }
    });
  }

  /// Adds rows at random to the lists that are not full.
  void fill_at_random() {
    const std::size_t n = m_space->size();
    parallel_for(*m_team, n, 256, [&](std::size_t begin, std::size_t end, std::size_t w) {
      worker& me = m_workers[w];
      for (std::size_t u = begin; u < end; ++u) {
        const std::size_t missing = std::min(m_lists.width() - m_lists.count(u), n - 1);
        const counter_random random(m_params->seed + 1, u);
        me.first.clear();
        for (std::size_t j = 0; me.first.size() < missing && j < 2 * missing; ++j) {
          const auto v = static_cast<id_type>(random.below(j, n));
          if (v != u) me.first.push_back(v);
        }
        me.ranks.resize(me.first.size());
        me.ranker.from(static_cast<id_type>(u), me.first, me.ranks.data());
        for (std::size_t j = 0; j < me.first.size(); ++j) m_lists.insert(u, me.first[j], me.ranks[j]);
      }
    });
  }

  /// Takes up a graph in the ids of this space: what it says of distances is not trusted.
  void start_from(function_ref<std::vector<id_type>(std::size_t)> targets) {
    parallel_for(*m_team, m_space->size(), 256, [&](std::size_t begin, std::size_t end, std::size_t w) {
      worker& me = m_workers[w];
      for (std::size_t u = begin; u < end; ++u) {
        me.first = targets(u);
        me.ranks.resize(me.first.size());
        me.ranker.from(static_cast<id_type>(u), me.first, me.ranks.data());
        for (std::size_t j = 0; j < me.first.size(); ++j)
          if (me.first[j] != u) m_lists.insert(u, me.first[j], me.ranks[j]);
      }
    });
  }

  /// Iterates until at most delta of all entries changed, or n_iters times.
  void run() {
    const std::size_t n = m_space->size();
    const double enough = m_params->delta * static_cast<double>(n) * static_cast<double>(m_lists.width());
    for (std::size_t iteration = 0; iteration < m_params->n_iters; ++iteration) {
      report(m_params->progress, "descent", static_cast<double>(iteration) / static_cast<double>(m_params->n_iters));
      if (static_cast<double>(iterate(iteration)) <= enough) break;
    }
    report(m_params->progress, "descent", 1.0);
  }

 private:
  struct update {
    id_type owner, id;
    float rank;
  };

  struct place {
    id_type row, at;
  };

  struct worker {
    explicit worker(const Space& space) : ranker(space), joiner(space) {}
    typename Space::ranker ranker;
    typename Space::joiner joiner;
    joined_ids members;
    aligned_vector<float> thresholds;
    std::vector<id_type> first, second;
    std::vector<float> ranks;
    std::vector<std::uint64_t> keys;
    id_set seen;
  };

  /// found(i, owner, id, rank) for every member i that is nearer to another than the last of its list.
  template <class Found>
  void join(worker& me, Found found) {
    const auto ids = me.members.ids();
    me.joiner.gather(me.members);
    me.thresholds.resize(ids.size() + joined_ids::readable_floats - lanes);
    for (std::size_t i = 0; i < ids.size(); ++i)
      me.thresholds[i] = ids[i] == no_id ? -std::numeric_limits<float>::infinity() : m_lists.threshold(ids[i]);
    me.joiner.pairs_below(me.thresholds.data(), [&](std::size_t i, std::size_t p, const float* ranks, panel_hits hits) {
      const id_type u = ids[i];
      const id_type* const others = me.members.panel(p);
      for (; hits.of_member != 0; hits.of_member &= hits.of_member - 1) {
        const auto r = static_cast<std::size_t>(std::countr_zero(hits.of_member));
        if (others[r] != u) found(i, u, others[r], ranks[r]);
      }
      for (; hits.of_panel != 0; hits.of_panel &= hits.of_panel - 1) {
        const auto r = static_cast<std::size_t>(std::countr_zero(hits.of_panel));
        if (others[r] != u) found(p * lanes + r, others[r], u, ranks[r]);
      }
    });
  }

  /// Joins all rows once, in blocks whose finds are applied before the next begins; returns how many entered a list.
  std::size_t iterate(std::size_t iteration) {
    const std::size_t n = m_space->size();
    // Of row v, by 2 v the rows that have it as a new neighbour, by 2 v + 1 those that have it as an old one.
    const grouped_ids reverse = group_by_key(n, 2 * n, *m_team, [&](std::size_t u, auto f) {
      for (std::size_t j = 0; j < m_lists.count(u); ++j)
        f(2 * std::size_t{m_lists(u, j).id()} + !m_lists(u, j).is_new());
    });

    constexpr std::size_t block = 2048, task = 64, ranges = 16;
    const std::size_t range = n / ranges + 1;
    m_found.resize(block / task * ranges);
    m_aged.resize(block / task);
    std::vector<std::size_t> changes(ranges, 0);
    for (std::size_t first = 0; first < n; first += block) {
      const std::size_t count = std::min(block, n - first);
      parallel_for(*m_team, count, task, [&](std::size_t begin, std::size_t end, std::size_t w) {
        std::vector<update>* const bins = m_found.data() + begin / task * ranges;
        for (std::size_t r = 0; r < ranges; ++r) bins[r].clear();
        m_aged[begin / task].clear();
        for (std::size_t u = first + begin; u < first + end; ++u) {
          choose(m_workers[w], u, iteration, reverse.of(2 * u), reverse.of(2 * u + 1), m_aged[begin / task]);
          if (m_workers[w].first.empty()) continue;
          m_workers[w].members.assign(m_workers[w].first, m_workers[w].second);
          join(m_workers[w], [&](std::size_t, id_type owner, id_type id, float rank) {
            if (!m_lists.contains(owner, id, rank)) bins[owner / range].push_back({owner, id, rank});
          });
        }
      });
      parallel_for(*m_team, count, task, [&](std::size_t begin, std::size_t, std::size_t) {
        for (const auto& [u, j] : m_aged[begin / task]) m_lists.mark_old(u, j);
      });
      parallel_for(*m_team, ranges, 1, [&](std::size_t r, std::size_t, std::size_t) {
        for (std::size_t t = 0; t * task < count; ++t)
          for (const update& u : m_found[t * ranges + r]) changes[r] += m_lists.insert(u.owner, u.id, u.rank);
      });
    }
    return std::accumulate(changes.begin(), changes.end(), std::size_t{0});
  }

  /// The rows that u introduces: at most max_candidates of its new neighbours and of the rows it is a new neighbour of,
  /// and as many of its old ones, chosen by the hash of the edge. The places of its own new neighbours that were
  /// chosen, and are old from then on, go to `aged`.
  void choose(worker& me, std::size_t u, std::size_t iteration, std::span<const id_type> to_new,
              std::span<const id_type> to_old, std::vector<place>& aged) {
    const counter_random random(m_params->seed + 2, iteration);
    const auto key = [&](id_type v) {
      const std::uint64_t low = std::min<std::uint64_t>(u, v), high = std::max<std::uint64_t>(u, v);
      return (random.bits(low << 32 | high) & ~std::uint64_t{0xFFFFFFFFu}) | v;
    };
    me.seen.clear(m_lists.count(u) + to_new.size() + to_old.size());
    const auto add = [&](id_type v) {
      if (me.seen.add(v)) me.keys.push_back(key(v));
    };
    const auto sample = [&](bool is_new, std::span<const id_type> sources, std::vector<id_type>& chosen) {
      me.keys.clear();
      for (std::size_t j = 0; j < m_lists.count(u); ++j)
        if (m_lists(u, j).is_new() == is_new) add(m_lists(u, j).id());
      for (const id_type v : sources) add(v);
      std::uint64_t greatest = ~std::uint64_t{0};
      const std::size_t limit = m_params->max_candidates;
      if (me.keys.size() > limit) {
        std::nth_element(me.keys.begin(), me.keys.begin() + static_cast<std::ptrdiff_t>(limit - 1), me.keys.end());
        me.keys.resize(limit);
        greatest = me.keys[limit - 1];
      }
      chosen.clear();
      for (const std::uint64_t k : me.keys) chosen.push_back(static_cast<id_type>(k));
      return greatest;
    };
    const std::uint64_t greatest = sample(true, to_new, me.first);
    if (me.first.empty()) return;
    sample(false, to_old, me.second);
    for (std::size_t j = 0; j < m_lists.count(u); ++j)
      if (m_lists(u, j).is_new() && key(m_lists(u, j).id()) <= greatest)
        aged.push_back({static_cast<id_type>(u), static_cast<id_type>(j)});
  }

  const Space* m_space;
  const nndescent_params* m_params;
  const thread_team* m_team;
  neighbor_lists m_lists;
  std::vector<worker> m_workers;
  std::vector<std::vector<update>> m_found;  ///< by task of a block and range of owners
  std::vector<std::vector<place>> m_aged;    ///< by task of a block
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
