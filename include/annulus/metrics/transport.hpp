#pragma once

/// \file
/// Optimal transport between distributions under any costs, exactly.

#include <annulus/metrics/mass.hpp>
#include <annulus/metrics/network_simplex.hpp>
#include <annulus/storage/archive.hpp>

#include <memory>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

/// The cost of moving a unit of mass from bin i to bin j. Copies share the matrix.
class transport_costs {
 public:
  explicit transport_costs(matrix_view<double> cost) {
    if (cost.rows() != cost.cols()) invalid("cost", cost.rows(), "rows must be as many as its columns = ", cost.cols());
    if (cost.rows() == 0) invalid("cost", 0, "rows must be at least 1");
    constexpr double most = 1e300;  // sums of costs along a path must be finite too
    auto costs = std::make_shared<matrix<double>>(cost.rows(), cost.cols());
    for (std::size_t i = 0; i < cost.rows(); ++i)
      for (std::size_t j = 0; j < cost.cols(); ++j) {
        const double c = cost.row(i)[j];
        if (!(detail::is_number(c) && c >= 0 && c <= most))
          invalid("cost", c, "row ", i, ", column ", j, " must be from 0 to ", most);
        m_greatest = std::max(m_greatest, c);
        costs->row(i)[j] = c;
      }
    m_costs = std::move(costs);
  }

  explicit transport_costs(unfilled) : m_costs(std::make_shared<const matrix<double>>()) {}

  const matrix<double>& costs() const noexcept { return *m_costs; }
  std::size_t dim() const noexcept { return m_costs->rows(); }
  double greatest() const noexcept { return m_greatest; }
  void check(std::size_t d) const {
    if (d != dim()) invalid("dimension", d, "must equal the cost's ", dim());
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    if constexpr (Archive::is_loading) {
      matrix<double> costs;
      archive("cost", costs);
      archive.rebuild([&] { self = transport_costs(costs); });
    } else {
      archive("cost", *self.m_costs);
    }
  }

 private:
  std::shared_ptr<const matrix<double>> m_costs;
  double m_greatest = 0;
};

/// The bins of a row that hold mass, with their shares.
class bins_with_mass {
 public:
  template <row_scalar T>
  bins_with_mass(const T* row, std::size_t d) {
    gather(
        d, [&](std::size_t i) { return static_cast<double>(row[i]); }, [](std::size_t i) { return i; });
  }
  template <class T>
  explicit bins_with_mass(const sparse_row<T>& row) {
    gather(
        row.indices.size(), [&](std::size_t i) { return static_cast<double>(row.values[i]); },
        [&](std::size_t i) { return static_cast<std::size_t>(row.indices[i]); });
  }

  std::size_t size() const noexcept { return m_bins.size(); }
  const std::vector<std::size_t>& bins() const noexcept { return m_bins; }
  const aligned_vector<double>& shares() const noexcept { return m_shares; }
  friend bool operator==(const bins_with_mass&, const bins_with_mass&) = default;

 private:
  template <class Value, class Bin>
  void gather(std::size_t n, Value value, Bin bin) {
    m_bins.reserve(n);
    m_shares.reserve(n);
    double mass = 0;
    for (std::size_t i = 0; i < n; ++i)
      if (const double x = value(i); x > 0) {
        m_bins.push_back(bin(i));
        m_shares.push_back(x);
        mass += x;
      }
    for (double& x : m_shares) x /= mass;
  }

  std::vector<std::size_t> m_bins;
  aligned_vector<double> m_shares;
};

inline transport_problem make_problem(const bins_with_mass& from, const bins_with_mass& to,
                                      const transport_costs& costs) {
  constexpr std::size_t lanes = simd::lanes<double>;
  transport_problem problem{from.size(),   to.size(),   (to.size() + lanes - 1) / lanes * lanes,
                            from.shares(), to.shares(), {}};
  problem.cost.resize(problem.n * problem.stride);
  for (std::size_t i = 0; i < problem.n; ++i) {
    const auto row = costs.costs().row(from.bins()[i]);
    for (std::size_t j = 0; j < problem.m; ++j) problem.cost[i * problem.stride + j] = row[to.bins()[j]];
  }
  return problem;
}

/// Base of metrics that transport mass between rows at the costs of a matrix: by Derived::between(a, b), of the bins of
/// two rows that both have mass.
template <class Derived>
class transport_metric : public mass_rows {
 public:
  static constexpr bool is_angular = false;

  explicit transport_metric(matrix_view<double> cost) : m_costs(cost) {}
  explicit transport_metric(unfilled to_fill) : m_costs(to_fill) {}

  /// \throws std::invalid_argument unless d is the cost's number of bins.
  void check_dimension(std::size_t d) const { m_costs.check(d); }
  const matrix<double>& cost() const noexcept { return m_costs.costs(); }

  template <row_scalar T>
  double operator()(const T* a, const T* b, std::size_t d) const {
    return distance(bins_with_mass(a, d), bins_with_mass(b, d));
  }
  template <class T>
  double operator()(const sparse_row<T>& a, const sparse_row<T>& b) const {
    return distance(bins_with_mass(a), bins_with_mass(b));
  }

 protected:
  transport_costs m_costs;

 private:
  double distance(const bins_with_mass& a, const bins_with_mass& b) const {
    if (a.size() == 0 || b.size() == 0) return a.size() == b.size() ? 0.0 : std::numeric_limits<double>::infinity();
    return static_cast<const Derived&>(*this).between(a, b);
  }
};

/// Whether both distributions are equal and mass can stay where it is at no cost.
inline bool is_at_rest(const bins_with_mass& a, const bins_with_mass& b, const transport_costs& costs) {
  if (!(a == b)) return false;
  for (const std::size_t bin : a.bins())
    if (costs.costs()(bin, bin) != 0) return false;
  return true;
}

}  // namespace detail

/// The least cost of moving one distribution over d bins to another, where a unit of mass from bin i to bin j costs
/// cost(i, j) (Kantorovich 1942; as the earth mover's distance, Rubner, Tomasi, Guibas 2000); rows are taken as shares
/// of their sum. In units of the cost, from 0 to its greatest element; a metric if the cost is one, symmetric if the
/// cost is. Two rows without mass are at distance 0, one of them is at infinity from any other row. Negative mass is
/// refused, and rows whose length is not the cost's.
///
/// Exact but for rounding, some 1e-13 of the greatest cost, by the network simplex method over the bins that hold mass:
/// m bins of both rows take some m pivots of O(m) each in practice. Every call allocates O(m^2) for the costs between
/// them. Copies share one copy of the cost.
class kantorovich : public detail::transport_metric<kantorovich> {
 public:
  static constexpr std::string_view name = "kantorovich";

  /// \param cost d x d, of moving a unit of mass from bin i to bin j \throws std::invalid_argument unless cost is
  /// square, of at least one bin, and from 0 to 1e300.
  explicit kantorovich(matrix_view<double> cost) : transport_metric(cost) {}
  explicit kantorovich(detail::unfilled to_fill) : transport_metric(to_fill) {}

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    detail::persistence::persist(self.m_costs, archive);
  }

 private:
  friend transport_metric;
  double between(const detail::bins_with_mass& a, const detail::bins_with_mass& b) const {
    if (detail::is_at_rest(a, b, m_costs)) return 0;
    const detail::transport_problem problem = detail::make_problem(a, b, m_costs);
    return detail::network_simplex(problem).cost();
  }
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
