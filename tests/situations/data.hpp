#pragma once

// Rows as users have them.
//
// Within a group, rows have at most six degrees of freedom, whatever their dimension. Of rows that fill a space of many
// dimensions evenly, all are nearly equally far, no graph finds .97 of the neighbours with a beam of 64, and the remedy
// is a wider beam. Such rows are left out, so that .97 may be asked of all others.

#include <annulus/core/rows/matrix.hpp>

#include <algorithm>
#include <array>
#include <string_view>

#include "situations/any_index.hpp"
#include "soak/model.hpp"

namespace situations {

using soak::dice;

enum class shape {
  groups,          ///< normal, from very narrow ones to some that overlap
  bursts,          ///< 3 to 20 nearly equal rows, in groups again: photographs in series, chunks of documents
  copies,          ///< 3 to 20 equal rows at a time, and one row that every fourth is
  few_values,      ///< small integers, in one to three dimensions
  offset,          ///< a column, or all, far from 0
  unequal_scales,  ///< columns in units of their own
  heavy_tails,     ///< log-normal norms
  chain,           ///< one row after the other along a way that turns slowly
  curve,           ///< a surface that is rolled up
  far_row,         ///< groups, and every 500th row far outside
  growing_scale    ///< each row a little larger than the one before
};
inline constexpr std::string_view shape_names[] = {"groups", "bursts",         "copies",       "few values",
                                                   "offset", "unequal scales", "heavy tails",  "chain",
                                                   "curve",  "far row",        "growing scale"};

struct data_plan {
  shape what = shape::groups;
  bool is_shuffled = true;  ///< or group by group, along the curve, ...
  std::size_t dim = 8;
};

namespace detail {

/// Normal vectors of a few numbers, which a fixed matrix spreads over all columns.
class flat_noise {
 public:
  flat_noise(std::size_t dim, dice& random) : m_freedom(std::min<std::size_t>(dim, 6)), m_map(m_freedom, dim) {
    for (std::size_t i = 0; i < m_freedom; ++i)
      for (std::size_t j = 0; j < dim; ++j) m_map(i, j) = random.normal() / std::sqrt(static_cast<double>(m_freedom));
  }
  std::vector<double> operator()(double size, dice& random) const {
    std::vector<double> row(m_map.cols());
    for (std::size_t i = 0; i < m_freedom; ++i) {
      const double z = size * random.normal();
      for (std::size_t j = 0; j < row.size(); ++j) row[j] += z * m_map(i, j);
    }
    return row;
  }
  /// Given numbers, as many of them as there is freedom for.
  std::vector<double> spread(std::span<const double> numbers) const {
    std::vector<double> row(m_map.cols());
    for (std::size_t i = 0; i < std::min(m_freedom, numbers.size()); ++i)
      for (std::size_t j = 0; j < row.size(); ++j) row[j] += numbers[i] * m_map(i, j);
    return row;
  }

 private:
  std::size_t m_freedom;
  matrix<double> m_map;
};

/// Rows of one shape, each with the place it has in order of arrival.
class source {
 public:
  struct drawn {
    std::vector<double> row;
    double place;
  };

  source(const data_plan& plan, std::size_t n, dice& random)
      : m_what(plan.what), m_n(n), m_random(random), m_noise(plan.dim, random), m_spread(std::pow(10, -3 * uniform())) {
    for (std::size_t n_groups = std::array<std::size_t, 3>{2, 7, 30}[random.below(3)]; m_centres.size() < n_groups;) {
      m_centres.emplace_back(plan.dim);
      for (double& x : m_centres.back()) x = random.normal();
    }
    m_centre = m_centres[0];
    m_heading = m_noise(1, random);
    m_is_curved = random.chance(0.5);
    m_largest = std::array<std::size_t, 3>{1, 4, 100}[random.below(3)];
    m_per_run = random.from(3, 20);
    for (std::size_t j = 0; j < plan.dim; ++j) m_units.push_back(std::pow(10, random.below(7)) / 1000);
    const double distance = std::pow(10, random.from(2, 6)) * (random.chance(0.5) ? 1 : -1);
    m_offsets.assign(plan.dim, 0);
    m_offsets[random.below(plan.dim)] = distance;
    if (random.chance(0.3)) std::ranges::fill(m_offsets, distance);
  }

  drawn next() {
    const auto number = static_cast<double>(m_number++);
    switch (m_what) {
      case shape::groups:
        return group();
      case shape::bursts:
        return {plus(run_centre(), m_noise(0.003 * 0.3, m_random)), number};
      case shape::copies: {
        const bool is_common = m_random.chance(0.25);
        return {is_common ? m_centres[0] : run_centre(), number};
      }
      case shape::few_values: {
        std::vector<double> row(m_units.size());
        for (double& x : row) x = static_cast<double>(m_random.below(m_largest + 1));
        return {row, row[0]};
      }
      case shape::offset: {
        drawn moved = group();
        for (double& x : moved.row) x *= 8;
        moved.row = plus(moved.row, m_offsets);
        return moved;
      }
      case shape::unequal_scales: {
        drawn scaled = m_is_curved ? surface() : group();
        for (std::size_t j = 0; j < scaled.row.size(); ++j) scaled.row[j] *= m_units[j];
        return scaled;
      }
      case shape::heavy_tails: {
        const double size = std::exp(m_random.normal());
        return {m_noise(size, m_random), size};
      }
      case shape::chain: {
        const auto turn = m_noise(0.1, m_random);
        double length = 0;
        for (std::size_t j = 0; j < turn.size(); ++j) length += std::pow(m_heading[j] += turn[j], 2);
        for (double& x : m_heading) x /= std::sqrt(length);
        return {m_centre = plus(m_centre, m_heading), number};
      }
      case shape::curve:
        return surface();
      case shape::far_row: {
        drawn row = group();
        if (m_number % 500 == 250)
          for (double& x : row.row) x = 1e4 * (x + 1);
        return row;
      }
      case shape::growing_scale:
        break;
    }
    return {m_noise(std::exp(10 * number / static_cast<double>(m_n)), m_random), number};
  }

 private:
  using vector = std::vector<double>;

  double uniform() { return static_cast<double>(m_random.below(1 << 20)) / (1 << 20); }
  static vector plus(vector a, const vector& b) {
    std::ranges::transform(a, b, a.begin(), std::plus());
    return a;
  }
  drawn group() {
    const std::size_t which = m_random.below(m_centres.size());
    return {plus(m_centres[which], m_noise(m_spread, m_random)), static_cast<double>(which)};
  }
  drawn surface() {
    const double turn = 4 + 10 * uniform(), height = 10 * uniform();
    return {m_noise.spread(std::array{turn * std::cos(turn), turn * std::sin(turn), height}), turn};
  }
  /// The same for some rows in turn, then another, near one of the groups' centres.
  const vector& run_centre() {
    if (m_left_of_run-- == 0) {
      m_left_of_run = m_per_run - 1;
      m_centre = plus(m_centres[m_random.below(m_centres.size())], m_noise(0.3, m_random));
    }
    return m_centre;
  }

  shape m_what;
  std::size_t m_n, m_number = 0, m_left_of_run = 0, m_per_run = 0, m_largest = 0;
  dice& m_random;
  flat_noise m_noise;
  double m_spread;
  std::vector<vector> m_centres;
  vector m_centre, m_heading, m_units, m_offsets;
  bool m_is_curved = false;
};

}  // namespace detail

/// n rows in the order in which they arrive.
inline matrix<float> draw_rows(const data_plan& plan, std::size_t n, dice& random) {
  detail::source source(plan, n, random);
  std::vector<detail::source::drawn> drawn;
  for (std::size_t i = 0; i < n; ++i) drawn.push_back(source.next());
  if (plan.is_shuffled)
    for (auto& row : drawn) row.place = random.normal();
  std::ranges::stable_sort(drawn, {}, &detail::source::drawn::place);
  matrix<float> rows(n, plan.dim);
  for (std::size_t i = 0; i < n; ++i)
    std::ranges::transform(drawn[i].row, rows.row(i).begin(), [](double x) { return static_cast<float>(x); });
  return rows;
}

/// The rows as a kind of index takes them. Halves are scaled into their range; bytes, bits and members of sets tell
/// between which quantiles of all rows a column, or a projection, is.
inline matrix<float> as_coordinates(const matrix<float>& rows, coordinates takes, dice& random) {
  const std::size_t n = rows.rows(), dim = rows.cols();
  const auto column = [&](const matrix<float>& m, std::size_t j) {
    std::vector<float> values(n);
    for (std::size_t i = 0; i < n; ++i) values[i] = m(i, j);
    std::ranges::sort(values);
    return values;
  };
  if (takes == coordinates::real || n == 0) return rows;
  if (takes == coordinates::half) {
    const auto size = [](float x) { return std::abs(x); };
    const float greatest = size(*std::ranges::max_element(rows.data(), rows.data() + n * dim, {}, size));
    matrix<float> scaled = rows;
    for (float& x : std::span(scaled.data(), n * dim)) x *= 1000 / std::max(greatest, 1e-30f);
    return scaled;
  }
  if (takes == coordinates::bytes) {
    matrix<float> bytes(n, dim);
    for (std::size_t j = 0; j < dim; ++j) {
      const auto sorted = column(rows, j);
      const float least = sorted[n / 100], greatest = sorted[n - 1 - n / 100];
      const float step = greatest > least ? (greatest - least) / 255 : 1;
      for (std::size_t i = 0; i < n; ++i)
        bytes(i, j) = std::round(std::clamp((rows(i, j) - least) / step, 0.0f, 255.0f));
    }
    return bytes;
  }

  const bool is_bits = takes == coordinates::bits;
  const std::size_t n_projections = is_bits ? 96 : 12, n_bins = is_bits ? 2 : 8;
  matrix<float> projected(n, n_projections), coded(n, is_bits ? n_projections : n_projections * n_bins);
  for (std::size_t p = 0; p < n_projections; ++p) {
    std::vector<double> direction(dim);
    for (double& x : direction) x = random.normal();
    for (std::size_t i = 0; i < n; ++i) {
      const auto row = rows.row(i);
      projected(i, p) = static_cast<float>(std::inner_product(row.begin(), row.end(), direction.begin(), 0.0));
    }
    const auto sorted = column(projected, p);
    const std::size_t shift = random.below(n / n_bins + 1);
    for (std::size_t i = 0; i < n; ++i) {
      const auto rank = static_cast<std::size_t>(std::ranges::lower_bound(sorted, projected(i, p)) - sorted.begin());
      const std::size_t bin = std::min((rank + shift) * n_bins / (n + n / n_bins + 1), n_bins - 1);
      if (is_bits) coded(i, p) = static_cast<float>(bin);
      else coded(i, p * n_bins + bin) = 1;
    }
  }
  return coded;
}

/// Something between two rows, as a kind of index takes it; beyond `a` for a negative share of `b`.
inline std::vector<float> blend(std::span<const float> a, std::span<const float> b, float share, coordinates takes,
                                dice& random) {
  std::vector<float> row(a.begin(), a.end());
  for (std::size_t j = 0; j < row.size(); ++j) {
    if (takes == coordinates::bits || takes == coordinates::members) {
      if (random.chance(static_cast<double>(std::abs(share)) / (share < 0 ? 20 : 1)))
        row[j] = share < 0 ? 1 - a[j] : b[j];
    } else {
      row[j] += share * (b[j] - a[j]);
      if (takes == coordinates::bytes) row[j] = std::clamp(std::round(row[j]), 0.0f, 255.0f);
    }
  }
  return row;
}

}  // namespace situations
