#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "catch.hpp"
#include "nndescent/indexes.hpp"

using namespace annulus;

namespace {

constexpr std::size_t n = 400, d = 8, k = 6, n_queries = 40;

const indexes::split<float>& data() {
  static const auto made = indexes::clustered<float>(n, d, n_queries);
  return made;
}

/// Rows of d columns of which some are zero, as sparse rows.
csr_matrix<float> sparse(const matrix<float>& dense) {
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<float> values;
  for (std::size_t i = 0; i < dense.rows(); ++i) {
    for (std::size_t j = i % 3; j < dense.cols(); j += 2) {
      indices.push_back(static_cast<std::int32_t>(j));
      values.push_back(dense(i, j));
    }
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  return {indptr, indices, values, dense.cols()};
}

/// Whether an answer given while ids up to `n_ids` but none below `n_erased` were there can be right.
bool is_sound(std::span<const id_type> ids, std::span<const float> distances, std::size_t n_erased, std::size_t n_ids,
              std::span<const float> query) {
  for (std::size_t j = 0; j < ids.size(); ++j) {
    if (ids[j] < n_erased || ids[j] >= n_ids) return false;
    const float exact = static_cast<float>(euclidean{}(query.data(), data().rows.row(ids[j]).data(), query.size()));
    if (std::abs(distances[j] - exact) > 1e-4f * exact) return false;
    if (j > 0 && !(distances[j - 1] <= distances[j])) return false;
  }
  return true;
}

/// Three threads search while one inserts half of the rows and erases a quarter, all behind one lock.
template <class Storage>
void search_during_changes(Storage storage) {
  const matrix_view<float> rows(data().rows);
  nndescent_index index(rows.middle_rows(0, n / 2), euclidean{}, {.n_neighbors = 8, .threads = 1}, storage);
  std::shared_mutex access;
  std::mutex turn;
  std::size_t n_ids = n / 2, n_erased = 0;
  std::atomic<bool> is_over = false;
  std::atomic<std::size_t> n_answers = 0, n_wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 3; ++t)
      threads.emplace_back([&, t, scratch = index.make_scratch()]() mutable {  // made before anything changes
        std::vector<id_type> ids(k);
        std::vector<float> distances(k);
        for (std::size_t i = t; !is_over; i = (i + 1) % n_queries) {
          std::unique_lock waiting(turn);
          const std::shared_lock reading(access);
          waiting.unlock();
          index.search(data().queries.row(i), ids, distances, scratch);
          n_wrong += !is_sound(ids, distances, n_erased, n_ids, data().queries.row(i));
          ++n_answers;
        }
      });
    while (n_ids < n) {
      const std::scoped_lock waiting(turn);
      const std::scoped_lock writing(access);
      index.insert(rows.middle_rows(n_ids, 10));
      n_ids += 10;
      for (int i = 0; i < 5; ++i) index.erase(static_cast<id_type>(n_erased++));
    }
    while (n_answers < 10) std::this_thread::yield();
    is_over = true;
  }
  CHECK(n_wrong == 0);
  CHECK(index.size() == n - n_erased);
}

}  // namespace

TEST_CASE("threads are answered rightly between the changes of another thread", "[nndescent_index]") {
  search_during_changes(full_precision{});
  search_during_changes(sq8{});
}

TEST_CASE("several threads search one index of sparse rows at once", "[nndescent_index][sparse]") {
  const nndescent_index index(sparse(data().rows), euclidean{}, {.n_neighbors = 8, .threads = 1});
  const auto queries = sparse(data().queries);
  const auto expected = index.search(queries, k, {.threads = 1});
  const auto ball = index.radius_search(queries, 2, {.threads = 1});
  std::atomic<std::size_t> n_wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        n_wrong += !(index.search(queries, k, {.threads = 1 + t % 2}) == expected);
        n_wrong += index.radius_search(queries, 2, {.threads = 1}).indices != ball.indices;
      });
  }
  CHECK(n_wrong == 0);
}
