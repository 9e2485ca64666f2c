#pragma once

/// \file
/// Statistics of a sample of rows: the middle of each dimension, and the dimensions that are far wider than all others.

#include <annulus/core/base/buffer.hpp>
#include <annulus/core/base/random.hpp>
#include <annulus/core/metric/metric.hpp>
#include <annulus/core/rows/matrix.hpp>

#include <cstdint>
#include <numeric>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The mean of the middle half of some values, which outliers do not move. Changes their order. O(n).
inline double midmean(std::span<double> values) noexcept {
  const auto quarter = static_cast<std::ptrdiff_t>(values.size() / 4);
  const auto low = values.begin() + quarter, high = values.end() - quarter;
  std::nth_element(values.begin(), low, values.end());
  if (quarter > 0) std::nth_element(low, high, values.end());
  return std::accumulate(low, high, 0.0) / static_cast<double>(high - low);
}

/// At most 64 rows, divided by their norms under cosine, where rows of zeros are left out. Every member is O(d).
template <class T>
class row_sample {
 public:
  using lane = lane_t<T>;

  row_sample(product_form form, matrix_view<T> data) : m_dim(data.cols()) {
    visit_sample(data.rows(), 64, [&](std::size_t i) {
      const T* const row = data.row(i).data();
      const auto add_square = [](double sum, T x) { return sum + static_cast<double>(x) * static_cast<double>(x); };
      const double norm =
          form == product_form::cosine ? detail::sqrt(std::accumulate(row, row + m_dim, 0.0, add_square)) : 1;
      if (norm == 0) return;
      m_rows.push_back(row);
      m_norms.push_back(norm);
    });
    m_values.resize(m_rows.size());
    m_greatest.resize(m_rows.size());
  }

  bool empty() const noexcept { return m_rows.empty(); }

  /// The middle of the values of each dimension: their midmean.
  buffer<lane> middle() {
    buffer<lane> result(m_dim);
    for (std::size_t j = 0; j < m_dim && !empty(); ++j) {
      read(j);
      result[j] = static_cast<lane>(midmean(m_values));
    }
    return result;
  }

  /// The value that the greatest coordinate of a row less the centre does not exceed in seven of eight rows.
  double extent(const buffer<lane>& centre) {
    if (empty()) return 0;
    measure(centre, {});
    const auto seventh = m_greatest.end() - 1 - static_cast<std::ptrdiff_t>(m_greatest.size() / 8);
    std::ranges::nth_element(m_greatest, seventh, std::less(), &coordinate::size);
    return seventh->size;
  }

  /// The dimensions, at most `most` and not all, without which the greatest coordinate is smaller by `factor` or more
  /// in an eighth of the rows or more, and in two fifths of those whose greatest it was; ascending.
  buffer<std::uint32_t> wide(const buffer<lane>& centre, std::size_t most, double factor) {
    constexpr std::size_t least_share = 16;  // of the rows have their greatest coordinate in such a dimension
    std::vector<std::uint32_t> tried;
    std::size_t count = 0;
    measure(centre, tried);
    for (auto before = m_greatest; !empty() && tried.size() < most && tried.size() + 1 < m_dim;) {
      const auto [j, n_rows] = most_frequent();
      if (n_rows * least_share < m_rows.size()) break;
      tried.push_back(j);
      measure(centre, tried);
      std::size_t n_smaller = 0, n_tried = 0;
      for (std::size_t i = 0; i < m_rows.size(); ++i) {
        n_smaller += before[i].size > 0 && factor * m_greatest[i].size <= before[i].size;
        n_tried += std::ranges::find(tried, before[i].dim) != tried.end();
      }
      if (n_smaller * 8 < m_rows.size() || n_smaller * 5 < n_tried * 2) continue;  // others may be as wide
      before = m_greatest;
      count = tried.size();
    }
    buffer<std::uint32_t> result(tried.data(), count);
    std::sort(result.begin(), result.end());
    return result;
  }

 private:
  struct coordinate {
    double size = 0;
    std::uint32_t dim = 0;
  };

  void read(std::size_t j) noexcept {
    for (std::size_t i = 0; i < m_rows.size(); ++i) m_values[i] = static_cast<double>(m_rows[i][j]) / m_norms[i];
  }

  /// Finds the greatest coordinate of each row less the centre, leaving out some dimensions.
  void measure(const buffer<lane>& centre, std::span<const std::uint32_t> without) {
    m_greatest.assign(m_rows.size(), {});
    for (std::uint32_t j = 0; j < m_dim; ++j) {
      if (std::ranges::find(without, j) != without.end()) continue;
      read(j);
      for (std::size_t i = 0; i < m_rows.size(); ++i) {
        const double size = std::abs(m_values[i] - static_cast<double>(centre[j]));
        if (size > m_greatest[i].size) m_greatest[i] = {size, j};
      }
    }
  }

  /// The dimension where most rows have their greatest coordinate, and how many.
  std::pair<std::uint32_t, std::size_t> most_frequent() const {
    std::vector<std::uint32_t> dims;
    for (const coordinate& c : m_greatest)
      if (c.size > 0) dims.push_back(c.dim);
    std::ranges::sort(dims);
    std::pair<std::uint32_t, std::size_t> best{0, 0};
    for (auto first = dims.begin(); first != dims.end();) {
      const auto last = std::upper_bound(first, dims.end(), *first);
      const auto n_rows = static_cast<std::size_t>(last - first);
      if (n_rows > best.second) best = {*first, n_rows};
      first = last;
    }
    return best;
  }

  std::size_t m_dim;
  std::vector<const T*> m_rows;
  std::vector<double> m_norms, m_values;
  std::vector<coordinate> m_greatest;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
