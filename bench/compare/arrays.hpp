#pragma once

// numpy's arrays as matrices and back. Arrays go in without a copy (C-contiguous, of the type asked for, else
// TypeError) and results come out without one.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <annulus/core/result/neighbors.hpp>

namespace nb = nanobind;
using namespace nb::literals;

template <class T>
using rows_of = nb::ndarray<const T, nb::c_contig, nb::device::cpu, nb::ndim<2>>;

template <class T>
annulus::matrix_view<T> view(const rows_of<T>& array) {
  return {array.data(), array.shape(0), array.shape(1)};
}

/// A numpy array that keeps the matrix alive.
template <class T>
nb::object to_numpy(annulus::matrix<T>&& values) {
  const auto owner = new annulus::matrix<T>(std::move(values));
  const nb::capsule keep(owner, [](void* p) noexcept { delete static_cast<annulus::matrix<T>*>(p); });
  const std::size_t shape[] = {owner->rows(), owner->cols()};
  return nb::ndarray<nb::numpy, T>(owner->data(), 2, shape, keep).cast();
}

/// ids and distances.
inline nb::tuple to_numpy(annulus::neighbors&& found) {
  return nb::make_tuple(to_numpy(std::move(found.ids)), to_numpy(std::move(found.distances)));
}

/// f() without the GIL.
template <class F>
auto unlocked(F f) {
  const nb::gil_scoped_release released;
  return f();
}
