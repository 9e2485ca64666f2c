// annulus::nndescent_index by its defaults.

#include <annulus/nndescent/index.hpp>

#include <optional>

#include "graph_index.hpp"

namespace compare {
namespace {

template <class T, class Metric, class Storage>
class annulus_index final : public graph_index {
 public:
  void build(rows_view rows, std::size_t threads) override {
    m_index.emplace(as_stored(rows), Metric{}, annulus::nndescent_params{.threads = threads}, Storage{});
  }
  void insert(rows_view rows, std::size_t threads) override {
    insert_rows(*m_index, as_stored(rows), threads);
    m_scratch.reset();
  }
  void erase(id_type id) override {
    m_index->erase(id);
    m_scratch.reset();
  }
  void update(id_type id, row_view row) override {
    m_index->update(id, as_stored(row));
    m_scratch.reset();
  }
  void search(row_view query, std::span<id_type> ids, std::size_t width, const row_filter* filter) override {
    if (!m_scratch) m_scratch.emplace(m_index->make_scratch());
    m_distances.resize(ids.size());
    annulus::nndescent_search_params params{.beam = width};
    if (filter != nullptr) params.filter = filter->for_annulus;
    std::span<const T> row;
    if constexpr (std::same_as<T, float>) {
      row = query;
    } else {
      m_row.assign(query.begin(), query.end());
      row = m_row;
    }
    m_index->search(row, ids, m_distances, *m_scratch, params);
  }

 private:
  using index = annulus::nndescent_index<annulus::matrix<T>, Metric, Storage>;

  /// By as many threads as insert can use.
  template <class Index, class Rows>
  static void insert_rows(Index& index, const Rows& rows, std::size_t threads) {
    if constexpr (requires { index.insert(rows, {.threads = threads}); }) index.insert(rows, {.threads = threads});
    else index.insert(rows);
  }

  static auto as_stored(rows_view rows) {
    if constexpr (std::same_as<T, float>) {
      return rows;
    } else {
      annulus::matrix<T> stored(rows.rows(), rows.cols());
      for (std::size_t i = 0; i < rows.rows(); ++i) std::ranges::copy(rows.row(i), stored.row(i).begin());
      return stored;
    }
  }

  std::optional<index> m_index;
  std::optional<typename index::search_scratch> m_scratch;
  std::vector<T> m_row;
  std::vector<float> m_distances;
};

template <class Storage>
std::unique_ptr<graph_index> make_of_floats(metric m) {
  switch (m) {
    case metric::sqeuclidean:
      return std::make_unique<annulus_index<float, annulus::sqeuclidean, Storage>>();
    case metric::cosine:
      return std::make_unique<annulus_index<float, annulus::cosine, Storage>>();
    case metric::inner_product:
      return std::make_unique<annulus_index<float, annulus::inner_product, Storage>>();
  }
  return nullptr;
}

}  // namespace

std::unique_ptr<graph_index> make_annulus(metric m, storage s) {
  if (s == storage::bytes)
    return std::make_unique<annulus_index<std::uint8_t, annulus::sqeuclidean, annulus::full_precision>>();
  return s == storage::sq8 ? make_of_floats<annulus::sq8>(m) : make_of_floats<annulus::full_precision>(m);
}

}  // namespace compare
