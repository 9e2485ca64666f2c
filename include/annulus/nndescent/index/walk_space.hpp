#pragma once

/// \file
/// Ranks between the rows that an index holds, for changes of its graph; and the walk over the exact rows that are kept
/// beside compressed ones.

#include <annulus/nndescent/index/row_walk.hpp>

#include <functional>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// f(i, row) for the exact rows of some vertices, in their order. Rows that are not in memory have a visit(vertices, f)
/// that fetches them all at once.
template <class Rows, class F>
void visit_rows(const Rows& rows, std::span<const id_type> vertices, F f) {
  if constexpr (requires { rows.visit(vertices, f); }) {
    rows.visit(vertices, f);
  } else {
    for (std::size_t i = 0; i < vertices.size(); ++i) f(i, rows.row(vertices[i]));
  }
}

/// Walks over exact rows that stand beside compressed ones, where those cannot tell rows apart.
template <class T, class Metric, class Rows = dense_row_store<T>>
class exact_walk {
 public:
  static constexpr bool is_exact = true, is_compressed = false;
  using rank_type = rank_t<Metric, T>;
  struct query {
    std::span<const T> row;
  };

  exact_walk() = default;
  exact_walk(const Rows& rows, const Metric& metric) : m_rows(&rows), m_metric(&metric) {}
  query make_query() const noexcept { return {}; }
  void prepare(std::span<const T> row, query& q) const noexcept { q.row = row; }
  void prepare_row(std::size_t i, query& q) const noexcept { q.row = m_rows->row(i); }
  bool lacks_direction(const query&) const noexcept { return false; }
  void ranks(const query& q, std::span<const id_type> ids, rank_type* out) const {
    const row_query<Metric, std::span<const T>> rank(*m_metric, q.row);
    visit_rows(*m_rows, ids, [&](std::size_t i, std::span<const T> row) { out[i] = rank(row); });
  }
  void prefetch(std::size_t i) const noexcept { m_rows->prefetch(i); }
  rank_type rank(id_type a, id_type b) const {
    return row_query<Metric, std::span<const T>>(*m_metric, m_rows->row(a))(m_rows->row(b));
  }

 private:
  const Rows* m_rows = nullptr;
  const Metric* m_metric = nullptr;
};
template <class T, class Metric>
exact_walk(const dense_row_store<T>&, const Metric&) -> exact_walk<T, Metric>;

/// Ranks among the rows of a walk, as a space has them. Of rows so close that the walk cannot tell how close,
/// `exact_rank` says, if given.
template <class Walk>
class walk_space {
 public:
  using rank_function = std::function<float(id_type, id_type)>;

  explicit walk_space(const Walk& walk, rank_function exact_rank = {})
      : m_walk(&walk), m_exact_rank(std::move(exact_rank)) {
    if constexpr (std::same_as<typename Walk::rank_type, double>) m_scale = scale_of_floats(greatest_rank());
  }

  std::size_t size() const noexcept { return m_walk->size(); }

  /// A rank of the walk as this space has it.
  template <class Rank>
  float scaled(Rank rank) const noexcept {
    if constexpr (std::same_as<Rank, double>) return static_cast<float>(m_scale * rank);
    else return static_cast<float>(rank);
  }

  class ranker {
   public:
    explicit ranker(const walk_space& space) : m_space(&space), m_query(space.m_walk->make_query()) {}

    void from(id_type a, std::span<const id_type> ids, float* out) {
      const Walk& walk = *m_space->m_walk;
      walk.prepare_row(a, m_query);
      m_ranks.resize(ids.size());
      walk.ranks(m_query, ids, m_ranks.data());
      for (std::size_t i = 0; i < ids.size(); ++i) {
        out[i] = m_space->scaled(m_ranks[i]);
        if constexpr (Walk::is_compressed)
          if (m_space->m_exact_rank && out[i] <= 2 * walk.rank_error(m_query, ids[i], m_ranks[i]))
            out[i] = m_space->m_exact_rank(a, ids[i]);
      }
    }
    /// Which of two rows is nearer, as a search that asks about both will see it.
    void margins(id_type a, id_type b, std::span<const id_type> ids, float* out) {
      m_to_b.resize(ids.size());
      from(a, ids, out);
      from(b, ids, m_to_b.data());
      for (std::size_t i = 0; i < ids.size(); ++i) out[i] = m_to_b[i] - out[i];
    }

   private:
    const walk_space* m_space;
    typename Walk::query m_query;
    std::vector<typename Walk::rank_type> m_ranks;
    std::vector<float> m_to_b;
  };

 private:
  /// Between the last of the rows and some others.
  double greatest_rank() const {
    const std::size_t n = m_walk->size(), step = n / 64 + 1;
    if (n < 2) return 0;
    std::vector<id_type> ids;
    for (std::size_t i = 0; i + 1 < n; i += step) ids.push_back(static_cast<id_type>(i));
    std::vector<typename Walk::rank_type> ranks(ids.size());
    auto query = m_walk->make_query();
    m_walk->prepare_row(n - 1, query);
    m_walk->ranks(query, ids, ranks.data());
    double greatest = 0;
    for (const auto rank : ranks) greatest = std::max(greatest, std::abs(static_cast<double>(rank)));
    return greatest;
  }

  const Walk* m_walk;
  rank_function m_exact_rank;
  double m_scale = 1;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
