#pragma once

/// \file
/// The k best of elements that come in chunks, exactly, in about the time of a plain minimum, whatever their order.
///
/// A chunk is read in blocks of some vectors. The k-th smallest of the minima of all their lanes bounds the k-th
/// smallest element, since k lanes hold one that small: so only blocks with a minimum up to it are read again, about k
/// of them, while they are in the cache. The best of the chunks before bound the next, so that few of its blocks pass.

#include <annulus/approx_top_k/keys.hpp>
#include <annulus/core/base/assert.hpp>
#include <annulus/core/select/reservoir.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Keeps the k smallest (or, `Largest`, largest) of the elements scanned, by their keys, with their positions. NaN is
/// passed over.
template <class T, bool Largest, class Position>
class block_select {
 public:
  using key = key_t<T>;

  /// Empties it, for k elements of `n` expected. Keeps its memory.
  void reset(std::size_t n, std::size_t k) {
    if (n != m_n || k != m_k) make_room(n, k);
    m_kept.clear();
    m_bound = to_ordered_int(worst_key<key>);
    m_kth = {worst_key<key>, std::numeric_limits<Position>::max()};
  }

  std::size_t k() const noexcept { return m_k; }
  /// The most elements that a scan takes.
  std::size_t chunk() const noexcept { return m_chunk; }
  /// What is kept: the k best, where as many were numbers, and not many more.
  const reservoir<key, Position>& kept() const noexcept { return m_kept; }

  /// Adds data[0], ..., data[n - 1] at positions first, first + 1, ...; n <= chunk().
  void scan(const T* data, std::size_t n, Position first) {
    ANNULUS_ASSERT(n <= m_chunk);
    integer bound = std::min(m_bound, bound_from(first));
    const std::size_t found = with_part([&](auto part) { return find_blocks<part>(data, n, bound); });
    const std::size_t lanes = found * width, enough = m_k + m_k / 8 + 1;
    if (lanes > enough && count_at_most(m_minima.data(), lanes, bound) > enough)
      m_bound = bound = std::min(bound, rank_bound<key>(m_minima.data(), lanes, m_k, enough));
    for (std::size_t next = 0; next < found;) {
      next = with_part([&](auto part) { return append_blocks<part>(data, n, next, found, first, bound); });
      if (next == found) break;
      cut();
      bound = std::min(bound, bound_from(first + static_cast<Position>(m_blocks[next] * block_size())));
    }
    if (m_kept.size() > m_k + m_k / 4 + 64) cut();
  }

  /// Drops all but the k best.
  void cut() {
    if (m_kept.size() >= m_k) m_kth = m_kept.cut(m_k);
  }

  /// Adds what another one has kept.
  void merge(const block_select& other) {
    cut();
    for (std::size_t i = 0; i < other.m_kept.size(); ++i) {
      const auto c = other.m_kept[i];
      m_kept.append(c.rank, c.id);
      if (m_kept.size() > 2 * m_k) cut();
    }
  }

 private:
  using integer = simd::ordered_int<key>;
  using batch = simd::batch<key>;
  using ints = simd::batch<integer>;
  static constexpr std::size_t width = simd::lanes<key>, usual_chunk = std::size_t{1} << 16, shortest_chunk = 1024;
  static constexpr std::size_t at_once_appended = 256;  ///< between cuts, beyond 2 k

  std::size_t block_size() const noexcept { return m_group * width; }

  void make_room(std::size_t n, std::size_t k) {
    m_k = 0;  // until there is room, should an allocation fail
    m_chunk = usual_chunk;
    while (m_chunk < std::min(n, 32 * k)) m_chunk *= 2;
    const std::size_t at_once = std::min(n, m_chunk);
    m_chunk = std::max(at_once, shortest_chunk);  // more may come than were expected
    m_group = 1;
    while (m_group < 32 && at_once / (2 * m_group) >= 2 * k + 64) m_group *= 2;
    const std::size_t blocks = m_chunk / block_size() + 1;
    m_minima.resize(blocks * width);
    m_part_minima.resize(blocks * std::max<std::size_t>(m_group / 4, 1) * width);
    m_blocks.resize(blocks);
    m_kept.reset(2 * k + at_once_appended + block_size());
    m_n = n;
    m_k = k;
  }

  /// Elements from position `first` on are after m_kth where they are above this.
  integer bound_from(Position first) const noexcept {
    const integer kth = to_ordered_int(m_kth.rank);
    if (first < m_kth.id || kth == std::numeric_limits<integer>::lowest()) return kth;
    return kth - (!std::is_integral_v<key> && kth == 0 ? 2 : 1);  // below +0 is -0, which equals it
  }

  /// The keys from place i of n on, with worst_key from place n on.
  static batch load_at(const T* data, std::size_t i, std::size_t n) noexcept {
    return i + width <= n ? load_keys<Largest>(data + i) : load_some_keys<Largest>(data + i, n - i);
  }

  /// f(the vectors of a part, as a constant).
  template <class F>
  std::size_t with_part(F f) const {
    switch (m_group) {
      case 1:
        return f(std::integral_constant<std::size_t, 1>{});
      case 2:
        return f(std::integral_constant<std::size_t, 2>{});
      default:
        return f(std::integral_constant<std::size_t, 4>{});
    }
  }

  /// Writes those blocks of `n` elements that have a minimum up to the bound, and their minima; returns how many.
  template <std::size_t Part>
  std::size_t find_blocks(const T* data, std::size_t n, integer bound) noexcept {
    const batch limit(from_ordered_int<key>(bound)), worst(worst_key<key>);
    const std::size_t size = block_size(), whole = n / size, parts = m_group / Part;
    key* part_minima = m_part_minima.data();
    integer* minima = m_minima.data();
    std::uint32_t* blocks = m_blocks.data();
    const auto add = [&](std::size_t block, const batch& least) {
      simd::ordered_lanes(least).store_aligned(minima);
      *blocks++ = static_cast<std::uint32_t>(block);
      minima += width;
      part_minima += parts * width;
    };
    for (std::size_t block = 0; block < whole; ++block) {
      const T* part_begin = data + block * size;
      batch least = worst;
      for (std::size_t part = 0; part < parts; ++part, part_begin += Part * width) {
        batch of_part = simd::min_skip_nan(load_keys<Largest>(part_begin), worst);
        simd::unroll<Part - 1>(
            [&](auto v) { of_part = simd::min_skip_nan(load_keys<Largest>(part_begin + (v + 1) * width), of_part); });
        of_part.store_aligned(part_minima + part * width);
        least = simd::min_skip_nan(of_part, least);
      }
      if (xsimd::any(least <= limit)) add(block, least);
    }
    if (whole * size < n) {
      batch least = worst;
      for (std::size_t part = 0; part < parts; ++part) {
        batch of_part = worst;
        const std::size_t begin = whole * size + part * Part * width;
        for (std::size_t i = begin; i < std::min(begin + Part * width, n); i += width)
          of_part = simd::min_skip_nan(load_at(data, i, n), of_part);
        of_part.store_aligned(part_minima + part * width);
        least = simd::min_skip_nan(of_part, least);
      }
      add(whole, least);
    }
    return static_cast<std::size_t>(blocks - m_blocks.data());
  }

  /// Appends the elements up to the bound of the blocks found, from the i-th of `end` on; returns the one to go on with
  /// after a cut.
  template <std::size_t Part>
  std::size_t append_blocks(const T* data, std::size_t n, std::size_t i, std::size_t end, Position first,
                            integer bound) noexcept {
    const batch limit(from_ordered_int<key>(bound));
    const ints ordered_limit(bound);
    const std::size_t size = block_size(), whole = n / size, parts = m_group / Part;
    const std::size_t most = m_kept.capacity() - size;
    const integer* const minima = m_minima.data();
    const key* const part_minima = m_part_minima.data();
    const std::uint32_t* const blocks = m_blocks.data();
    typename reservoir<key, Position>::writer kept(m_kept);
    for (; i < end && kept.size() <= most; ++i) {
      if (!xsimd::any(simd::load(minima + i * width) <= ordered_limit)) continue;
      const std::size_t begin = blocks[i] * size;
      if (blocks[i] == whole) {  // the last one, which is not full
        for (std::size_t at = begin; at < n; at += width) {
          const std::uint64_t present = n - at < width ? (std::uint64_t{1} << (n - at)) - 1 : ~std::uint64_t{0};
          const batch keys = load_at(data, at, n);
          kept.append(keys, simd::mask(keys <= limit) & present, first + static_cast<Position>(at));
        }
        continue;
      }
      for (std::size_t part = 0; part < parts; ++part) {
        if (parts > 1 && !xsimd::any(simd::load(part_minima + (i * parts + part) * width) <= limit)) continue;
        const std::size_t at = begin + part * Part * width;
        simd::unroll<Part>([&](auto v) {
          const batch keys = load_keys<Largest>(data + at + v * width);
          kept.append(keys, simd::mask(keys <= limit), first + static_cast<Position>(at + v * width));
        });
      }
    }
    return i;
  }

  std::size_t m_n = 0, m_k = 0, m_chunk = 0;
  std::size_t m_group = 1;  ///< vectors of a block; its parts have 4 at most
  reservoir<key, Position> m_kept;
  integer m_bound = 0;                ///< elements above this are not among the k best
  candidate<key, Position> m_kth{};   ///< nor are those after this one, the k-th of the last cut
  aligned_vector<integer> m_minima;   ///< of the lanes of the blocks to be read again
  aligned_vector<key> m_part_minima;  ///< and of their parts
  std::vector<std::uint32_t> m_blocks;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
