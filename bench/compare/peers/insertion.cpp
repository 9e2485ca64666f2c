#include "measure.hpp"
#include "parts.hpp"
#include "recall.hpp"

#include <functional>

namespace compare {
namespace {

constexpr std::size_t k = 10, width = 64;

struct method {
  std::string name;
  std::function<std::unique_ptr<graph_index>()> make;
};

std::vector<method> methods_for(const dataset& data) {
  const std::size_t dim = data.rows.cols();
  const auto ours = [](storage s) { return [s] { return make_annulus(metric::sqeuclidean, s); }; };
  const auto usearch = [dim](storage s) { return [s, dim] { return make_usearch(metric::sqeuclidean, dim, s); }; };
  std::vector<method> methods{{"annulus", ours(storage::floats)},
                              {"annulus, sq8", ours(storage::sq8)},
                              {"hnswlib", [dim] { return make_hnswlib(metric::sqeuclidean, dim, false); }},
                              {usearch_name(), usearch(storage::floats)}};
  if (data.of_bytes) {
    methods.insert(methods.begin() + 2, {"annulus, uint8", ours(storage::bytes)});
    methods.push_back({std::string(usearch_name()) + ", uint8", usearch(storage::bytes)});
  }
  return methods;
}

/// Calls f, which brings so many rows into the index, and prints how long it took and what is found afterwards.
void measure(const std::string& dataset, const std::string& name, std::size_t n, std::size_t inserted,
             std::size_t threads, const std::function<void()>& f, const std::function<double()>& recall_after) {
  const double start = seconds(CLOCK_MONOTONIC), start_cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
  f();
  const double wall = seconds(CLOCK_MONOTONIC) - start, cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - start_cpu;
  print_record({{"comparison", "insertion"},
                {"dataset", dataset},
                {"method", name},
                {"n", n},
                {"inserted", inserted},
                {"workers", threads},
                {"wall_seconds", wall},
                {"cores", cpu / wall},
                {"recall", recall_after()}});
}

}  // namespace

void compare_insertion(const dataset& data, bool quick) {
  const rows_view rows = rows_view(data.rows).middle_rows(0, quick ? data.rows.rows() / 10 : data.rows.rows());
  const std::size_t half = rows.rows() / 2;
  const auto first = rows.middle_rows(0, half), second = rows.middle_rows(half, rows.rows() - half);
  const auto any = [](std::size_t, id_type) { return true; };
  const question ask(metric::sqeuclidean, rows, sample_of(data.queries, 500), k, any);

  for (const auto& [name, make] : methods_for(data)) {
    std::unique_ptr<graph_index> index = make();
    const auto recall_after = [&] { return recall(*index, rows, ask, width, {}, any); };
    // What insertion should come near to. To the others a build is insertion.
    if (name.starts_with("annulus"))
      measure(
          data.name, name, 0, rows.rows(), 2, [&] { index->build(rows, 2); }, recall_after);
    for (const std::size_t threads : {std::size_t{1}, std::size_t{2}}) {
      index = make();
      index->build(first, 2);
      measure(
          data.name, name, half, second.rows(), threads, [&] { index->insert(second, threads); }, recall_after);
    }
  }
}

}  // namespace compare
