#include <annulus/nndescent/index/edges.hpp>
#include <annulus/nndescent/index/knn_lists.hpp>

#include <sys/mman.h>

#include "catch.hpp"

using namespace annulus;

namespace {

/// Loads arrays of any size, into memory of which only what is touched is there.
struct vast_archive {
  std::size_t n;

  void operator()(std::string_view, std::size_t& count) const { count = n; }
  template <class T>
  void operator()(std::string_view, detail::buffer<T>& values, std::initializer_list<std::uint64_t> shape) const {
    std::size_t count = 1;
    for (const std::uint64_t size : shape) count *= size;
    const std::size_t bytes = count * sizeof(T);
    constexpr int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void* const start = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    REQUIRE(start != MAP_FAILED);
    values = {std::shared_ptr<void>(start, [=](void* p) { munmap(p, bytes); }), static_cast<T*>(start), count};
  }
  void expect(bool condition, std::string_view) const { REQUIRE(condition); }
};

constexpr std::size_t width = 48, n = (std::size_t{1} << 27) + 3;  // 6.4e9 edges
static_assert(n * width > std::size_t{1} << 32);
/// The first, the last, and those whose edges in 32 bits would be the first's or its neighbour's.
constexpr std::size_t rows[] = {0, 1, (std::size_t{1} << 32) / width, (std::size_t{1} << 32) / width + 1, n - 1};

}  // namespace

TEST_CASE("edges behind 2^32 others are a row's own") {
  detail::search_edges graph(0, width);
  vast_archive archive{n};
  detail::persistence::persist(graph, archive);
  CHECK(graph.size() == n);
  CHECK(graph.memory_bytes() == n * width * sizeof(id_type));
  for (std::size_t i = 0; i < std::size(rows); ++i)
    graph.assign(rows[i], std::vector(i + 1, static_cast<id_type>(i + 7)));
  for (std::size_t i = 0; i < std::size(rows); ++i)
    CHECK(std::ranges::equal(graph.of(rows[i]), std::vector(i + 1, static_cast<id_type>(i + 7))));
  CHECK(graph.add(n - 1, 3));
  CHECK(graph.of(n - 1).back() == 3);
}

TEST_CASE("lists behind 2^32 neighbours are a row's own") {
  detail::knn_lists lists(width);
  vast_archive archive{n};
  detail::persistence::persist(lists, archive);
  CHECK(lists.size() == n);
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    lists.assign(rows[i], {});
    lists.enter(rows[i], static_cast<id_type>(i + 7), static_cast<float>(i));
  }
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    CHECK(lists(rows[i], 0).id == i + 7);
    CHECK(lists(rows[i], 0).rank == static_cast<float>(i));
    CHECK(lists(rows[i], 1).id == no_id);
  }
}
