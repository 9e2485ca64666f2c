#pragma once

/// \file
/// The buckets of rows that were inserted since the tables were sorted.

#include <annulus/core/base/ids.hpp>
#include <annulus/lsh/sorted_buckets.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// For each table a hash table of chains, newest row first. Rows are numbered from 0 in the order they come.
class added_buckets {
 public:
  explicit added_buckets(std::size_t n_tables = 0) : m_n_tables(n_tables) {}

  std::size_t size() const noexcept { return m_size; }
  std::size_t memory_bytes() const noexcept {
    return m_buckets.memory_bytes() + m_next.memory_bytes() + m_heads.memory_bytes();
  }

  /// Makes room for `count` more rows, so that adding them cannot throw.
  void reserve(std::size_t count) {
    const std::size_t n_heads = std::bit_ceil(std::max<std::size_t>({m_size + count, m_n_heads, 64}));
    m_buckets.reserve(n_heads * m_n_tables);  // always: a copy keeps the heads, not the capacity
    m_next.reserve(n_heads * m_n_tables);
    if (n_heads == m_n_heads) return;
    m_heads.reserve(n_heads * m_n_tables);
    m_heads.assign(n_heads * m_n_tables, none);
    m_n_heads = n_heads;
    for (std::size_t row = 0; row < m_size; ++row) link(row);
  }

  /// Adds a row, given its bucket in each table; reserve made the room.
  void add(std::span<const std::uint64_t> buckets) {
    m_buckets.append(buckets.data(), buckets.size());
    m_next.resize(m_next.size() + m_n_tables);
    link(m_size++);
  }

  std::uint64_t bucket(std::size_t table, std::size_t row) const noexcept {
    return m_buckets[row * m_n_tables + table];
  }

  /// Calls f(row) for the rows of a bucket.
  template <class F>
  void visit(std::size_t table, std::uint64_t bucket, F f) const {
    if (m_size == 0) return;
    // Rows descend along a chain, which therefore ends, also where a mapped file is damaged.
    std::size_t end = m_size;
    for (id_type row = m_heads[head(table, bucket)]; row < end; row = m_next[row * m_n_tables + table]) {
      if (m_buckets[row * m_n_tables + table] == bucket) f(row);
      end = row;
    }
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive("count", self.m_size);
    archive("heads_per_table", self.m_n_heads);
    archive.expect(self.m_size <= self.m_n_heads && (self.m_n_heads == 0 || std::has_single_bit(self.m_n_heads)),
                   "has not a power of two of heads, as many as rows at least");
    archive("buckets", self.m_buckets, {self.m_size, self.m_n_tables});
    archive("next", self.m_next, {self.m_size, self.m_n_tables});
    archive("heads", self.m_heads, {self.m_n_tables, self.m_n_heads});
  }
  std::string defect() const {
    for (const std::uint64_t bucket : m_buckets)
      if (bucket >> bucket_bits != 0) return "bucket " + std::to_string(bucket) + " is not of 37 bits";
    added_buckets linked = *this;
    linked.m_heads.assign(m_heads.size(), none);
    for (std::size_t row = 0; row < m_size; ++row) linked.link(row);
    if (linked.m_heads != m_heads) return "heads are not the newest rows of their chains";
    return linked.m_next == m_next ? "" : "next are not the rows before in their chains";
  }

 private:
  static constexpr id_type none = no_id;

  std::size_t head(std::size_t table, std::uint64_t bucket) const noexcept {
    return table * m_n_heads + (bucket & (m_n_heads - 1));
  }
  void link(std::size_t row) noexcept {
    for (std::size_t table = 0; table < m_n_tables; ++table)
      m_next[row * m_n_tables + table] =
          std::exchange(m_heads[head(table, bucket(table, row))], static_cast<id_type>(row));
  }

  std::size_t m_n_tables, m_size = 0, m_n_heads = 0;
  buffer<std::uint64_t> m_buckets;  ///< [row][table]
  buffer<id_type> m_next;           ///< [row][table]
  buffer<id_type> m_heads;          ///< [table][lower bits of a bucket]
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
