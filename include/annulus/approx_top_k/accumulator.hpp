#pragma once

/// \file
/// Top-k of a stream of blocks, which are pushed in any order to any number of accumulators.

#include <annulus/approx_top_k/approx_min_k.hpp>
#include <annulus/approx_top_k/block_select.hpp>
#include <annulus/core/select/sort_candidates.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// The k smallest (or, `Largest`, largest) of elements that are pushed block by block: exactly those, so the result
/// depends only on the set of (index, value) pairs, not on the blocks, the order of pushes and merges, or the
/// accumulator that an element was pushed to. To reduce shards or to use threads, give each an accumulator made with
/// the same arguments and merge them in any order.
///
/// Memory: about 150 bytes for each of the k, and some 100 KiB; nothing that grows with the stream.
template <top_k_scalar T, bool Largest = false>
class approx_top_k_accumulator {
 public:
  /// \param n_expected about how many elements the stream has \param k how many of them are kept: all k best are found
  /// \param params recall_target, policy and threads change nothing
  /// \throws std::invalid_argument for k = 0 or k > n_expected, recall_target outside (0, 1] or NaN, and for params
  /// that have no meaning here: a reduction_input_size_override, a reduction_dimension but -1 and 0,
  /// aggregate_to_topk = false.
  approx_top_k_accumulator(std::size_t n_expected, std::size_t k, const approx_top_k_params& params = {})
      : m_plan(plan_approx_top_k(n_expected, k, checked(params))) {
    m_numbers.reset(n_expected, k);
  }

  std::size_t k() const noexcept { return m_numbers.k(); }           ///< \returns how many are kept
  const approx_top_k_plan& plan() const noexcept { return m_plan; }  ///< \returns that of n_expected elements

  /// Adds elements. O(size of the block), fastest for blocks of thousands. \param block block[i] is the element of
  /// index base_index + i \param base_index no index may be pushed twice, to this or to a merged accumulator \throws
  /// std::invalid_argument for a negative index, or one not below 2^63 - 1; nothing is added then.
  void push(std::span<const T> block, std::int64_t base_index) {
    if (base_index < 0) detail::invalid("base_index", base_index, "must not be negative");
    constexpr std::int64_t limit = std::numeric_limits<std::int64_t>::max();
    if (block.size() > static_cast<std::uint64_t>(limit - base_index))
      detail::invalid("base_index", base_index, "with a block of ", block.size(), " must stay below ", limit);
    auto index = static_cast<std::uint64_t>(base_index);
    while (!block.empty()) {
      const auto chunk = block.first(std::min(block.size(), m_numbers.chunk()));
      if (numbers() < k()) add_nans(chunk, index);
      m_numbers.scan(chunk.data(), chunk.size(), index);
      index += chunk.size();
      block = block.subspan(chunk.size());
    }
  }

  /// Adds the elements of another. O(k). \param other of the same k; does not change
  /// \throws std::invalid_argument where `other` is this accumulator, or has another k.
  void merge(const approx_top_k_accumulator& other) {
    if (&other == this) detail::invalid("other", "*this", "must be another accumulator");
    if (other.k() != k()) detail::invalid("other's k", other.k(), "must equal this accumulator's ", k());
    m_numbers.merge(other.m_numbers);
    m_nans.insert(m_nans.end(), other.m_nans.begin(), other.m_nans.end());
    keep_first_nans();
  }

  /// More may be pushed afterwards. O(k log k). \returns the k best elements pushed, best first, ties by lowest index,
  /// NaN last; all elements where fewer than k were pushed. -0 is returned as +0 \throws std::bad_alloc
  top_k_result<T> finish() const {
    std::vector<candidate<key, std::uint64_t>> found;
    sort_scratch<key, std::uint64_t> scratch;
    m_numbers.kept().copy_to(found);
    sort_candidates(found, scratch);
    found.resize(std::min(found.size(), k()));

    top_k_result<T> result;
    for (const auto& c : found) {
      result.values.push_back(detail::without_negative_zero(detail::from_key<Largest, T>(c.rank)));
      result.indices.push_back(static_cast<std::int64_t>(c.id));
    }
    auto nans = m_nans;
    std::sort(nans.begin(), nans.end());
    nans.resize(std::min(nans.size(), k() - found.size()));
    for (const std::uint64_t index : nans) {
      result.values.push_back(std::numeric_limits<T>::quiet_NaN());
      result.indices.push_back(static_cast<std::int64_t>(index));
    }
    return result;
  }

 private:
  using key = detail::key_t<T>;

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

  /// How many of what was pushed are numbers, as far as they are kept.
  std::size_t numbers() const noexcept { return m_numbers.kept().size(); }

  void add_nans(std::span<const T> block, std::uint64_t index) {
    for (const T x : block) {
      if (detail::is_nan(x)) m_nans.push_back(index);
      ++index;
    }
    keep_first_nans();
  }

  /// NaN count where fewer than k are numbers, and then the first k of them.
  void keep_first_nans() {
    if (numbers() >= k()) m_nans.clear();
    if (m_nans.size() <= 2 * k()) return;  // so that a cut pays for as many as it keeps
    const auto end = m_nans.begin() + static_cast<std::ptrdiff_t>(k());
    std::nth_element(m_nans.begin(), end, m_nans.end());
    m_nans.erase(end, m_nans.end());
  }

  approx_top_k_plan m_plan;
  detail::block_select<T, Largest, std::uint64_t> m_numbers;
  std::vector<std::uint64_t> m_nans;  ///< where NaN were
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
