#pragma once

/// \file
/// Top-k of one contiguous row: the partial reduction, the selection from its bins, and the second pass by which an
/// exact plan finds what the bins dropped.

#include <annulus/approx_top_k/partial_reduce.hpp>
#include <annulus/core/base/parallel.hpp>
#include <annulus/core/select/top_k.hpp>
#include <annulus/core/simd/prefetch.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Finds the k smallest (or, `Largest`, largest) elements of rows of n as planned. Holds scratch: each thread has its
/// own.
template <class T, bool Largest>
class row_top_k {
 public:
  using key = key_t<T>;

  row_top_k(const approx_top_k_plan& plan, std::size_t n, std::size_t k)
      : m_plan(plan), m_n(n), m_k(k), m_group(group_size(n, k, plan.bins)), m_exhaustive(plan.output_size) {}

  /// Writes plan.output_size values and their indices in the row.
  void operator()(const T* row, T* values, std::int64_t* indices, std::size_t threads = 1) {
    if (m_plan.bins == m_n || !from_bins(row, threads)) exhaustive(row);
    for (std::size_t i = 0; i < m_found.size(); ++i) {
      indices[i] = static_cast<std::int64_t>(m_found[i].id);
      values[i] = row[m_found[i].id];
    }
    for (std::size_t i = m_found.size(); i < m_plan.output_size; ++i) {  // XLA's size for a shard can be above n
      indices[i] = -1;
      values[i] = worst_value();
    }
  }

 private:
  using element = candidate<key, std::uint64_t>;
  using ranked_bits = decltype(ordered_bits(key{}));

  static T worst_value() noexcept {
    using limits = std::numeric_limits<T>;
    if constexpr (std::is_integral_v<T>) return Largest ? limits::lowest() : limits::max();
    else return Largest ? -limits::infinity() : limits::infinity();
  }

  std::size_t chunk_size() const noexcept { return m_plan.bins * m_group; }

  /// Ranks all elements by ordered_bits: NaN comes last, and no key counts as absent.
  void exhaustive(const T* row) {
    constexpr candidate<ranked_bits, std::uint64_t> after_all{~ranked_bits{0}, ~std::uint64_t{0}};
    m_exhaustive.reset(m_plan.output_size, after_all);
    for (std::size_t i = 0; i < m_n; ++i) m_exhaustive.push(ordered_bits(to_key<Largest>(row[i])), i);
    m_found.clear();
    for (const auto& c : m_exhaustive.sorted()) m_found.push_back({key{}, c.id});
  }

  /// Returns false where fewer elements than needed are below worst_key: most are infinities or NaN.
  bool from_bins(const T* row, std::size_t threads) {
    reduce(row, threads);
    if (m_plan.output_size != m_k) return unsorted_bins(row);
    if (!select(row)) return false;
    if (m_plan.exact && may_have_lost()) look_again(row);
    sort_candidates(m_found, m_scratch);
    return true;
  }

  void reduce(const T* row, std::size_t threads) {
    const std::size_t chunks = m_n / chunk_size() + (m_n % chunk_size() != 0);
    m_tables.resize(std::min(resolve_threads(threads), chunks));
    for (auto& table : m_tables) table.reset(m_plan.bins, m_plan.per_bin);
    const std::size_t grain = m_tables.size() == 1 ? chunks : chunks / (8 * m_tables.size()) + 1;
    parallel_for(m_tables.size(), chunks, grain, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      auto& table = m_tables[worker];
      const bool ordered = m_tables.size() == 1;
      for (std::size_t chunk = begin; chunk < end; ++chunk) {
        const std::size_t first = chunk * chunk_size();
        lane_minima<Largest>(m_group, row + first, std::min(chunk_size(), m_n - first), m_plan.bins, table.lanes());
        ordered ? table.template fold<true>(chunk) : table.template fold<false>(chunk);
      }
    });
    for (std::size_t worker = 1; worker < m_tables.size(); ++worker) m_tables[0].merge(m_tables[worker]);
  }

  /// The index of the first element of a lane that a bin kept; each following one is block_lanes further.
  std::uint64_t lane_begin(std::size_t level, std::size_t bin) const noexcept {
    const auto& table = m_tables[0];
    const std::uint64_t chunk = table.chunk(level, bin);
    const std::size_t lane = table.lane(bin, chunk);
    return chunk * chunk_size() + lane / block_lanes * (block_lanes * m_group) + lane % block_lanes;
  }

  /// Calls f(key, index) for the elements of a lane.
  template <class F>
  void for_lane(const T* row, std::uint64_t begin, F f) const {
    for (std::uint64_t g = 0, i = begin; g < m_group && i < m_n; ++g, i += block_lanes) f(to_key<Largest>(row[i]), i);
  }

  /// Writes the k best elements of the bins, unsorted, to m_found. They are in the k lanes with the best minima; of
  /// lanes tied with the k-th, in those of blocks up to its own.
  bool select(const T* row) {
    const auto& table = m_tables[0];
    const std::size_t bins = table.bins(), slots = bins * table.per_bin();
    const auto keys = table.keys();
    const auto kth_bits = radix_select<ranked_bits>(
        slots, m_k, [&](std::size_t i) { return ordered_bits(keys[i]); }, m_bits);
    if (kth_bits == ordered_bits(worst_key<key>)) return false;

    key kth{};
    m_lanes.clear();
    m_tied.clear();
    const std::size_t block = block_lanes * m_group;
    for (std::size_t i = 0; i < slots; ++i) {
      const auto bits = ordered_bits(keys[i]);
      if (bits > kth_bits) continue;
      if (bits < kth_bits) m_lanes.push_back(lane_begin(i / bins, i % bins));
      else {
        kth = keys[i];
        m_tied.push_back(lane_begin(i / bins, i % bins));
      }
    }
    const auto last = m_tied.begin() + static_cast<std::ptrdiff_t>(m_k - m_lanes.size() - 1);
    std::nth_element(m_tied.begin(), last, m_tied.end());
    const std::uint64_t last_block = *last / block;
    for (const std::uint64_t begin : m_tied)
      if (begin / block <= last_block) m_lanes.push_back(begin);

    constexpr std::size_t ahead = 8;
    m_elements.reset(m_lanes.size() * 2);
    for (std::size_t i = 0; i < m_lanes.size(); ++i) {
      if (i + ahead < m_lanes.size())
        for (std::size_t g = 0; g < m_group; ++g)
          simd::prefetch(row + std::min<std::uint64_t>(m_lanes[i + ahead] + g * block_lanes, m_n - 1));
      for_lane(row, m_lanes[i], [&](key x, std::uint64_t at) {
        if (is_at_most(x, kth)) m_elements.append(x, at);
      });
    }
    m_elements.cut(m_k);
    m_found.assign(m_elements.items().begin(), m_elements.items().end());
    return true;
  }

  /// Whether a bin may have dropped an element better than the k-th of m_found: what it dropped comes after its last
  /// key.
  bool may_have_lost() const {
    const auto& table = m_tables[0];
    const element kth = *std::max_element(m_found.begin(), m_found.end());
    const std::size_t level = table.per_bin() - 1;
    for (std::size_t bin = 0; bin < table.bins(); ++bin) {
      const key last = table.key(level, bin);
      if (last < kth.rank || (last == kth.rank && table.chunk(level, bin) < kth.id / chunk_size())) return true;
    }
    return false;
  }

  /// A second pass over the row, for elements at least as good as the k-th that the first found.
  void look_again(const T* row) {
    const element kth = *std::max_element(m_found.begin(), m_found.end());
    top_k<key, std::uint64_t> best(m_k);
    best.reset(m_k, {kth.rank, kth.id + 1});
    key keys[1024];
    for (std::size_t i = 0; i < m_n; i += std::size(keys)) {
      const std::size_t count = std::min(std::size(keys), m_n - i);
      for (std::size_t j = 0; j < count; ++j) keys[j] = to_key<Largest>(row[i + j]);
      best.push_block(keys, count, i);
    }
    const auto found = best.sorted();
    m_found.assign(found.begin(), found.end());
  }

  /// Without aggregation: the per_bin best elements of every bin.
  bool unsorted_bins(const T* row) {
    const auto& table = m_tables[0];
    m_found.clear();
    for (std::size_t bin = 0; bin < table.bins(); ++bin) {
      m_elements.reset(table.per_bin() * m_group);
      for (std::size_t level = 0; level < table.per_bin(); ++level) {
        if (ordered_bits(table.key(level, bin)) == ordered_bits(worst_key<key>)) break;
        for_lane(row, lane_begin(level, bin), [&](key x, std::uint64_t at) {
          if (is_less(x, worst_key<key>)) m_elements.append(x, at);
        });
      }
      auto& elements = m_elements.items();
      if (elements.size() < table.per_bin()) return false;
      const auto end = elements.begin() + static_cast<std::ptrdiff_t>(table.per_bin());
      std::partial_sort(elements.begin(), end, elements.end());
      m_found.insert(m_found.end(), elements.begin(), end);
    }
    return true;
  }

  approx_top_k_plan m_plan;
  std::size_t m_n, m_k;
  std::size_t m_group;
  std::vector<bin_table<key>> m_tables;
  std::vector<ranked_bits> m_bits;
  std::vector<std::uint64_t> m_lanes, m_tied;
  reservoir<key, std::uint64_t> m_elements;
  std::vector<element> m_found, m_scratch;
  top_k<ranked_bits, std::uint64_t> m_exhaustive;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
