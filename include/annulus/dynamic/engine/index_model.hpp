#pragma once

/// \file
/// index_model: what an index of any type can be asked, behind virtual functions, of which one call answers a batch. A
/// model implements what its kind has; the rest throws and names the kinds that have it.

#include <annulus/annulus.h>
#include <annulus/core/result/neighbors.hpp>

#include <filesystem>
#include <memory>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Writes the results of a search to n x k ids and distances.
inline void copy_out(const neighbors& found, id_type* ids, float* distances) {
  const std::size_t n = found.ids.rows() * found.ids.cols();
  std::copy_n(found.ids.data(), n, ids);
  std::copy_n(found.distances.data(), n, distances);
}

class index_model {
 public:
  virtual ~index_model() = default;

  virtual std::string_view kind() const noexcept = 0;     ///< as in index_spec: "nndescent"
  virtual std::string_view metric() const noexcept = 0;   ///< its name
  virtual std::string_view storage() const noexcept = 0;  ///< or family; empty where there is only one
  virtual std::string rows() const = 0;                   ///< "rows of float32"
  virtual std::size_t size() const noexcept = 0;
  virtual std::size_t dim() const noexcept = 0;  ///< coordinates of a row; of bits, bits
  virtual std::size_t memory_bytes() const noexcept = 0;
  virtual std::unique_ptr<index_model> copy() const = 0;
  virtual void save(const std::filesystem::path& path) const = 0;
  virtual void verify() const = 0;

  /// Writes queries.n x k ids and distances.
  virtual void search(const annulus_rows& queries, std::size_t k, const annulus_search_params& params, id_type* ids,
                      float* distances) const = 0;
  virtual csr radius_search(const annulus_rows&, float, const annulus_search_params&) const {
    lacks("radius_search", "nndescent, lsh");
  }
  /// Rows that share buckets with each query, and in how many.
  virtual csr candidates(const annulus_rows&, const annulus_search_params&) const { lacks("candidates", "lsh"); }
  virtual annulus_buckets describe_buckets() const { lacks("describe_buckets", "lsh"); }
  virtual id_type insert(const annulus_rows&, std::size_t /*threads*/) {
    lacks("insert", "flat, nndescent, lsh, pq, opq, fast_scan");
  }
  virtual void erase(id_type) { lacks("erase", "nndescent, lsh"); }
  virtual void update(id_type, const annulus_rows&) { lacks("update", "nndescent, lsh"); }
  virtual void consolidate() { lacks("consolidate", "nndescent, lsh"); }
  /// For rows of the index where `queries` is null.
  virtual annulus_tuned tune(const annulus_rows* /*queries*/, double /*recall_target*/, std::size_t /*k*/,
                             std::size_t /*n_queries*/, std::size_t /*threads*/) const {
    lacks("tune", "nndescent");
  }
  virtual neighbors graph() const { lacks("graph", "nndescent"); }

 protected:
  [[noreturn]] void lacks(std::string_view what, std::string_view kinds) const {
    invalid("kind", kind(), "has no ", what, ", which these have: ", kinds);
  }
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
