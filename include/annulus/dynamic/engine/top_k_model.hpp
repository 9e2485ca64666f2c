#pragma once

/// \file
/// approx_min_k and approx_max_k of rows whose type is known at run time.

#include <annulus/approx_top_k/approx_min_k.hpp>
#include <annulus/dynamic/engine/factories.hpp>
#include <annulus/dynamic/engine/row_access.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// "used": the unit that includes this emits it.
[[gnu::used]] inline void top_k_factory::run(const annulus_rows& operand, std::size_t k, bool largest,
                                             option_reader& options, void* values, std::uint32_t* positions) {
  if (operand.layout != ANNULUS_DENSE) invalid("operand", describe(operand), "must be dense");
  approx_top_k_params params;
  options.read("recall_target", params.recall_target);
  options.read("reduction_input_size_override", params.reduction_input_size_override);
  options.read("threads", params.threads);
  options.finish("approx_top_k");
  with_points_of(operand, [&]<class Points>() {
    if constexpr (!csr_like<Points>) {
      using T = typename Points::value_type;
      const row_access<Points> rows(operand, "operand");
      const auto found = largest ? approx_max_k(rows.view(), k, params) : approx_min_k(rows.view(), k, params);
      const auto write = [&](auto* out) {
        using Out = std::remove_pointer_t<decltype(out)>;
        std::transform(found.values.begin(), found.values.end(), out, [](T x) { return static_cast<Out>(x); });
      };
      if constexpr (std::same_as<T, double>) write(static_cast<double*>(values));
      else write(static_cast<float*>(values));
      std::transform(found.indices.begin(), found.indices.end(), positions,
                     [](auto i) { return static_cast<std::uint32_t>(i); });
    }
  });
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
