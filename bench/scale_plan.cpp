// What an index of 10^8 to 10^10 rows needs over ranks: measures what building, searching and merging cost on one core,
// fits how these grow, and computes the rest by the formulas of scale/model.hpp; simulates merging the lists of up to
// 4,096 ranks. Prints Markdown, or writes it into a page.
//
//     bench_scale_plan [--write docs/scale.md] [--rows 40000] [--latency-us 2] [--gbit 100]
//
// --rows: of the smallest index; others have 2, 4 and 8 times as many, the last to check what is computed from the
// rest.
// --latency-us, --gbit: of the network, which is assumed. Takes ten minutes and 3 GB.

#include <annulus/nndescent/half_precision.hpp>
#include <annulus/nndescent/rabitq.hpp>
#include <annulus/quantization/rabitq_index.hpp>

#include <array>
#include <cstdlib>
#include <iostream>

#include "scale/costs.hpp"
#include "scale/page.hpp"

namespace {

using namespace scale;
using line = std::vector<std::string>;

constexpr double totals[] = {1e8, 1e9, 1e10};
constexpr machine machines[] = {{.cores = 16, .memory = 64e9}, {.cores = 64, .memory = 256e9}};
constexpr double us = 1e6, gb = 1e-9;
constexpr std::size_t merged_ranks = 64, batch = 1000;  ///< of merges that are measured, and queries in each

struct options {
  std::string page;
  std::size_t rows = 40'000;
  network net{.latency = 2e-6, .bytes_per_second = 100e9 / 8};
};

/// A kind of rows, and what was measured of it.
struct row_kind {
  std::string name;
  double row_bytes;
  std::string storage;
  row_costs costs;
  double bytes_a_row = 0;  ///< in that storage
};

std::string text_of(const power_law& law) {
  char text[48];
  std::snprintf(text, sizeof(text), "%.3g n^%.3f", law.factor, law.exponent);
  return text;
}

/// 10^8, for a power of ten.
std::string power_of_ten(double x) { return "10^" + count(std::log10(x)); }

std::string memory_of(const machine& rank) { return count(rank.memory * gb) + " GB"; }

// What is measured.

/// Bytes a row in each storage, by the name of the storage.
template <class T>
std::vector<std::pair<std::string, double>> measure_memory(std::size_t d) {
  using namespace annulus;
  constexpr std::size_t n = 8000;
  const auto rows = surface_rows<T>(n, d, 0);
  std::vector<std::pair<std::string, double>> found;
  const auto add = [&](const std::string& name, auto storage, bool keeps_rows) {
    found.emplace_back(name, bytes_a_row(n, [&](std::size_t count) {
                         const matrix_view<T> some(rows.data(), count, d);
                         return nndescent_index(some, euclidean{}, {.keep_rows = keeps_rows}, storage).memory_bytes();
                       }));
  };
  add("full_precision", full_precision{}, true);
  if constexpr (std::is_same_v<T, float>) {
    add("half_precision, no other rows", half_precision{}, false);
    add("sq8", sq8{}, true);
    add("sq8, no rows", sq8{}, false);
    add("rabitq+sq8", rabitq<sq8>{}, true);
    add("rabitq+sq8, no rows", rabitq<sq8>{}, false);
    found.emplace_back("rabitq_index, no rows", bytes_a_row(n, [&](std::size_t count) {
                         return rabitq_index(matrix_view<float>(rows.data(), count, d)).memory_bytes();
                       }));
  }
  return found;
}

std::string measured_part(const std::vector<row_kind>& kinds) {
  std::vector<line> lines{{"", ""}};
  for (const row_kind& kind : kinds) lines[0].push_back(kind.name + ", " + kind.storage);
  const auto add = [&](const std::string& what, const char* sign, auto value) {
    lines.push_back({what, sign});
    for (const row_kind& kind : kinds) lines.back().push_back(value(kind.costs));
  };
  const auto list = [](const std::vector<double>& values, double unit, auto text_of_value) {
    std::string text;
    for (std::size_t i = 0; i + 1 < values.size(); ++i) text += (i > 0 ? "; " : "") + text_of_value(unit * values[i]);
    return text;
  };
  const auto check = [](const std::vector<double>& values, const power_law& law, const row_costs& costs, double unit) {
    const double expected = law(costs.sizes.back());
    return number(unit * values.back()) + ", by the law " + number(unit * expected) + " (" +
           percent_off(expected, values.back()) + ")";
  };
  const std::string at_last = " at " + count(kinds[0].costs.sizes.back()) + " rows";

  add("rows", "n", [&](const row_costs& costs) { return list(costs.sizes, 1, count); });
  add("to build an index, s", "", [&](const row_costs& costs) { return list(costs.index_seconds, 1, number); });
  add("its law, s", "B(n)", [](const row_costs& costs) { return text_of(costs.law(costs.index_seconds)); });
  add("checked" + at_last, "",
      [&](const row_costs& costs) { return check(costs.index_seconds, costs.law(costs.index_seconds), costs, 1); });
  add("to build a k-NN graph, s", "", [&](const row_costs& costs) { return list(costs.graph_seconds, 1, number); });
  add("its law, s", "G(n)", [](const row_costs& costs) { return text_of(costs.law(costs.graph_seconds)); });
  add("checked" + at_last, "",
      [&](const row_costs& costs) { return check(costs.graph_seconds, costs.law(costs.graph_seconds), costs, 1); });
  add("beam for recall .95, k = 10", "", [&](const row_costs& costs) {
    return list(costs.of_searches([](const search_costs& search) { return search.beam; }), 1, count);
  });
  add("distances a query", "", [&](const row_costs& costs) { return list(costs.distances(), 1, number); });
  add("their law", "D(n)", [](const row_costs& costs) { return text_of(costs.law(costs.distances())); });
  add("ns of a query a distance", "", [&](const row_costs& costs) {
    std::vector<double> each = costs.query_seconds();
    for (std::size_t i = 0; i < each.size(); ++i) each[i] /= costs.distances()[i];
    return list(each, 1e9, number);
  });
  add("a query, s: D(n) times the last of these", "Q(n)",
      [](const row_costs& costs) { return text_of(costs.query_law()); });
  add("checked" + at_last + ", us", "",
      [&](const row_costs& costs) { return check(costs.query_seconds(), costs.query_law(), costs, us); });
  return table(lines);
}

// What is computed.

std::string memory_part(const std::vector<std::pair<std::string, double>>& storages, const std::string& rows) {
  std::vector<line> lines{{rows + ", storage", "M, bytes"}};
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

std::string build_part(const row_kind& kind) {
  const power_law index = kind.costs.law(kind.costs.index_seconds), graph = kind.costs.law(kind.costs.graph_seconds);
  const graph_over_ranks over_ranks;
  std::vector<line> lines{{"n", "ranks P", "index a rank: core hours", "hours", "k-NN graph of all: core hours",
                           "hours", "GB sent", "times the rows"}};
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

std::string search_part(const row_kind& kind, double merge, const network& net) {
  constexpr double k = 10;
  const power_law query = kind.costs.query_law();
  const search_over_ranks search{
      .query_bytes = kind.row_bytes, .candidate_bytes = sizeof(sent_neighbor), .k = k, .merge = merge, .net = net};
  std::vector<line> lines{{"n", "ranks P", "us of a core a query", "queries/s", "us until one query is answered",
                           "ms for 1,000", "bytes a query"}};
  for_each_plan(kind, [&](double n, const machine& rank, double ranks) {
    // Times as they scatter at the largest size measured, as many times as long as Q says.
    const double slower = query(n / ranks) / kind.costs.query_seconds().back();
    std::vector<double> times = kind.costs.searches.back().times;
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
measured_times with_stragglers(const measured_times& times) {
  std::vector<double> some(times.sorted().begin(), times.sorted().end());
  for (std::size_t i = 500; i < some.size(); i += 1000) some[i] *= 10;
  return measured_times(std::move(some));
}

std::string tree_part(const measured_times& ready, double queries, double k, double merge, const network& net) {
  constexpr std::size_t n_runs = 200;
  const merge_costs costs{queries * merge, queries * k * sizeof(sent_neighbor), net};
  std::vector<line> lines{{"ranks", "formula, ms", "simulated", "formula is off by", "with stragglers: formula, ms",
                           "simulated", "formula is off by"}};
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
  }
  return table(lines);
}

options read_options(int argc, char** argv) {
  options given;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (i + 1 == argc) throw std::invalid_argument("a value must follow " + std::string(name));
    const char* const value = argv[i + 1];
    if (name == "--write") given.page = value;
    else if (name == "--rows") given.rows = static_cast<std::size_t>(std::max(1000L, std::atol(value)));
    else if (name == "--latency-us") given.net.latency = 1e-6 * std::atof(value);
    else if (name == "--gbit") given.net.bytes_per_second = 1e9 / 8 * std::atof(value);
    else throw std::invalid_argument("unknown: " + std::string(name));
  }
  return given;
}

// The page.

std::string measured_text(const std::vector<row_kind>& kinds, const merging_costs& few, const merging_costs& many) {
  return "**Measured.** Made rows near a surface of 12 dimensions, 30 neighbours a row, one core. Laws are fitted to\n"
         "the sizes given, and checked at one that they were not fitted to.\n\n" +
         measured_part(kinds) + "C, to merge two lists of k neighbours of " + std::to_string(sizeof(sent_neighbor)) +
         " bytes: " + number(1e9 * few.one) + " ns for k = 10, " + number(1e9 * many.one) + " ns for k = 100.\n\n";
}

std::string assumed_text(const network& net) {
  return "**Assumed.** A message takes " + number(us * net.latency) + " us and its bytes at " +
         number(net.bytes_per_second * gb * 8) +
         " Gbit/s. A rank of 64 GB has\n"
         "16 cores, one of 256 GB has 64, all as fast as the one measured, whatever the others do. The index takes 80 "
         "%\n"
         "of the memory.\n\n";
}

std::string builds_text(const std::vector<row_kind>& kinds) {
  const graph_over_ranks graph;
  std::string text =
      "**Builds.** An index a rank: P B(n/P) core hours, B(n/P) / cores hours. One k-NN graph of all rows, in p = n / "
      "2^20\n"
      "partitions with " +
      number(graph.homes) + " copies of a row: p G(" + number(graph.homes) +
      " 2^20) core hours, and hours of the rank that has most of them. It sends\nfor each row " +
      number(graph.homes + graph.visits) + " rows (to its homes, and as it visits others) and 30 neighbours of " +
      count(graph.neighbor_bytes) + " bytes; 1 - 1/P\nof these leave their rank.\n\n";
  for (const row_kind& kind : kinds) text += kind.name + ", " + kind.storage + ":\n\n" + build_part(kind);
  return text;
}

std::string searches_text(const std::vector<row_kind>& kinds, double merge, const network& net) {
  std::string text =
      "**Searches** of k = 10, recall .95 on each rank. Every rank searches for every query, so that all together\n"
      "answer cores / Q(n/P) queries a second, or what rank 0 merges, 1 / (C log2 P), or receives, if that is less. "
      "Until an\n"
      "answer: log2 P messages down, a search on one core (of 1,000 queries: on all), the merge as below. Bytes: (P - "
      "1)\n"
      "(a row + k neighbours).\n\n";
  for (const row_kind& kind : kinds) text += kind.name + ", " + kind.storage + ":\n\n" + search_part(kind, merge, net);
  return text;
}

std::string merging_text(const merging_costs& costs, std::size_t k) {
  constexpr double merges = (merged_ranks - 1) * batch;
  return "k = " + std::to_string(k) + ", " + number(1e3 * costs.tree) + " ms, where " + count(merges) + " C are " +
         number(1e3 * merges * costs.one) + " (" + percent_off(merges * costs.one, costs.tree) + ")";
}

std::string tree_text(const search_costs& search, double rows, const merging_costs& few, const merging_costs& many,
                      const network& net) {
  return "**The merge tree**, for 1,000 queries, k = 100, 128 bytes, " + count(rows) +
         " rows a rank, 16 cores. Formula: the expected\n"
         "greatest of a rank's search and its messages, and log2 P merges. Simulated: the mean of 200 runs of its "
         "events,\n"
         "in which ranks draw times as they were measured. Stragglers: one rank in 1,000 takes ten times as long.\n\n" +
         tree_part(batch_times(search.times, batch, 16), batch, 100, many.one, net) +
         "One process that merges the lists of 64 ranks for 1,000 queries in this order takes for " +
         merging_text(few, 10) + ",\nand for " + merging_text(many, 100) + ".\n";
}

std::string plan(const options& given, const std::string& command) {
  const std::array<std::size_t, 4> sizes{given.rows, 2 * given.rows, 4 * given.rows, 8 * given.rows};
  const auto memory_of_bytes = measure_memory<std::uint8_t>(128);
  const auto memory_of_short = measure_memory<float>(128), memory_of_long = measure_memory<float>(768);
  const auto bytes_in = [](const auto& storages, const std::string& name) {
    return std::ranges::find(storages, name, [](const auto& storage) { return storage.first; })->second;
  };
  std::vector<row_kind> kinds{{"128 bytes", 128, "full_precision", {}, 0}, {"768 floats", 4 * 768, "sq8", {}, 0}};
  kinds[0].bytes_a_row = bytes_in(memory_of_bytes, kinds[0].storage);
  kinds[1].bytes_a_row = bytes_in(memory_of_long, kinds[1].storage);
  search_costs search_of_100;
  kinds[0].costs = measure_rows<std::uint8_t>(
      128, sizes, annulus::full_precision{},
      [&](const auto& index, const auto& queries) { search_of_100 = search_of(index, queries, 100); });
  kinds[1].costs = measure_rows<float>(768, sizes, annulus::sq8{}, [](const auto&, const auto&) {});
  const merging_costs few = measure_merging(merged_ranks, batch, 10), many = measure_merging(merged_ranks, batch, 100);

  return "Measured " + date() + ", " + processor() + ": `" + command + "`\n\n" + measured_text(kinds, few, many) +
         assumed_text(given.net) +
         "**Ranks that hold the rows:** P = n M / (80 % of the memory), M what a row adds to `memory_bytes()`.\n\n" +
         memory_part(memory_of_bytes, "128 bytes") + memory_part(memory_of_short, "128 floats") +
         memory_part(memory_of_long, "768 floats") + builds_text(kinds) + searches_text(kinds, few.one, given.net) +
         tree_text(search_of_100, kinds[0].costs.sizes.back(), few, many, given.net);
}

}  // namespace

int main(int argc, char** argv) try {
  const options given = read_options(argc, argv);
  std::string command = "bench_scale_plan";
  for (int i = 1; i < argc; ++i) command += std::string(" ") + argv[i];
  const std::string text = plan(given, command);
  if (given.page.empty()) std::cout << text;
  else write_part(given.page, "scale_plan", text);
  return 0;
} catch (const std::exception& error) {
  std::cerr << "bench_scale_plan: " << error.what() << "\n";
  return 1;
}
