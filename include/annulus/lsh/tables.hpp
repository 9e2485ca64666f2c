#pragma once

/// \file
/// Hash tables from keys to rows; rows can be added.

#include <annulus/core/base/parallel.hpp>
#include <annulus/lsh/added_buckets.hpp>
#include <annulus/lsh/params.hpp>
#include <annulus/lsh/sorted_buckets.hpp>

#include <cmath>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// n_tables tables of the same rows, each row with one key a table. Some rows are sorted, those added since are in hash
/// tables of chains until renumber sorts them in. Rows are numbered from 0 in the order they come.
class hash_tables {
 public:
  explicit hash_tables(std::size_t n_tables) : m_n_tables(n_tables), m_sorted(0, n_tables), m_added(n_tables) {}

  hash_tables(unfilled, std::size_t n_tables)
      : m_n_tables(n_tables), m_sorted(unfilled{}, n_tables), m_added(n_tables) {}

  std::size_t size() const noexcept { return m_sorted.size() + m_added.size(); }
  std::size_t n_tables() const noexcept { return m_n_tables; }
  std::size_t memory_bytes() const noexcept { return m_sorted.memory_bytes() + m_added.memory_bytes(); }

  std::size_t n_added() const noexcept { return m_added.size(); }  ///< rows added since the tables were sorted

  /// Adds n rows. `hash(begin, end, first_table, n_tables, keys)` writes the keys of the new rows begin to end in
  /// n_tables tables: keys[table][row - begin]. Nothing has changed if it throws.
  template <class Hash>
  void add(std::size_t n, const thread_team& team, Hash hash) {
    if (size() == 0) {
      m_sorted = sorted_tables(n, team, hash);
      return;
    }
    matrix<std::uint64_t> buckets(n, m_n_tables);
    m_added.reserve(n);
    parallel_for(team, n, block, [&](std::size_t begin, std::size_t end, std::size_t) {
      std::vector<std::uint64_t> keys(m_n_tables * (end - begin));
      hash(begin, end, 0, m_n_tables, keys.data());
      for (std::size_t i = begin; i < end; ++i)
        for (std::size_t t = 0; t < m_n_tables; ++t) buckets(i, t) = bucket_of(keys[t * (end - begin) + i - begin]);
    });
    for (std::size_t i = 0; i < n; ++i) m_added.add(buckets.row(i));
  }

  /// Whether enough rows were added that sorting them pays. Called after every addition, it has each row sorted a few
  /// times in all, however large the tables grow.
  bool should_sort() const noexcept {
    constexpr std::size_t least = 1024, share = 4;
    return m_added.size() > least && share * m_added.size() > m_sorted.size();
  }

  /// Sorts added rows in. Row i becomes row numbers[i], or is dropped where that is no_id; numbers ascend, 0 to n - 1.
  void renumber(std::span<const id_type> numbers, std::size_t n, const thread_team& team) {
    sorted_buckets sorted(n, m_n_tables);
    std::vector<std::vector<std::uint64_t>> buckets(team.size()), scratch(buckets.size());
    parallel_for(team, m_n_tables, 1, [&](std::size_t table, std::size_t, std::size_t worker) {
      buckets[worker].resize(n);
      visit_all(table, [&](std::size_t row, std::uint64_t bucket) {
        if (numbers[row] != no_id) buckets[worker][numbers[row]] = bucket;
      });
      sorted.assign(table, buckets[worker], scratch[worker]);
    });
    m_sorted = std::move(sorted);
    m_added = added_buckets(m_n_tables);
  }

  void prefetch_slot(std::size_t table, std::uint64_t bucket) const noexcept { m_sorted.prefetch_slot(table, bucket); }
  void prefetch_entries(std::size_t table, std::uint64_t bucket) const noexcept {
    m_sorted.prefetch_entries(table, bucket);
  }

  /// Calls f(row) for the rows of a bucket.
  template <class F>
  void visit(std::size_t table, std::uint64_t bucket, F f) const {
    m_sorted.visit(table, bucket, f);
    m_added.visit(table, bucket, [&](std::size_t row) { f(static_cast<id_type>(m_sorted.size() + row)); });
  }

  /// Statistics of the buckets of all tables, counting the rows for which is_counted(row).
  template <class IsCounted>
  bucket_statistics describe(IsCounted is_counted) const {
    bucket_statistics result{.min = std::numeric_limits<std::size_t>::max(), .bytes = memory_bytes()};
    double sum = 0, squares = 0;
    std::vector<std::uint64_t> buckets;
    for (std::size_t table = 0; table < m_n_tables; ++table) {
      buckets.clear();
      visit_all(table, [&](std::size_t row, std::uint64_t bucket) {
        if (is_counted(row)) buckets.push_back(bucket);
      });
      std::sort(buckets.begin(), buckets.end());
      for (std::size_t i = 0, end; i < buckets.size(); i = end) {
        end = i + 1;
        while (end < buckets.size() && buckets[end] == buckets[i]) ++end;
        ++result.n_buckets;
        result.min = std::min(result.min, end - i);
        result.max = std::max(result.max, end - i);
        const auto count = static_cast<double>(end - i);
        sum += count;
        squares += count * count;
      }
    }
    if (result.n_buckets == 0) return {.bytes = result.bytes};
    const auto n = static_cast<double>(result.n_buckets);
    result.mean = sum / n;
    result.sd = std::sqrt(std::max(0.0, squares / n - result.mean * result.mean));
    return result;
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive.part("sorted", self.m_sorted);
    archive.part("added", self.m_added);
  }
  std::string defect() const {
    const std::string defect = defect_of("sorted", m_sorted.defect());
    return defect.empty() ? defect_of("added", m_added.defect()) : defect;
  }

 private:
  static constexpr std::size_t block = 192;  // rows hashed at once

  template <class Hash>
  sorted_buckets sorted_tables(std::size_t n, const thread_team& team, Hash hash) const {
    constexpr std::size_t max_keys = std::size_t{1} << 24;  // at once: 128 MB
    const std::size_t group = std::clamp<std::size_t>(max_keys / std::max<std::size_t>(n, 1), 1, m_n_tables);
    std::vector<std::uint64_t> buckets(group * n);
    std::vector<std::vector<std::uint64_t>> scratch(team.size());
    sorted_buckets sorted(n, m_n_tables);
    for (std::size_t first = 0; first < m_n_tables; first += group) {
      const std::size_t n_tables = std::min(group, m_n_tables - first);
      parallel_for(team, n, block, [&](std::size_t begin, std::size_t end, std::size_t) {
        std::vector<std::uint64_t> keys(n_tables * (end - begin));
        hash(begin, end, first, n_tables, keys.data());
        for (std::size_t t = 0; t < n_tables; ++t)
          for (std::size_t i = begin; i < end; ++i) buckets[t * n + i] = bucket_of(keys[t * (end - begin) + i - begin]);
      });
      parallel_for(team, n_tables, 1, [&](std::size_t t, std::size_t, std::size_t worker) {
        sorted.assign(first + t, std::span(buckets).subspan(t * n, n), scratch[worker]);
      });
    }
    return sorted;
  }

  /// Calls f(row, bucket) for all rows of a table.
  template <class F>
  void visit_all(std::size_t table, F f) const {
    m_sorted.visit_all(table, f);
    for (std::size_t row = 0; row < m_added.size(); ++row) f(m_sorted.size() + row, m_added.bucket(table, row));
  }

  std::size_t m_n_tables;
  sorted_buckets m_sorted;
  added_buckets m_added;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
