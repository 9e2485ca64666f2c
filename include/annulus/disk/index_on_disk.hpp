#pragma once

/// \file
/// An index file opened but for its exact rows, and the file in which these are. annulus.hpp leaves this header out.
/// Needs nlohmann/json and xxHash, as io/index does.

#include <annulus/disk/disk_tensors.hpp>
#include <annulus/disk/fetched_rows.hpp>
#include <annulus/io/index/index_file.hpp>
#include <annulus/nndescent/index.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// A file that holds the rows an index was built from, in the order of their ids, of the index's type: as vecs (offset
/// 4, stride 4 + d * sizeof(T)), big-ann (offset 8) or .npy (where its header ends, mostly 128) have them, or with
/// nothing else. The last row ends the file.
struct rows_file {
  std::filesystem::path path = {};  ///< empty: the rows are those in the index file
  std::uint64_t offset = 0;         ///< of the first row, in bytes
  std::uint64_t stride = 0;         ///< from one row to the next, in bytes; 0: d * sizeof(T)
};

/// How an index is opened that leaves its rows on the disk.
struct disk_index_params {
  rows_file rows = {};          ///< where the exact rows are
  read_params reads = {};       ///< how they are read
  std::size_t cache_bytes = 0;  ///< for rows that were read of late
  /// Codes and edges too are left in the file, which is mapped: they are read when they are touched, and unchecked.
  bool map_codes = false;
  /// Of a batch, how many queries a thread has under way: while the rows of some are read, it walks for the next.
  std::size_t queries_in_flight = 3;
};

namespace detail {

struct graph_access {
  template <class Index>
  static auto& graph(Index& index) noexcept {
    return index.m_graph;
  }
  template <class Index>
  static void check_queries(const Index& index, const typename Index::view_type& queries) {
    index.check_queries(queries);
  }
  template <class Index, class Values>
  static auto as_compared(const Index& index, const typename Index::row_type& row, Values& rewritten) {
    return index.as_compared(row, rewritten);
  }
};

/// An index without its exact rows, and the file that has them.
template <class Index, class Compared>
struct index_on_disk {
  using value_type = typename Compared::points::value_type;

  index_on_disk(const std::filesystem::path& path, const disk_index_params& given)
      : index_on_disk(disk_tensors(path, given.map_codes), path, given) {}
  index_on_disk(const index_on_disk&) = delete;
  index_on_disk& operator=(const index_on_disk&) = delete;

  auto& graph() const noexcept { return graph_access::graph(index); }

  disk_index_params params;
  Index index;
  std::optional<row_cache> cache;
  vertex_rows rows;

 private:
  index_on_disk(const disk_tensors& file, const std::filesystem::path& path, const disk_index_params& given)
      : params(given), index(read_index<Index>(file)) {
    graph_access::graph(index).forget_lists();
    rows.dim = graph().walk().dim();
    rows.n_vertices = graph().names().n_vertices();
    rows.file = params.rows.path.empty() ? rows_of_index(file, path) : rows_of_user();
    if (!params.rows.path.empty()) check_rows_against_codes();
    if (params.cache_bytes > 0) rows.cache = &cache.emplace(params.cache_bytes, row_bytes());
  }

  std::size_t row_bytes() const noexcept { return rows.dim * sizeof(value_type); }

  std::shared_ptr<const row_file> rows_of_index(const disk_tensors& file, const std::filesystem::path& path) {
    const tensor_info* const values = file.rows();
    row_places places;
    if (values != nullptr && values->end > values->begin) {
      const std::uint64_t count = values->shape.front();
      places = {values->begin, (values->end - values->begin) / count, row_bytes(), count};
    }
    if (places.count != rows.n_vertices)
      invalid("rows.path", "\"\"", "must name the file of the rows: the index was built with keep_rows = false");
    auto opened = std::make_shared<const row_file>(path, places, params.reads.direct);
    if (opened->size() != file.bytes().size()) opened->fail(0, "the file was replaced while it was opened");
    return opened;
  }

  std::shared_ptr<const row_file> rows_of_user() {
    const rows_file& given = params.rows;
    if constexpr (Compared::is_rewritten)
      invalid("rows.path", name_of_path(given.path), "must be empty: searches by this metric compare rewritten rows");
    rows.names = &graph().names();
    const row_places places{given.offset, given.stride > 0 ? given.stride : row_bytes(), row_bytes(), graph().n_ids()};
    if (places.stride < places.row_bytes)
      invalid("rows.stride", places.stride, "must be at least ", places.row_bytes, ", the bytes of a row");
    auto opened = std::make_shared<const row_file>(given.path, places, params.reads.direct);
    const std::uint64_t end = places.offset + (places.count - 1) * places.stride + places.row_bytes;
    if (places.count > 0 && end != opened->size())
      opened->fail(end, "the rows of ", places.count, " ids end here, the file at ", opened->size());
    return opened;
  }

  /// Compares a sample of the rows with their codes: a file of other rows may have the right size. \throws format_error
  /// where the codes of other vertices fit about as well as their own, and codes are far from rows: rows that lie
  /// within each other's rounding are not told apart.
  void check_rows_against_codes() const {
    constexpr std::size_t most = 64;
    std::vector<id_type> sample;
    for (std::size_t v = 0; v < rows.n_vertices; v += std::max<std::size_t>(1, rows.n_vertices / most))
      if (const auto vertex = static_cast<id_type>(v); graph().names().is_live(vertex)) sample.push_back(vertex);
    row_fetcher<value_type> fetcher(rows, params.reads);
    fetcher.start(sample);
    fetcher.wait();
    const std::vector<float> origin(rows.dim, 0);
    std::vector<float> row(rows.dim), code(rows.dim);
    const auto distance_to_code = [&](std::size_t i) {
      graph().walk().decode(sample[i], origin.data(), code.data());
      return one_to_one<kernels::squared_l2>(row.data(), code.data(), rows.dim);
    };
    double own = 0, others = 0, lengths = 0;
    for (std::size_t i = 0; i < sample.size(); ++i) {
      relative_row(fetcher.row(i).data(), rows.dim, is_cosine<typename Compared::metric>, origin.data(), row.data());
      own += distance_to_code(i);
      others += distance_to_code((i + 1) % sample.size());
      lengths += one_to_one<kernels::inner_product>(row.data(), row.data(), rows.dim);
    }
    if (own > others / 4 && own > lengths / 1000)
      rows.file->fail(params.rows.offset, "these are not the rows of the index: of ", sample.size(),
                      " looked at, the index has codes of others");
  }
};

}  // namespace detail

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
