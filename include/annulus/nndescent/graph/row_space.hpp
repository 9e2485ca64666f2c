#pragma once

/// \file
/// The rows of any point set under any metric, and all the ranks among them that building a graph asks for.

#include <annulus/core/metric/row_query.hpp>
#include <annulus/nndescent/graph/joined_ids.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The power of two that brings ranks in double to the size of floats.
inline double scale_of_floats(double greatest_rank) noexcept {
  return greatest_rank > 0 && is_finite(greatest_rank) ? std::exp2(-std::ilogb(greatest_rank)) : 1;
}

/// Ranks between rows of a point set, seen through an order: row i here is row order[i] there.
template <class Points, class Metric>
class row_space {
 public:
  row_space(const Points& points, const Metric& metric) : m_points(&points), m_metric(&metric) {
    if constexpr (!is_scaled) return;
    double greatest = 0;
    const std::size_t n = points.size(), step = n / 64 + 1;
    for (std::size_t i = 0; i + 1 < n; i += step) greatest = std::max(greatest, std::abs(rank_between(i, n - 1)));
    m_scale = scale_of_floats(greatest);
  }

  std::size_t size() const noexcept { return m_points->size(); }

  /// Row i becomes what row order[i] was.
  void reorder(std::span<const id_type> order) {
    std::vector<id_type> composed(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) composed[i] = source(order[i]);
    m_order = std::move(composed);
  }

  /// The same bits for (a, b) and (b, a), also of a metric that is not symmetric to the last.
  float rank(id_type a, id_type b) const {
    const auto [low, high] = std::minmax({source(a), source(b)});  // by value
    return scaled(rank_between(low, high));
  }

  class ranker {
   public:
    explicit ranker(const row_space& space) : m_space(&space) {}

    void from(id_type a, std::span<const id_type> ids, float* out) const {
      for (std::size_t i = 0; i < ids.size(); ++i) out[i] = m_space->rank(a, ids[i]);
    }

    /// Which of two rows is nearer: for distances of flat space the side of the hyperplane between them, for others the
    /// generalised hyperplane (Uhlmann 1991). Inner products part rows by direction.
    void margins(id_type a, id_type b, std::span<const id_type> ids, float* out) {
      m_to_b.resize(ids.size());
      from(a, ids, out);
      from(b, ids, m_to_b.data());
      float at_a = 1, at_b = 1;
      if constexpr (form_of<Metric>() == product_form::inner_product) {
        const auto inverse_norm = [&](id_type i) {
          const float norm = -m_space->rank(i, i);
          return norm > 0 ? 1 / detail::sqrt(norm) : 0.0f;
        };
        at_a = inverse_norm(a);
        at_b = inverse_norm(b);
      }
      for (std::size_t i = 0; i < ids.size(); ++i) out[i] = m_to_b[i] * at_b - out[i] * at_a;
    }

   private:
    const row_space* m_space;
    std::vector<float> m_to_b;
  };

  class joiner {
   public:
    static constexpr std::size_t lanes = joined_ids::lanes;

    explicit joiner(const row_space& space) : m_space(&space) {}

    /// Copies the rows side by side, where all pairs find them in cache.
    void gather(const joined_ids& members) {
      m_members = &members;
      const auto ids = members.ids();
      m_absent.resize(ids.size());
      for (std::size_t i = 0; i < ids.size(); ++i)
        m_absent[i] = ids[i] == no_id ? std::numeric_limits<float>::infinity() : 0.0f;
      if constexpr (by_rows) {
        const std::size_t d = m_space->m_points->dim();
        m_rows.resize(ids.size() * d);
        for (std::size_t i = 0; i < ids.size(); ++i)
          if (ids[i] != no_id) std::ranges::copy(m_space->row(ids[i]), m_rows.data() + i * d);
      }
    }

    /// As code_space::joiner::pairs.
    template <class F>
    void pairs(F f) {
      const auto ids = m_members->ids();
      float ranks[joined_ids::readable_floats] = {};
      for (std::size_t i = 0; i < m_members->first(); ++i)
        for (std::size_t p = i / lanes; p < m_members->panels(); ++p) {
          const float* const absent = m_absent.data() + p * lanes;
          const std::size_t first = p == i / lanes ? i % lanes + 1 : 0;
          if constexpr (by_rows) {
            rank_panel(i, p, ranks);
            for (std::size_t r = 0; r < lanes; ++r) ranks[r] += absent[r];
          } else {
            for (std::size_t r = first; r < lanes; ++r)
              ranks[r] = absent[r] == 0 ? m_space->rank(ids[i], ids[p * lanes + r]) : absent[r];
          }
          std::fill_n(ranks, first, std::numeric_limits<float>::infinity());
          f(i, p, static_cast<const float*>(ranks));
        }
    }

    template <class F>
    void pairs_below(const float* thresholds, F f) {
      visit_pairs_below(*this, thresholds, f);
    }

   private:
    using T = typename Points::value_type;
    /// Whether a pair has the same rank to the bit both ways, so that one row may be compared with many.
    static constexpr bool by_rows = [] {
      if constexpr (is_sparse_row<row_t<Points>>) return false;
      else return kernel_ranked<Metric, T> || is_cosine<Metric> || ranks_blocks<Metric, T>;
    }();

    void rank_panel(std::size_t i, std::size_t p, float* out) {
      const std::size_t d = m_space->m_points->dim();
      const T *const row = m_rows.data() + i * d, *const others = m_rows.data() + p * lanes * d;
      rank_t<Metric, T> found[lanes];
      if constexpr (folds_rows<Metric, T>) {
        many_rows<typename Metric::kernel>(row, d, lanes, found, [=](std::size_t r) { return others + r * d; });
        for (auto& rank : found) rank = m_space->m_metric->from_kernel(rank);
      } else {
        prepared_query<Metric, T>(*m_space->m_metric, row, d)(others, d, lanes, found);
      }
      for (std::size_t r = 0; r < lanes; ++r) out[r] = m_space->scaled(found[r]);
    }

    const row_space* m_space;
    const joined_ids* m_members = nullptr;
    aligned_vector<T> m_rows;
    std::vector<float> m_absent;  ///< infinite where there is no member
  };

 private:
  static constexpr bool is_scaled = std::same_as<typename Points::value_type, double>;

  template <class Rank>
  float scaled(Rank rank) const noexcept {
    if constexpr (is_scaled) return static_cast<float>(m_scale * static_cast<double>(rank));
    else return static_cast<float>(rank);
  }
  row_t<Points> row(id_type i) const { return m_points->row(source(i)); }
  double rank_between(std::size_t a, std::size_t b) const {
    return static_cast<double>(rank_of_rows(*m_metric, m_points->row(a), m_points->row(b)));
  }
  id_type source(id_type i) const noexcept { return m_order.empty() ? i : m_order[i]; }

  const Points* m_points;
  const Metric* m_metric;
  double m_scale = 1;
  std::vector<id_type> m_order;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
