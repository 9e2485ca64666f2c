#pragma once

/// \file
/// The bases of metrics whose rank is the result of one kernel, and of those with one function for dense and sparse
/// rows.

#include <annulus/core/metric/metric.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Distances as floating point: double stays double, everything else is float.
template <class Result>
auto to_floating(Result r) noexcept {
  if constexpr (std::same_as<Result, double>) return r;
  else return static_cast<float>(r);
}

template <class T>
std::span<const T> as_row(const T* row, std::size_t d) noexcept {
  return {row, d};
}

/// Base of metrics that compare dense and sparse rows in the same words: Derived::between(a, b), of two spans or of two
/// sparse rows.
template <class Derived>
struct row_metric {
  template <row_scalar T>
  auto operator()(const T* a, const T* b, std::size_t d) const noexcept {
    return self().between(as_row(a, d), as_row(b, d));
  }
  template <row_scalar T>
  auto operator()(const sparse_row<T>& a, const sparse_row<T>& b) const noexcept {
    return self().between(a, b);
  }

 private:
  const Derived& self() const noexcept { return static_cast<const Derived&>(*this); }
};

/// Base of metrics with static members rank and to_distance: makes them callable on dense and sparse rows.
template <class Derived>
struct ranked_metric {
  template <row_scalar T>
  auto operator()(const T* a, const T* b, std::size_t d) const noexcept {
    return Derived::to_distance(Derived::rank(a, b, d));
  }
  template <row_scalar T>
  auto operator()(const sparse_row<T>& a, const sparse_row<T>& b) const noexcept {
    return Derived::to_distance(Derived::rank(a, b));
  }
};

/// A metric whose rank is the result of one kernel, and its distance too unless the derived one says otherwise.
template <class Kernel>
struct kernel_metric {
  using kernel = Kernel;
  template <class Result>
  static Result from_kernel(Result r) noexcept {
    return r;
  }
  template <row_scalar T>
  static auto rank(const T* a, const T* b, std::size_t d) noexcept {
    return one_to_one<Kernel>(a, b, d);
  }
  template <class T>
    requires sparse_kernel_for<Kernel, T>
  static auto rank(const sparse_row<T>& a, const sparse_row<T>& b) noexcept { return one_to_one<Kernel>(a, b); }
  template <class Rank>
  static auto to_distance(Rank rank) noexcept {
    return to_floating(rank);
  }
  template <row_scalar T>
    requires kernel_for<Kernel, T>
  auto operator()(const T* a, const T* b, std::size_t d) const noexcept { return to_distance(rank(a, b, d)); }
  template <class T>
    requires sparse_kernel_for<Kernel, T>
  auto operator()(const sparse_row<T>& a, const sparse_row<T>& b) const noexcept { return rank(a, b); }
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
