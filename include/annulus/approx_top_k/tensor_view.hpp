#pragma once

/// \file
/// Operands of any number of dimensions.

#include <annulus/core/base/errors.hpp>

#include <cstddef>
#include <utility>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// An n-dimensional operand owned by someone else: element (i0, i1, ...) is data[i0 strides[0] + i1 strides[1] + ...].
template <class T>
class tensor_view {
 public:
  using value_type = T;  ///< of the elements

  /// \param data element (0, 0, ...) \param shape the extent of each dimension \param strides in elements, from one to
  /// the next along each dimension; may be negative or zero
  /// \throws std::invalid_argument for no dimensions, a number of strides other than that of dimensions, or a size that
  /// overflows.
  tensor_view(const T* data, std::vector<std::size_t> shape, std::vector<std::ptrdiff_t> strides)
      : m_data(data), m_shape(std::move(shape)), m_strides(std::move(strides)) {
    if (m_shape.empty()) detail::invalid("rank", m_shape.size(), "must be at least 1");
    if (m_strides.size() != m_shape.size())
      detail::invalid("strides size", m_strides.size(), "must equal shape size = ", m_shape.size());
    std::size_t size = sizeof(T);
    for (const std::size_t extent : m_shape) size = detail::checked_product(size, extent, "shape product");
  }

  /// Row-major and packed. \param data element (0, 0, ...) \param shape the extent of each dimension
  /// \throws std::invalid_argument for no dimensions or a size that overflows.
  tensor_view(const T* data, std::vector<std::size_t> shape) : tensor_view(data, shape, packed(shape)) {}

  const T* data() const noexcept { return m_data; }                           ///< \returns element (0, 0, ...)
  std::size_t rank() const noexcept { return m_shape.size(); }                ///< \returns the number of dimensions
  const std::vector<std::size_t>& shape() const noexcept { return m_shape; }  ///< \returns each one's extent
  const std::vector<std::ptrdiff_t>& strides() const noexcept { return m_strides; }  ///< \returns each one's stride

 private:
  static std::vector<std::ptrdiff_t> packed(const std::vector<std::size_t>& shape) {
    std::vector<std::ptrdiff_t> strides(shape.size());
    std::size_t stride = 1;  // wraps where the constructor will throw, or where there are no elements
    for (std::size_t i = shape.size(); i-- > 0; stride *= shape[i]) strides[i] = static_cast<std::ptrdiff_t>(stride);
    return strides;
  }

  const T* m_data;
  std::vector<std::size_t> m_shape;
  std::vector<std::ptrdiff_t> m_strides;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
