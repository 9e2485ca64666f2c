#pragma once

/// \file
/// Metrics known at run time whose ranks follow from inner products: any_squared_l2, any_cosine and any_inner_product.
/// Ranks are those of one kernel each, which the templates call as they call any metric's; only what becomes of a rank
/// is decided at run time.

#include <annulus/dynamic/engine/any_metric.hpp>
#include <annulus/metrics/angular.hpp>
#include <annulus/metrics/distributions.hpp>
#include <annulus/metrics/spatial.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// One of some Metrics, without parameters.
template <class... Metrics>
class one_of {
 public:
  template <class Metric>
    requires(std::same_as<Metric, Metrics> || ...)
  explicit one_of(const Metric&) noexcept : m_place(place_of<Metric>()) {}

  std::string_view saved_name() const noexcept {
    return visit([]<class Metric>(const Metric&) -> std::string_view {
      if constexpr (has_name<Metric>) return Metric::name;
      else return {};
    });
  }
  degrees degree() const noexcept {
    return visit([](const auto& metric) { return degree_of(metric); });
  }
  double greatest_sum(double norm, std::size_t d) const noexcept {
    return visit([=](const auto& metric) { return greatest_sum_of(metric, norm, d); });
  }
  template <class Rank>
  auto to_distance(Rank rank) const noexcept {
    if constexpr (std::integral<Rank>)
      return visit([=]<class Metric>(const Metric& metric) {
        if constexpr (has_to_distance<Metric, Rank>) return static_cast<float>(metric.to_distance(rank));
        else return static_cast<float>(metric.to_distance(static_cast<double>(rank)));
      });
    else
      return visit([=]<class Metric>(const Metric& metric) {
        if constexpr (has_to_distance<Metric, Rank>) return metric.to_distance(rank);
        else return rank;
      });
  }

 protected:
  template <class F>
  auto visit(F f) const {
    std::size_t place = 0;
    std::optional<std::common_type_t<decltype(f(Metrics{}))...>> result;
    static_cast<void>(((place++ == m_place && (result = f(Metrics{}), true)) || ...));
    return *result;
  }

 private:
  template <class Metric>
  static constexpr std::uint8_t place_of() noexcept {
    std::uint8_t place = 0;
    static_cast<void>(((std::same_as<Metric, Metrics> || (++place, false)) || ...));
    return place;
  }
  std::uint8_t m_place;
};

/// Makes a metric with members rank and to_distance callable on dense and sparse rows.
template <class Derived>
struct called_by_rank {
  template <row_scalar T>
  auto operator()(const T* a, const T* b, std::size_t d) const {
    return self().to_distance(self().rank(a, b, d));
  }
  template <row_scalar T>
  auto operator()(const sparse_row<T>& a, const sparse_row<T>& b) const {
    return self().to_distance(self().rank(a, b));
  }

 private:
  const Derived& self() const noexcept { return static_cast<const Derived&>(*this); }
};

/// The distance is a squared L2 distance, or follows from it.
class any_squared_l2 : public kernel_metric<kernels::squared_l2>,
                       public one_of<euclidean, sqeuclidean, half_chord, great_circle>,
                       public called_by_rank<any_squared_l2> {
  using one = one_of<euclidean, sqeuclidean, half_chord, great_circle>;

 public:
  static constexpr bool is_angular = false;
  static constexpr auto form = product_form::squared_l2;
  using one::one;
  using called_by_rank<any_squared_l2>::operator();
  using one::to_distance;
};

/// The distance is 1 - cos, or follows from it.
class any_cosine : public one_of<cosine, true_angular>, public called_by_rank<any_cosine> {
  using one = one_of<cosine, true_angular>;

 public:
  static constexpr bool is_angular = true;
  static constexpr auto form = product_form::cosine;
  using one::one;
  template <row_scalar T>
  static auto rank(const T* a, const T* b, std::size_t d) noexcept {
    return cosine{}(a, b, d);
  }
  template <row_scalar T>
  static auto rank(const sparse_row<T>& a, const sparse_row<T>& b) noexcept {
    return cosine{}(a, b);
  }
};

/// The distance is minus the inner product, or follows from it.
class any_inner_product : public one_of<inner_product, dot>, public called_by_rank<any_inner_product> {
  using one = one_of<inner_product, dot>;

 public:
  static constexpr bool is_angular = true;
  static constexpr auto form = product_form::inner_product;
  using kernel = inner_product::kernel;
  using one::one;
  template <class Result>
  static auto from_kernel(Result r) noexcept {
    return inner_product::from_kernel(r);
  }
  template <row_scalar T>
  static auto rank(const T* a, const T* b, std::size_t d) noexcept {
    return inner_product::rank(a, b, d);
  }
  template <row_scalar T>
  static auto rank(const sparse_row<T>& a, const sparse_row<T>& b) noexcept {
    return inner_product::rank(a, b);
  }
};

/// The type that stands for a Metric, one that rewrites no rows of Points.
template <class Points, class Metric>
struct any_metric_for {
  static constexpr product_form form = form_of<Metric>();
  using rank = std::conditional_t<std::same_as<row_rank_t<Metric, row_t<view_of<Points>>>, float>, float, double>;
  using type = std::conditional_t<form == product_form::squared_l2, any_squared_l2,
                                  std::conditional_t<form == product_form::cosine, any_cosine,
                                                     std::conditional_t<form == product_form::inner_product,
                                                                        any_inner_product, any_metric<Points, rank>>>>;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
