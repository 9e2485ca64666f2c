#pragma once

/// \file
/// What a call of approx_min_k returns: the k best, or the content of bins, how many of them, how many candidates each
/// keeps, and what recall to expect.
///
/// On a TPU the k best are those of the bins: the operand is distributed over them, and each keeps its per_bin smallest
/// elements (Chern et al., "TPU-KNN", arXiv 2206.14286; with per_bin > 1 Samaga et al., arXiv 2506.04165). On a CPU the
/// k best of all are found as fast (block_select.hpp), so bins serve those who ask for them.

#include <annulus/core/base/errors.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// How many bins there are where the content of bins is returned.
enum class bin_policy {
  tight,          ///< the cheapest bins whose exact expected recall reaches the target
  xla_compatible  ///< XLA's number of bins and output sizes, about twice what the target asks for
};

/// The parameters of approx_min_k and approx_max_k.
struct approx_top_k_params {
  double recall_target = 0.95;              ///< of the bins, in (0, 1]; the k best are always exact
  std::ptrdiff_t reduction_dimension = -1;  ///< n-dimensional operands: negative counts from the end
  std::ptrdiff_t reduction_input_size_override =
      -1;                                 ///< plan for an operand of this size, of which this one is a shard
  bool aggregate_to_topk = true;          ///< false: return the content of all bins, unsorted, in place of the k best
  bin_policy policy = bin_policy::tight;  ///< without aggregation: how many bins
  std::size_t threads = 0;                ///< 0: as many cores as pay, one for every 2^22 elements
};

/// How a call works, made once for all calls with operands of the same size.
struct approx_top_k_plan {
  std::size_t size = 0, k = 0;              ///< of the operand along the reduced dimension, and how many are wanted
  std::size_t bins = 0, per_bin = 0;        ///< bins = size: all elements are candidates, and the k best are returned
  std::size_t output_size = 0;              ///< k, or bins * per_bin
  double expected_recall = 0;               ///< over random order of the operand
  bool exact = false;                       ///< for every order
  std::ptrdiff_t reduction_dimension = -1;  ///< as in the params
  std::size_t threads = 0;                  ///< as in the params
};

namespace detail {

/// The operand is read in blocks of 16 lanes x `group` elements; lane j of a block holds every 16th element from the
/// j-th on, and belongs to one bin as a whole. The best lanes of a bin contain its best elements.
inline constexpr std::size_t block_lanes = 16;

/// Elements of a lane, a power of two. Longer lanes mean fewer comparisons of lanes with bins (about 0.5 ns each), and
/// more elements to read again in the end (k * group, 8 ns each).
constexpr std::size_t group_size(std::size_t n, std::size_t k, std::size_t bins) noexcept {
  std::size_t group = 1;
  while (group < 32 && 24 * k * group * group < n && n / (2 * group) >= 4 * bins) group *= 2;
  return group;
}

/// The expected share of the top k of n that survives in a bin of `size` elements that keeps `per_bin`, times k / n /
/// size: the number among them is hypergeometric, and E[min(r, per_bin)] needs its first terms only.
inline double expected_kept(double n, double k, double size, std::size_t per_bin) noexcept {
  if (size <= static_cast<double>(per_bin) || k <= static_cast<double>(per_bin)) return k * size / n;
  // P(r = 0) = prod_{i < k} (1 - size / (n - i)); the sum of logarithms by 3-point Gauss-Legendre over [-1/2, k - 1/2],
  // with the roles of k and size, which are symmetric, such that the range is the shorter.
  const double m = std::min(k, size), a = std::max(k, size);
  if (a + m > n) return std::min({static_cast<double>(per_bin), k * size / n});
  double log_none = 0;
  constexpr double nodes[3] = {-0.7745966692414834, 0.0, 0.7745966692414834},
                   weights[3] = {5.0 / 18, 8.0 / 18, 5.0 / 18};
  for (int i = 0; i < 3; ++i) log_none += weights[i] * m * std::log1p(-a / (n - (m - 1 + m * nodes[i]) / 2));
  double p = std::exp(log_none), kept = 0, cumulated = p;
  for (std::size_t r = 1; r <= per_bin; ++r) {
    const auto before = static_cast<double>(r - 1);
    p *= (k - before) * (size - before) / (static_cast<double>(r) * (n - k - size + before + 1));
    kept += static_cast<double>(r) * p;
    cumulated += p;
  }
  return kept + static_cast<double>(per_bin) * std::max(0.0, 1.0 - cumulated);
}

/// Expected recall of `bins` bins over n elements in random order, from the true sizes of the bins.
inline double expected_recall(std::size_t n, std::size_t k, std::size_t bins, std::size_t per_bin) noexcept {
  const std::size_t group = group_size(n, k, bins), chunk = bins * group, block = block_lanes * group;
  const std::size_t base = n / chunk * group, rest = n % chunk, tail = rest % block;
  double kept = 0;
  std::size_t counted = 0;
  const auto add = [&](std::size_t count, std::size_t size) {
    if (count > 0 && size > 0)
      kept += static_cast<double>(count) *
              expected_kept(static_cast<double>(n), static_cast<double>(k), static_cast<double>(size), per_bin);
    counted += count;
  };
  add(rest / block * block_lanes, base + group);
  if (tail > 0) {
    add(tail % block_lanes, base + tail / block_lanes + 1);
    add(block_lanes - tail % block_lanes, base + tail / block_lanes);
  }
  add(bins - counted, base);
  return std::min(1.0, kept / static_cast<double>(k));
}

/// XLA's number of bins for an operand of n elements, planned as a shard of one of `whole` elements; 0 where XLA is
/// exact. `tile` is that of a TPU: 1024 elements for a vector, 128 in the minor dimension of anything larger.
inline std::size_t xla_bins(std::size_t n, std::size_t whole, std::size_t k, double recall, std::size_t tile) {
  if (n <= tile) return 0;
  if (k == 1) return tile;
  if (recall == 1.0) return 0;
  const double wanted = std::trunc((1.0 - static_cast<double>(k)) / std::log(recall));
  const auto at_least = std::min(std::max(wanted < 1e18 ? static_cast<std::size_t>(wanted) : whole, tile), whole);
  const auto log2_floor = [](std::size_t x) { return static_cast<std::size_t>(std::bit_width(x)) - 1; };
  std::size_t shift = log2_floor(whole / at_least);
  if (shift == 0) return 0;
  shift = std::min(shift, static_cast<std::size_t>(std::bit_width(n / tile - 1)));  // ceil(log2(n / tile))
  const std::size_t tiles = n / tile + (n % tile != 0);
  return ((tiles + (std::size_t{1} << shift) - 1) >> shift) * tile;
}

/// Nanoseconds, roughly, that bins take on a machine of 2023; only the ratios matter.
inline double bins_cost(double n, double bins, double per_bin, double group) noexcept {
  return n * (0.08 + (0.2 + 0.14 * per_bin) / group) + bins * per_bin * (2.5 + group);
}

inline void check_top_k(std::size_t n, std::size_t k, const approx_top_k_params& params) {
  constexpr std::uint64_t largest = std::uint64_t{1} << 53;  // sizes are planned in double
  if (n > largest) invalid("reduced size", n, "must be at most ", largest);
  if (k == 0 || k > n) invalid("k", k, "must be from 1 to the reduced size ", n);
  if (!(is_number(params.recall_target) && params.recall_target > 0 && params.recall_target <= 1))
    invalid("recall_target", params.recall_target, "must be in (0, 1]");
  const std::ptrdiff_t whole = params.reduction_input_size_override;
  if (whole >= 0 && static_cast<std::size_t>(whole) < n)
    invalid("reduction_input_size_override", whole, "must be negative (off) or at least the reduced size ", n);
  if (whole >= 0 && static_cast<std::uint64_t>(whole) > largest)
    invalid("reduction_input_size_override", whole, "must be at most ", largest);
}

}  // namespace detail

/// Plans the top k of n elements, for calls by that plan. With reduction_input_size_override = N the bins are this
/// shard's part of those for N elements, and expected_recall is that of all shards merged. Under
/// bin_policy::xla_compatible the output without aggregation has XLA's size, which for recalls far below 1 can be under
/// k, and for a shard above n; every other output has at least k elements. \param n the size of the reduced dimension
/// \param k how many of it \param params of the calls \param rank the operand's number of dimensions; XLA's sizes
/// depend on whether it is 1 \returns the plan \throws std::invalid_argument for k = 0 or k > n, recall_target outside
/// (0, 1] or NaN, an override in [0, n), and sizes above 2^53.
inline approx_top_k_plan plan_approx_top_k(std::size_t n, std::size_t k, const approx_top_k_params& params = {},
                                           std::size_t rank = 1) {
  detail::check_top_k(n, k, params);
  const std::ptrdiff_t override_size = params.reduction_input_size_override;
  const std::size_t whole = override_size < 0 ? n : static_cast<std::size_t>(override_size);
  const double recall = params.recall_target;

  approx_top_k_plan plan{n, k, n, 1, k, 1.0, true, params.reduction_dimension, params.threads};
  if (params.aggregate_to_topk) return plan;
  if (params.policy == bin_policy::xla_compatible) {
    const std::size_t bins = detail::xla_bins(n, whole, k, recall, rank == 1 ? 1024 : 128);
    plan.output_size = bins == 0 ? n : bins;
    if (bins == 0) return plan;
    plan.bins = bins;
    plan.exact = k == 1;
    plan.expected_recall =
        detail::expected_recall(whole, k, std::max(bins, bins * (whole / n)), 1);  // all shards are cut alike
    return plan;
  }
  if (recall == 1.0 || k == 1) return plan;

  // The smallest power of two of bins for each per_bin.
  const auto real = [](std::size_t x) { return static_cast<double>(x); };
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t per_bin = 1; per_bin <= 4; ++per_bin) {
    std::size_t bins = 64;
    while (bins * per_bin < 2 * k) bins *= 2;
    while (4 * bins * per_bin <= whole && detail::expected_recall(whole, k, bins, per_bin) < recall) bins *= 2;
    if (4 * bins * per_bin > whole) continue;
    const double expected = detail::expected_recall(whole, k, bins, per_bin);
    if (whole != n) {  // a shard has its share of the bins, but enough of them for k results
      constexpr std::size_t lanes = detail::block_lanes;
      const auto share = static_cast<std::size_t>(std::ceil(real(bins) * real(n) / real(whole) / real(lanes)));
      bins = std::max(share, (2 * k / per_bin) / lanes + 1) * lanes;
    }
    if (2 * bins * per_bin > n) continue;
    const double group = real(detail::group_size(n, k, bins));
    const double cost = detail::bins_cost(real(n), real(bins), real(per_bin), group);
    if (cost >= best) continue;
    best = cost;
    plan.bins = bins;
    plan.per_bin = per_bin;
    plan.output_size = bins * per_bin;
    plan.expected_recall = expected;
    plan.exact = false;
  }
  return plan;
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
