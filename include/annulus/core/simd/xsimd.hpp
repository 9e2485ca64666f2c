#pragma once

/// \file
/// xsimd and the intrinsics of the processor, included so that their functions are compiled as the kernels are that
/// call them.

#include <annulus/core/base/config.hpp>

// g++ 12 takes the "undefined" operands inside its own AVX-512 intrinsics for uninitialised variables (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <iterator>
#include <limits>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <tuple>

// Under -ffast-math what these define is compiled as the kernels are: clang's intrinsics are operators, which it would
// reorder, and g++ inlines no function of xsimd's that is compiled otherwise.
#if defined(__clang__) && defined(__FAST_MATH__) && defined(__XMMINTRIN_H)
#define ANNULUS_REORDERED_INTRINSICS  // too late: they were included before, as <random> does
#endif
#if defined(__SSE2__)
#if defined(__clang__)
#include <annulus/core/base/macros_off.hpp>
#endif
#include <immintrin.h>
#if defined(__clang__)
#include <annulus/core/base/macros_on.hpp>
#endif
#endif

#include <annulus/core/base/macros_off.hpp>

#include <xsimd/xsimd.hpp>

#include <annulus/core/base/macros_on.hpp>
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#pragma GCC diagnostic pop
#endif

#if XSIMD_VERSION_MAJOR < 8 || (XSIMD_VERSION_MAJOR == 8 && XSIMD_VERSION_MINOR < 1)
#error "annulus needs xsimd 8.1 or newer"
#endif
