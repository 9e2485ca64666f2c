#pragma once

/// \file
/// The distances from sampled queries to their neighbours and to all other rows, from which the parameters of an index
/// are chosen.

#include <annulus/core/base/random.hpp>
#include <annulus/lsh/row_store.hpp>

#include <algorithm>
#include <cmath>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The distances of one query.
struct distance_profile {
  struct group {
    double distance, count;  ///< `count` rows are taken to be at `distance`
  };
  std::vector<double> near;   ///< of up to five of the k nearest, ascending
  std::vector<group> others;  ///< of all rows, ascending
  double kth_distinct = 0;    ///< of the k-th nearest of the rows at a distance above 0; 0 where all are at 0
};

/// The distance of the rank-th nearest of all rows (from 1), estimated from a sample that holds one row in `growth`:
/// at(i) is the distance of the sample's i-th nearest (from 0) of n. Interpolates between the sample's distances;
/// nearer than its nearest, extrapolates how its number of neighbours grows with the distance. Calls at(i) for i <
/// max(32, rank / growth + 1) only.
template <class At>
double distance_of_rank(At at, std::size_t n, double rank, double growth) {
  const double place = rank / growth - 1;
  if (place >= 0) {
    const std::size_t i = std::min(static_cast<std::size_t>(place), n - 1), next = std::min(i + 1, n - 1);
    return at(i) + (at(next) - at(i)) * std::min(place - static_cast<double>(i), 1.0);
  }
  const std::size_t far = std::min<std::size_t>(32, n) - 1;
  const double d = at(0), e = at(far);
  if (!(e > d && d > 0)) return d;
  return d * std::pow(rank / growth, std::log(e / d) / std::log(static_cast<double>(far + 1)));
}

/// The median of the numbers that are above 0 and finite; 0 where no number is.
inline double median_positive(std::vector<double> numbers) {
  std::erase_if(numbers, [](double x) { return !(x > 0 && x <= std::numeric_limits<double>::max()); });
  if (numbers.empty()) return 0;
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  return *middle;
}

/// Queries with their profiles, over `n_rows` rows that the sample stands for. Exact search of the sample:
/// O(queries n d).
template <class Points, class Metric>
class tuning_sample {
 public:
  using store = row_store<Points>;
  using view_type = typename store::view_type;

  /// Takes `queries`, or, where empty, rows of the sample, each without itself.
  tuning_sample(const view_type& sample, const view_type& queries, std::size_t max_queries, std::size_t k,
                std::size_t n_rows, std::uint64_t seed)
      : m_sample(sample),
        m_queries(queries.size() > 0 ? queries : sample),
        m_rows(sample.dim()),
        m_growth(static_cast<double>(n_rows) / static_cast<double>(sample.size())) {
    m_rows.append(sample);
    const bool are_rows = queries.size() == 0;
    m_chosen = drawn_without_replacement(m_queries.size(), std::min(max_queries, m_queries.size()),
                                         counter_random(seed, 0x7A));
    std::vector<id_type> all(sample.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<id_type>(i);
    std::vector<typename store::template rank_type<Metric>> ranks(all.size());
    for (const std::size_t i : m_chosen) {
      m_rows.ranks(Metric{}, m_queries.row(i), all, ranks.data());
      std::vector<float> distances;
      for (std::size_t j = 0; j < ranks.size(); ++j)
        if (!(are_rows && i == j)) distances.push_back(distance_of(Metric{}, ranks[j]));
      m_profiles.push_back(profile_of(distances, k));
    }
  }

  std::size_t n_queries() const noexcept { return m_chosen.size(); }
  const view_type& queries() const noexcept { return m_queries; }
  std::size_t query(std::size_t i) const noexcept { return m_chosen[i]; }  ///< its row in queries()
  const distance_profile& profile(std::size_t i) const noexcept { return m_profiles[i]; }
  const view_type& sample() const noexcept { return m_sample; }
  double growth() const noexcept { return m_growth; }  ///< rows for each row of the sample

  /// The time to rank these rows for a query.
  template <class Clock>
  double seconds_to_rank(const std::vector<id_type>& rows, Clock now) const {
    std::vector<typename store::template rank_type<Metric>> ranks(rows.size());
    const double start = now();
    m_rows.ranks(Metric{}, m_queries.row(m_chosen[0]), rows, ranks.data());
    return now() - start;
  }

  /// The median over queries of the distance of the k-th nearest row not equal to the query; 0 where all are equal.
  double scale() const {
    std::vector<double> kth;
    for (const distance_profile& p : m_profiles) kth.push_back(p.kth_distinct);
    return median_positive(std::move(kth));
  }

 private:
  distance_profile profile_of(std::vector<float>& distances, std::size_t k) const {
    // The nearest are sorted one by one; every step-th of the others stands for its step.
    constexpr std::size_t n_exact = 4096;
    const std::size_t n = distances.size(), n_sorted = std::min(n, std::max(n_exact, 2 * k));
    const auto sorted = distances.begin() + static_cast<std::ptrdiff_t>(n_sorted);
    std::nth_element(distances.begin(), sorted - 1, distances.end());
    std::sort(distances.begin(), sorted);
    const std::size_t step = (n - n_sorted) / n_exact + 1;
    std::vector<float> rest;
    for (std::size_t i = n_sorted; i < n; i += step) rest.push_back(distances[i]);
    std::sort(rest.begin(), rest.end());
    const auto at = [&](std::size_t i) {
      return static_cast<double>(i < n_sorted ? distances[i] : rest[std::min((i - n_sorted) / step, rest.size() - 1)]);
    };

    distance_profile p;
    const std::size_t shown = std::min<std::size_t>(k, 5);
    for (std::size_t j = 0; j < shown; ++j) {
      const std::size_t rank = shown == 1 ? k : 1 + j * (k - 1) / (shown - 1);
      p.near.push_back(distance_of_rank(at, n, static_cast<double>(rank), m_growth));
    }
    const auto n_equal = static_cast<std::size_t>(std::ranges::count(distances, 0.0f));
    if (n_equal < n)
      p.kth_distinct = distance_of_rank([&](std::size_t i) { return at(n_equal + i); }, n - n_equal,
                                        static_cast<double>(k), m_growth);
    // Groups grow with the distance, as single rows matter less.
    for (std::size_t first = 0; first < n;) {
      const std::size_t last = std::min(n, first + first / 3 + 1);
      p.others.push_back({at((first + last - 1) / 2), static_cast<double>(last - first) * m_growth});
      first = last;
    }
    return p;
  }

  view_type m_sample, m_queries;
  store m_rows;
  double m_growth;
  std::vector<std::size_t> m_chosen;
  std::vector<distance_profile> m_profiles;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
