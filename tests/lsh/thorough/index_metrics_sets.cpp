#include <annulus/lsh/families/bit_sampling.hpp>
#include <annulus/lsh/families/minhash.hpp>

#include "catch.hpp"
#include "lsh/planted.hpp"
#include "message_of.hpp"

using namespace annulus;

TEST_CASE("bit sampling finds the rows planted by the number of bits", "[lsh][lsh_index]") {
  const auto rows = lsh_tests::bit_clusters(1000, 16, 1000, 5);
  auto queries = lsh_tests::rows_between(rows, 0, 30);
  const counter_random random(8);
  for (std::size_t i = 0; i < 30; ++i)
    for (std::size_t b = 0; b < 10; ++b) {
      const std::size_t bit = random.below(10 * i + b, 128);
      queries(i, bit / 8) = static_cast<std::uint8_t>(queries(i, bit / 8) ^ 1u << bit % 8);
    }
  lsh_tests::check_planted<bit_hamming>(lsh_tests::planted_points<matrix<std::uint8_t>>{rows, queries}, bit_sampling{},
                                        {.n_projections = 9, .n_tables = 10});
}

TEST_CASE("a matrix of bits is indexed as its rows of bytes", "[lsh][lsh_index]") {
  bit_matrix bits(200, 77);
  const counter_random random(3);
  for (std::size_t i = 0; i < 200; ++i)
    for (std::size_t b = 0; b < 77; ++b) bits.set(i, b, random.below(100 * i + b, 2) == 1);
  const lsh_index index(bits, bit_sampling{.bits = 77}, {.n_projections = 6, .n_tables = 3});
  CHECK(std::is_same_v<decltype(index), const lsh_index<matrix<std::uint8_t>, bit_sampling>>);
  const matrix<std::uint8_t>& rows = bits.bytes();
  CHECK(
      lsh_tests::same_bits(index.search(rows, 5, {.n_probes = 3 * 64}), lsh_tests::exact<bit_hamming>(rows, rows, 5)));
}

TEST_CASE("min-wise hashing finds the sets planted by Jaccard distance", "[lsh][lsh_index]") {
  const auto rows = lsh_tests::set_clusters(1000, 1000, 5);
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  const counter_random random(9);
  for (std::size_t i = 0; i < 30; ++i) {
    for (const std::int32_t member : rows.row(i).indices)
      if (random.below(static_cast<std::size_t>(member) + 1000 * i, 8) != 0) indices.push_back(member);
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  const std::vector<float> values(indices.size(), -3);
  const csr_matrix<float> queries(indptr, indices, values, 1000);
  lsh_tests::check_planted<jaccard>(lsh_tests::planted_points<csr_matrix<float>>{rows, queries}, minhash{},
                                    {.n_projections = 4, .n_tables = 10});
}

TEST_CASE("empty sets find each other", "[lsh][lsh_index]") {
  const csr_matrix<float> sets({0, 0, 2, 2, 5}, {1, 5, 2, 3, 4}, std::vector<float>(5, 1), 9);
  const lsh_index index(sets, minhash{}, {.n_projections = 3, .n_tables = 4});
  CHECK(std::is_same_v<decltype(index), const lsh_index<csr_matrix<float>, minhash>>);
  const auto found = index.search(lsh_tests::rows_between(sets, 0, 1), 3);
  CHECK(std::ranges::equal(found.ids.row(0), std::vector<id_type>{0, 2, no_id}));
  CHECK(found.distances(0, 1) == 0);
}

TEST_CASE("sets are found for a recall target though few buckets can be named", "[lsh][lsh_index]") {
  const lsh_tests::split data(lsh_tests::set_clusters(620, 30, 3), 20);
  const lsh_index index(data.rows, minhash{}, {.n_projections = 5, .n_tables = 3});
  const auto truth = lsh_tests::exact<jaccard>(data.rows, data.queries, 5);
  const auto found = index.search(data.queries, 5, {.recall_target = 0.9});
  CHECK(lsh_tests::well_formed(found));
  CHECK(recall(found, truth, 5) >= 0.85);
}

TEST_CASE("sets of another number of possible members are refused", "[lsh][lsh_index]") {
  const csr_matrix<float> sets({0, 2}, {1, 5}, {1, 1}, 9), others({0, 2}, {1, 5}, {1, 1}, 10);
  lsh_index index(sets, minhash{});
  CHECK_THAT(message_of([&] { index.search(others, 1); }), ContainsSubstring("dimension = 10"));
  CHECK_THAT(message_of([&] { index.insert(others); }), ContainsSubstring("dimension = 10"));
  CHECK_THAT(message_of([&] { index.update(0, others); }), ContainsSubstring("dimension = 10"));
}

TEST_CASE("a bit_matrix tells bit_sampling how many bits its rows have", "[lsh_index]") {
  const bit_matrix rows(30, 19);
  CHECK(lsh_index(rows, bit_sampling{}, {.n_projections = 8, .n_tables = 2}).family().bits == 19);
  CHECK(lsh_index(rows, bit_sampling{20}, {.n_projections = 8, .n_tables = 2}).family().bits == 20);
  CHECK(lsh_index(rows.bytes(), bit_sampling{}, {.n_projections = 8, .n_tables = 2}).family().bits == 0);
}
