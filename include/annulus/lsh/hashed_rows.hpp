#pragma once

/// \file
/// The rows of an LSH index in every form it keeps them: buckets in all tables, contents, and ids.

#include <annulus/lsh/params.hpp>
#include <annulus/lsh/row_ids.hpp>
#include <annulus/lsh/row_store.hpp>
#include <annulus/lsh/tables.hpp>

#include <new>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Keeps tables, contents and ids in step while rows are inserted, erased and replaced. With only_index no contents are
/// kept. A member that throws has changed nothing.
template <class Points>
class hashed_rows {
 public:
  using store_type = row_store<Points>;
  using view_type = typename store_type::view_type;

  hashed_rows(std::size_t dim, const lsh_params& params)
      : m_has_contents(!params.only_index), m_tables(params.n_tables), m_contents(dim) {}
  hashed_rows(unfilled, std::size_t dim, const lsh_params& params)
      : m_has_contents(!params.only_index), m_tables(unfilled{}, params.n_tables), m_contents(dim) {}

  const hash_tables& tables() const noexcept { return m_tables; }
  const store_type& contents() const noexcept { return m_contents; }
  const row_ids& ids() const noexcept { return m_ids; }
  std::size_t memory_bytes() const noexcept {
    return m_tables.memory_bytes() + m_contents.memory_bytes() + m_ids.memory_bytes();
  }

  /// Inserts checked rows under new ids and returns the first of these.
  template <class Hasher>
  id_type insert(const Hasher& hasher, const view_type& rows, const thread_team& team) {
    const id_type first = m_ids.give_out(rows.size());
    try {
      append(hasher, rows, first, team);
    } catch (...) {
      m_ids.take_back(first);
      throw;
    }
    compact_if_due(team);
    return first;
  }

  void erase(id_type id, const thread_team& team) {
    m_ids.erase(id);
    compact_if_due(team);
  }

  /// Gives `id` the contents of a checked row.
  template <class Hasher>
  void update(const Hasher& hasher, id_type id, const view_type& row, const thread_team& team) {
    const id_type old = m_ids.row_of(id);
    append(hasher, row, id, team);
    m_ids.erase_row(old);
    compact_if_due(team);
  }

  /// Sorts inserted rows into the tables and drops erased ones.
  void compact(const thread_team& team) {
    if (m_tables.n_added() == 0 && m_ids.n_alive() == m_ids.n_rows()) return;
    const std::vector<id_type> numbers = m_ids.numbers_alive();
    m_tables.renumber(numbers, m_ids.n_alive(), team);
    if (m_has_contents) m_contents.renumber(numbers, m_ids.n_alive());
    m_ids.renumber(numbers);
  }

  bucket_statistics describe() const {
    return m_tables.describe([&](std::size_t row) { return m_ids.is_alive(row); });
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive.part("tables", self.m_tables);
    if (self.m_has_contents) archive.part("rows", self.m_contents);
    row_ids::persist(self.m_ids, archive, self.m_tables.size());
    archive.expect(!self.m_has_contents || self.m_contents.size() == self.m_ids.n_rows(), "has rows of no table");
  }
  std::string defect() const {
    std::string defect = defect_of("tables", m_tables.defect());
    if (defect.empty() && m_has_contents) defect = defect_of("rows", m_contents.defect());
    return defect.empty() ? m_ids.defect() : defect;
  }

 private:
  /// Appends checked rows under the ids from first_id on, which were given out.
  template <class Hasher>
  void append(const Hasher& hasher, const view_type& rows, id_type first_id, const thread_team& team) {
    const std::size_t n = rows.size(), first = m_ids.n_rows();
    m_ids.make_room(n);
    try {
      if (m_has_contents) m_contents.append(rows);
      m_tables.add(n, team,
                   [&](std::size_t begin, std::size_t end, std::size_t table, std::size_t n_tables,
                       std::uint64_t* keys) { hasher.hash(rows, begin, end - begin, table, n_tables, keys); });
    } catch (...) {
      if (m_has_contents) m_contents.truncate(first);
      throw;
    }
    m_ids.append(first_id, n);
  }

  /// Compacts once a fifth of all rows are erased, or the added rows make searches slow. Where memory for that is
  /// lacking, the index stays as it is and the next change tries again.
  void compact_if_due(const thread_team& team) {
    constexpr std::size_t share = 5;
    try {
      if (m_tables.should_sort() || share * (m_ids.n_rows() - m_ids.n_alive()) > m_ids.n_rows()) compact(team);
    } catch (const std::bad_alloc&) {
    }
  }

  bool m_has_contents;
  hash_tables m_tables;
  store_type m_contents;
  row_ids m_ids;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
