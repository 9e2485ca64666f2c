#pragma once

// The rows that an index should hold, by id, and exact answers about them.

#include <annulus/core/base/random.hpp>

#include <algorithm>

#include "situations/any_index.hpp"
#include "soak/model.hpp"

namespace situations {

using soak::require;

/// Which rows may be returned, by id.
using passing_ids = std::vector<bool>;

/// As the library takes them: id_filter::of(ids), once there is such a thing.
inline id_filter filter_of(const passing_ids& passing) { return passing; }

struct at_distance {
  double distance;
  id_type id;
  auto operator<=>(const at_distance&) const = default;
};

class collection {
 public:
  explicit collection(const kind& of) : m_kind(&of) {}

  const kind& of() const { return *m_kind; }
  std::size_t size() const { return m_ids.size(); }
  std::size_t n_given_out() const { return m_rows.size(); }
  std::span<const id_type> ids() const { return m_ids; }  ///< in ascending order
  bool holds(id_type id) const { return id < m_rows.size() && !m_rows[id].empty(); }
  std::span<const float> row(id_type id) const { return m_rows[id]; }
  id_type any(soak::dice& random) const { return m_ids[random.below(size())]; }
  passing_ids all() const { return passing_ids(m_rows.size(), true); }

  void append(std::span<const float> row) {
    m_ids.push_back(static_cast<id_type>(m_rows.size()));
    m_rows.emplace_back(row.begin(), row.end());
  }
  void erase(id_type id) {
    m_ids.erase(std::ranges::lower_bound(m_ids, id));
    m_rows[id].clear();
  }
  void update(id_type id, std::span<const float> row) { m_rows[id].assign(row.begin(), row.end()); }

  matrix<float> rows(std::span<const id_type> ids) const {
    matrix<float> some(ids.size(), ids.empty() ? 0 : row(ids[0]).size());
    for (std::size_t i = 0; i < ids.size(); ++i) std::ranges::copy(row(ids[i]), some.row(i).begin());
    return some;
  }

  double distance(std::span<const float> query, id_type id) const { return m_kind->distance(query, row(id)); }
  double tolerance(std::span<const float> query, const at_distance& at) const {
    return m_kind->tolerance(query, row(at.id), at.distance);
  }

  /// The k nearest rows that pass, or as many as there are; ties by lower id.
  std::vector<at_distance> nearest(std::span<const float> query, std::size_t k, const passing_ids& passing) const {
    std::vector<at_distance> found;
    for (const id_type id : m_ids)
      if (passing[id]) found.push_back({distance(query, id), id});
    k = std::min(k, found.size());
    std::ranges::partial_sort(found, found.begin() + static_cast<std::ptrdiff_t>(k));
    found.resize(k);
    return found;
  }

  /// That a row is there, passes, and has that distance.
  void check_row(std::span<const float> query, id_type id, float at, const passing_ids& passing) const {
    require(holds(id), "the id ", id, " is not there");
    require(passing[id], "the id ", id, " does not pass the filter");
    const double exact = distance(query, id);
    require(std::abs(static_cast<double>(at) - exact) <= tolerance(query, {exact, id}), "id ", id, " is at ", at,
            ", not ", exact);
  }

  /// That rows ascend by distance, equal ones by id, and none is there twice.
  void check_order(std::span<const id_type> ids, std::span<const float> distances) const {
    std::vector<id_type> sorted(ids.begin(), ids.end());
    std::ranges::sort(sorted);
    const auto twice = std::ranges::adjacent_find(sorted);
    if (twice != sorted.end()) require(false, "the id ", *twice, " is found twice");
    for (std::size_t j = 1; j < ids.size(); ++j) {
      require(distances[j - 1] <= distances[j], "the distance ", distances[j], " follows ", distances[j - 1]);
      require(ids[j - 1] < ids[j] || m_rows[ids[j - 1]] != m_rows[ids[j]], "of two equal rows id ", ids[j],
              " follows id ", ids[j - 1]);
    }
  }

 private:
  const kind* m_kind;
  std::vector<std::vector<float>> m_rows;  ///< of each id ever given out; none where it was erased
  std::vector<id_type> m_ids;
};

}  // namespace situations
