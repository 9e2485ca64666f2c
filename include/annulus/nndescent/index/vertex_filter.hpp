#pragma once

/// \file
/// The vertices that a search may return: those with an id that passes the caller's filter.

#include <annulus/core/base/random.hpp>
#include <annulus/core/result/filter.hpp>
#include <annulus/nndescent/index/vertex_names.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

class vertex_filter {
 public:
  vertex_filter(const vertex_names& names, const id_filter& filter) : m_names(&names), m_filter(&filter) {
    m_count = counted();
  }

  /// Asks the filter about every row, once for all queries to come. Their answers are those without this. O(n).
  void prepare() {
    if (m_filter->empty()) return;
    std::vector<std::uint64_t> bits((m_names->n_vertices() + 63) / 64);
    const auto is_new = [&](id_type vertex) { return (bits[vertex / 64] >> (vertex % 64) & 1u) == 0; };
    visit(is_new, [&](id_type vertex) {
      bits[vertex / 64] |= std::uint64_t{1} << (vertex % 64);
      m_passing.push_back(vertex);
    });
    m_bits = std::move(bits);
    m_is_prepared = true;
  }

  /// Whether all rows that are there pass.
  bool is_open() const noexcept { return m_filter->empty(); }
  bool passes(id_type id) const { return m_filter->empty() || (*m_filter)(id); }
  bool operator()(id_type vertex) const {
    if (m_is_prepared) return (m_bits[vertex / 64] >> (vertex % 64) & 1u) != 0;
    if (m_filter->empty()) return m_names->is_live(vertex);
    const auto ids = m_names->ids_at(vertex);
    return std::ranges::any_of(ids, [&](id_type id) { return (*m_filter)(id); });
  }

  /// How many vertices pass, at most, or of a callable about how many.
  double count() const noexcept { return m_count; }
  /// What it takes to find all that pass, in ranks of rows.
  double cost_of_visit() const noexcept {
    constexpr double asked = 0.1, listed = 0.02;
    return (m_filter->empty() || m_filter->size() ? listed : asked) * static_cast<double>(m_names->n_vertices());
  }
  /// f(vertex) for all that pass, each once. is_new(vertex), whether it is asked about a vertex for the first time,
  /// keeps those apart at which several ids stand.
  template <class IsNew, class F>
  void visit(IsNew is_new, F f) const {
    if (m_is_prepared) {
      for (const id_type vertex : m_passing) f(vertex);
    } else if (is_listed()) {
      m_filter->visit([&](id_type id) {
        const id_type vertex = m_names->vertex_of(id);
        if (vertex != no_id && (m_names->ids_at(vertex).size() < 2 || is_new(vertex))) f(vertex);
      });
    } else {
      for (id_type vertex = 0; vertex < m_names->n_vertices(); ++vertex)
        if ((*this)(vertex)) f(vertex);
    }
  }

 private:
  /// Whether the ids that pass are few enough to go to their rows one by one; all rows stand in one order.
  bool is_listed() const noexcept {
    constexpr std::size_t share = 8;
    return m_filter->size() && share * *m_filter->size() < m_names->n_vertices();
  }
  double counted() const {
    if (m_filter->empty() || m_names->n_live() == 0) return static_cast<double>(m_names->n_live());
    if (const auto known = m_filter->size()) return static_cast<double>(std::min(*known, m_names->size()));
    constexpr std::size_t samples = 128;
    const counter_random random(0);
    std::size_t passed = 0;
    for (std::size_t i = 0; i < samples; ++i)
      passed += (*this)(static_cast<id_type>(random.below(i, m_names->n_vertices())));
    return static_cast<double>(passed * m_names->n_vertices()) / samples;
  }

  const vertex_names* m_names;
  const id_filter* m_filter;
  bool m_is_prepared = false;
  std::vector<std::uint64_t> m_bits;
  std::vector<id_type> m_passing;
  double m_count = 0;
};

/// The filter of a call with n_queries queries. From 8 on it is prepared.
inline vertex_filter prepared_filter(const vertex_names& names, const id_filter& filter, std::size_t n_queries) {
  constexpr std::size_t least_prepared = 8;
  vertex_filter passes(names, filter);
  if (n_queries >= least_prepared) passes.prepare();
  return passes;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
