// Situations of some seeds, so that each shape of data meets each operation, and is asked every question then.

#include "situations/situation.hpp"

#include "catch.hpp"
#include "situations/folder.hpp"

namespace {

using situations::operation;
using situations::shape;
using situations::situation;

constexpr std::size_t n_operations = std::size(situations::operation_names), n_kinds = std::size(situations::all_kinds);

/// Some of the first seeds that have this shape and not too many rows: together they have all operations, and many of
/// the pairs of an operation and a kind of index.
std::vector<situation> covering(shape what) {
  std::vector<situation> candidates, chosen;
  for (std::uint64_t seed = 1; seed < 4000; ++seed)
    if (situation s = situations::draw_situation(seed); s.data.what == what && s.n < 700) candidates.push_back(s);

  std::vector<bool> has_operation(n_operations), has_kind(n_kinds);
  const auto worth = [&](const situation& s) {
    std::set<operation> fresh;
    for (const operation o : s.operations)
      if (!has_operation[static_cast<std::size_t>(o)]) fresh.insert(o);
    return fresh.empty() ? 0 : 2 * fresh.size() + !has_kind[s.kind_number];
  };
  while (true) {
    const situation best = *std::ranges::max_element(candidates, {}, worth);
    if (worth(best) == 0) break;
    for (const operation o : best.operations) has_operation[static_cast<std::size_t>(o)] = true;
    has_kind[best.kind_number] = true;
    chosen.push_back(best);
  }
  REQUIRE(std::ranges::all_of(has_operation, std::identity()));
  return chosen;
}

void check_situations(shape what) {
  const situations::folder folder;
  for (const situation& s : covering(what)) {
    const std::string failure = situations::report(s, folder.file());
    INFO(failure);
    CHECK(failure.empty());
  }
}

}  // namespace

TEST_CASE("The graph index holds in situations of groups") { check_situations(shape::groups); }
TEST_CASE("The graph index holds in situations of bursts") { check_situations(shape::bursts); }
TEST_CASE("The graph index holds in situations of copies") { check_situations(shape::copies); }
TEST_CASE("The graph index holds in situations of few values") { check_situations(shape::few_values); }
TEST_CASE("The graph index holds in situations of offsets") { check_situations(shape::offset); }
TEST_CASE("The graph index holds in situations of unequal scales") { check_situations(shape::unequal_scales); }
TEST_CASE("The graph index holds in situations of heavy tails") { check_situations(shape::heavy_tails); }
TEST_CASE("The graph index holds in situations of chains") { check_situations(shape::chain); }
TEST_CASE("The graph index holds in situations of curves") { check_situations(shape::curve); }
TEST_CASE("The graph index holds in situations of a far row") { check_situations(shape::far_row); }
TEST_CASE("The graph index holds in situations of a growing scale") { check_situations(shape::growing_scale); }

// Lists of rows that came in order, a radius over groups that came last, queries between groups that are as far, and
// between groups smaller than lists are wide.
TEST_CASE("The graph index holds in situations of more rows that it once failed in") {
  const situations::folder folder;
  constexpr std::size_t n_kinds_then = 9;
  for (const std::uint64_t seed : {9u, 17u, 18u, 25u, 40u, 64u, 69u}) {
    situation s = situations::draw_situation(seed, n_kinds_then);
    s.n *= 5;
    const std::string failure = situations::report(s, folder.file());
    INFO(failure);
    CHECK(failure.empty());
  }
}
