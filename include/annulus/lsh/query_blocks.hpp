#pragma once

/// \file
/// Runs many queries: blocks of queries share a pass over the hash functions, and threads share the blocks.

#include <annulus/lsh/search.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Calls f(i, values, scratch) for every finite query i, on several threads; returns the scratches of the threads.
template <class Scratch, class Hasher, class View, class F>
std::vector<Scratch> over_queries(const Hasher& hasher, const View& queries, std::size_t threads, F f) {
  // A block is large enough to share the pass over the functions, and its values stay in cache.
  constexpr std::size_t cache_bytes = std::size_t{1} << 20, least = 12, most = 96;
  const std::size_t value_bytes = hasher.n_values() * sizeof(typename Hasher::value_type);
  const std::size_t workers = std::min(resolve_threads(threads), queries.size());
  const std::size_t share = workers > 0 ? (queries.size() + workers - 1) / workers : 1;
  const std::size_t block =
      std::min(share, std::clamp(cache_bytes / std::max<std::size_t>(value_bytes, 1), least, most));
  std::vector<Scratch> scratch(workers);
  parallel_for(workers, queries.size(), block, [&](std::size_t begin, std::size_t end, std::size_t worker) {
    auto& s = scratch[worker];
    s.values.resize(block * hasher.n_values());
    hasher.project(queries, begin, end - begin, s.values.data());
    for (std::size_t i = begin; i < end; ++i)
      if (Scratch::store::is_finite(queries.row(i))) f(i, s.values.data() + (i - begin) * hasher.n_values(), s);
  });
  return scratch;
}

/// The rows found for each query as a sparse matrix with n_columns columns.
/// \throws std::invalid_argument for n_columns beyond int32.
inline csr to_csr(const std::vector<std::vector<candidate<float>>>& found, std::size_t n_columns) {
  if (n_columns > std::size_t{std::numeric_limits<std::int32_t>::max()})
    invalid("ids", n_columns, "must fit the 32-bit indices of a CSR matrix: build a new index of the rows that remain");
  return lists_to_csr(found, n_columns);
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
