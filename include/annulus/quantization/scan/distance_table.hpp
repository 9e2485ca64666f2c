#pragma once

/// \file
/// Distances of one query to all codewords, and by look-up to all codes (Jégou, Douze, Schmid 2011).

#include <annulus/core/rows/matrix.hpp>

#include <span>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// The distance of a query to a vector that its code estimates, as a sum over sub-spaces.
enum class pq_metric {
  sqeuclidean,    ///< the squared Euclidean distance
  inner_product,  ///< tables hold the products themselves, where more is nearer; results their negatives
  cosine          ///< 1 - cos, of normalised vectors
};

/// The type of a code of one sub-space.
template <class T>
concept code_scalar = std::same_as<T, std::uint8_t> || std::same_as<T, std::uint16_t> || std::same_as<T, std::uint32_t>;

namespace detail {

/// Throws std::invalid_argument where codes are not n x m, or one is not below ks, naming its row.
template <code_scalar Code>
void check_codes(matrix_view<Code> codes, std::size_t m, std::size_t ks) {
  if (codes.cols() != m && codes.rows() > 0) invalid("code columns", codes.cols(), "must equal m = ", m);
  if (ks > std::numeric_limits<Code>::max()) return;
  for (std::size_t i = 0; i < codes.rows(); ++i) {
    Code greatest = 0;
    for (const Code c : codes.row(i)) greatest = std::max(greatest, c);
    if (greatest >= ks) invalid("code", std::uint32_t{greatest}, "row ", i, " must be below ks = ", ks);
  }
}

/// One row of a table: the distances of a query's sub-vector to the codewords of one of m sub-spaces, as the metric has
/// tables hold them. Under cosine the rows of a table share the 1 of 1 - <q, x> evenly.
template <class Codebook>
void write_table_row(const Codebook& codebook, pq_metric metric, std::size_t m, const float* sub_vector,
                     std::span<float> out) noexcept {
  if (metric == pq_metric::sqeuclidean) return codebook.squared_distances(sub_vector, out.data());
  codebook.inner_products(sub_vector, out.data());
  if (metric == pq_metric::inner_product) return;
  const float share = 1 / static_cast<float>(m);
  for (float& entry : out) entry = share - entry;
}

/// The sum of a code's entries, from the first sub-space to the last: in this order wherever floats are summed.
template <code_scalar Code>
float sum_entries(const float* table, std::size_t m, std::size_t ks, const Code* code) noexcept {
  float sum = 0;
  for (std::size_t i = 0; i < m; ++i, table += ks) sum += table[code[i]];
  return sum;
}

/// Calls f(i, sum) for every code. Four at a time, whose additions do not wait for each other.
template <code_scalar Code, class F>
void for_each_sum(const float* table, std::size_t ks, matrix_view<Code> codes, F f) {
  constexpr std::size_t four = 4;
  const std::size_t m = codes.cols();
  std::size_t i = 0;
  for (; i + four <= codes.rows(); i += four) {
    const Code* code[four];
    float sum[four] = {};
    for (std::size_t c = 0; c < four; ++c) code[c] = codes.row(i + c).data();
    const float* entries = table;
    for (std::size_t s = 0; s < m; ++s, entries += ks)
      for (std::size_t c = 0; c < four; ++c) sum[c] += entries[code[c][s]];
    for (std::size_t c = 0; c < four; ++c) f(i + c, sum[c]);
  }
  for (; i < codes.rows(); ++i) f(i, sum_entries(table, m, ks, codes.row(i).data()));
}

}  // namespace detail

/// A query's distance (or inner product) to each of the ks codewords of each of the m sub-spaces.
class distance_table {
 public:
  /// Takes distances. \param values m x ks \param metric by which they are \throws std::invalid_argument where there
  /// are none.
  explicit distance_table(matrix<float> values, pq_metric metric = pq_metric::sqeuclidean)
      : m_values(std::move(values)), m_metric(metric) {
    if (m() == 0) detail::invalid("m", m(), "must be at least 1");
    if (ks() == 0) detail::invalid("ks", ks(), "must be at least 1");
  }

  std::size_t m() const noexcept { return m_values.rows(); }         ///< \returns sub-spaces
  std::size_t ks() const noexcept { return m_values.cols(); }        ///< \returns codewords of a sub-space
  pq_metric metric() const noexcept { return m_metric; }             ///< \returns that of the values
  const matrix<float>& values() const noexcept { return m_values; }  ///< \returns m x ks

  /// Distances by look-up. O(n m). \param codes n x m \returns the distance of the query to each code, n values: under
  /// inner_product the products, where more is nearer \throws std::invalid_argument for codes of other than m columns,
  /// or not below ks (naming the row).
  template <matrix_like Codes>
    requires code_scalar<value_t<Codes>> std::vector<float> adist(const Codes& codes)
  const {
    const matrix_view<value_t<Codes>> view(codes);
    detail::check_codes(view, m(), ks());
    std::vector<float> sums(view.rows());
    detail::for_each_sum(m_values.data(), ks(), view, [&](std::size_t i, float sum) { sums[i] = sum; });
    return sums;
  }

  friend bool operator==(const distance_table&, const distance_table&) = default;

 private:
  matrix<float> m_values;
  pq_metric m_metric;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
