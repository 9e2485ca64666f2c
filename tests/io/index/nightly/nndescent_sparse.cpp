#include <annulus/core/metric/set_metrics.hpp>
#include <annulus/metrics/weighted.hpp>

#include "io/index_nndescent.hpp"
#include "message_of.hpp"

using namespace annulus;

namespace {

using rows_type = csr_matrix<float>;
using cosine_index = nndescent_index<rows_type, cosine>;
using set_index = nndescent_index<rows_type, jaccard>;
using weighted_index = nndescent_index<rows_type, seuclidean>;
constexpr std::size_t n = 300, dim = 200;
constexpr float radius = 0.7f;

/// Rows of 0 to 12 coordinates, those of a cluster near each other; or sets, without values.
rows_type some_rows(std::size_t count, std::uint64_t seed, bool has_values) {
  const counter_random random(seed);
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i) {
    std::int32_t at = static_cast<std::int32_t>(i % 10 * 18);
    for (std::size_t j = 0; j < i % 13; ++j) {
      at += 1 + static_cast<std::int32_t>(random.below(100 * i + 2 * j, 3));
      indices.push_back(at % static_cast<std::int32_t>(dim));
      if (has_values) values.push_back(0.5f + static_cast<float>(random.uniform(100 * i + 2 * j + 1)));
    }
    std::sort(indices.begin() + indptr.back(), indices.end());
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  return has_values ? rows_type(indptr, indices, values, dim) : rows_type(indptr, indices, dim);
}

const nndescent_params params{.n_neighbors = 8};

template <class Index>
Index changed(Index index, bool has_values) {
  saved::change(index, some_rows(20, 3, has_values), some_rows(1, 4, has_values));
  return index;
}
const cosine_index& of_values() {
  static const cosine_index index = changed(cosine_index(some_rows(n, 1, true), {}, params), true);
  return index;
}

/// Where the file of of_values() has a coordinate: what is left of rows that were erased is between those that are
/// there.
std::size_t some_coordinate() {
  const scratch_folder folder;
  save(of_values(), folder / "index");
  edited_index file(folder / "index");
  const auto places = file.values<std::uint64_t>("rows.places");
  for (std::size_t i = 0; i < places.size(); i += 3)
    if (places[i + 1] > 0) return places[i];
  throw std::logic_error("no row has a coordinate");
}

/// What load_index says of the file of of_values() whose tensor `name` edit(values) has changed.
template <class T>
std::string complaint_of(const std::string& name, auto edit) {
  const scratch_folder folder;
  save(of_values(), folder / "index");
  edited_index file(folder / "index");
  edit(file.values<T>(name));
  file.save(folder / "index");
  return message_of<format_error>([&] { load_index<cosine_index>(folder / "index"); });
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("an index of sparse rows comes back and changes as the saved one", "[index_file]") {
  CHECK(saved::returns(of_values(), some_rows(20, 2, true), some_rows(1, 5, true), radius, true));
  const weighted_index weighted(some_rows(n, 1, true), seuclidean(std::vector<double>(dim, 0.3)), params);
  CHECK(saved::returns(weighted, some_rows(20, 2, true), some_rows(1, 5, true), radius, true));
}

TEST_CASE("an index of sets comes back and changes as the saved one", "[index_file]") {
  const auto index = changed(set_index(some_rows(n, 1, false), {}, params), false);
  CHECK(saved::returns(index, some_rows(20, 2, false), some_rows(1, 5, false), radius, true));
  CHECK(saved::returns(set_index(some_rows(0, 1, false)), some_rows(20, 2, false), some_rows(1, 5, false), radius,
                       false));
}

TEST_CASE("a file of sparse rows is not one of dense rows", "[index_file]") {
  const scratch_folder folder;
  save(of_values(), folder / "index");
  CHECK(
      contains(message_of<format_error>([&] { load_index<nndescent_index<matrix<float>, cosine>>(folder / "index"); }),
               "points is sparse rows of float32, not the rows of float32 asked for"));
}

TEST_CASE("a wrong value in any array of sparse rows is found before the index is used", "[index_file]") {
  const std::size_t some = some_coordinate();
  const auto set = [](std::size_t i, auto value) { return [=](auto values) { values[i] = value; }; };
  CHECK(contains(complaint_of<std::int32_t>("rows.indices", set(some, -1)), "rows: indices: row "));
  CHECK(contains(complaint_of<std::int32_t>("rows.indices", set(some, 200)), "rows: indices: row "));
  CHECK(contains(complaint_of<std::int32_t>("rows.indices",
                                            [](auto values) {
                                              for (auto& v : values) v = 7;
                                            }),
                 "rows: indices: row "));
  CHECK(contains(complaint_of<float>("rows.values", set(some, std::numeric_limits<float>::quiet_NaN())),
                 "rows: values: row "));
  CHECK(contains(complaint_of<std::uint64_t>("rows.places", set(0, ~std::uint64_t{0})), "rows: places: row 0 "));
  CHECK(contains(complaint_of<std::uint64_t>("rows.places", set(4, ~std::uint64_t{0})), "rows: places: row 1 "));
  CHECK(contains(complaint_of<std::uint64_t>("rows.places", [](auto values) { ++values[2]; }), "rows: "));
}

TEST_CASE("no damage to sparse rows takes a search outside of them", "[index_file]") {
  CHECK(saved::search_damaged(of_values(), some_rows(5, 2, true), radius, 150) == 0);
  const weighted_index weighted(some_rows(n, 1, true), seuclidean(std::vector<double>(dim, 0.3)), params);
  CHECK(saved::search_damaged(weighted, some_rows(5, 2, true), radius, 100) == 0);
}
