#pragma once

// Merging the lists of many ranks two by two, as MPI_Reduce does by a binomial tree: in round j a rank whose bit j is
// set sends to the one without it, which merges. The time this takes, by formula and by a simulation of its events.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <queue>
#include <span>
#include <vector>

#include "model.hpp"

namespace scale {

/// What one message and one merge cost.
struct merge_costs {
  double merge;  ///< seconds to merge two batches of lists
  double bytes;  ///< of a batch of lists
  network net;
};

/// A distribution of times: each as often as it was measured.
class measured_times {
 public:
  explicit measured_times(std::vector<double> times) : m_sorted(std::move(times)) { std::ranges::sort(m_sorted); }

  std::span<const double> sorted() const { return m_sorted; }
  double mean() const {
    return std::accumulate(m_sorted.begin(), m_sorted.end(), 0.0) / static_cast<double>(m_sorted.size());
  }
  /// The time below which the share `u` of [0, 1) lies.
  double quantile(double u) const {
    return m_sorted[static_cast<std::size_t>(u * static_cast<double>(m_sorted.size()))];
  }

 private:
  std::vector<double> m_sorted;
};

/// The expected time until rank 0 has merged the lists of all `ranks`, each of which has its own after a time drawn
/// from `ready`, independently. Rank r's lists are sent as often as r has bits, and lists on their way take part in a
/// merge each round: the end is the greatest of ready_r + bits(r) * message, and a merge a round. Exact where no
/// message waits for another and the number of ranks is a power of two; of others some ranks have fewer rounds, which
/// end sooner.
inline double modelled_merge(const measured_times& ready, std::size_t ranks, const merge_costs& costs) {
  const std::size_t rounds = rounds_of_merge(static_cast<double>(ranks));
  std::vector<double> ranks_by_bits(rounds + 1);
  for (std::size_t r = 0; r < ranks; ++r) ++ranks_by_bits[static_cast<std::size_t>(std::popcount(r))];

  struct end {
    double time;
    std::size_t bits;
  };
  std::vector<end> ends;  // where the distribution of the greatest one steps
  const double message = costs.net.seconds(costs.bytes);
  for (std::size_t bits = 0; bits <= rounds; ++bits)
    for (const double time : ready.sorted()) ends.push_back({time + static_cast<double>(bits) * message, bits});
  std::ranges::sort(ends, {}, &end::time);

  std::vector<double> passed(rounds + 1);  // of the times of ranks with so many bits
  double expected = 0, share_before = 0;
  for (const end& e : ends) {
    ++passed[e.bits];
    double share = 1;
    for (std::size_t bits = 0; bits <= rounds; ++bits)
      share *= std::pow(passed[bits] / static_cast<double>(ready.sorted().size()), ranks_by_bits[bits]);
    expected += e.time * (share - share_before);
    share_before = share;
  }
  return expected + static_cast<double>(rounds) * costs.merge;
}

/// The events of one such merge, in the order of their time. A rank receives one message at a time, over a link that
/// the later ones wait for; it merges lists in the order of the rounds, one at a time.
class merge_simulation {
 public:
  /// ready[r] is when rank r has its own lists.
  merge_simulation(std::span<const double> ready, const merge_costs& costs) : m_costs(costs), m_ranks(ready.size()) {
    for (std::size_t r = 0; r < ready.size(); ++r) m_events.push({ready[r], event::lists_ready, r, 0});
  }

  /// When rank 0 has merged all.
  double run() {
    while (!m_events.empty()) {
      const event now = m_events.top();
      m_events.pop();
      m_time = now.time;
      rank& at = m_ranks[now.rank];
      if (now.what == event::lists_arrived) at.arrived |= std::uint64_t{1} << now.round;
      else at.is_busy = false;
      if (now.what == event::merged) ++at.round;
      if (!at.is_busy) go_on(now.rank);
    }
    return m_time;
  }

 private:
  struct event {
    enum kind { lists_ready, lists_arrived, merged };
    double time;
    kind what;
    std::size_t rank, round;
    friend bool operator>(const event& a, const event& b) { return a.time > b.time; }
  };
  struct rank {
    bool is_busy = true;        ///< searching or merging
    std::size_t round = 0;      ///< that comes next
    std::uint64_t arrived = 0;  ///< lists, a bit a round
    double link_is_free = 0;    ///< from when on
  };

  /// The next step of a rank that is neither searching nor merging: merges the lists of this round, if they are there,
  /// or sends its own, once it has had all its rounds as a receiver.
  void go_on(std::size_t r) {
    rank& at = m_ranks[r];
    for (; std::size_t{1} << at.round < m_ranks.size(); ++at.round) {
      const std::size_t bit = std::size_t{1} << at.round;
      if ((r & bit) != 0) return send(r, r - bit);
      if (r + bit >= m_ranks.size()) continue;  // there is no such rank
      if ((at.arrived >> at.round & 1) == 0) return;
      at.is_busy = true;
      m_events.push({m_time + m_costs.merge, event::merged, r, at.round});
      return;
    }
  }

  void send(std::size_t from, std::size_t to) {
    double& link_is_free = m_ranks[to].link_is_free;
    link_is_free = std::max(m_time, link_is_free) + m_costs.bytes / m_costs.net.bytes_per_second;
    m_events.push({link_is_free + m_costs.net.latency, event::lists_arrived, to, m_ranks[from].round});
  }

  merge_costs m_costs;
  std::vector<rank> m_ranks;
  std::priority_queue<event, std::vector<event>, std::greater<>> m_events;
  double m_time = 0;
};

}  // namespace scale
