#pragma once

/// \file
/// Parameters of searches as the C interface hands them over: which an index has no use for, and filters.

#include <annulus/annulus.h>
#include <annulus/core/base/errors.hpp>
#include <annulus/core/base/progress.hpp>
#include <annulus/core/result/filter.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// As annulus_search_defaults sets them.
constexpr annulus_search_params default_search_params() noexcept {
  annulus_search_params params{};
  params.epsilon = 0.1;
  return params;
}

/// The filter of a search. \throws std::invalid_argument where more than one is given.
inline id_filter filter_of(const annulus_search_params& params) {
  const int given = (params.allowed_ids != nullptr) + (params.allowed_bits != nullptr) + (params.allow != nullptr);
  if (given > 1) invalid("filter", given, "at most one of allowed_ids, allowed_bits and allow may be given");
  if (params.allowed_ids != nullptr) return id_filter::of({params.allowed_ids, params.n_allowed});
  if (params.allowed_bits != nullptr) {
    std::vector<std::uint64_t> words(params.allowed_bits,
                                     params.allowed_bits + params.n_allowed / 64 + (params.n_allowed % 64 != 0));
    if (params.n_allowed % 64 != 0) words.back() &= (std::uint64_t{1} << (params.n_allowed % 64)) - 1;
    return id_filter::of_words(std::move(words));
  }
  if (params.allow != nullptr)
    return [allow = params.allow, user = params.allow_user](id_type id) { return allow(user, id) != 0; };
  return {};
}

/// A C callback as one of C++.
inline progress_callback progress_of(annulus_progress progress, void* user) {
  if (progress == nullptr) return {};
  return [progress, user](const progress_report& report) {
    return progress(user, std::string(report.stage).c_str(), report.fraction, report.whole) != 0;
  };
}

/// Throws std::invalid_argument for a parameter of searches that is set and that indexes of this kind have no use for.
/// `used`: those that they have.
inline void check_unused(const annulus_search_params& params, std::string_view kind,
                         std::initializer_list<std::string_view> used) {
  const annulus_search_params defaults = default_search_params();
  const auto check = [&](std::string_view name, bool is_set) {
    if (!is_set || std::ranges::find(used, name) != used.end()) return;
    std::string names = "threads, filter";
    for (const std::string_view other : used) names.append(", ").append(other);
    invalid("parameter", name, "a search of ", kind, " has no such parameter; it takes ", names);
  };
  check("recall_target", params.recall_target != defaults.recall_target);
  check("beam", params.beam != defaults.beam);
  check("epsilon", params.epsilon != defaults.epsilon);
  check("by_estimates", params.by_estimates != defaults.by_estimates);
  check("n_probes", params.n_probes != defaults.n_probes);
  check("max_candidates", params.max_candidates != defaults.max_candidates);
  check("k_factor", params.k_factor != defaults.k_factor);
  check("float_tables", params.float_tables != defaults.float_tables);
  check("progress", params.progress != nullptr);
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
