#pragma once

/// \file
/// Simple-LSH for maximum inner products: one more coordinate makes all rows as long as the longest, so that the row of
/// the greatest product with a query is the one at the least angle to it, which hyperplanes find (Neyshabur, Srebro
/// 2015).

#include <annulus/core/finite.hpp>
#include <annulus/lsh/sign_random_projection.hpp>

namespace annulus::inline ANNULUS_ARCH {

namespace detail {

/// Rows are hashed as [x; sqrt(M^2 - |x|^2)], queries as [q; 0], whose angle has the cosine <q, x> / (|q| M). A query's
/// values are its products with all normals, at length 1, and then |q| M.
template <class T>
class mips_hasher {
 public:
  using value_type = T;

  mips_hasher(std::size_t dim, std::size_t n_projections, std::size_t n_tables, std::uint64_t seed, double max_norm)
      : m_max_norm(max_norm), m_planes(dim, n_projections, n_tables, seed), m_last(m_planes.normals().size()) {
    const counter_random random(seed, 0x1B);
    for (std::size_t i = 0; i < m_last.size(); ++i) m_last[i] = static_cast<T>(random.normal(i));
  }

  std::size_t n_tables() const noexcept { return m_planes.normals().n_tables(); }
  std::size_t n_values() const noexcept { return m_last.size() + 1; }
  std::size_t memory_bytes() const noexcept { return m_planes.normals().memory_bytes() + m_last.size() * sizeof(T); }

  void hash(matrix_view<T> points, std::size_t first, std::size_t count, std::size_t first_table, std::size_t n_tables,
            std::uint64_t* keys) const {
    const std::size_t k = m_planes.per_table();
    std::vector<T> added(count);
    for (std::size_t i = 0; i < count; ++i) added[i] = added_coordinate(points.row(first + i));
    m_planes.normals().of_tables(points.middle_rows(first, count), first_table, n_tables,
                                 [&](std::size_t table, T* products, std::size_t i) {
                                   const T* const last = m_last.data() + (first_table + table) * k;
                                   for (std::size_t j = 0; j < k; ++j) products[j] += added[i] * last[j];
                                   keys[table * count + i] = m_planes.key(products);
                                 });
  }

  void project(matrix_view<T> points, std::size_t first, std::size_t count, T* values) const noexcept {
    m_planes.normals().all(points.middle_rows(first, count), values, n_values());
    for (std::size_t i = 0; i < count; ++i, values += n_values())
      values[m_last.size()] = to_unit_length(points.row(first + i), values, m_last.size()) * static_cast<T>(m_max_norm);
  }

  void keys(const T* values, std::uint64_t* keys) const noexcept { m_planes.keys(values, keys); }

  void perturb(const T* values, std::size_t table, std::vector<perturbation>& changes) const {
    m_planes.perturb(values, table, changes);
  }

  double probabilities(const T* values, std::size_t table, double distance, std::span<const perturbation> changes,
                       float* odds) const noexcept {
    const auto greatest = static_cast<double>(values[m_last.size()]);
    return m_planes.probabilities(values, table, cosine_distance(distance, greatest), changes, odds);
  }

  /// Of a query of length 1.
  double collision_probability(double distance) const noexcept {
    return m_planes.collision_probability(cosine_distance(distance, m_max_norm));
  }

  /// Of an extended query and row, by their distance, minus their product, and the greatest product there can be. A
  /// query of zeros is at a right angle to all.
  static double cosine_distance(double distance, double greatest) noexcept {
    return greatest > 0 ? std::clamp(1 + distance / greatest, 0.0, 2.0) : 1.0;
  }

 private:
  T added_coordinate(std::span<const T> row) const noexcept {
    const auto norm =
        std::sqrt(static_cast<double>(one_to_one<kernels::inner_product>(row.data(), row.data(), row.size())));
    return norm < m_max_norm ? static_cast<T>(std::sqrt(m_max_norm - norm) * std::sqrt(m_max_norm + norm)) : T(0);
  }

  double m_max_norm;
  hyperplanes<T> m_planes;
  std::vector<T> m_last;  ///< the last coordinate of each normal
};

}  // namespace detail

/// Inner product, by hyperplanes over rows brought to one length. Float and double rows; at most 64 projections a
/// table. Queries may have any length. The more alike the rows' norms are, the better it works.
struct simple_mips {
  using metric = inner_product;
  static constexpr std::string_view name = "simple_mips";
  /// The length that all rows are brought to; 0: that of the longest row of the data at hand. Rows that are longer are
  /// hashed by their direction alone, and so are found less surely than their products deserve.
  double max_norm = 0;

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive("max_norm", self.max_norm);
  }

  /// Of one bit, for a query of length 1 and rows of at most max_norm (of 1 where that is still 0).
  double collision_probability(double distance) const noexcept {
    const double between = detail::mips_hasher<double>::cosine_distance(distance, max_norm > 0 ? max_norm : 1);
    return hyperplane_probability(angle_of(between));
  }

  /// The same with max_norm filled in: the greatest norm of the data where it is 0; 1 if all of them are zeros. O(n d).
  /// \throws std::invalid_argument for a max_norm that is negative or not finite, for no rows unless it is given, and
  /// for rows with NaN, infinity, or squares whose sum overflows.
  template <class T>
  simple_mips fitted(matrix_view<T> data, std::size_t threads = 0) const {
    if (!(max_norm >= 0 && max_norm <= std::numeric_limits<double>::max()))
      detail::invalid("max_norm", max_norm, "must be a finite number, at least 0");
    if (max_norm > 0) return *this;
    if (data.rows() == 0)
      detail::invalid("max_norm", max_norm, "must be given where there are no rows to take it from");
    const double greatest = detail::check_rows(data, "data", threads);
    if (!std::isfinite(greatest)) detail::check_norms(data, "data", threads);
    return {greatest > 0 ? greatest : 1};
  }

  /// \throws std::invalid_argument for n_projections > 64, or a max_norm that is not above 0 and finite as a T.
  template <class Points>
  auto make_hasher(std::size_t dim, std::size_t n_projections, std::size_t n_tables, std::uint64_t seed) const {
    using number = typename Points::value_type;
    if (!(max_norm > 0 && max_norm <= static_cast<double>(std::numeric_limits<number>::max())))
      detail::invalid("max_norm", max_norm, "must be above 0 and finite (`fitted` takes it from data)");
    return detail::mips_hasher<number>(dim, n_projections, n_tables, seed, max_norm);
  }
};

}  // namespace annulus::inline ANNULUS_ARCH
