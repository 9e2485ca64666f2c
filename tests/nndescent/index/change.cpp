#include "catch.hpp"
#include "message_of.hpp"
#include "nndescent/indexes.hpp"

#include <map>
#include <tuple>

using namespace annulus;
using graphs::infinity;
using graphs::not_a_number;
using indexes::clustered;
using indexes::count_of;
using indexes::rows_between;
using searches::same_bits;
using searches::well_formed;

namespace {

using float_rows = matrix<float>;

template <class Storage>
using index_over = nndescent_index<float_rows, euclidean, Storage>;

const nndescent_search_params narrow{.beam = 40}, wide{.beam = 200};

/// What an index holds, as plainly as it can be written.
class model {
 public:
  explicit model(std::size_t dim) : m_dim(dim) {}
  void insert(id_type id, std::span<const float> row) { m_rows[id].assign(row.begin(), row.end()); }
  void erase(id_type id) { m_rows.erase(id); }
  std::size_t size() const { return m_rows.size(); }
  bool holds(id_type id) const { return m_rows.contains(id); }
  const std::vector<float>& row(id_type id) const { return m_rows.at(id); }
  id_type any(std::size_t number) const {
    return std::next(m_rows.begin(), static_cast<std::ptrdiff_t>(number % size()))->first;
  }
  neighbors search(const float_rows& queries, std::size_t k) const {
    float_rows rows(size(), m_dim);
    std::vector<id_type> ids;
    for (const auto& [id, row] : m_rows) {
      std::ranges::copy(row, rows.row(ids.size()).begin());
      ids.push_back(id);
    }
    auto found = knn(rows, queries, k);
    for (id_type& id : std::span(found.ids.data(), queries.rows() * k)) id = id == no_id ? no_id : ids[id];
    return found;
  }
  /// Ids that are not held, and distances that are not those of the rows.
  std::size_t wrong(const neighbors& found, const float_rows& queries) const {
    std::size_t n_wrong = 0;
    for (std::size_t i = 0; i < queries.rows(); ++i)
      for (std::size_t j = 0; j < found.ids.cols(); ++j) {
        const id_type id = found.ids(i, j);
        if (id == no_id) continue;
        n_wrong += !holds(id) || found.distances(i, j) != euclidean{}(queries.row(i).data(), row(id).data(), m_dim);
      }
    return n_wrong;
  }
  /// Entries of a k-NN graph that name rows that are not held, or not their distances, and lists of other ids than
  /// those that are held.
  template <class Index>
  std::size_t wrong_edges(const Index& index) const {
    const neighbors graph = index.graph();
    const std::vector<id_type> ids = index.ids();
    std::size_t n_wrong = ids.size() != size() || graph.ids.rows() != size();
    for (std::size_t i = 0; i < std::min(ids.size(), graph.ids.rows()); ++i) {
      n_wrong += !holds(ids[i]) || (i > 0 && ids[i] <= ids[i - 1]);
      for (std::size_t j = 0; j < graph.ids.cols(); ++j) {
        const id_type id = graph.ids(i, j);
        if (id == no_id) continue;
        n_wrong += !holds(id) || id == ids[i] ||
                   graph.distances(i, j) != euclidean{}(row(ids[i]).data(), row(id).data(), m_dim);
      }
    }
    return n_wrong;
  }

 private:
  std::size_t m_dim;
  std::map<id_type, std::vector<float>> m_rows;
};

/// How many of some rows, whose ids follow each other, are not the first answer to a search for themselves.
template <class Index>
std::size_t lost(const Index& index, const float_rows& rows, id_type first,
                 const nndescent_search_params& params = wide) {
  const auto found = index.search(rows, 1, params);
  std::size_t count = 0;
  for (std::size_t i = 0; i < rows.rows(); ++i) count += found.ids(i, 0) != first + i && found.distances(i, 0) != 0;
  return count;
}

const indexes::split<float>& data() {
  static const auto made = clustered<float>(1500, 12, 60, 15);
  return made;
}

}  // namespace

// ---- Insert ---------------------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("insert returns the id of the first row", "[nndescent_index]", full_precision, sq8) {
  index_over<TestType> index(rows_between(data().rows, 0, 300));
  CHECK(index.insert(rows_between(data().rows, 300, 301)) == 300);
  CHECK(index.insert(float_rows(0, 12)) == 301);
  CHECK(index.insert(rows_between(data().rows, 301, 400)) == 301);
  CHECK(index.insert(data().rows.row(400)) == 400);
  CHECK(index.size() == 401);
  CHECK(index.graph().ids.rows() == 401);
}

TEMPLATE_TEST_CASE("rows that are inserted are found", "[nndescent_index]", full_precision, half_precision, sq8) {
  index_over<TestType> index(rows_between(data().rows, 0, 1000));
  const auto more = rows_between(data().rows, 1000, 1500);
  index.insert(more);
  CHECK(lost(index, more, 1000) == 0);
  const auto found = index.search(data().queries, 10);
  CHECK(well_formed(found));
  CHECK(indexes::wrong_distances(found, data().rows, data().queries, euclidean{}) == 0);
  CHECK(recall(found, knn(data().rows, data().queries, 10), 10) >= 0.98);
}

TEMPLATE_TEST_CASE("an index without rows grows", "[nndescent_index]", full_precision, half_precision, sq8) {
  index_over<TestType> index(float_rows(0, 12));
  CHECK(index.insert(data().rows.row(0)) == 0);
  CHECK(index.search(data().queries, 3).ids(0, 0) == 0);
  CHECK(index.insert(rows_between(data().rows, 1, 1500)) == 1);
  CHECK(lost(index, data().rows, 0) == 0);
  const auto found = index.search(data().queries, 10);
  CHECK(indexes::wrong_distances(found, data().rows, data().queries, euclidean{}) == 0);
  CHECK(recall(found, knn(data().rows, data().queries, 10), 10) >= 0.98);
}

TEST_CASE("an index of scales per dimension grows from nothing", "[nndescent_index]") {
  nndescent_index index(float_rows(0, 12), euclidean{}, {}, sq8{scalar_scales::per_dimension});
  index.insert(data().rows);
  const auto found = index.search(data().queries, 10, narrow);
  CHECK(recall(found, knn(data().rows, data().queries, 10), 10) >= 0.9);
}

TEST_CASE("an index grows from one row by duplicates", "[nndescent_index]") {
  nndescent_index index(float_rows(1, 12, 2.5f));
  index.insert(float_rows(500, 12, 2.5f));
  const auto found = index.search(float_rows(1, 12, 2.5f), 501);
  CHECK(indexes::holds_all(found.ids.row(0), 501));
}

TEST_CASE("inserted rows far from all others are found", "[nndescent_index]") {
  nndescent_index index(rows_between(data().rows, 0, 1000));
  float_rows outliers(24, 12);
  for (std::size_t i = 0; i < 24; ++i) outliers(i, i / 2) = i % 2 == 0 ? 1e4f : -1e4f;
  index.insert(outliers);
  CHECK(lost(index, outliers, 1000) == 0);
}

TEST_CASE("outliers inserted around duplicates are in reach", "[nndescent_index]") {
  nndescent_index index(float_rows(200, 40));
  float_rows outliers(80, 40);
  for (std::size_t i = 0; i < 80; ++i) outliers(i, i / 2) = i % 2 == 0 ? 10.0f : -10.0f;
  index.insert(outliers);
  CHECK(lost(index, outliers, 200, {.beam = 280}) == 0);  // the duplicates are nearer than the next outlier
}

TEST_CASE("rows that are inserted one by one are in reach at any time", "[nndescent_index]") {
  nndescent_index index(float_rows(200, 40));
  float_rows outliers(80, 40);
  for (std::size_t i = 0; i < 80; ++i) outliers(i, i / 2) = i % 2 == 0 ? 10.0f : -10.0f;
  std::size_t n_lost = 0;
  for (std::size_t i = 0; i < 80; ++i) {
    index.insert(outliers.row(i));
    n_lost += lost(index, rows_between(outliers, 0, i + 1), 200, {.beam = 280});
  }
  CHECK(n_lost == 0);
}

TEST_CASE("an inserted cluster far from all others is found", "[nndescent_index]") {
  nndescent_index index(rows_between(data().rows, 0, 1000));
  auto more = rows_between(data().rows, 1000, 1500);
  for (float& x : std::span(more.data(), 500 * 12)) x += 500;
  index.insert(more);
  CHECK(lost(index, more, 1000) == 0);
  const auto found = index.search(more, 10, narrow);
  CHECK(recall(found, knn(more, more, 10), 10) >= 0.97);
}

TEST_CASE("the k-NN graph takes inserted rows in", "[nndescent_index]") {
  nndescent_index index(rows_between(data().rows, 0, 1000), euclidean{}, {.n_neighbors = 15});
  index.insert(rows_between(data().rows, 1000, 1500));
  const auto graph = index.graph();
  CHECK(graph.ids.rows() == 1500);
  CHECK(graphs::well_formed(graph));
  CHECK(estimate_recall(graph, data().rows, euclidean{}, {.n_samples = 300}) >=
        0.85);  // a row near a new one may not be near to it
}

TEMPLATE_TEST_CASE("an insert that is refused changes nothing", "[nndescent_index]", full_precision, sq8) {
  index_over<TestType> index(rows_between(data().rows, 0, 500));
  const auto before = index.search(data().queries, 10);
  const auto graph = index.graph();
  for (const float bad : {not_a_number, infinity}) {
    auto rows = rows_between(data().rows, 500, 510);
    rows(4, 2) = bad;
    CHECK_THAT(message_of([&] { index.insert(rows); }), ContainsSubstring("row 4, coordinate 2"));
    CHECK_THROWS_AS(index.update(3, rows.row(4)), std::invalid_argument);
  }
  CHECK_THAT(message_of([&] { index.insert(float_rows(3, 11)); }), ContainsSubstring("dimension = 11"));
  CHECK_THAT(message_of([&] { index.update(3, std::vector<float>(11)); }), ContainsSubstring("dimension = 11"));
  CHECK(index.size() == 500);
  CHECK(same_bits(index.search(data().queries, 10), before));
  CHECK(same_bits(index.graph(), graph));
}

// ---- Erase ----------------------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("an erased row is not returned again", "[nndescent_index]", full_precision, sq8) {
  index_over<TestType> index(data().rows);
  std::vector<bool> is_left(1500, true);
  std::size_t size = 1500;
  for (std::size_t i = 0; i < 1500; i += 3) {
    index.erase(static_cast<id_type>(i));
    is_left[i] = false;
    CHECK(index.size() == --size);
    if (i % 100 != 0) continue;
    for (const nndescent_search_params& params : {nndescent_search_params{}, narrow}) {
      const auto found = index.search(data().queries, 10, params);
      CHECK(well_formed(found));
      CHECK(std::ranges::all_of(std::span(found.ids.data(), 600), [&](id_type id) { return is_left[id]; }));
      CHECK(recall(found, knn(data().rows, data().queries, 10, euclidean{}, {.filter = is_left}), 10) >= 0.97);
    }
  }
  const auto balls = index.radius_search(data().queries, 5);
  CHECK(std::ranges::all_of(balls.indices, [&](std::int32_t id) { return is_left[static_cast<std::size_t>(id)]; }));
  CHECK(balls.n_columns == 1500);
}

TEST_CASE("a row that is not there is not erased or updated", "[nndescent_index]") {
  nndescent_index index(rows_between(data().rows, 0, 100));
  index.erase(7);
  for (const id_type id : {id_type{7}, id_type{100}, no_id}) {
    CHECK_THAT(message_of([&] { index.erase(id); }), ContainsSubstring("id = " + std::to_string(id)));
    CHECK_THAT(message_of([&] { index.update(id, data().rows.row(0)); }),
               ContainsSubstring("id = " + std::to_string(id)));
  }
  CHECK(index.size() == 99);
}

TEMPLATE_TEST_CASE("an index whose rows were all erased is empty, and grows again", "[nndescent_index]", full_precision,
                   sq8) {
  index_over<TestType> index(rows_between(data().rows, 0, 400));
  for (std::size_t i = 0; i < 400; ++i) index.erase(static_cast<id_type>((7 * i) % 400));
  CHECK(index.size() == 0);
  CHECK(same_bits(index.search(data().queries, 5), neighbors(60, 5)));
  CHECK(same_bits(index.search(data().queries, 5, {.filter = std::vector<bool>(400, true)}), neighbors(60, 5)));
  CHECK(index.radius_search(data().queries, infinity).indices.empty());
  CHECK(index.graph().ids.rows() == 0);
  CHECK(index.ids().empty());
  index.consolidate();
  const auto more = rows_between(data().rows, 500, 1200);
  CHECK(index.insert(more) == 400);
  CHECK(index.size() == 700);
  CHECK(lost(index, more, 400) == 0);
  const auto found = index.search(data().queries, 10, narrow);
  CHECK(recall(found, knn(more, data().queries, 10), 10) >= 0.95);
}

TEST_CASE("where a cluster was erased the others are found", "[nndescent_index]") {
  auto rows = clustered<float>(2000, 8, 0, 1).rows;
  for (std::size_t i = 0; i < 2000; ++i)
    for (float& x : rows.row(i)) x += 100 * static_cast<float>(i % 4);
  nndescent_index index(rows);
  for (std::size_t i = 0; i < 2000; i += 4) index.erase(static_cast<id_type>(i));
  index.consolidate();
  const auto query = rows_between(rows, 0, 1);
  const auto found = index.search(query, 10, {.beam = 10});
  CHECK(count_of(found.ids.row(0)) == 10);
  CHECK(std::ranges::all_of(found.ids.row(0), [](id_type id) { return id % 4 == 1; }));
  std::vector<bool> is_left(2000, true);
  for (std::size_t i = 0; i < 2000; i += 4) is_left[i] = false;
  float_rows queries(500, 8);
  for (std::size_t i = 0; i < 500; ++i) std::ranges::copy(rows.row(4 * i), queries.row(i).begin());
  const auto balls = index.radius_search(queries, 400);
  std::size_t missed = 0;
  for (std::size_t i = 0; i < 500; ++i) missed += balls.indptr[i + 1] - balls.indptr[i] < 490;
  CHECK(missed == 0);
  const auto near = index.search(queries, 10);
  CHECK(recall(near, knn(rows, queries, 10, euclidean{}, {.filter = is_left}), 10) >= 0.95);
}

TEMPLATE_TEST_CASE("consolidating keeps all rows in reach", "[nndescent_index]", full_precision, sq8) {
  index_over<TestType> index(data().rows);
  for (std::size_t i = 0; i < 1500; ++i)
    if (i % 10 != 3) index.erase(static_cast<id_type>(i));
  index.consolidate();
  CHECK(index.size() == 150);
  float_rows left(150, 12);
  for (std::size_t i = 0; i < 150; ++i) std::ranges::copy(data().rows.row(10 * i + 3), left.row(i).begin());
  const auto found = index.search(left, 1, {.beam = 30});
  std::size_t missed = 0;
  for (std::size_t i = 0; i < 150; ++i) missed += found.ids(i, 0) != 10 * i + 3;
  CHECK(missed == 0);
  CHECK(index.search(left, 150).ids(0, 149) != no_id);
}

TEST_CASE("consolidating an index without erased rows changes nothing", "[nndescent_index]") {
  nndescent_index index(data().rows);
  const auto before = index.search(data().queries, 10, narrow);
  index.consolidate();
  CHECK(same_bits(index.search(data().queries, 10, narrow), before));
}

// ---- Update ---------------------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("an updated row is found where it is now", "[nndescent_index]", full_precision, sq8) {
  index_over<TestType> index(rows_between(data().rows, 0, 1000));
  auto rows = rows_between(data().rows, 0, 1000);
  for (std::size_t i = 0; i < 1000; i += 2) {
    std::ranges::copy(data().rows.row(1000 + i / 2), rows.row(i).begin());
    index.update(static_cast<id_type>(i), rows.row(i));
  }
  CHECK(index.size() == 1000);
  CHECK(lost(index, rows, 0) == 0);
  for (const nndescent_search_params& params : {nndescent_search_params{}, narrow}) {
    const auto found = index.search(data().queries, 10, params);
    CHECK(well_formed(found));
    CHECK(indexes::wrong_distances(found, rows, data().queries, euclidean{}) == 0);
    CHECK(recall(found, knn(rows, data().queries, 10), 10) >= 0.97);
  }
}

TEST_CASE("the k-NN graph holds no distance to where an updated row was", "[nndescent_index]") {
  nndescent_index index(rows_between(data().rows, 0, 300), euclidean{}, {.n_neighbors = 10});
  model expected(12);
  for (id_type i = 0; i < 300; ++i) expected.insert(i, data().rows.row(i));
  const auto updates = [&](id_type id, std::span<const float> row) {
    index.update(id, row);
    expected.insert(id, row);
  };
  updates(5, data().rows.row(1400));
  CHECK(expected.wrong_edges(index) == 0);
  updates(5, data().rows.row(5));
  CHECK(expected.wrong_edges(index) == 0);
  CHECK(graphs::well_formed(index.graph()));
}

TEST_CASE("the only row of an index is updated", "[nndescent_index]") {
  nndescent_index index(rows_between(data().rows, 0, 1));
  for (std::size_t i = 0; i < 10; ++i) index.update(0, data().rows.row(i));
  const auto found = index.search(data().rows.row(9), 2);
  CHECK(found.ids(0, 0) == 0);
  CHECK(found.distances(0, 0) == 0);
  CHECK(found.ids(0, 1) == no_id);
}

// ---- Many changes ---------------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("inserting and erasing a fifth costs no recall beside a rebuild", "[nndescent_index]",
                   full_precision, sq8) {
  const auto all = clustered<float>(4000, 16, 200, 40);
  index_over<TestType> index(rows_between(all.rows, 0, 3200));
  index.insert(rows_between(all.rows, 3200, 4000));
  std::vector<bool> is_left(4000, true);
  for (std::size_t i = 0; i < 4000; i += 5) {
    is_left[i] = false;
    index.erase(static_cast<id_type>(i));
  }
  index.consolidate();
  float_rows left(3200, 16);
  for (std::size_t i = 0, at = 0; i < 4000; ++i)
    if (is_left[i]) std::ranges::copy(all.rows.row(i), left.row(at++).begin());
  const index_over<TestType> rebuilt(left);
  const auto truth = knn(left, all.queries, 10);
  for (const std::size_t beam : {20u, 40u}) {
    CAPTURE(beam);
    const double changed = recall(index.search(all.queries, 10, {.beam = beam}), truth, 10);
    CHECK(changed >= recall(rebuilt.search(all.queries, 10, {.beam = beam}), truth, 10) - 0.01);
  }
}

TEMPLATE_TEST_CASE("changes and searches in any order agree with brute force", "[nndescent_index]", full_precision,
                   sq8) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const counter_random random(seed);
    const auto source = clustered<float>(1500, 6, 0, 10).rows;
    index_over<TestType> index(rows_between(source, 0, 100 * seed), {}, {.n_neighbors = 12});
    model expected(6);
    for (id_type i = 0; i < 100 * seed; ++i) expected.insert(i, source.row(i));
    std::size_t next = 100 * seed, wrong = 0, wrong_edges = 0, ill_formed = 0;
    double sum = 0, searches = 0;
    for (std::size_t step = 0; step < 1200; ++step) {
      const auto dice = random.below(3 * step, 100);
      const auto number = random.below(3 * step + 1, 1u << 20);
      const bool grows = step / 200 % 2 == 0;  // in turns, so that it gets small and large
      if (dice < (grows ? 50u : 15u)) {
        const std::size_t count = std::min<std::size_t>(1 + number % 3, 1500 - next % 1500);
        const auto rows = rows_between(source, next % 1500, next % 1500 + count);
        const id_type first = index.insert(rows);
        for (std::size_t i = 0; i < count; ++i) expected.insert(static_cast<id_type>(first + i), rows.row(i));
        next += count;
      } else if (dice < 75 && expected.size() > 0) {
        const id_type id = expected.any(number);
        index.erase(id);
        expected.erase(id);
      } else if (dice < 85 && expected.size() > 0) {
        const id_type id = expected.any(number);
        index.update(id, source.row(number % 1500));
        expected.insert(id, source.row(number % 1500));
      } else {
        const std::size_t first = number % 1480;
        const auto queries = rows_between(source, first, first + 8);
        const auto found =
            index.search(queries, 7, dice % 2 == 0 ? nndescent_search_params{.beam = 30} : nndescent_search_params{});
        wrong += expected.wrong(found, queries);
        ill_formed += !well_formed(found);
        if (expected.size() > 0) sum += recall(found, expected.search(queries, 7), 7);
        searches += expected.size() > 0;
      }
      if (step % 100 == 50) wrong_edges += expected.wrong_edges(index);
    }
    CAPTURE(seed);
    CHECK(index.size() == expected.size());
    CHECK(wrong == 0);
    CHECK(wrong_edges == 0);
    CHECK(ill_formed == 0);
    CHECK(sum / searches >= 0.97);
  }
}

// ---- Copies ---------------------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("a copy goes its own way", "[nndescent_index]", full_precision, sq8) {
  index_over<TestType> index(rows_between(data().rows, 0, 1000));
  const auto before = index.search(data().queries, 10);
  index_over<TestType> copy = index;
  index.insert(rows_between(data().rows, 1000, 1500));
  index.erase(0);
  const auto after = index.search(data().queries, 10);
  CHECK(copy.size() == 1000);
  CHECK(same_bits(copy.search(data().queries, 10), before));
  copy = index;
  CHECK(same_bits(copy.search(data().queries, 10), after));
  CHECK(same_bits(copy.graph(), index.graph()));
}

TEMPLATE_TEST_CASE("a moved index is the same index", "[nndescent_index]", full_precision, sq8) {
  index_over<TestType> index(rows_between(data().rows, 0, 1000));
  const auto before = index.search(data().queries, 10);
  index_over<TestType> moved = std::move(index);
  CHECK(same_bits(moved.search(data().queries, 10), before));
  index_over<TestType> other(rows_between(data().rows, 0, 3));
  other = std::move(moved);
  CHECK(same_bits(other.search(data().queries, 10), before));
  CHECK(other.insert(rows_between(data().rows, 1000, 1010)) == 1000);
}

TEST_CASE("changed indexes are the same whatever the threads that built them", "[nndescent_index]") {
  std::vector<neighbors> found, lists;
  for (const std::size_t threads : {1u, 3u}) {
    nndescent_index index(rows_between(data().rows, 0, 1000), euclidean{}, {.threads = threads});
    index.insert(rows_between(data().rows, 1000, 1500));
    for (id_type id = 0; id < 600; ++id) index.erase(2 * id);
    found.push_back(index.search(data().queries, 10, narrow));
    lists.push_back(index.graph());
  }
  CHECK(same_bits(found[0], found[1]));
  CHECK(same_bits(lists[0], lists[1]));
}

TEMPLATE_TEST_CASE("rows that are inserted make the same index whatever the threads", "[nndescent_index]",
                   full_precision, sq8) {
  const nndescent_params params{.n_neighbors = 10, .pruning_degree_multiplier = 0.4};  // edges are full
  index_over<TestType> start(rows_between(data().rows, 0, 700), {}, params);
  for (id_type id = 0; id < 400; id += 3) start.erase(id);
  const auto more = indexes::joined(rows_between(data().rows, 600, 1500), rows_between(data().rows, 0, 300));
  const auto changed_by = [&](std::size_t threads) {
    index_over<TestType> index = start;
    index.insert(more, {.threads = threads});
    return std::tuple(index.search(data().queries, 10, {.beam = 10}), index.graph(), index.ids());
  };
  const auto expected = changed_by(1);
  for (const std::size_t threads : {0u, 2u, 3u, 8u}) {
    CAPTURE(threads);
    CHECK(changed_by(threads) == expected);
  }
}

// ---- Copies of rows -------------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("rows that are equal have ids of their own", "[nndescent_index]", full_precision, sq8) {
  const auto some = rows_between(data().rows, 0, 500), twice = rows_between(data().rows, 100, 200);
  index_over<TestType> index(indexes::joined(some, twice));  // ids 500 to 599 are copies of 100 to 199
  CHECK(index.insert(twice) == 600);
  CHECK(index.size() == 700);
  const auto copies_of = [&](std::size_t i) {
    const auto found = index.search(twice.row(i), 8);
    const auto end = std::ranges::upper_bound(found.distances.row(0), 0.0f);
    return std::vector<id_type>(found.ids.row(0).begin(),
                                found.ids.row(0).begin() + (end - found.distances.row(0).begin()));
  };
  for (id_type i = 0; i < 100; i += 7) CHECK(copies_of(i) == std::vector<id_type>{100 + i, 500 + i, 600 + i});
  CHECK(well_formed(index.graph()));

  index.erase(507);
  CHECK(index.size() == 699);
  CHECK(copies_of(7) == std::vector<id_type>{107, 607});
  CHECK_THROWS_AS(index.erase(507), std::invalid_argument);

  index.update(3, twice.row(14));  // a fourth
  CHECK(copies_of(14) == std::vector<id_type>{3, 114, 514, 614});
  index.update(3, some.row(3));
  CHECK(copies_of(14) == std::vector<id_type>{114, 514, 614});
  CHECK(index.search(some.row(3), 1).ids(0, 0) == 3);
  for (const id_type id : {114u, 514u, 614u}) index.erase(id);
  CHECK(copies_of(14).empty());
  CHECK(index.insert(twice.row(14)) == 700);
  CHECK(copies_of(14) == std::vector<id_type>{700});
}

TEST_CASE("a filter decides by id also among copies", "[nndescent_index]") {
  const auto some = rows_between(data().rows, 0, 400);
  const nndescent_index index(indexes::joined(some, some));
  const auto is_second = [](id_type id) { return id >= 400; };
  std::vector<id_type> list(400);
  std::iota(list.begin(), list.end(), id_type{400});
  for (const id_filter& filter : {id_filter(is_second), id_filter::of(list)}) {
    const auto found = index.search(some, 2, {.filter = filter});
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < 400; ++i) wrong += found.ids(i, 0) != 400 + i || found.ids(i, 1) < 400;
    CHECK(wrong == 0);
    const auto one = index.search(some.row(9), 2, {.filter = filter});
    CHECK(one.ids(0, 0) == 409);
    const auto balls = index.radius_search(some, 0, {.filter = filter});
    CHECK(balls.indices.size() == 400);
    CHECK(std::ranges::all_of(balls.indices, [](std::int32_t id) { return id >= 400; }));
  }
}

TEMPLATE_TEST_CASE("the k-NN graph of copies lists each of them", "[nndescent_index]", euclidean, inner_product) {
  auto rows = rows_between(data().rows, 0, 600);
  for (std::size_t i = 0; i < 600; ++i)
    if (i % 5 != 0) std::ranges::copy(rows.row(i - i % 5), rows.row(i).begin());
  nndescent_index index(rows, TestType{}, {.n_neighbors = 12});
  const auto check = [&](const float_rows& all) {
    const auto graph = index.graph();
    CHECK(graphs::well_formed(graph));
    CHECK(graphs::holes(graph) == 0);
    CHECK(indexes::wrong_distances(graph, all, all, TestType{}) == 0);
    CHECK(estimate_recall(graph, all, TestType{}, {.n_samples = 300}) >= 0.95);
  };
  check(rows);
  index.insert(rows_between(rows, 0, 200));
  check(indexes::joined(rows, rows_between(rows, 0, 200)));
}
