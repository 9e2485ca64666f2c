#pragma once

/// \file
/// The order in which a query looks into buckets: its own bucket of each table, then the buckets around those, the
/// likeliest of all tables first (Lv, Josephson, Wang, Charikar, Li 2007).

#include <annulus/lsh/change_scores.hpp>
#include <annulus/lsh/family.hpp>

#include <array>
#include <cmath>
#include <functional>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// One bucket to look into.
struct probe {
  std::uint32_t table;
  std::uint64_t key;
};

/// The distance at which a query's own buckets hold one row in ten: searches assume it of the wanted rows until some
/// are found. Where distances grow with the query's length, it is that of a query of length 1.
template <class Hasher>
double usual_distance(const Hasher& hasher) {
  const double wanted = 0.1 / static_cast<double>(hasher.n_tables());
  // Distances that are minus inner products may be negative; then 0 may already be far.
  const bool is_negative = hasher.collision_probability(0) < wanted;
  double low = 1e-30, high = 1e30;
  for (int i = 0; i < 100; ++i) {
    const double middle = std::sqrt(low * high);
    const bool is_near = hasher.collision_probability(is_negative ? -middle : middle) > wanted;
    (is_near == is_negative ? high : low) = middle;
  }
  return is_negative ? -high : low;
}

/// The same for a query of these values.
template <class Hasher>
double usual_distance(const Hasher& hasher, const typename Hasher::value_type* values, double of_unit_length) {
  if constexpr (requires { hasher.query_length(values); }) return of_unit_length * hasher.query_length(values);
  else return of_unit_length;
}

/// The probes of one query: its own bucket of each table, then the buckets that are likeliest to hold a row at a given
/// distance. A set of changes, at most one of each function, leads to a bucket; the logarithm of the bucket's
/// probability is the sum over these changes plus a term of its table. (Lv et al. sum squared distances to boundaries
/// instead, which leaves the table out and is near for distances well below the width: the same number of probes then
/// finds 5 to 20 % fewer neighbours.)
///
/// One heap over all tables gives the sets in order. With the changes of a table sorted, every set but the first is
/// made from another: its last change is replaced by the next one, or the next one is added. The 64 likeliest changes
/// of each table are considered. O(log probes) a probe; memory is kept from query to query.
template <class Hasher>
class probe_sequence {
 public:
  /// Starts a query, given its values. Values and hasher must stay where they are.
  void start(const Hasher& hasher, const typename Hasher::value_type* values) {
    m_hasher = &hasher;
    m_values = values;
    m_keys.resize(hasher.n_tables());
    hasher.keys(values, m_keys.data());
    m_n_own = 0;
    for (chances& c : m_chances) c.distance = no_distance;
    m_taken.clear();
    m_sets.clear();
    m_heap.clear();
    m_begins.clear();
  }

  bool has_own() const noexcept { return m_n_own < m_keys.size(); }

  /// Writes the query's own bucket of the next table to `p`; returns false after the last table.
  bool next_own(probe& p) {
    if (m_n_own == m_keys.size()) return false;
    const auto table = static_cast<std::uint32_t>(m_n_own++);
    p = {table, m_keys[table]};
    m_taken.push_back(static_cast<std::uint32_t>(m_sets.size()));
    m_sets.push_back({table, 0});
    return true;
  }

  /// Makes next() give the buckets around the own ones, in the order for rows at this distance. Call it once a query.
  void spread(double distance) {
    const std::size_t n_tables = m_keys.size();
    m_begins.assign(1, 0);
    m_table_scores.resize(n_tables);
    for (std::size_t t = 0; t < n_tables; ++t) m_begins.push_back(m_begins[t] + sort_changes(t, distance));
    to_scores(m_table_scores);
    for (std::size_t t = 0; t < n_tables; ++t)
      if (m_begins[t] < m_begins[t + 1])
        m_heap.push_back(scored(m_table_scores[t] + m_scores[m_begins[t]], {static_cast<std::uint32_t>(t), 1}));
    std::make_heap(m_heap.begin(), m_heap.end(), later);
  }

  /// Writes the next bucket around the own ones to `p`; returns false after the last.
  bool next(probe& p) {
    while (!m_heap.empty()) {
      const auto number = static_cast<std::uint32_t>(m_heap.front());
      if (!follow(m_sets[number], p.key)) continue;
      p.table = m_sets[number].table;
      m_taken.push_back(number);
      return true;
    }
    return false;
  }

  /// The probability that a row at this distance from the query is in none of the first n buckets given, over the draws
  /// of the functions that give the query these values. For either of the last two distances asked for, only buckets
  /// new since then are computed.
  double missed(double distance, std::size_t n) {
    if (m_chances[0].distance != distance) std::swap(m_chances[0], m_chances[1]);
    chances& c = m_chances[0];
    if (c.distance != distance || n < c.n_counted) {
      c.distance = distance;
      c.stay.clear();
      c.odds.clear();
      c.inside.clear();
      c.joint.clear();
      c.n_counted = 0;
    }
    const bool has_changes = !m_begins.empty();
    if (has_changes && c.odds.size() < m_begins.back()) {
      c.stay.clear();  // computed again, with the odds of changes
      c.odds.resize(m_begins.back());
    }
    for (std::size_t t = c.stay.size(); t < m_n_own; ++t) {
      const auto changes = has_changes ? changes_of(t) : std::span<const perturbation>();
      float* const odds = has_changes ? c.odds.data() + m_begins[t] : nullptr;
      c.stay.push_back(m_hasher->probabilities(m_values, t, distance, changes, odds));
    }
    c.inside.resize(m_n_own, 0.0);
    for (; c.n_counted < n; ++c.n_counted) {
      const change_set& set = m_sets[m_taken[c.n_counted]];
      double product = c.stay[set.table] * joint_factor(c, static_cast<std::size_t>(std::popcount(set.changes)));
      for (std::uint64_t rest = set.changes; rest != 0; rest &= rest - 1)
        product *= static_cast<double>(c.odds[m_begins[set.table] + static_cast<std::size_t>(std::countr_zero(rest))]);
      c.inside[set.table] += product;
    }
    double missed = 1;
    for (const double inside : c.inside) missed *= std::max(0.0, 1 - inside);
    return missed;
  }

 private:
  static constexpr std::size_t max_changes = 64;
  static constexpr double no_distance = std::numeric_limits<double>::lowest();  ///< equals no distance asked for

  /// Bit i of `changes` stands for the table's change with the i-th least score.
  struct change_set {
    std::uint32_t table;
    std::uint64_t changes;
  };
  /// The probabilities of the buckets for a row at one distance.
  struct chances {
    double distance = no_distance;
    std::size_t n_counted = 0;         ///< the first sets of m_taken, whose probabilities `inside` includes
    std::vector<double> stay, inside;  ///< for each table: of the own bucket, of all buckets given
    std::vector<float> odds;           ///< for each change
    std::vector<double> joint;         ///< for each number of changes: the hasher's joint_factor
  };
  /// What the heap compares: a score in the upper half, the number of its set in the lower. Scores are not negative, so
  /// that their bits are ordered as they are.
  using scored_set = std::uint64_t;
  static constexpr auto later = std::greater<scored_set>();

  /// Adds a set and returns its entry for the heap.
  scored_set scored(float score, const change_set& set) {
    m_sets.push_back(set);
    return std::uint64_t{std::bit_cast<std::uint32_t>(score)} << 32 | (m_sets.size() - 1);
  }

  /// The factor on the product of the odds of n_changes changes.
  double joint_factor([[maybe_unused]] chances& c, [[maybe_unused]] std::size_t n_changes) const {
    if constexpr (requires { m_hasher->joint_factor(double{}, n_changes); }) {
      while (c.joint.size() <= n_changes) c.joint.push_back(m_hasher->joint_factor(c.distance, c.joint.size()));
      return c.joint[n_changes];
    } else {
      return 1;
    }
  }

  std::span<const perturbation> changes_of(std::size_t table) const noexcept {
    return std::span(m_changes).subspan(m_begins[table], m_begins[table + 1] - m_begins[table]);
  }

  /// Appends the likeliest changes of a table, sorted, and returns their number. Leaves the probability of the table's
  /// own bucket in m_table_scores.
  std::size_t sort_changes(std::size_t table, double distance) {
    m_unsorted.clear();
    m_hasher->perturb(m_values, table, m_unsorted);
    const std::size_t n = m_unsorted.size(), begin = m_begins[table];
    m_unsorted_scores.resize(n);
    m_table_scores[table] =
        static_cast<float>(m_hasher->probabilities(m_values, table, distance, m_unsorted, m_unsorted_scores.data()));
    to_scores(m_unsorted_scores);
    sorted_places(m_unsorted_scores, m_places);
    if (m_changes.size() < begin + n) {
      m_changes.resize(std::max(begin + n, n * m_keys.size()));
      m_scores.resize(m_changes.size());
    }
    for (std::size_t i = 0; i < n; ++i) {
      m_changes[begin + m_places[i]] = m_unsorted[i];
      m_scores[begin + m_places[i]] = m_unsorted_scores[i];
    }
    return std::min(max_changes, n);
  }

  /// Replaces the first set of the heap by the two made from it, and writes its key. Returns false for a set that
  /// changes one function twice; its last change is one of the two, so that only replacing that leads to valid sets.
  bool follow(const change_set set, std::uint64_t& key) {
    const auto changes = changes_of(set.table);
    const float* const scores = m_scores.data() + m_begins[set.table];
    const auto last = static_cast<std::size_t>(std::bit_width(set.changes)) - 1;
    const std::uint64_t last_bit = std::uint64_t{1} << last, others = set.changes ^ last_bit;
    float score = m_table_scores[set.table];
    bool is_valid = true;
    key = m_keys[set.table] + changes[last].delta;
    for (std::uint64_t rest = others; rest != 0; rest &= rest - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(rest));
      score += scores[i];
      key += changes[i].delta;
      is_valid &= changes[i].projection != changes[last].projection;
    }
    if (last + 1 < changes.size()) {
      const float next = scores[last + 1];
      replace_first(scored(score + next, {set.table, others | last_bit << 1}));
      if (is_valid) {
        m_heap.push_back(scored(score + scores[last] + next, {set.table, set.changes | last_bit << 1}));
        std::push_heap(m_heap.begin(), m_heap.end(), later);
      }
    } else {
      std::pop_heap(m_heap.begin(), m_heap.end(), later);
      m_heap.pop_back();
    }
    return is_valid;
  }

  /// Replaces the first entry of the heap in one pass down, where pop and push would make two.
  void replace_first(scored_set set) noexcept {
    std::size_t at = 0;
    const std::size_t n = m_heap.size();
    for (std::size_t child; (child = 2 * at + 1) < n; at = child) {
      child += child + 1 < n && m_heap[child + 1] < m_heap[child];
      if (m_heap[child] >= set) break;
      m_heap[at] = m_heap[child];
    }
    m_heap[at] = set;
  }

  const Hasher* m_hasher = nullptr;
  const typename Hasher::value_type* m_values = nullptr;
  std::size_t m_n_own = 0;              ///< own buckets given
  std::vector<std::uint64_t> m_keys;    ///< of the own buckets, one a table
  std::vector<perturbation> m_changes;  ///< m_begins.back() changes, table by table, each table's sorted
  std::vector<float> m_scores;          ///< of the changes: minus the logarithms of their odds
  std::vector<float> m_table_scores;    ///< minus the logarithm of the probability of the table's own bucket
  std::vector<std::size_t> m_begins;    ///< of the tables among the changes; empty before spread()
  std::vector<change_set> m_sets;
  std::vector<scored_set> m_heap;
  std::vector<std::uint32_t> m_taken;  ///< numbers of the sets given, in order
  std::array<chances, 2> m_chances;    ///< that of the distance asked for last is the first
  std::vector<perturbation> m_unsorted;
  std::vector<float> m_unsorted_scores;
  std::vector<std::uint32_t> m_places;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
