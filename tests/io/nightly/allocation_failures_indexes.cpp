#include <annulus/io/index/index_file.hpp>
#include <annulus/lsh/families/sign_random_projection.hpp>
#include <annulus/lsh/index.hpp>
#include <annulus/nndescent/index.hpp>
#include <annulus/quantization/fast_scan.hpp>

#include "io/failing_files.hpp"
#include "quantization/random_rows.hpp"

using namespace annulus;

namespace {

using failing_files::path;
using failing_files::read_back;
using failing_files::replaced;

const matrix<float>& rows() {
  static const auto made = random_rows(60, 8, 1);
  return made;
}

/// An index of each kind, with rows that were added and erased since it was built.
using graph_index = nndescent_index<matrix<float>, euclidean, sq8>;
const graph_index& by_graph() {
  static const graph_index made = [] {
    graph_index index(rows(), {}, {.n_neighbors = 4, .threads = 1});
    index.insert(random_rows(3, 8, 2));
    index.erase(7);
    return index;
  }();
  return made;
}
using hash_index = lsh_index<matrix<float>, sign_random_projection>;
const hash_index& by_hashes() {
  static const hash_index made = [] {
    hash_index index(rows(), {}, {.n_projections = 4, .n_tables = 3, .threads = 1});
    index.insert(random_rows(3, 8, 2));
    index.erase(7);
    return index;
  }();
  return made;
}
const fast_scan_index<>& by_codes() {
  static const auto made = [] {
    product_quantizer<> quantizer(4, 8);
    quantizer.fit(rows(), {.iter = 1, .threads = 1});
    return fast_scan_index<>(std::move(quantizer), rows(), {.threads = 1});
  }();
  return made;
}

/// Most of what is allocated is for the header, as of small indexes, where each allocation is tried.
constexpr std::size_t some = 60;

template <class Index>
allocations::outcome saved(const Index& index) {
  return replaced([&](const path& p) { save(index, p); }, some);
}

/// Loads and maps the index; must answer as it does.
template <class Index>
allocations::outcome read(const Index& index) {
  const auto write = [&](const path& p) { save(index, p); };
  const auto answers = [](const Index& i) { return i.search(rows(), 3, {.threads = 1}); };
  return read_back(
             write, [&](const path& p) { return answers(load_index<Index>(p)); }, some) +
         read_back(
             write, [&](const path& p) { return answers(map_index<Index>(p)); }, some);
}

}  // namespace

TEST_CASE("a changed index replaces its file whole or throws wherever an allocation fails", "[io][allocations]") {
  const auto result = saved(by_graph()) + saved(by_hashes()) + saved(by_codes());
  CAPTURE(result);
  CHECK(result.is_clean());
}

TEST_CASE("a changed index is read and answers or throws wherever an allocation fails", "[io][allocations]") {
  const auto of_graph = read(by_graph()), of_hashes = read(by_hashes()), of_codes = read(by_codes());
  CAPTURE(of_graph, of_hashes, of_codes);
  CHECK(of_graph.is_clean());
  CHECK(of_hashes.is_clean());
  CHECK(of_codes.is_clean());
}
