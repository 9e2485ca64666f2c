#pragma once

// What an index is asked, and how much of the truth it has to find.

#include <numeric>
#include <string>

#include "situations/answers.hpp"

namespace situations {

enum class question {
  itself,     ///< each row is found by its own query, or one that is equal
  nearest_1,  ///< of rows, of places close to them, and of rows that were erased
  nearest_3,
  nearest_10,
  nearest_100,
  filter_agrees,     ///< those rows pass that are near the query
  filter_disagrees,  ///< those rows do not pass that are near the query
  filter_is_rare,    ///< one row of a hundred passes
  radius_near,       ///< about as many rows as a search has neighbours
  radius_wide,       ///< about a third of all rows
  radius_filtered,   ///< a third of all rows, of which those near the query do not pass
  between,           ///< queries between two rows
  beyond,            ///< queries outside
  graph              ///< the lists of neighbours
};
inline constexpr std::string_view question_names[] = {"itself",
                                                      "k = 1",
                                                      "k = 3",
                                                      "k = 10",
                                                      "k = 100",
                                                      "a filter that agrees",
                                                      "a filter that disagrees",
                                                      "a rare filter",
                                                      "radius, near",
                                                      "radius, wide",
                                                      "radius, filtered",
                                                      "queries between",
                                                      "queries beyond",
                                                      "graph"};

constexpr std::size_t beam = 64;
constexpr double least_itself = 0.99, least_recall = 0.97, least_recall_of_many = 0.95, least_in_radius = 0.95,
                 least_of_graph = 0.95;

/// A share that was found, and how great it must be.
struct finding {
  std::string what;
  double share, least;
  bool holds() const { return share >= least; }
};

struct filtered_queries {
  matrix<float> queries;
  passing_ids passing;
};

class interview {
 public:
  interview(const history& of, dice& random) : m_of(of), m_rows(of.rows()), m_random(random) {}

  const std::vector<finding>& findings() const { return m_findings; }

  void ask(question what) {
    if (m_rows.size() == 0) return;
    switch (what) {
      case question::itself:
        if (m_of.of().finds_itself) ask_for_themselves();
        break;
      case question::nearest_1:
        ask_nearest(1);
        break;
      case question::nearest_3:
        ask_nearest(3);
        break;
      case question::nearest_10:
        ask_nearest(10);
        break;
      case question::nearest_100: {
        const auto found = share_found(m_of, places(10), 100, m_rows.all());
        note("k = 100, by default", found.value(), least_recall_of_many);
        break;
      }
      case question::filter_agrees:
        ask_around(true);
        break;
      case question::filter_disagrees:
        ask_around(false);
        break;
      case question::filter_is_rare: {
        passing_ids passing(m_rows.n_given_out());
        for (std::size_t i = 0; i < m_rows.size() / 100 + 3; ++i) passing[m_rows.any(m_random)] = true;
        const std::size_t k = any_k();
        ask_nearest(places(count_for(k)), k, passing, "where few rows pass");
        break;
      }
      case question::radius_near:
        ask_within(10, m_rows.all());
        break;
      case question::radius_wide:
        ask_within(m_rows.size() / 3, m_rows.all());
        break;
      case question::radius_filtered: {
        const auto around = nearest_share(m_random.from(2, 20));
        ask_within(m_rows.size() / 3, without(around), around);
        break;
      }
      case question::between:
        ask_pairs(0.5f, "of queries between rows");
        break;
      case question::beyond:
        ask_pairs(-0.5f, "of queries outside");
        break;
      case question::graph:
        ask_graph();
        break;
    }
  }

  /// Searches by default and with a beam of 64.
  void ask_nearest(const matrix<float>& queries, std::size_t k, const passing_ids& passing, std::string_view which) {
    const filtered_queries alone[] = {{queries, passing}};
    ask_nearest(alone, k, which);
  }
  /// The same of several filters, taken together.
  void ask_nearest(std::span<const filtered_queries> all, std::size_t k, std::string_view which) {
    for (const std::size_t by_beam : {std::size_t{0}, beam}) {
      share found;
      for (const auto& [queries, passing] : all) found += share_found(m_of, queries, k, passing, {.beam = by_beam});
      std::string what = "k = " + std::to_string(k) + (by_beam == 0 ? ", by default" : ", by a beam of 64");
      note(which.empty() ? what : what + ", " + std::string(which), found.value(), least_recall);
    }
  }
  void ask_nearest(std::size_t k) { ask_nearest(places(count_for(k)), k, m_rows.all(), {}); }

  /// That rows are found by their own query: they or others at the least distance.
  void ask_for_themselves(std::span<const id_type> ids, std::string_view which = {}) {
    for (const std::size_t by_beam : {std::size_t{0}, beam}) {
      const auto found = share_found(m_of, m_rows.rows(ids), 1, m_rows.all(), {.beam = by_beam});
      note(std::string(by_beam == 0 ? "rows themselves, by default" : "rows themselves, by a beam of 64") +
               std::string(which),
           found.value(), least_itself);
    }
  }
  void ask_for_themselves() { ask_for_themselves(any_ids(200)); }

  void ask_within(std::size_t about, const passing_ids& passing, std::span<const id_type> around = {}) {
    const matrix<float> queries = around.empty() ? places(10) : places(10, around);
    std::vector<double> radii;
    for (std::size_t i = 0; i < queries.rows(); ++i)
      radii.push_back(m_rows.nearest(queries.row(i), about + 1, m_rows.all()).back().distance);
    std::ranges::nth_element(radii, radii.begin() + static_cast<std::ptrdiff_t>(radii.size() / 2));
    const auto radius = static_cast<float>(radii[radii.size() / 2]);
    note("within a radius of " + std::to_string(radius), share_within(m_of, queries, radius, passing).value(),
         least_in_radius);
  }

  /// Beside what a new index of the same rows has.
  void ask_graph() {
    const auto fresh = m_of.of().make(m_rows.rows(m_rows.ids()), m_of.params());
    collection anew(m_of.of());
    for (const id_type id : m_rows.ids()) anew.append(m_rows.row(id));
    const std::size_t every = m_rows.size() / 100 + 1;
    const double expected = share_of_graph(*fresh, anew, every).value();
    note("lists of the graph", share_of_graph(m_of.index(), m_rows, every).value(), least_of_graph * expected);
  }

  std::vector<id_type> any_ids(std::size_t count) {
    std::vector<id_type> ids(std::min(count, m_rows.size()));
    for (id_type& id : ids) id = m_rows.any(m_random);
    return ids;
  }

  /// Rows of which a third is erased, a third is held, and others are close to those.
  matrix<float> places(std::size_t count) {
    const auto ids = any_ids(count);
    matrix<float> queries = places(count, ids);
    for (std::size_t i = 0; i < queries.rows() && m_of.erased().rows() > 0; i += 3)
      std::ranges::copy(m_of.erased().row(m_random.below(m_of.erased().rows())), queries.row(i).begin());
    return queries;
  }
  /// As many of those rows, of which every second is moved towards one of its nearest.
  matrix<float> places(std::size_t count, std::span<const id_type> around) {
    std::vector<id_type> ids(around.begin(), around.end());
    for (std::size_t i = 0; i < ids.size(); ++i) std::swap(ids[i], ids[m_random.from(i, ids.size() - 1)]);
    ids.resize(std::min(count, ids.size()));
    matrix<float> queries = m_rows.rows(ids);
    for (std::size_t i = 1; i < ids.size(); i += 2) {
      const auto near = m_rows.nearest(queries.row(i), 6, m_rows.all());
      const auto other = m_rows.row(near[m_random.below(near.size())].id);
      std::ranges::copy(blend(queries.row(i), other, 0.5f, m_of.of().takes, m_random), queries.row(i).begin());
    }
    return queries;
  }

  /// Notes a share, which is at fault where it is less than it must be.
  void note(std::string what, double value, double least) { m_findings.push_back({std::move(what), value, least}); }

 private:
  /// How many queries, so that one miss is not at fault.
  static std::size_t count_for(std::size_t k) { return std::max<std::size_t>(100 / k, 30); }
  std::size_t any_k() { return std::array<std::size_t, 3>{1, 3, 10}[m_random.below(3)]; }

  /// A row and those nearest to it, of all rows one of so many.
  std::vector<id_type> nearest_share(std::size_t one_of) {
    std::vector<id_type> ids;
    const std::size_t count = m_rows.size() / one_of + 1;
    for (const auto& near : m_rows.nearest(m_rows.row(m_rows.any(m_random)), count, m_rows.all()))
      ids.push_back(near.id);
    return ids;
  }
  passing_ids without(std::span<const id_type> ids) const {
    passing_ids passing = m_rows.all();
    for (const id_type id : ids) passing[id] = false;
    return passing;
  }
  void ask_around(bool agrees) {
    const std::size_t k = any_k();
    std::vector<filtered_queries> regions;
    for (std::size_t i = 0; i < 4; ++i) {
      const auto around = nearest_share(m_random.from(agrees ? 5 : 2, 50));
      passing_ids passing = without(around);
      if (agrees) passing.flip();
      regions.push_back({places(count_for(k) / 4, around), std::move(passing)});
    }
    ask_nearest(regions, k, agrees ? "where rows near pass" : "where no row near passes");
  }
  /// Queries between a row and any other, or beyond it. Between two codes there are others in the middle that are no
  /// code of anything, and as far from all rows: they stay near one of the two.
  void ask_pairs(float share_of_other, std::string_view which) {
    const bool is_coded = m_of.of().takes == coordinates::bits || m_of.of().takes == coordinates::members;
    if (is_coded) share_of_other *= 0.4f;
    const std::size_t k = any_k();
    matrix<float> queries = m_rows.rows(any_ids(count_for(k)));
    for (std::size_t i = 0; i < queries.rows(); ++i) {
      const auto other = m_rows.row(m_rows.any(m_random));
      std::ranges::copy(blend(queries.row(i), other, share_of_other, m_of.of().takes, m_random),
                        queries.row(i).begin());
    }
    ask_nearest(queries, k, m_rows.all(), which);
  }

  const history& m_of;
  const collection& m_rows;
  dice& m_random;
  std::vector<finding> m_findings;
};

}  // namespace situations
