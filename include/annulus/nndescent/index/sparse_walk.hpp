#pragma once

/// \file
/// The walk over sparse rows: ranks them as they are.

#include <annulus/core/rows/sparse_row_store.hpp>
#include <annulus/nndescent/index/row_walk.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Walks over sparse rows under a metric.
template <class T, class Metric>
class sparse_walk {
 public:
  using row_type = sparse_row<T>;
  static constexpr bool is_exact = true, is_compressed = false;
  using rank_type = row_rank_t<Metric, row_type>;

  /// A view: of the row of a caller or of the walk, valid while that stays.
  struct query {
    row_type row;
  };

  sparse_walk(std::size_t dim, const Metric& metric) : m_metric(metric), m_rows(dim) {}
  sparse_walk(unfilled, const Metric& metric) : sparse_walk(0, metric) {}

  std::size_t size() const noexcept { return m_rows.size(); }
  std::size_t dim() const noexcept { return m_rows.dim(); }
  std::size_t memory_bytes() const noexcept { return m_rows.memory_bytes(); }
  void resize(std::size_t n) { m_rows.resize(n); }
  void assign(std::size_t i, const row_type& row) { m_rows.assign(i, row); }
  void keep_only(std::span<const id_type> order) { m_rows.keep_only(order); }
  const sparse_row_store<T>& rows() const noexcept { return m_rows; }

  query make_query() const { return {}; }
  void prepare(const row_type& row, query& q) const noexcept { q.row = row; }
  void prepare_row(std::size_t i, query& q) const noexcept { q.row = m_rows.row(i); }
  bool lacks_direction(const query& q) const noexcept { return is_cosine<Metric> && q.row.indices.empty(); }
  void ranks(const query& q, std::span<const id_type> ids, rank_type* out) const {
    const row_query rank(m_metric, q.row);
    for (std::size_t i = 0; i < ids.size(); ++i) out[i] = rank(m_rows.row(ids[i]));
  }
  void prefetch(std::size_t i) const noexcept { m_rows.prefetch(i); }

  std::string defect() const { return m_rows.defect(); }
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    persistence::persist(self.m_rows, archive);
    // Metrics that know a dimension look parameters up by index: those of a mapped file are looked over at once.
    if constexpr (Archive::is_loading && checks_dimension<Metric>)
      archive.expect(self.m_rows.is_within(), "has an index that is not below its dimension");
  }

 private:
  Metric m_metric;
  sparse_row_store<T> m_rows;
};

template <class T, class Metric>
struct walk_of<csr_matrix<T>, Metric, full_precision> {
  using type = sparse_walk<T, Metric>;
  static type make(const csr_view<T>& data, const Metric& metric, full_precision) { return {data.dim(), metric}; }
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
