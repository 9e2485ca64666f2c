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
  /// factor(weight, i) for every weight.
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
  /// f of both rows rewritten. Allocates for rows that store more than some 250 elements.
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
    std::size_t count = self.size();
    archive("dim", count);
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

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
