#include "dynamic/exact_checks.hpp"

using namespace annulus;
using namespace dynamic_tests;

template struct annulus::detail::metric_factory<matrix<std::uint8_t>>;
template struct annulus::detail::flat_factory<matrix<std::uint8_t>>;
template struct annulus::detail::metric_factory<matrix<Eigen::half>>;
template struct annulus::detail::flat_factory<matrix<Eigen::half>>;
template struct annulus::detail::metric_factory<csr_matrix<double>>;
template struct annulus::detail::flat_factory<csr_matrix<double>>;

TEMPLATE_TEST_CASE("exact search of run-time types finds what the templates find over other rows", "[dynamic]",
                   std::uint8_t, Eigen::half) {
  for (const std::size_t d : {std::size_t{2}, dim_for<matrix<TestType>>})
    check_exact<matrix<TestType>>(count_rows<TestType>(120, d, 1), count_rows<TestType>(15, d, 2), d);
}

TEST_CASE("exact search of run-time types finds what the templates find over sparse doubles", "[dynamic]") {
  const std::size_t d = dim_for<csr_matrix<double>>;
  check_exact<csr_matrix<double>>(sparse_count_rows<double>(120, d, 3), sparse_count_rows<double>(15, d, 4), d);
}

TEST_CASE("rows of bits are compared by metrics of bits and of sets", "[dynamic]") {
  constexpr std::size_t bits = 77;
  bit_matrix rows(200, bits), queries(10, bits);
  const counter_random random(9);
  for (std::size_t i = 0; i < 200; ++i)
    for (std::size_t j = 0; j < bits; ++j) rows.set(i, j, random.bits(i * bits + j) % 3 == 0);
  for (std::size_t i = 0; i < 10; ++i)
    for (std::size_t j = 0; j < bits; ++j)
      queries.set(i, j, rows.test(i, j) != (random.bits(50'000 + i * bits + j) % 9 == 0));
  const auto build = [&](const char* metric, const annulus_rows& given_rows) {
    return with_options({{"metric", metric}}, [&](auto& reader) {
      return detail::flat_factory<matrix<std::uint8_t>>::build(given_rows, reader, {});
    });
  };
  const scratch_folder folder;
  const auto check = [&](const char* metric, const neighbors& expected) {
    INFO(metric);
    const auto model = build(metric, given(rows));
    CHECK(model->rows() == "rows of bits");
    CHECK(model->dim() == bits);
    CHECK(search(*model, given(queries), 5) == expected);
    model->save(folder / "bits.index");
    if (expected == knn(rows, queries, 5, bit_hamming())) return;  // its file does not tell how many bits rows have
    const auto same = detail::flat_factory<matrix<std::uint8_t>>::open(
        {folder / "bits.index", false, "flat_index", "rows of uint8", std::string(model->metric()), ""});
    CHECK(same->dim() == bits);
    CHECK(search(*same, given(queries), 5) == expected);
  };
  check("jaccard", knn(rows, queries, 5, packed<jaccard>{}));
  check("rogerstanimoto", knn(rows, queries, 5, packed<rogerstanimoto>{}));
  check("yule", knn(rows, queries, 5, packed<yule>{}));
  check("bit_hamming", knn(rows, queries, 5, bit_hamming()));

  CHECK_THAT(message_of([&] { build("cosine", given(rows)); }), ContainsSubstring("bit_jaccard"));
  matrix<std::uint8_t> bytes(3, 10, 255);
  annulus_rows set_behind = given(bytes);
  set_behind.layout = ANNULUS_BITS;
  set_behind.dim = bits;
  CHECK_THAT(message_of([&] { build("jaccard", set_behind); }), ContainsSubstring("behind the last of its 77"));
  const auto model = build("jaccard", given(rows));
  CHECK_THAT(message_of([&] { search(*model, given(bytes), 1); }), ContainsSubstring("rows of 77 bits"));
}
