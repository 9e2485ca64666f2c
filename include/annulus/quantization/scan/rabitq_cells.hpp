#pragma once

/// \file
/// RaBitQ codes of rows, by cell, and the scan that estimates ranks from them.

#include <annulus/core/base/buffer.hpp>
#include <annulus/core/base/errors.hpp>
#include <annulus/core/base/float_bits.hpp>
#include <annulus/core/base/ids.hpp>
#include <annulus/core/codes/rabitq_code.hpp>
#include <annulus/core/codes/rabitq_lookup.hpp>
#include <annulus/core/simd/masks.hpp>
#include <annulus/storage/archive.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The rows of each cell in blocks of 32, by their distance from the centroid. A row's estimated rank is
/// offset - slope <x, y>, plus a term of the query and the cell. Slots behind a cell's last row have no_id, and an
/// offset that no limit exceeds.
class rabitq_cells {
 public:
  static constexpr std::size_t block = rabitq_layout::codes_a_block;

  rabitq_cells(std::size_t code_dims, unsigned bits) : m_layout(code_dims, bits), m_first(1, 0) {}

  /// Cells of so many rows each, all of whose slots are empty.
  rabitq_cells(std::size_t code_dims, unsigned bits, std::span<const std::size_t> sizes)
      : rabitq_cells(code_dims, bits) {
    for (const std::size_t size : sizes) m_first.push_back(m_first.back() + (size + block - 1) / block);
    m_ids.resize(blocks() * block, no_id);
    m_offsets.resize(blocks() * block, std::numeric_limits<float>::max());
    m_slopes.resize(blocks() * block, 0.0f);
    m_radii.resize(blocks());
    m_codes.resize(checked_product(blocks(), m_layout.block_bytes(), "codes"), std::uint8_t{0});
  }

  std::size_t size() const noexcept { return m_first.size() - 1; }  ///< cells
  unsigned bits() const noexcept { return m_layout.bits(); }
  std::size_t blocks() const noexcept { return m_first.back(); }
  std::size_t first_block(std::size_t cell) const noexcept { return m_first[cell]; }
  std::size_t last_block(std::size_t cell) const noexcept { return m_first[cell + 1]; }
  id_type id(std::size_t slot) const noexcept { return m_ids[slot]; }
  std::size_t memory_bytes() const noexcept {
    return m_ids.memory_bytes() + m_offsets.memory_bytes() + m_slopes.memory_bytes() + m_radii.memory_bytes() +
           m_codes.memory_bytes() + m_first.memory_bytes();
  }

  /// Writes a row into its slot: those of a cell in ascending order of `radius`, the distance from the centroid.
  void put(std::size_t slot, id_type id, float radius, float offset, float slope, const std::uint8_t* values) noexcept {
    m_ids[slot] = id;
    m_offsets[slot] = offset;
    m_slopes[slot] = slope;
    auto& radii = m_radii[slot / block];
    if (slot % block == 0) radii.least = radius;
    radii.greatest = std::max(radii.greatest, radius);
    m_layout.put(m_codes.data() + slot / block * m_layout.block_bytes(), slot % block, values);
  }

  /// The blocks of a cell with rows from `least` to `greatest` away from the centroid.
  std::pair<std::size_t, std::size_t> blocks_between(std::size_t cell, float least, float greatest) const noexcept {
    std::size_t begin = first_block(cell), end = last_block(cell);
    while (begin < end && m_radii[begin].greatest < least) ++begin;
    while (begin < end && m_radii[end - 1].least > greatest) --end;
    return {begin, end};
  }

  /// Calls found(estimate, id) for the rows of blocks [begin, end) whose estimated rank is below `limit`, which `found`
  /// may lower. `term` is what the query and the cell add to ranks.
  template <class Found>
  [[gnu::always_inline]] void scan(const rabitq_tables<>& tables, std::size_t begin, std::size_t end, float term,
                                   const float& limit, Found found) const {
    using batch = simd::batch<float>;
    constexpr std::size_t width = simd::lanes<float>, vectors = block / width;
    const batch unit(tables.unit()), middle(-0.5f * tables.magnitudes() * tables.unit());
    const std::uint8_t* codes = m_codes.data() + begin * m_layout.block_bytes();
    const bool is_bit = m_layout.bits() == 1;
    for (std::size_t b = begin; b < end; ++b, codes += m_layout.block_bytes()) {
      alignas(64) std::int32_t sums[block];
      alignas(64) float products[block];
      if (is_bit) tables.whole_sums(codes, sums);
      else tables.sums(m_layout, codes, products);
      const float *const offsets = m_offsets.data() + b * block, *const slopes = m_slopes.data() + b * block;
      const batch below(limit - term);
      batch rank[vectors];
      simd::batch_bool<float> any(false);
      simd::unroll<vectors>([&](auto v) {
        const auto sum = [&] { return simd::batch<std::int32_t>::load_aligned(sums + v * width); };
        const batch product =
            is_bit ? xsimd::fma(xsimd::to_float(sum()), unit, middle) : batch::load_aligned(products + v * width);
        rank[v] = xsimd::fnma(simd::load(slopes + v * width), product, simd::load(offsets + v * width));
        any = any | (rank[v] < below);
      });
      if (!xsimd::any(any)) [[likely]]
        continue;
      alignas(64) float ranks[block];
      std::uint64_t chosen = 0;
      simd::unroll<vectors>([&](auto v) {
        rank[v].store_aligned(ranks + v * width);
        chosen |= simd::mask(rank[v] < below) << (v * width);
      });
      for (; chosen != 0; chosen &= chosen - 1) {
        const auto i = static_cast<std::size_t>(std::countr_zero(chosen));
        found(ranks[i] + term, m_ids[b * block + i]);
      }
    }
  }

  /// Every row in its slot: f(id, slot).
  template <class F>
  void visit(F f) const {
    for (std::size_t slot = 0; slot < m_ids.size(); ++slot)
      if (m_ids[slot] != no_id) f(m_ids[slot], slot);
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    const std::size_t n_cells = archived_size(archive, "n_cells", self.size());
    archive("first_blocks", self.m_first, {n_cells + 1});
    if constexpr (Archive::is_loading)
      archive.expect(self.m_first[0] == 0 && std::ranges::is_sorted(self.m_first), "first_blocks do not ascend from 0");
    const std::uint64_t n_blocks = self.blocks();
    archive("ids", self.m_ids, {n_blocks, block});
    archive("offsets", self.m_offsets, {n_blocks, block});
    archive("slopes", self.m_slopes, {n_blocks, block});
    archive.template as<float>("radii", self.m_radii, {n_blocks, 2});
    archive("codes", self.m_codes, {n_blocks, self.m_layout.block_bytes()});
  }

  std::string defect(std::size_t n) const {
    std::vector<bool> met(n, false);
    for (std::size_t slot = 0; slot < m_ids.size(); ++slot) {
      const auto at = [&](const char* what) { return what + std::to_string(slot); };
      if (!is_finite(m_offsets[slot]) || !is_finite(m_slopes[slot]))
        return at("offsets or slopes: NaN or infinite at ");
      if (m_ids[slot] == no_id) continue;
      if (m_ids[slot] >= n || met[m_ids[slot]]) return at("ids: too great or repeated at ");
      met[m_ids[slot]] = true;
    }
    for (std::size_t i = 0; i < n; ++i)
      if (!met[i]) return "ids: row " + std::to_string(i) + " is missing";
    return {};
  }

 private:
  struct range {
    float least = 0, greatest = 0;
  };

  rabitq_layout m_layout;
  buffer<std::uint64_t> m_first;  ///< the first block of each cell, and the number of blocks
  buffer<id_type> m_ids;
  buffer<float> m_offsets, m_slopes;
  buffer<range> m_radii;
  buffer<std::uint8_t> m_codes;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
