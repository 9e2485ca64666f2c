#pragma once

/// \file
/// One library in one situation.

#include <functional>

#include "measure.hpp"
#include "recall.hpp"

namespace compare {

/// An index, and beside it all rows that it was given, by id.
class trial {
 public:
  static constexpr std::size_t widths[] = {64, 256, 0};  ///< that all is asked at; 0: the library's default

  trial(std::string situation, std::string method, metric m, std::size_t dim, std::unique_ptr<graph_index> index)
      : m_situation(std::move(situation)),
        m_method(std::move(method)),
        m_metric(m),
        m_dim(dim),
        m_index(std::move(index)) {}

  /// Takes the memory for so many rows, so that later growth is the index's.
  void reserve(std::size_t n_rows) {
    m_values.resize(n_rows * m_dim);
    m_values.clear();
    m_is_there.reserve(n_rows);
  }
  void build(rows_view rows) {
    m_index->build(rows, 1);
    remember(rows);
  }
  void insert(rows_view rows) {
    m_index->insert(rows, 1);
    remember(rows);
  }
  void erase(id_type id) {
    m_index->erase(id);
    m_is_there[id] = false;
  }
  void update(id_type id, row_view row) {
    m_index->update(id, row);
    std::ranges::copy(row, m_values.begin() + static_cast<std::ptrdiff_t>(id * m_dim));
  }

  /// Prints the recall of the k nearest rows of each query that are there and that `passes(query, row)`.
  void ask(const std::string& what, annulus::matrix<float> queries, std::size_t k,
           const std::function<bool(std::size_t, id_type)>& passes = nullptr) {
    const auto may_return = [&](std::size_t q, id_type id) {
      return m_is_there[id] && (passes == nullptr || passes(q, id));
    };
    std::vector<row_filter> filters;
    for (std::size_t q = 0; passes != nullptr && q < queries.rows(); ++q) {
      std::vector<bool> allowed(m_is_there.size());
      for (id_type i = 0; i < allowed.size(); ++i) allowed[i] = passes(q, i);
      filters.emplace_back(std::move(allowed));
    }
    const rows_view rows(m_values.data(), m_is_there.size(), m_dim);
    const question asked(m_metric, rows, std::move(queries), k, may_return);
    for (const std::size_t width : widths)
      print_record({{"comparison", "situation"},
                    {"situation", m_situation},
                    {"question", what},
                    {"method", m_method},
                    {"k", k},
                    {"width", width},
                    {"recall", recall(*m_index, rows, asked, width, filters, may_return)}});
  }

  const std::string& situation() const { return m_situation; }
  const std::string& method() const { return m_method; }

 private:
  void remember(rows_view rows) {
    for (std::size_t i = 0; i < rows.rows(); ++i)
      m_values.insert(m_values.end(), rows.row(i).begin(), rows.row(i).end());
    m_is_there.resize(m_is_there.size() + rows.rows(), true);
  }

  std::string m_situation, m_method;
  metric m_metric;
  std::size_t m_dim;
  std::unique_ptr<graph_index> m_index;
  std::vector<float> m_values;
  std::vector<bool> m_is_there;
};

}  // namespace compare
