#pragma once

/// \file
/// What is right, by brute force in double precision, and how much of it an index finds.

#include <annulus/core/base/parallel.hpp>
#include <annulus/core/base/random.hpp>

#include <Eigen/Core>

#include "graph_index.hpp"

namespace compare {

inline double distance(metric m, row_view a, row_view b) {
  const auto vector = [](row_view row) {
    return Eigen::Map<const Eigen::VectorXf>(row.data(), static_cast<Eigen::Index>(row.size())).cast<double>();
  };
  const auto x = vector(a), y = vector(b);
  if (m == metric::sqeuclidean) return (x - y).squaredNorm();
  const double product = x.dot(y);
  if (m == metric::inner_product) return -product;
  return 1 - product / std::max(std::sqrt(x.squaredNorm() * y.squaredNorm()), 1e-300);
}

/// Some of the rows, at random.
inline annulus::matrix<float> sample_of(rows_view rows, std::size_t count) {
  const annulus::counter_random random(3);
  annulus::matrix<float> sample(std::min(count, rows.rows()), rows.cols());
  for (std::size_t i = 0; i < sample.rows(); ++i) {
    const std::size_t from = count < rows.rows() ? random.below(i, rows.rows()) : i;
    std::ranges::copy(rows.row(from), sample.row(i).begin());
  }
  return sample;
}

/// Queries, and how far those of `rows` that pass `passes(query, row)` may be to be among the k nearest.
struct question {
  template <class Passes>
  question(metric m, rows_view rows, annulus::matrix<float> asked, std::size_t nearest, Passes passes)
      : measured_by(m), queries(std::move(asked)), k(nearest), limits(queries.rows()), wanted(queries.rows()) {
    annulus::parallel_for(0, queries.rows(), 1, [&](std::size_t q, std::size_t, std::size_t) {
      std::vector<double> distances;
      for (std::size_t i = 0; i < rows.rows(); ++i)
        if (passes(q, static_cast<id_type>(i))) distances.push_back(distance(m, queries.row(q), rows.row(i)));
      wanted[q] = std::min(k, distances.size());
      if (wanted[q] == 0) return;
      std::ranges::nth_element(distances, distances.begin() + static_cast<std::ptrdiff_t>(wanted[q]) - 1);
      // Peers that compute in single precision cannot tell apart what differs by less.
      const double limit = distances[wanted[q] - 1];
      limits[q] = limit + 1e-6 * std::abs(limit) + 1e-12;
    });
  }

  metric measured_by;
  annulus::matrix<float> queries;
  std::size_t k;
  std::vector<double> limits;
  std::vector<std::size_t> wanted;
};

/// The share of the nearest that are found, by distance, so that ties count. What may not be returned counts as missed.
template <class Passes>
double recall(graph_index& index, rows_view rows, const question& ask, std::size_t width,
              const std::vector<row_filter>& filters, Passes passes) {
  std::size_t hits = 0, wanted = 0;
  std::vector<id_type> ids(ask.k);
  for (std::size_t q = 0; q < ask.queries.rows(); ++q) {
    index.search(ask.queries.row(q), ids, width, filters.empty() ? nullptr : &filters[q % filters.size()]);
    std::ranges::sort(ids);
    const auto last = std::unique(ids.begin(), ids.end());
    std::size_t own = 0;
    for (auto id = ids.begin(); id != last && *id != annulus::no_id; ++id)
      own += passes(q, *id) && distance(ask.measured_by, ask.queries.row(q), rows.row(*id)) <= ask.limits[q];
    hits += std::min(own, ask.wanted[q]);
    wanted += ask.wanted[q];
  }
  return static_cast<double>(hits) / static_cast<double>(std::max<std::size_t>(wanted, 1));
}

}  // namespace compare
