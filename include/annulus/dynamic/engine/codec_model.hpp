#pragma once

/// \file
/// codec_model: what a quantiser of any type can be asked, behind virtual functions, of which one call codes a batch.

#include <annulus/annulus.h>
#include <annulus/core/rows/matrix.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Codes are n x m() of the shape's code_bytes each. Does not change.
class codec_model {
 public:
  virtual ~codec_model() = default;

  virtual annulus_codec_shape shape() const noexcept = 0;
  virtual const matrix<float>& codewords() const noexcept = 0;  ///< (m * ks) x ds
  virtual const matrix<float>* rotation() const noexcept = 0;   ///< dim x dim, or null
  virtual void encode(matrix_view<float> rows, std::size_t threads, void* codes) const = 0;
  virtual void decode(const void* codes, std::size_t n, std::size_t threads, float* rows) const = 0;
  virtual void tables(matrix_view<float> queries, float* tables) const = 0;
  virtual void distances(const float* table, const void* codes, std::size_t n, std::size_t threads,
                         float* distances) const = 0;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
