// What users of graph indexes report, made small. No benchmark shows it: there, rows are distinct, shuffled and stay.

#include "catch.hpp"
#include "situations/folder.hpp"
#include "situations/questions.hpp"

namespace {

using situations::all_kinds;
using situations::collection;
using situations::dice;
using situations::history;
using situations::id_type;
using situations::interview;
using situations::kind;
using situations::matrix;
using situations::operation;
using situations::passing_ids;
using situations::share;

const annulus::nndescent_params params{.threads = 1};

void check(const interview& asked) {
  for (const auto& f : asked.findings()) {
    INFO(f.what);
    CHECK(f.share >= f.least);
  }
}

/// n_groups of so many rows, one group after the other, normal about normal centres.
matrix<float> groups(std::size_t n_groups, std::size_t per_group, double spread, std::size_t dim = 8) {
  dice random(7, 0);
  matrix<float> rows(n_groups * per_group, dim);
  std::vector<double> centre(dim);
  for (std::size_t i = 0; i < rows.rows(); ++i)
    for (std::size_t j = 0; j < dim; ++j) {
      if (i % per_group == 0) centre[j] = random.normal();
      rows(i, j) = static_cast<float>(centre[j] + spread * random.normal());
    }
  return rows;
}

/// The rows in any order.
matrix<float> shuffled(const matrix<float>& rows) {
  dice random(8, 0);
  std::vector<std::size_t> order(rows.rows());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
    std::swap(order[i], order[random.below(i + 1)]);
  }
  matrix<float> mixed(rows.rows(), rows.cols());
  for (std::size_t i = 0; i < order.size(); ++i) std::ranges::copy(rows.row(order[i]), mixed.row(i).begin());
  return mixed;
}

matrix<float> slice(const matrix<float>& rows, std::size_t begin, std::size_t end) {
  matrix<float> some(end - begin, rows.cols());
  std::copy_n(rows.data() + begin * rows.cols(), some.rows() * some.cols(), some.data());
  return some;
}

std::vector<id_type> ids_between(std::size_t begin, std::size_t end) {
  std::vector<id_type> ids(end - begin);
  std::iota(ids.begin(), ids.end(), static_cast<id_type>(begin));
  return ids;
}

/// An index of all rows, and whom to ask.
struct scene {
  dice random{9, 0};
  history told;
  interview asked{told, random};
  scene(const kind& of, const matrix<float>& rows, operation start = operation::build)
      : told(of, rows, rows.rows(), params, random) {
    told.apply(start);
  }
};

}  // namespace

// usearch 445, chroma 2594
TEST_CASE("A group that is erased and inserted again is found") {
  const auto rows = groups(10, 200, 0.1);
  for (const kind* of : {&situations::euclidean_kind, &situations::cosine_sq8_kind}) {
    INFO(of->name);
    scene s(*of, rows);
    s.told.reinsert(ids_between(400, 600));
    const auto inserted = ids_between(2000, 2200);
    s.asked.ask_for_themselves(inserted);
    s.told.index().consolidate();
    s.asked.ask_for_themselves(inserted, ", once consolidated");
    check(s.asked);
  }
}

// pgvector 259, milvus 44854
TEST_CASE("A filter lets nothing pass of the query's own group") {
  constexpr std::size_t n_groups = 20, size = 400;  // of which several are about as far from a query
  const auto rows = groups(n_groups, size, 0.1);
  scene s(situations::euclidean_kind, rows);
  for (const std::size_t k : {1u, 3u, 5u, 10u}) {
    std::vector<situations::filtered_queries> all;
    for (std::size_t group = 0; group < n_groups; group += 2) {
      passing_ids others(rows.rows(), true);
      std::fill_n(others.begin() + static_cast<std::ptrdiff_t>(size * group), size, false);
      all.push_back({slice(rows, size * group, size * group + 20), others});
    }
    s.asked.ask_nearest(all, k, "of other groups");
  }
  check(s.asked);
}

TEST_CASE("A filter lets pass what is a quarter of the way across the data from the queries") {
  dice random(1, 0);
  matrix<float> rows(4000, 2), queries(60, 2);
  passing_ids passing(4000);
  for (std::size_t i = 0; i < 4000; ++i) {
    for (float& x : rows.row(i)) x = static_cast<float>(random.below(1'000'000)) / 1e6f;
    passing[i] = rows(i, 0) > 0.5f;
  }
  for (std::size_t i = 0; i < 60; ++i) {
    queries(i, 0) = static_cast<float>(i) / 60 / 4;
    queries(i, 1) = static_cast<float>(i * 7 % 60) / 60;
  }
  scene s(situations::euclidean_kind, rows);
  for (const std::size_t k : {1u, 3u, 10u}) s.asked.ask_nearest(queries, k, passing, {});
  check(s.asked);
}

TEST_CASE("Queries among erased rows find the nearest of those left") {
  const auto rows = groups(20, 100, 0.1);
  scene s(situations::euclidean_kind, rows);
  s.told.erase(ids_between(700, 800));
  for (const std::size_t k : {1u, 3u, 10u}) s.asked.ask_nearest(slice(rows, 700, 800), k, s.told.rows().all(), {});
  check(s.asked);
}

// NornicDB 433
TEST_CASE("Rows in small groups of nearly equal ones are found") {
  const auto rows = shuffled(groups(100, 20, 0.003, 16));
  for (const kind* of : {&situations::euclidean_kind, &situations::cosine_sq8_kind, &situations::euclidean_sq8_kind}) {
    INFO(of->name);
    scene s(*of, rows);
    s.asked.ask_for_themselves(ids_between(0, 500));
    s.asked.ask_nearest(10);
    check(s.asked);
  }
}

TEST_CASE("Rows in groups of groups of nearly equal ones are found, or tuning says that they are not") {
  dice random(2, 0);
  matrix<float> rows(2000, 16);
  std::vector<double> document(16), page(16);
  for (std::size_t i = 0; i < 2000; ++i)
    for (std::size_t j = 0; j < 16; ++j) {
      if (i % 100 == 0) document[j] = random.normal();
      if (i % 10 == 0) page[j] = document[j] + 0.1 * random.normal();
      rows(i, j) = static_cast<float>(page[j] + 0.0003 * random.normal());
    }
  scene s(situations::euclidean_kind, shuffled(rows));
  s.asked.ask_for_themselves();
  s.asked.ask_nearest(10);
  check(s.asked);

  const auto queries = s.asked.places(100);
  const auto tuned = s.told.index().tune(queries, 0.99, 10);
  if (tuned.reached)
    CHECK(situations::share_found(s.told, queries, 10, s.told.rows().all(), tuned.params).value() >= 0.97);
}

// SVS 80, faiss 1709
TEST_CASE("Rows in groups of equal ones are found") {
  const auto rows = shuffled(groups(100, 20, 0));
  for (const kind* of : {&situations::euclidean_kind, &situations::cosine_sq8_kind, &situations::callable_kind}) {
    INFO(of->name);
    scene s(*of, rows);
    s.asked.ask_for_themselves(ids_between(0, 500));
    s.asked.ask_nearest(10);
    check(s.asked);
  }
}

TEST_CASE("Rows of few distinct values are found") {
  dice random(3, 0);
  matrix<float> rows(3000, 1);
  for (std::size_t i = 0; i < 3000; ++i) rows(i, 0) = static_cast<float>(random.below(21));
  scene s(situations::euclidean_kind, rows);
  s.asked.ask_for_themselves();
  s.asked.ask_nearest(10);
  for (const std::size_t k : {100u, 300u}) {
    const share found = situations::share_found(s.told, s.asked.places(20), k, s.told.rows().all());
    s.asked.note("k = " + std::to_string(k), found.value(), situations::least_recall_of_many);
  }
  check(s.asked);
}

TEST_CASE("Rows that are all equal are found") {
  for (const kind* of : all_kinds) {
    INFO(of->name);
    scene s(*of, matrix<float>(1000, 8, 1));
    s.asked.ask_nearest(10);
    s.asked.ask_nearest(100);
    check(s.asked);
  }
}

// hnswlib 674, knowhere 322
TEST_CASE("Rows that are inserted group by group are found") {
  const auto rows = groups(20, 100, 0.1);
  for (const kind* of : {&situations::euclidean_kind, &situations::cosine_sq8_kind}) {
    INFO(of->name);
    scene s(*of, slice(rows, 0, 0));
    for (std::size_t group = 0; group < 20; ++group) s.told.insert(slice(rows, 100 * group, 100 * (group + 1)));
    s.asked.ask_for_themselves(ids_between(0, 2000));
    s.asked.ask_nearest(10);
    check(s.asked);
  }
}

TEST_CASE("Rows far outside are found that come after many that are nearly equal") {
  scene s(situations::euclidean_kind, groups(1, 1500, 0.001));
  s.told.insert(groups(20, 1, 0));
  s.asked.ask_for_themselves(ids_between(1500, 1520));
  s.asked.ask_for_themselves();
  check(s.asked);
}

// chroma 2621
TEST_CASE("An index over which a window slides does not grow") {
  const situations::folder folder;
  dice random(4, 0);
  const matrix<float> rows = shuffled(groups(10, 400, 0.3));
  history told(situations::euclidean_kind, rows, 300, params, random);
  told.apply(operation::build);
  told.index().save(folder.file());
  const auto memory = told.index().memory_bytes(), in_file = std::filesystem::file_size(folder.file());
  told.slide(3000);
  interview asked(told, random);
  asked.ask_for_themselves();
  asked.ask_nearest(10);
  check(asked);
  told.index().save(folder.file());
  CHECK(told.index().memory_bytes() <= 2 * memory);
  CHECK(std::filesystem::file_size(folder.file()) <= 2 * in_file);
}

// nanoflann 70, faiss 2043
TEST_CASE("A radius may reach over several groups") {
  const auto rows = groups(20, 100, 0.1);
  scene s(situations::euclidean_kind, rows);
  for (const std::size_t about : {50u, 300u, 500u, 1000u}) s.asked.ask_within(about, s.told.rows().all());
  check(s.asked);
}

TEST_CASE("A radius may reach over several groups, of which the query's own does not pass") {
  const auto rows = groups(20, 100, 0.1);
  scene s(situations::euclidean_kind, rows);
  passing_ids others(2000, true);
  std::fill_n(others.begin() + 500, 100, false);
  for (const std::size_t about : {300u, 500u, 1000u}) s.asked.ask_within(about, others, ids_between(500, 600));
  check(s.asked);
}

// faiss 2158
TEST_CASE("One column may be far from 0") {
  auto rows = groups(20, 100, 0.3);
  for (std::size_t i = 0; i < 2000; ++i) rows(i, 3) = -3.2e7f + 8 * std::round(rows(i, 3));
  for (const kind* of : {&situations::euclidean_kind, &situations::euclidean_sq8_kind}) {
    INFO(of->name);
    scene s(*of, shuffled(rows));
    s.asked.ask_for_themselves();
    s.asked.ask_nearest(1);
    s.asked.ask_nearest(10);
    check(s.asked);
  }
}

TEST_CASE("Lists of the graph follow many updates of few rows") {
  dice random(5, 0);
  history told(situations::euclidean_kind, shuffled(groups(10, 300, 0.3)), 300, params, random);
  told.apply(operation::build);
  for (std::size_t i = 0; i < 15; ++i) told.apply(operation::update_few);
  interview asked(told, random);
  asked.ask_for_themselves();
  asked.ask_nearest(10);
  asked.ask_graph();
  check(asked);
}

// clip-retrieval 76
TEST_CASE("Tuning says whether queries of another distribution are found") {
  const auto rows = shuffled(groups(20, 100, 0.3, 16));
  scene s(situations::euclidean_kind, rows);
  matrix<float> queries = slice(rows, 0, 200);
  for (float& x : std::span(queries.data(), queries.rows() * queries.cols())) x = 6 - 0.3f * x;
  const auto tuned = s.told.index().tune(queries, 0.95, 10);
  if (tuned.reached)
    CHECK(situations::share_found(s.told, queries, 10, s.told.rows().all(), tuned.params).value() >= 0.93);
}

// milvus 51821
TEST_CASE("The greatest inner products are found where norms differ much, also many of them") {
  dice random(6, 0);
  auto rows = groups(2000, 1, 0);
  for (std::size_t i = 0; i < 2000; ++i) {
    const auto norm = static_cast<float>(std::exp(random.normal()));
    for (float& x : rows.row(i)) x *= norm;
  }
  scene s(situations::inner_product_kind, rows);
  s.asked.ask_nearest(1);
  s.asked.ask_nearest(10);
  for (const std::size_t k : {100u, 200u}) {
    const share found = situations::share_found(s.told, s.asked.places(20), k, s.told.rows().all());
    s.asked.note("k = " + std::to_string(k), found.value(), situations::least_recall_of_many);
  }
  check(s.asked);
}

// pynndescent 99
TEST_CASE("Sets of few members are found") {
  dice random(10, 0);
  matrix<float> rows(1500, 800);
  for (std::size_t i = 0; i < 1500; ++i)
    for (std::size_t j = 0; j < 800; ++j) rows(i, j) = random.chance(1.7 / 800) ? 1.0f : 0.0f;
  scene s(situations::sets_kind, rows);
  s.asked.ask_for_themselves();
  s.asked.ask_nearest(3);
  s.asked.ask_nearest(10);
  s.asked.note("lists of the graph", situations::share_of_graph(s.told.index(), s.told.rows(), 15).value(),
               situations::least_of_graph);
  check(s.asked);
}

TEST_CASE("Indexes of up to five rows find all of them, also fewer than are asked for") {
  for (const kind* of : all_kinds)
    for (std::size_t n = 0; n <= 5; ++n) {
      INFO(of->name << ", " << n << " rows");
      dice random(n, 0);
      matrix<float> rows(n, 8), queries(1, 8, 1);
      for (float& x : std::span(rows.data(), n * 8)) x = random.chance(0.5) ? 1.0f : 0.0f;
      scene s(*of, rows);
      const auto found = situations::share_found(s.told, queries, 7, s.told.rows().all());
      CHECK(found.found == n);
      CHECK(found.expected == n);
    }
}

TEST_CASE("Rows are found once all were erased and inserted again in another order") {
  for (const kind* of : {&situations::euclidean_kind, &situations::cosine_sq8_kind}) {
    INFO(of->name);
    scene s(*of, shuffled(groups(10, 100, 0.3)));
    s.told.apply(operation::reinsert_all);
    s.asked.ask_for_themselves();
    s.asked.ask_nearest(10);
    check(s.asked);
  }
}
