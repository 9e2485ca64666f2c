#pragma once

/// \file
/// What the library needs of a target, what compilers spell differently, and ANNULUS_ARCH: the inline namespace of all
/// of annulus, named for the instruction sets and floating-point flags of the build, and for whether it checks
/// assertions.
///
/// By that name the linker never merges an inline function compiled for AVX-512 with its namesake from a baseline unit.
/// It does merge those of Eigen and the standard library: all units of a program are to be compiled for one instruction
/// set.

#if (defined(__SIZEOF_POINTER__) && __SIZEOF_POINTER__ < 8) || (defined(_WIN32) && !defined(_WIN64))
#error "annulus needs a 64-bit target"
#elif !defined(__SSE2__) && !defined(_M_X64) && !(defined(__aarch64__) && defined(__ARM_NEON)) && !defined(_M_ARM64)
#error "annulus needs the vector instructions of x86-64 (SSE2 or later) or of 64-bit ARM (NEON)"
#elif defined(__AVX512F__) && \
    !(defined(__AVX512CD__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__))
#error \
    "annulus needs the AVX-512 of -march=skylake-avx512 (F, CD, BW, DQ, VL); for knl and knm compile with -march=haswell"
#endif

/// After the parameters of a lambda: every call of it is inlined.
#if defined(__GNUC__)
#define ANNULUS_INLINED __attribute__((always_inline))
#else
#define ANNULUS_INLINED
#endif

/// Before a declaration: the compiler warns of its use with "since annulus `since`; use `instead`", unless
/// ANNULUS_NO_DEPRECATION_WARNINGS is defined. \param since,instead string literals
#if defined(ANNULUS_NO_DEPRECATION_WARNINGS)
#define ANNULUS_DEPRECATED(since, instead)
#else
#define ANNULUS_DEPRECATED(since, instead) [[deprecated("since annulus " since "; use " instead)]]
#endif

/// \cond
#if !defined(ANNULUS_ARCH)  // may be given by hand where two builds differ in a flag that this list does not tell apart
#if defined(__AVX512VBMI__) && defined(__AVX512VNNI__) && defined(__AVX512BF16__)
#define ANNULUS_ISA avx512_vbmi_vnni_bf16
#elif defined(__AVX512VBMI__) && defined(__AVX512VNNI__)
#define ANNULUS_ISA avx512_vbmi_vnni
#elif defined(__AVX512VBMI__)
#define ANNULUS_ISA avx512_vbmi
#elif defined(__AVX512VNNI__) && defined(__AVX512BF16__)
#define ANNULUS_ISA avx512_vnni_bf16
#elif defined(__AVX512VNNI__)
#define ANNULUS_ISA avx512_vnni
#elif defined(__AVX512F__)
#define ANNULUS_ISA avx512
#elif defined(__AVXVNNI__)
#define ANNULUS_ISA avx2_vnni
#elif defined(__AVX2__) && defined(__FMA__) && defined(__BMI2__)
#define ANNULUS_ISA avx2_fma_bmi2
#elif defined(__AVX2__) && defined(__FMA__)
#define ANNULUS_ISA avx2_fma
#elif defined(__AVX2__)
#define ANNULUS_ISA avx2
#elif defined(__AVX__)
#define ANNULUS_ISA avx
#elif defined(__SSE4_2__)
#define ANNULUS_ISA sse4_2
#elif defined(__SSSE3__)
#define ANNULUS_ISA ssse3
#elif defined(__SSE2__) || defined(_M_X64)
#define ANNULUS_ISA sse2
#elif defined(__ARM_FEATURE_DOTPROD) && defined(__ARM_FEATURE_MATMUL_INT8)
#define ANNULUS_ISA neon_dotprod_i8mm
#elif defined(__ARM_FEATURE_DOTPROD)
#define ANNULUS_ISA neon_dotprod
#else
#define ANNULUS_ISA neon
#endif
// Flags that let a compiler treat floating point as real numbers are part of the name too.
#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ > 0
#define ANNULUS_FINITE _finite
#else
#define ANNULUS_FINITE
#endif
#if defined(__FAST_MATH__)
#define ANNULUS_MATH _fast
#elif defined(__ASSOCIATIVE_MATH__) && defined(__RECIPROCAL_MATH__)
#define ANNULUS_MATH _reciprocal_associative
#elif defined(__ASSOCIATIVE_MATH__)
#define ANNULUS_MATH _associative
#elif defined(__RECIPROCAL_MATH__)
#define ANNULUS_MATH _reciprocal
#else
#define ANNULUS_MATH
#endif
#if defined(ANNULUS_ASSERTIONS)
#define ANNULUS_CHECKS _checked
#else
#define ANNULUS_CHECKS
#endif
#define ANNULUS_JOINED(isa, finite, math, checks) isa##finite##math##checks
#define ANNULUS_JOIN(isa, finite, math, checks) ANNULUS_JOINED(isa, finite, math, checks)
#define ANNULUS_ARCH ANNULUS_JOIN(ANNULUS_ISA, ANNULUS_FINITE, ANNULUS_MATH, ANNULUS_CHECKS)
#endif
/// \endcond
