#pragma once

/// \file
/// The exact rows of an index as searches see them where they lie in a file: fetched all at once, from a cache or by
/// reads. annulus.hpp leaves this header out.

#include <annulus/disk/row_cache.hpp>
#include <annulus/disk/row_reader.hpp>
#include <annulus/nndescent/index/vertex_names.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// A file with the exact rows of an index's vertices, for any number of threads.
struct vertex_rows {
  std::shared_ptr<const row_file> file;
  std::size_t dim = 0, n_vertices = 0;
  const vertex_names* names = nullptr;  ///< where rows stand in the order of ids: the row of a vertex is that of its id
  row_cache* cache = nullptr;           ///< or none

  std::uint64_t place_of(id_type vertex) const noexcept {
    if (names == nullptr) return vertex;
    const auto ids = names->ids_at(vertex);
    return ids.empty() ? 0 : ids.front();  // none in a file that says nonsense
  }
};

/// Fetches rows for one thread, which may do something else between start() and wait(). Keeps its memory from one call
/// to the next.
template <class T>
class row_fetcher {
 public:
  row_fetcher(const vertex_rows& rows, const read_params& params) : m_rows(&rows), m_reader(rows.file, params) {}

  const vertex_rows& rows() const noexcept { return *m_rows; }
  const row_reader& reader() const noexcept { return m_reader; }
  std::uint64_t n_cached() const noexcept { return m_n_cached; }  ///< rows so far that the cache had

  /// Begins to fetch the rows of some vertices; those fetched before are forgotten.
  void start(std::span<const id_type> vertices) {
    m_values.resize(std::max(m_values.size(), vertices.size() * m_rows->dim));
    m_missed.clear();
    m_places.clear();
    for (std::size_t i = 0; i < vertices.size(); ++i) {
      if (m_rows->cache != nullptr && m_rows->cache->find(vertices[i], bytes_of(i))) continue;
      m_missed.push_back({i, vertices[i]});
      m_places.push_back(m_rows->place_of(vertices[i]));
    }
    m_n_cached += vertices.size() - m_missed.size();
    m_reader.start(m_places);
    m_is_started = true;
  }
  bool is_started() const noexcept { return m_is_started; }
  /// Returns when the rows are there. \throws as row_reader::wait.
  void wait() {
    m_is_started = false;
    if (m_missed.empty()) return;
    m_reader.wait();
    for (std::size_t j = 0; j < m_missed.size(); ++j) {
      const auto [i, vertex] = m_missed[j];
      std::memcpy(bytes_of(i), m_reader[j], m_rows->dim * sizeof(T));
      if (m_rows->cache != nullptr) m_rows->cache->put(vertex, m_reader[j]);
    }
  }
  /// The row of the i-th of the vertices, after wait().
  std::span<const T> row(std::size_t i) const noexcept { return {m_values.data() + i * m_rows->dim, m_rows->dim}; }

 private:
  struct missed {
    std::size_t i;
    id_type vertex;
  };
  std::byte* bytes_of(std::size_t i) noexcept {
    return reinterpret_cast<std::byte*>(m_values.data() + i * m_rows->dim);
  }

  const vertex_rows* m_rows;
  row_reader m_reader;
  aligned_vector<T> m_values;
  std::vector<missed> m_missed;  ///< by the cache
  std::vector<std::uint64_t> m_places;
  bool m_is_started = false;
  std::uint64_t m_n_cached = 0;
};

/// The rows that a fetcher fetches, in the place of rows in memory.
template <class T>
class fetched_rows {
 public:
  explicit fetched_rows(row_fetcher<T>& fetcher) noexcept : m_fetcher(&fetcher) {}

  std::size_t size() const noexcept { return m_fetcher->rows().n_vertices; }
  void prefetch(std::size_t) const noexcept {}
  /// f(i, row) for these vertices, whose rows are fetched now unless the fetcher was started for them.
  template <class F>
  void visit(std::span<const id_type> vertices, F f) const {
    if (!m_fetcher->is_started()) m_fetcher->start(vertices);
    m_fetcher->wait();
    for (std::size_t i = 0; i < vertices.size(); ++i) f(i, m_fetcher->row(i));
  }

 private:
  row_fetcher<T>* m_fetcher;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
