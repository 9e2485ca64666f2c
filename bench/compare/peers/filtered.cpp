#include <annulus/knn/knn.hpp>
#include <annulus/quantization/kmeans.hpp>

#include <numeric>
#include <optional>

#include "measure.hpp"
#include "parts.hpp"
#include "recall.hpp"

namespace compare {
namespace {

constexpr std::size_t k = 10;
constexpr double target = 0.95;
constexpr std::size_t widths[] = {10,  13,  16,  20,  25,  32,  40,  50,   64,   80,
                                  100, 130, 160, 200, 270, 400, 600, 1000, 2000, 4000};

enum class passing { at_random, nearest_cells, farthest_cells };
constexpr const char* names[] = {"at random", "by nearest centre", "by farthest centre"};

/// The rows by cells of k-means.
struct cells {
  explicit cells(rows_view rows) {
    constexpr std::size_t n_cells = 256, rows_a_cell = 100;
    centres = annulus::kmeans(rows, n_cells, {.max_points_per_centroid = rows_a_cell}).centroids;
    const auto nearest = annulus::knn(centres, rows, 1, annulus::sqeuclidean{});
    members.resize(n_cells);
    for (id_type i = 0; i < rows.rows(); ++i) members[nearest.ids(i, 0)].push_back(i);
  }
  annulus::matrix<float> centres;
  std::vector<std::vector<id_type>> members;
};

std::vector<bool> random_rows(std::size_t n, double share) {
  const annulus::counter_random random(7);
  std::vector<bool> allowed(n);
  for (std::size_t i = 0; i < n; ++i) allowed[i] = random.uniform(i) < share;
  return allowed;
}

/// The rows of the cells whose centres are nearest to the query (or farthest), as many cells as that share takes.
std::vector<bool> rows_by_cells(std::size_t n, const cells& by, row_view query, double share, bool nearest) {
  std::vector<std::size_t> order(by.members.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t c) {
    const double d = distance(metric::sqeuclidean, query, by.centres.row(c));
    return nearest ? d : -d;
  });
  std::vector<bool> allowed(n);
  auto left = static_cast<std::size_t>(share * static_cast<double>(n));
  for (const std::size_t c : order)
    for (const id_type i : by.members[c]) {
      if (left == 0) return allowed;
      allowed[i] = true;
      --left;
    }
  return allowed;
}

/// A filter for each query, or one for all.
std::vector<std::vector<bool>> bits_of(passing kind, double share, std::size_t n, rows_view queries, const cells& by) {
  if (kind == passing::at_random) return {random_rows(n, share)};
  std::vector<std::vector<bool>> bits;
  for (std::size_t q = 0; q < queries.rows(); ++q)
    bits.push_back(rows_by_cells(n, by, queries.row(q), share, kind == passing::nearest_cells));
  return bits;
}

struct method {
  std::string name;
  std::shared_ptr<graph_index> index;
  bool by_callable = false;
};

std::vector<method> built_methods(const dataset& data, rows_view rows) {
  const std::size_t dim = rows.cols();
  std::vector<method> methods;
  const auto add = [&](const std::string& name, std::shared_ptr<graph_index> index) {
    const double start = seconds(CLOCK_MONOTONIC);
    index->build(rows, 2);
    std::cerr << name << " built in " << seconds(CLOCK_MONOTONIC) - start << " s\n";
    methods.push_back({name, index});
  };
  const auto add_ours = [&](const std::string& name, storage s) {
    add(name + ", bitset", make_annulus(metric::sqeuclidean, s));
    methods.push_back({name + ", callable", methods.back().index, true});
  };
  add_ours("annulus", storage::floats);
  add_ours("annulus, sq8", storage::sq8);
  if (data.of_bytes) add_ours("annulus, uint8", storage::bytes);
  add("hnswlib", make_hnswlib(metric::sqeuclidean, dim, false));
  add(usearch_name(), make_usearch(metric::sqeuclidean, dim, storage::floats));
  if (data.of_bytes)
    add(std::string(usearch_name()) + ", uint8", make_usearch(metric::sqeuclidean, dim, storage::bytes));
  return methods;
}

/// What passes for each query, or for all if there is one filter, or everything if there is none.
class filter_case {
 public:
  explicit filter_case(std::vector<std::vector<bool>> bits) : m_bits(std::move(bits)) {
    for (const auto& b : m_bits) {
      m_bitsets.emplace_back(b);
      m_callables.emplace_back(b, true);
    }
  }
  bool is_everything() const { return m_bits.empty(); }
  bool operator()(std::size_t query, id_type id) const { return is_everything() || m_bits[query % m_bits.size()][id]; }
  const std::vector<row_filter>& filters_for(const method& m) const { return m.by_callable ? m_callables : m_bitsets; }

 private:
  std::vector<std::vector<bool>> m_bits;
  std::vector<row_filter> m_bitsets, m_callables;
};

/// One method at one width.
struct contender {
  const method* by;
  std::size_t width;
  double recall;
  std::vector<double> times = {};
};

/// Each method at the last width below the target and at the first that reaches it.
std::vector<contender> around_target(const std::vector<method>& methods, const filter_case& passes, rows_view rows,
                                     const question& ask) {
  std::vector<contender> contenders;
  for (const method& m : methods) {
    if (passes.is_everything() && m.by_callable) continue;
    std::optional<contender> below;
    for (const std::size_t width : widths) {
      const contender at{&m, width, recall(*m.index, rows, ask, width, passes.filters_for(m), passes)};
      const bool is_there = at.recall >= target, is_last = width == std::end(widths)[-1];
      if (below && (is_there || is_last)) contenders.push_back(*below);
      if (is_there || is_last) contenders.push_back(at);
      if (is_there) break;
      below = at;
    }
  }
  return contenders;
}

/// In turns, so that a machine that slows down does so for all; slow ones drop out after a few rounds.
void time_searches(std::vector<contender>& contenders, const filter_case& passes,
                   const annulus::matrix<float>& queries) {
  constexpr std::size_t rounds = 7, slow_rounds = 3;
  constexpr double slow_seconds = 0.5;
  std::vector<id_type> ids(k);
  for (std::size_t round = 0; round < rounds; ++round)
    for (contender& c : contenders) {
      if (round >= slow_rounds && c.times.front() > slow_seconds) continue;
      const auto& filters = passes.filters_for(*c.by);
      const double start = seconds();
      for (std::size_t q = 0; q < queries.rows(); ++q)
        c.by->index->search(queries.row(q), ids, c.width, filters.empty() ? nullptr : &filters[q % filters.size()]);
      c.times.push_back(seconds() - start);
    }
  for (contender& c : contenders) std::ranges::sort(c.times);
}

}  // namespace

void compare_filtered(const dataset& data, bool quick) {
  const rows_view rows = rows_view(data.rows).middle_rows(0, quick ? data.rows.rows() / 10 : data.rows.rows());
  const annulus::matrix<float> queries = sample_of(data.queries, quick ? 50 : 200);
  const cells by(rows);
  const std::vector<method> methods = built_methods(data, rows);

  const auto compare_case = [&](const std::string& what, std::vector<std::vector<bool>> bits) {
    const filter_case passes(std::move(bits));
    const question ask(metric::sqeuclidean, rows, queries, k, passes);
    std::vector<contender> contenders = around_target(methods, passes, rows, ask);
    time_searches(contenders, passes, queries);
    for (const contender& c : contenders)
      print_record({{"comparison", "filtered search"},
                    {"dataset", data.name},
                    {"passing", what},
                    {"method", c.by->name},
                    {"n", rows.rows()},
                    {"k", k},
                    {"width", c.width},
                    {"recall", c.recall},
                    {"n_queries", queries.rows()},
                    {"cpu_seconds", c.times[c.times.size() / 2]}});
  };
  compare_case("all", {});
  for (const passing kind : {passing::at_random, passing::nearest_cells, passing::farthest_cells})
    for (const int percent : {1, 10, 50})
      compare_case(std::to_string(percent) + " % " + names[static_cast<std::size_t>(kind)],
                   bits_of(kind, percent / 100.0, rows.rows(), queries, by));
}

}  // namespace compare
