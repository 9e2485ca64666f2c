#pragma once

// any_index for one type of index. What the suite asks of the library's interface is here and in filter_of alone.

#include <annulus/core/rows/bit_matrix.hpp>
#include <annulus/io/index/index_file.hpp>
#include <annulus/nndescent/index.hpp>

#include "situations/any_index.hpp"

namespace situations {

/// Rows of 0 and 1 as packed bits.
struct packed_bits {};

template <class Points>
auto points_of(const matrix<float>& rows) {
  if constexpr (std::same_as<Points, packed_bits>) {
    annulus::bit_matrix points(rows.rows(), rows.cols());
    for (std::size_t i = 0; i < rows.rows(); ++i)
      for (std::size_t j = 0; j < rows.cols(); ++j) points.set(i, j, rows(i, j) != 0);
    return points;
  } else if constexpr (std::same_as<Points, annulus::csr_matrix<float>>) {
    std::vector<std::int64_t> indptr{0};
    std::vector<std::int32_t> members;
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      for (std::size_t j = 0; j < rows.cols(); ++j)
        if (rows(i, j) != 0) members.push_back(static_cast<std::int32_t>(j));
      indptr.push_back(static_cast<std::int64_t>(members.size()));
    }
    return Points(std::move(indptr), std::move(members), rows.cols());
  } else {
    using number = typename Points::value_type;
    Points points(rows.rows(), rows.cols());
    std::transform(rows.data(), rows.data() + rows.rows() * rows.cols(), points.data(),
                   [](float x) { return static_cast<number>(x); });
    return points;
  }
}

/// Points: a matrix, a csr_matrix of sets, or packed_bits.
template <class Points, class Metric, class Storage = annulus::full_precision>
class index_of final : public any_index {
  using stored = std::conditional_t<std::same_as<Points, packed_bits>, annulus::matrix<std::uint8_t>, Points>;
  using index_type = annulus::nndescent_index<stored, Metric, Storage>;

 public:
  explicit index_of(index_type index) : m_index(std::move(index)) {}
  static std::unique_ptr<any_index> make(const matrix<float>& rows, const annulus::nndescent_params& params) {
    return std::make_unique<index_of>(index_type(points_of<Points>(rows), Metric{}, params, Storage{}));
  }

  std::size_t size() const override { return m_index.size(); }
  std::size_t memory_bytes() const override { return m_index.memory_bytes(); }
  neighbors search(const matrix<float>& queries, std::size_t k,
                   const annulus::nndescent_search_params& params) const override {
    return m_index.search(points_of<Points>(queries), k, params);
  }
  annulus::csr radius_search(const matrix<float>& queries, float radius,
                             const annulus::nndescent_search_params& params) const override {
    return m_index.radius_search(points_of<Points>(queries), radius, params);
  }
  graph_lists graph() const override { return {m_index.ids(), m_index.graph()}; }
  annulus::tuned_search tune(const matrix<float>& queries, double target_recall, std::size_t k) const override {
    return m_index.tune(points_of<Points>(queries), target_recall, {.k = k, .threads = 1});
  }

  id_type insert(const matrix<float>& rows) override { return m_index.insert(points_of<Points>(rows), {.threads = 2}); }
  void erase(id_type id) override { m_index.erase(id); }
  void update(id_type id, const matrix<float>& row) override { m_index.update(id, points_of<Points>(row)); }
  void consolidate() override { m_index.consolidate(); }

  void save(const std::filesystem::path& path) const override { annulus::save(m_index, path); }
  std::unique_ptr<any_index> load(const std::filesystem::path& path) const override {
    return std::make_unique<index_of>(annulus::load_index<index_type>(path));
  }
  std::unique_ptr<any_index> map(const std::filesystem::path& path) const override {
    auto index = annulus::map_index<index_type>(path);
    annulus::verify(index);  // before it is changed
    return std::make_unique<index_of>(std::move(index));
  }

 private:
  index_type m_index;
};

}  // namespace situations
