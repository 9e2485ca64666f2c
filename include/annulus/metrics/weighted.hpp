#pragma once

/// \file
/// Metrics with a weight for every coordinate or every pair of coordinates: other metrics of rows that are rewritten by
/// the weights. Rows are rewritten in double and rounded to the type that they are computed in, so that the error of
/// distances is that of rounding the rows. Copies of a metric share its parameters.

#include <annulus/core/kernels/sparse_kernels.hpp>
#include <annulus/core/metric/rewritten_metric.hpp>
#include <annulus/metrics/coordinate_factors.hpp>
#include <annulus/metrics/dense.hpp>

#include <memory>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// sqrt(sum (a_i - b_i)^2 / v_i), v_i > 0 the variance of coordinate i: a metric. Searched as `euclidean` of rows
/// divided by standard deviations. O(d).
class seuclidean : public detail::factor_embedding<seuclidean> {
 public:
  static constexpr std::string_view name = "seuclidean", weights = "variance";  ///< weights: the parameter

  /// \param variance one for each coordinate \throws std::invalid_argument unless all variances are positive and
  /// finite.
  explicit seuclidean(std::span<const double> variance)
      : factor_embedding({variance, [](double v, std::size_t i) {
                            if (!(v > 0 && detail::is_finite(1 / v) && detail::is_finite(v)))
                              detail::invalid("variance", v, "coordinate ", i, " must be above 0 and finite");
                            return 1 / detail::sqrt(v);
                          }}) {}
  explicit seuclidean(detail::unfilled to_fill) : factor_embedding(detail::coordinate_factors(to_fill)) {}

  euclidean base(std::size_t) const noexcept { return {}; }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    detail::persistence::persist(self.m_factors, archive);
  }
};

/// (sum w_i |a_i - b_i|^p)^(1/p), w_i >= 0 and finite p >= 1: a metric where no weight is 0. Searched as `minkowski` of
/// rows times w^(1/p). O(d).
class wminkowski : public detail::factor_embedding<wminkowski> {
 public:
  static constexpr std::string_view name = "wminkowski", weights = "w";  ///< weights: the parameter

  /// \param w a weight for each coordinate \param p the order \throws std::invalid_argument for a weight that is
  /// negative or not finite, and unless 1 <= p < infinity.
  explicit wminkowski(std::span<const double> w, double p = 2) : wminkowski(w, minkowski(p)) {}
  explicit wminkowski(detail::unfilled to_fill) : factor_embedding(detail::coordinate_factors(to_fill)) {}
  double p() const noexcept { return m_base.p(); }  ///< \returns the order

  minkowski base(std::size_t) const noexcept { return m_base; }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    detail::persistence::persist(self.m_base, archive);
    detail::persistence::persist(self.m_factors, archive);
  }

 private:
  wminkowski(std::span<const double> w, const minkowski& base)
      : factor_embedding({w,
                          [p = base.p()](double weight, std::size_t i) {
                            if (!(weight >= 0 && detail::is_finite(weight)))
                              detail::invalid("w", weight, "coordinate ", i, " must be at least 0 and finite");
                            return std::pow(weight, 1 / p);
                          }}),
        m_base(base) {}

  minkowski m_base;
};

/// sqrt((a - b)^T V (a - b)) for a symmetric positive semidefinite V (d x d), as a rule the inverse of the covariance
/// (Mahalanobis 1936): a metric where V is definite. Searched as `euclidean` of rows times a Cholesky factor of V, of
/// as many coordinates as V has rank. O(d) a pair once rows are rewritten in O(d^2) each; O(d^2) a pair of sparse rows.
class mahalanobis : public detail::embedding<mahalanobis> {
 public:
  static constexpr std::string_view name = "mahalanobis";
  using detail::embedding<mahalanobis>::operator();

  /// Factorises the matrix, in O(d^3). \param vinv d x d, not kept \throws std::invalid_argument unless vinv is square,
  /// finite, and symmetric and positive semidefinite to the rounding of floats (1e-5 of sqrt(v_ii v_jj)).
  explicit mahalanobis(matrix_view<double> vinv) : m_dim(vinv.rows()) { factorize(vinv); }
  explicit mahalanobis(matrix_view<float> vinv) : m_dim(vinv.rows()) { factorize(vinv); }
  explicit mahalanobis(detail::unfilled) {}

  /// \param d the length of rows \throws std::invalid_argument unless vinv is d x d.
  void check_dimension(std::size_t d) const { detail::check_length("a row of vinv", m_dim, d); }
  std::size_t embedded_dim(std::size_t d) const {
    check_dimension(d);
    return m_rank;
  }
  template <row_scalar T>
  void embed(const T* row, std::size_t, embedded<T>* out) const noexcept {
    multiply(row, out);
  }
  euclidean base(std::size_t) const noexcept { return {}; }

  /// \param a,b sparse rows \returns their distance \throws std::invalid_argument for rows of another dimension than
  /// vinv. Allocates for rows of more than about 250 coordinates.
  template <class T>
  double operator()(const sparse_row<T>& a, const sparse_row<T>& b) const {
    check_dimension(a.dim);
    check_dimension(b.dim);
    detail::row_buffer<double> difference(m_dim), rewritten(m_rank);
    double* const x = difference.data();
    std::fill_n(x, m_dim, 0.0);
    for (std::size_t i = 0; i < a.values.size(); ++i)
      x[static_cast<std::size_t>(a.indices[i])] += static_cast<double>(a.values[i]);
    for (std::size_t i = 0; i < b.values.size(); ++i)
      x[static_cast<std::size_t>(b.indices[i])] -= static_cast<double>(b.values[i]);
    multiply(x, rewritten.data());
    return detail::norm_of(std::span<const double>(rewritten.data(), m_rank));
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive("dim", self.m_dim);
    archive("rank", self.m_rank);
    if constexpr (Archive::is_loading) {
      archive.expect(self.m_rank >= 1 && self.m_rank <= self.m_dim, "has no rank from 1 to its dimension");
      self.m_stride = stride_of(self.m_rank);
      detail::buffer<double> transform;
      archive("transform", transform, {self.m_dim, self.m_stride});
      archive.expect(std::ranges::all_of(transform, [](double x) { return detail::is_finite(x); }),
                     "has a transform that is not finite");
      self.m_transform = std::make_shared<const detail::buffer<double>>(std::move(transform));
    } else {
      archive("transform", *self.m_transform, {self.m_dim, self.m_stride});
    }
  }

 private:
  using vector = simd::batch<double>;
  static constexpr std::size_t lanes = simd::lanes<double>, columns = 4 * lanes;
  /// Rounded up to the widest registers: the same in every build.
  static constexpr std::size_t stride_of(std::size_t rank) noexcept {
    constexpr std::size_t widest = 32;
    static_assert(widest % columns == 0);
    return (rank + widest - 1) / widest * widest;
  }

  /// Cholesky decomposition with diagonal pivoting, of V scaled to a unit diagonal, until the rest is rounding errors.
  template <class T>
  void factorize(matrix_view<T> vinv) {
    constexpr double tolerance = 1e-5;
    const std::size_t d = m_dim;
    if (vinv.cols() != d || d == 0) detail::invalid("vinv columns", vinv.cols(), "must equal its rows = ", d, " >= 1");
    std::vector<double> rest(d * d), scales(d);
    for (std::size_t i = 0; i < d; ++i) {
      const auto diagonal = static_cast<double>(vinv.row(i)[i]);
      if (!(diagonal >= 0 && detail::is_finite(diagonal)))
        detail::invalid("vinv", diagonal, "diagonal element ", i, " must be at least 0 and finite");
      scales[i] = detail::sqrt(diagonal);
    }
    for (std::size_t i = 0; i < d; ++i)
      for (std::size_t j = 0; j < d; ++j) {
        const auto here = static_cast<double>(vinv.row(i)[j]), there = static_cast<double>(vinv.row(j)[i]);
        const double size = scales[i] * scales[j];
        if (!(detail::is_finite(here - there) && std::abs(here - there) <= tolerance * size))
          detail::invalid("vinv", here, "row ", i, " column ", j, " must be finite and equal its mirror ", there);
        if (!(std::abs(here) <= (1 + tolerance) * size)) not_positive(i);
        rest[i * d + j] = size > 0 ? (here + there) / (2 * size) : 0.0;
      }

    std::vector<std::size_t> left(d);
    for (std::size_t i = 0; i < d; ++i) left[i] = i;
    const double smallest = 4 * static_cast<double>(d) * std::numeric_limits<double>::epsilon();
    std::vector<std::vector<double>> factor;
    while (!left.empty()) {
      const auto at = std::ranges::max_element(left, {}, [&](std::size_t i) { return rest[i * d + i]; });
      const std::size_t p = *at;
      const double pivot = rest[p * d + p];
      // No element of a semidefinite matrix exceeds its greatest diagonal element.
      const auto is_rounding = [&](std::size_t j) { return std::abs(rest[p * d + j]) > pivot + smallest; };
      if (pivot <= smallest || std::ranges::any_of(left, is_rounding)) break;
      left.erase(at);
      std::vector<double> column(d, 0.0);
      column[p] = detail::sqrt(pivot);
      for (const std::size_t j : left) column[j] = rest[p * d + j] / column[p];
      for (const std::size_t i : left)
        for (const std::size_t j : left) rest[i * d + j] -= column[i] * column[j];
      factor.push_back(std::move(column));
    }
    for (const std::size_t i : left)
      for (const std::size_t j : left)
        if (std::abs(rest[i * d + j]) > tolerance) not_positive(i);

    m_rank = std::max(factor.size(), std::size_t{1});
    m_stride = stride_of(m_rank);
    detail::buffer<double> transform(d * m_stride);
    for (std::size_t k = 0; k < factor.size(); ++k)
      for (std::size_t j = 0; j < d; ++j) transform[j * m_stride + k] = factor[k][j] * scales[j];
    m_transform = std::make_shared<const detail::buffer<double>>(std::move(transform));
  }
  [[noreturn]] static void not_positive(std::size_t i) {
    detail::invalid("vinv", "a matrix", "must be positive semidefinite, and is not about row ", i);
  }

  /// out = row * transform, in double.
  template <class T, class Out>
  void multiply(const T* row, Out* out) const noexcept {
    for (std::size_t first = 0; first < m_rank; first += columns) {
      vector sums[2][4];
      simd::unroll<8>([&](auto i) { sums[i / 4][i % 4] = vector(0.0); });
      const double* at = m_transform->data() + first;
      const auto add = [&](auto chain, std::size_t p) {
        const vector x(static_cast<double>(row[p]));
        simd::unroll<4>([&](auto c) {
          sums[chain][c] = xsimd::fma(x, vector::load_aligned(at + p * m_stride + c * lanes), sums[chain][c]);
        });
      };
      std::size_t p = 0;
      for (; p + 2 <= m_dim; p += 2) simd::unroll<2>([&](auto chain) { add(chain, p + chain); });
      if (p < m_dim) add(std::integral_constant<std::size_t, 0>{}, p);
      alignas(64) double products[columns];
      simd::unroll<4>([&](auto c) { (sums[0][c] + sums[1][c]).store_aligned(products + c * lanes); });
      const std::size_t used = std::min(columns, m_rank - first);
      for (std::size_t c = 0; c < used; ++c) out[first + c] = static_cast<Out>(products[c]);
    }
  }

  std::size_t m_dim = 0, m_rank = 0, m_stride = 0;
  std::shared_ptr<const detail::buffer<double>> m_transform;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
