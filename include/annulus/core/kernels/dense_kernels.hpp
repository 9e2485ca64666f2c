#pragma once

/// \file
/// Distance kernels: one row to one row, to many rows in memory order, to rows gathered by id, and tiles of both.
///
/// A kernel is a tag (kernels::squared_l2, ...); what it computes of element type T is kernel_result<Kernel, T>: float
/// for float, half and bfloat16, double for double, and exact integers for 8-bit rows. Every form accumulates each pair
/// in the same order, so all of them return the same bits for the same two rows.

#include <annulus/core/base/assert.hpp>
#include <annulus/core/kernels/dense_operations.hpp>
#include <annulus/core/simd/prefetch.hpp>

#include <algorithm>
#include <array>
#include <span>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

/// A kernel that has loops of its own.
template <class Op, class T>
concept looping = requires(const T* row, std::size_t d) {
  { Op::pair(row, row, d) } -> std::same_as<typename Op::result>;
};

/// Rows taken at once share the loads of the query. Four chains of accumulators hide the latency of a fused
/// multiply-add; how they are filled does not depend on Rows, hence the same bits from every form. A Row is a pointer,
/// or a scaled_row.
template <class Kernel, class T, std::size_t Rows, class Row = const T*>
  requires(!looping<operation<Kernel, T>, T>)
[[gnu::always_inline]] inline void reduce_block(std::type_identity_t<Row> query, const std::array<Row, Rows>& rows,
                                                std::size_t d, typename operation<Kernel, T>::result* out) noexcept {
  using op = operation<Kernel, T>;
  constexpr std::size_t chains = is_byte<T> ? 2 : 4;
  typename op::accumulator sums[chains][Rows];
  simd::unroll<chains>([&](auto c) { simd::unroll<Rows>([&](auto r) { sums[c][r] = op::zero(); }); });

  const auto fold_vector = [&](auto c, std::size_t at) ANNULUS_INLINED {
    const auto a = op::load(query + at);
    simd::unroll<Rows>([&](auto r) { sums[c][r] = op::fold(sums[c][r], a, op::load(rows[r] + at)); });
  };
  std::size_t i = 0;
  for (; i + chains * op::width <= d; i += chains * op::width)
    simd::unroll<chains>([&](auto c) { fold_vector(c, i + c * op::width); });
  simd::unroll<chains - 1>([&](auto c) {
    if (i + op::width <= d) {
      fold_vector(c, i);
      i += op::width;
    }
  });
  if (i < d) {
    const auto a = op::load_partial(query + i, d - i);
    simd::unroll<Rows>(
        [&](auto r) { sums[chains - 1][r] = op::fold(sums[chains - 1][r], a, op::load_partial(rows[r] + i, d - i)); });
  }

  simd::unroll<Rows>([&](auto r) {
    if constexpr (chains == 4) {
      sums[0][r] = op::merge(op::merge(sums[0][r], sums[2][r]), op::merge(sums[1][r], sums[3][r]));
    } else {
      sums[0][r] = op::merge(sums[0][r], sums[1][r]);
    }
  });
  if constexpr (requires { op::finish(sums[0], out); }) op::finish(sums[0], out);
  else simd::unroll<Rows>([&](auto r) { out[r] = op::finish(sums[0][r]); });
}

template <class Kernel, class T, std::size_t Rows, class Row = const T*>
  requires looping<operation<Kernel, T>, T>
void reduce_block(const T* query, const std::array<const T*, Rows>& rows, std::size_t d,
                  typename operation<Kernel, T>::result* out) noexcept {
  simd::unroll<Rows>([&](auto r) { out[r] = operation<Kernel, T>::pair(query, rows[r], d); });
}

/// Sums over bytes that may need more than 32 bits are taken block by block.
template <class Kernel, class T, std::size_t Rows>
[[gnu::noinline, gnu::cold]] void reduce_blocks(const T* query, std::array<const T*, Rows> rows, std::size_t d,
                                                typename operation<Kernel, T>::result* out) noexcept {
  constexpr std::size_t block = operation<Kernel, T>::most_in_32_bits;
  std::fill_n(out, Rows, typename operation<Kernel, T>::result{});
  for (std::size_t i = 0; i < d; i += block) {
    typename operation<Kernel, T>::result sums[Rows];
    reduce_block<Kernel, T, Rows>(query + i, rows, std::min(d - i, block), sums);
    for (std::size_t r = 0; r < Rows; ++r) {
      out[r] = out[r] + sums[r];
      rows[r] += block;
    }
  }
}

/// The same for rows of any length.
template <class Kernel, class T, std::size_t Rows, class Row = const T*>
[[gnu::always_inline]] inline void reduce_rows(std::type_identity_t<Row> query, const std::array<Row, Rows>& rows,
                                               std::size_t d, typename operation<Kernel, T>::result* out) noexcept {
  if constexpr (requires { operation<Kernel, T>::most_in_32_bits; })
    if (d > operation<Kernel, T>::most_in_32_bits) [[unlikely]]
      return reduce_blocks<Kernel, T, Rows>(query, rows, d, out);
  reduce_block<Kernel, T, Rows, Row>(query, rows, d, out);
}

/// As many rows as there are registers for their accumulators.
inline constexpr std::size_t rows_at_once = simd::n_registers / 8;

/// out[i] = finish(kernel(query, row(i))) for i < count, rows_at_once at a time.
template <class Kernel, class T, class Out, class Row, class Finish>
void many_rows(const T* query, std::size_t d, std::size_t count, Out* out, Row row, Finish finish) noexcept {
  using op = operation<Kernel, T>;
  typename op::result found[rows_at_once];
  if constexpr (requires { op::most_in_32_bits; })
    if (d > op::most_in_32_bits) [[unlikely]] {
      for (std::size_t i = 0; i < count; ++i) {
        reduce_blocks<Kernel, T, 1>(query, {row(i)}, d, found);
        out[i] = finish(found[0]);
      }
      return;
    }
  std::size_t i = 0;
  for (; i + rows_at_once <= count; i += rows_at_once) {
    std::array<const T*, rows_at_once> rows;
    simd::unroll<rows_at_once>([&](auto r) { rows[r] = row(i + r); });
    reduce_block<Kernel, T, rows_at_once>(query, rows, d, found);
    simd::unroll<rows_at_once>([&](auto r) { out[i + r] = finish(found[r]); });
  }
  for (; i < count; ++i) {
    reduce_block<Kernel, T, 1>(query, {row(i)}, d, found);
    out[i] = finish(found[0]);
  }
}
template <class Kernel, class T, class Row>
void many_rows(const T* query, std::size_t d, std::size_t count, typename operation<Kernel, T>::result* out,
               Row row) noexcept {
  many_rows<Kernel>(query, d, count, out, row, [](const auto& result) { return result; });
}

}  // namespace detail

/// Element types that a kernel takes: hamming compares packed bytes.
template <class Kernel, class T>
concept kernel_for = row_scalar<T> && requires {
  typename detail::operation<Kernel, T>::result;
};

/// What a kernel returns for two rows of T: a float, double or integer, or cosine_sums.
template <class Kernel, row_scalar T>
using kernel_result = typename detail::operation<Kernel, T>::result;

/// One pair of rows. \param a,b d elements each; no alignment is asked for \param d their length
/// \returns what the kernel makes of them. O(d).
template <class Kernel, row_scalar T>
kernel_result<Kernel, T> one_to_one(const T* a, const T* b, std::size_t d) noexcept {
  kernel_result<Kernel, T> result;
  detail::reduce_rows<Kernel, T, 1>(a, {b}, d, &result);
  return result;
}

// The same of rows times factors, in the same order.
template <class Kernel, row_scalar T>
kernel_result<Kernel, T> one_to_one(detail::scaled_row<T> a, detail::scaled_row<T> b, std::size_t d) noexcept {
  kernel_result<Kernel, T> result;
  detail::reduce_rows<Kernel, T, 1, detail::scaled_row<T>>(a, {b}, d, &result);
  return result;
}

/// One row and many in memory order. One row at a time: hardware prefetchers follow one stream at the full speed of
/// memory, and lose half of it on several interleaved ones. \param query,d a row and its length \param rows the first
/// of the others \param stride elements from a row to the next \param count how many rows \param out out[i] =
/// kernel(query, row i). O(count d).
template <class Kernel, row_scalar T>
void one_to_many(const T* query, std::size_t d, const T* rows, std::size_t stride, std::size_t count,
                 kernel_result<Kernel, T>* out) noexcept {
  ANNULUS_ASSERT(stride >= d || count <= 1);
  using op = detail::operation<Kernel, T>;
  if constexpr (detail::looping<op, T>) op::rows(query, d, rows, stride, count, out);
  else
    for (std::size_t i = 0; i < count; ++i) detail::reduce_rows<Kernel, T, 1>(query, {rows + i * stride}, d, out + i);
}

/// One row and many by their ids; rows a few ids ahead are fetched into cache meanwhile. \param query,d a row and its
/// length \param base row 0 of the others \param stride elements from a row to the next \param ids which rows
/// \param out out[i] = kernel(query, row ids[i]). O(ids.size() d).
template <class Kernel, row_scalar T, class Id>
void one_to_gathered(const T* query, std::size_t d, const T* base, std::size_t stride, std::span<const Id> ids,
                     kernel_result<Kernel, T>* out) noexcept {
  ANNULUS_ASSERT(stride >= d || ids.size() <= 1);
  constexpr std::size_t ahead = 2 * detail::rows_at_once;
  const auto row = [=](std::size_t i) { return base + static_cast<std::size_t>(ids[i]) * stride; };
  const auto fetch = [=](std::size_t i) {
    if (i < ids.size()) detail::prefetch_row(row(i), d);
  };
  for (std::size_t i = 0; i < ahead; ++i) fetch(i);
  detail::many_rows<Kernel>(query, d, ids.size(), out, [=](std::size_t i) {
    fetch(i + ahead);
    return row(i);
  });
}

/// A tile of queries and rows. The rows should fit the cache: they are passed over once a query, several at a time to
/// share the query's loads. \param queries,query_stride,n_queries the first, elements from one to the next, how many
/// \param rows,stride,count the same of the rows \param d the length of all
/// \param out,out_stride out[i * out_stride + j] = kernel(query i, row j). O(n_queries count d).
template <class Kernel, row_scalar T>
void many_to_many(const T* queries, std::size_t query_stride, std::size_t n_queries, const T* rows, std::size_t stride,
                  std::size_t count, std::size_t d, kernel_result<Kernel, T>* out, std::size_t out_stride) noexcept {
  ANNULUS_ASSERT((query_stride >= d && out_stride >= count) || n_queries <= 1);
  ANNULUS_ASSERT(stride >= d || count <= 1);
  for (std::size_t i = 0; i < n_queries; ++i)
    detail::many_rows<Kernel>(queries + i * query_stride, d, count, out + i * out_stride,
                              [=](std::size_t j) { return rows + j * stride; });
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
