#pragma once

/// \file
/// Metrics that are other metrics of rows rewritten: correlation is the cosine of centred rows, Hellinger's distance
/// the Euclidean one of square roots. Searches rewrite every row once and then compare by the base, with all that it
/// has of kernels, products and codes.
///
/// Such a metric tells
///   embedded<T>              the element type of rewritten rows
///   embedded_dim(d)          how many elements a row of d becomes
///   embed(row, d, out)       the rewritten row
///   base(d)                  the metric of rewritten rows; its distance is the metric's own
/// and any metric may tell what it refuses
///   check_dimension(d)       throws std::invalid_argument for rows of a length it does not take
///   refuses(row, d)          why it does not take a row, or a null pointer

#include <annulus/core/metric.hpp>
#include <annulus/core/parallel.hpp>

namespace annulus::inline ANNULUS_ARCH {

/// A metric over dense rows of T that is its base's over rows rewritten.
template <class M, class T>
concept embedded_metric = requires(const M& m, const T* row, std::size_t d, typename M::template embedded<T>* out) {
  { m.embedded_dim(d) } -> std::convertible_to<std::size_t>;
  m.embed(row, d, out);
  { m.base(d) } -> dense_metric<typename M::template embedded<T>>;
};

template <class M, class T>
using embedded_t = typename M::template embedded<T>;
template <class M>
using base_metric_t = decltype(std::declval<const M&>().base(std::size_t{}));

namespace detail {

/// Room for a rewritten row: on the stack unless the row is long.
template <class T>
class row_buffer {
 public:
  explicit row_buffer(std::size_t n) {
    if (n > few) m_many.resize(n);
  }
  T* data() noexcept { return m_many.empty() ? m_few : m_many.data(); }

 private:
  static constexpr std::size_t few = 2048 / sizeof(T);
  alignas(64) T m_few[few];
  aligned_vector<T> m_many;
};

/// What makes a metric of an embedding callable on two rows. Allocates only for rows longer than some 500 elements.
template <class Derived>
struct embedding {
  template <row_scalar T>
  auto operator()(const T* a, const T* b, std::size_t d) const {
    const auto& self = static_cast<const Derived&>(*this);
    using scalar = embedded_t<Derived, T>;
    const std::size_t n = self.embedded_dim(d);
    row_buffer<scalar> left(n), right(n);
    self.embed(a, d, left.data());
    self.embed(b, d, right.data());
    const auto base = self.base(d);
    const auto rank =
        rank_of(base, static_cast<const scalar*>(left.data()), static_cast<const scalar*>(right.data()), n);
    if constexpr (requires { base.to_distance(rank); }) return base.to_distance(rank);
    else return rank;
  }
};

/// Throws std::invalid_argument for a length or a row (by its number) that the metric refuses.
template <class T, class Metric>
void check_rows_for(const Metric& metric, matrix_view<T> rows, std::string_view name) {
  if constexpr (requires { metric.check_dimension(rows.cols()); }) metric.check_dimension(rows.cols());
  if constexpr (requires { metric.refuses(rows.data(), rows.cols()); })
    for (std::size_t i = 0; i < rows.rows(); ++i)
      if (const char* const reason = metric.refuses(rows.row(i).data(), rows.cols()))
        invalid(name, "a row", "row ", i, " ", reason);
}

/// All rows rewritten. O(n) embeddings.
template <class T, class Metric>
matrix<embedded_t<Metric, T>> embed_rows(const Metric& metric, matrix_view<T> rows, std::size_t threads) {
  matrix<embedded_t<Metric, T>> embedded(rows.rows(), metric.embedded_dim(rows.cols()));
  parallel_for(threads, rows.rows(), 256, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) metric.embed(rows.row(i).data(), rows.cols(), embedded.row(i).data());
  });
  return embedded;
}

}  // namespace detail
}  // namespace annulus::inline ANNULUS_ARCH
