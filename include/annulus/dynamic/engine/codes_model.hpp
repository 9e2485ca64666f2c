#pragma once

/// \file
/// Codes of rows behind index_model: kinds pq, opq, fast_scan and rabitq. A unit that includes this compiles the
/// members of codes_factory.

#include <annulus/dynamic/engine/factories.hpp>
#include <annulus/dynamic/engine/metric_option.hpp>
#include <annulus/dynamic/engine/pq_index.hpp>
#include <annulus/dynamic/engine/quantizer_options.hpp>
#include <annulus/dynamic/engine/ranked_codes.hpp>
#include <annulus/dynamic/engine/row_access.hpp>
#include <annulus/dynamic/engine/search_params.hpp>
#include <annulus/io/index/index_file.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The names of a kind of codes: in options, and of its quantiser where there are several.
template <class Index>
struct codes_names {
  static constexpr std::string_view kind = "rabitq", storage = "";
};
template <class Quantizer>
struct codes_names<pq_index<Quantizer>> {
  static constexpr std::string_view kind = std::same_as<Quantizer, opq_of_bytes> ? "opq" : "pq", storage = "";
};
template <class Quantizer>
struct codes_names<fast_scan_index<Quantizer>> {
  static constexpr std::string_view kind = "fast_scan", storage = std::same_as<Quantizer, opq_of_bytes> ? "opq" : "pq";
};

template <class Index>
class codes_model final : public index_model {
  static constexpr bool is_rabitq = std::same_as<Index, rabitq_index>;
  static constexpr bool has_byte_tables = codes_names<Index>::kind == "fast_scan";

 public:
  explicit codes_model(ranked_codes<Index> codes) : m_codes(std::move(codes)) {}

  std::string_view kind() const noexcept override { return codes_names<Index>::kind; }
  std::string_view metric() const noexcept override {
    if (m_codes.takes_roots()) return euclidean::name;
    return with_row_metric(compared_by(), []<class M>(const M&) { return std::string_view(M::name); });
  }
  std::string_view storage() const noexcept override { return codes_names<Index>::storage; }
  std::string rows() const override { return describe_rows<matrix<float>>(0); }
  std::size_t size() const noexcept override { return m_codes.index().size(); }
  std::size_t dim() const noexcept override { return m_codes.index().dim(); }
  std::size_t memory_bytes() const noexcept override { return m_codes.memory_bytes(); }
  std::unique_ptr<index_model> copy() const override { return std::make_unique<codes_model>(*this); }
  void save(const std::filesystem::path& path) const override { annulus::save(m_codes, path); }
  void verify() const override { annulus::verify(m_codes); }

  void search(const annulus_rows& queries, std::size_t k, const annulus_search_params& params, id_type* ids,
              float* distances) const override {
    if (params.k_factor != 0 && !m_codes.keeps_rows())
      invalid("parameter", "k_factor", "this index has no rows to rank by: build it with keep_rows = true");
    if constexpr (has_byte_tables) check_unused(params, kind(), {"k_factor", "float_tables", "progress"});
    else check_unused(params, kind(), {"k_factor", "progress"});
    std::conditional_t<is_rabitq, rabitq_search_params, fast_scan_params> own;
    if (params.k_factor != 0) own.k_factor = params.k_factor;
    if constexpr (has_byte_tables) own.float_tables = params.float_tables != 0;
    own.threads = params.threads;
    own.filter = filter_of(params);
    own.progress = progress_of(params.progress, params.progress_user);
    copy_out(m_codes.search(row_access<matrix<float>>(queries, "queries").view(), k, own), ids, distances);
  }

  id_type insert(const annulus_rows& rows, std::size_t threads) override {
    if constexpr (is_rabitq) return index_model::insert(rows, threads);
    else return m_codes.insert(row_access<matrix<float>>(rows, "rows").view(), {threads});
  }

 private:
  pq_metric compared_by() const noexcept {
    if constexpr (is_rabitq) return m_codes.index().metric();
    else return m_codes.index().quantizer().metric();
  }

  ranked_codes<Index> m_codes;
};

/// What a metric's name asks of codes: how they compare, and whether distances are roots.
struct codes_metric {
  pq_metric metric = pq_metric::sqeuclidean;
  bool takes_roots = false;
};

inline codes_metric read_codes_metric(option_reader& options, std::string_view kind) {
  static constexpr std::array names{euclidean::name, sqeuclidean::name, inner_product::name, cosine::name};
  const std::string_view name = read_metric(options, names, kind);
  if (name == inner_product::name) return {pq_metric::inner_product};
  if (name == cosine::name) return {pq_metric::cosine};
  return {pq_metric::sqeuclidean, name == euclidean::name};
}

/// Index: pq_index or fast_scan_index, over Quantizer.
template <template <class> class Index, class Quantizer>
model_pointer build_codes(matrix_view<float> rows, option_reader& options, std::string_view kind,
                          const progress_callback& progress) {
  using index_type = Index<Quantizer>;
  const codes_metric metric = read_codes_metric(options, kind);
  bool keep_rows = false;
  std::size_t threads = 0, ks = std::same_as<index_type, fast_scan_index<Quantizer>> ? 16 : 256;
  options.read("keep_rows", keep_rows);
  options.read("threads", threads);
  options.read("ks", ks);
  auto quantizer = fitted_quantizer<Quantizer>(rows, options, {kind, metric.metric, ks, threads, progress});
  ranked_codes<index_type> codes(index_type(std::move(quantizer), rows, run_params{threads}), rows, keep_rows,
                                 metric.takes_roots);
  return std::make_unique<codes_model<index_type>>(std::move(codes));
}

/// The rows are kept, for searches rank by them.
inline model_pointer build_rabitq(matrix_view<float> rows, option_reader& options) {
  const codes_metric metric = read_codes_metric(options, "rabitq");
  rabitq_index_params params{.metric = metric.metric};
  options.read("bits", params.bits);
  options.read("code_dims", params.code_dims);
  options.read("n_cells", params.n_cells);
  options.read("seed", params.seed);
  options.read("threads", params.threads);
  options.finish("rabitq");
  return std::make_unique<codes_model<rabitq_index>>(
      ranked_codes<rabitq_index>(rabitq_index(rows, params), rows, true, metric.takes_roots));
}

/// Options: metric; of pq, opq and fast_scan m (or M), ks, keep_rows, and the parameters of training; of fast_scan also
/// `quantizer` (or `storage`), pq or opq; of rabitq those of rabitq_index_params. Progress is that of training.
[[gnu::used]] inline model_pointer codes_factory::build(std::string_view kind, const annulus_rows& rows,
                                                        option_reader& options, const progress_callback& progress) {
  if (rows.layout != ANNULUS_DENSE || rows.dtype != ANNULUS_F32)
    invalid("rows", describe(rows), kind, " codes dense rows of float32: convert them to float32");
  const row_access<matrix<float>> given(rows, "rows");
  if (kind == "rabitq") return build_rabitq(given.view(), options);
  if (kind == "pq") return build_codes<pq_index, pq_of_bytes>(given.view(), options, kind, progress);
  if (kind == "opq") return build_codes<pq_index, opq_of_bytes>(given.view(), options, kind, progress);
  static constexpr std::array<std::string_view, 2> quantizers{"pq", "opq"};
  const std::size_t by_storage = options.choice("storage", quantizers, 0);
  if (options.choice("quantizer", quantizers, by_storage) == 0)
    return build_codes<fast_scan_index, pq_of_bytes>(given.view(), options, kind, progress);
  return build_codes<fast_scan_index, opq_of_bytes>(given.view(), options, kind, progress);
}

template <class Index>
model_pointer open_codes(const file_description& file) {
  using codes = ranked_codes<Index>;
  return std::make_unique<codes_model<Index>>(file.is_mapped ? map_index<codes>(file.path)
                                                             : load_index<codes>(file.path));
}

/// \throws format_error for a file that holds codewords without codes, or something else.
[[gnu::used]] inline model_pointer codes_factory::open(const file_description& file) {
  const bool is_opq = file.storage == opq_of_bytes::kind;
  if (file.kind == rabitq_index::kind) return open_codes<rabitq_index>(file);
  if (file.kind == pq_index<pq_of_bytes>::kind)
    return is_opq ? open_codes<pq_index<opq_of_bytes>>(file) : open_codes<pq_index<pq_of_bytes>>(file);
  if (file.kind == fast_scan_index<>::kind)
    return is_opq ? open_codes<fast_scan_index<opq_of_bytes>>(file) : open_codes<fast_scan_index<pq_of_bytes>>(file);
  const auto fail = [&](const std::string& reason) {
    throw format_error(name_of_path(file.path), safetensors_header::length_bytes,
                       "it is of kind " + file.kind + reason);
  };
  for (const std::string_view of_codewords : {pq_of_bytes::kind, opq_of_bytes::kind})
    if (file.kind == of_codewords)
      fail(", which is codewords without codes of rows to search. In C++ load_index<annulus::" + file.kind +
           "<std::uint8_t>> opens it");
  fail(", which is not an index");
  return nullptr;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
