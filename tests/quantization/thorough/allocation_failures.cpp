#include <annulus/quantization/fast_scan.hpp>
#include <annulus/quantization/optimized_product_quantizer.hpp>

#include "catch.hpp"
#include "failing_allocations.hpp"
#include "quantization/random_rows.hpp"

using namespace annulus;

namespace {

using quantizer = product_quantizer<std::uint8_t>;

const matrix<float>& vectors() {
  static const auto made = random_rows(120, 8, 1);
  return made;
}
const matrix<float>& queries() {
  static const auto made = random_rows(9, 8, 2);
  return made;
}

void fit(quantizer& q, const matrix<float>& rows, std::size_t threads) { q.fit(rows, {.iter = 3, .threads = threads}); }
void fit(optimized_product_quantizer<>& q, const matrix<float>& rows, std::size_t threads) {
  q.fit(rows, {.rotation_iter = 2, .threads = threads});
}

template <class Quantizer = quantizer>
Quantizer fitted(std::size_t threads = 1) {
  Quantizer made(4, 16);
  fit(made, vectors(), threads);
  return made;
}

/// What a quantiser says of the queries.
const auto codes_of = [](const auto& q) { return q.encode(queries(), {.threads = 1}); };

/// Codes of 4 bits and of 8 bits are held and scanned in different ways.
const std::vector<fast_scan_index<>>& indexes() {
  static const std::vector<fast_scan_index<>> made = [] {
    quantizer wide(4, 40);
    wide.fit(vectors(), {.iter = 3, .threads = 1});
    return std::vector<fast_scan_index<>>{{fitted(), vectors(), {.threads = 1}},
                                          {std::move(wide), vectors(), {.threads = 1}}};
  }();
  return made;
}

}  // namespace

TEST_CASE("fit throws where an allocation fails", "[quantization][allocations]") {
  const auto result = allocations::fail_call([] { return codes_of(fitted()); }, 100) +
                      allocations::fail_call([] { return codes_of(fitted<optimized_product_quantizer<>>()); }, 100);
  CAPTURE(result);
  CHECK(result.is_clean());
}

TEST_CASE("fit throws or has fewer threads where an allocation fails", "[quantization][allocations]") {
  const auto result = allocations::fail_call([] { return codes_of(fitted(2)); }, 40);
  CAPTURE(result);
  CHECK(result.is_harmless());
}

TEST_CASE("a fitted quantiser is as before where an allocation of another fit fails", "[quantization][allocations]") {
  const auto other = random_rows(120, 12, 5);
  const auto refit = [&](auto& q) { fit(q, other, 1); };
  const auto answers = [&](const auto& q) { return q.encode(q.dim() == 12 ? other : queries(), {.threads = 1}); };
  const auto result = allocations::fail_change(fitted(), refit, answers, 100) +
                      allocations::fail_change(fitted<optimized_product_quantizer<>>(), refit, answers, 100);
  CAPTURE(result);
  CHECK(result.is_clean());
}

TEST_CASE("a search of codes throws wherever an allocation fails", "[quantization][allocations]") {
  const auto q = fitted();
  const auto codes = q.encode(vectors(), {.threads = 1});
  const auto result = allocations::fail_call([&] { return q.search(codes, queries(), 5, {.threads = 1}); });
  CAPTURE(result);
  CHECK(result.is_clean());
}

TEST_CASE("a fast scan throws wherever an allocation fails", "[quantization][allocations]") {
  for (const auto& index : indexes()) {
    const auto result =
        allocations::fail_call([&] { return index.search(queries(), 5, {.threads = 1}); }) +
        allocations::fail_call([&] { return index.search(queries(), 5, {.float_tables = true, .threads = 1}); }) +
        allocations::fail_call([&] { return index.search(queries(), 5, vectors(), {.threads = 1}); });
    CAPTURE(result);
    CHECK(result.is_clean());
  }
}

TEST_CASE("a fast scan throws or has fewer threads where an allocation fails", "[quantization][allocations]") {
  const auto many = random_rows(300, 8, 3);
  const auto search = [&] { return indexes()[0].search(many, 5, {.threads = 2}); };
  const auto result = allocations::fail_call(search, 40);
  CAPTURE(result);
  CHECK(result.is_harmless());
}

TEST_CASE("codes to scan are as before wherever an allocation of an insertion fails", "[quantization][allocations]") {
  const auto answers = [](const auto& index) {
    return std::pair(index.size(), index.search(queries(), 200, {.threads = 1}));
  };
  for (const auto& index : indexes()) {
    const auto result = allocations::fail_change(
        index, [](auto& changed) { changed.insert(queries(), {.threads = 1}); }, answers);
    CAPTURE(result);
    CHECK(result.is_clean());
  }
}
