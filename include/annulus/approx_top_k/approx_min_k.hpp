#pragma once

/// \file
/// approx_min_k and approx_max_k: jax.lax's and tf.math's functions of the same names, on a CPU.

#include <annulus/approx_top_k/row_top_k.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// Integer types of 8 to 64 bits.
template <class T>
concept top_k_integer = std::integral<T> && sizeof(T) <= 8 && !std::same_as<T, bool>;

/// Element types of approx_min_k and approx_max_k, which take operands of bool too.
template <class T>
concept top_k_scalar = std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, Eigen::half> ||
    std::same_as<T, Eigen::bfloat16> || top_k_integer<T>;

/// The values found and where along the reduced dimension they were. For operands of more than one dimension both are
/// row-major, with the operand's shape but for the reduced dimension, which has plan_approx_top_k(...).output_size.
template <class T>
struct top_k_result {
  std::vector<T> values;
  std::vector<std::int64_t> indices;
};

/// An n-dimensional operand owned by someone else: element (i0, i1, ...) is data[i0 strides[0] + i1 strides[1] + ...].
template <class T>
class tensor_view {
 public:
  using value_type = T;

  /// Strides count elements and may be negative or zero.
  /// \throws std::invalid_argument for no dimensions, a number of strides other than that of dimensions, or a size that
  /// overflows.
  tensor_view(const T* data, std::vector<std::size_t> shape, std::vector<std::ptrdiff_t> strides)
      : m_data(data), m_shape(std::move(shape)), m_strides(std::move(strides)) {
    if (m_shape.empty()) detail::invalid("rank", m_shape.size(), "must be at least 1");
    if (m_strides.size() != m_shape.size())
      detail::invalid("strides size", m_strides.size(), "must equal shape size = ", m_shape.size());
    std::size_t size = sizeof(T);
    for (const std::size_t extent : m_shape) size = detail::checked_product(size, extent, "shape product");
  }

  /// Row-major and packed.
  /// \throws std::invalid_argument for no dimensions or a size that overflows.
  tensor_view(const T* data, std::vector<std::size_t> shape) : tensor_view(data, shape, packed(shape)) {}

  const T* data() const noexcept { return m_data; }
  std::size_t rank() const noexcept { return m_shape.size(); }
  const std::vector<std::size_t>& shape() const noexcept { return m_shape; }
  const std::vector<std::ptrdiff_t>& strides() const noexcept { return m_strides; }

 private:
  static std::vector<std::ptrdiff_t> packed(const std::vector<std::size_t>& shape) {
    std::vector<std::ptrdiff_t> strides(shape.size());
    std::size_t stride = 1;  // wraps where the constructor will throw, or where there are no elements
    for (std::size_t i = shape.size(); i-- > 0; stride *= shape[i]) strides[i] = static_cast<std::ptrdiff_t>(stride);
    return strides;
  }

  const T* m_data;
  std::vector<std::size_t> m_shape;
  std::vector<std::ptrdiff_t> m_strides;
};

namespace detail {

/// The threads to use: those asked for, or for 0 one for every 2^22 elements, as long as there are cores. Smaller parts
/// take less time than starting a thread.
inline std::size_t threads_that_pay(std::size_t threads, std::size_t n_elements) noexcept {
  return threads != 0 ? threads : std::clamp<std::size_t>(n_elements >> 22, 1, resolve_threads(0));
}

/// Top-k along one dimension of a tensor, for all indices of the others.
template <bool Largest, class T>
top_k_result<T> reduce_tensor(const tensor_view<T>& operand, std::size_t k, const approx_top_k_params& params) {
  const auto rank = static_cast<std::ptrdiff_t>(operand.rank());
  const std::ptrdiff_t dimension = params.reduction_dimension;
  if (dimension < -rank || dimension >= rank)
    invalid("reduction_dimension", dimension, "must be in [", -rank, ", ", rank, ")");
  const auto reduced = static_cast<std::size_t>(dimension < 0 ? dimension + rank : dimension);
  const std::size_t n = operand.shape()[reduced];
  const approx_top_k_plan plan = plan_approx_top_k(n, k, params, operand.rank());
  const std::size_t size = plan.output_size;
  const std::ptrdiff_t step = operand.strides()[reduced];

  // inner: the product of the dimensions behind the reduced one.
  std::size_t rows = 1, inner = 1;
  for (std::size_t i = 0; i < operand.rank(); ++i)
    if (i != reduced) rows *= operand.shape()[i];
  for (std::size_t i = reduced + 1; i < operand.rank(); ++i) inner *= operand.shape()[i];
  top_k_result<T> result;
  result.values.resize(checked_product(rows, size, "result rows"));
  result.indices.resize(result.values.size());

  const auto row_begin = [&](std::size_t row) {
    const T* p = operand.data();
    for (std::size_t i = operand.rank(); i-- > 0;) {
      if (i == reduced) continue;
      p += static_cast<std::ptrdiff_t>(row % operand.shape()[i]) * operand.strides()[i];
      row /= operand.shape()[i];
    }
    return p;
  };

  struct scratch {
    row_top_k<T, Largest> reduce;
    std::vector<const T*> begins;
    std::vector<T> rows, values;
    std::vector<std::int64_t> indices;
  };
  // Neighbouring rows are copied together where the reduced dimension is strided: they share cache lines.
  const std::size_t together = step == 1 ? 1 : 16;
  const bool one = rows == 1;
  const std::size_t threads = threads_that_pay(params.threads, rows * n);
  const std::size_t workers = one ? 1 : std::min(threads, rows);
  std::vector<scratch> scratches(workers, {{plan, n, k}, {}, {}, {}, {}});
  parallel_for(workers, rows, together, [&](std::size_t begin, std::size_t end, std::size_t worker) {
    scratch& s = scratches[worker];
    s.values.resize(size);
    s.indices.resize(size);
    s.begins.clear();
    for (std::size_t row = begin; row < end; ++row) s.begins.push_back(row_begin(row));
    if (step != 1) {
      s.rows.resize(s.begins.size() * n);
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t r = 0; r < s.begins.size(); ++r)
          s.rows[r * n + i] = s.begins[r][static_cast<std::ptrdiff_t>(i) * step];
    }
    for (std::size_t row = begin; row < end; ++row) {
      const T* data = step == 1 ? s.begins[row - begin] : s.rows.data() + (row - begin) * n;
      T* values = s.values.data();
      std::int64_t* indices = s.indices.data();
      s.reduce(data, values, indices, one ? threads : 1);
      for (std::size_t i = 0; i < size; ++i) {
        const std::size_t at = (row / inner * size + i) * inner + row % inner;
        result.values[at] = values[i];
        result.indices[at] = indices[i];
      }
    }
  });
  return result;
}

/// The type that elements are ranked as: bool as a byte, since std::vector<bool> has no data().
template <class T>
using ranked_t = std::conditional_t<std::same_as<T, bool>, unsigned char, T>;

template <bool Largest, class T>
top_k_result<T> reduce_any(const tensor_view<T>& operand, std::size_t k, const approx_top_k_params& params) {
  if constexpr (std::same_as<T, bool>) {
    static_assert(sizeof(bool) == sizeof(ranked_t<bool>));
    const auto* const data = reinterpret_cast<const ranked_t<bool>*>(operand.data());
    auto found =
        reduce_tensor<Largest>(tensor_view<ranked_t<bool>>(data, operand.shape(), operand.strides()), k, params);
    return {{found.values.begin(), found.values.end()}, std::move(found.indices)};
  } else {
    return reduce_tensor<Largest>(operand, k, params);
  }
}

template <bool Largest, class Operand>
auto reduce(const Operand& operand, std::size_t k, const approx_top_k_params& params) {
  using T = value_t<Operand>;
  if constexpr (std::same_as<Operand, tensor_view<T>>) {
    return reduce_any<Largest>(operand, k, params);
  } else if constexpr (contiguous_of<Operand, T>) {
    return reduce_any<Largest>(tensor_view<T>(std::ranges::data(operand), {std::ranges::size(operand)}), k, params);
  } else {
    const matrix_view<T> m = operand;
    return reduce_tensor<Largest>(
        tensor_view<T>(m.data(), {m.rows(), m.cols()}, {static_cast<std::ptrdiff_t>(m.stride()), 1}), k, params);
  }
}

}  // namespace detail

/// Operands whose elements approx_min_k can read.
template <class R>
concept top_k_container =
    detail::contiguous_of<R, value_t<R>> || matrix_like<R> || std::same_as<R, tensor_view<value_t<R>>>;
/// What approx_min_k takes: a contiguous range (one dimension), a matrix or view (two), or a tensor_view (any).
template <class R>
concept top_k_operand = top_k_container<R> && top_k_scalar<detail::ranked_t<value_t<R>>>;

/// The k smallest elements along a dimension, smallest first, and their indices; of equal ones the lowest index first,
/// and NaN after everything else. Never fewer than k, and the smallest is always among them. The share of the true k
/// that is found is recall_target at least, on average over orders of the operand: for a single order in which the
/// smallest elements recur at some period, it may be lower (by at most 0.05 in the orders tested) or higher.
///
/// Without aggregation the result is the content of all bins, unsorted: concatenate those of several shards, add each
/// shard's offset to its indices, and reduce once more. Under bin_policy::xla_compatible there can be more than a shard
/// has elements (the rest have index -1 and the worst value) or, for recalls far below 1, fewer than k.
///
/// Rows run in parallel, or the chunks of a single row; the result does not depend on threads. Time: one pass over the
/// operand at about memory speed, plus O(k). Extra memory: the bins, and a copy of 16 rows at a time where the reduced
/// dimension is not contiguous.
/// \throws std::invalid_argument for k = 0 or k > n, recall_target outside (0, 1] or NaN, reduction_input_size_override
/// in [0, n), reduction_dimension out of range, and sizes above 2^53.
template <top_k_operand R>
top_k_result<value_t<R>> approx_min_k(const R& operand, std::size_t k, const approx_top_k_params& params = {}) {
  return detail::reduce<false>(operand, k, params);
}

/// The k largest elements along a dimension, largest first; otherwise as approx_min_k (NaN last here too).
template <top_k_operand R>
top_k_result<value_t<R>> approx_max_k(const R& operand, std::size_t k, const approx_top_k_params& params = {}) {
  return detail::reduce<true>(operand, k, params);
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
