#pragma once

/// \file
/// A metric whose type is erased at blocks of rows: what searches by it is compiled once for each kind of rows, not
/// once for each metric. A call through a pointer a block costs nothing that can be measured; one a row would.

#include <annulus/core/base/ids.hpp>
#include <annulus/core/metric/row_query.hpp>
#include <annulus/core/rows/row_types.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Ranks of rows of a point set by a metric that lives elsewhere. Rank: what that metric ranks by.
template <class View, class Rank>
class erased_metric {
 public:
  using rank_type = Rank;
  using row_type = row_t<View>;

  template <class Metric>
  explicit erased_metric(const Metric& metric) noexcept
      : m_metric(&metric), m_block(&block<Metric>), m_distance(&distance<Metric>) {
    // Only metrics with a product form have candidates picked from all over ranked by the thousand.
    if constexpr (!is_matrix_view<View> || has_product_form<Metric>) m_chosen = &chosen<Metric>;
  }

  /// out[i]: the rank of row begin + i, i < count.
  void operator()(const row_type& query, const View& rows, std::size_t begin, std::size_t count, Rank* out) const {
    m_block(m_metric, query, rows, begin, count, out);
  }
  /// out[i]: the rank of row ids[i].
  void operator()(const row_type& query, const View& rows, std::span<const id_type> ids, Rank* out) const {
    if (m_chosen != nullptr) m_chosen(m_metric, query, rows, ids, out);
    else
      for (std::size_t i = 0; i < ids.size(); ++i) m_block(m_metric, query, rows, ids[i], 1, out + i);
  }
  /// The distance of a rank.
  float operator()(Rank rank) const { return m_distance(m_metric, rank); }

 private:
  template <class Metric>
  static void block(const void* metric, const row_type& query, const View& rows, std::size_t begin, std::size_t count,
                    Rank* out) {
    const auto& m = *static_cast<const Metric*>(metric);
    if constexpr (!is_matrix_view<View>) {
      const row_query<Metric, row_type> rank(m, query);
      for (std::size_t i = 0; i < count; ++i) out[i] = rank(rows.row(begin + i));
    } else {
      const prepared_query<Metric, typename View::value_type> rank(m, query.data(), query.size());
      rank(rows.row(begin).data(), rows.stride(), count, out);
    }
  }
  template <class Metric>
  static void chosen(const void* metric, const row_type& query, const View& rows, std::span<const id_type> ids,
                     Rank* out) {
    const row_query<Metric, row_type> rank(*static_cast<const Metric*>(metric), query);
    for (std::size_t i = 0; i < ids.size(); ++i) out[i] = rank(rows.row(ids[i]));
  }
  template <class Metric>
  static float distance(const void* metric, Rank rank) {
    return distance_of(*static_cast<const Metric*>(metric), rank);
  }

  const void* m_metric;
  void (*m_block)(const void*, const row_type&, const View&, std::size_t, std::size_t, Rank*);
  void (*m_chosen)(const void*, const row_type&, const View&, std::span<const id_type>, Rank*) = nullptr;
  float (*m_distance)(const void*, Rank);
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
