#pragma once

/// \file
/// A factor for every coordinate: how metrics with weights rewrite rows.

#include <annulus/core/metric/rewritten_metric.hpp>
#include <annulus/storage/archive.hpp>

#include <memory>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Each coordinate times a factor of its own. Copies share the factors.
class coordinate_factors {
 public:
  /// The factor of coordinate i is factor(weight, i).
  template <class F>
  coordinate_factors(std::span<const double> weights, F factor) {
    buffer<double> factors(weights.size());
    for (std::size_t i = 0; i < factors.size(); ++i) factors[i] = factor(weights[i], i);
    m_factors = std::make_shared<const buffer<double>>(std::move(factors));
  }
  explicit coordinate_factors(unfilled) : m_factors(std::make_shared<const buffer<double>>()) {}
  std::size_t size() const noexcept { return m_factors->size(); }

  template <class T, class Out>
  void apply(const T* row, Out* out) const noexcept {
    const double* const factors = m_factors->data();
    for (std::size_t i = 0; i < size(); ++i) out[i] = static_cast<Out>(static_cast<double>(row[i]) * factors[i]);
  }
  /// f(a, b) of both rewritten rows. Allocates for rows that store more than about 250 elements.
  template <class T, class F>
  auto of_sparse(const sparse_row<T>& a, const sparse_row<T>& b, F f) const {
    using lane = lane_t<T>;
    row_buffer<lane> left(a.values.size()), right(b.values.size());
    const auto rewritten = [&](const sparse_row<T>& row, lane* values) {
      const double* const factors = m_factors->data();
      for (std::size_t i = 0; i < row.values.size(); ++i)
        values[i] = static_cast<lane>(static_cast<double>(row.values[i]) * factors[row.indices[i]]);
      return sparse_row<lane>{row.indices, {values, row.values.size()}, row.dim};
    };
    return f(rewritten(a, left.data()), rewritten(b, right.data()));
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    const std::size_t count = archived_size(archive, "dim", self.size());
    if constexpr (Archive::is_loading) {
      buffer<double> factors;
      archive("factors", factors, {count});
      archive.expect(std::ranges::all_of(factors, [](double x) { return x >= 0 && is_finite(x); }),
                     "has a factor that is negative or not finite");
      self.m_factors = std::make_shared<const buffer<double>>(std::move(factors));
    } else {
      archive("factors", *self.m_factors, {count});
    }
  }

 private:
  std::shared_ptr<const buffer<double>> m_factors;
};

inline void check_length(std::string_view parameter, std::size_t length, std::size_t d) {
  if (d != length) invalid("dimension", d, "must equal the length of ", parameter, " = ", length);
}

/// Base of metrics that are Derived::base() of rows with a factor for each coordinate. Derived::weights is the name of
/// the parameter from which the factors come.
template <class Derived>
class factor_embedding : public embedding<Derived> {
 public:
  using embedding<Derived>::operator();

  /// \throws std::invalid_argument unless there are d weights.
  void check_dimension(std::size_t d) const { check_length(Derived::weights, m_factors.size(), d); }
  std::size_t embedded_dim(std::size_t d) const {
    check_dimension(d);
    return d;
  }
  template <row_scalar T>
  void embed(const T* row, std::size_t, lane_t<T>* out) const noexcept {
    m_factors.apply(row, out);
  }

  template <row_scalar T>
  auto operator()(const sparse_row<T>& a, const sparse_row<T>& b) const {
    check_dimension(a.dim);
    check_dimension(b.dim);
    return m_factors.of_sparse(a, b, static_cast<const Derived&>(*this).base(a.dim));
  }

 protected:
  explicit factor_embedding(coordinate_factors factors) : m_factors(std::move(factors)) {}

  coordinate_factors m_factors;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
