#pragma once

/// \file
/// The k best of elements that come in chunks, exactly, by a plain minimum and a second look at few blocks.
///
/// A chunk is read in blocks of some vectors. The k-th smallest of the minima of all their lanes bounds the k-th
/// smallest element, since k lanes hold one that small: so only blocks with a minimum up to it are read again, about k
/// of them, while they are in the cache. The best of the chunks before bound the next, so that few of its blocks pass.

#include <annulus/approx_top_k/lane_keys.hpp>
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
    const integer best = to_ordered_int(to_key<Largest>(lanes::best_element()));
    integer bound = std::min(m_bound, bound_from(first));
    if (bound < best) return;  // what is kept cannot get better
    const std::size_t whole = n / block_size() * block_size();
    const std::size_t found = with_part([&](auto part) { return find_blocks<part>(data, n, bound); });
    const std::size_t minima = (found + (whole < n ? 1 : 0)) * width, enough = m_k + m_k / 8 + 1;
    if (minima > enough && count_at_most(m_minima.data(), minima, bound) > enough)
      m_bound = bound = std::min(bound, rank_bound<key>(m_minima.data(), minima, m_k, enough));
    const auto cut_before = [&](Position position) {
      cut();
      bound = std::min(bound, bound_from(position));
    };
    for (std::size_t next = 0; next < found && bound >= best;) {
      next = with_part([&](auto part) { return append_blocks<part>(data, next, found, first, bound); });
      if (next < found) cut_before(first + m_blocks[next]);
    }
    if (whole < n) {
      const Position at = first + static_cast<Position>(whole);
      if (m_kept.size() > m_kept.capacity() - block_size()) cut_before(at);
      if (bound >= best) append_last(n - whole, at, bound);
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
  using writer = typename reservoir<key, Position>::writer;
  using lanes = lane_keys<T, Largest>;
  using lane = typename lanes::key;
  using lane_batch = typename lanes::batch;
  static constexpr bool is_wide = lanes::are_wide;
  static constexpr std::size_t width = lanes::width;
  static constexpr std::size_t usual_chunk = std::size_t{1} << 16, shortest_chunk = 1024;
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
    m_part_minima.resize(blocks * (m_group / part_size()) * width);
    m_blocks.resize(blocks);
    m_last.resize(block_size());
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

  /// How many vectors of a block have their minima kept, since a block is read again by parts.
  std::size_t part_size() const noexcept { return m_group == 1 ? 1 : m_group < (is_wide ? 4 : 8) ? 2 : 4; }
  /// f(part_size(), as a constant).
  template <class F>
  std::size_t with_part(F f) const {
    switch (part_size()) {
      case 1:
        return f(std::integral_constant<std::size_t, 1>{});
      case 2:
        return f(std::integral_constant<std::size_t, 2>{});
      default:
        return f(std::integral_constant<std::size_t, 4>{});
    }
  }

  /// Writes where those whole blocks of `n` elements begin that have a minimum up to the bound, and their minima, with
  /// those of the last block behind them where that is not whole; returns how many whole ones.
  template <std::size_t Part>
  std::size_t find_blocks(const T* data, std::size_t n, integer bound) noexcept {
    const lane_batch limit(lanes::limit(from_ordered_int<key>(bound)));
    const std::size_t size = block_size(), parts = m_group / Part;
    lane* part_minima = m_part_minima.data();
    integer* minima = m_minima.data();
    Position* blocks = m_blocks.data();
    std::size_t begin = 0;
    for (; begin + size <= n; begin += size) {
      const lane_batch least = least_of_parts<Part>(data + begin, parts, part_minima);
      if (xsimd::any(least <= limit)) [[unlikely]] {
        lanes::store_ordered(least, minima);
        *blocks++ = static_cast<Position>(begin);
        minima += width;
        part_minima += parts * width;
      }
    }
    if (begin < n) {
      std::fill(std::copy(data + begin, data + n, m_last.data()), m_last.data() + size, lanes::worst_element());
      lanes::store_ordered(least_of_parts<Part>(m_last.data(), parts, part_minima), minima);
    }
    return static_cast<std::size_t>(blocks - m_blocks.data());
  }

  /// Writes the minima of a block's parts; returns theirs.
  template <std::size_t Part>
  static lane_batch least_of_parts(const T* block, std::size_t parts, lane* minima) noexcept {
    const lane_batch least = least_of_parts<Part>(block, parts, minima, [](const T* p) { return lanes::load(p); });
    if (!lanes::any_nan_before(least)) return least;
    return least_of_parts<Part>(block, parts, minima, [](const T* p) { return lanes::load_without_nan(p); });
  }
  template <std::size_t Part, class Load>
  [[gnu::always_inline]] static lane_batch least_of_parts(const T* block, std::size_t parts, lane* minima,
                                                          Load load) noexcept {
    const lane_batch worst(lanes::worst);
    lane_batch least = worst;
    for (std::size_t part = 0; part < parts; ++part, block += Part * width) {
      lane_batch of_part = lanes::min(load(block), worst);
      simd::unroll<Part - 1>([&](auto v) { of_part = lanes::min(load(block + (v + 1) * width), of_part); });
      of_part.store_aligned(minima + part * width);
      least = lanes::min(of_part, least);
    }
    return least;
  }

  /// Appends the elements up to the bound of the whole blocks found, from the i-th of `end` on; returns the one to go
  /// on with after a cut. Not inlined, as its registers do not suffice for both loops of a scan.
  template <std::size_t Part>
  [[gnu::noinline]] std::size_t append_blocks(const T* data, std::size_t i, std::size_t end, Position first,
                                              integer bound) noexcept {
    const batch limit(from_ordered_int<key>(bound));
    const lane_batch lane_limit(lanes::limit(from_ordered_int<key>(bound)));
    const ints ordered_limit(bound);
    const std::size_t parts = m_group / Part, most = m_kept.capacity() - block_size();
    const integer* const minima = m_minima.data();
    const lane* const part_minima = m_part_minima.data();
    const Position* const blocks = m_blocks.data();
    writer kept(m_kept);
    for (; i < end && kept.size() <= most; ++i) {
      if (!any_up_to(minima + i * width, ordered_limit)) continue;
      for (std::size_t part = 0; part < parts; ++part) {
        if (parts > 1 && !xsimd::any(simd::load(part_minima + (i * parts + part) * width) <= lane_limit)) continue;
        const Position at = blocks[i] + static_cast<Position>(part * Part * width);
        append_up_to<Part>(kept, data + at, first + at, limit, lane_limit);
      }
    }
    return i;
  }

  /// Appends the elements up to the bound of the last block, of which `n` are elements of the row.
  void append_last(std::size_t n, Position first, integer bound) noexcept {
    const batch limit(from_ordered_int<key>(bound));
    const lane_batch lane_limit(lanes::limit(from_ordered_int<key>(bound)));
    writer kept(m_kept);
    for (std::size_t i = 0; i < n; i += width)
      if (const T* const p = m_last.data() + i; xsimd::any(lanes::load(p) <= lane_limit))
        append_up_to<1>(kept, p, first + static_cast<Position>(i), limit, lane_limit);
    kept.drop_from(first + static_cast<Position>(n));
  }

  static bool any_up_to(const integer* minima, const ints& limit) noexcept {
    for (std::size_t i = 0; i < width; i += simd::lanes<key>)
      if (xsimd::any(simd::load(minima + i) <= limit)) return true;
    return false;
  }

  /// Appends the elements up to the limit of some vectors. Of four of narrow elements few are: these one by one.
  template <std::size_t Vectors>
  [[gnu::always_inline]] static void append_up_to(writer& kept, const T* p, Position first,
                                                  [[maybe_unused]] const batch& limit,
                                                  [[maybe_unused]] const lane_batch& lane_limit) noexcept {
    if constexpr (is_wide || Vectors <= 2) {
      constexpr std::size_t step = simd::lanes<key>;
      simd::unroll<Vectors * width / step>([&](auto v) ANNULUS_INLINED {
        const batch keys = load_keys<Largest>(p + v * step);
        kept.append(keys, simd::mask(keys <= limit), first + static_cast<Position>(v * step));
      });
    } else {
      constexpr std::size_t at_once = std::min(Vectors, 64 / width);
      for (const T* const end = p + Vectors * width; p < end; p += at_once * width, first += at_once * width) {
        std::uint64_t chosen = 0;
        simd::unroll<at_once>([&](auto v) ANNULUS_INLINED {
          chosen |= simd::mask(lanes::load_without_nan(p + v * width) <= lane_limit) << (v * width);
        });
        for (; chosen != 0; chosen &= chosen - 1) {
          const auto i = static_cast<std::size_t>(std::countr_zero(chosen));
          kept.append(to_key<Largest>(p[i]), first + static_cast<Position>(i));
        }
      }
    }
  }

  std::size_t m_n = 0, m_k = 0, m_chunk = 0;
  std::size_t m_group = 1;  ///< vectors of a block
  reservoir<key, Position> m_kept;
  integer m_bound = 0;                 ///< elements above this are not among the k best
  candidate<key, Position> m_kth{};    ///< nor are those after this one, the k-th of the last cut
  aligned_vector<integer> m_minima;    ///< of the lanes of the blocks to be read again
  aligned_vector<lane> m_part_minima;  ///< and of their parts
  aligned_vector<T> m_last;            ///< a copy of the last block, where it is not full
  std::vector<Position> m_blocks;      ///< where they begin
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
