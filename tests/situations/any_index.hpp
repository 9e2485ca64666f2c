#pragma once

// A graph index behind functions of whole blocks of rows, so that each type is compiled once, in a unit of its own.

#include <annulus/core/result/filter.hpp>
#include <annulus/core/result/neighbors.hpp>
#include <annulus/nndescent/graph/params.hpp>
#include <annulus/nndescent/index/search_params.hpp>

#include <filesystem>
#include <memory>
#include <span>

namespace situations {

using annulus::id_filter;
using annulus::id_type;
using annulus::matrix;
using annulus::neighbors;
using annulus::no_id;

/// The k-NN graph of an index: a list for each row that it holds, in ascending order of ids.
struct graph_lists {
  std::vector<id_type> ids;
  neighbors lists;
};

/// An index of rows that are numbers in single precision here, whatever it holds them as.
class any_index {
 public:
  virtual ~any_index() = default;

  virtual std::size_t size() const = 0;
  virtual std::size_t memory_bytes() const = 0;
  virtual neighbors search(const matrix<float>& queries, std::size_t k,
                           const annulus::nndescent_search_params&) const = 0;
  virtual annulus::csr radius_search(const matrix<float>& queries, float radius,
                                     const annulus::nndescent_search_params&) const = 0;
  virtual graph_lists graph() const = 0;
  virtual annulus::tuned_search tune(const matrix<float>& queries, double target_recall, std::size_t k) const = 0;

  virtual id_type insert(const matrix<float>& rows) = 0;
  virtual void erase(id_type id) = 0;
  virtual void update(id_type id, const matrix<float>& row) = 0;
  virtual void consolidate() = 0;

  virtual void save(const std::filesystem::path& path) const = 0;
  virtual std::unique_ptr<any_index> load(const std::filesystem::path& path) const = 0;
  virtual std::unique_ptr<any_index> map(const std::filesystem::path& path) const = 0;
};

/// What coordinates a kind of index takes.
enum class coordinates { real, half, bytes, bits, members };

/// One type of index, and its metric once more, in double precision.
struct kind {
  std::string_view name;
  coordinates takes;
  double (*distance)(std::span<const float> a, std::span<const float> b);
  /// By how much the index may be mistaken, besides 1e-5 of a distance: it computes in single precision.
  double (*error)(std::span<const float> a, std::span<const float> b);
  bool finds_itself;  ///< whether no row is nearer to a row than itself
  std::unique_ptr<any_index> (*make)(const matrix<float>& rows, const annulus::nndescent_params&);

  double tolerance(std::span<const float> a, std::span<const float> b, double distance_of_both) const {
    return 1e-5 * std::abs(distance_of_both) + error(a, b);
  }
};

extern const kind euclidean_kind, cosine_sq8_kind, euclidean_sq8_kind, inner_product_kind, half_kind, bytes_kind,
    callable_kind, bits_kind, sets_kind, euclidean_rabitq_kind, cosine_rabitq_sq8_kind;

inline constexpr const kind* all_kinds[] = {
    &euclidean_kind,
    &cosine_sq8_kind,
    &euclidean_sq8_kind,
    &inner_product_kind,
    &half_kind,
    &bytes_kind,
    &callable_kind,
    &bits_kind,
    &sets_kind,
    &euclidean_rabitq_kind,
    &cosine_rabitq_sq8_kind,
};

}  // namespace situations
