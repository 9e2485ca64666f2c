#pragma once

/// \file
/// Parameters of builds in pieces, and what such a build will take. annulus.hpp leaves this header out.

#include <annulus/disk/index_parts.hpp>
#include <annulus/disk/piece_tree.hpp>
#include <annulus/nndescent/graph/build.hpp>
#include <annulus/nndescent/index/graph_files.hpp>

#include <filesystem>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {
namespace disk {

/// How an index is built in pieces.
struct piece_params {
  std::filesystem::path folder;  ///< for pieces and the state of the build; made where it is not there, and removed
  /// The memory that the build may take, in bytes: about, and beside pages of files, which the system keeps in memory
  /// as long as there is some. It decides how many pieces there are.
  std::size_t memory_bytes = std::size_t{4} << 30;
  std::size_t n_pieces = 0;     ///< 0: as few as the memory allows
  nndescent_params graph = {};  ///< of the graph; with the seed, threads and progress
  bool restart = false;         ///< throws a build away that is in the folder, of whatever rows
};

/// What a build in pieces takes.
struct build_plan {
  std::size_t n_pieces = 0;
  std::size_t piece_rows = 0;    ///< of the greatest piece, about
  std::size_t memory_bytes = 0;  ///< at most at a time, beside pages of files
  std::uint64_t disk_bytes = 0;  ///< of folder and index together, at most at a time
  std::uint64_t index_bytes = 0;
  double seconds = 0;  ///< 0 where it was not asked for
};

}  // namespace disk

namespace detail {

/// What the steps of a build take, in bytes.
struct piece_costs {
  std::size_t fixed = std::size_t{48} << 20;  ///< of the process and of buffers
  std::size_t piece_row = 0;                  ///< memory, of each row of the piece that is built
  std::size_t row = 0;                        ///< memory, of each row while the graph is finished
  std::uint64_t row_on_disk = 0, list_on_disk = 0, edges_on_disk = 0, index_row = 0;

  template <class State>
  static piece_costs of(const State& g, const index_layout& layout, std::size_t width) {
    using T = typename State::points_type::value_type;
    using metric_type = typename State::metric_type;
    constexpr bool are_own_codes = std::same_as<T, std::uint8_t> && form_of<metric_type>() != product_form::cosine;
    const std::size_t dim = g.walk.dim(), padded = (width + 15) / 16 * 16;
    piece_costs costs;
    costs.piece_row = 8 * padded + 8    // lists
                      + 4 * width + 32  // those that have a row in theirs; trees take no more
                      + 32              // order, groups of equal rows
                      + (are_own_codes ? 0 : (dim + 63) / 64 * 64);  // codes
    costs.row = 4 * g.edges.max_degree() + 80;
    costs.row_on_disk = dim * sizeof(T) + sizeof(id_type);
    costs.list_on_disk = width * sizeof(candidate<float>) + sizeof(id_type);
    costs.edges_on_disk = 2 * g.edges.max_degree() * sizeof(candidate<float>);  // chosen ones, those between pieces
    for (const auto& [name, a] : layout.arrays())
      if (a.grows && !name.starts_with("joined.") && !name.starts_with("tree.")) costs.index_row += a.row_bytes;
    costs.index_row += 8;  // places in the tree, and its nodes
    return costs;
  }

  /// Fills in what follows from numbers of rows and pieces, where a row has n_homes pieces in the mean.
  void complete(disk::build_plan& plan, std::size_t n, double n_homes) const {
    const auto of_homes = [&](std::uint64_t bytes) {
      return static_cast<std::uint64_t>(n_homes * static_cast<double>(n) * static_cast<double>(bytes));
    };
    plan.memory_bytes = fixed + std::max(piece_row * plan.piece_rows, row * n);
    plan.index_bytes = index_row * n;
    const std::uint64_t pieces = of_homes(std::max(row_on_disk, list_on_disk)) + n * row_on_disk;
    plan.disk_bytes = std::max(pieces + n * edges_on_disk + plan.index_bytes, 2 * plan.index_bytes);
  }
};

/// A tree of n_pieces leaves, or for 0 of the fewest none of which has more than most_rows of n rows, by the sample.
/// Fills in the numbers of the plan, and how many pieces a row has in the mean.
template <class T, class Metric>
piece_tree<T, Metric> tree_for(matrix_view<T> sample, const Metric& metric, std::size_t n, std::size_t most_rows,
                               std::size_t n_pieces, std::uint64_t seed, disk::build_plan& plan, double& homes_a_row) {
  const double rows_each = static_cast<double>(n) / static_cast<double>(std::max<std::size_t>(sample.rows(), 1));
  for (std::size_t pieces = std::max<std::size_t>(n_pieces, 1);;) {
    piece_tree<T, Metric> tree(sample, metric, pieces, seed);
    std::vector<std::size_t> sizes(pieces, 0);
    std::size_t n_homes = 0;
    for (std::size_t i = 0; i < sample.rows(); ++i) {
      const auto [first, second] = tree.homes(sample.row(i));
      ++sizes[first];
      sizes[second] += second != first;
      n_homes += 1 + (second != first);
    }
    plan.n_pieces = pieces;
    plan.piece_rows = static_cast<std::size_t>(rows_each * static_cast<double>(*std::ranges::max_element(sizes)));
    const bool fits = plan.piece_rows <= most_rows || n_pieces > 0 || pieces >= sample.rows() / 16 + 1;
    homes_a_row = static_cast<double>(n_homes) / static_cast<double>(std::max<std::size_t>(sample.rows(), 1));
    if (fits) return tree;
    const double excess = static_cast<double>(plan.piece_rows) / static_cast<double>(most_rows);
    pieces = std::max(pieces + 1, static_cast<std::size_t>(0.9 * excess * static_cast<double>(pieces)));
  }
}

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
