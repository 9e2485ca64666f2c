// lsh_model over rows of bits and sparse rows.

#include "dynamic/lsh_checks.hpp"
#include "lsh/indexes.hpp"

template struct annulus::detail::lsh_factory<annulus::matrix<std::uint8_t>>;
template struct annulus::detail::lsh_factory<annulus::matrix<Eigen::half>>;
template struct annulus::detail::lsh_factory<annulus::csr_matrix<float>>;
template struct annulus::detail::lsh_factory<annulus::csr_matrix<double>>;

using namespace dynamic_tests;

namespace {

/// Rows of 61 bits.
bit_matrix bit_rows(std::size_t n) {
  matrix<std::uint8_t> bytes = lsh_tests::bit_clusters(n, 8, 30, 3);
  for (std::size_t i = 0; i < n; ++i) bytes(i, 7) = static_cast<std::uint8_t>(bytes(i, 7) & 31u);
  return {std::move(bytes), 61};
}

template <class T>
sparse_rows<T> sets(std::size_t n) {
  const csr_matrix<float> rows = lsh_tests::set_clusters(n, 30, 3);
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  for (std::size_t i = 0; i < n; ++i) {
    const auto members = rows.row(i).indices;
    indices.insert(indices.end(), members.begin(), members.end());
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  std::vector<T> values(indices.size(), T(1));
  return {std::move(indptr), std::move(indices), std::move(values), rows.dim()};
}

auto build(const annulus_rows& rows, const option_list& options) {
  return with_options(options, [&](auto& reader) {
    return rows.layout == ANNULUS_CSR ? detail::lsh_factory<csr_matrix<float>>::build(rows, reader, {})
                                      : detail::lsh_factory<matrix<std::uint8_t>>::build(rows, reader, {});
  });
}

}  // namespace

TEST_CASE("an LSH index of bits or sets of run-time types answers as that of its types", "[dynamic][lsh]") {
  check_lsh<matrix<std::uint8_t>>(bit_sampling{.bits = 61}, {}, bit_rows(300), bit_rows(20), bit_rows(1), "bit_hamming",
                                  "rows of bits");
  const auto bytes = [](std::size_t n) { return lsh_tests::bit_clusters(n, 8, 30, 3); };
  check_lsh<matrix<std::uint8_t>>(bit_sampling{}, {}, bytes(300), bytes(20), bytes(1), "bit_hamming", "rows of uint8");
  check_lsh<csr_matrix<float>>(minhash{}, {}, sets<float>(300), sets<float>(20), sets<float>(1), "jaccard",
                               "sparse rows of float32");
  check_lsh<csr_matrix<double>>(minhash{}, {{"metric", "jaccard"}}, sets<double>(300), sets<double>(20),
                                sets<double>(1), "jaccard", "sparse rows of float64");
}

TEST_CASE("one sparse query is answered as in a batch, with values or without", "[dynamic][lsh]") {
  const auto rows = sets<float>(100), one = sets<float>(1);
  const auto model = build(given(rows), {});
  annulus_rows query = given(one);
  const neighbors all = search(*model, given(rows), 5), alone = search(*model, query, 5);
  CHECK(std::ranges::equal(alone.ids.row(0), all.ids.row(0)));
  CHECK(std::ranges::equal(alone.distances.row(0), all.distances.row(0)));
  query.data = nullptr;
  CHECK(search(*model, query, 5) == alone);
}

TEST_CASE("an LSH index of bits takes rows of as many bits only", "[dynamic][lsh]") {
  using Catch::Contains;
  const bit_matrix rows = bit_rows(50);
  const auto model = build(given(rows), {});
  annulus_rows wrong = given(rows);
  wrong.dim = 60;
  CHECK_THAT(message_of([&] { search(*model, wrong, 3); }), Contains("60 bits") && Contains("61"));
  matrix<std::uint8_t> bytes = rows.bytes();
  CHECK(search(*model, given(bytes), 3) == search(*model, given(rows), 3));
  bytes(4, 7) = 255;
  CHECK_THAT(message_of([&] { search(*model, given(bytes), 3); }), Contains("row 4") && Contains("clear it"));
  wrong = given(bytes);
  wrong.layout = ANNULUS_BITS;
  wrong.dim = 61;
  CHECK_THAT(message_of([&] { build(wrong, {}); }), Contains("row 4"));
}

TEST_CASE("an LSH index of bytes of which some bits are sampled is one of bytes", "[dynamic][lsh]") {
  const matrix<std::uint8_t> bytes = lsh_tests::bit_clusters(50, 8, 5, 3);
  const auto model = build(given(bytes), {{"bits", "20"}});
  CHECK(model->rows() == "rows of uint8");
  CHECK(model->dim() == 8);
  CHECK(search(*model, given(bytes), 3).ids(7, 0) == 7);
  CHECK_THAT(message_of([&] {
               build(given(bit_rows(50)), {{"bits", "20"}});
             }),
             Catch::Contains("bits = 20") && Catch::Contains("61"));
}

TEST_CASE("rows that no family hashes are refused with those that are", "[dynamic][lsh]") {
  const matrix<Eigen::half> rows(10, 4);
  const std::string message = message_of([&] {
    with_options(
        {}, [&](auto& reader) { return detail::lsh_factory<matrix<Eigen::half>>::build(given(rows), reader, {}); });
  });
  CHECK_THAT(message, Catch::Contains("rows of float16") && Catch::Contains("convert them to float32"));
}
