// hnswlib::HierarchicalNSW of float rows.

#include <hnswlib/hnswlib.h>
#include <annulus/core/base/parallel.hpp>

#include <cmath>
#include <optional>

#include "graph_index.hpp"

namespace compare {
namespace {

/// A filter as hnswlib asks for it.
class allowed_labels final : public hnswlib::BaseFilterFunctor {
 public:
  explicit allowed_labels(const std::vector<bool>& allowed) : m_allowed(allowed) {}
  bool operator()(hnswlib::labeltype label) override { return m_allowed[label]; }

 private:
  const std::vector<bool>& m_allowed;
};

class hnswlib_index final : public graph_index {
 public:
  hnswlib_index(metric m, std::size_t dim, bool reuse) : m_normalizes(m == metric::cosine), m_reuse(reuse) {
    if (m == metric::sqeuclidean) m_space = std::make_unique<hnswlib::L2Space>(dim);
    else m_space = std::make_unique<hnswlib::InnerProductSpace>(dim);
  }

  void build(rows_view rows, std::size_t threads) override {
    constexpr std::size_t m = 16, ef_construction = 200, seed = 100;
    m_index.emplace(m_space.get(), std::max<std::size_t>(rows.rows(), 1), m, ef_construction, seed, m_reuse);
    insert(rows, threads);
  }
  void insert(rows_view rows, std::size_t threads) override {
    reserve(rows.rows());
    const auto add = [&](std::size_t begin, std::size_t end, std::size_t) {
      std::vector<float> unit;
      for (std::size_t i = begin; i < end; ++i)
        m_index->addPoint(as_compared(rows.row(i), unit), m_next_id + i, m_reuse);
    };
    // The first row is the entry point of all others, which are not to come before it.
    const std::size_t alone = m_next_id == 0 && rows.rows() > 0 ? 1 : 0;
    add(0, alone, 0);
    annulus::parallel_for(threads, rows.rows() - alone, 64, [&](std::size_t begin, std::size_t end, std::size_t w) {
      add(begin + alone, end + alone, w);
    });
    m_next_id += rows.rows();
  }
  void erase(id_type id) override { m_index->markDelete(id); }
  void update(id_type id, row_view row) override { m_index->addPoint(as_compared(row, m_unit), id); }

  void search(row_view query, std::span<id_type> ids, std::size_t width, const row_filter* filter) override {
    constexpr std::size_t default_ef = 10;
    m_index->setEf(width == 0 ? default_ef : width);
    std::optional<allowed_labels> allowed;
    if (filter != nullptr) allowed.emplace(*filter->allowed);
    auto found = m_index->searchKnn(as_compared(query, m_unit), ids.size(), allowed ? &*allowed : nullptr);
    std::ranges::fill(ids, annulus::no_id);
    for (; !found.empty(); found.pop()) ids[found.size() - 1] = static_cast<id_type>(found.top().second);
  }

 private:
  /// Makes room for so many rows more.
  void reserve(std::size_t count) {
    const std::size_t vacant = m_reuse ? m_index->getDeletedCount() : 0;
    const std::size_t needed = m_index->getCurrentElementCount() + count - std::min(count, vacant);
    if (needed > m_index->getMaxElements()) m_index->resizeIndex(std::max(needed, 2 * m_index->getMaxElements()));
  }
  /// Under the cosine, of length 1.
  const float* as_compared(row_view row, std::vector<float>& unit) const {
    if (!m_normalizes) return row.data();
    double square = 0;
    for (const float x : row) square += static_cast<double>(x) * static_cast<double>(x);
    const auto scale = static_cast<float>(square > 0 ? 1 / std::sqrt(square) : 0);
    unit.resize(row.size());
    std::ranges::transform(row, unit.begin(), [&](float x) { return scale * x; });
    return unit.data();
  }

  bool m_normalizes, m_reuse;
  std::unique_ptr<hnswlib::SpaceInterface<float>> m_space;
  std::optional<hnswlib::HierarchicalNSW<float>> m_index;
  std::size_t m_next_id = 0;
  std::vector<float> m_unit;
};

}  // namespace

std::unique_ptr<graph_index> make_hnswlib(metric m, std::size_t dim, bool reuse) {
  return std::make_unique<hnswlib_index>(m, dim, reuse);
}

}  // namespace compare
