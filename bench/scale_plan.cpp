// What an index of 10^8 to 10^10 rows needs over ranks: measures what building, searching and merging cost on one core,
// fits how these grow, and computes the rest by the formulas of scale/model.hpp; simulates merging the lists of up to
// 4,096 ranks. Prints Markdown, or writes it into a page.
//
//     bench_scale_plan [--write docs/scale.md] [--rows 40000] [--latency-us 2] [--gbit 100]
//
// --rows is how many the smallest index has; others have 2, 4 and 8 times as many, the last to check what is computed
// from the rest. --latency-us and --gbit are of the network, which is assumed. Takes ten minutes and 3 GB.

#include <annulus/nndescent/half_precision.hpp>
#include <annulus/nndescent/rabitq.hpp>
#include <annulus/quantization/rabitq_index.hpp>

#include <array>
#include <cstdlib>
#include <iostream>

#include "scale/tables.hpp"

namespace {

using namespace scale;

struct options {
  std::string page;
  std::size_t rows = 40'000;
  network net{.latency = 2e-6, .bytes_per_second = 100e9 / 8};
};

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
  return "**Measured** on one core: made rows near a surface of 12 dimensions, 30 neighbours a row. Laws are\n"
         "fitted to the sizes given, and checked at one that they were not fitted to.\n\n" +
         measured_part(kinds) + "C, to merge two lists of k neighbours of " + std::to_string(sizeof(sent_neighbor)) +
         " bytes: " + number(1e9 * few.one) + " ns for k = 10, " + number(1e9 * many.one) + " ns for k = 100.\n\n";
}

std::string assumed_text(const network& net) {
  std::string text = "**Assumed:** a message takes " + number(us * net.latency) + " us, and its bytes pass at " +
                     number(net.bytes_per_second * gb * 8) + " Gbit/s. The index takes " +
                     count(100 * machines[0].share) + " % of the memory.\n";
  for (const machine& rank : machines)
    text += "A rank of " + memory_of(rank) + " has " + count(rank.cores) + " cores. ";
  return text + "All are as fast as the one measured, whatever the others do.\n\n";
}

std::string memory_text() {
  return "**Ranks that hold the rows:** P = n M / (" + count(100 * machines[0].share) +
         " % of the memory). M is what a row adds to `memory_bytes()`.\n\n";
}

std::string builds_text(const std::vector<row_kind>& kinds) {
  const graph_over_ranks graph;
  const std::string copies = number(graph.homes);
  std::string text =
      "**Builds.** An index on each rank: P B(n/P) core hours, and B(n/P) / cores hours. One k-NN graph of all\n"
      "rows, in p = n / 2^20 partitions with " +
      copies + " copies of a row: p G(" + copies +
      " 2^20) core hours, and the hours of the\n"
      "rank that has most of them. It sends for each row " +
      number(graph.homes + graph.visits) + " rows (to its homes, and as it visits others) and\n30 neighbours of " +
      count(graph.neighbor_bytes) + " bytes; 1 - 1/P of these leave their rank.\n\n";
  for (const row_kind& kind : kinds) text += kind.name + ", " + kind.storage + ":\n\n" + build_part(kind);
  return text;
}

std::string searches_text(const std::vector<row_kind>& kinds, double merge, const network& net) {
  std::string text =
      "**Searches** of k = 10, recall .95 on each rank. Every rank searches for every query, so all together\n"
      "answer cores / Q(n/P) queries a second, or what rank 0 merges, 1 / (C log2 P), or receives, if that is\n"
      "less. Until an answer: log2 P messages down, a search on one core (of 1,000 queries: on all), and the\n"
      "merge, by the formula below. Bytes: (P - 1) (a row + k neighbours).\n\n";
  for (const row_kind& kind : kinds) text += kind.name + ", " + kind.storage + ":\n\n" + search_part(kind, merge, net);
  return text;
}

std::string merging_text(const merging_costs& costs, std::size_t k) {
  constexpr double merges = (merged_ranks - 1) * batch;
  return "for k = " + std::to_string(k) + " " + number(1e3 * costs.tree) + " ms, where " + count(merges) + " C are " +
         number(1e3 * merges * costs.one) + " (" + percent_off(merges * costs.one, costs.tree) + ")";
}

std::string tree_text(const search_costs& search, double rows, const merging_costs& few, const merging_costs& many,
                      const network& net) {
  return "**The merge tree**, for 1,000 queries, k = 100, 128 bytes, " + count(rows) + " rows a rank, " +
         count(machines[0].cores) +
         " cores. Formula: the\n"
         "expected greatest of a rank's search and its messages, and log2 P merges. Simulated: the mean of 200 runs\n"
         "of its events, in which ranks draw times as they were measured. Stragglers: one rank in 1,000 takes ten\n"
         "times as long. Scattered: each rank gets the answers to its share of the queries; 1 - 1/P of them are\n"
         "merged on a rank, by formula.\n\n" +
         tree_part(batch_times(search.times, batch, machines[0].cores), batch, 100, many.one, net) +
         "One process that merges the lists of 64 ranks for 1,000 queries in this order takes " +
         merging_text(few, 10) + ",\nand " + merging_text(many, 100) + ".\n";
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

  return "By `" + command + "`, " + date() + ", " + processor() + ".\n\n" + measured_text(kinds, few, many) +
         assumed_text(given.net) + memory_text() + memory_part(memory_of_bytes, "128 bytes") +
         memory_part(memory_of_short, "128 floats") + memory_part(memory_of_long, "768 floats") + builds_text(kinds) +
         searches_text(kinds, few.one, given.net) +
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
