#pragma once

/// \file
/// approx_min_k and approx_max_k: jax.lax's and tf.math's functions of the same names, on a CPU.

#include <annulus/approx_top_k/reduce_rows.hpp>

#include <ranges>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

/// The type that elements are ranked as: bool as a byte, since std::vector<bool> has no data().
template <class T>
using ranked_t = std::conditional_t<std::same_as<T, bool>, unsigned char, T>;

}  // namespace detail

/// Integer types of 8 to 64 bits.
template <class T>
concept top_k_integer = std::integral<T> && sizeof(T) <= 8 && !std::same_as<T, bool>;

/// Element types of approx_min_k and approx_max_k, which take operands of bool too.
template <class T>
concept top_k_scalar = std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, Eigen::half> ||
    std::same_as<T, Eigen::bfloat16> || top_k_integer<T>;

/// Operands whose elements approx_min_k can read.
template <class R>
concept top_k_container =
    detail::contiguous_of<R, value_t<R>> || matrix_like<R> || std::same_as<R, tensor_view<value_t<R>>>;
/// What approx_min_k takes: a contiguous range (one dimension), a matrix or view (two), or a tensor_view (any).
template <class R>
concept top_k_operand = top_k_container<R> && top_k_scalar<detail::ranked_t<value_t<R>>>;

/// The values found and where along the reduced dimension they were. For operands of more than one dimension both are
/// row-major, with the operand's shape but for the reduced dimension, which has plan_approx_top_k(...).output_size.
template <class T>
struct top_k_result {
  std::vector<T> values;              ///< best first, if aggregated
  std::vector<std::int64_t> indices;  ///< of the values, from 0
};

/// Memory that calls with a plan keep from one to the next: from the second call on, those with operands and a plan of
/// the same sizes allocate nothing on one thread. Each thread has its own.
template <class T>
struct approx_top_k_scratch {
  detail::row_workers<detail::ranked_t<T>, false> smallest;  ///< of approx_min_k
  detail::row_workers<detail::ranked_t<T>, true> largest;    ///< of approx_max_k
};

namespace detail {

/// Reduces operands along a dimension.
template <bool Largest, class Operand>
class operand_reduction {
 public:
  using value_type = value_t<Operand>;
  using T = ranked_t<value_type>;

  /// \throws std::invalid_argument for a dimension that the operand does not have.
  operand_reduction(const Operand& operand, std::ptrdiff_t dimension) : m_operand(operand) {
    const auto n_dimensions = static_cast<std::ptrdiff_t>(rank());
    if (dimension < -n_dimensions || dimension >= n_dimensions)
      invalid("reduction_dimension", dimension, "must be in [", -n_dimensions, ", ", n_dimensions, ")");
    m_dimension = static_cast<std::size_t>(dimension < 0 ? dimension + n_dimensions : dimension);
  }

  std::size_t rank() const noexcept {
    if constexpr (is_tensor) return m_operand.rank();
    else return is_range ? 1 : 2;
  }
  /// The size of a dimension.
  std::size_t size(std::size_t dimension) const {
    if constexpr (is_tensor) return m_operand.shape()[dimension];
    else if constexpr (is_range) return std::ranges::size(m_operand);
    else return dimension == 0 ? matrix_view<value_type>(m_operand).rows() : matrix_view<value_type>(m_operand).cols();
  }
  std::size_t reduced_size() const { return size(m_dimension); }
  /// How many values and indices there are by a plan.
  /// \throws std::invalid_argument for a plan of another size, and for a number that overflows.
  std::size_t n_results(const approx_top_k_plan& plan) const {
    if (reduced_size() != plan.size) invalid("reduced size", reduced_size(), "must equal the plan's size ", plan.size);
    std::size_t n_rows = 1;
    for (std::size_t i = 0; i < rank(); ++i)
      if (i != m_dimension) n_rows *= size(i);
    return checked_product(n_rows, plan.output_size, "result rows");
  }

  /// Writes n_results(plan) values and indices.
  void operator()(const approx_top_k_plan& plan, T* values, std::int64_t* indices,
                  row_workers<T, Largest>& workers) const {
    const auto numbers = [](const value_type* p) { return reinterpret_cast<const T*>(p); };
    if constexpr (is_tensor) {
      reduce_tensor(tensor_view<T>(numbers(m_operand.data()), m_operand.shape(), m_operand.strides()), m_dimension,
                    plan, values, indices, workers);
    } else if constexpr (is_range) {
      reduce_rows(numbers(std::ranges::data(m_operand)), 1, 0, plan, values, indices, workers);
    } else {
      const matrix_view<value_type> m = m_operand;
      if (m_dimension == 1) return reduce_rows(numbers(m.data()), m.rows(), m.stride(), plan, values, indices, workers);
      const tensor_view<T> tensor(numbers(m.data()), {m.rows(), m.cols()},
                                  {static_cast<std::ptrdiff_t>(m.stride()), 1});
      reduce_tensor(tensor, m_dimension, plan, values, indices, workers);
    }
  }

 private:
  static constexpr bool is_tensor = std::same_as<Operand, tensor_view<value_type>>;
  static constexpr bool is_range = contiguous_of<Operand, value_type>;

  const Operand& m_operand;
  std::size_t m_dimension = 0;
};

template <bool Largest, class Operand>
void reduce(const Operand& operand, const approx_top_k_plan& plan, std::span<value_t<Operand>> values,
            std::span<std::int64_t> indices, approx_top_k_scratch<value_t<Operand>>& scratch) {
  const operand_reduction<Largest, Operand> reduction(operand, plan.reduction_dimension);
  const std::size_t n_results = reduction.n_results(plan);
  if (values.size() != n_results) invalid("values size", values.size(), "must be ", n_results);
  if (indices.size() != n_results) invalid("indices size", indices.size(), "must be ", n_results);
  const auto numbers = reinterpret_cast<ranked_t<value_t<Operand>>*>(values.data());
  if constexpr (Largest) reduction(plan, numbers, indices.data(), scratch.largest);
  else reduction(plan, numbers, indices.data(), scratch.smallest);
}

template <bool Largest, class Operand>
top_k_result<value_t<Operand>> reduce(const Operand& operand, const approx_top_k_plan& plan) {
  using T = ranked_t<value_t<Operand>>;
  const operand_reduction<Largest, Operand> reduction(operand, plan.reduction_dimension);
  const std::size_t n_results = reduction.n_results(plan);
  top_k_result<value_t<Operand>> result;
  result.indices.resize(n_results);
  row_workers<T, Largest> workers;
  if constexpr (std::same_as<value_t<Operand>, bool>) {
    std::vector<T> values(n_results);
    reduction(plan, values.data(), result.indices.data(), workers);
    result.values.assign(values.begin(), values.end());
  } else {
    result.values.resize(n_results);
    reduction(plan, result.values.data(), result.indices.data(), workers);
  }
  return result;
}

template <bool Largest, class Operand>
top_k_result<value_t<Operand>> reduce(const Operand& operand, std::size_t k, const approx_top_k_params& params) {
  const operand_reduction<Largest, Operand> reduction(operand, params.reduction_dimension);
  return reduce<Largest>(operand, plan_approx_top_k(reduction.reduced_size(), k, params, reduction.rank()));
}

}  // namespace detail

/// The k smallest elements along a dimension, smallest first, and their indices; of equal ones the lowest index first,
/// and NaN after everything else. These are the exact k smallest whatever recall_target is. Finding them
/// is a pass of a plain minimum over the operand, and a second look at some k blocks of it.
///
/// Without aggregation the result is the content of bins, unsorted. At least recall_target of the k smallest are among
/// it, on average over orders of the operand: for a single order in which the smallest elements recur at some
/// period, it may be lower (by at most 0.05 in the orders tested) or higher, but the smallest is always there.
/// Concatenate those of several shards, add each shard's offset to its indices, and reduce once more. Under
/// bin_policy::xla_compatible there can be more than a shard has elements (the rest have index -1 and the worst value)
/// or, for recalls far below 1, fewer than k.
///
/// Rows run in parallel, or the chunks of a single row; the result does not depend on threads. Time: one pass over the
/// operand at about memory speed, plus O(k log k). Extra memory: about 150 bytes for each of the k, some 100 KiB, and a
/// copy of 16 rows at a time where the reduced dimension is not contiguous. \param operand a contiguous range, a matrix
/// or view, or a tensor_view \param k from 1 to the size of the dimension \param params see there \returns values and
/// indices \throws std::invalid_argument for k = 0 or k > n, recall_target outside (0, 1] or NaN,
/// reduction_input_size_override in [0, n), reduction_dimension out of range, and sizes above 2^53.
template <top_k_operand R>
top_k_result<value_t<R>> approx_min_k(const R& operand, std::size_t k, const approx_top_k_params& params = {}) {
  return detail::reduce<false>(operand, k, params);
}

/// The same by a plan made before. \param operand as above \param plan from plan_approx_top_k \returns values and
/// indices \throws std::invalid_argument where the operand has another size than the plan along the dimension that is
/// reduced.
template <top_k_operand R>
top_k_result<value_t<R>> approx_min_k(const R& operand, const approx_top_k_plan& plan) {
  return detail::reduce<false>(operand, plan);
}

/// The same into memory of the caller. \param operand,plan as above \param values,indices as many as a result would
/// have \param scratch kept from call to call
/// \throws std::invalid_argument too where there are not as many.
template <top_k_operand R>
void approx_min_k(const R& operand, const approx_top_k_plan& plan, std::span<value_t<R>> values,
                  std::span<std::int64_t> indices, approx_top_k_scratch<value_t<R>>& scratch) {
  detail::reduce<false>(operand, plan, values, indices, scratch);
}

/// The k largest elements along a dimension, largest first; otherwise as approx_min_k (NaN last here too).
/// \param operand,k,params as approx_min_k takes them \returns values and indices \throws std::invalid_argument as
/// approx_min_k.
template <top_k_operand R>
top_k_result<value_t<R>> approx_max_k(const R& operand, std::size_t k, const approx_top_k_params& params = {}) {
  return detail::reduce<true>(operand, k, params);
}
/// \param operand,plan as approx_min_k takes them \returns values and indices \throws std::invalid_argument as it.
template <top_k_operand R>
top_k_result<value_t<R>> approx_max_k(const R& operand, const approx_top_k_plan& plan) {
  return detail::reduce<true>(operand, plan);
}
/// \param operand,plan,values,indices,scratch as approx_min_k takes them \throws std::invalid_argument as it.
template <top_k_operand R>
void approx_max_k(const R& operand, const approx_top_k_plan& plan, std::span<value_t<R>> values,
                  std::span<std::int64_t> indices, approx_top_k_scratch<value_t<R>>& scratch) {
  detail::reduce<true>(operand, plan, values, indices, scratch);
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
