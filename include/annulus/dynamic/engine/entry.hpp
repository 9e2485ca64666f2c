#pragma once

/// \file
/// The functions of the C interface over models and factories, as the table of an instruction set. A unit of each set
/// defines annulus_functions_<set> as a copy of detail::function_table.

#include <annulus/dynamic/engine/codec_entry.hpp>
#include <annulus/dynamic/engine/function_table.hpp>
#include <annulus/dynamic/engine/kinds.hpp>
#include <annulus/dynamic/engine/list_memory.hpp>
#include <annulus/dynamic/engine/search_params.hpp>

/// A model, and its properties as text that ends with a zero. Each instruction set has its own.
struct annulus_index {
  explicit annulus_index(annulus::detail::model_pointer of)
      : model(std::move(of)),
        kind(model->kind()),
        metric(model->metric()),
        storage(model->storage()),
        rows(model->rows()) {}

  annulus::detail::model_pointer model;
  std::string kind, metric, storage, rows;
};

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

inline const annulus_search_params& params_or_default(const annulus_search_params* params) {
  static constexpr annulus_search_params defaults = default_search_params();
  return params == nullptr ? defaults : *params;
}

inline const index_model& model_of(const annulus_index* index) { return *checked(index, "index").model; }
inline index_model& model_of(annulus_index* index) { return *checked(index, "index").model; }

inline std::filesystem::path checked_path(const char* path) {
  checked(path, "path");
  return std::u8string(path, path + std::strlen(path));
}

/// The functions, named and documented as in annulus.h.
struct c_functions {
  static annulus_status build(const annulus_rows* rows, const annulus_option* options, std::size_t n_options,
                              annulus_progress progress, void* user, annulus_index** index,
                              annulus_error* error) noexcept {
    return guarded(error, [&] {
      checked(index, "index");
      option_reader reader(checked_options(options, n_options));
      *index = new annulus_index(build_model(checked_rows(rows, "rows"), reader, progress_of(progress, user)));
    });
  }
  static annulus_status open_with(const char* path, int mapped, annulus_distance distance, void* user,
                                  annulus_index** index, annulus_error* error) noexcept {
    return guarded(error, [&] {
      checked(index, "index");
      std::optional<caller_metric> metric;
      if (distance != nullptr) metric = {distance, user};
      *index = new annulus_index(open_model(checked_path(path), mapped != 0, metric));
    });
  }
  static annulus_status save(const annulus_index* index, const char* path, annulus_error* error) noexcept {
    return guarded(error, [&] { model_of(index).save(checked_path(path)); });
  }
  static annulus_status verify(const annulus_index* index, annulus_error* error) noexcept {
    return guarded(error, [&] { model_of(index).verify(); });
  }
  static annulus_status copy(const annulus_index* index, annulus_index** copy, annulus_error* error) noexcept {
    return guarded(error, [&] {
      annulus_index*& result = checked(copy, "copy");
      result = new annulus_index(model_of(index).copy());
    });
  }
  static void free(annulus_index* index) noexcept { delete index; }

  static annulus_status search(const annulus_index* index, const annulus_rows* queries, std::size_t k,
                               const annulus_search_params* params, std::uint32_t* ids, float* distances,
                               annulus_error* error) noexcept {
    return guarded(error, [&] {
      const index_model& model = model_of(index);
      check_results(checked_rows(queries, "queries").n, k, ids, "ids", distances, "distances");
      model.search(*queries, k, params_or_default(params), ids, distances);
    });
  }
  static annulus_status radius_search(const annulus_index* index, const annulus_rows* queries, float radius,
                                      const annulus_search_params* params, annulus_lists* found,
                                      annulus_error* error) noexcept {
    return guarded(error, [&] {
      const index_model& model = model_of(index);
      annulus_lists& result = checked(found, "found");
      result = lists_of(model.radius_search(checked_rows(queries, "queries"), radius, params_or_default(params)));
    });
  }
  static annulus_status candidates(const annulus_index* index, const annulus_rows* queries,
                                   const annulus_search_params* params, annulus_lists* found,
                                   annulus_error* error) noexcept {
    return guarded(error, [&] {
      const index_model& model = model_of(index);
      annulus_lists& result = checked(found, "found");
      result = lists_of(model.candidates(checked_rows(queries, "queries"), params_or_default(params)));
    });
  }
  static void lists_free(annulus_lists* lists) noexcept {
    if (lists != nullptr) list_memory::release(*lists);
  }
  static annulus_status describe_buckets(const annulus_index* index, annulus_buckets* buckets,
                                         annulus_error* error) noexcept {
    return guarded(error, [&] {
      const index_model& model = model_of(index);
      annulus_buckets& result = checked(buckets, "buckets");
      result = model.describe_buckets();
    });
  }

  static annulus_status insert(annulus_index* index, const annulus_rows* rows, std::size_t threads,
                               std::uint32_t* first_id, annulus_error* error) noexcept {
    return guarded(error, [&] {
      const id_type first = model_of(index).insert(checked_rows(rows, "rows"), threads);
      if (first_id != nullptr) *first_id = first;
    });
  }
  static annulus_status erase(annulus_index* index, std::uint32_t id, annulus_error* error) noexcept {
    return guarded(error, [&] { model_of(index).erase(id); });
  }
  static annulus_status update(annulus_index* index, std::uint32_t id, const annulus_rows* row,
                               annulus_error* error) noexcept {
    return guarded(error, [&] {
      if (checked_rows(row, "row").n != 1) invalid("row", row->n, "must be one row");
      model_of(index).update(id, *row);
    });
  }
  static annulus_status consolidate(annulus_index* index, annulus_error* error) noexcept {
    return guarded(error, [&] { model_of(index).consolidate(); });
  }
  static annulus_status tune(const annulus_index* index, const annulus_rows* queries, double recall_target,
                             std::size_t k, std::size_t n_queries, std::size_t threads, annulus_tuned* tuned,
                             annulus_error* error) noexcept {
    return guarded(error, [&] {
      const index_model& model = model_of(index);
      if (queries != nullptr) checked_rows(queries, "queries");
      annulus_tuned& result = checked(tuned, "tuned");
      result = model.tune(queries, recall_target, k, n_queries, threads);
    });
  }
  static annulus_status graph(const annulus_index* index, annulus_lists* graph, annulus_error* error) noexcept {
    return guarded(error, [&] {
      const index_model& model = model_of(index);
      annulus_lists& result = checked(graph, "graph");
      result = lists_of(model.graph());
    });
  }

  static std::size_t size(const annulus_index* index) noexcept { return index == nullptr ? 0 : index->model->size(); }
  static std::size_t dim(const annulus_index* index) noexcept { return index == nullptr ? 0 : index->model->dim(); }
  static std::size_t memory_bytes(const annulus_index* index) noexcept {
    return index == nullptr ? 0 : index->model->memory_bytes();
  }
  static const char* info(const annulus_index* index, const char* name) noexcept {
    if (index == nullptr || name == nullptr) return nullptr;
    const std::string_view asked = name;
    for (const auto& [known, value] : {std::pair<std::string_view, const std::string*>{"kind", &index->kind},
                                       {"metric", &index->metric},
                                       {"storage", &index->storage},
                                       {"rows", &index->rows}})
      if (asked == known && !value->empty()) return value->c_str();
    return nullptr;
  }

  static annulus_status knn(const annulus_rows* data, const annulus_rows* queries, std::size_t k,
                            const annulus_option* options, std::size_t n_options, const annulus_search_params* params,
                            std::uint32_t* ids, float* distances, annulus_error* error) noexcept {
    return guarded(error, [&] {
      const annulus_rows& rows = checked_rows(data, "data");
      check_results(checked_rows(queries, "queries").n, k, ids, "ids", distances, "distances");
      option_reader reader(checked_options(options, n_options));
      with_built_points(rows, [&]<class Points>() {
        flat_factory<Points>::knn(rows, *queries, k, reader, params_or_default(params), ids, distances);
      });
    });
  }
  static annulus_status knn_graph(const annulus_rows* data, std::size_t n_neighbors, const annulus_option* options,
                                  std::size_t n_options, annulus_progress progress, void* user, std::uint32_t* ids,
                                  float* distances, annulus_error* error) noexcept {
    return guarded(error, [&] {
      const annulus_rows& rows = checked_rows(data, "data");
      check_results(rows.n, n_neighbors, ids, "ids", distances, "distances");
      option_reader reader(checked_options(options, n_options));
      const neighbors graph = with_built_points(rows, [&]<class Points>() {
        return nndescent_factory<Points>::knn_graph(rows, n_neighbors, reader, progress_of(progress, user));
      });
      copy_out(graph, ids, distances);
    });
  }
  static annulus_status approx_top_k(const annulus_rows* operand, std::size_t k, int largest,
                                     const annulus_option* options, std::size_t n_options, void* values,
                                     std::uint32_t* positions, annulus_error* error) noexcept {
    return guarded(error, [&] {
      check_results(checked_rows(operand, "operand").n, k, positions, "positions", values, "values");
      option_reader reader(checked_options(options, n_options));
      top_k_factory::run(*operand, k, largest != 0, reader, values, positions);
    });
  }
};

inline constexpr annulus_function_table function_table{c_functions::build,
                                                       c_functions::open_with,
                                                       c_functions::save,
                                                       c_functions::verify,
                                                       c_functions::copy,
                                                       c_functions::free,
                                                       c_functions::search,
                                                       c_functions::radius_search,
                                                       c_functions::candidates,
                                                       c_functions::lists_free,
                                                       c_functions::describe_buckets,
                                                       c_functions::insert,
                                                       c_functions::erase,
                                                       c_functions::update,
                                                       c_functions::consolidate,
                                                       c_functions::tune,
                                                       c_functions::graph,
                                                       c_functions::size,
                                                       c_functions::dim,
                                                       c_functions::memory_bytes,
                                                       c_functions::info,
                                                       c_functions::knn,
                                                       c_functions::knn_graph,
                                                       c_functions::approx_top_k,
                                                       c_codec_functions::train,
                                                       c_codec_functions::of,
                                                       c_codec_functions::free,
                                                       c_codec_functions::describe,
                                                       c_codec_functions::codewords,
                                                       c_codec_functions::rotation,
                                                       c_codec_functions::encode,
                                                       c_codec_functions::decode,
                                                       c_codec_functions::tables,
                                                       c_codec_functions::distances};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
