#include "catch.hpp"
#include "nndescent/failures.hpp"
#include "nndescent/graphs.hpp"

using namespace annulus;

namespace {

using index_type = nndescent_index<matrix<float>, cosine>;

const matrix<float>& data() {
  static const auto made = graphs::clusters<float>(200, 9, 5, 1);
  return made;
}
const matrix<float>& more() {
  static const auto made = graphs::clusters<float>(30, 9, 5, 2);
  return made;
}
const matrix<float>& queries() {
  static const auto made = graphs::clusters<float>(10, 9, 5, 3);
  return made;
}

failures::changes<index_type> changes(const nndescent_params& params = failures::one_thread) {
  return {index_type(data(), {}, params), more(), queries(), failures::few};
}

}  // namespace

TEST_CASE("an index throws from a search wherever an allocation fails", "[nndescent][allocations]") {
  const auto result = changes().of_searches(1);
  CAPTURE(result);
  CHECK(result.is_clean());
}

TEST_CASE("an index searched by threads throws or has fewer threads where an allocation fails",
          "[nndescent][allocations]") {
  const failures::changes many(index_type(data(), {}, failures::one_thread), more(), data());
  const auto result = many.of_searches(2, failures::some);
  CAPTURE(result);
  CHECK(result.is_harmless());
}

TEST_CASE("an index throws from its constructor where an allocation fails", "[nndescent][allocations]") {
  const auto few = graphs::clusters<float>(40, 9, 5, 1);
  const auto build = [&] { return index_type(few, {}, failures::one_thread).graph(); };
  const auto result = allocations::fail_call(build, 100);
  CAPTURE(result);
  CHECK(result.is_clean());
}

TEST_CASE("build_knn_graph throws where an allocation fails", "[nndescent][allocations]") {
  const auto build = [] { return build_knn_graph(data(), cosine{}, failures::one_thread); };
  const auto result = allocations::fail_call(build, 100);
  CAPTURE(result);
  CHECK(result.is_clean());
}

TEST_CASE("build_knn_graph throws or has fewer threads where an allocation fails", "[nndescent][allocations]") {
  const auto build = [] { return build_knn_graph(data(), cosine{}, {.n_neighbors = 6, .threads = 2}); };
  const auto result = allocations::fail_call(build, 20);
  CAPTURE(result);
  CHECK(result.is_harmless());
}

TEST_CASE("an index is as before where an allocation of an insertion fails", "[nndescent][allocations]") {
  for (const auto& params : {failures::one_thread, failures::narrow, failures::wide}) {
    const auto result = changes(params).of_insertions();
    CAPTURE(params.pruning_degree_multiplier, result);
    CHECK(result.is_clean());
  }
}

TEST_CASE("an index is as before where an insertion by threads fails", "[nndescent][allocations]") {
  const auto result = changes().of_insertions_by_threads();
  CAPTURE(result);
  CHECK(result.is_harmless());
}

TEST_CASE("an index is as before where an allocation of an update fails", "[nndescent][allocations]") {
  for (const auto& params : {failures::one_thread, failures::narrow, failures::wide}) {
    const auto result = changes(params).of_updates();
    CAPTURE(params.pruning_degree_multiplier, result);
    CHECK(result.is_clean());
  }
}

TEST_CASE("an index is as before where an allocation of an erasure fails", "[nndescent][allocations]") {
  const auto result = changes().of_erasures();
  CAPTURE(result);
  CHECK(result.is_clean());
}

TEST_CASE("an index is as before where an allocation of a consolidation fails", "[nndescent][allocations]") {
  const auto result = changes().of_consolidations();
  CAPTURE(result);
  CHECK(result.is_clean());
}
