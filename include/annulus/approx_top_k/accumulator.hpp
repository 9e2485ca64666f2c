#pragma once

/// \file
/// Approximate top-k of a stream of blocks, which are pushed in any order to any number of accumulators.

#include <annulus/approx_top_k/approx_min_k.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// The k smallest (or, `Largest`, largest) of elements that are pushed block by block. The result depends only on the
/// set of (index, value) pairs: not on the blocks, the order of pushes and merges, or the accumulator that an element
/// was pushed to. To reduce shards or to use threads, give each an accumulator made with the same arguments and merge
/// them in any order: an index has the same bin in all of them (the merging of shards in Chern et al., "TPU-KNN", arXiv
/// 2206.14286).
///
/// Memory: 8 bytes (16 for elements of 8 bytes) for each place in the bins, and up to 48 k; nothing that grows with
/// the stream. Where the plan is exact there are no bins.
template <top_k_scalar T, bool Largest = false>
class approx_top_k_accumulator {
 public:
  /// For the k best of a stream of `n_expected` elements, those of all accumulators to be merged included. More
  /// elements than that only lower the recall. Of the params recall_target and policy are used; threads is ignored.
  /// \throws std::invalid_argument for k = 0 or k > n_expected, recall_target outside (0, 1] or NaN, and for params
  /// that have no meaning here: a reduction_input_size_override (n_expected takes its place), a reduction_dimension but
  /// -1 and 0, aggregate_to_topk = false.
  approx_top_k_accumulator(std::size_t n_expected, std::size_t k, const approx_top_k_params& params = {})
      : m_k(k), m_plan(plan_approx_top_k(n_expected, k, checked(params))), m_all(k) {
    m_all.reset(k, after_all);
    if (!m_plan.exact) m_table.reset(m_plan.bins, m_plan.per_bin);
  }

  std::size_t k() const noexcept { return m_k; }
  const approx_top_k_plan& plan() const noexcept { return m_plan; }

  /// The bound that every index must stay below: bins count chunks in 32 bits where elements have at most 4 bytes.
  std::int64_t index_limit() const noexcept {
    constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    constexpr std::uint64_t chunks = std::numeric_limits<typename detail::bin_table<key>::chunk_type>::max();
    return static_cast<std::int64_t>(m_plan.exact || chunks > largest / m_plan.bins ? largest : chunks * m_plan.bins);
  }

  /// Adds block[i] as the element of index base_index + i. No index may be pushed twice, to this or to a merged
  /// accumulator. O(size of the block), fastest for blocks longer than there are bins.
  /// \throws std::invalid_argument for a negative index, or one not below index_limit(); nothing is added then.
  void push(std::span<const T> block, std::int64_t base_index) {
    if (base_index < 0) detail::invalid("base_index", base_index, "must not be negative");
    const std::int64_t limit = index_limit();
    if (base_index > limit || block.size() > static_cast<std::uint64_t>(limit - base_index))
      detail::invalid("base_index", base_index, "with a block of ", block.size(), " must stay below ", limit);
    auto index = static_cast<std::uint64_t>(base_index);
    if (m_plan.exact) return push_to_all(block, index);
    while (!block.empty()) {
      const std::size_t lane = index % m_plan.bins, count = std::min(block.size(), m_plan.bins - lane);
      if (!m_bins_suffice) push_to_all(block.first(count), index);
      push_to_bins(block.first(count), index / m_plan.bins, lane);
      index += count;
      block = block.subspan(count);
    }
  }

  /// Adds the elements of `other`, which does not change. O(bins + k log k).
  /// \throws std::invalid_argument where `other` is this accumulator, or has another k or another plan.
  void merge(const approx_top_k_accumulator& other) {
    if (&other == this) detail::invalid("other", "*this", "must be another accumulator");
    if (other.m_k != m_k) detail::invalid("other's k", other.m_k, "must equal this accumulator's ", m_k);
    if (other.m_plan.exact != m_plan.exact)
      detail::invalid("other's plan.exact", other.m_plan.exact, "must equal this accumulator's ", m_plan.exact);
    if (!m_plan.exact && (other.m_plan.bins != m_plan.bins || other.m_plan.per_bin != m_plan.per_bin))
      detail::invalid("other's bins", other.m_plan.bins, "must equal this accumulator's ", m_plan.bins, ", of ",
                      m_plan.per_bin, " each; give both the same n_expected and params");
    if (!m_plan.exact) {
      m_table.merge(other.m_table);
      m_last_chunk = std::max(m_last_chunk, other.m_last_chunk);
      m_bins_suffice = m_bins_suffice || other.m_bins_suffice;
    }
    if (m_bins_suffice) return;
    auto best = other.m_all;
    for (const auto& c : best.sorted()) m_all.push(c.rank, c.id);
  }

  /// The k best elements pushed, best first, ties by lowest index, NaN last; all elements where fewer than k were
  /// pushed. -0 is returned as +0. More may be pushed afterwards. O(bins + k log k).
  top_k_result<T> finish() const {
    std::vector<element> found, scratch;
    if (bins_hold_k()) {
      detail::reservoir<key, std::uint64_t> kept;
      for (std::size_t level = 0; level < m_plan.per_bin; ++level)
        for (std::size_t bin = 0; bin < m_plan.bins; ++bin)
          if (const key x = m_table.key(level, bin); x < detail::worst_key<key>) {
            const std::uint64_t chunk = m_table.chunk(level, bin);
            kept.append(x, chunk * m_plan.bins + m_table.lane(bin, chunk));
          }
      kept.cut(m_k);
      found.assign(kept.items().begin(), kept.items().end());
      sort_candidates(found, scratch);
    } else {
      auto all = m_all;
      for (const auto& c : all.sorted()) found.push_back({detail::from_ordered_bits<key>(c.rank), c.id});
    }

    top_k_result<T> result;
    for (const element& e : found) {
      const T value = detail::from_key<Largest, T>(e.rank);
      result.values.push_back(detail::without_negative_zero(value));
      result.indices.push_back(static_cast<std::int64_t>(e.id));
    }
    return result;
  }

 private:
  using key = detail::key_t<T>;
  using element = candidate<key, std::uint64_t>;
  using chunk_type = typename detail::bin_table<key>::chunk_type;
  using ranked_bits = decltype(ordered_bits(key{}));

  static const approx_top_k_params& checked(const approx_top_k_params& params) {
    if (params.reduction_input_size_override >= 0)
      detail::invalid("reduction_input_size_override", params.reduction_input_size_override,
                      "must be negative (off); n_expected is the size of the whole");
    if (params.reduction_dimension != -1 && params.reduction_dimension != 0)
      detail::invalid("reduction_dimension", params.reduction_dimension, "must be -1 or 0");
    if (!params.aggregate_to_topk)
      detail::invalid("aggregate_to_topk", "false", "must be true; accumulators are merged as they are");
    return params;
  }

  void push_to_all(std::span<const T> block, std::uint64_t index) {
    for (const T x : block) m_all.push(ordered_bits(detail::to_key<Largest>(x)), index++);
  }

  /// `part` lies in one chunk, from one of its lanes on.
  void push_to_bins(std::span<const T> part, std::uint64_t chunk, std::size_t lane) {
    constexpr std::size_t worthwhile = 16;  // lanes folded in the time that the insertion of one element takes
    if (part.size() < m_plan.bins / worthwhile) {
      for (const T x : part)
        m_table.insert(m_table.bin(lane++, chunk), detail::to_key<Largest>(x), static_cast<chunk_type>(chunk));
    } else {
      key* lanes = m_table.lanes();
      if (part.size() < m_plan.bins) std::fill_n(lanes, m_plan.bins, detail::worst_key<key>);
      detail::lane_minima<Largest>(1, part.data(), part.size(), part.size(), lanes + lane);
      chunk < m_last_chunk ? m_table.template fold<false>(chunk) : m_table.template fold<true>(chunk);
    }
    m_last_chunk = std::max(m_last_chunk, chunk);

    // The bins may hold fewer than k elements: few were pushed, or most are worst_key or NaN. As long as they do, every
    // element goes to m_all too. Once they hold k, they always will.
    m_unchecked += part.size();
    if (m_bins_suffice || m_unchecked < m_plan.bins) return;
    m_unchecked = 0;
    m_bins_suffice = bins_hold_k();
  }

  bool bins_hold_k() const {
    const auto is_there = [](key x) { return x < detail::worst_key<key>; };
    return static_cast<std::size_t>(std::ranges::count_if(m_table.keys(), is_there)) >= m_k;
  }

  static constexpr candidate<ranked_bits, std::uint64_t> after_all{~ranked_bits{0}, ~std::uint64_t{0}};

  std::size_t m_k;
  approx_top_k_plan m_plan;
  detail::bin_table<key> m_table;
  top_k<ranked_bits, std::uint64_t> m_all;  // of all elements, as long as the bins hold fewer than k
  bool m_bins_suffice = false;
  std::size_t m_unchecked = 0;  // elements pushed since the last bins_hold_k()
  std::uint64_t m_last_chunk = 0;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
