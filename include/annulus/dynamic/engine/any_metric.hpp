#pragma once

/// \file
/// Metrics whose type is known at run time alone, as types that the templates take. any_metric is the one without a
/// product form: what uses it is compiled once for each kind of rows, and a block of rows costs one virtual call.

#include <annulus/core/metric/rewritten_metric.hpp>
#include <annulus/core/metric/row_query.hpp>
#include <annulus/io/index/index_archive.hpp>
#include <annulus/storage/metric_archive.hpp>

#include <Eigen/Core>

#include <memory>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Name and parameters of a metric for files.
class metric_fields {
 public:
  virtual ~metric_fields() = default;
  virtual std::string_view name() const noexcept = 0;  ///< empty for what has none
  virtual void persist(index_writer& archive) const = 0;
  virtual void persist(index_reader<loaded_tensors>& archive) = 0;
  virtual void persist(index_reader<mapped_tensors>& archive) = 0;
};

/// The fields of a Metric, beside functions that Interface, derived from metric_fields, asks for.
template <class Metric, class Interface>
class fields_of : public Interface {
 public:
  explicit fields_of(Metric metric) : m_metric(std::move(metric)) {}
  std::string_view name() const noexcept override {
    if constexpr (has_name<Metric>) return Metric::name;
    else return {};
  }
  void persist(index_writer& archive) const override { persist_fields(m_metric, archive); }
  void persist(index_reader<loaded_tensors>& archive) override { persist_fields(m_metric, archive); }
  void persist(index_reader<mapped_tensors>& archive) override { persist_fields(m_metric, archive); }

 protected:
  Metric m_metric;

 private:
  template <class M, class Archive>
  static void persist_fields(M& metric, Archive& archive) {
    if constexpr (persistent_metric<M, Archive>) std::remove_const_t<M>::persist(metric, archive);
  }
};

/// What every metric tells of itself, by its members where it has them.
template <class Metric>
degrees degree_of(const Metric& metric) {
  if constexpr (has_degree<Metric>) return metric.degree();
  else return degrees::unknown();
}
template <class Metric>
double greatest_sum_of(const Metric& metric, double norm, std::size_t d) {
  if constexpr (bounds_sums<Metric>) return metric.greatest_sum(norm, d);
  else return 0;
}
template <class Metric>
void check_dimension_of(const Metric& metric, std::size_t d) {
  if constexpr (checks_dimension<Metric>) metric.check_dimension(d);
}

/// A metric of rows of Points, a matrix or a csr_matrix, that has no product form and rewrites no rows. Rank is float
/// for metrics that rank by floats, so that searches are as quick as by the metric itself, and to the same bits; double
/// holds all other ranks as they are.
template <class Points, class Rank>
class any_metric {
  using row_type = row_t<view_of<Points>>;
  using T = typename Points::value_type;
  static constexpr bool is_dense = is_dense_row<row_type>;
  struct no_halves {};
  /// Rows at half precision stand beside those of floating point, in some storages.
  using half_row = std::conditional_t<is_dense && !is_byte<T>, std::span<const Eigen::half>, no_halves>;

  class functions : public metric_fields {
   public:
    virtual Rank rank(const row_type& a, const row_type& b) const = 0;
    virtual Rank rank_halves(const half_row& a, const half_row& b) const = 0;
    virtual double distance(const row_type& a, const row_type& b) const = 0;
    virtual float to_distance(Rank rank) const = 0;
    virtual void ranks(const row_type& query, const T* rows, std::size_t stride, std::size_t count,
                       Rank* out) const = 0;
    virtual void ranks(const row_type& query, const T* const* rows, std::size_t count, Rank* out) const = 0;
    virtual degrees degree() const = 0;
    virtual double greatest_sum(double norm, std::size_t d) const = 0;
    virtual void check_dimension(std::size_t d) const = 0;
    virtual row_refusal refuses(const row_type& row) const = 0;
    virtual std::size_t packed_bits() const noexcept = 0;
  };
  template <class Metric>
  class functions_of;

 public:
  static constexpr bool is_angular = false;
  /// Whether sparse rows may lack their values is asked at run time: takes_sets().
  static constexpr bool is_set_metric = true;

  template <class Metric>
    requires(!std::same_as<Metric, any_metric>)
  explicit any_metric(Metric metric)
      : m_functions(std::make_shared<functions_of<Metric>>(std::move(metric))), m_takes_sets(compares_sets<Metric>) {
    if constexpr (is_dense) {
      m_compares_whole_rows = has_own_loop<Metric, T>;
      m_takes_halves = row_metric_for<Metric, half_row>;
    }
  }

  std::string_view saved_name() const noexcept { return m_functions->name(); }
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    using functions_type = std::conditional_t<Archive::is_loading, functions, const functions>;
    static_cast<functions_type&>(*self.m_functions).persist(archive);
  }
  bool takes_sets() const noexcept { return m_takes_sets; }
  bool takes_halves() const noexcept { return m_takes_halves; }
  /// As has_own_loop tells of a type.
  bool compares_whole_rows() const noexcept { return m_compares_whole_rows; }
  /// Of a row of packed bits, where the metric was told; else 0.
  std::size_t packed_bits() const noexcept { return m_functions->packed_bits(); }

  double operator()(const T* a, const T* b, std::size_t d) const requires is_dense {
    return m_functions->distance({a, d}, {b, d});
  }
  Rank rank(const T* a, const T* b, std::size_t d) const requires is_dense { return m_functions->rank({a, d}, {b, d}); }
  double operator()(const Eigen::half* a, const Eigen::half* b, std::size_t d) const
      requires(is_dense && !is_byte<T> && !std::same_as<T, Eigen::half>) {
    return m_functions->rank_halves({a, d}, {b, d});
  }
  Rank rank(const Eigen::half* a, const Eigen::half* b, std::size_t d) const
      requires(is_dense && !is_byte<T> && !std::same_as<T, Eigen::half>) {
    return m_functions->rank_halves({a, d}, {b, d});
  }
  double operator()(const row_type& a, const row_type& b) const requires(!is_dense) {
    return m_functions->distance(a, b);
  }
  Rank rank(const row_type& a, const row_type& b) const requires(!is_dense) { return m_functions->rank(a, b); }

  void ranks(const T* query, std::size_t d, const T* rows, std::size_t stride, std::size_t count,
             Rank* out) const requires is_dense {
    m_functions->ranks({query, d}, rows, stride, count, out);
  }
  void chosen_ranks(const T* query, std::size_t d, const T* const* rows, std::size_t count,
                    Rank* out) const requires is_dense {
    m_functions->ranks({query, d}, rows, count, out);
  }

  float to_distance(Rank rank) const { return m_functions->to_distance(rank); }
  degrees degree() const { return m_functions->degree(); }
  double greatest_sum(double norm, std::size_t d) const { return m_functions->greatest_sum(norm, d); }
  void check_dimension(std::size_t d) const { m_functions->check_dimension(d); }
  row_refusal refuses(const row_type& row) const { return m_functions->refuses(row); }

 private:
  std::shared_ptr<functions> m_functions;
  bool m_takes_sets, m_takes_halves = false, m_compares_whole_rows = false;
};

template <class Points, class Rank>
template <class Metric>
class any_metric<Points, Rank>::functions_of final : public fields_of<Metric, functions> {
  using base = fields_of<Metric, functions>;
  using base::m_metric;
  using rank_type = row_rank_t<Metric, row_type>;

 public:
  using base::base;

  Rank rank(const row_type& a, const row_type& b) const override {
    return static_cast<Rank>(rank_of_rows(m_metric, a, b));
  }
  Rank rank_halves(const half_row& a, const half_row& b) const override {
    if constexpr (row_metric_for<Metric, half_row>) return static_cast<Rank>(rank_of_rows(m_metric, a, b));
    else throw std::logic_error("annulus: a metric that takes no halves was asked about some");
  }
  double distance(const row_type& a, const row_type& b) const override {
    if constexpr (!is_dense || !compares_pointers<Metric, T>) return static_cast<double>(m_metric(a, b));
    else return static_cast<double>(m_metric(a.data(), b.data(), a.size()));
  }
  float to_distance(Rank rank) const override { return distance_of(m_metric, static_cast<rank_type>(rank)); }
  void ranks(const row_type& query, const T* rows, std::size_t stride, std::size_t count, Rank* out) const override {
    if constexpr (is_dense) {
      const prepared_query<Metric, T> rank(m_metric, query.data(), query.size());
      in_blocks(count, out,
                [&](std::size_t first, std::size_t n, rank_type* to) { rank(rows + first * stride, stride, n, to); });
    }
  }
  void ranks(const row_type& query, const T* const* rows, std::size_t count, Rank* out) const override {
    if constexpr (is_dense && kernel_ranked<Metric, T>) {
      in_blocks(count, out, [&](std::size_t first, std::size_t n, rank_type* to) {
        many_rows<typename Metric::kernel>(query.data(), query.size(), n, to,
                                           [&](std::size_t i) { return rows[first + i]; });
        for (std::size_t i = 0; i < n; ++i) to[i] = m_metric.from_kernel(to[i]);
      });
    } else if constexpr (is_dense) {
      const prepared_query<Metric, T> rank(m_metric, query.data(), query.size());
      for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<Rank>(rank(rows[i]));
    }
  }
  degrees degree() const override { return degree_of(m_metric); }
  double greatest_sum(double norm, std::size_t d) const override { return greatest_sum_of(m_metric, norm, d); }
  void check_dimension(std::size_t d) const override { check_dimension_of(m_metric, d); }
  row_refusal refuses(const row_type& row) const override { return refusal(m_metric, row); }
  std::size_t packed_bits() const noexcept override {
    if constexpr (has_bit_count<Metric>) return m_metric.bits;
    else return 0;
  }

 private:
  /// Calls f(first, n, to), which writes n ranks as Metric has them: to where they belong, or by way of a buffer.
  template <class F>
  static void in_blocks(std::size_t count, Rank* out, F f) {
    if constexpr (std::same_as<rank_type, Rank>) return f(0, count, out);
    else {
      constexpr std::size_t block = 64;
      rank_type some[block];
      for (std::size_t first = 0; first < count; first += block) {
        const std::size_t n = std::min(block, count - first);
        f(first, n, some);
        std::transform(some, some + n, out + first, [](rank_type rank) { return static_cast<Rank>(rank); });
      }
    }
  }
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
