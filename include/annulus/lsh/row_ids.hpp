#pragma once

/// \file
/// The ids of the rows of an LSH index: a row keeps its id while its number changes.

#include <annulus/core/base/ids.hpp>
#include <annulus/storage/archive.hpp>

#include <algorithm>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Rows are numbered from 0 in the order they came; an erased one keeps its number until renumber. Ids are given out in
/// order, none twice.
class row_ids {
 public:
  std::size_t n_rows() const noexcept { return m_ids.size(); }  ///< erased ones too
  std::size_t n_alive() const noexcept { return m_n_alive; }
  std::size_t n_ids() const noexcept { return m_rows.size(); }  ///< given out so far
  std::size_t memory_bytes() const noexcept { return m_ids.memory_bytes() + m_rows.memory_bytes(); }

  /// The id of each row, no_id for an erased one.
  std::span<const id_type> of_rows() const noexcept { return {m_ids.data(), m_ids.size()}; }
  bool is_alive(std::size_t row) const noexcept { return m_ids[row] != no_id; }
  bool holds(id_type id) const noexcept { return id < m_rows.size() && m_rows[id] != no_id; }
  id_type row_of(id_type id) const noexcept { return m_rows[id]; }

  /// Gives out n ids for rows to be appended, and returns the first of them.
  id_type give_out(std::size_t n) {
    const auto first = static_cast<id_type>(m_rows.size());
    m_rows.resize(first + n, no_id);
    return first;
  }
  /// Takes back the ids from `first` on, whose rows were not appended.
  void take_back(id_type first) noexcept { m_rows.resize(first); }

  /// Makes room for n more rows, which append needs.
  void make_room(std::size_t n) { m_ids.make_room(n); }
  /// Appends n rows, with the ids from first_id on.
  void append(id_type first_id, std::size_t n) noexcept {
    for (std::size_t i = 0; i < n; ++i) {
      const auto id = static_cast<id_type>(first_id + i);
      m_rows[id] = static_cast<id_type>(m_ids.size());
      m_ids.push_back(id);
    }
    m_n_alive += n;
  }
  void erase(id_type id) noexcept { erase_row(std::exchange(m_rows[id], no_id)); }
  /// Erases a row whose id has another one by now.
  void erase_row(id_type row) noexcept {
    m_ids[row] = no_id;
    --m_n_alive;
  }

  /// For each row its number among those alive, no_id for an erased one.
  std::vector<id_type> numbers_alive() const {
    std::vector<id_type> numbers(m_ids.size(), no_id);
    id_type n = 0;
    for (std::size_t row = 0; row < m_ids.size(); ++row)
      if (m_ids[row] != no_id) numbers[row] = n++;
    return numbers;
  }
  /// Row i becomes row numbers[i], as numbers_alive gives them; erased rows are dropped.
  void renumber(std::span<const id_type> numbers) noexcept {
    for (std::size_t row = 0; row < m_ids.size(); ++row)
      if (numbers[row] != no_id) m_ids[numbers[row]] = m_ids[row];
    m_ids.resize(m_n_alive);
    for (std::size_t row = 0; row < m_n_alive; ++row) m_rows[m_ids[row]] = static_cast<id_type>(row);
  }

  /// For n_rows rows.
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive, std::uint64_t n_rows) {
    std::uint64_t n_ids = self.m_rows.size();
    archive("size", self.m_n_alive);
    archive("n_ids", n_ids);
    archive("ids", self.m_ids, {n_rows});
    archive("rows_of_ids", self.m_rows, {n_ids});
    archive.expect(self.m_n_alive <= self.m_ids.size() && n_ids < no_id, "has more rows than ids");
  }
  std::string defect() const {
    std::size_t n = 0;
    for (std::size_t row = 0; row < m_ids.size(); ++row) {
      if (m_ids[row] == no_id) continue;
      if (m_ids[row] >= m_rows.size() || m_rows[m_ids[row]] != row)
        return "ids: row " + std::to_string(row) + " is not that of its id";
      ++n;
    }
    const std::size_t n_with_rows = m_rows.size() - static_cast<std::size_t>(std::ranges::count(m_rows, no_id));
    if (n_with_rows != n)
      return "rows_of_ids: " + std::to_string(n_with_rows) + " ids have rows, of " + std::to_string(n);
    return n == m_n_alive ? "" : "size: " + std::to_string(n) + " rows are alive";
  }

 private:
  buffer<id_type> m_ids;   ///< of the rows
  buffer<id_type> m_rows;  ///< of the ids, no_id where the row was erased
  std::size_t m_n_alive = 0;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
