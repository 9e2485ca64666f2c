#pragma once

/// \file
/// Arrays of numpy, which calls write their results into; and the named tuples that hold them.

#include "errors.hpp"

#include <cstdint>

namespace annulus_python {

/// The types of arrays that results are in.
enum class array_type { int32, int64, float32, float64, uint8, uint16, uint32 };

/// A new array, which owns its memory.
struct new_array {
  /// At most three dimensions.
  new_array(array_type type, std::initializer_list<std::size_t> shape);
  new_array(array_type type, nb::handle shape);

  template <class T>
  T* data() const noexcept {
    return static_cast<T*>(memory);
  }

  nb::object array;
  void* memory;  // lives as long as the array

 private:
  void allocate(array_type type, PyObject* shape);
};

/// Whether an object may be an array some numbers of which are masked, of which its buffer tells nothing.
bool may_be_masked(nb::handle object) noexcept;

/// annulus.Neighbors(ids, distances) and the like.
nb::object make_neighbors(nb::handle ids, nb::handle distances);
nb::object make_lists(nb::handle indptr, nb::handle ids, nb::handle values);
nb::object make_top_k(nb::handle values, nb::handle indices);

/// The lists of a call, as Neighbors lists of different lengths; frees them.
nb::object take_lists(annulus_lists& lists);
/// The same as two matrices, as wide as the longest list and padded with -1 at infinity.
nb::object take_padded_lists(annulus_lists& lists);

void bind_arrays();

}  // namespace annulus_python
