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

// Without optimisation two intrinsics of g++ are macros, which do not convert the batches that xsimd 8.1 hands them.
#if defined(_mm512_mask_blend_epi8) && defined(_mm512_mask_blend_epi16)
#pragma push_macro("_mm512_mask_blend_epi8")
#pragma push_macro("_mm512_mask_blend_epi16")
#undef _mm512_mask_blend_epi8
#undef _mm512_mask_blend_epi16
#define _mm512_mask_blend_epi8(mask, no, yes) _mm512_mask_mov_epi8(no, static_cast<__mmask64>(mask), yes)
#define _mm512_mask_blend_epi16(mask, no, yes) _mm512_mask_mov_epi16(no, static_cast<__mmask32>(mask), yes)
#define ANNULUS_POP_BLENDS
#endif
#include <xsimd/xsimd.hpp>
#if defined(ANNULUS_POP_BLENDS)
#pragma pop_macro("_mm512_mask_blend_epi8")
#pragma pop_macro("_mm512_mask_blend_epi16")
#undef ANNULUS_POP_BLENDS
#endif

#include <annulus/core/base/macros_on.hpp>
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#pragma GCC diagnostic pop
#endif

#if XSIMD_VERSION_MAJOR < 8 || (XSIMD_VERSION_MAJOR == 8 && XSIMD_VERSION_MINOR < 1)
#error "annulus needs xsimd 8.1 or newer"
#endif
