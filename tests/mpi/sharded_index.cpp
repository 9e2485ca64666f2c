#include "catch.hpp"
#include "message_of.hpp"
#include "shards.hpp"

#include <annulus/knn/flat_index.hpp>
#include <annulus/mpi/sharded_index.hpp>
#include <annulus/nndescent/index.hpp>

#include <map>

namespace {

using annulus::matrix;
using annulus::mpi::communicator;
using annulus::mpi::global_neighbors;
using flat = annulus::flat_index<matrix<float>>;
using graph = annulus::nndescent_index<matrix<float>>;
template <class Index>
using sharded = annulus::mpi::sharded_index<Index>;

template <class Index>
sharded<Index> shards_of(const communicator& comm, annulus::matrix_view<float> rows) {
  return sharded<Index>(comm.get(), [&] { return Index(part_of(rows, comm)); });
}

// The answer of one index with all rows, by 64-bit ids.
global_neighbors by_global_ids(const annulus::neighbors& found) {
  global_neighbors result(found.ids.rows(), found.ids.cols());
  for (std::size_t i = 0; i < found.ids.rows(); ++i)
    for (std::size_t j = 0; j < found.ids.cols(); ++j)
      if (found.ids(i, j) != annulus::no_id) {
        result.ids(i, j) = found.ids(i, j);
        result.distances(i, j) = found.distances(i, j);
      }
  return result;
}

// At the root the wanted answer, on other ranks one of no rows.
bool is_answer(const communicator& comm, int root, const global_neighbors& found, const global_neighbors& wanted) {
  return comm.rank() == root ? found == wanted : found.ids.rows() == 0 && found.coverage == 1;
}

TEST_CASE("exact shards answer as one index does, whatever the number of ranks and the root") {
  const communicator comm;
  const auto rows = normal_rows(300, 8, 1), queries = normal_rows(23, 8, 2);
  const flat whole(rows);
  auto index = shards_of<flat>(comm, rows);
  CHECK(index.size() == 300);
  CHECK(index.dim() == 8);
  CHECK(index.n_ids() == 300);
  CHECK(index.memory_bytes() == 300 * 8 * sizeof(float));
  for (int root = 0; root < comm.size(); ++root)
    for (const std::size_t k : {1, 10, 299, 301}) {
      const auto asked = comm.rank() == root ? annulus::matrix_view<float>(queries) : annulus::matrix_view<float>();
      CHECK(is_answer(comm, root, index.search(asked, k, {}, {.root = root}), by_global_ids(whole.search(queries, k))));
    }
  CHECK(index.search({}, 3).ids.rows() == 0);
}

// Squares that differ by a unit in the last place have the same root. Rows are far from their order by distance.
TEST_CASE("rows whose distances differ in their squares alone are ordered by their ids") {
  const communicator comm;
  constexpr std::size_t n = 400, k = 25;
  matrix<float> rows(n, 2);
  for (std::size_t i = 0; i < n; ++i) {
    rows(i, 0) = 2;
    rows(i, 1) = std::sqrt(static_cast<float>((i * 271) % n / 2) * 4.7683716e-7f);
  }
  const matrix<float> query(1, 2);
  const auto all = flat(rows).search(query, n);
  std::vector<found_row> ordered;
  for (std::size_t j = 0; j < n; ++j) ordered.push_back({all.distances(0, j), all.ids(0, j)});
  REQUIRE_FALSE(std::ranges::is_sorted(ordered));  // by distance and id: there are such ties
  global_neighbors wanted(1, k);
  write_first(ordered, 0, wanted);
  auto index = shards_of<flat>(comm, rows);
  CHECK(is_answer(comm, 0, index.search(query, k), wanted));
}

TEST_CASE("equal rows are found in the order of their ids") {
  const communicator comm;
  const matrix<float> rows(200, 3);
  auto index = shards_of<flat>(comm, rows);
  global_neighbors wanted(2, 150);
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 150; ++j) {
      wanted.ids(i, j) = static_cast<std::int64_t>(j);
      wanted.distances(i, j) = 0;
    }
  CHECK(is_answer(comm, 0, index.search(matrix<float>(2, 3), 150), wanted));
}

TEST_CASE("shards of graphs answer with the nearest of what each of them finds") {
  const communicator comm;
  const auto rows = normal_rows(500, 6, 3), queries = normal_rows(40, 6, 4);
  auto index = shards_of<graph>(comm, rows);
  const annulus::nndescent_search_params params{.beam = 12};
  const auto wanted = merged_by_sorting(comm, index.shard().search(queries, 7, params),
                                        [&](annulus::id_type id) { return index.global_id(id); });
  CHECK(is_answer(comm, 0, index.search(queries, 7, params), wanted));
}

TEST_CASE("each rank has the answers of its own queries") {
  const communicator comm;
  const auto rows = normal_rows(200, 5, 5);
  auto index = shards_of<flat>(comm, rows);
  const auto own = static_cast<std::size_t>(comm.rank());
  const auto queries = normal_rows(3 * own, 5, 6 + own);  // rank 0 has none
  CHECK(index.search_each(queries, 9) == by_global_ids(flat(rows).search(queries, 9)));
}

TEST_CASE("a filter is asked about global ids") {
  const communicator comm;
  const auto rows = normal_rows(200, 5, 7), queries = normal_rows(10, 5, 8);
  auto index = shards_of<flat>(comm, rows);
  const auto passes = [](auto id) { return id % 7 == 3; };
  const auto wanted = by_global_ids(flat(rows).search(queries, 6, {.filter = annulus::id_filter(passes)}));
  CHECK(is_answer(comm, 0, index.search(queries, 6, {}, {.filter = passes}), wanted));
  const auto found = index.search_each(queries, 6, {}, passes);
  CHECK(found == wanted);
}

TEST_CASE("rows within a radius are gathered from all shards") {
  const communicator comm;
  const auto rows = normal_rows(300, 3, 9), queries = normal_rows(8, 3, 10);
  auto index = shards_of<graph>(comm, rows);
  const auto found = index.radius_search(queries, 0.8f, {.beam = 200});
  if (comm.rank() != 0) {
    CHECK(found.indptr.empty());
    return;
  }
  const auto all = flat(rows).search(queries, 300);
  REQUIRE(found.indptr.size() == 9);
  for (std::size_t i = 0; i < 8; ++i) {
    std::vector<std::int64_t> wanted;
    for (std::size_t j = 0; j < 300 && all.distances(i, j) <= 0.8f; ++j) wanted.push_back(all.ids(i, j));
    CHECK(std::vector(found.ids.begin() + found.indptr[i], found.ids.begin() + found.indptr[i + 1]) == wanted);
  }
}

TEST_CASE("batches searched for at once are answered one after the other") {
  const communicator comm;
  const auto rows = normal_rows(300, 4, 11);
  const flat whole(rows);
  auto index = shards_of<flat>(comm, rows);
  std::vector<matrix<float>> batches;
  std::vector<annulus::mpi::pending_search> pending;
  for (std::size_t b = 0; b < 4; ++b) {
    batches.push_back(normal_rows(300 * b + 1, 4, 12 + b));
    pending.push_back(index.search_async(batches.back(), 5));
  }
  for (std::size_t b = 0; b < 4; ++b)
    CHECK(is_answer(comm, 0, pending[b].get(), by_global_ids(whole.search(batches[b], 5))));
  CHECK_THROWS_AS(pending[0].get(), std::logic_error);  // a second time
  { const auto dropped = index.search_async(batches[1], 3); }
  CHECK(is_answer(comm, 0, index.search(batches[1], 5), by_global_ids(whole.search(batches[1], 5))));
}

// An index of few rows, searched for all of them, returns each: the model is a map of rows.
TEST_CASE("insertions, erasures and updates are those of a model") {
  const communicator comm;
  const auto start = normal_rows(40, 3, 20);
  auto index = shards_of<graph>(comm, start);
  std::map<std::int64_t, std::vector<float>> model;
  const auto insert_into_model = [&](std::int64_t first, annulus::matrix_view<float> rows) {
    for (std::size_t i = 0; i < rows.rows(); ++i)
      model[first + static_cast<std::int64_t>(i)].assign(rows.row(i).begin(), rows.row(i).end());
  };
  insert_into_model(0, start);
  const auto query = normal_rows(1, 3, 21);
  const annulus::counter_random random(22);
  std::int64_t next = 40;
  for (std::uint64_t step = 0; step < 24; ++step) {
    const std::uint64_t some = random.below(step, 8);
    if (step % 4 == 0) {  // the same rows are known on all ranks, each gives a part
      const auto rows = normal_rows(some + 1, 3, 100 + step);
      CHECK(index.insert_from(static_cast<int>(step / 4) % comm.size(), rows) == next);
      insert_into_model(next, rows);
      next += static_cast<std::int64_t>(rows.rows());
    } else if (step % 4 == 1) {
      const auto rows = normal_rows(5, 3, 100 + step);
      const auto own = part_of(rows, comm);
      CHECK(index.insert(own) == next + comm.exclusive_sum(static_cast<std::int64_t>(own.rows())));
      insert_into_model(next, rows);
      next += 5;
    } else {
      auto chosen = std::next(model.begin(), static_cast<std::ptrdiff_t>(random.below(1000 + step, model.size())));
      if (step % 4 == 2) {
        const auto row = normal_rows(1, 3, 100 + step);
        index.update(chosen->first, row);
        chosen->second.assign(row.row(0).begin(), row.row(0).end());
      } else {
        index.erase(chosen->first);
        const std::int64_t gone = chosen->first;
        model.erase(chosen);
        CHECK(
            message_of([&] { index.erase(gone); }).ends_with("id = " + std::to_string(gone) + ": is not in the index"));
      }
    }
    if (step == 13) index.consolidate();
    CHECK(index.size() == model.size());
    CHECK(index.n_ids() == next);
    global_neighbors wanted(1, 100);
    std::vector<found_row> all;
    for (const auto& [id, row] : model)
      all.push_back({flat(annulus::matrix_view<float>(row.data(), 1, 3)).search(query, 1).distances(0, 0), id});
    write_first(all, 0, wanted);
    CHECK(is_answer(comm, 0, index.search(query, 100), wanted));
  }
}

TEST_CASE("rows of the root go to the smaller shards") {
  const communicator comm;
  auto index = shards_of<flat>(comm, normal_rows(40, 2, 30));
  index.insert_from(0, normal_rows(400, 2, 31));
  const auto [least, most] = std::ranges::minmax(index.sizes());
  CHECK(most - least <= 1);
}

TEST_CASE("where one rank cannot insert none has") {
  const communicator comm;
  const auto rows = normal_rows(60, 3, 32), queries = normal_rows(5, 3, 33);
  const auto changes_nothing = [&](auto& index) {
    const auto before = index.search(queries, 200);
    auto added = normal_rows(4, 3, 34);
    if (comm.rank() == comm.size() - 1) added(2, 1) = std::numeric_limits<float>::quiet_NaN();
    const std::string message = message_of([&] { index.insert(added); });
    CHECK(message.starts_with("rank " + std::to_string(comm.size() - 1) + ": "));
    CHECK(index.size() == 60);
    CHECK(index.n_ids() == 60);
    CHECK(index.search(queries, 200) == before);
    CHECK(index.insert(normal_rows(1, 3, 35)) == 60 + comm.rank());  // and goes on
    CHECK(index.size() == 60 + static_cast<std::size_t>(comm.size()));
    const auto found = index.search(queries, 200);
    if (comm.rank() == 0) CHECK(found.ids(0, index.size() - 1) >= 0);
  };
  auto exact = shards_of<flat>(comm, rows);
  changes_nothing(exact);
  auto walked = shards_of<graph>(comm, rows);
  changes_nothing(walked);
}

TEST_CASE("what one rank throws all throw, and the index goes on") {
  const communicator comm;
  const int last = comm.size() - 1;
  const std::string of_last = "rank " + std::to_string(last) + ": ";
  CHECK(message_of<std::runtime_error>([&] {
          sharded<flat>(comm.get(), [&]() -> flat {
            if (comm.rank() == last) throw std::runtime_error("no rows here");
            return flat(3);
          });
        }) == of_last + "no rows here");
  const auto rows = normal_rows(100, 3, 40), queries = normal_rows(4, 3, 41);
  auto index = shards_of<flat>(comm, rows);
  CHECK_THAT(message_of([&] { index.search(queries, 0); }), ContainsSubstring("k = 0: must be at least 1"));
  CHECK_THAT(message_of([&] { index.search(normal_rows(4, 5, 1), 3); }),
             ContainsSubstring("query dimension = 5: must equal the index's 3"));
  CHECK_THAT(message_of([&] { index.search(queries, 3, {}, {.deadline = -1}); }), ContainsSubstring("deadline = -1"));
  if (comm.size() > 1) {
    CHECK(message_of([&] { index.search(queries, comm.rank() == last ? 4 : 3); }) ==
          of_last + "annulus: k = 4: must be the same on all ranks; the root has 3");
    const double target = comm.rank() == last ? 7 : 1;  // params of a rank are its own
    CHECK(message_of([&] { index.search(queries, 3, {.recall_target = target}); }).starts_with(of_last));
    const std::string roots = "must be the same on all ranks; another one has 0";
    CHECK_THAT(message_of([&] { index.search(queries, 3, {}, {.root = comm.rank()}); }), ContainsSubstring(roots));
    CHECK_THAT(message_of([&] { index.insert_from(comm.rank(), rows); }), ContainsSubstring(roots));
    auto pending = index.search_async(queries, 3, {.recall_target = target});
    CHECK(message_of([&] { pending.get(); }).starts_with(of_last));
    CHECK_THAT(message_of([&] { sharded<flat>(comm.get(), [&] { return flat(comm.rank() == last ? 2 : 3); }); }),
               ContainsSubstring("dimension = 2: must be the same on all ranks; rank 0 has 3"));
  }
  for (const int root : {-1, comm.size()}) {
    const std::string of_root = "annulus: root = " + std::to_string(root) + ": must be a rank, from 0 to ";
    CHECK(message_of([&] { index.search(queries, 3, {}, {.root = root}); }).starts_with(of_root));
    CHECK(message_of([&] { index.search(queries, 3, {}, {.root = root, .deadline = 1}); }).starts_with(of_root));
    CHECK(message_of([&] { index.insert_from(root, queries); }).starts_with(of_root));
  }
  for (const std::size_t k : {std::size_t{1} << 27, std::size_t{1} << 62, std::numeric_limits<std::size_t>::max()}) {
    CHECK_THAT(message_of([&] { index.search(queries, k); }), ContainsSubstring("must be at most 67108864"));
    CHECK_THAT(message_of([&] { index.search_each(queries, k); }), ContainsSubstring("must be at most 67108864"));
  }
  CHECK(is_answer(comm, 0, index.search(queries, 3), by_global_ids(flat(rows).search(queries, 3))));
}

TEST_CASE("a radius of another rank than the root's is refused, and a deadline refused by one does no harm") {
  const communicator comm;
  if (comm.size() == 1) return;
  const int last = comm.size() - 1;
  const auto rows = normal_rows(60, 3, 50), queries = normal_rows(4, 3, 51);
  auto index = shards_of<graph>(comm, rows);
  CHECK(message_of([&] { index.radius_search(queries, comm.rank() == last ? 1.0f : 2.0f); }) ==
        "rank " + std::to_string(last) + ": annulus: radius = 1: must be the same on all ranks; the root has 2");
  if (comm.rank() == last) CHECK_THROWS_AS(index.search(queries, 3, {}, {.deadline = -1}), std::invalid_argument);
  else index.search(queries, 3, {}, {.deadline = 0.01});
  comm.barrier();
  CHECK(index.search(queries, 3, {}, {.deadline = 30}).coverage == 1);
}

}  // namespace
