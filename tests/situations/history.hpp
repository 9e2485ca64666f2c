#pragma once

// What happens to an index before it is asked, with a collection beside it.

#include <filesystem>
#include <string_view>

#include "situations/collection.hpp"
#include "situations/data.hpp"

namespace situations {

enum class operation {
  build,              ///< of all rows
  build_part,         ///< of a tenth; the others are inserted, some at a time
  insert_in_order,    ///< into an empty index, some at a time
  insert_one_by_one,  ///< into an empty index
  erase_region,       ///< a row and those around it
  reinsert_region,    ///< the same, and the same rows are inserted again
  erase_some,         ///< any, up to a half
  update_few,         ///< a twentieth of the rows, ten times each
  move_region,        ///< a row and those around it become other rows
  window,             ///< the oldest is erased and a new one inserted, again and again
  consolidate,        ///< after some were erased
  reinsert_all,       ///< all are erased and inserted again, in another order
  load,               ///< saved and loaded
  map                 ///< saved and mapped, then changed
};
inline constexpr std::string_view operation_names[] = {"build",
                                                       "build a part, insert the others",
                                                       "insert in order",
                                                       "insert one by one",
                                                       "erase a region",
                                                       "reinsert a region",
                                                       "erase some",
                                                       "update few",
                                                       "move a region",
                                                       "window",
                                                       "consolidate",
                                                       "reinsert all",
                                                       "load",
                                                       "map"};
inline constexpr auto n_starts = static_cast<std::size_t>(operation::erase_region);

class history {
 public:
  /// Of the rows in `pool`, which arrive in their order, the first n_start are there at first.
  history(const kind& of, matrix<float> pool, std::size_t n_start, const annulus::nndescent_params& params,
          dice& random, std::filesystem::path file = {})
      : m_pool(std::move(pool)),
        m_n_start(n_start),
        m_params(params),
        m_rows(of),
        m_random(random),
        m_file(std::move(file)) {}

  const any_index& index() const { return *m_index; }
  any_index& index() { return *m_index; }
  const collection& rows() const { return m_rows; }
  const kind& of() const { return m_rows.of(); }
  const annulus::nndescent_params& params() const { return m_params; }
  /// Rows that were erased last.
  const matrix<float>& erased() const { return m_erased; }

  /// The first is one of the starts.
  void apply(operation what) {
    switch (what) {
      case operation::build:
        start(m_n_start, 1);
        break;
      case operation::build_part:
        start(m_n_start / 10, m_n_start / 7 + 1);
        break;
      case operation::insert_in_order:
        start(0, m_n_start / 7 + 1);
        break;
      case operation::insert_one_by_one:
        start(0, 1);
        break;
      case operation::erase_region:
        erase(region(m_rows.size() / m_random.from(5, 20)));
        break;
      case operation::reinsert_region:
        reinsert(region(m_rows.size() / m_random.from(3, 20)));
        break;
      case operation::erase_some:
        erase(some(m_rows.size() / m_random.from(2, 10)));
        break;
      case operation::update_few:
        update_few();
        break;
      case operation::move_region:
        for (const id_type id : region(m_rows.size() / 10)) update(id, next_row());
        break;
      case operation::window:
        slide(std::min<std::size_t>(m_rows.size(), 1000));
        break;
      case operation::consolidate:
        erase(some(m_rows.size() / 10));
        m_index->consolidate();
        break;
      case operation::reinsert_all:
        reinsert(some(m_rows.size()));
        break;
      case operation::load:
        replace(false);
        break;
      case operation::map:
        replace(true);
        break;
    }
    require(m_index->size() == m_rows.size(), "the index has ", m_index->size(), " rows of ", m_rows.size());
  }

  void insert(const matrix<float>& rows) {
    const auto expected = static_cast<id_type>(m_rows.n_given_out());
    for (std::size_t i = 0; i < rows.rows(); ++i) m_rows.append(rows.row(i));
    const id_type first = m_index->insert(rows);
    require(rows.rows() == 0 || first == expected, "the first of inserted rows has the id ", first, ", not ", expected);
  }
  void erase(std::span<const id_type> ids) {
    if (!ids.empty()) m_erased = m_rows.rows(ids);
    for (const id_type id : ids) {
      m_index->erase(id);
      m_rows.erase(id);
    }
  }
  void reinsert(std::span<const id_type> ids) {
    const matrix<float> rows = m_rows.rows(ids);
    erase(ids);
    insert(rows);
    m_erased = {};
  }
  void update(id_type id, const matrix<float>& row) {
    m_index->update(id, row);
    m_rows.update(id, row.row(0));
  }
  /// Erases the oldest row and inserts the next, so many times.
  void slide(std::size_t n_steps) {
    for (std::size_t i = 0; i < n_steps && m_rows.size() > 0; ++i) {
      const id_type oldest[] = {m_rows.ids()[0]};
      erase(oldest);
      insert(next_row());
    }
  }

  /// Any row and those nearest to it, so many, at least one.
  std::vector<id_type> region(std::size_t count) {
    std::vector<id_type> ids;
    if (m_rows.size() == 0) return ids;
    const id_type centre = m_rows.any(m_random);
    for (const auto& near : m_rows.nearest(m_rows.row(centre), std::max<std::size_t>(count, 1), m_rows.all()))
      ids.push_back(near.id);
    return ids;
  }

 private:
  static matrix<float> slice(const matrix<float>& m, std::size_t begin, std::size_t end) {
    matrix<float> some(end - begin, m.cols());
    std::copy_n(m.data() + begin * m.cols(), some.rows() * some.cols(), some.data());
    return some;
  }
  matrix<float> next_row() {
    const std::size_t i = m_next++ % m_pool.rows();
    return slice(m_pool, i, i + 1);
  }
  void start(std::size_t n_built, std::size_t n_at_a_time) {
    const matrix<float> built = slice(m_pool, 0, n_built);
    m_index = of().make(built, m_params);
    for (std::size_t i = 0; i < n_built; ++i) m_rows.append(built.row(i));
    for (std::size_t begin = n_built; begin < m_n_start; begin += n_at_a_time)
      insert(slice(m_pool, begin, std::min(begin + n_at_a_time, m_n_start)));
    m_next = m_n_start;
  }
  /// So many ids in any order.
  std::vector<id_type> some(std::size_t count) {
    std::vector<id_type> ids(m_rows.ids().begin(), m_rows.ids().end());
    count = std::min(count, ids.size());
    for (std::size_t i = 0; i < count; ++i) std::swap(ids[i], ids[m_random.from(i, ids.size() - 1)]);
    ids.resize(count);
    return ids;
  }
  void update_few() {
    const auto chosen = some(m_rows.size() / 20 + 1);
    for (std::size_t i = 0; i < 10; ++i)
      for (const id_type id : chosen) update(id, next_row());
  }
  void replace(bool is_mapped) {
    m_index->consolidate();  // as what is saved is: a file holds the rows that are there alone
    m_index->save(m_file);
    auto read = is_mapped ? m_index->map(m_file) : m_index->load(m_file);
    const std::string_view how = is_mapped ? "mapped" : "loaded";
    const std::size_t n_queries = std::min<std::size_t>(m_rows.size(), 10);
    const matrix<float> queries = m_rows.rows(some(n_queries)), added = next_row();
    const auto is_alike = [&] {
      return queries.rows() == 0 || m_index->search(queries, 10, {}) == read->search(queries, 10, {});
    };
    require(is_alike(), how, ", the index answers otherwise");
    insert(added);
    read->insert(added);
    require(is_alike() && m_index->graph().lists == read->graph().lists, how,
            " and changed, the index answers otherwise");
    m_index = std::move(read);
  }

  matrix<float> m_pool, m_erased;
  std::size_t m_n_start, m_next = 0;
  annulus::nndescent_params m_params;
  collection m_rows;
  std::unique_ptr<any_index> m_index;
  dice& m_random;
  std::filesystem::path m_file;
};

}  // namespace situations
