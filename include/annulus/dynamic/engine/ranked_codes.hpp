#pragma once

/// \file
/// ranked_codes: an index of codes with what annulus::dynamic keeps beside it: the rows by which the best of what codes
/// find are ranked, and whether distances are squares or their roots.

#include <annulus/core/rows/dense_row_store.hpp>
#include <annulus/core/rows/value_checks.hpp>
#include <annulus/quantization/rabitq_index.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Index: pq_index or fast_scan_index, which have rows beside them or not, or rabitq_index, which has. Files are those
/// of Index, whose own readers pass over what is added.
template <class Index>
class ranked_codes {
 public:
  static constexpr std::string_view kind = Index::kind;  ///< in files
  static constexpr bool needs_rows = std::same_as<Index, rabitq_index>;

  /// Keeps a copy of `rows`, those of the codes, where `keep_rows` or where it needs them. `roots`: distances are roots
  /// of the squares that Index compares.
  ranked_codes(Index index, matrix_view<float> rows, bool keep_rows, bool roots)
      : m_index(std::move(index)), m_keeps_rows(keep_rows || needs_rows), m_takes_roots(roots), m_rows(m_index.dim()) {
    if (!m_keeps_rows) return;
    m_rows.resize(rows.rows());
    copy_rows(rows, 0);
  }

  template <class Params>
  neighbors search(matrix_view<float> queries, std::size_t k, const Params& params) const {
    neighbors found = search_squares(queries, k, params);
    if (m_takes_roots)
      for (std::size_t i = 0; i < found.distances.rows(); ++i)
        for (float& distance : found.distances.row(i)) distance = detail::sqrt(std::max(distance, 0.0f));
    return found;
  }

  /// Adds rows and returns the id of the first. Nothing changes where it throws.
  id_type insert(matrix_view<float> rows, const run_params& params) {
    if (!m_keeps_rows) return m_index.insert(rows, params);
    const std::size_t before = m_rows.size();
    m_rows.resize(before + rows.rows());
    try {
      const id_type first = m_index.insert(rows, params);
      copy_rows(rows, before);
      return first;
    } catch (...) {
      m_rows.resize(before);
      throw;
    }
  }

  const Index& index() const noexcept { return m_index; }
  bool keeps_rows() const noexcept { return m_keeps_rows; }
  bool takes_roots() const noexcept { return m_takes_roots; }
  std::size_t memory_bytes() const noexcept { return m_index.memory_bytes() + m_rows.memory_bytes(); }

 private:
  template <class Params>
  neighbors search_squares(matrix_view<float> queries, std::size_t k, const Params& params) const {
    if constexpr (needs_rows) return m_index.search(queries, k, m_rows.view(), params);
    else return m_keeps_rows ? m_index.search(queries, k, m_rows.view(), params) : m_index.search(queries, k, params);
  }

  void copy_rows(matrix_view<float> rows, std::size_t first) {
    for (std::size_t i = 0; i < rows.rows(); ++i) m_rows.assign(first + i, rows.row(i));
  }

  friend persistence;
  explicit ranked_codes(unfilled) : m_index(persistence::make<Index>()) {}

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    persistence::persist(self.m_index, archive);
    // A file that a program in C++ wrote has the codes alone.
    bool is_plain = !self.m_keeps_rows && !self.m_takes_roots;
    if constexpr (Archive::is_loading) is_plain = !archive.has("keep_rows");
    if (!is_plain) {
      archive("keep_rows", self.m_keeps_rows);
      archive("roots", self.m_takes_roots);
    }
    archive.expect(self.m_keeps_rows || !needs_rows,
                   "was saved without its rows, by which it ranks what codes find: build it anew, or open it in C++ by "
                   "load_index<annulus::rabitq_index>");
    if constexpr (Archive::is_loading) self.m_rows = dense_row_store<float>(self.m_index.dim());
    if (!self.m_keeps_rows) return;
    archive.part("rows", self.m_rows);
    archive.expect(self.m_rows.size() == self.m_index.size(), "does not have a row for each code");
  }
  std::string defect() const {
    if (std::string of_index = persistence::defect(m_index); !of_index.empty()) return of_index;
    for (std::size_t i = 0; i < m_rows.size(); ++i)
      if (!all_finite(m_rows.row(i))) return "rows: row " + std::to_string(i) + " has a NaN or an infinity";
    return {};
  }

  Index m_index;
  bool m_keeps_rows = false, m_takes_roots = false;
  dense_row_store<float> m_rows;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
