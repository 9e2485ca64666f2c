#include <annulus/quantization/rabitq_index.hpp>
#include <annulus/quantization/rabitq_quantizer.hpp>

#include "io/index_damage.hpp"
#include "io/index_samples.hpp"
#include "quantization/random_rows.hpp"

using namespace annulus;

namespace {

constexpr std::size_t n = 150, d = 6;

const matrix<float>& rows() {
  static const auto made = random_rows(n, d, 1);
  return made;
}
matrix<float> queries() { return random_rows(9, d, 2); }

rabitq_index index_of(pq_metric metric, std::size_t dims = 0) {
  return rabitq_index(rows(), {.metric = metric, .bits = dims > 0 ? 4u : 1u, .code_dims = dims, .n_cells = 4});
}

const auto use = [](const rabitq_index& index) {
  if (index.dim() == d && index.size() == n) index.search(queries(), 5, rows(), {.k_factor = 3, .threads = 1});
};

}  // namespace

TEST_CASE("a rabitq_index answers from its file as it would have without", "[index_file]") {
  for (const pq_metric metric : {pq_metric::sqeuclidean, pq_metric::inner_product, pq_metric::cosine})
    for (const std::size_t dims : {0u, 3u}) {
      const rabitq_index index = index_of(metric, dims);
      const scratch_folder folder;
      save(index, folder / "index");
      const auto loaded = load_index<rabitq_index>(folder / "index"),
                 mapped = map_index<rabitq_index>(folder / "index");
      verify(mapped);
      verify_index_file(folder / "index");
      for (const auto* other : {&loaded, &mapped}) {
        CHECK(other->search(queries(), 5, rows(), {.k_factor = 3}) ==
              index.search(queries(), 5, rows(), {.k_factor = 3}));
        CHECK(other->metric() == metric);
        CHECK(other->bits() == index.bits());
        CHECK(other->code_dims() == index.code_dims());
        CHECK(other->n_cells() == 4);
      }
    }
}

TEST_CASE("an empty rabitq_index returns from its file", "[index_file]") {
  const scratch_folder folder;
  save(rabitq_index(matrix<float>(0, 3)), folder / "index");
  CHECK(load_index<rabitq_index>(folder / "index").dim() == 3);
}

TEST_CASE("what does not fit in a rabitq_index's file is refused by name", "[index_file]") {
  const rabitq_index index = index_of(pq_metric::sqeuclidean);
  const auto set = [](const char* key, const char* text) { return [=](edited_index& e) { e.set(key, text); }; };
  CHECK_THAT(complaint_after(index, set("metric", "l1")), ContainsSubstring("which is not one of the known values"));
  CHECK_THAT(complaint_after(index, set("dim", "7")), ContainsSubstring("of another size"));
  CHECK_THAT(complaint_after(index, set("size", "151")), ContainsSubstring("row 150 is missing"));
  CHECK_THAT(complaint_after(index, set("size", "149")), ContainsSubstring("cells: ids: too great or repeated"));
  CHECK_THAT(complaint_after(index, set("cells.n_cells", "3")), ContainsSubstring("cells.first_blocks"));
  CHECK_THAT(complaint_after(index, [](edited_index& e) { e.values<float>("map")[3] = std::nanf(""); }),
             ContainsSubstring("map or centroids: a NaN"));
  CHECK_THAT(complaint_after(index, [](edited_index& e) { e.values<float>("cells.slopes")[0] = std::nanf(""); }),
             ContainsSubstring("offsets or slopes"));
  CHECK_THAT(complaint_after(index, [](edited_index& e) { e.values<std::uint64_t>("cells.first_blocks")[1] = 1000; }),
             ContainsSubstring("first_blocks do not ascend"));
  use_corrupted(index, 60, use);
}

TEST_CASE("a truncated rabitq_index is refused at every byte, and a flipped bit is noticed", "[index_file]") {
  const rabitq_index index(random_rows(40, 3, 1), {.n_cells = 2});
  const auto search = [](const rabitq_index& i) {
    i.search(random_rows(2, 3, 2), 2, random_rows(40, 3, 1), {.k_factor = 2, .threads = 1});
  };
  CHECK(refuses_truncation(index, search));
  CHECK(refuses_flips(index, search));
}

TEST_CASE("a rabitq_quantizer encodes from its file as it would have without", "[index_file]") {
  const scratch_folder folder;
  for (const unsigned bits : {1u, 3u, 8u}) {
    const auto quantizer = rabitq_quantizer({.bits = bits, .seed = 5}).fit(rows());
    save(quantizer, folder / "codec");
    const auto loaded = load_index<rabitq_quantizer>(folder / "codec"),
               mapped = map_index<rabitq_quantizer>(folder / "codec");
    verify(mapped);
    CHECK(loaded == quantizer);
    CHECK(mapped == quantizer);
    CHECK(loaded.encode(queries()) == quantizer.encode(queries()));
    CHECK(mapped.decode(quantizer.encode(queries())) == quantizer.decode(quantizer.encode(queries())));
  }
  save(rabitq_quantizer({.bits = 2}), folder / "unfitted");
  CHECK(load_index<rabitq_quantizer>(folder / "unfitted") == rabitq_quantizer({.bits = 2}));
}

TEST_CASE("what does not fit in a rabitq_quantizer's file is refused by name", "[index_file]") {
  const auto quantizer = rabitq_quantizer({.bits = 2}).fit(rows());
  CHECK_THAT(complaint_after(quantizer, [](edited_index& e) { e.set("bits", "9"); }),
             ContainsSubstring("bits that are not from 1 to 8"));
  CHECK_THAT(complaint_after(quantizer, [](edited_index& e) { e.values<float>("centre")[1] = INFINITY; }),
             ContainsSubstring("centre: a NaN or an infinity"));
  CHECK(refuses_truncation(quantizer, [](const rabitq_quantizer& q) { q.encode(queries(), {.threads = 1}); }));
  CHECK(refuses_flips(quantizer, [](const rabitq_quantizer& q) { q.encode(queries(), {.threads = 1}); }));
}

TEST_CASE("a rabitq_index and a rabitq_quantizer of format version 2 are read", "[index_file]") {
  const auto query = sample_rows(1, d, 2);
  const auto index = load_index<rabitq_index>(sample_file("rabitq_index", 2));
  const auto found = index.search(query, 4, sample_rows(60, d, 1), {.k_factor = 15});
  CHECK(std::ranges::equal(found.ids.row(0), std::vector<id_type>{45, 46, 26, 39}));
  CHECK(found.distances(0, 3) == 26.8125f);
  const auto quantizer = load_index<rabitq_quantizer>(sample_file("rabitq_quantizer", 2));
  const auto decoded = quantizer.decode(quantizer.encode(query));
  CHECK(decoded(0, 2) == Approx(-2.45366).epsilon(1e-4));
}
