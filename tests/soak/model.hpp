#pragma once

// What a search must answer: rows by id, all of them compared in double precision.

#include <annulus/core/base/random.hpp>
#include <annulus/core/result/filter.hpp>
#include <annulus/core/result/neighbors.hpp>
#include <annulus/core/rows/matrix.hpp>

#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>

namespace soak {

using annulus::id_filter;
using annulus::id_type;
using annulus::matrix;
using annulus::neighbors;
using annulus::no_id;

/// An answer that cannot be right.
struct mismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class... What>
void require(bool condition, const What&... what) {
  if (condition) return;
  std::ostringstream message;
  (message << ... << what);
  throw mismatch(message.str());
}

class dice {
 public:
  dice(std::uint64_t seed, std::uint64_t stream) : m_random(seed, stream) {}
  std::size_t below(std::size_t n) { return m_random.below(m_counter++, n); }
  std::size_t from(std::size_t least, std::size_t greatest) { return least + below(greatest - least + 1); }
  bool chance(double p) { return m_random.uniform(m_counter++) < p; }
  double normal() { return m_random.normal(m_counter++); }

 private:
  annulus::counter_random m_random;
  std::uint64_t m_counter = 0;
};

using row = std::vector<float>;
using distance = std::function<double(std::span<const float>, std::span<const float>)>;

inline double euclidean(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  return std::sqrt(sum);
}

inline double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0, of_a = 0, of_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    dot += x * y;
    of_a += x * x;
    of_b += y * y;
  }
  return 1 - dot / std::sqrt(of_a * of_b);
}

/// How many of the nearest rows were found.
struct recall {
  std::size_t found = 0, expected = 0;
  double value() const { return expected > 0 ? static_cast<double>(found) / static_cast<double>(expected) : 1; }
};

class model {
 public:
  explicit model(distance measure) : m_measure(std::move(measure)) {}

  std::size_t size() const { return m_rows.size(); }
  bool holds(id_type id) const { return m_rows.contains(id); }
  void put(id_type id, row values) { m_rows[id] = std::move(values); }
  void erase(id_type id) { m_rows.erase(id); }
  const row& operator[](id_type id) const { return m_rows.at(id); }
  id_type any(dice& random) const {
    return std::next(m_rows.begin(), static_cast<std::ptrdiff_t>(random.below(size())))->first;
  }
  std::vector<id_type> ids() const {
    std::vector<id_type> all;
    for (const auto& [id, values] : m_rows) all.push_back(id);
    return all;
  }

  /// That the answer may be right: rows that are there and that the filter lets pass, each once, by ascending distance,
  /// the same rows by ascending id, at their distances, and behind them padding. All of the nearest, too, if
  /// `is_exact`.
  recall check(std::span<const float> query, std::span<const id_type> ids, std::span<const float> distances,
               const id_filter& filter, bool is_exact) const {
    std::vector<double> truth;
    for (const auto& [id, values] : m_rows)
      if (filter(id)) truth.push_back(m_measure(query, values));
    std::ranges::sort(truth);
    truth.resize(std::min(truth.size(), ids.size()));

    recall result{0, truth.size()};
    std::set<id_type> seen;
    bool is_over = false;
    for (std::size_t j = 0; j < ids.size(); ++j) {
      if (ids[j] == no_id) {
        require(!annulus::detail::is_finite(distances[j]) && distances[j] > 0, "padding has the distance ",
                distances[j]);
        is_over = true;
        continue;
      }
      require(!is_over, "the id ", ids[j], " stands behind padding");
      check_row(query, ids[j], distances[j], filter);
      require(seen.insert(ids[j]).second, "the id ", ids[j], " is found twice");
      if (j > 0) {
        require(distances[j - 1] <= distances[j], "the distance ", distances[j], " follows ", distances[j - 1]);
        require(ids[j - 1] < ids[j] || m_rows.at(ids[j - 1]) != m_rows.at(ids[j]), "of two rows that are the same id ",
                ids[j], " follows id ", ids[j - 1]);
      }
      result.found += static_cast<double>(distances[j]) <= truth.back() + tolerance(truth.back());
      if (is_exact)
        require(std::abs(static_cast<double>(distances[j]) - truth[j]) <= tolerance(truth[j]), "place ", j, " has ",
                distances[j], ", where the nearest row is at ", truth[j]);
    }
    if (is_exact) require(seen.size() == truth.size(), seen.size(), " rows are found of ", truth.size());
    return result;
  }

  /// That a row is there, passes, and has that distance.
  void check_row(std::span<const float> query, id_type id, float at, const id_filter& filter = {}) const {
    require(holds(id), "the id ", id, " is not there");
    require(filter(id), "the id ", id, " does not pass the filter");
    const double exact = m_measure(query, m_rows.at(id));
    require(std::abs(static_cast<double>(at) - exact) <= tolerance(exact), "id ", id, " is at ", at, ", not ", exact);
  }

 private:
  /// Distances are computed in single precision.
  static double tolerance(double at) { return 1e-5 * std::abs(at) + 1e-5; }

  distance m_measure;
  std::map<id_type, row> m_rows;
};

/// Rows about one of ten centres, now and then twice the same.
class source {
 public:
  source(std::size_t d, dice& random) : m_random(random) {
    for (auto& centre : m_centres)
      for (std::size_t j = 0; j < d; ++j) centre.push_back(static_cast<float>(3 * random.normal()));
  }
  row draw() {
    if (m_last.empty() || !m_random.chance(0.05)) {
      m_last = m_centres[m_random.below(m_centres.size())];
      for (float& x : m_last) x += static_cast<float>(m_random.normal());
      if (m_random.chance(0.3))  // few of the others, which sparse rows leave out
        for (float& x : m_last)
          if (m_random.chance(0.5) && &x != m_last.data()) x = 0;
    }
    return m_last;
  }
  matrix<float> draw(std::size_t n) {
    matrix<float> rows(n, m_centres[0].size());
    for (std::size_t i = 0; i < n; ++i) std::ranges::copy(draw(), rows.row(i).begin());
    return rows;
  }

 private:
  std::array<row, 10> m_centres;
  row m_last;
  dice& m_random;
};

}  // namespace soak
