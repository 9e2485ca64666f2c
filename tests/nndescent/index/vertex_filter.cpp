#include <annulus/nndescent/index/vertex_filter.hpp>

#include "catch.hpp"

#include <set>

using annulus::counter_random;
using annulus::id_filter;
using annulus::id_type;
using annulus::detail::vertex_filter;
using annulus::detail::vertex_names;

namespace {

constexpr std::size_t n_vertices = 300;

/// Each row `copies` times on average, and a quarter of the ids erased.
vertex_names some_names(double copies, std::uint64_t seed) {
  const counter_random random(seed);
  vertex_names names;
  names.resize(n_vertices);
  for (id_type v = 0; v < n_vertices; ++v) names.add(v);
  const auto n_more = static_cast<std::size_t>((copies - 1) * n_vertices);
  for (std::size_t i = 0; i < n_more; ++i)
    names.add(static_cast<id_type>(random.below(i, n_vertices) * random.below(i + 100000, 2)));  // many at vertex 0
  for (id_type id = 0; id < names.n_ids(); ++id)
    if (random.below(id + 200000, 4) == 0) names.erase(id);
  return names;
}

/// The ids below 2 n that pass one of several filters, and that filter in each of its forms.
struct filtered {
  std::set<id_type> ids;
  std::vector<id_filter> forms;
};
filtered some_filter(double share, std::size_t n, std::uint64_t seed) {
  const counter_random random(seed);
  filtered made;
  std::vector<bool> allowed(2 * n);
  for (id_type id = 0; id < 2 * n; ++id)
    if (random.uniform(id) < share) {
      made.ids.insert(id);
      allowed[id] = true;
    }
  std::vector<id_type> list(made.ids.begin(), made.ids.end());
  made.forms = {id_filter(allowed), id_filter::of(list),
                id_filter([ids = made.ids](id_type id) { return ids.contains(id); })};
  list.push_back(4000000000u);  // too far off for a bitset
  made.forms.push_back(id_filter::of(list));
  return made;
}

}  // namespace

std::vector<id_type> visited_by(const vertex_filter& passes) {
  std::vector<id_type> visited;
  std::set<id_type> seen;
  passes.visit([&](id_type v) { return seen.insert(v).second; }, [&](id_type v) { visited.push_back(v); });
  return visited;
}

TEST_CASE("a vertex passes where one of its ids does", "[vertex_filter]") {
  for (const double copies : {1.0, 1.5, 6.0})
    for (const double share : {0.0, 0.01, 0.3, 1.0}) {
      const vertex_names names = some_names(copies, 3);
      const filtered f = some_filter(share, names.n_ids(), 4);
      std::vector<id_type> expected;
      for (id_type v = 0; v < n_vertices; ++v)
        if (std::ranges::any_of(names.ids_at(v), [&](id_type id) { return f.ids.contains(id); })) expected.push_back(v);
      for (std::size_t form = 0; form < f.forms.size(); ++form)
        for (const bool is_prepared : {false, true}) {
          vertex_filter passes(names, f.forms[form]);
          if (is_prepared) passes.prepare();
          CAPTURE(copies, share, form, is_prepared);
          std::vector<id_type> passing, visited = visited_by(passes);
          for (id_type v = 0; v < n_vertices; ++v)
            if (passes(v)) passing.push_back(v);
          std::ranges::sort(visited);
          CHECK(passing == expected);
          CHECK(visited == expected);
          CHECK_FALSE(passes.is_open());
          for (id_type id = 0; id < 2 * names.n_ids(); ++id)
            if (passes.passes(id) != f.ids.contains(id)) FAIL("id " << id);
        }
    }
}

TEST_CASE("where all rows pass those vertices do that have a name", "[vertex_filter]") {
  const vertex_names names = some_names(1.2, 5);
  const id_filter all;
  vertex_filter passes(names, all);
  for (const bool is_prepared : {false, true}) {
    if (is_prepared) passes.prepare();
    std::size_t wrong = 0;
    for (id_type v = 0; v < n_vertices; ++v) wrong += passes(v) != names.is_live(v);
    CHECK(wrong == 0);
    CHECK(visited_by(passes).size() == names.n_live());
    CHECK(passes.is_open());
    CHECK(passes.count() == static_cast<double>(names.n_live()));
  }
}

TEST_CASE("how many vertices pass is known of a list and told nearly of a callable", "[vertex_filter]") {
  for (const double copies : {1.0, 4.0})
    for (const double share : {0.0, 0.05, 0.5, 1.0}) {
      const vertex_names names = some_names(copies, 6);
      const filtered f = some_filter(share, names.n_ids(), 7);
      for (std::size_t form = 0; form < f.forms.size(); ++form) {
        vertex_filter passes(names, f.forms[form]);
        double expected = 0;
        for (id_type v = 0; v < n_vertices; ++v) expected += passes(v);
        CAPTURE(copies, share, form);
        if (f.forms[form].size()) CHECK(passes.count() >= expected);  // ids that are not there count, and copies
        else CHECK(std::abs(passes.count() - expected) <= 0.2 * n_vertices);
        const double count = passes.count(), cost = passes.cost_of_visit();
        passes.prepare();  // which changes no decision
        CHECK((passes.count() == count && passes.cost_of_visit() == cost));
      }
    }
}

TEST_CASE("a filter is asked about rows alone that are there", "[vertex_filter]") {
  const vertex_names names = some_names(2, 8);
  std::size_t wrong = 0;
  const id_filter asked = [&](id_type id) {
    wrong += !names.holds(id);
    return id % 2 == 0;
  };
  vertex_filter passes(names, asked);
  for (id_type v = 0; v < n_vertices; ++v) static_cast<void>(passes(v));
  static_cast<void>(passes.count());
  passes.prepare();
  CHECK(wrong == 0);
}
