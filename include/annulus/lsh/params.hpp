#pragma once

/// \file
/// Parameters of LSH indexes and searches, and what they report.

#include <annulus/core/base/errors.hpp>
#include <annulus/core/base/random.hpp>
#include <annulus/core/result/filter.hpp>

#include <cmath>
#include <optional>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// How an LSH index is built.
struct lsh_params {
  std::size_t n_projections = 15;     ///< hash functions that make up the key of a table; for cross_polytope, bits
  std::size_t n_tables = 10;          ///< hash tables
  std::uint64_t seed = default_seed;  ///< of the draw of hash functions
  std::size_t threads = 0;            ///< to build with; 0: all cores. The index is the same for any number
  bool only_index = false;            ///< keep no rows: `candidates` works, `search` throws

  /// Names the fields for files: all but `threads`, which the reader of the file chooses. \param self the parameters
  /// \param archive as storage/archive.hpp has it \throws annulus::format_error while loading.
  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive("n_projections", self.n_projections);
    archive("n_tables", self.n_tables);
    archive("seed", self.seed);
    archive("only_index", self.only_index);
  }
};

/// How an LSH index is searched.
struct lsh_search_params {
  /// Buckets to look into, of all tables together; 0: one a table. After 1024 + 16 n of them all n rows are compared.
  std::size_t n_probes = 0;
  /// In (0, 1]: search until the expected share of the wanted rows that is found, over the draws of the functions,
  /// reaches this; in at most n_probes buckets where n_probes is given, else in all rows if necessary. The expectation
  /// takes half of the k nearest rows to be as far as the nearer half of the k found so far, the others as far as the
  /// k-th; rows within a radius to be as far as the radius. 1: exact, by comparing all rows. Absent: n_probes decides.
  std::optional<double> recall_target = {};
  std::size_t max_candidates = 0;  ///< rows to compare at most; 0: no limit
  std::size_t threads = 0;         ///< 0: all cores
  id_filter filter = {};           ///< which rows may be returned
};

/// The mean cost of a query.
struct lsh_search_stats {
  double candidates = 0;  ///< rows found in buckets, each counted once
  double collisions = 0;  ///< rows found in buckets, each counted in every bucket
  double probes = 0;      ///< buckets looked into
};

/// The rows that share buckets with a query, by descending number of collisions, ties by lower id.
struct lsh_candidates {
  std::vector<id_type> ids;               ///< of the rows
  std::vector<std::uint32_t> collisions;  ///< the number of buckets, of those looked into, that hold the row
};

/// The sizes of the buckets of all tables; empty buckets do not count.
struct bucket_statistics {
  std::size_t n_buckets = 0;  ///< that hold a row
  double mean = 0;            ///< rows a bucket
  double sd = 0;              ///< the standard deviation of rows a bucket
  std::size_t min = 0;        ///< rows of the smallest bucket
  std::size_t max = 0;        ///< rows of the largest bucket
  std::size_t bytes = 0;      ///< of all tables
};

namespace detail {

/// \throws std::invalid_argument for a value out of range.
inline const lsh_params& checked(const lsh_params& params, std::size_t dim) {
  if (dim == 0) invalid("dim", dim, "must be at least 1");
  if (params.n_projections == 0) invalid("n_projections", params.n_projections, "must be at least 1");
  if (params.n_tables == 0) invalid("n_tables", params.n_tables, "must be at least 1");
  return params;
}
inline void check_k(std::size_t k) {
  if (k == 0) invalid("k", k, "must be at least 1");
}
inline void check_radius(float radius) {
  if (is_nan(radius)) invalid("radius", radius, "must be a number");
}
inline void check(const lsh_search_params& params) {
  const double target = params.recall_target.value_or(1);
  if (!(is_number(target) && target > 0 && target <= 1)) invalid("recall_target", target, "must be in (0, 1]");
}

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
