#include <annulus/nndescent/graph/neighbor_lists.hpp>

#include <numeric>
#include <random>

#include "catch.hpp"

using namespace annulus;
using namespace annulus::detail;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

struct model_entry {
  float rank;
  id_type id;
  bool is_new;
};

/// One list as plainly as it can be written.
struct model_list {
  std::size_t width;
  std::vector<model_entry> entries;

  float threshold() const { return entries.size() < width ? infinity : entries.back().rank; }
  bool knows(id_type id, float rank) const {
    return std::ranges::any_of(entries, [&](const auto& e) { return e.id == id && e.rank == rank; });
  }
  bool insert(id_type id, float rank) {
    if (!(rank < threshold()) || knows(id, rank)) return false;
    const auto at = std::ranges::upper_bound(entries, rank, {}, &model_entry::rank);
    entries.insert(at, {rank, id, true});
    if (entries.size() > width) entries.pop_back();
    return true;
  }
};

bool same(const neighbor_lists& lists, std::size_t i, const model_list& model) {
  if (lists.count(i) != model.entries.size() || lists.threshold(i) != model.threshold()) return false;
  for (std::size_t j = 0; j < model.entries.size(); ++j) {
    const auto& e = model.entries[j];
    if (lists.rank(i, j) != e.rank || lists(i, j).id() != e.id || lists(i, j).is_new() != e.is_new) return false;
  }
  return true;
}

/// Edges at random, and the groups of their sources by plain loops.
struct edges {
  std::size_t n, n_keys;
  std::vector<std::vector<std::size_t>> keys;  ///< of each source

  edges(std::size_t n_sources, std::size_t key_count, std::size_t most, std::uint64_t seed)
      : n(n_sources), n_keys(key_count), keys(n_sources) {
    std::mt19937_64 generator(seed);
    for (auto& of_one : keys)
      for (std::size_t left = generator() % (most + 1); left != 0; --left) of_one.push_back(generator() % n_keys);
  }
  grouped_ids grouped(std::size_t threads) const {
    return group_by_key(n, n_keys, threads, [&](std::size_t u, auto f) {
      for (const std::size_t key : keys[u]) f(key);
    });
  }
  std::vector<id_type> of(std::size_t key) const {
    std::vector<id_type> sources;
    for (std::size_t u = 0; u < n; ++u)
      for (const std::size_t k : keys[u])
        if (k == key) sources.push_back(static_cast<id_type>(u));
    return sources;
  }
};

}  // namespace

TEST_CASE("lists of any width do as a plain list, whatever is inserted", "[neighbor_lists]") {
  std::mt19937_64 generator(1);
  for (std::size_t width = 1; width <= 70; ++width) {
    constexpr std::size_t n = 3;
    neighbor_lists lists(n, width);
    std::vector<model_list> models(n, model_list{width, {}});
    for (std::size_t step = 0; step < 12 * width + 40; ++step) {
      const std::size_t i = generator() % n;
      const auto id = static_cast<id_type>(generator() % (2 * width + 3));
      // A function of both, with many ties, or with hardly any.
      const float rank =
          width % 2 == 0 ? static_cast<float>(id * 7 % 11) - 5 : std::sin(static_cast<float>(id + 100 * i));
      if (generator() % 5 == 0 && !models[i].entries.empty()) {
        const std::size_t j = generator() % models[i].entries.size();
        lists.mark_old(i, j);
        models[i].entries[j].is_new = false;
      } else {
        if (rank < lists.threshold(i)) REQUIRE(lists.contains(i, id, rank) == models[i].knows(id, rank));
        REQUIRE(lists.insert(i, id, rank) == models[i].insert(id, rank));
      }
      CAPTURE(width, step);
      for (std::size_t r = 0; r < n; ++r) REQUIRE(same(lists, r, models[r]));
    }
  }
}

TEST_CASE("an empty list knows nobody and takes anyone of finite rank", "[neighbor_lists]") {
  neighbor_lists lists(2, 5);
  CHECK(lists.size() == 2);
  CHECK(lists.width() == 5);
  CHECK(lists.count(0) == 0);
  CHECK(lists.threshold(0) == infinity);
  CHECK(!lists.contains(0, 0, 0));
  CHECK(lists.insert(0, 0, std::numeric_limits<float>::max()));
  CHECK(lists(0, 0).is_new());
  CHECK(lists.count(1) == 0);
}

TEST_CASE("an infinite rank and a rank that is no number are not taken", "[neighbor_lists]") {
  neighbor_lists lists(1, 5);
  CHECK(!lists.insert(0, 1, infinity));
  CHECK(!lists.insert(0, 1, std::numeric_limits<float>::quiet_NaN()));
  CHECK(lists.count(0) == 0);
}

TEST_CASE("negative ranks, and ids of 31 bits, are kept", "[neighbor_lists]") {
  neighbor_lists lists(1, 3);
  CHECK(lists.insert(0, 0x7FFFFFFF, -1e30f));
  CHECK(lists.insert(0, 0x7FFFFFFE, 5));
  CHECK(lists(0, 0).id() == 0x7FFFFFFF);
  CHECK(lists(0, 1).id() == 0x7FFFFFFE);
  lists.mark_old(0, 0);
  CHECK(lists(0, 0).id() == 0x7FFFFFFF);
  CHECK(!lists(0, 0).is_new());
  CHECK(lists.contains(0, 0x7FFFFFFF, -1e30f));
}

TEST_CASE("a rank equal to the last one does not enter a full list", "[neighbor_lists]") {
  neighbor_lists lists(1, 2);
  CHECK(lists.insert(0, 1, 1));
  CHECK(lists.insert(0, 2, 2));
  CHECK(!lists.insert(0, 3, 2));
  CHECK(lists.insert(0, 3, 1));
  CHECK(lists(0, 1).id() == 3);
}

TEST_CASE("what falls out of a list may enter again", "[neighbor_lists]") {
  for (std::size_t width = 1; width <= 20; ++width) {
    neighbor_lists lists(1, width);
    for (std::size_t id = 0; id < width + 1; ++id)  // the first falls out
      lists.insert(0, static_cast<id_type>(id), static_cast<float>(width - id));
    CHECK(lists(0, width - 1).id() == 1);
    CHECK(!lists.insert(0, 0, static_cast<float>(width)));  // no nearer than before
    CHECK(lists.insert(0, 0, -1));
    CHECK(lists.count(0) == width);
  }
}

TEST_CASE("sources are grouped by key, in ascending order, for any number of threads", "[neighbor_lists][parallel]") {
  for (const std::size_t n : {1u, 2u, 50u, 300u})
    for (const std::size_t n_keys : {1u, 2u, 3u, 7u, 100u}) {
      const edges all(n, n_keys, 5, n + n_keys);
      for (const std::size_t threads : {1u, 2u, 3u, 8u}) {
        const auto groups = all.grouped(threads);
        CAPTURE(n, n_keys, threads);
        REQUIRE(groups.begins.size() == n_keys + 1);
        REQUIRE(groups.begins.back() == groups.sources.size());
        std::size_t wrong = 0;
        for (std::size_t key = 0; key < n_keys; ++key) wrong += !std::ranges::equal(groups.of(key), all.of(key));
        CHECK(wrong == 0);
      }
    }
}

TEST_CASE("no edges have empty groups", "[neighbor_lists]") {
  const auto groups = edges(10, 4, 0, 1).grouped(3);
  CHECK(groups.sources.empty());
  for (std::size_t key = 0; key < 4; ++key) CHECK(groups.of(key).empty());
  CHECK(edges(0, 4, 0, 1).grouped(3).begins.size() == 5);
}
