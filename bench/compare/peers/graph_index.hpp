#pragma once

/// \file
/// What the comparison asks of a library's graph index. Each library has a file of its own, so that none is compiled
/// for another's sake.

#include <annulus/core/result/filter.hpp>

#include <memory>
#include <vector>

namespace compare {

using annulus::id_type;
using rows_view = annulus::matrix_view<float>;
using row_view = std::span<const float>;

enum class metric { sqeuclidean, cosine, inner_product };
enum class storage { floats, sq8, bytes };  ///< sq8: annulus alone; bytes: rows of the numbers 0 to 255

/// Which rows may be returned. Made before anything is timed, as by an application that keeps its filters.
struct row_filter {
  /// `as_callable`: annulus gets a function that looks into the bits, as the others do, rather than the bits.
  explicit row_filter(std::vector<bool> bits, bool as_callable = false)
      : allowed(std::make_shared<const std::vector<bool>>(std::move(bits))) {
    if (as_callable) for_annulus = [bits = allowed](id_type id) { return id < bits->size() && (*bits)[id]; };
    else for_annulus = *allowed;
  }
  std::shared_ptr<const std::vector<bool>> allowed;
  annulus::id_filter for_annulus;
};

/// A graph index of one library. The rows that build and insert are given have the ids 0, 1, ... in their order.
class graph_index {
 public:
  virtual ~graph_index() = default;
  /// Once, before all else.
  virtual void build(rows_view rows, std::size_t threads) = 0;
  virtual void insert(rows_view rows, std::size_t threads) = 0;
  virtual void erase(id_type id) = 0;
  virtual void update(id_type id, row_view row) = 0;
  /// The nearest ids.size() rows on this thread, nearest first, no_id where fewer are found. `width` is the beam of
  /// annulus, ef of hnswlib and expansion of usearch; 0: the library's default.
  virtual void search(row_view query, std::span<id_type> ids, std::size_t width, const row_filter* filter) = 0;
};

std::unique_ptr<graph_index> make_annulus(metric m, storage s);

/// M = 16, ef_construction = 200. `reuse`: rows inserted take the places of erased ones (allow_replace_deleted).
std::unique_ptr<graph_index> make_hnswlib(metric m, std::size_t dim, bool reuse);

/// By its defaults: connectivity 16, expansion_add 128; places of erased rows are taken again.
std::unique_ptr<graph_index> make_usearch(metric m, std::size_t dim, storage s);
/// "usearch", or that it is without its SIMD.
const char* usearch_name();

}  // namespace compare
