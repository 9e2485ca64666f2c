#pragma once

/// \file
/// The walk over dense rows: ranks rows for a search, as they are or at less precision. A walk is what a search of the
/// graph ranks rows by; each kind of storage has one.

#include <annulus/core/codes/row_centre.hpp>
#include <annulus/core/rows/dense_row_store.hpp>
#include <annulus/core/rows/sparse_row_store.hpp>
#include <annulus/core/rows/value_checks.hpp>
#include <annulus/nndescent/graph/row_space.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// The rows as given; 8-bit rows by integer kernels.
struct full_precision {
  static constexpr std::string_view name = "full_precision";  ///< in files
};

namespace detail {

/// The dimension of rows to be loaded: none that rounding up to whole cache lines would overflow.
template <class Archive>
std::size_t checked_dim(std::size_t dim, const Archive& archive) {
  archive.expect(dim < std::size_t{1} << 48, "has rows of a length beyond 2^48");
  return dim;
}

/// The first row that is not finite.
template <class T>
std::string defect_of_rows(const dense_row_store<T>& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (!all_finite(rows.row(i))) return "values: row " + std::to_string(i) + " has a NaN or an infinity";
  return {};
}
template <class T>
std::string defect_of_rows(const sparse_row_store<T>& rows) {
  return rows.defect();
}

/// A row as floats: divided by its norm under cosine, less a centre.
template <class T>
void relative_row(const T* row, std::size_t dim, bool is_cosine, const float* centre, float* out) noexcept {
  std::transform(row, row + dim, out, [](T x) { return static_cast<float>(x); });
  if (is_cosine) normalize(out, dim);
  for (std::size_t j = 0; j < dim; ++j) out[j] -= centre[j];
}

/// Walks over rows of S under a metric. Its ranks are the metric's own but for cosine, where the norms of rows are
/// computed once.
template <class T, class S, class Metric>
class row_walk {
 public:
  static constexpr bool is_cosine = detail::is_cosine<Metric>;
  static constexpr bool is_exact = std::same_as<T, S> && !is_cosine;
  static constexpr bool is_compressed = !std::same_as<T, S>;
  /// Of sums of squares of bytes pools keep 32 bits, which is quicker: the lower ones, or of rows so long that their
  /// sums need more, the upper ones.
  static constexpr bool is_narrowed =
      is_byte<S> && kernel_ranked<Metric, S> && form_of<Metric>() == product_form::squared_l2;
  using rank_type = std::conditional_t<is_narrowed, std::uint32_t, rank_t<Metric, S>>;

  struct query {
    aligned_vector<S> row;
    rank_type inverse_norm = 0;
  };

  row_walk(std::size_t dim, const Metric& metric) : m_metric(metric), m_rows(dim) {}
  row_walk(unfilled, const Metric& metric) : row_walk(0, metric) {}

  void resize(std::size_t n) {
    m_rows.resize(n);
    if constexpr (is_cosine) m_inverse_norms.resize(n);
  }
  void assign(std::size_t i, std::span<const T> row) {
    convert(row, m_rows.data(i));
    if constexpr (is_cosine) m_inverse_norms[i] = inverse_norm(m_rows.data(i));
  }
  /// Row order[i] becomes row i, where order ascends; all others go.
  void keep_only(std::span<const id_type> order) noexcept {
    m_rows.keep_only(order);
    if constexpr (is_cosine) {
      for (std::size_t i = 0; i < order.size(); ++i) m_inverse_norms[i] = m_inverse_norms[order[i]];
      m_inverse_norms.resize(order.size());
    }
  }
  const dense_row_store<S>& rows() const noexcept { return m_rows; }

  std::size_t size() const noexcept { return m_rows.size(); }
  std::size_t dim() const noexcept { return m_rows.dim(); }

  query make_query() const { return {}; }
  void prepare(std::span<const T> row, query& q) const {
    q.row.resize(dim());
    convert(row, q.row.data());
    if constexpr (is_cosine) q.inverse_norm = inverse_norm(q.row.data());
  }

  /// Row i of its own as a query.
  void prepare_row(std::size_t i, query& q) const {
    q.row.assign(m_rows.data(i), m_rows.data(i) + dim());
    if constexpr (is_cosine) q.inverse_norm = m_inverse_norms[i];
  }

  void ranks(const query& q, std::span<const id_type> ids, rank_type* out) const {
    const auto row = [&](std::size_t i) { return m_rows.data(ids[i]); };
    if constexpr (is_cosine) {
      if (q.inverse_norm == 0) {  // the order of things for a zero vector: zero vectors first
        for (std::size_t i = 0; i < ids.size(); ++i)
          out[i] = m_inverse_norms[ids[i]] == 0 ? rank_type(0) : rank_type(1);
        return;
      }
      many_rows<kernels::inner_product>(q.row.data(), m_rows.dim(), ids.size(), out, row,
                                        [](auto product) { return static_cast<rank_type>(product); });
      for (std::size_t i = 0; i < ids.size(); ++i) out[i] = 1 - out[i] * q.inverse_norm * m_inverse_norms[ids[i]];
    } else if constexpr (is_narrowed) {
      many_rows<typename Metric::kernel>(q.row.data(), m_rows.dim(), ids.size(), out, row,
                                         [bits = lost_bits()](std::uint64_t sum) { return narrowed(sum, bits); });
    } else if constexpr (kernel_ranked<Metric, S>) {
      many_rows<typename Metric::kernel>(q.row.data(), m_rows.dim(), ids.size(), out, row);
      for (std::size_t i = 0; i < ids.size(); ++i) out[i] = m_metric.from_kernel(out[i]);
    } else if constexpr (ranks_chosen_rows<Metric, S>) {
      constexpr std::size_t block = 64;
      const S* rows[block];
      for (std::size_t first = 0; first < ids.size(); first += block) {
        const std::size_t n = std::min(block, ids.size() - first);
        for (std::size_t i = 0; i < n; ++i) rows[i] = row(first + i);
        m_metric.chosen_ranks(q.row.data(), m_rows.dim(), rows, n, out + first);
      }
    } else {
      for (std::size_t i = 0; i < ids.size(); ++i) out[i] = rank_of(m_metric, q.row.data(), row(i), m_rows.dim());
    }
  }
  /// The metric's rank, but for the bits that were lost.
  auto full_rank(rank_type rank) const noexcept {
    if constexpr (is_narrowed) return std::uint64_t{rank} << lost_bits();
    else return rank;
  }
  bool has_exact_ranks() const noexcept { return is_exact && lost_bits() == 0; }
  /// How far the rank of a row may be off for the coordinates that were rounded to S: of those metrics where it follows
  /// from the length of the difference, else not known, and 0.
  float rank_error(const query& q, id_type, rank_type rank) const noexcept {
    if constexpr (is_compressed && has_product_form<Metric>) {
      constexpr float step = 2 * 0x1p-11f;  // of halves, the query's and the row's
      const auto norm = static_cast<float>(one_to_one<kernels::inner_product>(q.row.data(), q.row.data(), dim()));
      const float scale = is_cosine ? 1.0f : norm;
      return step * (step * scale + 2 * detail::sqrt(scale * std::abs(static_cast<float>(rank))));
    }
    return 0;
  }
  /// A rank as a squared distance, or a product.
  float square_rank(double rank) const noexcept {
    return static_cast<float>(rank * static_cast<double>(std::uint64_t{1} << lost_bits()));
  }
  /// A row as floats: divided by its norm under cosine, less a centre.
  void decode(std::size_t i, const float* centre, float* out) const noexcept {
    relative_row(m_rows.data(i), dim(), is_cosine, centre, out);
  }
  /// Whether the query has no direction to rank rows by: a zero vector under cosine.
  bool lacks_direction(const query& q) const noexcept { return is_cosine && q.inverse_norm == 0; }
  void prefetch(std::size_t i) const noexcept { m_rows.prefetch(i); }
  std::size_t memory_bytes() const noexcept { return m_rows.memory_bytes() + m_inverse_norms.memory_bytes(); }

  std::string defect() const {
    if (std::string found = defect_of_rows(m_rows); !found.empty()) return found;
    if constexpr (is_cosine)
      for (std::size_t i = 0; i < size(); ++i) {
        const rank_type expected = inverse_norm(m_rows.data(i));
        if (!is_at_most(std::abs(m_inverse_norms[i] - expected), expected / 1000))
          return "inverse_norms: row " + std::to_string(i) + " has another norm";
      }
    return {};
  }
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    const std::size_t dim = archived_size(archive, "dim", self.dim());
    if constexpr (Archive::is_loading) self.m_rows = dense_row_store<S>(checked_dim(dim, archive));
    persistence::persist(self.m_rows, archive);
    if constexpr (is_cosine) archive("inverse_norms", self.m_inverse_norms, {self.size()});
  }

 private:
  int lost_bits() const noexcept {
    if constexpr (is_narrowed) return std::max(0, static_cast<int>(std::bit_width(dim() * 255 * 255)) - 32);
    else return 0;
  }
  static std::uint32_t narrowed(std::uint64_t sum, int bits) noexcept {
    return static_cast<std::uint32_t>(sum >> bits);
  }

  rank_type inverse_norm(const S* row) const noexcept {
    const auto norm = static_cast<double>(one_to_one<kernels::inner_product>(row, row, m_rows.dim()));
    return norm > 0 ? static_cast<rank_type>(1 / detail::sqrt(norm)) : rank_type(0);
  }
  static void convert(std::span<const T> from, S* to) noexcept {
    std::transform(from.begin(), from.end(), to, [](T x) { return static_cast<S>(x); });
  }

  Metric m_metric;
  dense_row_store<S> m_rows;
  buffer<rank_type> m_inverse_norms;
};

/// What an index of Points under Metric walks over by Storage, and how it is made.
template <class Points, class Metric, class Storage>
struct walk_of {
  static_assert(!is_sparse_row<row_t<Points>>, "annulus: sparse rows are stored as they are: full_precision");
};
template <class T, class Metric>
struct walk_of<matrix<T>, Metric, full_precision> {
  using type = row_walk<T, T, Metric>;
  static type make(matrix_view<T> data, const Metric& metric, full_precision) { return {data.cols(), metric}; }
};

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
