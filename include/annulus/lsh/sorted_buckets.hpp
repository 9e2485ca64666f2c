#pragma once

/// \file
/// The buckets of all tables, sorted: five bytes for each row and table, and at most one more for the directory.

#include <annulus/core/base/random.hpp>
#include <annulus/core/rows/matrix.hpp>
#include <annulus/core/simd/prefetch.hpp>
#include <annulus/storage/archive.hpp>

#include <algorithm>
#include <cstring>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// A bucket's number is the upper bits of its mixed key. Rows with other keys have the same number by chance: n / 2^37
/// of n rows, on average.
inline constexpr unsigned bucket_bits = 37;
constexpr std::uint64_t bucket_of(std::uint64_t key) noexcept { return mixed_bits(key) >> (64 - bucket_bits); }

/// For each table the rows 0 to size() - 1, sorted by bucket. The upper bits of a bucket's number choose a slot of the
/// table's directory, which holds where the slot begins; an entry holds the other bits, the tag, and the row. When the
/// number of rows doubles, the row takes a bit more and the tag a bit less, as the directory doubles too: an entry
/// always fits 40 bits.
class sorted_buckets {
 public:
  sorted_buckets() = default;

  /// For n rows, which assign fills in.
  sorted_buckets(std::size_t n, std::size_t n_tables) : m_n_tables(n_tables) {
    set_size(n);
    m_slots.resize(n_tables * m_n_slots);
    m_entries.resize(n_entry_bytes());
  }
  sorted_buckets(unfilled, std::size_t n_tables) : m_n_tables(n_tables) {}

  /// Sorts all rows into one table, given their buckets. Call it once a table; several threads may do so for different
  /// tables. `scratch` keeps its memory.
  void assign(std::size_t table, std::span<const std::uint64_t> buckets, std::vector<std::uint64_t>& scratch) {
    // A counting sort by slot, then each slot is sorted by tag and row.
    std::uint32_t* const slots = m_slots.data() + table * m_n_slots;
    for (const std::uint64_t bucket : buckets) ++slots[bucket >> m_tag_bits];
    std::uint32_t sum = 0;
    for (std::size_t s = 0; s < m_n_slots; ++s) sum += std::exchange(slots[s], sum);
    scratch.resize(m_size);
    for (std::size_t i = 0; i < m_size; ++i)
      scratch[slots[buckets[i] >> m_tag_bits]++] = (buckets[i] & low(m_tag_bits)) << m_row_bits | i;
    for (std::size_t s = m_n_slots - 1; s > 0; --s) slots[s] = slots[s - 1];  // each had moved on to its end
    slots[0] = 0;
    for (std::size_t s = 0; s < m_n_slots; ++s)
      std::sort(scratch.begin() + slots[s], scratch.begin() + static_cast<std::ptrdiff_t>(slot_begin(table, s + 1)));
    std::uint8_t* out = m_entries.data() + table * m_size * entry_bytes;
    for (const std::uint64_t e : scratch) {
      std::memcpy(out, &e, entry_bytes);
      out += entry_bytes;
    }
  }

  std::size_t size() const noexcept { return m_size; }
  std::size_t memory_bytes() const noexcept { return m_entries.memory_bytes() + m_slots.memory_bytes(); }

  void prefetch_slot(std::size_t table, std::uint64_t bucket) const noexcept {
    simd::prefetch(m_slots.data() + table * m_n_slots + (bucket >> m_tag_bits));
  }
  /// Prefetches where the bucket's slot begins and ends. Reads what prefetch_slot fetches.
  void prefetch_entries(std::size_t table, std::uint64_t bucket) const noexcept {
    const std::size_t slot = bucket >> m_tag_bits;
    simd::prefetch(entry_at(table, slot_begin(table, slot)));
    simd::prefetch(entry_at(table, slot_begin(table, slot + 1)));
  }

  /// Calls f(row) for the rows of a bucket, ascending.
  template <class F>
  void visit(std::size_t table, std::uint64_t bucket, F f) const {
    // The checks keep a damaged mapped file from leading outside the table or its rows.
    const std::size_t slot = bucket >> m_tag_bits, end = std::min(slot_begin(table, slot + 1), m_size);
    const std::uint64_t first = (bucket & low(m_tag_bits)) << m_row_bits;
    const std::uint64_t last = first | low(m_row_bits);
    constexpr std::size_t linear = 16;  // entries, up to which a linear search is faster than a binary one
    std::size_t i = slot_begin(table, slot);
    if (i + linear < end) i = lower_bound(table, i, end, first);
    for (; i < end; ++i) {
      const std::uint64_t e = entry(table, i);
      if (e > last) break;
      if (e - first < m_size) f(static_cast<std::uint32_t>(e - first));
    }
  }

  /// Calls f(row, bucket) for all rows, by ascending bucket.
  template <class F>
  void visit_all(std::size_t table, F f) const {
    std::size_t slot = 0;
    for (std::size_t i = 0; i < m_size; ++i) {
      while (slot_begin(table, slot + 1) <= i) ++slot;
      const std::uint64_t e = entry(table, i);
      if (const auto row = e & low(m_row_bits); row < m_size)
        f(static_cast<std::uint32_t>(row), slot << m_tag_bits | e >> m_row_bits);
    }
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive("count", self.m_size);
    archive.expect(self.m_size < std::numeric_limits<std::uint32_t>::max(), "has 2^32 - 1 rows or more");
    if constexpr (Archive::is_loading) self.set_size(self.m_size);
    archive("slots", self.m_slots, {self.m_n_tables, self.m_n_slots});
    archive("entries", self.m_entries, {self.n_entry_bytes()});
  }
  std::string defect() const {
    std::vector<bool> seen;
    for (std::size_t table = 0; table < m_n_tables; ++table) {
      const std::string in_table = "table " + std::to_string(table) + ": ";
      seen.assign(m_size, false);
      if (slot_begin(table, 0) != 0) return in_table + "slot 0 does not begin at 0";
      for (std::size_t s = 0; s < m_n_slots; ++s) {
        const std::size_t begin = slot_begin(table, s), end = slot_begin(table, s + 1);
        if (begin > end || end > m_size) return in_table + "slot " + std::to_string(s) + " ends before it begins";
        for (std::size_t i = begin; i < end; ++i) {
          const std::uint64_t e = entry(table, i), row = e & low(m_row_bits);
          if (row >= m_size || seen[row] || e >> m_row_bits > low(m_tag_bits) || (i > begin && e < entry(table, i - 1)))
            return in_table + "entry " + std::to_string(i) +
                   " is out of order, or its row is repeated or beyond the table";
          seen[row] = true;
        }
      }
    }
    return {};
  }

 private:
  static_assert(std::endian::native == std::endian::little, "annulus: entries are the lower bytes of integers");
  static constexpr std::size_t entry_bytes = 5;

  void set_size(std::size_t n) noexcept {
    m_size = n;
    m_row_bits = static_cast<unsigned>(std::bit_width(n));
    const unsigned slot_bits = m_row_bits > 3 ? m_row_bits - 3 : 0;
    m_tag_bits = bucket_bits - slot_bits;
    m_n_slots = std::size_t{1} << slot_bits;
  }
  /// With room after the last entry, as each is read as eight bytes.
  std::size_t n_entry_bytes() const noexcept {
    return m_n_tables * m_size * entry_bytes + sizeof(std::uint64_t) - entry_bytes;
  }
  /// The lower `bits` of a number.
  static constexpr std::uint64_t low(unsigned bits) noexcept { return (std::uint64_t{1} << bits) - 1; }
  const std::uint8_t* entry_at(std::size_t table, std::size_t i) const noexcept {
    return m_entries.data() + (table * m_size + i) * entry_bytes;
  }
  std::uint64_t entry(std::size_t table, std::size_t i) const noexcept {
    std::uint64_t e;
    std::memcpy(&e, entry_at(table, i), sizeof e);
    return e & low(8 * entry_bytes);
  }
  std::size_t slot_begin(std::size_t table, std::size_t slot) const noexcept {
    return slot < m_n_slots ? m_slots[table * m_n_slots + slot] : m_size;
  }
  std::size_t lower_bound(std::size_t table, std::size_t begin, std::size_t end, std::uint64_t value) const noexcept {
    while (begin < end) {
      const std::size_t middle = begin + (end - begin) / 2;
      if (entry(table, middle) < value) begin = middle + 1;
      else end = middle;
    }
    return begin;
  }

  std::size_t m_n_tables = 0, m_size = 0, m_n_slots = 1;
  unsigned m_row_bits = 0, m_tag_bits = bucket_bits;
  buffer<std::uint32_t> m_slots;   ///< [table][slot]
  buffer<std::uint8_t> m_entries;  ///< [table][row in order]
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
