#include <annulus/quantization/product_quantizer.hpp>

#include "io/index_damage.hpp"
#include "io/index_samples.hpp"
#include "quantization/random_rows.hpp"

using namespace annulus;

namespace {

using quantizer = product_quantizer<std::uint8_t>;
constexpr std::size_t n = 150, d = 6, m = 3;

const matrix<float>& rows() {
  static const auto made = random_rows(n, d, 1);
  return made;
}
matrix<float> queries() { return random_rows(9, d, 2); }

quantizer fitted(std::size_t ks, pq_metric metric = pq_metric::sqeuclidean) {
  return quantizer(m, ks, metric).fit(rows(), {.iter = 2});
}

const auto encode = [](const auto& q) { q.encode(queries(), {.threads = 1}); };

}  // namespace

TEST_CASE("a product_quantizer is the same from its file in every metric, fitted or not", "[index_file]") {
  const scratch_folder folder;
  for (const pq_metric metric : {pq_metric::sqeuclidean, pq_metric::inner_product, pq_metric::cosine}) {
    const auto original = fitted(11, metric);
    save(original, folder / "index");
    const auto loaded = load_index<quantizer>(folder / "index"), mapped = map_index<quantizer>(folder / "index");
    CHECK(loaded == original);
    CHECK(mapped == original);
    CHECK(loaded.encode(rows()) == original.encode(rows()));
    CHECK(mapped.search(mapped.encode(rows()), queries(), 4) == original.search(original.encode(rows()), queries(), 4));
  }
  save(quantizer(2, 30, pq_metric::inner_product, pq_padding::zeros), folder / "index");
  auto loaded = load_index<quantizer>(folder / "index");
  CHECK(loaded.dim() == 0);
  CHECK(loaded.padding() == pq_padding::zeros);
  CHECK(loaded.fit(rows()) == quantizer(2, 30, pq_metric::inner_product, pq_padding::zeros).fit(rows()));
}

TEST_CASE("a product_quantizer with padding is the same from its file", "[index_file]") {
  const scratch_folder folder;
  const auto original = quantizer(4, 11, pq_metric::sqeuclidean, pq_padding::zeros).fit(rows());
  save(original, folder / "index");
  const auto loaded = load_index<quantizer>(folder / "index");
  CHECK(loaded == original);
  CHECK(loaded.dim() == d);
  CHECK(loaded.padding() == pq_padding::zeros);
}

TEST_CASE("a product_quantizer of another code is refused by name", "[index_file]") {
  const scratch_folder folder;
  save(fitted(11), folder / "index");
  CHECK(complaint_of_load<product_quantizer<std::uint16_t>>(folder / "index") ==
        "code is uint8, not the uint16 asked for");
}

TEST_CASE("a product_quantizer whose parts contradict each other is refused", "[index_file]") {
  const auto set = [](const char* key, const char* text) { return [=](edited_index& e) { e.set(key, text); }; };
  CHECK_THAT(complaint_after(fitted(11), set("ks", "12")), ContainsSubstring("does not have m * ks codewords"));
  CHECK_THAT(complaint_after(fitted(11), set("m", "2")), ContainsSubstring("codewords"));
  CHECK_THAT(complaint_after(fitted(11), set("m", "0")), ContainsSubstring("does not have m * ks codewords"));
  CHECK_THAT(complaint_after(fitted(11), set("ks", "18446744073709551615")), ContainsSubstring("codewords"));
  CHECK_THAT(complaint_after(fitted(11), set("dim", "8")), ContainsSubstring("dim = 8: must be m sub-vectors of 2"));
  CHECK_THAT(complaint_after(fitted(11), set("metric", "l3")),
             ContainsSubstring("metric is l3, which is not one of the known values"));
  CHECK_THAT(complaint_after(
                 fitted(11),
                 [](edited_index& e) { e.values<float>("codewords")[5] = std::numeric_limits<float>::infinity(); }),
             ContainsSubstring("codewords"));
}

TEST_CASE("a truncated product_quantizer is refused at every byte", "[index_file]") {
  CHECK(refuses_truncation(quantizer(1, 2).fit(rows()), encode));
}

TEST_CASE("a product_quantizer of format version 1 is read", "[index_file]") {
  const auto rows = sample_rows(60, 6, 1), query = sample_rows(1, 6, 2);
  const auto plain = load_index<quantizer>(sample_file("product_quantizer"));
  const auto found = plain.search(plain.encode(rows), query, 4);
  CHECK(std::ranges::equal(found.ids.row(0), std::vector<id_type>{23, 30, 26, 8}));
  CHECK(found.distances(0, 3) == Approx(24.1352997));
}

TEST_CASE("a product_quantizer of format version 2 is read", "[index_file]") {
  const auto plain = load_index<quantizer>(sample_file("product_quantizer", 2));
  const auto found = plain.search(plain.encode(sample_rows(60, 6, 1)), sample_rows(1, 6, 2), 4);
  CHECK(std::ranges::equal(found.ids.row(0), std::vector<id_type>{45, 46, 8, 49}));
  CHECK(found.distances(0, 3) == Approx(22.95));
}
