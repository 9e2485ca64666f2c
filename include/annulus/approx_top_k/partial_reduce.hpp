#pragma once

/// \file
/// The partial reduction: one pass that distributes an operand over bins and keeps the smallest elements of each, at
/// the speed of memory and in a time that does not depend on the data.
///
/// Element i belongs to chunk i / (bins * group), and within it to a block of 16 lanes x group elements. Only the
/// minimum of each lane of a block is compared with its bin, so most of the pass is a plain minimum. Every chunk
/// assigns its lanes to bins in another way: it starts at another block, and rotates each block by another number of
/// lanes. So a regular order of the data (sorted, strided) loses no more than a random one.

#include <annulus/approx_top_k/keys.hpp>
#include <annulus/approx_top_k/plan.hpp>
#include <annulus/core/base/random.hpp>
#include <annulus/core/rows/matrix.hpp>
#include <annulus/core/select/candidate.hpp>
#include <annulus/core/simd/batch.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// out[o] = the minimum of lane o of a chunk of `lanes` lanes of `group` elements that starts at `data` and has `n`
/// elements. `Unroll` divides group.
template <bool Largest, std::size_t Unroll, class T>
void lane_minima(std::size_t group, const T* data, std::size_t n, std::size_t lanes, key_t<T>* out) noexcept {
  using key = key_t<T>;
  constexpr std::size_t width = std::min(simd::lanes<key>, block_lanes), step = block_lanes * Unroll;
  const std::size_t block = block_lanes * group;
  std::size_t o = 0, i = 0;
  for (; o < lanes && i + block <= n; o += block_lanes, i += block)
    for (std::size_t j = 0; j < block_lanes; j += width) {
      simd::batch<key> least(worst_key<key>);
      for (const T *p = data + i + j, *end = p + block; p != end; p += step)
        simd::unroll<Unroll>(
            [&](auto g) { least = simd::min_skip_nan(load_keys<Largest>(p + g * block_lanes), least); });
      least.store_unaligned(out + o + j);
    }
  for (std::size_t rest = o; rest < lanes; ++rest) out[rest] = worst_key<key>;
  if (o < lanes)
    for (std::size_t j = 0; i + j < n; ++j) {
      const key x = to_key<Largest>(data[i + j]);
      key& least = out[o + j % block_lanes];
      if (is_less(x, least)) least = x;
    }
}

template <bool Largest, class T>
void lane_minima(std::size_t group, const T* data, std::size_t n, std::size_t lanes, key_t<T>* out) noexcept {
  if (group % 4 == 0) lane_minima<Largest, 4>(group, data, n, lanes, out);
  else lane_minima<Largest, 1>(group, data, n, lanes, out);
}

/// The bins: the per_bin best keys of each, best first, ties by chunk, with the chunks that they came from.
template <class Key>
class bin_table {
 public:
  using chunk_type = std::conditional_t<sizeof(Key) == 8, std::uint64_t, std::uint32_t>;

  /// `bins` is a multiple of 16.
  void reset(std::size_t bins, std::size_t per_bin) {
    m_bins = bins;
    m_per_bin = per_bin;
    m_keys.assign(bins * per_bin, worst_key<Key>);
    m_chunks.assign(bins * per_bin, std::bit_cast<Key>(chunk_type(~chunk_type{0})));
    m_minima.resize(bins);
    if (!vector_is_block) m_turned.resize(2 * bins);
  }

  std::size_t bins() const noexcept { return m_bins; }
  std::size_t per_bin() const noexcept { return m_per_bin; }
  /// All keys, level by level: the best of every bin first.
  std::span<const Key> keys() const noexcept { return m_keys; }
  Key key(std::size_t level, std::size_t bin) const noexcept { return m_keys[level * m_bins + bin]; }
  chunk_type chunk(std::size_t level, std::size_t bin) const noexcept {
    return std::bit_cast<chunk_type>(m_chunks[level * m_bins + bin]);
  }
  /// Where the lanes of the next chunk are to be written: bins() keys, worst_key for what is absent.
  Key* lanes() noexcept { return m_minima.data(); }

  /// The lane of a bin in a chunk.
  std::size_t lane(std::size_t bin, std::uint64_t chunk) const noexcept {
    const dealing deal(chunk, m_bins);
    const std::size_t block = deal.block_of(bin / block_lanes);
    return block * block_lanes + (bin + deal.turn(block)) % block_lanes;
  }

  /// Adds the keys in lanes() to the bins, as those of a chunk. A chunk may be added in parts, each with other lanes.
  /// `Ordered`: chunks come in ascending order, so that ties need no comparison.
  template <bool Ordered>
  void fold(std::uint64_t chunk) noexcept {
    switch (m_per_bin) {
      case 1:
        return fold_levels<Ordered, 1>(chunk);
      case 2:
        return fold_levels<Ordered, 2>(chunk);
      case 3:
        return fold_levels<Ordered, 3>(chunk);
      default:
        return fold_levels<Ordered, 4>(chunk);
    }
  }

  /// Adds the keys of another table of the same shape, which come from other chunks.
  void merge(const bin_table& other) noexcept {
    for (std::size_t level = 0; level < m_per_bin; ++level)
      for (std::size_t bin = 0; bin < m_bins; ++bin) insert(bin, other.key(level, bin), other.chunk(level, bin));
  }

 private:
  /// Adds a key to one bin; NaN never enters.
  void insert(std::size_t bin, Key key, chunk_type chunk) noexcept {
    if (is_nan(key)) return;
    for (std::size_t level = 0; level < m_per_bin; ++level) {
      Key& k = m_keys[level * m_bins + bin];
      Key& c = m_chunks[level * m_bins + bin];
      if (key < k || (key == k && chunk < std::bit_cast<chunk_type>(c))) {
        std::swap(key, k);
        chunk = std::bit_cast<chunk_type>(std::exchange(c, std::bit_cast<Key>(chunk)));
      }
    }
  }

  static constexpr bool vector_is_block = simd::lanes<Key> == block_lanes;

  /// How a chunk assigns lanes to bins: blocks from a random first one on, each rotated by a random number of lanes, so
  /// that no pattern of the data falls into the same bins in every chunk.
  struct dealing {
    dealing(std::uint64_t chunk, std::size_t bins) noexcept
        : blocks(bins / block_lanes),
          key(counter_random(0, 0xB125).bits(chunk)),
          first(static_cast<std::size_t>(counter_random(0, 0xB126).below(chunk, blocks))) {}
    /// The block whose lanes go to the bins of a place.
    std::size_t block_of(std::size_t place) const noexcept {
      return first + place < blocks ? first + place : first + place - blocks;
    }
    std::size_t turn(std::size_t block) const noexcept {
      return static_cast<std::size_t>((key ^ (block * 0x9E3779B97F4A7C15u)) * 0xD1B54A32D192ED03u >> 60);
    }
    std::size_t blocks;
    std::uint64_t key;
    std::size_t first;
  };

  template <bool Ordered, std::size_t PerBin>
  void fold_levels(std::uint64_t chunk) noexcept {
    using batch = simd::batch<Key>;
    constexpr std::size_t width = simd::lanes<Key>;
    static_assert(width <= block_lanes);
    if constexpr (!vector_is_block)
      for (std::size_t o = 0; o < m_bins; o += width) {
        const batch x = batch::load_aligned(m_minima.data() + o);
        Key* const twice = m_turned.data() + o / block_lanes * (2 * block_lanes) + o % block_lanes;
        x.store_aligned(twice);
        x.store_aligned(twice + block_lanes);
      }
    const batch from(std::bit_cast<Key>(static_cast<chunk_type>(chunk)));
    const dealing deal(chunk, m_bins);
    for (std::size_t bin = 0; bin < m_bins; bin += width) {
      const std::size_t block = deal.block_of(bin / block_lanes);
      const batch x = turned(block, deal.turn(block), bin % block_lanes);
      batch keys[PerBin], chunks[PerBin];
      simd::unroll<PerBin>([&](auto level) {
        keys[level] = batch::load_aligned(m_keys.data() + level * m_bins + bin);
        chunks[level] = batch::load_aligned(m_chunks.data() + level * m_bins + bin);
      });
      simd::batch_bool<Key> before[PerBin];
      simd::unroll<PerBin>([&](auto level) {
        before[level] = x < keys[level];
        if constexpr (!Ordered)
          if (const auto tied = x == keys[level]; xsimd::any(tied))
            before[level] = before[level] || (tied && comes_before(from, chunks[level]));
      });
      // Keys behind x move down a level; the last one is dropped.
      simd::unroll<PerBin>([&](auto up) {
        constexpr std::size_t level = PerBin - 1 - up;
        batch key = x, source = from;
        if constexpr (level > 0) {
          key = xsimd::select(before[level - 1], keys[level - 1], x);
          source = xsimd::select(before[level - 1], chunks[level - 1], from);
        }
        xsimd::select(before[level], key, keys[level]).store_aligned(m_keys.data() + level * m_bins + bin);
        xsimd::select(before[level], source, chunks[level]).store_aligned(m_chunks.data() + level * m_bins + bin);
      });
    }
  }

  /// Lanes first, first + 1, ... of a rotated block. Where a vector is less than a block, m_turned has each block twice
  /// in a row, so that a rotated block is contiguous there.
  simd::batch<Key> turned(std::size_t block, std::size_t turn, std::size_t first) const noexcept {
    if constexpr (vector_is_block) {
      return simd::turn_lanes(simd::batch<Key>::load_aligned(m_minima.data() + block * block_lanes), turn);
    } else {
      return simd::load(m_turned.data() + block * (2 * block_lanes) + turn + first);
    }
  }

  static simd::batch_bool<Key> comes_before(const simd::batch<Key>& a, const simd::batch<Key>& b) noexcept {
    alignas(64) Key x[simd::lanes<Key>], y[simd::lanes<Key>];
    alignas(64) bool before[simd::lanes<Key>];
    a.store_aligned(x);
    b.store_aligned(y);
    for (std::size_t i = 0; i < simd::lanes<Key>; ++i)
      before[i] = std::bit_cast<chunk_type>(x[i]) < std::bit_cast<chunk_type>(y[i]);
    return simd::batch_bool<Key>::load_aligned(before);
  }

  std::size_t m_bins = 0, m_per_bin = 0;
  aligned_vector<Key> m_keys, m_chunks, m_minima, m_turned;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
