#include <annulus/core/base/random.hpp>
#include <annulus/core/metric/set_metrics.hpp>
#include <annulus/core/result/recall.hpp>
#include <annulus/knn/sparse_knn.hpp>
#include <annulus/nndescent/index.hpp>

#include "parts.hpp"
#include "trial.hpp"

namespace compare {
namespace {

using annulus::counter_random;
using rows_type = annulus::matrix<float>;

constexpr std::size_t n_asked = 200;

rows_type normal_rows(std::size_t n, std::size_t dim, std::uint64_t seed, double spread = 1) {
  const counter_random random(seed);
  rows_type rows(n, dim);
  for (std::size_t i = 0; i < n * dim; ++i) rows.data()[i] = static_cast<float>(spread * random.normal(i));
  return rows;
}

/// Row i is of group i % n_groups: its centre, plus `spread` of the distance between centres.
rows_type grouped_rows(std::size_t n, std::size_t n_groups, std::size_t dim, double spread, std::uint64_t seed) {
  const rows_type centres = normal_rows(n_groups, dim, seed);
  rows_type rows = normal_rows(n, dim, seed + 1, spread);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < dim; ++j) rows(i, j) += centres(i % n_groups, j);
  return rows;
}

/// Rows first, first + step, ...
rows_type every(rows_view rows, std::size_t first, std::size_t step) {
  rows_type some((rows.rows() - first + step - 1) / step, rows.cols());
  for (std::size_t i = 0; i < some.rows(); ++i) std::ranges::copy(rows.row(first + i * step), some.row(i).begin());
  return some;
}

void erase_group_and_insert_again(trial& t, std::size_t n, std::size_t n_groups) {
  const rows_type rows = grouped_rows(n, n_groups, 16, 0.1, 1), group = every(rows, 0, n_groups);
  t.build(rows);
  for (id_type i = 0; i < n; i += static_cast<id_type>(n_groups)) t.erase(i);
  t.insert(group);
  t.ask("own row", sample_of(group, n_asked), 1);
  t.ask("10 nearest", sample_of(group, n_asked), 10);
}

void ask_outside_own_group(trial& t) {
  constexpr std::size_t n_groups = 20;
  const rows_type rows = grouped_rows(40'000, n_groups, 16, 0.1, 2);
  t.build(rows);
  // Query q, a row of the index, is of group q % n_groups.
  rows_type queries(n_asked, 16);
  for (std::size_t q = 0; q < n_asked; ++q) std::ranges::copy(rows.row(q), queries.row(q).begin());
  const auto other_group = [](std::size_t q, id_type id) { return id % n_groups != q % n_groups; };
  for (const std::size_t k : {1, 3, 10}) t.ask(std::to_string(k) + " nearest", queries, k, other_group);
}

void ask_among_erased(trial& t) {
  constexpr std::size_t n_groups = 20;
  const rows_type rows = grouped_rows(40'000, n_groups, 16, 0.1, 3);
  t.build(rows);
  for (id_type i = 0; i < rows.rows(); i += n_groups) t.erase(i);
  const rows_type erased = every(rows, 0, n_groups);
  for (const std::size_t k : {1, 10}) t.ask(std::to_string(k) + " nearest", sample_of(erased, n_asked), k);
}

void ask_groups_of_20(trial& t, double width, std::uint64_t seed) {
  const rows_type rows = grouped_rows(10'000, 500, 32, width, seed);
  t.build(rows);
  t.ask("own row", sample_of(rows, n_asked), 1);
  t.ask("20 nearest", sample_of(rows, n_asked), 20);
}
void near_duplicates(trial& t) { ask_groups_of_20(t, 0.003, 4); }
void equal_rows(trial& t) { ask_groups_of_20(t, 0, 8); }

/// 100 topics of 20 documents of 20 chunks, each level a twentieth as wide as the one above.
void nested_chunks(trial& t) {
  constexpr std::size_t n = 40'000, dim = 32, n_topics = 100, n_documents = 2000;
  const rows_type topics = normal_rows(n_topics, dim, 5), documents = normal_rows(n_documents, dim, 6, 0.05);
  rows_type rows = normal_rows(n, dim, 7, 0.0025);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < dim; ++j) rows(i, j) += topics(i % n_topics, j) + documents(i % n_documents, j);
  t.build(rows);
  t.ask("own row", sample_of(rows, n_asked), 1);
  t.ask("10 nearest", sample_of(rows, n_asked), 10);
}

void few_values(trial& t) {
  rows_type ages(20'000, 1), queries(101, 1);
  const counter_random random(9);
  for (std::size_t i = 0; i < ages.rows(); ++i) ages(i, 0) = static_cast<float>(random.below(i, 101));
  for (std::size_t i = 0; i < queries.rows(); ++i) queries(i, 0) = static_cast<float>(i);
  t.build(ages);
  for (const std::size_t k : {10, 300}) t.ask(std::to_string(k) + " nearest", queries, k);
}

void insert_into_empty(trial& t, bool by_group) {
  constexpr std::size_t n = 10'000, n_groups = 20;
  const rows_type rows = grouped_rows(n, n_groups, 16, 0.1, 10);
  t.build(rows_view(rows).middle_rows(0, 0));
  if (by_group)
    for (std::size_t g = 0; g < n_groups; ++g) t.insert(every(rows, g, n_groups));
  else
    for (std::size_t i = 0; i < n; i += 500) t.insert(rows_view(rows).middle_rows(i, 500));
  t.ask("own row", sample_of(rows, n_asked), 1);
  t.ask("10 nearest", sample_of(rows, n_asked), 10);
}

void insert_far_rows(trial& t) {
  const rows_type near = grouped_rows(3000, 1, 16, 0.001, 11), far = normal_rows(20, 16, 12, 10);
  t.build(rows_view(near).middle_rows(0, 0));
  t.insert(near);
  t.insert(far);
  t.ask("own row, of the far", far, 1);
  t.ask("own row, of the near", sample_of(near, n_asked), 1);
}

void slide_window(trial& t, std::size_t steps) {
  constexpr std::size_t n = 1000;
  // An index that keeps all erased rows gets ever slower.
  if (t.method() == "hnswlib") steps = std::min<std::size_t>(steps, 20'000);
  const rows_type rows = normal_rows(n + steps, 8, 13);
  const auto at = [&](std::size_t i) { return rows_view(rows).middle_rows(i, 1); };
  t.reserve(rows.rows());
  t.build(rows_view(rows).middle_rows(0, n));
  const std::size_t before = resident_bytes();
  for (std::size_t i = 0; i < steps; ++i) {
    t.insert(at(n + i));
    t.erase(static_cast<id_type>(i));
  }
  const std::size_t after = resident_bytes();
  print_record({{"comparison", "situation memory"},
                {"situation", t.situation()},
                {"method", t.method()},
                {"steps", steps},
                {"grown_bytes", after > before ? after - before : 0}});
  t.ask("own row", sample_of(rows_view(rows).middle_rows(steps, n), n_asked), 1);
  t.ask("10 nearest", sample_of(rows_view(rows).middle_rows(steps, n), n_asked), 10);
}

/// As coordinates in metres, or moments in seconds, beside others.
void one_column_far_from_0(trial& t) {
  const auto far = [](std::size_t n, std::uint64_t seed) {
    rows_type rows = normal_rows(n, 16, seed);
    for (std::size_t i = 0; i < n; ++i) rows(i, 0) = -3.2e7f + 8 * rows(i, 0);
    return rows;
  };
  t.build(far(10'000, 14));
  t.ask("10 nearest", far(n_asked, 15), 10);
}

void many_updates(trial& t, std::size_t count) {
  constexpr std::size_t n = 2000, dim = 16;
  const rows_type first = normal_rows(n, dim, 16), later = normal_rows(count, dim, 17);
  const counter_random random(18);
  t.build(first);
  for (std::size_t i = 0; i < count; ++i) t.update(static_cast<id_type>(random.below(i, n)), later.row(i));
  t.ask("10 nearest", normal_rows(n_asked, dim, 19), 10);
}

void heavy_tailed_products(trial& t) {
  const auto rows_of = [](std::size_t n, std::uint64_t seed) {
    rows_type rows = normal_rows(n, 32, seed);
    const counter_random random(seed + 1);
    for (std::size_t i = 0; i < n; ++i)
      for (float& x : rows.row(i)) x *= static_cast<float>(std::exp(random.normal(i)));
    return rows;
  };
  t.build(rows_of(8326, 20));
  for (const std::size_t k : {10, 890}) t.ask(std::to_string(k) + " nearest", rows_of(n_asked, 22), k);
}

/// As texts that ask for images: both near a plane, each near its own.
void queries_of_another_kind(trial& t) {
  const auto cone = [](std::size_t n, std::uint64_t axis_seed, std::uint64_t seed) {
    const rows_type axis = normal_rows(1, 64, axis_seed);
    rows_type rows = normal_rows(n, 64, seed, 0.5);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < 64; ++j) rows(i, j) += axis(0, j);
    return rows;
  };
  t.build(cone(20'000, 24, 25));
  t.ask("10 nearest", cone(n_asked, 26, 27), 10);
}

/// Sets of 10 among 1,000 members on average, which no peer takes.
void sparse_sets() {
  constexpr std::size_t n = 10'000, dim = 1000, k = 10;
  const auto sets = [](std::size_t count, std::uint64_t seed) {
    const counter_random random(seed);
    std::vector<std::int64_t> indptr{0};
    std::vector<std::int32_t> indices;
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < dim; ++j)
        if (random.uniform(i * dim + j) < 0.01) indices.push_back(static_cast<std::int32_t>(j));
      indptr.push_back(static_cast<std::int64_t>(indices.size()));
    }
    return annulus::csr_matrix<float>(std::move(indptr), std::move(indices), dim);
  };
  const auto rows = sets(n, 28), queries = sets(n_asked, 29);
  const annulus::nndescent_index index(rows, annulus::jaccard{});
  const auto truth = annulus::knn(rows, queries, k, annulus::jaccard{});
  for (const std::size_t width : trial::widths)
    print_record({{"comparison", "situation"},
                  {"situation", "sparse 0/1 rows, Jaccard"},
                  {"question", "10 nearest"},
                  {"method", "annulus"},
                  {"k", k},
                  {"width", width},
                  {"recall", annulus::recall(index.search(queries, k, {.beam = width}), truth, k)}});
}

struct situation {
  std::string name;
  std::size_t dim;
  std::function<void(trial&)> run;
  metric measured_by = metric::sqeuclidean;
  bool inserts_after_erasing = false;
};

void run_all(const situation& s) {
  const auto run = [&](const std::string& method, std::unique_ptr<graph_index> index) {
    trial t(s.name, method, s.measured_by, s.dim, std::move(index));
    const double start = seconds();
    s.run(t);
    std::cerr << s.name << ", " << method << ": " << seconds() - start << " s\n";
  };
  run("annulus", make_annulus(s.measured_by, storage::floats));
  run("annulus, sq8", make_annulus(s.measured_by, storage::sq8));
  run("hnswlib", make_hnswlib(s.measured_by, s.dim, false));
  if (s.inserts_after_erasing) run("hnswlib, places reused", make_hnswlib(s.measured_by, s.dim, true));
  run(usearch_name(), make_usearch(s.measured_by, s.dim, storage::floats));
}

}  // namespace

void compare_situations(bool quick) {
  const std::size_t steps = quick ? 20'000 : 200'000, updates = quick ? 4000 : 40'000;
  const auto again = [](std::size_t n, std::size_t n_groups) {
    return [n, n_groups](trial& t) { erase_group_and_insert_again(t, n, n_groups); };
  };
  const auto into_empty = [](bool by_group) { return [by_group](trial& t) { insert_into_empty(t, by_group); }; };
  const situation situations[] = {
      {"2,000 rows, a group of 200 erased and inserted again", 16, again(2000, 10), metric::sqeuclidean, true},
      {"10,000 rows, a group of 1,000 erased and inserted again", 16, again(10'000, 10), metric::sqeuclidean, true},
      {"filter: not my own group", 16, ask_outside_own_group},
      {"queries among erased rows", 16, ask_among_erased},
      {"groups of 20 near-duplicates", 32, near_duplicates},
      {"groups of 20 near-duplicates, cosine", 32, near_duplicates, metric::cosine},
      {"nested chunks", 32, nested_chunks},
      {"groups of 20 equal rows", 32, equal_rows},
      {"groups of 20 equal rows, cosine", 32, equal_rows, metric::cosine},
      {"ages from 0 to 100", 1, few_values},
      {"inserted group by group into an empty index", 16, into_empty(true)},
      {"inserted in random order into an empty index", 16, into_empty(false)},
      {"near-duplicates, then far rows, into an empty index", 16, insert_far_rows},
      {"sliding window", 8, [steps](trial& t) { slide_window(t, steps); }, metric::sqeuclidean, true},
      {"one column far from 0", 16, one_column_far_from_0},
      {"many updates", 16, [updates](trial& t) { many_updates(t, updates); }},
      {"inner products, log-normal norms", 32, heavy_tailed_products, metric::inner_product},
      {"queries of another kind, cosine", 64, queries_of_another_kind, metric::cosine},
  };
  for (const situation& s : situations) run_all(s);
  sparse_sets();
}

}  // namespace compare
