#pragma once

/// \file
/// for_each_by_key: a loop over items with keys, in which each key belongs to one thread.

#include <annulus/core/base/parallel.hpp>

#include <array>
#include <bit>
#include <cstdint>
#include <numeric>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Calls f(source, key) for every key < n_keys that keys_of(source, add) passes to add(key), for all sources < n. Calls
/// for one key come from one thread at a time, in ascending order of sources, so that f may change what belongs to the
/// key without locks and with the same result for any number of threads. f must not change what keys_of reads. n_keys
/// must be at most 2^32.
///
/// Threads first sort blocks of sources by ranges of keys, then go through the ranges, each in all blocks: keys are
/// read once, however many threads there are. Memory: 8 bytes for each key of 65,536 sources; none with one thread.
template <class KeysOf, class F>
void for_each_by_key(const thread_team& team, std::size_t n, std::size_t n_keys, KeysOf keys_of, F f) {
  if (team.size() == 1) {
    for (std::size_t source = 0; source < n; ++source) keys_of(source, [&](std::size_t key) { f(source, key); });
    return;
  }
  constexpr std::size_t at_once = 65536, grain = 1024, range_bits = 6, max_ranges = std::size_t{1} << range_bits;
  struct item {
    std::uint32_t offset, key;
  };
  struct sorted_block {
    std::vector<item> items;
    std::array<std::size_t, max_ranges + 1> begins;  // of the ranges
  };
  const auto key_bits = static_cast<std::size_t>(std::bit_width(n_keys));
  const std::size_t shift = key_bits - std::min(key_bits, range_bits);
  const std::size_t n_ranges = (n_keys >> shift) + 1;
  std::vector<sorted_block> blocks((std::min(n, at_once) + grain - 1) / grain);
  std::vector<std::vector<item>> read(team.size());
  for (std::size_t first = 0; first < n; first += at_once) {
    const std::size_t count = std::min(at_once, n - first), n_blocks = (count + grain - 1) / grain;
    parallel_for(team, count, grain, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      auto& [items, begins] = blocks[begin / grain];
      std::vector<item>& unsorted = read[worker];
      unsorted.clear();
      for (std::size_t offset = begin; offset < end; ++offset)
        keys_of(first + offset, [&](std::size_t key) {
          unsorted.push_back({static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(key)});
        });
      begins.fill(0);
      for (const item& i : unsorted) ++begins[i.key >> shift];
      std::exclusive_scan(begins.begin(), begins.end(), begins.begin(), std::size_t{0});
      items.resize(unsorted.size());
      auto next = begins;
      for (const item& i : unsorted) items[next[i.key >> shift]++] = i;
    });
    parallel_for(team, n_ranges, 1, [&](std::size_t range, std::size_t, std::size_t) {
      for (std::size_t b = 0; b < n_blocks; ++b)
        for (std::size_t i = blocks[b].begins[range]; i < blocks[b].begins[range + 1]; ++i)
          f(first + blocks[b].items[i].offset, std::size_t{blocks[b].items[i].key});
    });
  }
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
