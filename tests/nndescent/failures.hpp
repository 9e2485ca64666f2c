#pragma once

// An index in the states that a change can find it in, each changed with allocations failing.

#include <annulus/nndescent/index.hpp>

#include "failing_allocations.hpp"

namespace failures {

using annulus::id_type;
using annulus::neighbors;

inline const annulus::nndescent_params one_thread{.n_neighbors = 6, .threads = 1};
/// The edges of most rows take all their room, or those of none.
inline const annulus::nndescent_params narrow{.n_neighbors = 3, .pruning_degree_multiplier = 0.1, .threads = 1};
inline const annulus::nndescent_params wide{.n_neighbors = 3, .pruning_degree_multiplier = 5, .threads = 1};

/// What can be told of an index from outside.
struct answers {
  std::size_t size;
  std::string defect;
  neighbors graph, found, by_beam;
  friend bool operator==(const answers&, const answers&) = default;
};

/// So many allocations of a change are tried, or all where it has fewer.
constexpr std::size_t some = 60, few = 20;

template <class Index>
class changes {
 public:
  using points = annulus::detail::points_of<typename Index::view_type>;

  /// An index of 200 rows.
  template <class Points>
  changes(Index index, const Points& more, const Points& queries, std::size_t most = some)
      : m_most(most),
        m_index(std::move(index)),
        m_more(more),
        m_queries(queries),
        m_one(annulus::detail::gather_rows(more, std::vector<id_type>{0})) {}

  allocations::outcome of_searches(std::size_t threads, std::size_t most = allocations::never) const {
    return allocations::fail_call([&] { return m_index.search(m_queries, 5, {.beam = 8, .threads = threads}); }, most);
  }
  allocations::outcome of_insertions() const {
    return changed(m_index, [&](Index& i) { i.insert(m_one); }) +
           changed(erased(50), [&](Index& i) { i.insert(m_more); }) +
           changed(Index(m_index), [&](Index& i) { i.insert(m_more); });
  }
  allocations::outcome of_updates() const {
    return changed(m_index, [&](Index& i) { i.update(7, m_one); }) +
           changed(erased(40), [&](Index& i) { i.update(7, m_one); }) +
           changed(erased(50), [&](Index& i) { i.update(7, m_one); });
  }
  allocations::outcome of_erasures() const {
    return changed(erased(40), [&](Index& i) { i.erase(7); });
  }
  allocations::outcome of_consolidations() const {
    return changed(erased(30), [](Index& i) { i.consolidate(); });
  }

 private:
  /// Of every fourth row, the first so many. The 41st is followed by a consolidation.
  Index erased(id_type count) const {
    Index index = m_index;
    for (id_type i = 0; i < count; ++i) index.erase(4 * i);
    return index;
  }
  template <class Change>
  allocations::outcome changed(const Index& index, Change change) const {
    const auto ask = [&](const Index& i) {
      return answers{i.size(), annulus::detail::persistence::defect(i), i.graph(),
                     i.search(m_queries, 5, {.threads = 1}), i.search(m_queries, 5, {.beam = 8, .threads = 1})};
    };
    return allocations::fail_change(index, change, ask, m_most);
  }

  std::size_t m_most;
  Index m_index;
  points m_more, m_queries, m_one;
};

}  // namespace failures
