#pragma once

/// \file
/// Optimal transport with entropic regularisation.

#include <annulus/core/simd/elementary.hpp>
#include <annulus/metrics/transport.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

/// Solves an entropic transport problem in the constructor: the plan P of the given marginals least in <P, cost> -
/// epsilon H(P), with entropy H. P = exp(u + v - cost / epsilon), where scaled potentials u and v, kept as logarithms,
/// are fitted to the rows' and columns' mass in turn (Cuturi 2013; Schmitzer 2019). Fitting begins at the potentials of
/// the exact problem: those of the entropic one differ by no more than a few epsilons, however small epsilon is. From
/// zero it would take in the order of 1 / epsilon iterations to come as near.
class entropic_transport {
 public:
  /// Iterates until the rows' mass, which is 1 in all, is off by less than `tolerance` in all, or for most_iterations.
  entropic_transport(const transport_problem& problem, double epsilon, std::size_t most_iterations,
                     double tolerance = 1e-9)
      : m_problem(problem),
        m_by_row(problem.n, problem.m),
        m_by_column(problem.m, problem.n),
        m_u(padded(problem.n), no_mass),
        m_v(padded(problem.m), no_mass) {
    const network_simplex exact(problem);
    for (std::size_t i = 0; i < problem.n; ++i) m_u[i] = std::log(problem.supply[i]) + exact.u(i) / epsilon;
    for (std::size_t j = 0; j < problem.m; ++j) m_v[j] = std::log(problem.demand[j]) + exact.v(j) / epsilon;
    scale_costs(epsilon);
    // Potentials of the size of greatest / epsilon have no more digits than this.
    const double greatest = *std::max_element(problem.cost.begin(), problem.cost.end());
    fit(most_iterations, std::max(tolerance, 4 * std::numeric_limits<double>::epsilon() * (greatest / epsilon)));
    make_plan();
  }

  /// The mass that goes from i to j. The marginals of the plan are those given, but for rounding.
  double plan(std::size_t i, std::size_t j) const noexcept { return m_plan(i, j); }
  /// <P, cost>.
  double cost() const noexcept {
    double sum = 0;
    for (std::size_t i = 0; i < m_problem.n; ++i)
      for (std::size_t j = 0; j < m_problem.m; ++j) sum += m_plan(i, j) * m_problem.costs(i)[j];
    return sum;
  }
  std::size_t iterations() const noexcept { return m_iterations; }
  double row_error() const noexcept { return m_error; }  ///< of the rows' mass, before the final correction

 private:
  using batch = simd::batch<double>;
  static constexpr std::size_t lanes = simd::lanes<double>;
  static constexpr double no_mass = -1e300;  ///< the logarithm of the mass that pads vectors

  static std::size_t padded(std::size_t n) noexcept { return (n + lanes - 1) / lanes * lanes; }

  /// Costs in units of epsilon, in rows of whole vectors.
  struct scaled_costs {
    scaled_costs(std::size_t rows, std::size_t cols) : stride(padded(cols)), values(rows * stride) {}
    const double* row(std::size_t i) const noexcept { return values.data() + i * stride; }
    std::size_t stride;
    aligned_vector<double> values;
  };

  void scale_costs(double epsilon) noexcept {
    for (std::size_t i = 0; i < m_problem.n; ++i)
      for (std::size_t j = 0; j < m_problem.m; ++j)
        m_by_row.values[i * m_by_row.stride + j] = m_by_column.values[j * m_by_column.stride + i] =
            m_problem.costs(i)[j] / epsilon;
  }

  /// log(sum exp(potentials - costs)).
  static double log_sum(const double* costs, const aligned_vector<double>& potentials, double own) noexcept {
    // The last potential fitted to this sum scales it well, except at first and after a large change.
    batch sum(0.0);
    for (std::size_t j = 0; j < potentials.size(); j += lanes) sum += exp(exponent(costs, potentials, j) + batch(own));
    const double total = simd::reduce_add(sum);
    constexpr double least = 1e-200, most = 1e200;
    if (total > least && total < most) return std::log(total) - own;

    batch greatest(2 * no_mass);
    for (std::size_t j = 0; j < potentials.size(); j += lanes)
      greatest = xsimd::max(greatest, exponent(costs, potentials, j));
    const double shift = simd::reduce_max(greatest);
    sum = batch(0.0);
    for (std::size_t j = 0; j < potentials.size(); j += lanes)
      sum += exp(exponent(costs, potentials, j) - batch(shift));
    return std::log(simd::reduce_add(sum)) + shift;
  }
  static batch exponent(const double* costs, const aligned_vector<double>& potentials, std::size_t j) noexcept {
    return batch::load_aligned(potentials.data() + j) - batch::load_aligned(costs + j);
  }

  /// Clamped, as xsimd's exp converts to integers, which overflow for large magnitudes.
  static batch exp(batch x) noexcept { return simd::exp(xsimd::min(xsimd::max(x, batch(-1000.0)), batch(1000.0))); }

  /// By over-relaxation: steps longer by the right factor need the square root of the number of iterations (Lehmann,
  /// von Renesse, Sambale, Uschmajew 2022). Young's relation between the rates of convergence with and without it gives
  /// the factor from the observed rate. Where the error grew, steps are shortened until they are plain ones, which
  /// always converge.
  void fit(std::size_t most_iterations, double tolerance) noexcept {
    constexpr double longest = 1.9995, shorten = 0.95;
    double length = 1, error_seen = 0;
    std::size_t window = 0, next_look = 0;
    for (std::size_t t = 0; t < most_iterations; ++t) {
      ++m_iterations;
      for (std::size_t j = 0; j < m_problem.m; ++j) {
        const double fitted = std::log(m_problem.demand[j]) - log_sum(m_by_column.row(j), m_u, m_v[j]);
        m_v[j] += length * (fitted - m_v[j]);
      }
      m_error = 0;
      for (std::size_t i = 0; i < m_problem.n; ++i) {
        const double mass = m_problem.supply[i], sum = log_sum(m_by_row.row(i), m_v, m_u[i]);
        m_error += std::abs(std::exp(m_u[i] + sum) - mass);
        m_u[i] += length * (std::log(mass) - sum - m_u[i]);
      }
      if (m_error < tolerance) return;
      if (t < next_look) continue;
      if (window > 0) {
        const double rate = std::pow(m_error / error_seen, 1 / static_cast<double>(window));
        const double part = (rate + length - 1) / length, plain_rate = part * part / rate;
        length = rate < 1 && plain_rate < 1 ? std::min(2 / (1 + std::sqrt(1 - plain_rate)), longest)
                                            : 1 + (length - 1) * shorten;
      }
      // The longer the steps, the longer errors oscillate before they show the rate.
      window = static_cast<std::size_t>(5 / (2 - length));
      next_look = t + window;
      error_seen = m_error;
    }
  }

  /// The plan of the potentials, corrected to the exact marginals: excess mass is scaled down, then missing mass is
  /// added as the product of the missing marginals (Altschuler, Weed, Rigollet 2017).
  void make_plan() {
    const std::size_t n = m_problem.n, m = m_problem.m;
    m_plan = matrix<double>(n, m);
    std::vector<double> missing_in_row(n), missing_in_column(m);
    for (std::size_t i = 0; i < n; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < m; ++j) sum += m_plan(i, j) = std::exp(m_u[i] + m_v[j] - m_by_row.row(i)[j]);
      const double factor = sum > m_problem.supply[i] ? m_problem.supply[i] / sum : 1;
      for (std::size_t j = 0; j < m; ++j) missing_in_column[j] += m_plan(i, j) *= factor;
    }
    for (std::size_t j = 0; j < m; ++j) {
      const double sum = missing_in_column[j], mass = m_problem.demand[j];
      const double factor = sum > mass ? mass / sum : 1;
      for (std::size_t i = 0; i < n; ++i) missing_in_row[i] += m_plan(i, j) *= factor;
      missing_in_column[j] = std::max(mass - sum, 0.0);
    }
    double missing = 0;
    for (std::size_t i = 0; i < n; ++i)
      missing += missing_in_row[i] = std::max(m_problem.supply[i] - missing_in_row[i], 0.0);
    if (missing == 0) return;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < m; ++j) m_plan(i, j) += missing_in_row[i] * (missing_in_column[j] / missing);
  }

  const transport_problem& m_problem;
  scaled_costs m_by_row, m_by_column;
  aligned_vector<double> m_u, m_v;
  matrix<double> m_plan;
  std::size_t m_iterations = 0;
  double m_error = 0;
};

}  // namespace detail

/// <P, cost> of the plan P that moves one distribution over d bins to another with least <P, cost> - regularization
/// H(P), where H is the entropy and a unit of mass from bin i to bin j costs cost(i, j) (Cuturi 2013); rows are taken
/// as shares of their sum. In units of the cost, as is `regularization`: the smaller, the nearer to `kantorovich` from
/// above, and the slower. Not a metric: the distance of a row from itself is not 0. Two rows without mass are at 0, one
/// of them is at infinity from any other row. Negative mass is refused, and rows whose length is not the cost's.
///
/// Iterates on logarithms, so that zeros and small regularisation are safe, until marginals are off by less than 1e-9
/// (1e-15 of the ratio of the greatest cost to the regularisation, if that is more) or for max_iterations, of O(m^2)
/// exponentials each for m bins with mass; the plan is then corrected to the exact marginals, so that its cost is that
/// of a transport even where iterations ran out. About ten iterations suffice where the regularisation is a tenth of
/// the costs, some hundreds where it is a thousandth or less. Every call allocates O(m^2). Copies share one copy of the
/// cost.
class sinkhorn : public detail::transport_metric<sinkhorn> {
 public:
  static constexpr std::string_view name = "sinkhorn";

  /// \param cost d x d, of moving a unit of mass from bin i to bin j \param regularization the weight of the plan's
  /// entropy, in units of cost \param max_iterations after which the plan is corrected and taken \throws
  /// std::invalid_argument unless cost is square, of at least one bin, and from 0 to 1e300, regularization > 0, finite
  /// and at least 1e-15 of the greatest cost, and max_iterations at least 1.
  explicit sinkhorn(matrix_view<double> cost, double regularization = 1, std::size_t max_iterations = 10'000)
      : transport_metric(cost), m_regularization(regularization), m_max_iterations(max_iterations) {
    if (!(detail::is_number(regularization) && regularization > 0 &&
          regularization <= std::numeric_limits<double>::max()))
      detail::invalid("regularization", regularization, "must be finite and above 0");
    if (const double least = m_costs.greatest() * 1e-15; regularization < least)
      detail::invalid("regularization", regularization, "must be at least 1e-15 of the greatest cost = ", least);
    if (max_iterations == 0) detail::invalid("max_iterations", max_iterations, "must be at least 1");
  }

  explicit sinkhorn(detail::unfilled to_fill) : transport_metric(to_fill), m_regularization(1), m_max_iterations(1) {}

  double regularization() const noexcept { return m_regularization; }       ///< \returns the weight of the entropy
  std::size_t max_iterations() const noexcept { return m_max_iterations; }  ///< \returns the bound of iterations

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    detail::persistence::persist(self.m_costs, archive);
    archive("regularization", self.m_regularization);
    archive("max_iterations", self.m_max_iterations);
    if constexpr (Archive::is_loading)
      archive.rebuild([&] { self = sinkhorn(self.cost(), self.m_regularization, self.m_max_iterations); });
  }

 private:
  friend transport_metric;
  double between(const detail::bins_with_mass& a, const detail::bins_with_mass& b) const {
    const detail::transport_problem problem = detail::make_problem(a, b, m_costs);
    return detail::entropic_transport(problem, m_regularization, m_max_iterations).cost();
  }

  double m_regularization;
  std::size_t m_max_iterations;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
