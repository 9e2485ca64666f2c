/// \file
/// What it costs that types are known at run time: annulus::dynamic beside the templates compiled with this program's
/// flags, on one thread, in turns; medians of processor time. Run it with the flags of a set of the library
/// (-march=x86-64-v3) for the cost of run-time types alone, with -march=native for that of one binary for all machines,
/// without any for what a plain build of the templates loses.
///
///     bench_dynamic [rounds]

#include <annulus/annulus.hpp>
#include <annulus/dynamic/dynamic_functions.hpp>
#include <annulus/dynamic/dynamic_index.hpp>

#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace {

double processor_time() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

template <class F>
double seconds_of(F f) {
  const double start = processor_time();
  f();
  return processor_time() - start;
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

/// Rows near a surface of 12 dimensions.
annulus::matrix<float> near_a_surface(std::size_t n, std::size_t d, std::uint64_t seed) {
  constexpr std::size_t latent = 12;
  const annulus::counter_random plane(7), random(seed);
  annulus::matrix<float> rows(n, d);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j) {
      double sum = 0.05 * random.normal(i * (d + latent) + latent + j);
      for (std::size_t l = 0; l < latent; ++l) sum += plane.normal(l * d + j) * random.normal(i * (d + latent) + l);
      rows(i, j) = static_cast<float>(sum);
    }
  return rows;
}

int rounds = 15;

/// Both in turns; `unit` is how many operations one call makes.
template <class Template, class Dynamic>
void compare(const char* what, double unit, Template by_template, Dynamic by_dynamic) {
  by_template();
  by_dynamic();
  std::vector<double> theirs, ours;
  for (int round = 0; round < rounds; ++round) {
    theirs.push_back(seconds_of(by_template));
    ours.push_back(seconds_of(by_dynamic));
  }
  const double expected = median(theirs) / unit, found = median(ours) / unit;
  std::printf("| %s | %.2f | %.2f | %+.2f | %.3f |\n", what, 1e6 * expected, 1e6 * found, 1e6 * (found - expected),
              found / expected);
  std::fflush(stdout);
}

/// A graph index, searched by a batch of queries and by each alone.
template <class Storage>
void compare_graphs(const std::string& name, const char* storage, const annulus::matrix<float>& rows,
                    const annulus::matrix<float>& queries, Storage kept) {
  using namespace annulus;
  constexpr std::size_t k = 10;
  const nndescent_index index(rows, euclidean(), {.threads = 2}, kept);
  const any_rows asked(queries);
  const dynamic_index own = dynamic_index::build(any_rows(rows), {.storage = storage, .threads = 2});
  const auto unit = static_cast<double>(queries.rows());
  compare((name + ", a batch").c_str(), unit, [&] { return index.search(queries, k, {.beam = 64, .threads = 1}); },
          [&] { return own.search(asked, k, {.threads = 1, .beam = 64}); });
  auto scratch = index.make_scratch();
  std::vector<id_type> ids(k);
  std::vector<float> distances(k);
  compare((name + ", queries alone").c_str(), unit,
          [&] {
            for (std::size_t i = 0; i < queries.rows(); ++i)
              index.search(queries.row(i), ids, distances, scratch, {.beam = 64});
          },
          [&] {
            for (std::size_t i = 0; i < queries.rows(); ++i)
              own.search(any_rows(dtype::f32, queries.row(i).data(), 1, queries.cols()), k, ids, distances,
                         {.beam = 64});
          });
}

}  // namespace

int main(int argc, char** argv) {
  using namespace annulus;
  if (argc > 1) rounds = std::max(1, std::atoi(argv[1]));
  constexpr std::size_t n = 50'000, m = 1'000, d = 96, k = 10;
  const matrix<float> rows = near_a_surface(n, d, 1), queries = near_a_surface(m, d, 2);
  const any_rows any(rows), asked(queries);
  std::printf("annulus::dynamic by %s, %d rounds\n\n", annulus_instruction_set(), rounds);
  std::printf("| what | template, us a query | dynamic | difference | ratio |\n| --- | --- | --- | --- | --- |\n");

  compare(
      "knn, a batch", m, [&] { return knn(rows, queries, k, euclidean(), {.threads = 1}); },
      [&] { return dynamic_knn(any, asked, k, {.metric = "euclidean"}, {.threads = 1}); });
  compare(
      "knn by manhattan, a batch", m, [&] { return knn(rows, queries, k, manhattan(), {.threads = 1}); },
      [&] { return dynamic_knn(any, asked, k, {.metric = "manhattan"}, {.threads = 1}); });

  compare_graphs("nndescent full_precision", "full_precision", rows, queries, full_precision{});
  compare_graphs("nndescent sq8", "sq8", rows, queries, sq8{});
  compare_graphs("nndescent rabitq+sq8", "rabitq+sq8", rows, queries, rabitq<sq8>{});
  // Few short rows, where what a call costs beside its search shows.
  const matrix<float> few = near_a_surface(1'000, 16, 4), few_queries = near_a_surface(m, 16, 5);
  compare_graphs("nndescent of 1,000 x 16", "full_precision", few, few_queries, full_precision{});

  for (const std::size_t ks : {std::size_t{16}, std::size_t{256}}) {
    const auto quantizer = product_quantizer<std::uint8_t>(24, ks).fit(rows);
    const std::string bits = ks == 16 ? ", 4 bits" : ", 8 bits";
    const auto spec_of = [&](const char* kind) {
      return index_spec{.kind = kind, .metric = "sqeuclidean", .m = 24, .ks = ks};
    };
    const fast_scan_index<> index(quantizer, rows);
    const dynamic_index own = dynamic_index::build(any, spec_of("fast_scan"));
    compare(("fast scan" + bits).c_str(), m, [&] { return index.search(queries, k, {.threads = 1}); },
            [&] { return own.search(asked, k, {.threads = 1}); });
    const matrix<std::uint8_t> codes = quantizer.encode(rows);
    const dynamic_index own_codes = dynamic_index::build(any, spec_of("pq"));
    compare(("quantiser's search" + bits).c_str(), m,
            [&] { return quantizer.search(codes, queries, k, {.threads = 1}); },
            [&] { return own_codes.search(asked, k, {.threads = 1}); });
  }

  constexpr std::size_t some = 10'000;
  const matrix_view<float> first(rows.data(), some, d);
  compare(
      "k-NN graph of 10,000, a row", some, [&] { return build_knn_graph(first, euclidean(), {.threads = 1}); },
      [&] { return dynamic_knn_graph(any_rows(first), 30, {.threads = 1}); });

  const matrix<float> operand = near_a_surface(64, 20'000, 3);
  const any_rows any_operand(operand);
  compare(
      "approximate top-10 of 20,000", 64, [&] { return approx_min_k(operand, k, {.threads = 1}); },
      [&] { return dynamic_approx_min_k(any_operand, k, {.threads = 1}); });
}
