/// \file
/// One build on so many threads, for a program that counts its instructions, which must not grow with their number:
///
///     valgrind --tool=cachegrind --cache-sim=no bench_threads graph 16
///
/// graph: build_knn_graph; index: nndescent_index; kmeans: 256 clusters; pq: a product_quantizer; lsh: an lsh_index;
/// of 20,000 rows of 32 floats. none makes the rows alone.

#include <annulus/annulus.hpp>

#include <cstdio>
#include <cstdlib>
#include <string_view>

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  const std::size_t threads = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1;
  annulus::matrix<float> rows(20000, 32);
  const annulus::counter_random random(1);
  for (std::size_t i = 0; i < rows.rows() * rows.cols(); ++i) rows.data()[i] = static_cast<float>(random.normal(i));

  if (what == "graph") annulus::build_knn_graph(rows, annulus::euclidean{}, {.threads = threads});
  else if (what == "index") annulus::nndescent_index(rows, annulus::euclidean{}, {.threads = threads});
  else if (what == "kmeans") annulus::kmeans(rows, 256, {.threads = threads});
  else if (what == "pq") annulus::product_quantizer(8).fit(rows, {.threads = threads});
  else if (what == "lsh")
    annulus::lsh_index(rows, annulus::cross_polytope{}, {.n_projections = 1, .n_tables = 10, .threads = threads});
  else if (what != "none") {
    std::fprintf(stderr, "usage: bench_threads graph|index|kmeans|pq|lsh|none [threads]\n");
    return 2;
  }
}
