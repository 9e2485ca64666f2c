#pragma once

/// \file
/// The rows of a data set as pieces on disk, and files whose records come in a section for each piece. annulus.hpp
/// leaves this header out.

#include <annulus/disk/build_folder.hpp>
#include <annulus/disk/piece_tree.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The name of a file of one piece.
inline std::string of_piece(std::string_view name, std::size_t piece) {
  return std::string(name) + '.' + std::to_string(piece);
}

/// Writes a file of a section for each piece, in their order: where each begins and where the last ends, then the
/// records.
template <class Record>
void append_sections(build_folder& folder, const std::string& name, std::span<const std::uint64_t> begins,
                     std::span<const Record> records) {
  append_values(folder, name, begins);
  append_values(folder, name, records);
}

/// Reads such a file.
template <class Record>
class mapped_sections {
 public:
  mapped_sections(const build_folder& folder, const std::string& name, std::size_t n_sections)
      : m_values(folder, name), m_n(n_sections) {}

  std::uint64_t begin_of(std::size_t section) const noexcept {
    return reinterpret_cast<const std::uint64_t*>(m_values.all().data())[section];
  }
  std::span<const Record> of(std::size_t section) const noexcept {
    const auto* const records = reinterpret_cast<const Record*>(m_values.all().data() + 8 * (m_n + 1));
    return {records + begin_of(section), records + begin_of(section + 1)};
  }

 private:
  mapped_values<std::byte> m_values;
  std::size_t m_n;
};

/// Calls f(first, homes) for blocks of rows, in order; homes[i] are those of row first + i.
template <class T, class Metric, class F>
void visit_homes(matrix_view<T> rows, const piece_tree<T, Metric>& tree, const thread_team& team,
                 const progress_callback& progress, F f) {
  constexpr std::size_t block = 65536;
  std::vector<piece_homes> homes;
  for (std::size_t first = 0; first < rows.rows(); first += block) {
    homes.resize(std::min(block, rows.rows() - first));
    parallel_for(team, homes.size(), 1024, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t i = begin; i < end; ++i) homes[i] = tree.homes(rows.row(first + i));
    });
    f(first, std::span<const piece_homes>(homes));
    report(progress, "partition", static_cast<double>(first + homes.size()) / static_cast<double>(rows.rows()));
  }
}

/// Writes the rows of each piece, in the order of their numbers, and these: "rows.<piece>" and "ids.<piece>"; and the
/// first home of each row: "homes". One pass over the rows for every 128 pieces.
template <class T, class Metric>
void write_pieces(build_folder& folder, matrix_view<T> rows, const piece_tree<T, Metric>& tree, const thread_team& team,
                  const progress_callback& progress) {
  constexpr std::size_t at_once = 128;  // files that are open
  const std::size_t n_passes = (tree.n_pieces() + at_once - 1) / at_once;
  for (std::size_t pass = 0; pass < n_passes; ++pass) {
    std::vector<std::string> rows_names, ids_names;
    for (std::size_t p = pass * at_once; p < std::min(tree.n_pieces(), (pass + 1) * at_once); ++p) {
      rows_names.push_back(of_piece("rows", p));
      ids_names.push_back(of_piece("ids", p));
    }
    const auto share = [&](std::size_t done) { return static_cast<double>(done) / static_cast<double>(n_passes); };
    visit_homes(rows, tree, team, part_of(progress, share(pass), share(pass + 1)),
                [&](std::size_t first, std::span<const piece_homes> homes) {
                  for (std::size_t i = 0; i < homes.size(); ++i) {
                    const auto id = static_cast<id_type>(first + i);
                    if (pass == 0) folder.append("homes", &homes[i].first, sizeof(std::uint32_t));
                    const auto put = [&](std::size_t piece) {
                      if (piece / at_once != pass) return;
                      append_values(folder, rows_names[piece % at_once], rows.row(id));
                      folder.append(ids_names[piece % at_once], &id, sizeof id);
                    };
                    put(homes[i].first);
                    if (homes[i].second != homes[i].first) put(homes[i].second);
                  }
                });
  }
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
