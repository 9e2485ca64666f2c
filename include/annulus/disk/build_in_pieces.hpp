#pragma once

/// \file
/// build_in_pieces: the file of a graph index over more rows than memory holds. annulus.hpp leaves this header out: it
/// needs nlohmann/json and xxHash.

#include <annulus/disk/build_plan.hpp>
#include <annulus/disk/joined_graph.hpp>
#include <annulus/nndescent/index.hpp>
#include <annulus/nndescent/rabitq.hpp>

#include <chrono>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {
namespace detail {

/// A text that changes with the rows, in one pass over them.
template <class T>
std::string checksum_of_rows(matrix_view<T> rows) {
  XXH3_state_t hash;
  XXH3_64bits_reset(&hash);
  for (std::size_t i = 0; i < rows.rows(); ++i) XXH3_64bits_update(&hash, rows.row(i).data(), rows.cols() * sizeof(T));
  return text_of_checksum(XXH3_64bits_digest(&hash));
}

/// One build in pieces: its steps, each of which is committed before the next begins.
template <class Points, class Metric, class Storage>
class piece_build {
  using T = typename Points::value_type;
  using state_type = graph_state<Points, Metric, Storage>;
  using index_type = nndescent_index<Points, Metric, Storage>;
  using view_type = matrix_view<T>;

 public:
  piece_build(const view_type& rows, const disk::piece_params& params, const Metric& metric, const Storage& storage)
      : m_rows(rows),
        m_params(params),
        m_given(without_progress(params.graph)),
        m_state(rows, metric, m_given, storage),
        m_team(params.graph.threads),
        m_width(list_width(std::max(m_given.n_neighbors, least_list_width<Points>(metric)), rows.rows())) {
    m_layout.define("", index_type(rows.middle_rows(0, 0), metric, m_given, storage));
    m_layout.define_by([&](auto& archive) { persist_graph(std::as_const(m_state), archive); });
    m_layout.define("joined", m_state.edges);
    m_costs = piece_costs::of(m_state, m_layout, m_width);
    make_tree();
  }

  const disk::build_plan& plan() const noexcept { return m_plan; }

  /// Builds the lists of some rows of the sample. Time grows a little faster than rows, and lists are most of it.
  void measure_time() {
    constexpr double growth = 0.15, share_of_lists = 0.8;
    constexpr std::size_t most = 8192;
    const view_type some = view_type(m_sample).middle_rows(0, std::min(most, m_sample.rows()));
    if (some.rows() < 2) return;
    const auto start = std::chrono::steady_clock::now();
    with_lists(some, m_state.metric, std::min(m_width, some.rows() - 1), resolved(m_given, some.rows()), {}, m_team,
               [](const erased_space&, const row_order&, neighbor_lists&) {});
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    const auto ratio = static_cast<double>(m_plan.piece_rows) / static_cast<double>(some.rows());
    m_plan.seconds = taken.count() * static_cast<double>(m_plan.n_pieces) * ratio *
                     std::pow(std::max(1.0, ratio), growth) / share_of_lists;
  }

  void run(const std::filesystem::path& path) {
    staged_progress stages(m_params.graph.progress, {{"partition", 1},
                                                     {"pieces", 80},
                                                     {"merge", 7},
                                                     {"reverse edges", 4},
                                                     {"graph", 4},
                                                     {"codes", 2},
                                                     {"file", 2}});
    check();
    // What cannot be written is told now, not when all is built.
    if (build_folder::uses(m_params.folder, path))
      invalid("path", name_of_path(path), "must be no file of the build's own in ", name_of_path(m_params.folder));
    if (!replaced_file(path, name_of_path(path)).is_special()) output_file{path};
    const header_metadata of = identity(path);
    std::optional<build_folder> opened(std::in_place, m_params.folder, of, m_params.restart);
    if (opened->number("saved") != 0 && !std::filesystem::exists(path)) opened.emplace(m_params.folder, of, true);
    build_folder& folder = *opened;
    const piece_job<T, Metric> job{folder,        m_state.metric,  m_given, m_state.params,
                                   m_rows.cols(), m_plan.n_pieces, m_width, m_params.memory_bytes - m_costs.fixed,
                                   m_team};
    index_parts parts(folder);
    parts.layout() = m_layout;
    if (folder.number("saved") == 0) {
      if (folder.number("partitioned") == 0) {
        write_pieces(folder, m_rows, *m_tree, m_team, stages.of(0));
        folder.set("partitioned", 1);
        folder.commit();
      }
      each_piece(folder, "built", stages.of(1),
                 [&](std::size_t p, const progress_callback& progress) { piece_builder<T, Metric>(job, p)(progress); });
      build_graph(job, parts, stages);
      index_type index = persistence::make<index_type>(m_state.metric);
      parts.load("", index);
      report(stages.of(6), "file", 0);
      save(index, path);
      folder.set("saved", 1);
      folder.drop_all();
      folder.commit();
    }
    folder.remove();
    stages.finish();
  }

 private:
  using space_type = row_space<view_type, Metric>;

  /// What an index refuses of its rows. \throws std::invalid_argument
  void check() const {
    check_data(m_state.metric, m_rows, m_team);
    search_graph<Points, Metric, Storage>::check_storage(m_rows, "data");
  }
  static nndescent_params without_progress(nndescent_params params) {
    params.progress = {};
    params.include_self = false;
    return params;
  }

  /// The sample of the tree takes an eighth of the memory at most.
  void make_tree() {
    constexpr std::size_t most_pieces = 65536;
    if (m_params.folder.empty()) invalid("folder", "\"\"", "must name a folder for the pieces");
    if (m_params.n_pieces > most_pieces) invalid("n_pieces", m_params.n_pieces, "must be at most ", most_pieces);
    const std::size_t n = m_rows.rows(), row_bytes = std::max<std::size_t>(m_rows.cols() * sizeof(T), 1);
    const std::size_t least =
        m_costs.fixed + std::max(m_costs.row * n, m_costs.piece_row * std::min<std::size_t>(n, 4096));
    if (m_params.memory_bytes < least)
      invalid("memory_bytes", m_params.memory_bytes, "must be at least ", least, " for ", n, " rows");
    std::vector<id_type> chosen;
    const std::size_t most = std::clamp<std::size_t>(m_params.memory_bytes / 8 / row_bytes, 1024, 32768);
    visit_sample(n, most, [&](std::size_t i) { chosen.push_back(static_cast<id_type>(i)); });
    m_sample = gather_rows(m_rows, chosen);
    // A piece may have some more rows than its share of the sample says.
    const std::size_t most_rows = (m_params.memory_bytes - m_costs.fixed) / m_costs.piece_row * 19 / 20;
    double homes_a_row = 0;
    m_tree.emplace(tree_for<T, Metric>(m_sample, m_state.metric, n, most_rows, m_params.n_pieces, m_given.seed + 5,
                                       m_plan, homes_a_row));
    m_costs.complete(m_plan, n, homes_a_row);
  }

  /// What the state in a folder belongs to.
  header_metadata identity(const std::filesystem::path& path) const {
    header_metadata all = m_layout.texts();
    all["rows"] = std::to_string(m_rows.rows());
    all["data"] = checksum_of_rows(m_rows);
    all["pieces"] = std::to_string(m_plan.n_pieces);
    all["memory_bytes"] = std::to_string(m_params.memory_bytes);
    all["file"] = name_of_path(path);
    all["library_version"] = ANNULUS_VERSION;
    return all;
  }

  /// Calls f(piece, progress) for each piece, and commits after each.
  template <class F>
  void each_piece(build_folder& folder, const std::string& name, const progress_callback& progress, F f) {
    const std::size_t n = m_plan.n_pieces;
    const auto share = [&](std::size_t done) { return static_cast<double>(done) / static_cast<double>(n); };
    for (std::size_t p = folder.number(name); p < n; ++p) {
      f(p, part_of(progress, share(p), share(p + 1)));
      folder.set(name, p + 1);
      folder.commit();
    }
  }

  void build_graph(const piece_job<T, Metric>& job, index_parts& parts, staged_progress& stages) {
    build_folder& folder = job.folder;
    if (folder.number("graph") == 0) {
      const piece_vertices vertices(folder, m_rows.rows(), job.n_pieces);
      const mapped_values<T> values(folder, "vertex_rows");
      const view_type rows(values.all().data(), vertices.size(), job.dim);
      space_type all(rows, m_state.metric);
      const erased_space space(all);
      each_piece(folder, "merged", stages.of(2), [&](std::size_t p, const progress_callback& progress) {
        list_merger<state_type, erased_space>(job, m_state, space, rows, vertices, parts)(p, progress);
      });
      each_piece(folder, "joined", stages.of(3), [&](std::size_t p, const progress_callback& progress) {
        edge_joiner<state_type, erased_space>(job, m_state, space, vertices, parts)(p, progress);
      });
      finish_graph(job, m_state, space, rows, vertices, parts, stages.of(4));
      for (std::size_t p = 0; p < job.n_pieces; ++p)
        for (const char* const name : {"keys", "lists", "copies", "incoming"}) folder.drop(of_piece(name, p));
      for (const char* const name : {"homes", "vertex_rows", "kept", "array.joined.edges"}) folder.drop(name);
      folder.set("graph", 1);
      folder.commit();
    }
    if constexpr (state_type::has_codes) encode(job, parts, stages.of(5));
  }

  void encode(const piece_job<T, Metric>& job, index_parts& parts, const progress_callback& progress) {
    typename state_type::walk_type walk(unfilled{}, m_state.metric);
    parts.load(walk_name<state_type>(), walk);
    search_edges edges(0, m_state.edges.max_degree());
    parts.load("graph", edges);
    fit_centre(walk, m_state.codes);
    parts.layout().define("codes", m_state.codes);
    std::vector<id_type> place(edges.size(), no_id);
    for (std::size_t v = job.folder.number("encoded"); v < edges.size();) {
      v = encode_some(walk, edges, m_state.codes, v, job.memory_bytes / 2, place, parts, m_team);
      job.folder.set("encoded", v);
      job.folder.commit();
      report(progress, "codes", static_cast<double>(v) / static_cast<double>(edges.size()));
    }
  }

  view_type m_rows;
  const disk::piece_params& m_params;
  nndescent_params m_given;
  state_type m_state;
  thread_team m_team;
  std::size_t m_width;
  index_layout m_layout;
  piece_costs m_costs;
  disk::build_plan m_plan;
  matrix<T> m_sample;
  std::optional<piece_tree<T, Metric>> m_tree;
};

/// Rows and metrics that can be built of in pieces.
template <class Points, class Metric>
constexpr void check_pieces() noexcept {
  static_assert(is_matrix_view<view_of<Points>>, "annulus: builds in pieces take dense rows");
  static_assert(!rewrites_rows<Metric, typename Points::value_type>,
                "annulus: builds in pieces take metrics that compare rows as they are; rewrite the rows beforehand");
}

}  // namespace detail

namespace disk {

/// What build_in_pieces will take with these arguments. The numbers of bytes are computed from the sample of rows by
/// which pieces are chosen; O(1) but for metrics of angles, O(n d). \param rows,params,metric,storage as of
/// build_in_pieces \param measures_time whether 8,192 rows of the sample are built, to tell how long all will take on
/// as many threads: about, and without waiting for the disk \returns pieces, memory, disk and, if measured, seconds
/// \throws std::invalid_argument as build_in_pieces does for its parameters
template <class Points, class Metric = euclidean, class Storage = rabitq<sq8>>
build_plan plan_build(const detail::view_of<Points>& rows, const piece_params& params, bool measures_time = false,
                      const Metric& metric = {}, const Storage& storage = {}) {
  detail::check_pieces<Points, Metric>();
  detail::piece_build<Points, Metric, Storage> build(rows, params, metric, storage);
  if (measures_time) build.measure_time();
  return build.plan();
}

/// Builds an index of more rows than memory holds, and writes the file that load_index and map_index of
/// nndescent_index<Points, Metric, Storage> open. Its graph is nearly that of an index built at once: recall at equal
/// beams is within .01 of it. Vertices stand in the order of pieces.
///
/// The rows are parted by a tree on a sample; a row that may have neighbours in a second piece goes there too. The k-NN
/// lists of each piece are built in memory by NN-descent, those of rows with two homes are merged, and edges are chosen
/// piece by piece. In memory are one piece, or, at the end, the edges (as many bytes as the index has of these, and 80
/// for each row); rows and codes are read from mapped files. About 1.6 times the time of a build in memory.
///
/// Each step that is complete is kept in params.folder: a build that was ended, by a signal, a failure of the power or
/// params.graph.progress, goes on behind it when the function is called again, and the file is the same to the byte.
/// The same seed gives the same file for any number of threads. The index appears under its name once it is complete,
/// and the folder is removed then. A folder serves one build at a time.
///
/// \tparam Points the rows of the index, as matrix<float> \param rows n x d, as of a mapped file \param path of the
/// index \param params folder, memory and graph \param metric,storage of the index \returns what plan_build says of the
/// build \throws std::invalid_argument for what nndescent_index refuses of rows and parameters (a NaN: "row 17 of data
/// ..."), for too little memory, with the least that is enough, where the folder holds a build of other rows or
/// parameters, which it names, and where another build is at work in it; annulus::format_error where files in the
/// folder are damaged; std::system_error where files cannot be written, as when the disk is full (plan_build says how
/// much is needed); annulus::cancelled.
template <class Points, class Metric = euclidean, class Storage = rabitq<sq8>>
build_plan build_in_pieces(const detail::view_of<Points>& rows, const std::filesystem::path& path,
                           const piece_params& params, const Metric& metric = {}, const Storage& storage = {}) {
  detail::check_pieces<Points, Metric>();
  if (rows.rows() == 0) {
    save(nndescent_index<Points, Metric, Storage>(rows, metric, params.graph, storage), path);
    return {};
  }
  detail::piece_build<Points, Metric, Storage> build(rows, params, metric, storage);
  build.run(path);
  return build.plan();
}

}  // namespace disk
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
