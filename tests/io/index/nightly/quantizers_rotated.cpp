#include <annulus/quantization/optimized_product_quantizer.hpp>

#include "io/index_damage.hpp"
#include "io/index_samples.hpp"
#include "quantization/random_rows.hpp"

using namespace annulus;

namespace {

using quantizer = product_quantizer<std::uint8_t>;
using rotated_quantizer = optimized_product_quantizer<std::uint8_t>;
constexpr std::size_t n = 150, d = 6, m = 3;

const matrix<float>& rows() {
  static const auto made = random_rows(n, d, 1);
  return made;
}

quantizer fitted(std::size_t ks) { return quantizer(m, ks).fit(rows(), {.iter = 2}); }

}  // namespace

TEST_CASE("an optimized_product_quantizer is the same from its file, fitted or not", "[index_file]") {
  const scratch_folder folder;
  const rotated_quantizer unfitted(m, 11);
  save(unfitted, folder / "index");
  CHECK(load_index<rotated_quantizer>(folder / "index") == unfitted);
  auto rotation = detail::identity(d);  // in the plane of the first and the last coordinate
  rotation(0, 0) = rotation(d - 1, d - 1) = 0.6f;
  rotation(0, d - 1) = -0.8f;
  rotation(d - 1, 0) = 0.8f;
  const rotated_quantizer original(rotation, fitted(11));
  save(original, folder / "index");
  const auto loaded = load_index<rotated_quantizer>(folder / "index");
  CHECK(loaded == original);
  CHECK(loaded.rotation()(0, d - 1) == -0.8f);
  CHECK(loaded.encode(rows()) == original.encode(rows()));
  CHECK(map_index<rotated_quantizer>(folder / "index") == original);
}

TEST_CASE("an optimized_product_quantizer is not read from another's file", "[index_file]") {
  const scratch_folder folder;
  save(fitted(11), folder / "index");
  CHECK(complaint_of_load<rotated_quantizer>(folder / "index") ==
        "this is a product_quantizer, not the optimized_product_quantizer asked for");
}

TEST_CASE("an optimized_product_quantizer whose matrix is no rotation is refused", "[index_file]") {
  CHECK_THAT(complaint_after(rotated_quantizer(detail::identity(d), fitted(11)),
                             [](edited_index& e) { e.values<float>("rotation")[1] = 0.5f; }),
             ContainsSubstring("orthonormal"));
}

TEST_CASE("a flipped bit of an optimized_product_quantizer is noticed wherever it is", "[index_file]") {
  CHECK(refuses_flips(rotated_quantizer(detail::identity(d), fitted(3)),
                      [](const rotated_quantizer& q) { q.encode(rows(), {.threads = 1}); }));
}

TEST_CASE("an optimized_product_quantizer of format version 1 is read", "[index_file]") {
  const auto rows = sample_rows(60, 6, 1), query = sample_rows(1, 6, 2);
  const auto rotated = map_index<rotated_quantizer>(sample_file("optimized_product_quantizer"));
  CHECK(rotated.rotation()(0, 0) == Approx(0.473691821));
  CHECK(rotated.search(rotated.encode(rows), query, 4).ids(0, 3) == 20);
}

TEST_CASE("an optimized_product_quantizer of format version 2 is read", "[index_file]") {
  const auto rotated = load_index<rotated_quantizer>(sample_file("optimized_product_quantizer", 2));
  const auto found = rotated.search(rotated.encode(sample_rows(60, 6, 1)), sample_rows(1, 6, 2), 4);
  CHECK(std::ranges::equal(found.ids.row(0), std::vector<id_type>{45, 46, 30, 23}));
  CHECK(found.distances(0, 3) == Approx(21.6956).epsilon(1e-4));
}
