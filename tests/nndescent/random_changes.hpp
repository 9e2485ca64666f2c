#pragma once

// Changes at random of an index, and of what it holds as plainly as it can be written.

#include <map>

#include "catch.hpp"
#include "nndescent/indexes.hpp"

namespace changes {

using namespace annulus;
using indexes::clustered;
using indexes::rows_between;
using searches::well_formed;

using float_rows = matrix<float>;

template <class Storage>
using index_over = nndescent_index<float_rows, euclidean, Storage>;

/// What an index holds, as plainly as it can be written.
class model {
 public:
  explicit model(std::size_t dim) : m_dim(dim) {}
  void insert(id_type id, std::span<const float> row) { m_rows[id].assign(row.begin(), row.end()); }
  void erase(id_type id) { m_rows.erase(id); }
  std::size_t size() const { return m_rows.size(); }
  bool holds(id_type id) const { return m_rows.contains(id); }
  const std::vector<float>& row(id_type id) const { return m_rows.at(id); }
  id_type any(std::size_t number) const {
    return std::next(m_rows.begin(), static_cast<std::ptrdiff_t>(number % size()))->first;
  }
  neighbors search(const float_rows& queries, std::size_t k) const {
    float_rows rows(size(), m_dim);
    std::vector<id_type> ids;
    for (const auto& [id, row] : m_rows) {
      std::ranges::copy(row, rows.row(ids.size()).begin());
      ids.push_back(id);
    }
    auto found = knn(rows, queries, k);
    for (id_type& id : std::span(found.ids.data(), queries.rows() * k)) id = id == no_id ? no_id : ids[id];
    return found;
  }
  /// Ids that are not held, and distances that are not those of the rows.
  std::size_t wrong(const neighbors& found, const float_rows& queries) const {
    std::size_t n_wrong = 0;
    for (std::size_t i = 0; i < queries.rows(); ++i)
      for (std::size_t j = 0; j < found.ids.cols(); ++j) {
        const id_type id = found.ids(i, j);
        if (id == no_id) continue;
        n_wrong += !holds(id) || found.distances(i, j) != euclidean{}(queries.row(i).data(), row(id).data(), m_dim);
      }
    return n_wrong;
  }
  /// Entries of a k-NN graph that name rows that are not held, or not their distances, and lists of other ids than
  /// those that are held.
  template <class Index>
  std::size_t wrong_edges(const Index& index) const {
    const neighbors graph = index.graph();
    const std::vector<id_type> ids = index.ids();
    std::size_t n_wrong = ids.size() != size() || graph.ids.rows() != size();
    for (std::size_t i = 0; i < std::min(ids.size(), graph.ids.rows()); ++i) {
      n_wrong += !holds(ids[i]) || (i > 0 && ids[i] <= ids[i - 1]);
      for (std::size_t j = 0; j < graph.ids.cols(); ++j) {
        const id_type id = graph.ids(i, j);
        if (id == no_id) continue;
        n_wrong += !holds(id) || id == ids[i] ||
                   graph.distances(i, j) != euclidean{}(row(ids[i]).data(), row(id).data(), m_dim);
      }
    }
    return n_wrong;
  }

 private:
  std::size_t m_dim;
  std::map<id_type, std::vector<float>> m_rows;
};

/// Against a model, after each of hundreds of changes at random.
template <class Storage>
void check_any_order() {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const counter_random random(seed);
    const auto source = clustered<float>(1500, 6, 0, 10).rows;
    index_over<Storage> index(rows_between(source, 0, 100 * seed), {}, {.n_neighbors = 12});
    model expected(6);
    for (id_type i = 0; i < 100 * seed; ++i) expected.insert(i, source.row(i));
    std::size_t next = 100 * seed, wrong = 0, wrong_edges = 0, ill_formed = 0;
    double sum = 0, searches = 0;
    std::string defect;
    for (std::size_t step = 0; step < 1200; ++step) {
      const auto dice = random.below(3 * step, 100);
      const auto number = random.below(3 * step + 1, 1u << 20);
      const bool grows = step / 200 % 2 == 0;  // in turns, so that it gets small and large
      if (dice < (grows ? 50u : 15u)) {
        const std::size_t count = std::min<std::size_t>(1 + number % 3, 1500 - next % 1500);
        const auto rows = rows_between(source, next % 1500, next % 1500 + count);
        const id_type first = index.insert(rows);
        for (std::size_t i = 0; i < count; ++i) expected.insert(static_cast<id_type>(first + i), rows.row(i));
        next += count;
      } else if (dice < 75 && expected.size() > 0) {
        const id_type id = expected.any(number);
        index.erase(id);
        expected.erase(id);
      } else if (dice < 85 && expected.size() > 0) {
        const id_type id = expected.any(number);
        index.update(id, source.row(number % 1500));
        expected.insert(id, source.row(number % 1500));
      } else {
        const std::size_t first = number % 1480;
        const auto queries = rows_between(source, first, first + 8);
        const auto found =
            index.search(queries, 7, dice % 2 == 0 ? nndescent_search_params{.beam = 30} : nndescent_search_params{});
        wrong += expected.wrong(found, queries);
        ill_formed += !well_formed(found);
        if (expected.size() > 0) sum += recall(found, expected.search(queries, 7), 7);
        searches += expected.size() > 0;
      }
      if (step % 100 != 50) continue;
      wrong_edges += expected.wrong_edges(index);
      if (defect.empty()) defect = annulus::detail::persistence::defect(index);
    }
    CAPTURE(seed);
    CHECK(index.size() == expected.size());
    CHECK(wrong == 0);
    CHECK(wrong_edges == 0);
    CHECK(defect == "");
    CHECK(ill_formed == 0);
    CHECK(sum / searches >= 0.97);
  }
}

}  // namespace changes
