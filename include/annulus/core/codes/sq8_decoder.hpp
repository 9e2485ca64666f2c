#pragma once

/// \file
/// Rows as their 8-bit codes tell them.

#include <annulus/core/codes/sq8_encoder.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Row i of some codes, divided by its norm under cosine, less a centre. O(d).
template <class T>
void decode_row(const sq8_encoder<T>& encoder, const sq8_rows& codes, std::size_t i, const float* centre,
                float* out) noexcept {
  const std::size_t dim = encoder.row_dim();
  const std::uint8_t* const row = codes.row(i);
  const float scale = codes.terms(i).scale;
  const int zero = encoder.is_exact() && !std::is_signed_v<T> ? 0 : 128;
  for (std::size_t j = 0; j < dim; ++j) {
    const auto code = static_cast<float>(static_cast<int>(row[j]) - zero);
    out[j] = encoder.is_exact() ? code : scale * code;
  }
  if (!encoder.steps().empty() && !encoder.is_zero_row(codes, i))
    for (std::size_t j = 0; j < dim; ++j) out[j] *= static_cast<float>(encoder.steps()[j]);
  const row_frame<T>& frame = encoder.frame();
  for (std::size_t j = 0; j < frame.wide().size(); ++j) out[frame.wide()[j]] = codes.wide(i)[j];
  for (std::size_t j = 0; j < dim; ++j) out[j] += static_cast<float>(frame.centre()[j]) - centre[j];
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
