#include <annulus/core/base/random.hpp>
#include <annulus/core/rows/matrix.hpp>

#include <numeric>

#include "catch.hpp"
#include "failing_allocations.hpp"

namespace {

using numbers = annulus::detail::buffer<std::uint32_t>;

bool same(const numbers& a, const std::vector<std::uint32_t>& b) { return std::ranges::equal(a, b); }

bool is_aligned(const numbers& b) { return reinterpret_cast<std::uintptr_t>(b.data()) % 64 == 0; }

/// The numbers from 0 to n - 1, in memory of somebody who tells whether it is still there.
struct lent {
  explicit lent(std::size_t n) : memory(std::make_shared<std::vector<std::uint32_t>>(n)), watch(memory) {
    std::iota(memory->begin(), memory->end(), 0u);
  }
  numbers lend() { return {memory, memory->data(), memory->size()}; }
  /// Gives the memory away: from then on it is there for its borrowers alone.
  numbers lend_for_good() {
    numbers borrower = lend();
    memory.reset();
    return borrower;
  }
  bool is_gone() const { return watch.expired(); }

  std::shared_ptr<std::vector<std::uint32_t>> memory;
  std::weak_ptr<void> watch;
};

}  // namespace

TEST_CASE("a buffer holds what a vector does after the same changes", "[buffer]") {
  const annulus::counter_random random(1);
  std::size_t draw = 0;
  const auto below = [&](std::size_t n) { return random.below(draw++, n); };
  const auto number = [&] { return static_cast<std::uint32_t>(below(1000)); };
  for (const std::size_t lent_at_first : {0u, 40u}) {
    lent memory(lent_at_first);
    numbers held = memory.lend_for_good();
    std::vector<std::uint32_t> truth(held.begin(), held.end());
    for (std::size_t step = 0; step < 3000; ++step) {
      const std::uint32_t value = number();
      switch (below(9)) {
        case 0: {
          const std::size_t n = below(200);
          held.resize(n, value);
          truth.resize(n, value);
          break;
        }
        case 1: {
          const std::size_t n = below(200);
          held.assign(n, value);
          truth.assign(n, value);
          break;
        }
        case 2: {
          const std::size_t n = below(300);
          held.reserve(n);
          CHECK(held.capacity() >= n);
          break;
        }
        case 3: {
          const std::vector<std::uint32_t> more(below(50), value);
          held.append(more.data(), more.size());
          truth.insert(truth.end(), more.begin(), more.end());
          break;
        }
        case 4:
          if (truth.empty()) break;
          held.pop_back();
          truth.pop_back();
          break;
        case 5:
          if (below(20) > 0) break;
          held.clear();
          truth.clear();
          break;
        default:
          held.push_back(value);
          truth.push_back(value);
          CHECK(held.back() == value);
      }
      REQUIRE(same(held, truth));
      REQUIRE(held.size() == truth.size());
      REQUIRE(held.empty() == truth.empty());
      REQUIRE(held.capacity() >= held.size());
    }
  }
}

TEST_CASE("memory of a buffer's own begins on a cache line", "[buffer]") {
  CHECK(is_aligned(numbers(5)));
  CHECK(is_aligned({1, 2, 3}));
  for (std::size_t n = 1; n < 200; ++n) {
    numbers grown;
    grown.resize(n);
    CHECK(is_aligned(grown));
  }
}

TEST_CASE("a buffer that grows value by value moves as often as its size grows by half", "[buffer]") {
  for (const bool appends : {false, true}) {
    numbers grown;
    std::size_t moves = 0;
    for (std::uint32_t i = 0; i < 10000; ++i) {
      const auto* const before = grown.data();
      if (appends) grown.append(&i, 1);
      else grown.push_back(i);
      moves += grown.data() != before;
    }
    CHECK(moves <= 25);  // 1.5^23 > 10,000
    CHECK(grown.memory_bytes() == grown.capacity() * 4);
    CHECK(grown.capacity() <= 15000);
  }
}

TEST_CASE("a buffer takes no more memory than it is asked to hold at once", "[buffer]") {
  CHECK(numbers(37).capacity() == 37);
  CHECK(numbers{1, 2, 3}.capacity() == 3);
  const numbers spare = [] {
    numbers made(10);
    made.reserve(100);
    return made;
  }();
  CHECK(spare.capacity() == 100);
  CHECK(numbers(spare).capacity() == 10);
  numbers again(10);
  again.assign(25, 1);
  CHECK(again.capacity() == 25);
  CHECK(numbers().data() == nullptr);
  CHECK(numbers(0).memory_bytes() == 0);
}

TEST_CASE("a value of the buffer itself may be what is added", "[buffer]") {
  numbers a{7, 8, 9};
  for (std::size_t i = 0; i < 100; ++i) a.push_back(a.back());
  CHECK(std::ranges::count(a, 9u) == 101);
  a.resize(1000, a[1]);
  CHECK(std::ranges::count(a, 8u) == 898);
  a.assign(5000, a[0]);
  CHECK(std::ranges::count(a, 7u) == 5000);
  a[0] = 3;
  a.assign(10, a[0]);
  CHECK(same(a, std::vector<std::uint32_t>(10, 3)));
}

TEST_CASE("a copy of a buffer has memory of its own", "[buffer]") {
  lent memory(3);
  for (const numbers& original : {numbers{0, 1, 2}, memory.lend()}) {
    numbers copy = original, assigned{5};
    assigned = original;
    copy[0] = 9;
    assigned[1] = 9;
    CHECK(same(copy, {9, 1, 2}));
    CHECK(same(assigned, {0, 9, 2}));
    CHECK(same(original, {0, 1, 2}));
    CHECK(original == numbers{0, 1, 2});
    CHECK_FALSE(original == copy);
    CHECK_FALSE(original == numbers{0, 1});
  }
}

TEST_CASE("a buffer that was moved from is empty and as good as new", "[buffer]") {
  lent memory(3);
  for (int i = 0; i < 2; ++i) {
    numbers from = i == 0 ? numbers{0, 1, 2} : memory.lend();
    const auto* const data = from.data();
    numbers to = std::move(from), assigned{4, 5};
    CHECK(to.data() == data);
    assigned = std::move(to);
    CHECK(assigned.data() == data);
    for (numbers* moved : {&from, &to}) {
      CHECK(moved->empty());
      CHECK(moved->capacity() == 0);
      moved->push_back(6);
      CHECK(same(*moved, {6}));
    }
    CHECK(same(assigned, {0, 1, 2}));
  }
}

TEST_CASE("a buffer assigned to itself is as it was", "[buffer]") {
  lent memory(3);
  for (int i = 0; i < 2; ++i) {
    numbers a = i == 0 ? numbers{0, 1, 2} : memory.lend();
    numbers& self = a;
    a = self;
    CHECK(same(a, {0, 1, 2}));
    a = std::move(self);
    CHECK(same(a, {0, 1, 2}));
    a.swap(self);
    CHECK(same(a, {0, 1, 2}));
  }
}

TEST_CASE("adopted memory is used in place and written to", "[buffer]") {
  lent memory(4);
  numbers borrower = memory.lend();
  CHECK(borrower.data() == memory.memory->data());
  borrower[1] = 7;
  borrower.pop_back();
  borrower.push_back(8);
  CHECK(*memory.memory == std::vector<std::uint32_t>{0, 7, 2, 8});
  borrower.assign(2, 5);
  CHECK(*memory.memory == std::vector<std::uint32_t>{5, 5, 2, 8});
}

TEST_CASE("adopted memory stays as it was once a buffer has outgrown it", "[buffer]") {
  lent memory(4);
  numbers borrower = memory.lend();
  borrower.push_back(9);
  borrower[0] = 6;
  CHECK(same(borrower, {6, 1, 2, 3, 9}));
  CHECK(*memory.memory == std::vector<std::uint32_t>{0, 1, 2, 3});
}

TEST_CASE("the owner of adopted memory lives as long as its last borrower", "[buffer]") {
  lent memory(4);
  {
    numbers a = memory.lend_for_good();
    numbers b = std::move(a);
    CHECK_FALSE(memory.is_gone());
    const numbers copy = b;
    numbers c{1};
    c.swap(b);
    b = numbers();
    CHECK_FALSE(memory.is_gone());
    SECTION("which is destroyed") {}
    SECTION("which grows") {
      c.reserve(5);
      CHECK(memory.is_gone());
    }
    SECTION("which is assigned to") {
      c = copy;
      CHECK(memory.is_gone());
    }
  }
  CHECK(memory.is_gone());
}

TEST_CASE("a buffer is as it was where memory for a change is not to be had", "[buffer][allocations]") {
  if (!allocations::are_seen) return;
  const numbers original(20, 4), more(50, 5);
  const auto fails = [&](numbers& changed, auto change) {
    const auto* const data = changed.data();
    const std::size_t alive = allocations::n_alive;
    bool has_thrown = false;
    {
      const allocations::failing all(0, true);
      try {
        change(changed);
      } catch (const std::bad_alloc&) {
        has_thrown = true;
      }
    }
    CHECK(has_thrown);
    CHECK(allocations::n_alive == alive);
    CHECK(changed.data() == data);
    CHECK(changed.capacity() == 20);
    CHECK(changed == original);
  };
  lent memory(20);
  *memory.memory = std::vector<std::uint32_t>(20, 4);
  numbers own = original, borrowed = memory.lend();
  for (numbers* const changed : {&own, &borrowed}) {
    fails(*changed, [](numbers& b) { b.push_back(1); });
    fails(*changed, [](numbers& b) { b.reserve(21); });
    fails(*changed, [](numbers& b) { b.resize(60, 2); });
    fails(*changed, [](numbers& b) { b.assign(60, 2); });
    fails(*changed, [&](numbers& b) { b.append(more.data(), more.size()); });
    fails(*changed, [&](numbers& b) { b = more; });
  }
}

TEST_CASE("more values than can be addressed are refused", "[buffer]") {
  numbers a{1, 2, 3};
  for (const std::size_t n : {~std::size_t{0}, ~std::size_t{0} / 4 + 2, (std::size_t{1} << 62) + 16}) {
    CHECK_THROWS_AS(a.reserve(n), std::bad_alloc);
    CHECK_THROWS_AS(a.resize(n), std::bad_alloc);
    CHECK_THROWS_AS(a.assign(n, 1), std::bad_alloc);
    CHECK_THROWS_AS(numbers(n), std::bad_alloc);
  }
  CHECK(same(a, {1, 2, 3}));
}

TEST_CASE("a matrix stands in adopted memory and its copy does not", "[buffer][matrix]") {
  lent memory(6);
  annulus::matrix<std::uint32_t> rows(2, 3, memory.lend());
  const annulus::matrix<std::uint32_t> copy = rows;
  rows(1, 2) = 9;
  CHECK(memory.memory->back() == 9);
  CHECK(rows.data() == memory.memory->data());
  CHECK(copy.row(1)[2] == 5);
  const annulus::matrix<std::uint32_t> moved = std::move(rows);
  CHECK(moved.data() == memory.memory->data());
  memory.memory.reset();
  CHECK_FALSE(memory.is_gone());
  CHECK(moved.row(0)[2] == 2);
}
