/// \file
/// Included by each header before its code, and so without an include guard. Until macros_on.hpp at the end of the
/// header, words that other headers (windows.h) define as macros are not macros, and floating point follows the
/// standard.
///
/// Under -ffast-math, or a part of it, a compiler takes for granted that there are no NaN and no infinities, and that
/// sums may be taken in any order. The code between the two headers is compiled without these flags: what it compares
/// with infinity, and the order in which it rounds, is what is written there.

#pragma push_macro("min")
#pragma push_macro("max")
#pragma push_macro("near")
#pragma push_macro("far")
#pragma push_macro("small")
#undef min
#undef max
#undef near
#undef far
#undef small

#if defined(__clang__)
// Whatever the flags: many of them define no macro.
#if defined(__x86_64__) || defined(__aarch64__)
#define ANNULUS_POP_FLOAT_CONTROL
#pragma float_control(precise, on, push)
#endif
#elif defined(__GNUC__) && (__FINITE_MATH_ONLY__ || defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || \
                            defined(__NO_SIGNED_ZEROS__))
#define ANNULUS_POP_OPTIONS  // float_bits.hpp tests it too
#pragma GCC push_options
#pragma GCC optimize("no-finite-math-only", "no-associative-math", "no-reciprocal-math")
#pragma GCC optimize("no-unsafe-math-optimizations", "signed-zeros")
#endif
