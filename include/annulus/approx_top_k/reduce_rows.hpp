#pragma once

/// \file
/// Approximate top-k of many rows, or of all lines of a tensor along one of its dimensions.

#include <annulus/approx_top_k/row_top_k.hpp>
#include <annulus/approx_top_k/tensor_view.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The threads to use: those asked for, or for 0 one for every 2^22 elements, as long as there are cores. Smaller parts
/// take less time than starting a thread.
inline std::size_t threads_that_pay(std::size_t threads, std::size_t n_elements) noexcept {
  return threads != 0 ? threads : std::clamp<std::size_t>(n_elements >> 22, 1, resolve_threads(0));
}

/// What a thread needs to reduce rows. Keeps its memory from one call to the next.
template <class T, bool Largest>
struct row_worker {
  row_top_k<T, Largest> reduce;
  std::vector<T> copies, values;  ///< copies of lines that are not contiguous, and results that will not be
  std::vector<std::int64_t> indices;
};
template <class T, bool Largest>
using row_workers = std::vector<row_worker<T, Largest>>;

/// Makes at least `n` workers ready for a plan.
template <class T, bool Largest>
void prepare(row_workers<T, Largest>& workers, std::size_t n, const approx_top_k_plan& plan) {
  if (workers.size() < n) workers.resize(n);
  for (std::size_t i = 0; i < n; ++i) workers[i].reduce.reset(plan);
}

/// Reduces `n_rows` contiguous rows of plan.size elements that begin `stride` apart; writes plan.output_size values and
/// indices for each.
template <class T, bool Largest>
void reduce_rows(const T* data, std::size_t n_rows, std::size_t stride, const approx_top_k_plan& plan, T* values,
                 std::int64_t* indices, row_workers<T, Largest>& workers) {
  const std::size_t threads = threads_that_pay(plan.threads, n_rows * plan.size), size = plan.output_size;
  if (n_rows == 1) {
    prepare(workers, 1, plan);
    workers[0].reduce(data, values, indices, threads);
    return;
  }
  const std::size_t n_workers = std::min(threads, n_rows);
  prepare(workers, n_workers, plan);
  const auto reduce = [&](std::size_t begin, std::size_t end, std::size_t worker) {
    for (std::size_t row = begin; row < end; ++row)
      workers[worker].reduce(data + row * stride, values + row * size, indices + row * size);
  };
  if (n_workers <= 1) reduce(0, n_rows, 0);
  else parallel_for(n_workers, n_rows, 1, reduce);
}

/// Reduces a tensor along a dimension.
template <class T, bool Largest>
void reduce_tensor(const tensor_view<T>& operand, std::size_t dimension, const approx_top_k_plan& plan, T* values,
                   std::int64_t* indices, row_workers<T, Largest>& workers) {
  // inner: the product of the dimensions behind the reduced one.
  std::size_t n_rows = 1, inner = 1;
  for (std::size_t i = 0; i < operand.rank(); ++i)
    if (i != dimension) n_rows *= operand.shape()[i];
  for (std::size_t i = dimension + 1; i < operand.rank(); ++i) inner *= operand.shape()[i];
  const std::ptrdiff_t step = operand.strides()[dimension];
  const auto row_begin = [&](std::size_t row) {
    const T* p = operand.data();
    for (std::size_t i = operand.rank(); i-- > 0;) {
      if (i == dimension) continue;
      p += static_cast<std::ptrdiff_t>(row % operand.shape()[i]) * operand.strides()[i];
      row /= operand.shape()[i];
    }
    return p;
  };
  if (step == 1 && n_rows == 1) return reduce_rows(row_begin(0), 1, 0, plan, values, indices, workers);

  // Neighbouring lines are copied together where the reduced dimension is strided: they share cache lines.
  const std::size_t n = plan.size, size = plan.output_size, together = step == 1 ? 1 : 16;
  const std::size_t threads = threads_that_pay(plan.threads, n_rows * n), n_workers = std::min(threads, n_rows);
  prepare(workers, n_workers, plan);
  parallel_for(n_workers, n_rows, together, [&](std::size_t first, std::size_t end, std::size_t worker) {
    auto& [reduce_row, copies, row_values, row_indices] = workers[worker];
    row_values.resize(size);
    row_indices.resize(size);
    if (step != 1) {
      copies.resize((end - first) * n);
      const T* begins[16];
      for (std::size_t row = first; row < end; ++row) begins[row - first] = row_begin(row);
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t r = 0; r < end - first; ++r)
          copies[r * n + i] = begins[r][static_cast<std::ptrdiff_t>(i) * step];
    }
    for (std::size_t row = first; row < end; ++row) {
      const T* const data = step == 1 ? row_begin(row) : copies.data() + (row - first) * n;
      const std::size_t row_threads = n_rows == 1 ? threads : 1;
      if (inner == 1) {
        reduce_row(data, values + row * size, indices + row * size, row_threads);
        continue;
      }
      reduce_row(data, row_values.data(), row_indices.data(), row_threads);
      for (std::size_t i = 0; i < size; ++i) {
        const std::size_t at = (row / inner * size + i) * inner + row % inner;
        values[at] = row_values[i];
        indices[at] = row_indices[i];
      }
    }
  });
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
