#pragma once

/// \file
/// Rows of any magnitude under metrics that rank by sums of squares, or of other powers. These sums leave the range of
/// floating point long before distances do: such rows are compared times a power of two (scaled_sums.hpp).

#include <annulus/core/kernels/norm_checks.hpp>
#include <annulus/core/metric/row_query.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Exponents of two of sums, so divided by the power that is summed they are those of norms. Between `least` and
/// `greatest` norms are ordinary: all sums over such rows have full precision. Other rows are scaled so that sums are
/// at most 2^aim, which tiles of products can take, by exponents that are multiples of `step` up to `most`: few
/// different ones need few copies of the data.
template <class Lane>
struct norm_range;
template <>
struct norm_range<float> {
  static constexpr int least = -76, greatest = 120, aim = 96, step = 32, most = 224;
};
template <>
struct norm_range<double> {
  static constexpr int least = -900, greatest = 980, aim = 96, step = 128, most = 896;
};

/// What is summed for a rank: squares at least, of whatever metric, for norms are sums of squares.
inline double summed_power(const degrees& degree) noexcept { return std::max(degree.rank, 2.0); }

/// Whether sums over rows of T and of that norm may overflow.
template <class T>
bool is_too_long(const degrees& degree, double norm) noexcept {
  return !is_byte<T> && summed_power(degree) * std::log2(norm) > norm_range<lane_t<T>>::greatest;
}

/// The exponent of the power of two by which to divide rows of T whose greatest norm is `norm`: 0 if that is ordinary.
template <class T>
int scale_exponent(const degrees& degree, double norm) noexcept {
  using range = norm_range<lane_t<T>>;
  const double power = summed_power(degree), exponent = std::log2(norm);
  if (is_byte<T> || !(norm > 0) || (power * exponent >= range::least && !is_too_long<T>(degree, norm))) return 0;
  const double steps = std::ceil((exponent - range::aim / power) / range::step);
  return std::clamp(static_cast<int>(steps) * range::step, -range::most, range::most);
}

/// out[j] = row[j] / 2^exponent: exact, but for coordinates that become subnormal, or infinite.
template <class T>
void scale_row(std::span<const T> row, int exponent, T* out) noexcept {
  const double factor = std::ldexp(1.0, -exponent);
  for (std::size_t j = 0; j < row.size(); ++j)
    out[j] = static_cast<T>(static_cast<lane_t<T>>(static_cast<double>(row[j]) * factor));
}

/// Copies of rows, row i divided by 2^exponent(i).
template <class T, class Exponent>
matrix<T> scaled_copy(matrix_view<T> rows, Exponent exponent, const thread_team& team) {
  matrix<T> copy(rows.rows(), rows.cols());
  parallel_for(team, rows.rows(), 256, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) scale_row(rows.row(i), exponent(i), copy.row(i).data());
  });
  return copy;
}
template <class T, class Exponent>
csr_matrix<T> scaled_copy(const csr_view<T>& rows, Exponent exponent, const thread_team&) {
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<T> values(rows.stored());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const sparse_row<T> row = rows.row(i);
    scale_row(row.values, exponent(i), values.data() + indices.size());
    indices.insert(indices.end(), row.indices.begin(), row.indices.end());
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  return {std::move(indptr), std::move(indices), std::move(values), rows.dim()};
}

/// All rows divided by 2^exponent; for exponent 0 a view of those given.
template <class View>
class scaled_rows {
 public:
  scaled_rows(const View& rows, int exponent, const thread_team& team) : m_given(rows), m_is_given(exponent == 0) {
    if (!m_is_given)
      m_copy = scaled_copy(
          rows, [=](std::size_t) { return exponent; }, team);
  }
  View view() const { return m_is_given ? m_given : View(m_copy); }

 private:
  points_of<View> m_copy;
  View m_given;
  bool m_is_given;
};

/// The norms of rows, NaN for one that is not finite. O(n d).
template <class View>
std::vector<double> norms_of(const View& rows) {
  std::vector<double> norms(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    norms[i] = norm_of(rows.row(i));
    if (!is_finite(norms[i]) && !is_finite_row(rows.row(i))) norms[i] = std::numeric_limits<double>::quiet_NaN();
  }
  return norms;
}

/// The least norm of rows that are not zero; 0 where all are. O(n d).
template <class View>
double least_norm(const View& rows) {
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (const double norm = norm_of(rows.row(i)); norm > 0) least = std::min(least, norm);
  return is_finite(least) ? least : 0;
}

/// Throws std::invalid_argument for the first row so long that distances between such rows may overflow the type they
/// are computed in. Rows are finite, and their greatest norm is known.
template <class Metric, class View>
void check_reach(const Metric& metric, const View& rows, double greatest, std::string_view name) {
  if constexpr (bounds_sums<Metric>) {
    using lane = lane_t<typename View::value_type>;
    const auto is_within_reach = [&](double norm) {
      return metric.greatest_sum(norm, rows.dim()) <= static_cast<double>(std::numeric_limits<lane>::max());
    };
    if (is_within_reach(greatest)) return;
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (const double norm = norm_of(rows.row(i)); is_finite_row(rows.row(i)) && !is_within_reach(norm))
        invalid(name, norm, "row ", i, " has that norm, as the metric compares it: distances between such rows may ",
                "overflow ", scalar_name<lane>(), "; scale the rows down");
  }
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
