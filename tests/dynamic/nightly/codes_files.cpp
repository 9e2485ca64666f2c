// Damaged files of codes with what is kept beside them.

#include <annulus/dynamic/engine/pq_index.hpp>
#include <annulus/dynamic/engine/ranked_codes.hpp>

#include "io/index_damage.hpp"
#include "quantization/random_rows.hpp"

using namespace annulus;
using detail::pq_index;
using detail::ranked_codes;

namespace {

using quantizer = product_quantizer<std::uint8_t>;
constexpr std::size_t d = 4;

quantizer fitted(std::size_t n, std::size_t ks) {
  return quantizer(2, ks, pq_metric::sqeuclidean).fit(random_rows(n, d, 1), {.iter = 2});
}
ranked_codes<pq_index<quantizer>> pq_of(std::size_t n, std::size_t ks, bool keep_rows) {
  const auto rows = random_rows(n, d, 1);
  return {pq_index<quantizer>(fitted(n, ks), rows), rows, keep_rows, true};
}
ranked_codes<fast_scan_index<>> fast_scan_of(std::size_t n, std::size_t ks) {
  const auto rows = random_rows(n, d, 1);
  return {fast_scan_index<>(fitted(n, ks), rows), rows, true, false};
}
ranked_codes<rabitq_index> rabitq_of(std::size_t n) {
  const auto rows = random_rows(n, d, 1);
  return {rabitq_index(rows, {.n_cells = 2}), rows, true, true};
}

/// A code that is not below ks, which a mapped index does not look for, is refused by the search.
const auto use = []<class Index>(const ranked_codes<Index>& codes) {
  if (codes.index().dim() != d) return;
  using params = std::conditional_t<ranked_codes<Index>::needs_rows, rabitq_search_params, fast_scan_params>;
  try {
    codes.search(random_rows(3, d, 2), 2, params{.k_factor = 2, .threads = 1});
  } catch (const std::invalid_argument&) {
  }
};

}  // namespace

TEST_CASE("what does not fit in a file of codes with rows is refused by name", "[dynamic][codes]") {
  const auto set = [](const char* key, const char* text) { return [=](edited_index& e) { e.set(key, text); }; };
  const auto pq = pq_of(50, 5, true);
  CHECK(complaint_after(pq, [](edited_index&) {}).empty());
  CHECK_THAT(complaint_after(pq, set("size", "51")), ContainsSubstring("tensor 'codes'"));
  CHECK_THAT(complaint_after(pq, set("rows.count", "51")), ContainsSubstring("tensor 'rows.values'"));
  CHECK_THAT(complaint_after(pq, [](edited_index& e) { e.values<std::uint8_t>("codes")[7] = 5; }),
             ContainsSubstring("row 3 is not below ks = 5"));
  CHECK_THAT(complaint_after(pq, [](edited_index& e) { e.values<float>("rows.values")[9] = std::nanf(""); }),
             ContainsSubstring("row 2 has a NaN"));
  CHECK(complaint_after(pq, set("keep_rows", "false")).empty());
  CHECK_THAT(complaint_after(rabitq_of(50), set("keep_rows", "false")), ContainsSubstring("without its rows"));
}

TEST_CASE("a corrupted file of codes with rows does no harm", "[dynamic][codes]") {
  use_corrupted(pq_of(60, 5, true), 40, use);
  use_corrupted(pq_of(60, 5, false), 40, use);
  use_corrupted(fast_scan_of(60, 5), 40, use);
  use_corrupted(rabitq_of(60), 40, use);
}

TEST_CASE("truncated files of codes with rows are refused, and flipped bits are noticed", "[dynamic][codes]") {
  CHECK(refuses_truncation(pq_of(6, 2, true), use));
  CHECK(refuses_flips(pq_of(6, 2, true), use));
  CHECK(refuses_flips(fast_scan_of(6, 2), use));
  CHECK(refuses_flips(rabitq_of(6), use));
}
