#pragma once

/// \file
/// ANNULUS_ASSERT: what a caller inside the library has to keep to, checked in builds with ANNULUS_ASSERTIONS, as of
/// the preset dev, and nothing but documentation in all others. What users can do wrong throws instead (errors.hpp).

#include <annulus/core/base/config.hpp>

#if defined(ANNULUS_ASSERTIONS)
#include <cstdio>
#include <cstdlib>
#endif

#include <annulus/core/base/macros_off.hpp>

#if defined(ANNULUS_ASSERTIONS)
/// Where the condition does not hold: prints file, line and condition, and aborts. Is an expression of type void, for
/// functions that are noexcept or constexpr too.
#define ANNULUS_ASSERT(...)                              \
  (static_cast<bool>(__VA_ARGS__) ? static_cast<void>(0) \
                                  : ::annulus::detail::fail_assertion(#__VA_ARGS__, __FILE__, __LINE__))

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

[[noreturn, gnu::noinline, gnu::cold]] inline void fail_assertion(const char* condition, const char* file,
                                                                  int line) noexcept {
  std::fprintf(stderr, "%s:%d: annulus: assertion failed: %s\n", file, line, condition);
  std::abort();
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#else
// The condition is compiled, so that it goes on being one, but never evaluated.
#define ANNULUS_ASSERT(...) static_cast<void>(sizeof(static_cast<bool>(__VA_ARGS__)))
#endif

#include <annulus/core/base/macros_on.hpp>
