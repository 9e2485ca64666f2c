#include <annulus/lsh/families/minhash.hpp>

#include "catch.hpp"
#include "failing_allocations.hpp"
#include "lsh/two_indexes.hpp"

using namespace annulus;

namespace {

using set_index = lsh_index<csr_matrix<float>, minhash>;

const lsh_params params{.n_projections = 4, .n_tables = 3, .threads = 1};
constexpr std::size_t some = 100;  // of the allocations of a change

/// Rows to index, to add, to give another row by, and to search for.
template <class Points>
struct parts {
  Points rows, more, one, queries;
  explicit parts(const Points& all)
      : rows(lsh_tests::rows_between(all, 0, 120)),
        more(lsh_tests::rows_between(all, 120, 140)),
        one(lsh_tests::rows_between(all, 140, 141)),
        queries(lsh_tests::rows_between(all, 141, 151)) {}
};

const parts<matrix<float>>& dense() {
  static const parts made(lsh_tests::clusters<float>(151, 8, 5, 1));
  return made;
}
const parts<csr_matrix<float>>& sparse() {
  static const parts made(lsh_tests::set_clusters(151, 5, 1));
  return made;
}

/// f(index, parts) for dense rows and for sparse ones.
template <class F>
void for_each_kind(F f) {
  f(lsh_tests::cosine_index(dense().rows, {}, params), dense());
  f(set_index(sparse().rows, {}, params), sparse());
}

/// What can be told of an index from outside, memory aside.
template <class Index, class Points>
auto answers(const Index& index, const Points& queries) {
  const lsh_search_params everywhere{.n_probes = 1000, .threads = 1};
  const auto buckets = index.describe();
  std::vector<std::vector<id_type>> collisions;
  for (const auto& c : index.candidates(queries, {.threads = 1})) collisions.push_back(c.ids);
  return std::tuple(index.size(), index.search(queries, 200, everywhere), collisions, buckets.n_buckets, buckets.max);
}

template <class Index, class Points, class Change>
void check_change(const Index& index, const parts<Points>& of, Change change) {
  const auto ask = [&](const Index& asked) { return answers(asked, of.queries); };
  const auto result = allocations::fail_change(index, change, ask, some);
  CAPTURE(result);
  CHECK(result.is_clean());
}

/// 24 of its rows were erased: one more, and an index compacts.
template <class Index>
Index sparser(Index index) {
  for (id_type i = 0; i < 24; ++i) index.erase(5 * i);
  return index;
}

}  // namespace

TEST_CASE("an index throws from a search wherever an allocation fails", "[lsh][allocations]") {
  for_each_kind([](const auto& index, const auto& of) {
    for (const lsh_search_params& how :
         {lsh_search_params{.threads = 1}, {.n_probes = 20, .threads = 1}, {.recall_target = 0.9, .threads = 1}}) {
      const auto result = allocations::fail_call([&] { return index.search(of.queries, 5, how); }, some);
      CAPTURE(result);
      CHECK(result.is_clean());
    }
  });
}

TEST_CASE("an index throws from a radius search wherever an allocation fails", "[lsh][allocations]") {
  for_each_kind([](const auto& index, const auto& of) {
    for (const lsh_search_params& how :
         {lsh_search_params{.threads = 1}, {.recall_target = 0.9, .threads = 1}, {.recall_target = 1, .threads = 1}}) {
      const auto within = [&] { return index.radius_search(of.queries, 0.5f, how).indices; };
      const auto result = allocations::fail_call(within, some);
      CAPTURE(result);
      CHECK(result.is_clean());
    }
  });
}

TEST_CASE("an index searched by threads throws or has fewer where an allocation fails", "[lsh][allocations]") {
  for_each_kind([](const auto& index, const auto& of) {
    const auto result = allocations::fail_call([&] { return index.search(of.rows, 5, {.threads = 2}); }, 20);
    CAPTURE(result);
    CHECK(result.is_harmless());
  });
}

TEST_CASE("an index throws from its constructor where an allocation fails", "[lsh][allocations]") {
  for_each_kind([](const auto& index, const auto& of) {
    using index_type = std::remove_cvref_t<decltype(index)>;
    const auto build = [&] { return answers(index_type(of.rows, {}, params), of.queries); };
    const auto result = allocations::fail_call(build, some);
    CAPTURE(result);
    CHECK(result.is_clean());
  });
}

TEST_CASE("an index is as before where an allocation of an insertion fails", "[lsh][allocations]") {
  for_each_kind([](const auto& index, const auto& of) {
    const auto insert = [&](auto& changed) { changed.insert(of.more); };
    check_change(index, of, insert);
    auto grown = index;
    grown.insert(of.one);
    check_change(grown, of, insert);
  });
}

TEST_CASE("an index is as before where an allocation of an update fails", "[lsh][allocations]") {
  for_each_kind([](const auto& index, const auto& of) {
    check_change(index, of, [&](auto& changed) { changed.update(7, of.one); });
  });
}

TEST_CASE("an index is as before where an allocation of a compaction fails", "[lsh][allocations]") {
  for_each_kind([](const auto& index, const auto& of) {
    auto changed_before = index;
    changed_before.insert(of.more);
    changed_before.erase(3);
    check_change(changed_before, of, [](auto& changed) { changed.compact(); });
  });
}

TEST_CASE("a change that compacts is made also where an allocation of that fails", "[lsh][allocations]") {
  for_each_kind([](const auto& index, const auto& of) {
    const auto ask = [&](const auto& asked) { return answers(asked, of.queries); };
    const auto erase = [](auto& changed) { changed.erase(7); };
    const auto result = allocations::fail_change(sparser(index), erase, ask, some);
    CAPTURE(result);
    CHECK(result.survived == result.failures);
    CHECK(result.leaking == 0);
    CHECK(result.disturbed == 0);
  });
}
