#pragma once

// That lsh_model answers as lsh_index does, bit for bit, after every change.

#include <annulus/dynamic/engine/lsh_model.hpp>

#include "dynamic/given.hpp"

namespace dynamic_tests {

template <class Index, class Rows>
void check_answers(const detail::index_model& model, const Index& index, const Rows& queries) {
  const annulus_rows asked = given(queries);
  REQUIRE(model.size() == index.size());
  const std::vector<id_type> allowed{0, 1, 2, 4, 8, 16, 30, 60};
  const std::pair<annulus_search_params, lsh_search_params> searches[] = {
      {detail::default_search_params(), {}},
      {params_with([](auto& p) { p.recall_target = 0.9; }), {.recall_target = 0.9}},
      {params_with([](auto& p) { p.n_probes = 12, p.max_candidates = 20, p.threads = 2; }),
       {.n_probes = 12, .max_candidates = 20, .threads = 2}},
      {params_with([&](auto& p) { p.allowed_ids = allowed.data(), p.n_allowed = allowed.size(); }),
       {.filter = id_filter::of(allowed)}}};
  for (const auto& [params, own] : searches) {
    const neighbors expected = index.search(queries, 4, own);
    const float least = *std::min_element(expected.distances.data(), expected.distances.data() + 4 * queries.size());
    REQUIRE(least < std::numeric_limits<float>::infinity());
    CHECK(search(model, asked, 4, params) == expected);
    if (asked.layout != ANNULUS_CSR)
      for (std::size_t i = 0; i < queries.size(); ++i) {
        const neighbors alone = search(model, row_of(asked, i), 4, params);
        CHECK(std::ranges::equal(alone.ids.row(0), expected.ids.row(i)));
        CHECK(std::ranges::equal(alone.distances.row(0), expected.distances.row(i)));
      }
    const float radius = least + 0.01f;
    const csr within = index.radius_search(queries, radius, own);
    REQUIRE(!within.indices.empty());
    CHECK(is_same(model.radius_search(asked, radius, params), within));
  }
  const csr found = model.candidates(asked, params_with([](auto& p) { p.n_probes = 12; }));
  std::vector<std::int32_t> ids;
  std::vector<float> counts;
  for (const lsh_candidates& expected : index.candidates(queries, {.n_probes = 12})) {
    ids.insert(ids.end(), expected.ids.begin(), expected.ids.end());
    counts.insert(counts.end(), expected.collisions.begin(), expected.collisions.end());
  }
  CHECK(found.indices == ids);
  CHECK(found.distances == counts);
  CHECK(found.n_columns == index.n_ids());
}

/// `more` are inserted, and one of them, `other`, takes the place of another row.
template <class Points, class Family, class Rows>
void check_lsh(const Family& family, option_list options, const Rows& rows, const Rows& more, const Rows& other,
               std::string_view metric, std::string_view kind_of_rows) {
  using index_type = lsh_index<Points, Family>;
  INFO(Family::name << " of " << kind_of_rows);
  for (const auto& option :
       option_list{{"family", Family::name.data()}, {"n_projections", "5"}, {"n_tables", "6"}, {"seed", "7"}})
    options.push_back(option);
  const detail::model_pointer model =
      with_options(options, [&](auto& reader) { return detail::lsh_factory<Points>::build(given(rows), reader, {}); });
  index_type index(rows, family, {.n_projections = 5, .n_tables = 6, .seed = 7});
  CHECK(model->kind() == "lsh");
  CHECK(model->storage() == Family::name);
  CHECK(model->metric() == metric);
  CHECK(model->rows() == kind_of_rows);
  CHECK(model->dim() == given(rows).dim);
  CHECK(model->memory_bytes() == index.memory_bytes());
  check_answers(*model, index, more);

  CHECK(model->insert(given(more), 0) == index.insert(more));
  for (const id_type id : {3u, 5u, 40u}) {
    model->erase(id);
    index.erase(id);
  }
  model->update(8, given(other));
  index.update(8, other);
  check_answers(*model, index, more);

  const scratch_folder folder;
  const auto path = folder / "lsh";
  const auto copy = model->copy();
  copy->consolidate();
  index.compact();
  model->erase(10);  // the copy keeps it
  check_answers(*copy, index, more);
  copy->save(path);
  CHECK_NOTHROW(check_answers(*copy, load_index<index_type>(path), more));
  for (const bool is_mapped : {false, true}) {
    const detail::file_description file{
        path, is_mapped, "lsh_index", detail::points_name<Points>(), std::string(metric), std::string(Family::name)};
    const detail::model_pointer opened = detail::lsh_factory<Points>::open(file);
    CHECK_NOTHROW(opened->verify());
    CHECK(opened->rows() == kind_of_rows);
    CHECK(opened->dim() == given(rows).dim);
    check_answers(*opened, index, more);
    opened->insert(given(other), 0);
    CHECK(opened->size() == index.size() + 1);
  }
}

}  // namespace dynamic_tests
