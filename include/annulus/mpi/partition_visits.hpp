#pragma once

/// \file
/// Joins across partitions: a row visits a partition that is the first home of some of its neighbours, and is compared
/// there with their neighbours, with the neighbours of those that are near enough, and so on.

#include <annulus/core/metric/row_query.hpp>
#include <annulus/mpi/partition_messages.hpp>
#include <annulus/nndescent/graph/id_set.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The visits of one build, in rounds. The visits of a round follow from the lists as they were before it, walks read
/// graphs that do not change, and the lists do not depend on the order of offers: what is found is a function of the
/// partitions alone.
template <class T, class Metric>
class partition_visits {
 public:
  /// `given`: the rows that this rank gave, which are not sent to it. All that is referred to must outlive it.
  partition_visits(const partition_messages<T>& partitions, matrix_view<T> given, const Metric& metric, std::size_t dim,
                   const thread_team& team)
      : m_partitions(partitions), m_given(given), m_metric(&metric), m_dim(dim), m_team(&team) {}

  /// One round. Collective.
  void run(const progress_callback& progress) {
    mpi::together(m_partitions.comm(), [&] { plan(); });
    std::size_t at = 0;
    exchange_in_blocks(
        m_partitions.comm(), m_partitions.messages(),
        [&] {
          while (at < m_plan.size() && !m_partitions.is_block_full()) at = write_visits(at);
          if (!m_plan.empty()) report(progress, "joins", static_cast<double>(at) / static_cast<double>(m_plan.size()));
          return at < m_plan.size();
        },
        [&] { answer(); }, [&] { m_partitions.take_found(); });
  }

 private:
  /// Row `row` of own partition `home` is to visit `partition`, where it knows m_known[begin] to m_known[end].
  struct planned {
    std::uint32_t home, row, partition;
    float threshold;  ///< of its list, before the round: how far a walk goes depends on it
    std::size_t begin, end;
    bool is_of(std::size_t h, std::size_t r) const noexcept { return home == h && row == r; }
  };

  /// Each row visits the partitions that are the first home of a neighbour, but for those where it has been.
  void plan() {
    m_scratch.resize(m_team->size());
    std::vector<planned> visits;
    std::vector<std::array<std::uint32_t, 3>> visited;  // home, row, partition, in this and all earlier rounds
    std::size_t before = 0;                             // of m_visited
    m_known.clear();
    std::vector<row_name> names;
    for (std::size_t home = 0; home < m_partitions.own().size(); ++home) {
      const graph_partition<T>& p = m_partitions.own()[home];
      for (std::size_t i = 0; i < p.n_first; ++i) {
        const auto row = static_cast<std::uint32_t>(i), number = static_cast<std::uint32_t>(home);
        const std::size_t first_visited = visited.size();
        while (before < m_visited.size() && m_visited[before][0] == number && m_visited[before][1] == row)
          visited.push_back(m_visited[before++]);
        names.clear();
        for (std::size_t j = 0; j < p.lists.count(i); ++j) names.push_back(p.lists(i, j).name);
        std::ranges::stable_sort(names, {}, &row_name::partition);
        for (auto from = names.begin(); from != names.end();) {
          const std::uint32_t there = from->partition();
          const auto end = std::find_if(from, names.end(), [&](row_name name) { return name.partition() != there; });
          const bool was_there = there == p.number || there == p.other_homes[i] ||
                                 std::any_of(visited.begin() + static_cast<std::ptrdiff_t>(first_visited),
                                             visited.end(), [&](const auto& v) { return v[2] == there; });
          if (!was_there) {
            const std::size_t begin = m_known.size();
            for (auto name = from; name != end; ++name) m_known.push_back(name->id());
            visits.push_back({number, row, there, p.lists.threshold(i), begin, m_known.size()});
            visited.push_back({number, row, there});
          }
          from = end;
        }
      }
    }
    m_plan = std::move(visits);
    m_visited = std::move(visited);
  }

  /// Writes the visits of one row to partitions of one rank; returns the number of the next visit. The row goes along
  /// where that rank does not have it.
  std::size_t write_visits(std::size_t first) {
    const planned& v = m_plan[first];
    const row_layout& layout = m_partitions.layout();
    const graph_partition<T>& p = m_partitions.own()[v.home];
    const row_name name = p.names[v.row];
    const std::uint32_t second = p.other_homes[v.row];
    const std::size_t rank = layout.rank_of(v.partition);
    std::size_t end = first;
    while (end < m_plan.size() && m_plan[end].is_of(v.home, v.row) && layout.rank_of(m_plan[end].partition) == rank)
      ++end;
    message_writer& out = m_partitions.messages().to(rank);
    m_partitions.put_name(out, name);
    m_partitions.put_partition(out, second);
    out.put(v.threshold);
    if (rank != layout.rank() && rank != layout.rank_of(second) && rank != layout.giver_of(name.id()))
      out.put_all(p.rows.row(v.row));
    out.put_count(end - first);
    for (std::size_t i = first; i < end; ++i) {
      m_partitions.put_partition(out, m_plan[i].partition);
      out.put_count(m_plan[i].end - m_plan[i].begin);
      for (std::size_t k = m_plan[i].begin; k < m_plan[i].end; ++k) m_partitions.put_id(out, m_known[k]);
    }
    return end;
  }

  /// A row that came, and where it is to be walked for.
  struct visitor {
    row_name name;
    std::uint32_t second;
    float threshold;                ///< nothing further away is of interest to it
    const T* row;                   ///< null: m_rows from `place` on
    std::size_t place, begin, end;  ///< its stops: m_stops[begin] to m_stops[end]
  };
  struct stop {
    graph_partition<T>* partition;
    std::size_t begin, end;  ///< the rows that it knows there: m_entries[begin] to m_entries[end]
  };
  struct offer {
    graph_partition<T>* partition;
    id_type row;
    named_neighbor visitor;
  };
  /// What some visitors found, and for which rows they are near enough.
  struct finds {
    std::vector<std::pair<std::size_t, named_neighbor>> found;
    std::vector<offer> offers;
  };
  struct scratch {
    id_set seen;
    std::vector<candidate<float>> open;
  };

  void answer() {
    read_visitors();
    constexpr std::size_t task = 64;
    std::vector<finds> all((m_visitors.size() + task - 1) / task);
    parallel_for(*m_team, m_visitors.size(), task, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      for (std::size_t v = begin; v < end; ++v)
        for (std::size_t s = m_visitors[v].begin; s < m_visitors[v].end; ++s)
          walk(v, m_stops[s], m_scratch[worker], all[begin / task]);
    });
    std::vector<named_neighbor> found;
    for (const finds& of_task : all) {
      for (const offer& o : of_task.offers) o.partition->lists.insert(o.row, o.visitor);
      for (auto f = of_task.found.begin(); f != of_task.found.end();) {
        const std::size_t v = f->first;
        found.clear();
        for (; f != of_task.found.end() && f->first == v; ++f) found.push_back(f->second);
        m_partitions.put_found(m_visitors[v].name, found);
      }
    }
  }

  void read_visitors() {
    m_visitors.clear();
    m_stops.clear();
    m_entries.clear();
    m_rows.clear();
    m_partitions.read_all([&](message_reader& in, std::size_t) {
      visitor v{};
      v.name = m_partitions.get_name(in);
      v.second = m_partitions.get_partition(in);
      v.threshold = in.get<float>();
      v.row = row_here(v.name, v.second);
      if (v.row == nullptr) {
        v.place = m_rows.size();
        m_rows.resize(v.place + m_dim);
        in.get_all(std::span<T>(m_rows).last(m_dim));
      }
      v.begin = m_stops.size();
      for (std::size_t n_stops = in.get_count(); n_stops > 0; --n_stops) {
        graph_partition<T>& p = m_partitions.own(m_partitions.get_partition(in));
        const std::size_t begin = m_entries.size();
        for (std::size_t n = in.get_count(); n > 0; --n)
          m_entries.push_back(static_cast<id_type>(p.first_index(m_partitions.get_id(in))));
        m_stops.push_back({&p, begin, m_entries.size()});
      }
      v.end = m_stops.size();
      m_visitors.push_back(v);
    });
  }

  /// Where this rank has a row, or null.
  const T* row_here(row_name name, std::uint32_t second) const {
    const row_layout& layout = m_partitions.layout();
    const std::uint64_t id = name.id();
    if (m_partitions.has(name.partition())) {
      const graph_partition<T>& p = m_partitions.own(name.partition());
      return p.rows.row(p.first_index(id)).data();
    }
    if (m_partitions.has(second)) {
      const graph_partition<T>& p = m_partitions.own(second);
      return p.rows.row(p.second_index(id)).data();
    }
    if (layout.giver_of(id) == layout.rank()) return m_given.row(id - layout.first_id(layout.rank())).data();
    return nullptr;
  }

  /// Best-first from the rows that the visitor knows, on to the neighbours of all rows within its threshold. Rows that
  /// share a home with it were compared with it there.
  void walk(std::size_t number, const stop& at, scratch& mine, finds& out) const {
    const visitor& v = m_visitors[number];
    const graph_partition<T>& p = *at.partition;
    const std::span<const T> row(v.row != nullptr ? v.row : m_rows.data() + v.place, m_dim);
    const row_query rank(*m_metric, row);
    const std::size_t most_expanded = at.end - at.begin + 2 * p.lists.width();
    mine.seen.clear(at.end - at.begin + most_expanded * p.graph.cols());
    mine.open.clear();
    const auto further = [](const candidate<float>& a, const candidate<float>& b) { return b < a; };
    const auto meet = [&](id_type i, bool is_known) {
      if (!mine.seen.add(i)) return;
      const float distance = distance_of(*m_metric, rank(p.rows.row(i)));
      if (i < p.n_first && is_at_most(distance, p.lists.threshold(i))) {
        const float from_there = distance_of(*m_metric, row_query(*m_metric, p.rows.row(i))(row));
        out.offers.push_back({at.partition, i, {from_there, v.name}});
      }
      if (!is_known && !is_at_most(distance, v.threshold)) return;
      mine.open.push_back({distance, i});
      std::push_heap(mine.open.begin(), mine.open.end(), further);
      if (!is_known && p.other_homes[i] != v.name.partition() && p.other_homes[i] != v.second)
        out.found.push_back({number, {distance, p.names[i]}});
    };
    for (std::size_t e = at.begin; e < at.end; ++e) meet(m_entries[e], true);
    for (std::size_t expanded = 0; !mine.open.empty() && expanded < most_expanded; ++expanded) {
      std::pop_heap(mine.open.begin(), mine.open.end(), further);
      const id_type i = mine.open.back().id;
      mine.open.pop_back();
      for (const id_type j : p.graph.row(i)) {
        if (j == no_id) break;
        meet(j, false);
      }
    }
  }

  partition_messages<T> m_partitions;
  matrix_view<T> m_given;
  const Metric* m_metric;
  std::size_t m_dim;
  const thread_team* m_team;

  std::vector<planned> m_plan;
  std::vector<std::uint64_t> m_known;
  std::vector<std::array<std::uint32_t, 3>> m_visited;

  std::vector<visitor> m_visitors;  ///< of one block, as all below
  std::vector<stop> m_stops;
  std::vector<id_type> m_entries;
  aligned_vector<T> m_rows;
  std::vector<scratch> m_scratch;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
