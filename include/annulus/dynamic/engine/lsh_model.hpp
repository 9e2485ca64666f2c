#pragma once

/// \file
/// lsh_index behind index_model, for every family of hash functions that takes rows of Points. Members of lsh_factory
/// are for the unit that instantiates it.

#include <annulus/dynamic/engine/factories.hpp>
#include <annulus/dynamic/engine/metric_option.hpp>
#include <annulus/dynamic/engine/row_access.hpp>
#include <annulus/dynamic/engine/scratch_pool.hpp>
#include <annulus/dynamic/engine/search_params.hpp>
#include <annulus/io/index/index_file.hpp>
#include <annulus/lsh/families/bit_sampling.hpp>
#include <annulus/lsh/families/cross_polytope.hpp>
#include <annulus/lsh/families/minhash.hpp>
#include <annulus/lsh/families/p_stable.hpp>
#include <annulus/lsh/families/sign_random_projection.hpp>
#include <annulus/lsh/families/simple_mips.hpp>
#include <annulus/lsh/index.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

template <class... Families>
struct family_types {};

/// The first that takes such rows is the default, and so is the first of a metric.
using lsh_families =
    family_types<p_stable_l2, p_stable_l1, sign_random_projection, cross_polytope, simple_mips, bit_sampling, minhash>;

/// Calls f.operator()<Family>() for the families that take rows of Points, until it returns true.
template <class Points, class F, class... Families>
bool visit_families(F&& f, family_types<Families...>) {
  const auto visit = [&]<class Family>() {
    if constexpr (hash_family<Family, view_of<Points>>) return f.template operator()<Family>();
    else return false;
  };
  return (visit.template operator()<Families>() || ...);
}

template <class Points, class Family>
class lsh_model final : public index_model {
  using index_type = lsh_index<Points, Family>;
  static constexpr bool counts_bits = has_bit_count<Family>;

 public:
  lsh_model(const annulus_rows& rows, const Family& family, const lsh_params& params)
      : m_index(first_rows(rows, family, params)) {}
  explicit lsh_model(index_type index) : m_index(std::move(index)) {}

  std::string_view kind() const noexcept override { return "lsh"; }
  std::string_view metric() const noexcept override { return Family::metric::name; }
  std::string_view storage() const noexcept override { return Family::name; }
  std::string rows() const override { return describe_rows<Points>(bits()); }
  std::size_t size() const noexcept override { return m_index.size(); }
  std::size_t dim() const noexcept override { return bits() > 0 ? bits() : m_index.dim(); }
  std::size_t memory_bytes() const noexcept override { return m_index.memory_bytes(); }
  std::unique_ptr<index_model> copy() const override { return std::make_unique<lsh_model>(*this); }
  void save(const std::filesystem::path& path) const override { annulus::save(m_index, path); }
  void verify() const override { annulus::verify(m_index); }

  void search(const annulus_rows& queries, std::size_t k, const annulus_search_params& params, id_type* ids,
              float* distances) const override {
    const lsh_search_params own = checked(params);
    const rows_of given(queries, "queries", bits());
    if (queries.n == 1) {
      const auto scratch = m_scratch.take();
      m_index.search(given.view(), {ids, k}, {distances, k}, *scratch, own);
    } else {
      copy_out(m_index.search(given.view(), k, own), ids, distances);
    }
  }
  csr radius_search(const annulus_rows& queries, float radius, const annulus_search_params& params) const override {
    const lsh_search_params own = checked(params);
    return m_index.radius_search(rows_of(queries, "queries", bits()).view(), radius, own);
  }
  csr candidates(const annulus_rows& queries, const annulus_search_params& params) const override {
    check_unused(params, "lsh candidates", {"n_probes", "max_candidates"});
    check_csr_columns("ids", m_index.n_ids());
    csr result{{0}, {}, {}, m_index.n_ids()};
    for (const lsh_candidates& of_query :
         m_index.candidates(rows_of(queries, "queries", bits()).view(), search_params(params))) {
      for (const id_type id : of_query.ids) result.indices.push_back(static_cast<std::int32_t>(id));
      for (const std::uint32_t n : of_query.collisions) result.distances.push_back(static_cast<float>(n));
      result.indptr.push_back(static_cast<std::int64_t>(result.indices.size()));
    }
    return result;
  }

  annulus_buckets describe_buckets() const override {
    const bucket_statistics found = m_index.describe();
    return {found.n_buckets, found.mean, found.sd, found.min, found.max, found.bytes};
  }

  /// With as many threads as the index was built with.
  id_type insert(const annulus_rows& rows, std::size_t) override {
    return m_index.insert(rows_of(rows, "rows", bits()).view());
  }
  void erase(id_type id) override { m_index.erase(id); }
  void update(id_type id, const annulus_rows& row) override { m_index.update(id, rows_of(row, "row", bits()).view()); }
  void consolidate() override { m_index.compact(); }

 private:
  /// Rows of the caller, of `bits` bits where that is not 0.
  struct rows_of : row_access<Points> {
    rows_of(const annulus_rows& rows, std::string_view name, std::size_t bits) : row_access<Points>(rows, name) {
      if constexpr (counts_bits) {
        if (bits == 0) return;
        if (this->bits() > 0 && this->bits() != bits)
          invalid(name, std::to_string(this->bits()) + " bits", "must have the index's ", bits, " bits");
        if (this->view().rows() > 0 && this->view().cols() == bytes_for(bits)) check_padding(this->view(), bits, name);
      }
    }
  };

  static index_type first_rows(const annulus_rows& rows, Family family, const lsh_params& params) {
    std::size_t bits = 0;
    if constexpr (counts_bits) {
      if (rows.layout == ANNULUS_BITS) {
        if (family.bits != 0 && family.bits != rows.dim)
          invalid("bits", family.bits, "must be those of the rows, ", rows.dim, ", or left out");
        family.bits = rows.dim;
      }
      bits = bits_of_rows(family.bits, rows.layout == ANNULUS_BITS ? bytes_for(rows.dim) : rows.dim);
    }
    return index_type(rows_of(rows, "rows", bits).view(), family, params);
  }

  static std::size_t bytes_for(std::size_t bits) noexcept { return bits / 8 + (bits % 8 != 0); }
  /// `bits` where rows of so many bytes have no more than these; else 0, as rows are compared by all of their bytes.
  static std::size_t bits_of_rows(std::size_t bits, std::size_t bytes) noexcept {
    return bytes_for(bits) == bytes ? bits : 0;
  }
  /// Of a row; 0 where rows are not of bits.
  std::size_t bits() const noexcept {
    if constexpr (counts_bits) return bits_of_rows(m_index.family().bits, m_index.dim());
    else return 0;
  }
  lsh_search_params checked(const annulus_search_params& params) const {
    check_unused(params, kind(), {"recall_target", "n_probes", "max_candidates"});
    return search_params(params);
  }
  static lsh_search_params search_params(const annulus_search_params& params) {
    lsh_search_params own{.n_probes = params.n_probes,
                          .max_candidates = params.max_candidates,
                          .threads = params.threads,
                          .filter = filter_of(params)};
    if (params.recall_target != 0) own.recall_target = params.recall_target;
    return own;
  }

  index_type m_index;
  scratch_pool<typename index_type::search_scratch> m_scratch;
};

/// A family of hash functions by its names.
struct family_names {
  std::string_view family, metric;
};

/// Those that take rows of Points. \throws std::invalid_argument where there are none.
template <class Points>
std::vector<family_names> families_of() {
  std::vector<family_names> all;
  visit_families<Points>(
      [&]<class Family>() {
        all.push_back({Family::name, Family::metric::name});
        return false;
      },
      lsh_families{});
  if (all.empty())
    invalid("rows", points_name<Points>(),
            "lsh hashes rows of float32 or float64, packed bits, and sparse rows: convert them to float32");
  return all;
}

/// The family of the options: that of the name given as `family` or `storage`, else the first of the metric.
template <class Points>
std::string_view read_family_name(option_reader& options) {
  std::vector<family_names> possible = families_of<Points>();
  const std::string_view storage = options.text("storage", ""), given = options.text("family", storage);
  if (!given.empty()) {
    std::string known;
    for (const family_names& names : possible)
      known.append(known.empty() ? "" : ", ").append(names.family).append(" (").append(names.metric).append(")");
    std::erase_if(possible, [&](const family_names& names) { return !is_same_name(names.family, given); });
    if (possible.empty()) invalid("family", given, points_name<Points>(), " are hashed by one of ", known);
  }
  std::vector<std::string_view> metrics;
  for (const family_names& names : possible)
    if (std::ranges::find(metrics, names.metric) == metrics.end()) metrics.push_back(names.metric);
  const std::string owner =
      given.empty() ? "lsh of " + points_name<Points>() : "lsh by " + std::string(possible.front().family);
  const std::string_view metric = read_metric(options, metrics, owner);
  return std::ranges::find(possible, metric, &family_names::metric)->family;
}

template <class Family>
Family read_family(option_reader& options) {
  Family family;
  if constexpr (requires { family.width; }) options.read("width", family.width);
  if constexpr (requires { family.n_rotations; }) options.read("n_rotations", family.n_rotations);
  if constexpr (requires { family.max_norm; }) options.read("max_norm", family.max_norm);
  if constexpr (requires { family.bits; }) options.read("bits", family.bits);
  return family;
}

inline lsh_params read_lsh_params(option_reader& options) {
  lsh_params params;
  options.read("n_projections", params.n_projections);
  options.read("n_tables", params.n_tables);
  options.read("seed", params.seed);
  options.read("threads", params.threads);
  options.read("only_index", params.only_index);
  return params;
}

/// Options: `family` (or `storage`), its parameters, `metric`, and those of lsh_params. Reports no progress.
template <class Points>
model_pointer lsh_factory<Points>::build(const annulus_rows& rows, option_reader& options, const progress_callback&) {
  const std::string_view name = read_family_name<Points>(options);
  model_pointer model;
  visit_families<Points>(
      [&]<class Family>() {
        if (Family::name != name) return false;
        const Family family = read_family<Family>(options);
        const lsh_params params = read_lsh_params(options);
        options.finish("lsh by " + std::string(name));
        model = std::make_unique<lsh_model<Points, Family>>(rows, family, params);
        return true;
      },
      lsh_families{});
  return model;
}

template <class Points>
model_pointer lsh_factory<Points>::open(const file_description& file) {
  model_pointer model;
  visit_families<Points>(
      [&]<class Family>() {
        using index_type = lsh_index<Points, Family>;
        if (file.storage != Family::name) return false;
        model = std::make_unique<lsh_model<Points, Family>>(file.is_mapped ? map_index<index_type>(file.path)
                                                                           : load_index<index_type>(file.path));
        return true;
      },
      lsh_families{});
  if (model == nullptr)
    throw format_error(name_of_path(file.path), safetensors_header::length_bytes,
                       "the family is '" + file.storage + "', which does not hash " + points_name<Points>());
  return model;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
