#pragma once

/// \file
/// Which buckets a query looks into, and in what order: its own in each table, then those around it, the likeliest of
/// all tables first (Lv, Josephson, Wang, Charikar, Li 2007).

#include <annulus/core/simd/elementary.hpp>
#include <annulus/lsh/family.hpp>

#include <algorithm>
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

/// Where the own buckets of all tables find a row in ten: nearer ones need no others. What searches are for before they
/// know better. Of a query of length 1, where distances grow with the query's length.
template <class Hasher>
double usual_distance(const Hasher& hasher) {
  const double wanted = 0.1 / static_cast<double>(hasher.n_tables());
  // Distances that are minus inner products may be negative: then 0 may be far.
  const bool is_negative = hasher.collision_probability(0) < wanted;
  double low = 1e-30, high = 1e30;
  for (int i = 0; i < 100; ++i) {
    const double middle = std::sqrt(low * high);
    const bool is_near = hasher.collision_probability(is_negative ? -middle : middle) > wanted;
    (is_near == is_negative ? high : low) = middle;
  }
  return is_negative ? -high : low;
}

/// The same of a query of these values.
template <class Hasher>
double usual_distance(const Hasher& hasher, const typename Hasher::value_type* values, double of_unit_length) {
  if constexpr (requires { hasher.query_length(values); }) return of_unit_length * hasher.query_length(values);
  else return of_unit_length;
}

/// The places of numbers when sorted, those that tie in the order they came: each goes where the number of lesser ones
/// tells, which mispredicts nothing. O(n^2), and the quickest way for some dozens.
inline void sorted_places(std::span<const float> numbers, std::vector<std::uint32_t>& places) {
  constexpr std::size_t width = simd::lanes<float>;
  const std::size_t n = numbers.size(), whole = n / width * width;
  places.resize(n);
  std::size_t sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const simd::batch<float> own(numbers[i]);
    std::size_t place = 0;
    for (std::size_t j = 0; j < whole; j += width)
      place += static_cast<std::size_t>(std::popcount(simd::mask(simd::load(numbers.data() + j) < own)));
    for (std::size_t j = whole; j < n; ++j) place += numbers[j] < numbers[i];
    places[i] = static_cast<std::uint32_t>(place);
    sum += place;
  }
  if (2 * sum == n * (n - 1)) return;
  for (std::size_t i = 0; i < n; ++i)  // some tie
    for (std::size_t j = 0; j < i; ++j) places[i] += numbers[j] == numbers[i];
}

/// The probes of one query: its own bucket of each table, then those that a row at a given distance is likeliest to be
/// in. A bucket is reached by a set of changes, at most one of each function; the logarithm of its probability is a sum
/// over these, and a term of its table. (Sums of squared distances to boundaries, which approximate that for distances
/// well below the width and leave out the table, find a twentieth to a fifth fewer neighbours by as many probes.) Sets
/// come from one heap over all tables: where the changes of a table are sorted, every set but the first is made from
/// another, by moving its last change on by one or by adding the one after it. The 64 likeliest changes of each table
/// are considered. O(log probes) a probe; memory is kept from query to query.
template <class Hasher>
class probe_sequence {
 public:
  /// For a query known by its values, which must stay where they are, as must the hasher.
  void start(const Hasher& hasher, const typename Hasher::value_type* values) {
    m_hasher = &hasher;
    m_values = values;
    m_keys.resize(hasher.n_tables());
    hasher.keys(values, m_keys.data());
    m_n_own = 0;
    for (chances& c : m_chances) c.distance = nowhere;
    m_taken.clear();
    m_sets.clear();
    m_heap.clear();
    m_begins.clear();
  }

  bool has_own() const noexcept { return m_n_own < m_keys.size(); }

  /// The query's own bucket of the next table; false once all were given out.
  bool next_own(probe& p) {
    if (m_n_own == m_keys.size()) return false;
    const auto table = static_cast<std::uint32_t>(m_n_own++);
    p = {table, m_keys[table]};
    m_taken.push_back(static_cast<std::uint32_t>(m_sets.size()));
    m_sets.push_back({table, 0});
    return true;
  }

  /// Has next() give out the buckets around, in the order for rows at this distance. To be called once.
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

  /// The next bucket around; false where there is none left.
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

  /// The probability that a row at this distance from the query is in none of the first n buckets given out, over the
  /// draws of the functions that give the query these values. Asked again for one of the last two distances, it looks
  /// at new buckets only.
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
      c.stay.clear();  // now with the odds of changes
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
  static constexpr std::size_t most_changes = 64;
  static constexpr double nowhere = std::numeric_limits<double>::lowest();  ///< which equals no distance

  /// Bit i of `changes` stands for the table's change of i-th least score.
  struct change_set {
    std::uint32_t table;
    std::uint64_t changes;
  };
  /// Where a row at some distance may be.
  struct chances {
    double distance = nowhere;
    std::size_t n_counted = 0;         ///< of m_taken, in `inside`
    std::vector<double> stay, inside;  ///< of the tables: in the own bucket, in any given out
    std::vector<float> odds;           ///< of the changes
    std::vector<double> joint;         ///< of numbers of changes: the hasher's joint_factor
  };
  /// A score, whose bits order as it does since none is negative, above the number of a set: what the heap compares.
  using scored_set = std::uint64_t;
  static constexpr auto later = std::greater<scored_set>();

  /// Puts a set among the others and returns what stands for it on the heap.
  scored_set scored(float score, const change_set& set) {
    m_sets.push_back(set);
    return std::uint64_t{std::bit_cast<std::uint32_t>(score)} << 32 | (m_sets.size() - 1);
  }

  /// By what the product of the odds of so many changes is to be multiplied.
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

  /// Appends the likeliest changes of a table, sorted, and returns their number; its score is still a probability.
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
    return std::min(most_changes, n);
  }

  /// Minus the logarithms of probabilities or odds, and none below 0, so that no set comes before those it is made
  /// from.
  static void to_scores(std::span<float> odds) noexcept {
    constexpr std::size_t width = simd::lanes<float>;
    const simd::batch<float> least(1e-30f), one(1.0f), zero(0.0f);
    for (std::size_t i = 0; i < odds.size(); i += width) {
      const std::size_t n = std::min(width, odds.size() - i);
      const auto x = n == width ? simd::load(odds.data() + i) : simd::load_partial(odds.data() + i, n);
      alignas(64) float score[width];
      (zero - simd::log(xsimd::min(xsimd::max(x, least), one))).store_aligned(score);  // and no -0
      std::copy_n(score, n, odds.data() + i);
    }
  }

  /// Replaces the first set of the heap by the two made from it, and writes its key. Returns whether it is one of
  /// changes of different functions; if not, its last change is to blame, and adding to it would not help.
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

  /// One way down the heap instead of one down and one up.
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
  std::size_t m_n_own = 0;              ///< own buckets given out
  std::vector<std::uint64_t> m_keys;    ///< of those, one a table
  std::vector<perturbation> m_changes;  ///< of all tables, those of each sorted and m_begins.back() in all
  std::vector<float> m_scores;          ///< of the changes: minus the logarithms of their odds
  std::vector<float> m_table_scores;    ///< minus the logarithm of the probability of the table's own bucket
  std::vector<std::size_t> m_begins;    ///< of the tables among the changes; empty before spread()
  std::vector<change_set> m_sets;
  std::vector<scored_set> m_heap;
  std::vector<std::uint32_t> m_taken;  ///< sets given out, in order
  std::array<chances, 2> m_chances;    ///< the distance last asked for is the first
  std::vector<perturbation> m_unsorted;
  std::vector<float> m_unsorted_scores;
  std::vector<std::uint32_t> m_places;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
