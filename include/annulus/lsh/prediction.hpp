#pragma once

/// \file
/// Predicts recall and cost of an index before it is built, from exact probabilities and measured costs.

#include <annulus/lsh/multi_probe.hpp>
#include <annulus/lsh/tables.hpp>
#include <annulus/lsh/tuning_sample.hpp>

#include <chrono>
#include <numeric>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

inline double seconds_now() noexcept {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Seconds to rank a row at a random place, to rank the next row of a scan, and to look into a bucket.
struct lsh_costs {
  double row = 0, scanned_row = 0, bucket = 0;

  template <class Sample>
  static lsh_costs measured(const Sample& sample, std::uint64_t seed) {
    lsh_costs costs;
    const std::size_t n = sample.sample().size();
    const counter_random random(seed, 0x7B);

    constexpr std::size_t n_rows = 4096;
    std::vector<id_type> rows;
    for (std::size_t i = 0; i < n_rows; ++i) rows.push_back(static_cast<id_type>(random.below(i, n)));
    costs.row = sample.seconds_to_rank(rows, seconds_now) / n_rows;
    std::iota(rows.begin(), rows.end(), id_type{0});
    rows.resize(std::min(n, n_rows));
    costs.scanned_row = sample.seconds_to_rank(rows, seconds_now) / static_cast<double>(rows.size());

    constexpr std::size_t n_tables = 8, chunk = 64, n_chunks = 64;
    hash_tables tables(n_tables);
    tables.add(n, 1,
               [&](std::size_t begin, std::size_t end, std::size_t first, std::size_t count, std::uint64_t* keys) {
                 for (std::size_t t = 0; t < count; ++t)
                   for (std::size_t i = begin; i < end; ++i) *keys++ = random.below((first + t) * n + i, n);
               });
    std::size_t n_found = 0;
    const double start = seconds_now();
    for (std::size_t c = 0; c < n_chunks; ++c) {
      std::array<probe, chunk> probes;
      for (std::size_t i = 0; i < chunk; ++i) {
        probes[i] = {static_cast<std::uint32_t>(i % n_tables), bucket_of(random.below(c * chunk + i, n))};
        tables.prefetch_slot(probes[i].table, probes[i].key);
      }
      for (const probe& p : probes) tables.prefetch_entries(p.table, p.key);
      for (const probe& p : probes) tables.visit(p.table, p.key, [&](id_type found) { n_found += found; });
    }
    static_cast<void>(*const_cast<volatile std::size_t*>(&n_found));  // else the compiler may drop the visits
    costs.bucket = (seconds_now() - start) / static_cast<double>(chunk * n_chunks);
    return costs;
  }
};

/// A number of probes, and their mean recall and cost. 0 probes: the recall is not reached.
struct lsh_prediction {
  std::size_t n_probes = 0;
  double recall = 0, candidates = 0, seconds = std::numeric_limits<double>::infinity();
};

/// Predicts searches by one hasher, over the draws of its functions that give the sampled queries the values they have.
template <class Hasher, class Sample>
class lsh_predictor {
 public:
  /// For the k nearest rows of the sample's first `n_queries` queries.
  lsh_predictor(const Hasher& hasher, const Sample& sample, std::size_t k, std::size_t n_queries)
      : m_hasher(hasher),
        m_sample(sample),
        m_k(static_cast<double>(k)),
        m_usual_distance(usual_distance(hasher)),
        m_n(std::min(n_queries, sample.n_queries())),
        m_values(m_n * hasher.n_values()),
        m_sequences(m_n),
        m_seconds(m_n, 0.0) {
    for (std::size_t i = 0; i < m_n; ++i) {
      const double start = seconds_now();
      hasher.project(sample.queries(), sample.query(i), 1, values(i));
      m_sequences[i].start(hasher, values(i));
      m_seconds[i] += seconds_now() - start;
    }
  }

  /// The least number of probes that reach the mean recall, by interpolation between numbers that grow by `growth`.
  /// Gives up where probes alone take `max_seconds` a query.
  lsh_prediction operator()(double recall, double growth, const lsh_costs& costs, double max_seconds) {
    double before = 0, reached = 0, n = 0;
    std::size_t taken = 0;
    while (reached < recall) {
      n = n * growth + 1;
      if (seconds() + n * costs.bucket > max_seconds || !take(static_cast<std::size_t>(n))) return {};
      before = std::exchange(reached, mean_recall(static_cast<std::size_t>(n)));
      if (reached < recall) taken = static_cast<std::size_t>(n);
    }
    lsh_prediction result;
    const double part = (recall - before) / (reached - before), last = std::floor(n) - static_cast<double>(taken);
    result.n_probes = taken + static_cast<std::size_t>(std::ceil(part * last));
    result.recall = recall;
    for (std::size_t i = 0; i < m_n; ++i)
      for (const auto& group : m_sample.profile(i).others)
        result.candidates += group.count * (1 - m_sequences[i].missed(group.distance, result.n_probes));
    result.candidates /= static_cast<double>(m_n);
    result.seconds = seconds() + static_cast<double>(result.n_probes) * costs.bucket + result.candidates * costs.row;
    return result;
  }

 private:
  typename Hasher::value_type* values(std::size_t i) noexcept { return m_values.data() + i * m_hasher.n_values(); }

  /// Advances the sequences of all queries to n probes. Returns false where one of them ends before.
  bool take(std::size_t n) {
    for (std::size_t i = 0; i < m_n; ++i) {
      auto& sequence = m_sequences[i];
      double start = seconds_now();
      probe p;
      for (std::size_t taken = m_n_taken; taken < n; ++taken) {
        if (taken == m_hasher.n_tables()) {
          const double before = seconds_now(), distance = distance_of_own(i);
          start += seconds_now() - before;
          sequence.spread(distance);
        }
        if (!(sequence.has_own() ? sequence.next_own(p) : sequence.next(p))) return false;
      }
      m_seconds[i] += seconds_now() - start;
    }
    m_n_taken = n;
    return true;
  }

  /// The expected distance within which half of the k nearest rows lie that a query's own buckets hold. To be called
  /// once these were given.
  double distance_of_own(std::size_t i) {
    double found = 0, distance = 0;
    for (const auto& group : m_sample.profile(i).others) {
      if (2 * found < m_k) distance = group.distance;
      found += group.count * (1 - m_sequences[i].missed(group.distance, m_hasher.n_tables()));
      if (found >= m_k) return distance;
    }
    return usual_distance(m_hasher, values(i), m_usual_distance);
  }

  /// The median time of a query for hashing and choosing probes; a mean would count interruptions.
  double seconds() const {
    std::vector<double> sorted = m_seconds;
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    return *middle;
  }

  double mean_recall(std::size_t n_probes) {
    double sum = 0;
    for (std::size_t i = 0; i < m_n; ++i) {
      const auto& near = m_sample.profile(i).near;
      for (const double distance : near)
        sum += (1 - m_sequences[i].missed(distance, n_probes)) / static_cast<double>(near.size());
    }
    return sum / static_cast<double>(m_n);
  }

  const Hasher& m_hasher;
  const Sample& m_sample;
  double m_k, m_usual_distance;
  std::size_t m_n, m_n_taken = 0;
  std::vector<typename Hasher::value_type> m_values;
  std::vector<probe_sequence<Hasher>> m_sequences;
  std::vector<double> m_seconds;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
