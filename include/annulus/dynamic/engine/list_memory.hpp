#pragma once

/// \file
/// Lists of results in memory that C frees: annulus_lists.

#include <annulus/annulus.h>
#include <annulus/core/result/neighbors.hpp>

#include <cstdlib>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Memory of lists until they are handed over.
struct list_memory {
  explicit list_memory(std::size_t n) { lists.n = n; }
  list_memory(const list_memory&) = delete;
  list_memory& operator=(const list_memory&) = delete;
  ~list_memory() { release(lists); }

  static void release(annulus_lists& lists) noexcept {
    std::free(lists.indptr);
    std::free(lists.ids);
    std::free(lists.values);
    lists = {};
  }
  template <class T>
  static void allocate(T*& values, std::size_t n) {
    values = static_cast<T*>(std::malloc(std::max<std::size_t>(n, 1) * sizeof(T)));
    if (values == nullptr) throw std::bad_alloc();
  }
  annulus_lists hand_over() noexcept { return std::exchange(lists, {}); }

  annulus_lists lists{};
};

inline annulus_lists lists_of(const csr& found) {
  list_memory memory(found.indptr.empty() ? 0 : found.indptr.size() - 1);
  annulus_lists& lists = memory.lists;
  list_memory::allocate(lists.indptr, lists.n + 1);
  list_memory::allocate(lists.ids, found.indices.size());
  list_memory::allocate(lists.values, found.distances.size());
  lists.indptr[0] = 0;
  std::ranges::copy(found.indptr, lists.indptr);
  std::ranges::transform(found.indices, lists.ids, [](std::int32_t id) { return static_cast<std::uint32_t>(id); });
  std::ranges::copy(found.distances, lists.values);
  lists.n_ids = found.n_columns;
  return memory.hand_over();
}

/// Without the padding.
inline annulus_lists lists_of(const neighbors& graph) {
  const std::size_t n = graph.ids.rows(), k = graph.ids.cols();
  list_memory memory(n);
  annulus_lists& lists = memory.lists;
  list_memory::allocate(lists.indptr, n + 1);
  list_memory::allocate(lists.ids, n * k);
  list_memory::allocate(lists.values, n * k);
  std::size_t end = 0;
  lists.indptr[0] = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < k && graph.ids(i, j) != no_id; ++j, ++end) {
      lists.ids[end] = graph.ids(i, j);
      lists.values[end] = graph.distances(i, j);
    }
    lists.indptr[i + 1] = static_cast<std::int64_t>(end);
  }
  lists.n_ids = n;
  return memory.hand_over();
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
