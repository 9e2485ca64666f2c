#pragma once

/// \file
/// The rows of any point set under any metric, and all the ranks among them that building a graph asks for.

#include <annulus/core/metric.hpp>
#include <annulus/nndescent/joined_ids.hpp>

namespace annulus::inline ANNULUS_ARCH::detail {

/// Sets whose rows are contiguous numbers.
template <class Points>
concept dense_points = point_set<Points> && requires(const Points& p) {
  { p.row(0) } -> std::convertible_to<std::span<const typename Points::value_type>>;
};

/// The rank of two rows of a point set.
template <class Points, class Metric, class Row>
double rank_of_rows(const Metric& metric, const Row& a, const Row& b) {
  if constexpr (dense_points<Points>) return static_cast<double>(rank_of(metric, a.data(), b.data(), a.size()));
  else if constexpr (requires { metric.rank(a, b); }) return static_cast<double>(metric.rank(a, b));
  else return static_cast<double>(metric(a, b));
}

/// Ranks between rows of a point set, seen through an order: row i here is row order[i] there.
template <class Points, class Metric>
class row_space {
 public:
  row_space(const Points& points, const Metric& metric) : m_points(&points), m_metric(&metric) {
    if constexpr (!std::same_as<typename Points::value_type, double>) return;
    // Ranks in double are brought to the size of floats, by a power of two.
    double greatest = 0;
    const std::size_t n = points.size(), step = n / 64 + 1;
    for (std::size_t i = 0; i + 1 < n; i += step)
      greatest = std::max(greatest, std::abs(rank_of_rows<Points>(metric, points.row(i), points.row(n - 1))));
    if (greatest > 0 && std::isfinite(greatest)) m_scale = std::exp2(-std::ilogb(greatest));
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
    return static_cast<float>(m_scale * rank_of_rows<Points>(*m_metric, m_points->row(low), m_points->row(high)));
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
          return norm > 0 ? 1 / std::sqrt(norm) : 0.0f;
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

    void gather(const joined_ids& members) { m_members = &members; }

    /// As code_space::joiner::pairs.
    template <class F>
    void pairs(F f) {
      const auto ids = m_members->ids();
      for (std::size_t i = 0; i < m_members->first(); ++i)
        for (std::size_t p = i / lanes; p < m_members->panels(); ++p) {
          float ranks[lanes];
          for (std::size_t r = 0; r < lanes; ++r) {
            const id_type other = ids[p * lanes + r];
            const bool is_pair = other != no_id && p * lanes + r > i;
            ranks[r] = is_pair ? m_space->rank(ids[i], other) : std::numeric_limits<float>::infinity();
          }
          f(i, p, static_cast<const float*>(ranks));
        }
    }

   private:
    const row_space* m_space;
    const joined_ids* m_members = nullptr;
  };

 private:
  id_type source(id_type i) const noexcept { return m_order.empty() ? i : m_order[i]; }

  const Points* m_points;
  const Metric* m_metric;
  double m_scale = 1;
  std::vector<id_type> m_order;
};

}  // namespace annulus::inline ANNULUS_ARCH::detail
