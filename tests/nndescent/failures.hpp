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
    const auto insert_one = [&](Index&i) { i.insert(m_one, {.threads = 1}); },
               insert_more = [&](Index&i) { i.insert(m_more, {.threads = 1}); };
    return changed(m_index, insert_one) + changed(m_index, insert_more) + changed(erased(n_still), insert_more) +
           consolidated(insert_more);
  }
  allocations::outcome of_insertions_by_threads() const {
    return changed(m_index, [&](Index& i) { i.insert(m_more, {.threads = 3}); });
  }
  allocations::outcome of_updates() const {
    const auto update = [&](Index& i) { i.update(7, m_one); };
    return changed(m_index, update) + changed(erased(n_still), update) + consolidated(update);
  }
  allocations::outcome of_erasures() const {
    const auto erase = [](Index& i) { i.erase(7); };
    return changed(m_index, erase) + changed(erased(n_still), erase) + consolidated(erase);
  }
  allocations::outcome of_consolidations() const {
    return changed(erased(30), [](Index& i) { i.consolidate(); });
  }

 private:
  /// Erased of 200 rows, so many are not followed by a consolidation yet; one more, and the next change begins with it.
  static constexpr id_type n_still = 40, n_due = n_still + 1;

  /// Of every fourth row the first so many.
  Index erased(id_type count) const {
    Index index = m_index;
    for (id_type i = 0; i < count; ++i) index.erase(4 * i);
    return index;
  }
  answers ask(const Index& index) const {
    return {index.size(), annulus::detail::persistence::defect(index), index.graph(),
            index.search(m_queries, 5, {.threads = 1}), index.search(m_queries, 5, {.beam = 8, .threads = 1})};
  }
  template <class Change>
  allocations::outcome changed(const Index& index, Change change) const {
    return allocations::fail_change(
        index, change, [&](const Index& i) { return ask(i); }, m_most);
  }
  /// A change that begins with a consolidation, which stays where the change fails.
  template <class Change>
  allocations::outcome consolidated(Change change) const {
    const auto ask_consolidated = [&](Index i) {
      i.consolidate();
      return ask(i);
    };
    return allocations::fail_change(erased(n_due), change, ask_consolidated, m_most);
  }

  std::size_t m_most;
  Index m_index;
  points m_more, m_queries, m_one;
};

}  // namespace failures
