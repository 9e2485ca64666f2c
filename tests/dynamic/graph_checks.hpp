#pragma once

// That nndescent_model answers as nndescent_index does, bit for bit, after every change; and that every metric and
// storage works, or is refused with the reason.

#include <annulus/dynamic/engine/flat_model.hpp>
#include <annulus/dynamic/engine/nndescent_model.hpp>

#include "dynamic/metric_options.hpp"

namespace dynamic_tests {

template <class Index, class Rows>
void check_same_answers(const detail::index_model& model, const Index& index, const Rows& queries) {
  REQUIRE(model.size() == index.size());
  CHECK(search(model, given(queries), 6, params_with([](auto& p) { p.threads = 2; })) == index.search(queries, 6));
  CHECK(search(model, given(queries), 6, params_with([](auto& p) { p.beam = 20, p.by_estimates = 1; })) ==
        index.search(queries, 6, {.beam = 20, .by_estimates = true}));
  const std::vector<id_type> allowed{1, 2, 3, 5, 8, 13, 21, 34, 55, 89};
  const auto filtered = params_with([&](auto& p) { p.allowed_ids = allowed.data(), p.n_allowed = allowed.size(); });
  CHECK(search(model, given(queries), 4, filtered) == index.search(queries, 4, {.filter = id_filter::of(allowed)}));
  const neighbors nearest = index.search(queries, 3);
  const float radius = nearest.distances(0, 2);
  CHECK(is_same(model.radius_search(given(queries), radius, detail::default_search_params()),
                index.radius_search(queries, radius)));
  if constexpr (requires { queries.cols(); })
    for (std::size_t i = 0; i < queries.size(); ++i) {
      const neighbors alone = search(model, row_of(given(queries), i), 3);
      CHECK(std::ranges::equal(alone.ids.row(0), nearest.ids.row(i)));
      CHECK(std::ranges::equal(alone.distances.row(0), nearest.distances.row(i)));
    }
}

/// `options` are those of the storage.
template <class Points, class Metric, class Storage, class Rows>
void check_graph(const Metric& by, const Storage& storage, const option_list& options, const Rows& rows,
                 const Rows& more, std::size_t dim) {
  using index_type = nndescent_index<Points, Metric, Storage>;
  INFO(Metric::name << " " << Storage::name << " of " << detail::points_name<Points>());
  metric_options all(*find_metric(Metric::name), dim);
  for (const auto& [name, text] : options) all.with(name, text);
  all.with("n_neighbors", "12").with("threads", "2").with("seed", "5");
  const detail::model_pointer model =
      all([&](auto& reader) { return detail::nndescent_factory<Points>::build(given(rows), reader, {}); });
  index_type index(rows, by, {.n_neighbors = 12, .seed = 5, .threads = 1}, storage);
  CHECK(model->kind() == "nndescent");
  CHECK(model->metric() == Metric::name);
  CHECK(model->storage() == Storage::name);
  CHECK(model->dim() == dim);
  CHECK(model->memory_bytes() == index.memory_bytes());
  check_same_answers(*model, index, more);
  CHECK(model->graph() == index.graph());

  CHECK(model->insert(given(more), 1) == index.insert(more));
  for (const id_type id : {3u, 5u, 140u}) {
    model->erase(id);
    index.erase(id);
  }
  if constexpr (requires { more.cols(); }) {
    model->update(8, row_of(given(more), 1));
    index.update(8, more.row(1));
  }
  check_same_answers(*model, index, more);
  model->consolidate();
  index.consolidate();
  check_same_answers(*model, index, more);
  const tuned_search tuned = index.tune(0.9, {.n_queries = 20, .k = 5});
  const annulus_tuned own = model->tune(nullptr, 0.9, 5, 20, 0);
  CHECK(own.params.beam == tuned.params.beam);
  CHECK(own.recall == tuned.recall);
  CHECK((own.reached != 0) == tuned.reached);

  const scratch_folder folder;
  const auto path = folder / "graph.index", theirs = folder / "theirs.index";
  model->save(path);
  save(index, theirs);
  CHECK(bytes_of(path) == bytes_of(theirs));
  for (const bool is_mapped : {false, true}) {
    const detail::file_description file{path,
                                        is_mapped,
                                        "nndescent_index",
                                        detail::points_name<Points>(),
                                        std::string(Metric::name),
                                        std::string(Storage::name)};
    const detail::model_pointer same = detail::nndescent_factory<Points>::open(file);
    same->verify();
    check_same_answers(*same, index, more);
    const std::unique_ptr<detail::index_model> copied = same->copy();
    CHECK(copied->insert(given(more), 0) == index.ids().back() + 1);
    CHECK(same->size() == index.size());
  }
}

/// Every metric with every storage over rows that all metrics take.
template <class Points, class Rows>
void check_every_graph(const Rows& rows, const Rows& queries, std::size_t dim) {
  constexpr std::size_t k = 5;
  std::size_t n_built = 0;
  for (const metric_info& metric : known_metrics) {
    for (const char* storage :
         {"full_precision", "half_precision", "sq8", "rabitq", "rabitq+half_precision", "rabitq+sq8"}) {
      INFO(metric.name << " " << storage << " of " << detail::points_name<Points>());
      metric_options options(metric, dim);
      neighbors exact(queries.size(), k);
      bool is_possible = true;
      try {
        options([&](auto& reader) {
          detail::flat_factory<Points>::knn(given(rows), given(queries), k, reader, detail::default_search_params(),
                                            exact.ids.data(), exact.distances.data());
          return 0;
        });
      } catch (const std::invalid_argument&) {
        is_possible = false;
      }
      options.with("storage", storage).with("threads", "1");
      const auto build = [&] {
        return options([&](auto& reader) { return detail::nndescent_factory<Points>::build(given(rows), reader, {}); });
      };
      if (!is_possible) {
        CHECK_THROWS_AS(build(), std::invalid_argument);
        continue;
      }
      detail::model_pointer model;
      const std::string refusal = message_or_nothing([&] { model = build(); });
      if (model == nullptr) {
        CHECK(std::string_view(storage) != "full_precision");
        CHECK_THAT(refusal, ContainsSubstring("storage = ") && ContainsSubstring("full_precision"));
        continue;
      }
      ++n_built;
      const neighbors found = search(*model, given(queries), k, params_with([](auto& p) { p.beam = 64; }));
      CHECK(recall(found, exact, k) > 0.97);
    }
  }
  CHECK(n_built > 10);
}

}  // namespace dynamic_tests
