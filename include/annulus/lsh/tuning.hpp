#pragma once

/// \file
/// Chooses the parameters of an LSH index from a sample of the data.

#include <annulus/core/base/random.hpp>
#include <annulus/lsh/function_sample.hpp>
#include <annulus/lsh/params.hpp>
#include <annulus/lsh/prediction.hpp>

#include <map>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// What to choose parameters for.
struct lsh_tuning {
  std::size_t k = 10;                 ///< neighbours wanted
  std::size_t n_rows = 0;             ///< of the data that the sample stands for; 0: those of the sample
  std::size_t memory_limit = 0;       ///< bytes that the tables may take; 0: no limit
  std::size_t n_queries = 300;        ///< that predictions average over
  std::uint64_t seed = default_seed;  ///< of functions and samples
};

/// Parameters, and their predicted recall and cost.
template <class Family>
struct lsh_suggestion {
  Family family;             ///< with its width, or what else it takes from rows, filled in
  lsh_params params;         ///< of the index
  lsh_search_params search;  ///< of its searches
  double recall = 0;         ///< the mean, a little above that asked for; 0: no parameters reach that
  double candidates = 0;     ///< rows compared a query
  double seconds = 0;        ///< a query, on one thread
  double scan_seconds = 0;   ///< the same by comparing all rows: where that is less, search exactly
};

namespace detail {

/// Finds the parameters of least time that reach a recall.
template <class Points, class Family>
class lsh_tuner {
 public:
  using view_type = view_of<Points>;
  using sample_type = tuning_sample<Points, typename Family::metric>;
  static constexpr bool has_width = requires { Family::usual_width; };

  lsh_tuner(const view_type& sample, const view_type& queries, double recall, const lsh_tuning& tuning)
      : m_recall(recall + reserve * (1 - recall)),
        m_tuning(tuning),
        m_n_rows(tuning.n_rows > 0 ? tuning.n_rows : sample.size()),
        m_sample(sample, queries, tuning.n_queries, tuning.k, m_n_rows, tuning.seed),
        m_costs(lsh_costs::measured(m_sample, tuning.seed)) {}

  lsh_suggestion<Family> operator()(const Family& family) {
    lsh_suggestion<Family> best{family, {}, {.threads = 1}};
    best.scan_seconds = static_cast<double>(m_n_rows) * m_costs.scanned_row;
    best.seconds = std::numeric_limits<double>::infinity();
    // Parameters much slower than exact search are considered only if no others reach the recall.
    for (const double slowest : {4.0, 100.0}) {
      m_max_seconds = slowest * best.scan_seconds;
      for (const Family& variant : variants(family)) try_family(variant, best);
      if (best.recall > 0) break;
    }
    return best;
  }

 private:
  /// The share of the allowed misses kept in reserve: for one draw of functions and other queries than the sample's,
  /// recall is about 0.01 above or below the mean.
  static constexpr double reserve = 0.1;
  static constexpr std::array<std::size_t, 20> projections{1,  2,  3,  4,  5,  6,  7,  8,  10, 12,
                                                           14, 16, 18, 20, 22, 24, 28, 32, 40, 48};

  /// The family with its usual width, half and twice that; the family itself where it has no width.
  std::vector<Family> variants(const Family& family) const {
    std::vector<Family> result;
    if constexpr (has_width) {
      const double usual = Family::usual_width * m_sample.scale();
      for (const double factor : {1.0, 0.5, 2.0}) {
        result.push_back(family);
        if (usual > 0) result.back().width = factor * usual;
        else result.back() = fitted(result.back(), m_sample.sample(), {});
      }
    } else {
      result.push_back(family);
    }
    return result;
  }

  void try_family(const Family& family, lsh_suggestion<Family>& best) {
    std::size_t start = projections.size() / 2;
    for (const std::size_t n_tables : {64u, 32u, 16u, 8u, 4u}) {
      if (m_tuning.memory_limit > 0 && n_tables * 6 * m_n_rows > m_tuning.memory_limit) continue;
      start = climb(family, n_tables, start, best);
    }
  }

  /// Goes up or down the numbers of projections, by one or two, for as long as the time falls. Returns where it ended.
  std::size_t climb(const Family& family, std::size_t n_tables, std::size_t at, lsh_suggestion<Family>& best) {
    std::map<std::size_t, double> seconds;
    const auto time_of = [&](std::size_t i) {
      if (i >= projections.size()) return std::numeric_limits<double>::infinity();
      const auto known = seconds.find(i);
      if (known != seconds.end()) return known->second;
      return seconds[i] = try_one(family, projections[i], n_tables, best);
    };
    while (at > 0 && !is_finite(time_of(at))) --at;
    for (std::size_t from = projections.size(); from != at;) {
      from = at;
      // Numbers below 0 wrap around and, like those beyond the last, take infinite time.
      for (const std::size_t next : {from + 1, from - 1, from + 2, from - 2})
        if (time_of(next) < time_of(at)) at = next;
    }
    return at;
  }

  double try_one(const Family& family, std::size_t n_projections, std::size_t n_tables, lsh_suggestion<Family>& best) {
    constexpr std::size_t n_rough = 40;  // queries
    const double limit = std::min(3 * best.seconds, m_max_seconds);
    const auto hasher =
        family.template make_hasher<view_type>(m_sample.sample().dim(), n_projections, n_tables, m_tuning.seed);
    using predictor = lsh_predictor<std::remove_const_t<decltype(hasher)>, sample_type>;
    const auto rough = predictor(hasher, m_sample, m_tuning.k, n_rough)(m_recall, 1.5, m_costs, limit);
    if (rough.seconds < 1.2 * best.seconds) {
      const auto fine = predictor(hasher, m_sample, m_tuning.k, m_tuning.n_queries)(m_recall, 1.2, m_costs, limit);
      if (fine.seconds < best.seconds) {
        best.family = family;
        best.params = {.n_projections = n_projections, .n_tables = n_tables, .seed = m_tuning.seed};
        best.search.n_probes = fine.n_probes;
        best.recall = fine.recall;
        best.candidates = fine.candidates;
        best.seconds = fine.seconds;
      }
    }
    return rough.seconds;
  }

  double m_recall;
  lsh_tuning m_tuning;
  std::size_t m_n_rows;
  sample_type m_sample;
  lsh_costs m_costs;
  double m_max_seconds = 0;
};

}  // namespace detail

/// Parameters by which an index over data like the sample finds the wanted share of the k nearest rows in the least
/// time: projections, tables, width, and probes. The cost model is that of multi-probe LSH (Lv et al. 2007; Dong, Wang,
/// Josephson, Charikar, Li 2008), over the distances of sampled queries to their neighbours and to all rows, by the
/// probabilities of the family and costs measured during the call, on this thread. Distances need no scale: widths
/// follow from those of the neighbours. Timing makes the choice, so that two runs may differ. O(n_queries n d) and some
/// seconds. \param data_sample n x d, at least two rows \param family to choose parameters for \param recall wanted, in
/// (0, 1) \param tuning see there \param queries like those to be searched for; where empty, rows of the sample are
/// taken, each without itself \returns the parameters; where none reach the recall in a hundred times the time of exact
/// search, with recall and n_probes 0 \throws std::invalid_argument for a sample of fewer than two rows, a recall
/// outside (0, 1), k = 0, n_queries = 0, n_rows below the sample's, dimensions that differ, and rows or queries with a
/// NaN or an infinity.
template <class D, class Family, class Points = detail::points_of<D>>
lsh_suggestion<Family> suggest_lsh_params(const D& data_sample, const Family& family, double recall,
                                          const lsh_tuning& tuning = {}, const detail::view_of<Points>& queries = {}) {
  const detail::view_of<Points> sample = data_sample;
  if (sample.size() < 2) detail::invalid("sample rows", sample.size(), "must be at least 2");
  if (!(detail::is_number(recall) && recall > 0 && recall < 1)) detail::invalid("recall", recall, "must be in (0, 1)");
  if (tuning.k == 0) detail::invalid("k", tuning.k, "must be at least 1");
  if (tuning.n_queries == 0) detail::invalid("n_queries", tuning.n_queries, "must be at least 1");
  if (tuning.n_rows > 0 && tuning.n_rows < sample.size())
    detail::invalid("n_rows", tuning.n_rows, "must be at least the sample's ", sample.size());
  if (queries.size() > 0 && queries.dim() != sample.dim())
    detail::invalid("query dimension", queries.dim(), "must equal the sample's ", sample.dim());
  detail::row_store<Points>::check(sample, 1);
  detail::row_store<Points>::check(queries, 1);
  using tuner = detail::lsh_tuner<Points, Family>;
  // The tuner chooses widths by its own sample.
  const Family told = detail::told_of_bits(family, data_sample);
  const Family given = tuner::has_width ? told : detail::fitted(told, sample, {.threads = 1});
  return tuner(sample, queries, recall, tuning)(given);
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
