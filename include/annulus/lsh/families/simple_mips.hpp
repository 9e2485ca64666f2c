#pragma once

/// \file
/// Simple-LSH for maximum inner products: one more coordinate makes all rows equally long, so that the row of the
/// greatest product with a query is the one at the least angle to it, which hyperplanes find (Neyshabur, Srebro 2015).
/// A few very long rows would make all others nearly parallel to that coordinate: these long rows have a bucket of
/// their own, which every search compares. Rows so short that they are nearly parallel to it have another.

#include <annulus/core/base/parallel.hpp>
#include <annulus/core/kernels/norm_checks.hpp>
#include <annulus/lsh/families/sign_random_projection.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

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
    std::vector<double> norms(count);
    std::vector<T> added(count);
    for (std::size_t i = 0; i < count; ++i) {
      norms[i] = norm_of(points.row(first + i));
      added[i] = added_coordinate(norms[i]);
    }
    m_planes.normals().of_tables(points.middle_rows(first, count), first_table, n_tables,
                                 [&](std::size_t table, T* products, std::size_t i) {
                                   const T* const last = m_last.data() + (first_table + table) * k;
                                   for (std::size_t j = 0; j < k; ++j) products[j] += added[i] * last[j];
                                   keys[table * count + i] = key_of(products, norms[i]);
                                 });
  }

  void project(matrix_view<T> points, std::size_t first, std::size_t count, T* values) const noexcept {
    m_planes.normals().all(points.middle_rows(first, count), values, n_values());
    for (std::size_t i = 0; i < count; ++i, values += n_values())
      values[m_last.size()] = to_unit_length(points.row(first + i), values, m_last.size()) * static_cast<T>(m_max_norm);
  }

  void keys(const T* values, std::uint64_t* keys) const noexcept { m_planes.keys(values, keys); }

  /// The key of rows longer than the length that all rows are brought to.
  std::uint64_t shared_key() const noexcept { return std::uint64_t{1} << 63; }
  /// The key of rows nearly parallel to the added coordinate.
  std::uint64_t zero_key() const noexcept { return std::uint64_t{3} << 62; }
  double zero_distance(const T* values) const noexcept { return -short_norm * static_cast<double>(greatest(values)); }
  double query_length(const T* values) const noexcept {
    return static_cast<double>(std::min(greatest(values), std::numeric_limits<T>::max())) / m_max_norm;
  }

  void perturb(const T* values, std::size_t table, std::vector<perturbation>& changes) const {
    m_planes.perturb(values, table, changes);
  }

  double probabilities(const T* values, std::size_t table, double distance, std::span<const perturbation> changes,
                       float* odds) const noexcept {
    const double between = cosine_distance(distance, static_cast<double>(greatest(values)));
    return m_planes.probabilities(values, table, between, changes, odds);
  }

  /// For a query of length 1.
  double collision_probability(double distance) const noexcept {
    return m_planes.collision_probability(cosine_distance(distance, m_max_norm));
  }

  /// The cosine distance of an extended query and row, given `distance`, minus their product, and `greatest`, the
  /// greatest possible product. A query of zeros is at a right angle to every row.
  static double cosine_distance(double distance, double greatest) noexcept {
    using limits = std::numeric_limits<double>;  // neither may be infinite where the other is
    const double finite = std::clamp(distance, limits::lowest(), limits::max());
    return greatest > 0 ? std::clamp(1 + finite / greatest, 0.0, 2.0) : 1.0;
  }

 private:
  /// In units of max_norm: rows below short_norm are short, rows above long_norm long. long_norm leaves room for the
  /// rounding of normalised rows.
  static constexpr double short_norm = 0x1p-10, long_norm = 1.01;

  T added_coordinate(double norm) const noexcept {
    return norm < m_max_norm ? static_cast<T>(detail::sqrt(m_max_norm - norm) * detail::sqrt(m_max_norm + norm)) : T(0);
  }
  std::uint64_t key_of(const T* products, double norm) const noexcept {
    if (norm > long_norm * m_max_norm) return shared_key();
    return norm < short_norm * m_max_norm ? zero_key() : m_planes.key(products);
  }
  T greatest(const T* values) const noexcept { return values[m_last.size()]; }

  double m_max_norm;
  hyperplanes<T> m_planes;
  std::vector<T> m_last;  ///< the last coordinate of each normal
};

/// The greatest norm without the longest rows: a 64th of the rows that are not zero, but at least one and at most
/// 4 sqrt(n). 1 where all rows are zero. O(n).
inline double greatest_but_longest(std::vector<double> norms) {
  std::erase(norms, 0.0);
  if (norms.empty()) return 1;
  const auto root = static_cast<std::size_t>(detail::sqrt(static_cast<double>(norms.size())));
  const std::size_t n_longest = std::clamp<std::size_t>(norms.size() / 64, 1, 4 * root);
  const auto place = norms.begin() + static_cast<std::ptrdiff_t>(std::min(n_longest, norms.size() - 1));
  std::nth_element(norms.begin(), place, norms.end(), std::greater());
  return *place;
}

}  // namespace detail

/// Inner product, by hyperplanes over rows brought to one length. Float and double rows; at most 64 projections a
/// table. Queries may have any length. It works best where the norms of rows are alike. Every search compares the rows
/// longer than 1.01 max_norm. Rows shorter than max_norm / 1024, as rows of zeros, are compared where a search does not
/// find enough greater products.
struct simple_mips {
  using metric = inner_product;                            ///< of the index
  static constexpr std::string_view name = "simple_mips";  ///< in files
  /// The length that rows are brought to. 0: the greatest norm in the data, or in the first rows inserted, without the
  /// longest 64th of the rows.
  double max_norm = 0;

  /// Names `max_norm` for files. \param self the family \param archive as storage/archive.hpp has it
  /// \throws annulus::format_error while loading.
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive("max_norm", self.max_norm);
  }

  /// The probability of one bit, for a query of length 1 and rows of at most max_norm (1 where that is still 0).
  /// \param distance minus the inner product \returns from 0 to 1.
  double collision_probability(double distance) const noexcept {
    const double between = detail::mips_hasher<double>::cosine_distance(distance, max_norm > 0 ? max_norm : 1);
    return hyperplane_probability(angle_of(between));
  }

  /// \returns whether max_norm is yet to be taken from rows.
  bool needs_rows() const noexcept { return max_norm == 0; }

  /// Takes max_norm from data, where it is 0 and there are rows; 1 if all of them are zeros. The same for every number
  /// of threads. O(n d). \param data n x d \param params see there \returns the family with its max_norm
  /// \throws std::invalid_argument for a max_norm that is negative or not finite, and for rows with NaN, infinity, or
  /// squares whose sum overflows.
  template <class T>
  simple_mips fitted(matrix_view<T> data, const fit_params& params = {}) const {
    if (!(detail::is_number(max_norm) && max_norm >= 0 && max_norm <= std::numeric_limits<double>::max()))
      detail::invalid("max_norm", max_norm, "must be a finite number, at least 0");
    if (!needs_rows() || data.rows() == 0) return *this;
    std::vector<double> norms(data.rows());
    parallel_for(params.threads, norms.size(), 4096, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t i = begin; i < end; ++i) norms[i] = detail::norm_of(data.row(i));
    });
    if (!std::ranges::all_of(norms, [](double norm) { return detail::is_finite(norm); }))
      detail::check_norms(data, "data", params.threads);
    return {detail::greatest_but_longest(std::move(norms))};
  }

  /// Draws hyperplanes. \param dim coordinates of a row \param n_projections bits of a key, at most 64 \param n_tables
  /// tables \param seed of the draw \returns the functions of all tables \throws std::invalid_argument for
  /// n_projections > 64, or a max_norm that is not above 0 and finite as a number of the rows' type.
  template <detail::projectable Points>
  auto make_hasher(std::size_t dim, std::size_t n_projections, std::size_t n_tables, std::uint64_t seed) const {
    using number = typename Points::value_type;
    if (!(detail::is_number(max_norm) && max_norm > 0 &&
          max_norm <= static_cast<double>(std::numeric_limits<number>::max())))
      detail::invalid("max_norm", max_norm, "must be above 0 and finite; call `fitted` to take it from data");
    return detail::mips_hasher<number>(dim, n_projections, n_tables, seed, max_norm);
  }
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
