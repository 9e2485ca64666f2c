#include <annulus/io/index/index_file.hpp>
#include <annulus/nndescent/index.hpp>
#include <annulus/quantization/fast_scan.hpp>

#include <atomic>
#include <thread>

#include "io/scratch.hpp"
#include "quantization/random_rows.hpp"

using namespace annulus;

namespace {

const matrix<float>& rows() {
  static const auto made = random_rows(300, 8, 1);
  return made;
}
const matrix<float>& queries() {
  static const auto made = random_rows(50, 8, 2);
  return made;
}

/// How many answers of four threads that search(t) at once are not `expected`.
template <class Search>
std::size_t n_wrong(const neighbors& expected, Search search) {
  std::atomic<std::size_t> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (std::size_t i = 0; i < 3; ++i) wrong += !(search(t) == expected);
      });
  }
  return wrong;
}

}  // namespace

TEST_CASE("several threads search one mapped index at once, each as if alone", "[index_file]") {
  const scratch_folder folder;
  using index_type = nndescent_index<matrix<float>>;
  const index_type index(rows(), {}, {.n_neighbors = 8, .threads = 1});
  save(index, folder / "file");
  const auto mapped = map_index<index_type>(folder / "file");
  const auto expected = index.search(queries(), 5, {.threads = 1});
  CHECK(n_wrong(expected, [&](std::size_t t) { return mapped.search(queries(), 5, {.threads = 1 + t % 2}); }) == 0);
  CHECK(n_wrong(expected, [&](std::size_t) {
          return map_index<index_type>(folder / "file").search(queries(), 5, {.threads = 1});
        }) == 0);
}

TEST_CASE("a thread that changes its own map of an index disturbs no other", "[index_file]") {
  const scratch_folder folder;
  using index_type = nndescent_index<matrix<float>>;
  save(index_type(rows(), {}, {.n_neighbors = 8, .threads = 1}), folder / "file");
  const auto expected = load_index<index_type>(folder / "file").search(queries(), 5, {.threads = 1});
  CHECK(n_wrong(expected, [&](std::size_t t) {
          auto own = map_index<index_type>(folder / "file");
          const auto found = own.search(queries(), 5, {.threads = 1});
          for (std::size_t i = 0; i < 20; ++i) own.erase(static_cast<id_type>(7 * i + t));
          own.insert(queries());
          return found;
        }) == 0);
}

TEST_CASE("several threads search one index of codes at once, each as if alone", "[fast_scan]") {
  for (const std::size_t ks : {16u, 40u}) {
    product_quantizer<> quantizer(4, ks);
    quantizer.fit(rows(), {.iter = 3, .threads = 1});
    const fast_scan_index<> index(std::move(quantizer), rows(), {.threads = 1});
    const auto expected = index.search(queries(), 5, {.threads = 1});
    CHECK(n_wrong(expected, [&](std::size_t t) { return index.search(queries(), 5, {.threads = 1 + t % 2}); }) == 0);
  }
}

TEST_CASE("threads that save one index to one file leave it whole", "[index_file]") {
  const scratch_folder folder;
  product_quantizer<> quantizer(4, 16);
  quantizer.fit(rows(), {.iter = 3, .threads = 1});
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (std::size_t i = 0; i < 5; ++i) save(quantizer, folder / "file");
      });
  }
  CHECK(load_index<product_quantizer<>>(folder / "file").codewords() == quantizer.codewords());
  CHECK(folder.n_files() == 1);
}
