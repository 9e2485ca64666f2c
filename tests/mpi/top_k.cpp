#include "catch.hpp"
#include "message_of.hpp"

#include <annulus/core/base/random.hpp>
#include <annulus/mpi/sharded_index.hpp>  // one program has both
#include <annulus/mpi/top_k.hpp>

namespace {

using annulus::approx_top_k_params;
using annulus::mpi::communicator;

// Rank 1 of several has none.
template <class T>
std::span<const T> slice_of(const std::vector<T>& all, const communicator& comm) {
  const auto begin_of = [&](int rank) -> std::size_t {
    if (rank == 0) return 0;
    return rank == comm.size() ? all.size() : all.size() / 3 + static_cast<std::size_t>(rank > 2 ? 101 : 0);
  };
  const std::size_t begin = begin_of(comm.rank());
  return std::span(all).subspan(begin, begin_of(comm.rank() + 1) - begin);
}

template <class T>
std::vector<T> numbers(std::size_t n, std::uint64_t seed) {
  const annulus::counter_random random(seed);
  std::vector<T> all(n);
  for (std::size_t i = 0; i < n; ++i) all[i] = static_cast<T>(1000 * random.normal(i));
  return all;
}

template <class T>
bool is_result(const communicator& comm, const annulus::top_k_result<T>& found,
               const annulus::top_k_result<T>& wanted) {
  if (comm.rank() != 0) return found.values.empty() && found.indices.empty();
  return found.values == wanted.values && found.indices == wanted.indices;
}

template <class T>
void check_exact() {
  const communicator comm;
  const auto all = numbers<T>(5000, 1);
  for (const std::size_t k : {1, 50, 700}) {
    const approx_top_k_params exactly{.recall_target = 1.0};
    CHECK(is_result(comm, annulus::mpi::approx_min_k(comm, slice_of(all, comm), k, exactly),
                    annulus::approx_min_k(all, k)));
    CHECK(is_result(comm, annulus::mpi::approx_max_k(comm, slice_of(all, comm), k, exactly),
                    annulus::approx_max_k(all, k)));
  }
}

TEST_CASE("with a target of 1 the k best of all slices are found, ties by index") {
  check_exact<float>();
  check_exact<std::int64_t>();
  check_exact<std::uint8_t>();
}

TEST_CASE("accumulators of all ranks are finished as one") {
  const communicator comm;
  auto all = numbers<double>(3000, 2);
  for (std::size_t i = 0; i < all.size(); i += 2) all[i] = std::numeric_limits<double>::quiet_NaN();
  for (const std::size_t k : {20, 1800, 3000}) {
    annulus::approx_top_k_accumulator<double, true> own(3000, k), whole(3000, k);
    whole.push(all, 0);
    const auto slice = slice_of(all, comm);
    own.push(slice, slice.data() - all.data());
    const auto found = annulus::mpi::finish(comm, own);
    const auto wanted = whole.finish();
    if (comm.rank() != 0) continue;
    CHECK(found.indices == wanted.indices);
    REQUIRE(found.values.size() == k);
    for (std::size_t i = 0; i < k; ++i)
      CHECK((found.values[i] == wanted.values[i] || (i >= 1500 && std::isnan(found.values[i]))));
  }
}

// Over many orders the mean share found is what is planned for one machine, for any number of ranks.
TEST_CASE("the recall over ranks is that of the plan for all elements") {
  const communicator comm;
  constexpr std::size_t n = 40000, k = 100;
  const approx_top_k_params params{.recall_target = 0.8};
  auto planned = params;
  planned.aggregate_to_topk = false;
  const auto plan = annulus::plan_approx_top_k(n, k, planned);
  REQUIRE(plan.bins < n);
  double hits = 0;
  constexpr int orders = 40;
  for (int order = 0; order < orders; ++order) {
    const auto all = numbers<float>(n, 10 + static_cast<std::uint64_t>(order));
    const auto found = annulus::mpi::approx_min_k(comm, slice_of(all, comm), k, params);
    if (comm.rank() != 0) continue;
    const auto best = annulus::approx_min_k(all, k);
    REQUIRE(found.values.size() == k);
    CHECK(std::ranges::is_sorted(found.values));
    CHECK(found.values[0] == best.values[0]);
    for (std::size_t i = 0; i < k; ++i) {
      CHECK(found.values[i] == all[static_cast<std::size_t>(found.indices[i])]);
      hits += found.values[i] <= best.values[k - 1];
    }
  }
  if (comm.rank() == 0) {
    CHECK(hits / (orders * k) > plan.expected_recall - 0.03);  // the standard error is below 0.006
    CHECK(hits / (orders * k) < 0.999);                        // else bins were not what found them
  }
}

TEST_CASE("where most elements are no numbers the others are found all the same") {
  const communicator comm;
  std::vector<float> all(40000, std::numeric_limits<float>::infinity());
  for (std::size_t i = 0; i < 30; ++i) all[37 + 1301 * i] = static_cast<float>(i);
  const auto found = annulus::mpi::approx_min_k(comm, slice_of(all, comm), 100, {.recall_target = 0.8});
  CHECK(is_result(comm, found, annulus::approx_min_k(all, 100)));
}

TEST_CASE("arguments are refused on all ranks") {
  const communicator comm;
  const std::vector<float> own(10, 1);
  const auto refused = [&](std::size_t k, const approx_top_k_params& params) {
    return message_of([&] { annulus::mpi::approx_min_k<float>(comm, own, k, params); });
  };
  CHECK_THAT(refused(10 * static_cast<std::size_t>(comm.size()) + 1, {}), ContainsSubstring("k = "));
  CHECK_THAT(refused(1, {.reduction_input_size_override = 100}), ContainsSubstring("must be negative (off)"));
  CHECK_THAT(refused(1, {.aggregate_to_topk = false}), ContainsSubstring("aggregate_to_topk"));
  if (comm.size() == 1) return;
  CHECK_THAT(refused(comm.rank() == 1 ? 2 : 1, {}), ContainsSubstring("rank 1: annulus: k = 2"));
  CHECK_THAT(refused(1, {.recall_target = comm.rank() == 1 ? 0.5 : 0.9}), ContainsSubstring("recall_target = 0.5"));
  CHECK_THAT(message_of([&] { annulus::mpi::approx_min_k<float>(comm, own, 1, {}, comm.rank()); }),
             ContainsSubstring("root = "));
}

}  // namespace
