#pragma once

/// \file
/// Approximate top-k of elements that are spread over ranks, with the recall that is planned for all of them together.
/// annulus.hpp leaves this header out.

#include <annulus/approx_top_k/accumulator.hpp>
#include <annulus/approx_top_k/row_top_k.hpp>
#include <annulus/mpi/merge_operation.hpp>
#include <annulus/mpi/together.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {
namespace detail {

/// An element on its way: its key in the order of unsigned integers, NaN last, and its index in halves, so that 32-bit
/// keys make 12 bytes.
template <class T>
struct global_element {
  using key_bits = decltype(ordered_bits(key_t<T>{}));
  key_bits key = ~key_bits{0};
  split_id halves;

  global_element() = default;
  global_element(key_bits of, std::int64_t index) noexcept : key(of), halves(index) {}

  std::uint64_t index() const noexcept { return halves.bits(); }
  bool is_padding() const noexcept { return index() == ~std::uint64_t{0}; }
  /// Better keys first, ties by index, padding last.
  friend bool operator<(const global_element& a, const global_element& b) noexcept {
    return a.key < b.key || (a.key == b.key && a.index() < b.index());
  }
};

template <bool Largest, class T>
global_element<T> to_global_element(T value, std::int64_t index) noexcept {
  return {is_nan(value) ? typename global_element<T>::key_bits(~typename global_element<T>::key_bits{0})
                        : ordered_bits(to_key<Largest>(value)),
          index};
}
template <bool Largest, class T>
T element_value(const global_element<T>& element) noexcept {
  const auto key = from_ordered_bits<key_t<T>>(element.key);
  if (is_nan(key)) return std::numeric_limits<T>::quiet_NaN();
  return without_negative_zero(from_key<Largest, T>(key));
}

/// Lists of k of all ranks, merged list by list, at the root. Collective.
template <class T>
std::vector<global_element<T>> reduce_lists(const mpi::communicator& comm, int root, std::size_t k,
                                            const std::vector<global_element<T>>& lists) {
  std::vector<global_element<T>> merged;
  const mpi_operation merge = mpi::together(comm, [&] {
    if (comm.rank() == root) merged.resize(lists.size());
    return merge_operation<global_element<T>>(k);
  });
  const std::size_t at_once = std::max<std::size_t>(1, mpi::communicator::piece_bytes / (k * sizeof(lists[0])));
  for (std::size_t begin = 0; begin < lists.size() / k; begin += at_once) {
    const auto count = static_cast<int>(std::min(at_once, lists.size() / k - begin));
    check_mpi(MPI_Reduce(lists.data() + begin * k, merged.empty() ? nullptr : merged.data() + begin * k, count,
                         merge.type(), merge.get(), root, comm.get()),
              "MPI_Reduce");
  }
  return merged;
}

/// The first k elements, sorted, as a result.
template <bool Largest, class T>
top_k_result<T> first_elements(std::vector<global_element<T>>& elements, std::size_t k) {
  const auto end = elements.begin() + static_cast<std::ptrdiff_t>(std::min(k, elements.size()));
  std::partial_sort(elements.begin(), end, elements.end());
  top_k_result<T> result;
  for (auto e = elements.begin(); e != end && !e->is_padding(); ++e) {
    result.values.push_back(element_value<Largest>(*e));
    result.indices.push_back(static_cast<std::int64_t>(e->index()));
  }
  return result;
}

}  // namespace detail

namespace mpi {

/// The k best elements that were pushed to the accumulators of all ranks. One MPI_Reduce of k elements, 12 or 16 bytes
/// each. Collective. \param comm the ranks \param accumulator of this rank; no two ranks push the same index \param
/// root the rank that gets them \returns values and indices at the root, none on other ranks \throws
/// std::invalid_argument on all ranks where k or root is not the same on them
template <top_k_scalar T, bool Largest>
top_k_result<T> finish(const communicator& comm, const approx_top_k_accumulator<T, Largest>& accumulator,
                       int root = 0) {
  check_root(comm, root);
  check_same(comm, "k", accumulator.k());
  const auto list = together(comm, [&] {
    const top_k_result<T> best = accumulator.finish();
    std::vector<detail::global_element<T>> elements(accumulator.k());
    for (std::size_t i = 0; i < best.values.size(); ++i)
      elements[i] = detail::to_global_element<Largest>(best.values[i], best.indices[i]);
    return elements;
  });
  auto merged = detail::reduce_lists(comm, root, accumulator.k(), list);
  return together(comm, [&] { return detail::first_elements<Largest>(merged, accumulator.k()); });
}

}  // namespace mpi

namespace detail {

/// The k best of the slices of all ranks.
template <bool Largest, class T>
top_k_result<T> exact_top_k(const mpi::communicator& comm, std::span<const T> slice, std::int64_t first, std::size_t n,
                            std::size_t k, int root) {
  auto accumulator = mpi::together(comm, [&] {
    approx_top_k_accumulator<T, Largest> all(n, k);
    all.push(slice, first);
    return all;
  });
  return mpi::finish(comm, accumulator, root);
}

/// The best of each bin of a slice: lists of plan.per_bin, a bin each.
template <bool Largest, class T>
std::vector<global_element<T>> best_of_bins(approx_top_k_plan plan, std::span<const T> slice, std::int64_t first) {
  std::vector<global_element<T>> lists(plan.bins * plan.per_bin);
  if (slice.empty()) return lists;
  plan.size = slice.size();
  row_top_k<T, Largest> bins(plan);
  bins.visit_bins(slice.data(), plan.threads, [&](std::size_t bin, key_t<T> key, std::uint64_t i) {
    global_element<T> element(ordered_bits(key), first + static_cast<std::int64_t>(i));
    for (global_element<T>& kept : std::span(lists).subspan(bin * plan.per_bin, plan.per_bin))
      if (element < kept) std::swap(element, kept);
  });
  return lists;
}

template <bool Largest, class T>
top_k_result<T> top_k_of_ranks(const mpi::communicator& comm, std::span<const T> slice, std::size_t k,
                               approx_top_k_params params, int root) {
  mpi::check_root(comm, root);
  const std::int64_t first = comm.exclusive_sum(static_cast<std::int64_t>(slice.size()));
  const std::size_t n = comm.all_reduce(std::uint64_t{slice.size()}, MPI_SUM);
  const approx_top_k_plan plan = mpi::together(comm, [&] {
    if (params.reduction_input_size_override >= 0)
      invalid("reduction_input_size_override", params.reduction_input_size_override,
              "must be negative (off); the whole is what the ranks have together, ", n);
    if (!params.aggregate_to_topk) invalid("aggregate_to_topk", "false", "must be true; bins are merged over ranks");
    params.aggregate_to_topk = false;
    return plan_approx_top_k(n, k, params);
  });
  mpi::check_same(comm, "k", k);
  mpi::check_same(comm, "recall_target", params.recall_target);
  if (plan.bins == n || plan.per_bin == 0) return exact_top_k<Largest>(comm, slice, first, n, k, root);
  const auto lists = mpi::together(comm, [&] { return best_of_bins<Largest>(plan, slice, first); });
  auto merged = reduce_lists(comm, root, plan.per_bin, lists);
  const auto found = static_cast<std::size_t>(
      std::ranges::count_if(merged, [](const global_element<T>& e) { return !e.is_padding(); }));
  // Fewer where most elements are NaN or infinite, which bins do not keep.
  if (comm.broadcast_value(found, root) < k) return exact_top_k<Largest>(comm, slice, first, n, k, root);
  return mpi::together(comm, [&] { return first_elements<Largest>(merged, comm.rank() == root ? k : 0); });
}

}  // namespace detail

namespace mpi {

/// The k smallest elements of the slices of all ranks.
///
/// Bins are planned for all elements together (plan_approx_top_k of their number without aggregation, by recall_target,
/// on one machine): each rank fills as many, and MPI merges them bin by bin, so that bytes do not grow with the number
/// of ranks. At least recall_target of the k smallest are found, on average over orders of the elements, however many
/// ranks there are; all of them for a target of 1 and where bins would not be fewer than the elements. (The accumulator
/// finds all at any target.) Collective. \param comm the ranks \param slice elements of this rank, any number \param k
/// the same on all ranks \param params recall_target and threads \param root the rank that gets the answer \returns at
/// the root values and indices, smallest first, ties by index, none on other ranks; indices count those of rank 0's
/// slice first, then those of rank 1's, and so on \throws std::invalid_argument on all ranks as approx_min_k does, for
/// aggregate_to_topk = false, and where k, recall_target or root are not the same on all
template <top_k_scalar T>
top_k_result<T> approx_min_k(const communicator& comm, std::span<const T> slice, std::size_t k,
                             const approx_top_k_params& params = {}, int root = 0) {
  return detail::top_k_of_ranks<false>(comm, slice, k, params, root);
}
/// The k largest. \param comm,slice,k,params,root as of approx_min_k \returns as there, largest first \throws
/// std::invalid_argument as there
template <top_k_scalar T>
top_k_result<T> approx_max_k(const communicator& comm, std::span<const T> slice, std::size_t k,
                             const approx_top_k_params& params = {}, int root = 0) {
  return detail::top_k_of_ranks<true>(comm, slice, k, params, root);
}

}  // namespace mpi
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
