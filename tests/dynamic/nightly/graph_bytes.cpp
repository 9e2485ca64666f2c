#include "dynamic/graph_checks.hpp"

using namespace annulus;
using namespace dynamic_tests;

using point_type = matrix<std::uint8_t>;

template struct annulus::detail::metric_factory<point_type>;
template struct annulus::detail::flat_factory<point_type>;
template struct annulus::detail::nndescent_factory<point_type>;
template struct annulus::detail::graph_factory<point_type, product_form::none>;
template struct annulus::detail::graph_factory<point_type, product_form::squared_l2>;
template struct annulus::detail::graph_factory<point_type, product_form::inner_product>;
template struct annulus::detail::graph_factory<point_type, product_form::cosine>;

TEST_CASE("graph indexes of run-time types over bytes answer as the templates do", "[dynamic]") {
  const point_type rows = count_rows<std::uint8_t>(400, 40, 1), more = count_rows<std::uint8_t>(20, 40, 2);
  check_graph<point_type>(euclidean(), full_precision(), {}, rows, more, 40);
  check_graph<point_type>(sqeuclidean(), rabitq<>{}, {{"storage", "rabitq"}}, rows, more, 40);
}

TEST_CASE("every metric and storage of graph indexes over bytes works or is refused with the reason", "[dynamic]") {
  check_every_graph<point_type>(count_rows<std::uint8_t>(120, 16, 11), count_rows<std::uint8_t>(8, 16, 12), 16);
}

TEST_CASE("graph indexes over rows of bits keep how many these are", "[dynamic]") {
  constexpr std::size_t bits = 77;
  bit_matrix rows(300, bits);
  const counter_random random(9);
  for (std::size_t i = 0; i < 300; ++i)
    for (std::size_t j = 0; j < bits; ++j) rows.set(i, j, random.bits(i * bits + j) % 3 == 0);
  const auto model = with_options({{"metric", "jaccard"}, {"seed", "3"}}, [&](auto& reader) {
    return detail::nndescent_factory<point_type>::build(given(rows), reader, {});
  });
  const nndescent_index index(rows, packed<jaccard>{}, {.seed = 3});
  CHECK(model->dim() == bits);
  CHECK(search(*model, given(rows), 5) == index.search(rows, 5));
  const scratch_folder folder;
  model->save(folder / "bits.index");
  const auto same = detail::nndescent_factory<point_type>::open(
      {folder / "bits.index", true, "nndescent_index", "rows of uint8", "packed_jaccard", "full_precision"});
  CHECK(same->dim() == bits);
  CHECK(same->rows() == "rows of bits");
  CHECK(search(*same, given(rows), 5) == index.search(rows, 5));
}
