#pragma once

// Indexes and their files, for tests of searches from disk.

#include <annulus/disk/disk_index.hpp>

#include "io/scratch.hpp"
#include "nndescent/indexes.hpp"

#include <fstream>

namespace disk_tests {

using namespace annulus;

constexpr std::size_t n = 1500, d = 24, k = 10;

inline const indexes::split<float>& data() {
  static const auto made = indexes::clustered<float>(n, d, 60);
  return made;
}

inline bool odd(id_type id) { return id % 2 == 1; }
inline const std::vector<nndescent_search_params> searches{
    {}, {.beam = 12}, {.beam = 40, .by_estimates = true}, {.filter = odd}, {.beam = 30, .threads = 3}};

/// An index and its file.
template <class Points, class Metric, class Storage>
struct saved_index {
  using in_memory = nndescent_index<Points, Metric, Storage>;
  using on_disk = disk_index<Points, Metric, Storage>;

  explicit saved_index(const Points& rows, const nndescent_params& params = {.n_neighbors = 12})
      : index(rows, {}, params) {
    save(index, file());
  }
  std::filesystem::path file() const { return folder / "index"; }
  std::filesystem::path rows_file(const Points& rows, std::size_t before, std::size_t between) const {
    std::ofstream out(folder / "rows", std::ios::binary);
    out << std::string(before - between, 'h');
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      out << std::string(between, 'd');
      out.write(reinterpret_cast<const char*>(rows.row(i).data()),
                static_cast<std::streamsize>(rows.row(i).size_bytes()));
    }
    return folder / "rows";
  }

  scratch_folder folder;
  in_memory index;
};

/// Whether two indexes give the same answers, bit for bit; of the first queries also the order of all rows.
template <class T>
bool same_answers(const auto& a, const auto& b, const matrix<T>& queries) {
  const auto few = indexes::rows_between(queries, 0, std::min<std::size_t>(2, queries.rows()));
  bool all = a.size() == b.size() && a.dim() == b.dim();
  for (const nndescent_search_params& params : searches)
    all &= a.search(queries, k, params) == b.search(queries, k, params);
  return all && a.search(few, a.size() + 3) == b.search(few, a.size() + 3);
}

}  // namespace disk_tests
