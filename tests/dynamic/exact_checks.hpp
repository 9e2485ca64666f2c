#pragma once

// That flat indexes and knn of run-time types answer as the templates do, under every metric.

#include <annulus/dynamic/engine/flat_model.hpp>

#include "dynamic/metric_options.hpp"
#include "message_of.hpp"

#include <map>

namespace dynamic_tests {

template <class Points>
inline constexpr std::size_t dim_for = detail::csr_like<Points> ? 40 : 24;

/// What the templates find under each metric that takes these rows.
template <class Points, class Rows>
std::map<std::string, neighbors, std::less<>> expected_by_metric(const Rows& rows, const Rows& queries, std::size_t k,
                                                                 std::size_t dim) {
  std::map<std::string, neighbors, std::less<>> found;
  for (const metric_info& metric : known_metrics) {
    try {
      with_metric(
          metric.name, parameters::some(metric, dim),
          [&]<class Metric>(Metric by) requires metric_for<Metric, detail::view_of<Points>> {
            found.emplace(metric.name, knn(detail::view_of<Points>(rows), detail::view_of<Points>(queries), k, by));
          });
    } catch (const std::invalid_argument&) {
      // A metric that does not take such rows: the model must refuse it too.
    }
  }
  return found;
}

template <class Points, class Rows>
void check_exact(const Rows& rows, const Rows& queries, std::size_t dim) {
  constexpr std::size_t k = 7;
  const auto expected = expected_by_metric<Points>(rows, queries, k, dim);
  REQUIRE(expected.size() > 5);
  const scratch_folder folder;
  for (const metric_info& metric : known_metrics) {
    INFO(metric.name << " of " << detail::points_name<Points>() << " of " << dim);
    const metric_options options(metric, dim);
    const auto search_once = [&] {
      neighbors found(queries.size(), k);
      options([&](auto& reader) {
        detail::flat_factory<Points>::knn(given(rows), given(queries), k, reader, detail::default_search_params(),
                                          found.ids.data(), found.distances.data());
        return 0;
      });
      return found;
    };
    const auto build = [&] {
      return options([&](auto& reader) { return detail::flat_factory<Points>::build(given(rows), reader, {}); });
    };
    const auto own = expected.find(metric.name);
    if (own == expected.end()) {
      CHECK_THROWS_AS(search_once(), std::invalid_argument);
      CHECK_THROWS_AS(build(), std::invalid_argument);
      continue;
    }
    CHECK(search_once() == own->second);
    if constexpr (!detail::csr_like<Points>) {
      const detail::model_pointer model = build();
      CHECK(model->metric() == metric.name);
      CHECK(search(*model, given(queries), k) == own->second);
      const auto path = folder / "flat.index";
      model->save(path);
      for (const bool is_mapped : {false, true}) {
        const detail::file_description file{
            path, is_mapped, "flat_index", detail::points_name<Points>(), std::string(metric.name), ""};
        const detail::model_pointer same = detail::flat_factory<Points>::open(file);
        CHECK(same->metric() == metric.name);
        same->verify();
        CHECK(search(*same, given(queries), k) == own->second);
      }
    }
  }
}

}  // namespace dynamic_tests
