#pragma once

/// \file
/// Metrics known at run time that rewrite rows: what follows on a rewritten row depends on the base alone.

#include <annulus/dynamic/engine/any_product_metric.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// A metric that rewrites dense rows of T to rows of U, and compares those by Base: one of any_squared_l2, any_cosine,
/// any_metric<matrix<U>, Rank>.
template <class T, class U, class Base>
class any_rewriting_metric {
  class functions : public metric_fields {
   public:
    virtual std::size_t embedded_dim(std::size_t d) const = 0;
    virtual void embed(const T* row, std::size_t d, U* out) const = 0;
    virtual Base base(std::size_t d) const = 0;
    virtual double distance(const T* a, const T* b, std::size_t d) const = 0;
    virtual void check_dimension(std::size_t d) const = 0;
    virtual row_refusal refuses(const T* row, std::size_t d) const = 0;
  };
  template <class Metric>
  class functions_of final : public fields_of<Metric, functions> {
    using fields = fields_of<Metric, functions>;
    using fields::m_metric;

   public:
    using fields::fields;
    std::size_t embedded_dim(std::size_t d) const override { return m_metric.embedded_dim(d); }
    void embed(const T* row, std::size_t d, U* out) const override { m_metric.embed(row, d, out); }
    Base base(std::size_t d) const override { return Base(m_metric.base(d)); }
    double distance(const T* a, const T* b, std::size_t d) const override {
      return static_cast<double>(m_metric(a, b, d));
    }
    void check_dimension(std::size_t d) const override { check_dimension_of(m_metric, d); }
    row_refusal refuses(const T* row, std::size_t d) const override {
      return refusal(m_metric, std::span<const T>(row, d));
    }
  };

 public:
  template <class Row>
  using embedded = U;

  template <class Metric>
    requires(!std::same_as<Metric, any_rewriting_metric>)
  explicit any_rewriting_metric(Metric metric)
      : m_functions(std::make_shared<functions_of<Metric>>(std::move(metric))) {}

  std::string_view saved_name() const noexcept { return m_functions->name(); }
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    using functions_type = std::conditional_t<Archive::is_loading, functions, const functions>;
    static_cast<functions_type&>(*self.m_functions).persist(archive);
  }

  double operator()(const T* a, const T* b, std::size_t d) const { return m_functions->distance(a, b, d); }
  std::size_t embedded_dim(std::size_t d) const { return m_functions->embedded_dim(d); }
  void embed(const T* row, std::size_t d, U* out) const { m_functions->embed(row, d, out); }
  Base base(std::size_t d) const { return m_functions->base(d); }
  void check_dimension(std::size_t d) const { m_functions->check_dimension(d); }
  row_refusal refuses(const T* row, std::size_t d) const { return m_functions->refuses(row, d); }

 private:
  std::shared_ptr<functions> m_functions;
};

/// The type that stands for a metric that rewrites rows.
template <class T, class Metric>
  requires rewrites_rows<Metric, T>
struct any_metric_for<matrix<T>, Metric> {
  using embedded = embedded_t<Metric, T>;
  using type =
      any_rewriting_metric<T, embedded, typename any_metric_for<matrix<embedded>, base_metric_t<Metric>>::type>;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
