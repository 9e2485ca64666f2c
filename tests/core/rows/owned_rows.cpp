#include <annulus/core/rows/sparse_row_store.hpp>

#include <numeric>

#include "catch.hpp"
#include "core/sparse_rows.hpp"

namespace {

using owned = annulus::detail::sparse_row_store<float>;

template <class T>
bool same(const annulus::sparse_row<T>& a, const annulus::sparse_row<T>& b) {
  return std::ranges::equal(a.indices, b.indices) && std::ranges::equal(a.values, b.values) && a.dim == b.dim;
}

}  // namespace

TEST_CASE("sparse rows that are assigned in any order are kept", "[sparse_rows]") {
  const annulus::counter_random random(1);
  std::vector<sparse_rows::stored_row<float>> truth;
  owned rows(300);
  for (std::size_t step = 0; step < 2000; ++step) {
    if (step % 10 == 0) {
      rows.resize(truth.size() + 1);
      truth.push_back({{}, {}, 300});
    }
    const std::size_t i = random.below(2 * step, truth.size()), stored = random.below(2 * step + 1, 60);
    truth[i] = sparse_rows::random_row<float>(stored, 300, step);
    rows.assign(i, truth[i]);
    if (step % 97 != 0) continue;
    REQUIRE(rows.size() == truth.size());
    for (std::size_t j = 0; j < truth.size(); ++j) {
      INFO("step " << step << ", row " << j);
      REQUIRE(same(rows.row(j), truth[j].row()));
    }
  }
}

TEST_CASE("sparse rows that grow and shrink do not take ever more memory", "[sparse_rows]") {
  owned rows(1000);
  rows.resize(50);
  std::size_t most = 0;
  for (std::size_t round = 0; round < 200; ++round) {
    for (std::size_t i = 0; i < 50; ++i)
      rows.assign(i, sparse_rows::random_row<float>(1 + (i + 7 * round) % 40, 1000, i));
    if (round == 20) most = 3 * rows.memory_bytes();
  }
  CHECK(rows.memory_bytes() < most);
}

TEST_CASE("sets have no values, and a new row is empty", "[sparse_rows]") {
  owned rows(10);
  rows.resize(2);
  const std::vector<std::int32_t> members{1, 5, 9};
  rows.assign(1, {members, {}, 10});
  CHECK(rows.row(0).indices.empty());
  CHECK(std::ranges::equal(rows.row(1).indices, members));
  CHECK(rows.row(1).values.empty());
}
