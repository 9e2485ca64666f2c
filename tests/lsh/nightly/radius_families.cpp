#include <numeric>

#include "catch.hpp"
#include "lsh/every_family.hpp"

using namespace annulus;
using lsh_tests::exact_within;
using lsh_tests::infinity;
using lsh_tests::rows_between;
using lsh_tests::same_bits;

// All rows within a radius, by every family, against brute force.

namespace {

constexpr std::size_t n_queries = 12;

/// The distances of all pairs of a query and a row, ascending.
template <class Metric, class Points>
std::vector<float> all_distances(const Points& rows, const Points& queries) {
  std::vector<float> distances;
  for (std::size_t i = 0; i < queries.size(); ++i)
    for (std::size_t j = 0; j < rows.size(); ++j)
      distances.push_back(lsh_tests::distance_between<Metric>(queries.row(i), rows.row(j)));
  std::ranges::sort(distances);
  return distances;
}

/// Of no row, of few, of half of them, and of all; the distance of a row to the last bit, and less by that bit.
template <class Metric, class Points>
std::vector<float> some_radii(const Points& rows, const Points& queries) {
  const auto distances = all_distances<Metric>(rows, queries);
  const float few = distances[distances.size() / 100];
  return {-infinity,
          -1.0f,
          0.0f,
          distances.front(),
          std::nextafter(distances.front(), -infinity),
          few,
          std::nextafter(few, -infinity),
          distances[distances.size() / 2],
          distances.back(),
          std::numeric_limits<float>::max(),
          infinity};
}

/// An index that rows were added to, taken from and changed in, and its rows by their ids.
template <class Points, class Family>
struct changed_index {
  lsh_index<Points, Family> index;
  std::map<id_type, std::size_t> row_of_id;
  std::size_t n_ids;

  /// Of all rows but the last 20, and of these some.
  changed_index(const Points& rows, const Family& family, const lsh_params& params)
      : index(rows_between(rows, 0, rows.size() - 20), family, params),
        row_of_id(lsh_tests::same_ids(rows.size() - 10)),
        n_ids(rows.size() - 10) {
    index.insert(rows_between(rows, rows.size() - 20, rows.size() - 10));
    for (id_type id = 3; id < n_ids; id += 11) {
      index.erase(id);
      row_of_id.erase(id);
    }
    for (id_type i = 0; i < 10; ++i) {
      const std::size_t row = rows.size() - 10 + i;
      index.update(2 + 11 * i, rows_between(rows, row, row + 1));
      row_of_id[2 + 11 * i] = row;
    }
  }
};

const auto is_third = [](id_type id) { return id % 3 == 1; };

}  // namespace

TEST_CASE("with a recall target of 1 all rows within a radius are found", "[lsh][radius_search]") {
  lsh_tests::for_every_family(242, 1, [](const auto& family, const auto& all, const lsh_params& params) {
    using metric = typename std::remove_cvref_t<decltype(family)>::metric;
    const auto rows = rows_between(all, 0, 230), queries = rows_between(all, 230, 242);
    const changed_index made(rows, family, params);
    auto thirds = made.row_of_id;
    std::erase_if(thirds, [](const auto& pair) { return !is_third(pair.first); });
    for (const float radius : some_radii<metric>(rows, queries)) {
      CAPTURE(family.name, radius);
      const auto expected = exact_within<metric>(rows, queries, radius, made.row_of_id, made.n_ids);
      const auto of_thirds = exact_within<metric>(rows, queries, radius, thirds, made.n_ids);
      for (const std::size_t threads : {1u, 3u}) {
        CHECK(same_bits(made.index.radius_search(queries, radius, {.recall_target = 1, .threads = threads}), expected));
        CHECK(same_bits(
            made.index.radius_search(queries, radius, {.recall_target = 1, .threads = threads, .filter = is_third}),
            of_thirds));
      }
    }
  });
}

TEST_CASE("the own buckets give those of their rows that are within the radius", "[lsh][radius_search]") {
  lsh_tests::for_every_family(242, 2, [](const auto& family, const auto& all, const lsh_params& params) {
    using metric = typename std::remove_cvref_t<decltype(family)>::metric;
    const auto rows = rows_between(all, 0, 230), queries = rows_between(all, 230, 242);
    const changed_index made(rows, family, params);
    for (const std::size_t n_probes : {std::size_t{2}, params.n_tables}) {
      const lsh_search_params how{.n_probes = n_probes, .filter = is_third};
      const auto candidates = made.index.candidates(queries, how);
      const auto is_candidate = [&](std::size_t i, id_type id) {
        return std::ranges::count(candidates[i].ids, id) == 1;
      };
      std::size_t n_found = 0;
      for (const float radius : some_radii<metric>(rows, queries)) {
        CAPTURE(family.name, radius);
        const auto found = made.index.radius_search(queries, radius, how);
        n_found = std::max(n_found, found.indices.size());
        CHECK(same_bits(found, exact_within<metric>(rows, queries, radius, made.row_of_id, made.n_ids, is_candidate)));
      }
      CHECK(n_found > 0);
      CHECK(n_found < n_queries * made.row_of_id.size() / 3);
    }
  });
}

TEST_CASE("whatever is asked, what is found is within the radius, at the metric's distance, once, in order",
          "[lsh][radius_search]") {
  lsh_tests::for_every_family(242, 3, [](const auto& family, const auto& all, const lsh_params& params) {
    using metric = typename std::remove_cvref_t<decltype(family)>::metric;
    const auto rows = rows_between(all, 0, 230), queries = rows_between(all, 230, 242);
    const changed_index made(rows, family, params);
    for (const lsh_search_params& how : {lsh_search_params{.n_probes = 13},
                                         {.n_probes = 13, .recall_target = 0.9},
                                         {.recall_target = 0.3},
                                         {.recall_target = 0.9, .filter = is_third},
                                         {.recall_target = 0.99, .max_candidates = 20},
                                         {.recall_target = 1, .max_candidates = 20},
                                         {.n_probes = 13, .recall_target = 1}})
      for (const float radius : some_radii<metric>(rows, queries)) {
        CAPTURE(family.name, radius, how.n_probes, how.recall_target);
        const auto found = made.index.radius_search(queries, radius, how);
        const auto is_found = [&](std::size_t i, id_type id) {
          const auto row = std::span(found.indices)
                               .subspan(static_cast<std::size_t>(found.indptr[i]),
                                        static_cast<std::size_t>(found.indptr[i + 1] - found.indptr[i]));
          return std::ranges::find(row, static_cast<std::int32_t>(id)) != row.end();
        };
        CHECK(same_bits(found, exact_within<metric>(rows, queries, radius, made.row_of_id, made.n_ids, is_found)));
        if (how.max_candidates > 0) CHECK(found.indices.size() <= how.max_candidates * n_queries);
        if (how.filter.empty()) continue;
        CHECK(std::ranges::all_of(found.indices, [](std::int32_t id) { return id % 3 == 1; }));
      }
  });
}

TEST_CASE("the share of the rows within a radius that is found reaches the recall target", "[lsh][radius_search]") {
  constexpr std::uint64_t n_seeds = 24;
  struct tally {
    std::vector<double> found, by_default;
  };
  std::map<std::pair<std::size_t, std::size_t>, tally> tallies;  // by family and radius
  for (std::uint64_t seed = 0; seed < n_seeds; ++seed) {
    std::size_t number = 0;
    lsh_tests::for_every_family(540, seed, [&](const auto& family, const auto& all, const lsh_params& params) {
      using metric = typename std::remove_cvref_t<decltype(family)>::metric;
      const auto rows = rows_between(all, 0, 500), queries = rows_between(all, 500, 540);
      const lsh_index index(rows, family, params);
      const auto distances = all_distances<metric>(rows, queries);
      const std::array<std::size_t, 3> places{500, distances.size() / 50, distances.size() / 3};
      for (std::size_t r = 0; r < places.size(); ++r) {
        const float radius = distances[places[r]];
        const auto count = [&](std::optional<double> target) {
          const auto found = index.radius_search(queries, radius, {.recall_target = target, .threads = 1});
          return static_cast<double>(found.indices.size());
        };
        const double all_within = count(1);
        tally& t = tallies[{number, r}];
        t.found.push_back(count(0.9) / all_within);
        t.by_default.push_back(count({}) / all_within);
      }
      ++number;
    });
  }
  const auto mean = [](const std::vector<double>& x) { return std::accumulate(x.begin(), x.end(), 0.0) / n_seeds; };
  CHECK(tallies.size() == 8 * 3);
  for (const auto& [of, t] : tallies) {
    const double share = mean(t.found);
    double square = 0;
    for (const double x : t.found) square += (x - share) * (x - share);
    const double deviation = std::sqrt(square / (n_seeds - 1) / n_seeds);
    CAPTURE(of.first, of.second, share, deviation, mean(t.by_default));
    CHECK(share >= 0.9 - 3 * deviation);
    CHECK(mean(t.by_default) < 0.9);  // else the target asks for nothing
  }
}
