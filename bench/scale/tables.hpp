#pragma once

// The tables of a plan: what was measured, and what is computed from that for each number of rows and each machine.

#include "costs.hpp"
#include "page.hpp"

namespace scale {

using lines_of_table = std::vector<std::vector<std::string>>;

inline constexpr double totals[] = {1e8, 1e9, 1e10};
inline constexpr machine machines[] = {{.cores = 16, .memory = 64e9}, {.cores = 64, .memory = 256e9}};
inline constexpr double us = 1e6, gb = 1e-9;
inline constexpr std::size_t merged_ranks = 64, batch = 1000;  ///< of merges that are measured, and queries in each

/// A kind of rows, and what was measured of it.
struct row_kind {
  std::string name;
  double row_bytes;
  std::string storage;
  row_costs costs;
  double bytes_a_row = 0;  ///< in that storage
};

inline std::string text_of(const power_law& law) {
  char text[48];
  std::snprintf(text, sizeof(text), "%.3g n^%.3f", law.factor, law.exponent);
  return text;
}

/// 10^8, for a power of ten.
inline std::string power_of_ten(double x) { return "10^" + count(std::log10(x)); }

inline std::string memory_of(const machine& rank) { return count(rank.memory * gb) + " GB"; }

inline std::string measured_part(const std::vector<row_kind>& kinds) {
  lines_of_table lines{{"", ""}};
  for (const row_kind& kind : kinds) lines[0].push_back(kind.name + ", " + kind.storage);
  const auto add = [&](const std::string& what, const char* sign, auto value) {
    lines.push_back({what, sign});
    for (const row_kind& kind : kinds) lines.back().push_back(value(kind.costs));
  };
  const auto list = [](std::span<const double> values, double unit, auto text_of_value) {
    std::string text;
    for (const double value : values) text += (text.empty() ? "" : "; ") + text_of_value(unit * value);
    return text;
  };
  const auto fitted_ones = [&](const row_costs& costs, const std::vector<double>& values, auto text_of_value) {
    return list(std::span(values).first(costs.n_fitted()), 1, text_of_value);
  };
  const auto check = [](const row_costs& costs, const std::vector<double>& values) {
    const double expected = costs.law(values)(costs.sizes.back());
    return number(values.back()) + ", by the law " + number(expected) + " (" + percent_off(expected, values.back()) +
           ")";
  };
  const std::string checked = "checked at " + count(kinds[0].costs.sizes.back()) + " rows";

  add("rows", "n", [&](const row_costs& costs) { return fitted_ones(costs, costs.sizes, count); });
  const auto add_law = [&](const std::string& what, const std::string& its_law, const char* sign, auto values) {
    add(what, "", [&](const row_costs& costs) { return fitted_ones(costs, values(costs), number); });
    add(its_law, sign, [&](const row_costs& costs) { return text_of(costs.law(values(costs))); });
    add(checked, "", [&](const row_costs& costs) { return check(costs, values(costs)); });
  };
  add_law("to build an index, s", "its law", "B(n)", [](const row_costs& costs) { return costs.index_seconds; });
  add_law("to build a k-NN graph, s", "its law", "G(n)", [](const row_costs& costs) { return costs.graph_seconds; });
  add("beam for recall .95, k = 10", "", [&](const row_costs& costs) {
    return fitted_ones(costs, costs.of_searches([](const search_costs& search) { return search.beam; }), count);
  });
  add_law("distances a query", "their law", "D(n)", [](const row_costs& costs) { return costs.distances(); });
  add("ns of a query a distance, at all four sizes", "",
      [&](const row_costs& costs) { return list(costs.seconds_a_distance(), 1e9, number); });
  add("a query, s: D(n) times the last of these", "Q(n)",
      [](const row_costs& costs) { return text_of(costs.query_law()); });
  return table(lines);
}

inline std::string memory_part(const std::vector<std::pair<std::string, double>>& storages, const std::string& rows) {
  lines_of_table lines{{rows + ", storage", "M, bytes"}};
  for (const machine& rank : machines)
    for (const double n : totals) lines[0].push_back(power_of_ten(n) + " rows, " + memory_of(rank));
  for (const auto& [storage, bytes] : storages) {
    lines.push_back({storage, count(bytes)});
    for (const machine& rank : machines)
      for (const double n : totals) lines.back().push_back(count(ranks_for(n, bytes, rank)));
  }
  return table(lines);
}

/// Calls f with each number of rows and each machine, and how many of these hold them.
template <class F>
void for_each_plan(const row_kind& kind, F f) {
  for (const double n : totals)
    for (const machine& rank : machines) f(n, rank, ranks_for(n, kind.bytes_a_row, rank));
}

inline std::string build_part(const row_kind& kind) {
  const power_law index = kind.costs.law(kind.costs.index_seconds), graph = kind.costs.law(kind.costs.graph_seconds);
  const graph_over_ranks over_ranks;
  lines_of_table lines{{"n", "ranks P", "index a rank: core hours", "hours", "k-NN graph of all: core hours", "hours",
                        "GB sent", "times the rows"}};
  for_each_plan(kind, [&](double n, const machine& rank, double ranks) {
    const build_time shards = build_of_shards(n, ranks, index, rank.cores);
    const build_time whole = over_ranks.time(n, ranks, graph, rank.cores);
    const double sent = over_ranks.bytes_sent(n, ranks, kind.row_bytes);
    lines.push_back({power_of_ten(n), count(ranks) + " of " + memory_of(rank), number(shards.core_hours),
                     number(shards.hours), number(whole.core_hours), number(whole.hours), number(sent * gb),
                     number(sent / (n * kind.row_bytes))});
  });
  return table(lines);
}

inline std::string search_part(const row_kind& kind, double merge, const network& net) {
  constexpr double k = 10;
  const power_law query = kind.costs.query_law();
  const search_over_ranks search{
      .query_bytes = kind.row_bytes, .candidate_bytes = sizeof(sent_neighbor), .k = k, .merge = merge, .net = net};
  lines_of_table lines{{"n", "ranks P", "us of a core a query", "queries/s", "us until one query is answered",
                        "ms for 1,000", "bytes a query"}};
  for_each_plan(kind, [&](double n, const machine& rank, double ranks) {
    // Times as they scatter at the largest size measured, as many times as long as Q says.
    std::vector<double> times = kind.costs.searches.back().times;
    const double slower = query(n / ranks) / measured_times(times).mean();
    for (double& time : times) time *= slower;
    const double a_query = query(n / ranks) / rank.cores;
    const auto latency = [&](double queries, const measured_times& ready) {
      const merge_costs costs{queries * merge, queries * search.list_bytes(), net};
      return search.broadcast(ranks, queries) + modelled_merge(ready, static_cast<std::size_t>(ranks), costs);
    };
    lines.push_back({power_of_ten(n), count(ranks) + " of " + memory_of(rank), number(us * query(n / ranks)),
                     number(1 / search.seconds_a_query(ranks, a_query)), number(us * latency(1, measured_times(times))),
                     number(1e3 * latency(batch, batch_times(times, batch, rank.cores))),
                     number(search.bytes_a_query(ranks))});
  });
  return table(lines);
}

/// The times, of which every 1,000th is ten times as long.
inline measured_times with_stragglers(const measured_times& times) {
  std::vector<double> some(times.sorted().begin(), times.sorted().end());
  for (std::size_t i = 500; i < some.size(); i += 1000) some[i] *= 10;
  return measured_times(std::move(some));
}

inline std::string tree_part(const measured_times& ready, double queries, double k, double merge, const network& net) {
  constexpr std::size_t n_runs = 200;
  const search_over_ranks search{
      .query_bytes = 0, .candidate_bytes = sizeof(sent_neighbor), .k = k, .merge = merge, .net = net};
  const merge_costs costs{queries * merge, queries * search.list_bytes(), net};
  const merge_costs nothing{0, 0, {0, 1}};  // leaves the greatest of the searches
  lines_of_table lines{{"ranks", "formula, ms", "simulated", "formula is off by", "with stragglers: formula, ms",
                        "simulated", "formula is off by", "answers scattered, ms"}};
  for (const std::size_t ranks : {4u, 16u, 64u, 256u, 1024u, 4096u}) {
    lines.push_back({count(static_cast<double>(ranks))});
    for (const measured_times& times : {ready, with_stragglers(ready)}) {
      double simulated = 0;
      std::vector<double> drawn(ranks);
      for (std::size_t run = 0; run < n_runs; ++run) {
        const annulus::counter_random random(6, run);
        for (std::size_t r = 0; r < ranks; ++r) drawn[r] = times.quantile(random.uniform(r));
        simulated += merge_simulation(drawn, costs).run() / n_runs;
      }
      const double modelled = modelled_merge(times, ranks, costs);
      for (const std::string& cell :
           {number(1e3 * modelled), number(1e3 * simulated), percent_off(modelled, simulated)})
        lines.back().push_back(cell);
    }
    const auto p = static_cast<double>(ranks);
    lines.back().push_back(number(1e3 * (modelled_merge(ready, ranks, nothing) + search.scattered_merge(p, queries))));
  }
  return table(lines);
}

}  // namespace scale
