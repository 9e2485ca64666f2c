#pragma once

/// \file
/// k-means by Lloyd's algorithm, by which all codebooks are trained.

#include <annulus/core/base/keyed_loop.hpp>
#include <annulus/quantization/kmeans_init.hpp>
#include <annulus/quantization/kmeans_split.hpp>
#include <annulus/quantization/nearest_codeword.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// What k-means found.
struct kmeans_result {
  matrix<float> centroids;        ///< k x d
  double mean_squared_error = 0;  ///< of the training points to their centroids, by the last assignment
};

namespace detail {

/// The training points: all of `points`, or a sample of the size asked for, which is copied to `sampled`.
inline matrix_view<float> training_rows(matrix_view<float> points, std::size_t k, const kmeans_params& params,
                                        matrix<float>& sampled) {
  constexpr std::uint64_t sample_stream = 1;
  if (params.max_points_per_centroid == 0) return points;
  const std::size_t most = checked_product(k, params.max_points_per_centroid, "k * max_points_per_centroid");
  if (points.rows() <= most) return points;
  return sampled = gather_rows(
             points, sample_without_replacement(points.rows(), most, counter_random(params.seed, sample_stream)));
}

/// Lloyd's rounds over points, which must outlive it. Holds scratch.
class lloyd {
 public:
  lloyd(matrix_view<float> points, std::size_t k, std::uint64_t seed, const thread_team& team)
      : m_points(points),
        m_k(k),
        m_seed(seed),
        m_team(&team),
        m_frame(points),
        m_codes(points.rows()),
        m_sums(k, points.cols()),
        m_counts(k) {
    const std::size_t blocks = (points.rows() + grain - 1) / grain;
    m_framed.assign(blocks, framed_points(points.cols()));
    parallel_for(team, points.rows(), grain, [&](std::size_t begin, std::size_t end, std::size_t) {
      m_framed[begin / grain].assign(points.middle_rows(begin, end - begin), m_frame);
    });
    for (std::size_t i = 0; i < points.rows(); ++i)
      for (std::size_t j = 0; j < points.cols(); ++j) m_squares += square_from_centre(points.row(i)[j], j);
  }

  /// Assigns every point to its nearest centroid. Returns whether another update would change anything.
  bool assign(const matrix<float>& centroids) {
    const nearest_codeword search(centroids, m_frame);
    std::vector<char> changed(m_team->size(), 0);
    parallel_for(*m_team, m_points.rows(), grain, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      nearest_codeword::scratch scratch(m_points.cols());
      std::array<std::uint32_t, nearest_codeword::block> codes;
      for (std::size_t i = begin; i < end; i += codes.size()) {
        const auto found = std::span(codes).first(std::min(codes.size(), end - i));
        search.search(m_framed[begin / grain], i - begin, m_points.middle_rows(i, found.size()), found, scratch);
        if (!std::ranges::equal(found, std::span(m_codes).subspan(i, found.size()))) changed[worker] = 1;
        std::ranges::copy(found, m_codes.begin() + static_cast<std::ptrdiff_t>(i));
      }
    });
    return m_is_first || std::ranges::count(changed, 1) > 0;
  }

  /// Moves every centroid to the mean of its points; those that have none take points of the clusters of the greatest
  /// error, as long as not all points of each cluster are equal. Returns the mean squared error of the points to the
  /// means.
  double update(matrix<float>& centroids, std::size_t round) {
    m_is_first = false;
    double explained = move_to_means(centroids);
    for (std::size_t split = 0; std::ranges::find(m_counts, 0u) != m_counts.end(); ++split) {
      const counter_random random(m_seed, 2 + round + (split << 32));
      if (!split_clusters(m_points, centroids, m_counts, m_codes, random, *m_team)) break;
      explained = move_to_means(centroids);
    }
    return std::max(m_squares - explained, 0.0) / static_cast<double>(m_points.rows());
  }

  /// The codes of the last assignment, with the changes of the last update().
  const std::vector<std::uint32_t>& codes() const noexcept { return m_codes; }

 private:
  static constexpr std::size_t grain = 16 * nearest_codeword::block;

  static void add(const float* x, std::size_t d, double* sum) noexcept {
    for (std::size_t j = 0; j < d; ++j) sum[j] += static_cast<double>(x[j]);
  }

  /// Moves centroids that have points. Returns the sum of the points' squared distances from the centre, less that from
  /// the means.
  double move_to_means(matrix<float>& centroids) {
    const std::size_t d = m_points.cols();
    std::fill_n(m_sums.data(), m_k * d, 0.0);
    std::ranges::fill(m_counts, std::size_t{0});
    // Points of a centroid are added in ascending order, so that the sums have the same bits for any number of threads.
    for_each_by_key(
        *m_team, m_codes.size(), m_k, [&](std::size_t i, auto visit) { visit(m_codes[i]); },
        [&](std::size_t i, std::size_t c) {
          ++m_counts[c];
          add(m_points.row(i).data(), d, m_sums.row(c).data());
        });
    double explained = 0;
    for (std::size_t c = 0; c < m_k; ++c) {
      if (m_counts[c] == 0) continue;
      const auto count = static_cast<double>(m_counts[c]);
      for (std::size_t j = 0; j < d; ++j) {
        const double mean = m_sums(c, j) / count;
        explained += count * square_from_centre(mean, j);
        centroids(c, j) = static_cast<float>(mean);
      }
    }
    return explained;
  }

  /// Squares are relative to the centre: else data far from zero would lose its error to rounding.
  double square_from_centre(double x, std::size_t j) const noexcept {
    const double out = x - static_cast<double>(m_frame.centre[j]);
    return out * out;
  }

  matrix_view<float> m_points;
  std::size_t m_k;
  std::uint64_t m_seed;
  const thread_team* m_team;
  integer_frame m_frame;
  std::vector<framed_points> m_framed;
  std::vector<std::uint32_t> m_codes;
  matrix<double> m_sums;
  std::vector<std::size_t> m_counts;
  double m_squares = 0;
  bool m_is_first = true;
};

/// Throws std::invalid_argument for rows that codewords cannot be trained on.
inline void check_training_rows(matrix_view<float> points, std::size_t k, const thread_team& team) {
  if (k == 0) invalid("k", k, "must be at least 1");
  if (points.cols() == 0) invalid("columns", points.cols(), "must be at least 1");
  if (points.rows() < k) invalid("rows", points.rows(), "must be at least the number of codewords, ", k);
  check_norms(points, "data", team);
}

inline kmeans_result run_kmeans(matrix_view<float> points, matrix<float> centroids, const kmeans_params& params,
                                const thread_team& team) {
  if (params.iter == 0) invalid("iter", params.iter, "must be at least 1");
  kmeans_result result{std::move(centroids)};
  lloyd rounds(points, result.centroids.rows(), params.seed, team);
  for (std::size_t round = 0; round < params.iter && rounds.assign(result.centroids); ++round) {
    result.mean_squared_error = rounds.update(result.centroids, round);
    if (round + 1 < params.iter)
      report(params.progress, "k-means", static_cast<double>(round + 1) / static_cast<double>(params.iter));
  }
  report(params.progress, "k-means", 1.0);
  return result;
}

}  // namespace detail

/// The means of k clusters by `params.iter` rounds of Lloyd's algorithm (1982), from centroids that `params.init`
/// chooses. Centroids without points take points of the clusters whose squared error is the greatest: the error is 0
/// where there are at most k different points. The same bits for any number of threads. O(iter n k d); memory about as
/// much as the points twice; distances are not stored. \param points n x d \param k at most n \param params see there
/// \returns k x d centroids and their error \throws std::invalid_argument for k = 0, d = 0, iter = 0, fewer points than
/// k, and points with NaN or infinity (naming the row) or squares that overflow \throws annulus::cancelled when
/// `progress` returns false.
inline kmeans_result kmeans(matrix_view<float> points, std::size_t k, const kmeans_params& params = {}) {
  const thread_team team(params.threads);
  detail::check_training_rows(points, k, team);
  matrix<float> sampled;
  points = detail::training_rows(points, k, params, sampled);
  return detail::run_kmeans(points, detail::initial_centroids(points, k, params, team), params, team);
}

/// The same from given centroids. \param points,params as above \param initial k x d \returns as above
/// \throws std::invalid_argument also where they are not as long as the points, or not finite.
inline kmeans_result kmeans(matrix_view<float> points, const matrix<float>& initial, const kmeans_params& params = {}) {
  const thread_team team(params.threads);
  detail::check_training_rows(points, initial.rows(), team);
  if (initial.cols() != points.cols())
    detail::invalid("initial columns", initial.cols(), "must equal the points' ", points.cols());
  detail::check_rows<float>(initial, "initial centroids", 1);
  matrix<float> sampled;
  return detail::run_kmeans(detail::training_rows(points, initial.rows(), params, sampled), initial, params, team);
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
