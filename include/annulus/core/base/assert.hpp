#pragma once

/// \file
/// ANNULUS_ASSERT states what a function requires of its callers inside the library. Builds with ANNULUS_ASSERTIONS,
/// such as those of the preset dev, check it; in all others it is documentation. Mistakes of users throw exceptions
/// instead (errors.hpp).

#include <annulus/core/base/config.hpp>

#if defined(ANNULUS_ASSERTIONS)
#include <cstdio>
#include <cstdlib>
#endif

#include <annulus/core/base/macros_off.hpp>

#if defined(ANNULUS_ASSERTIONS)
/// Prints file, line and condition and aborts where the condition is false. An expression of type void, which noexcept
/// and constexpr functions may contain.
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
/// Does nothing in this build. The condition is compiled, so that it stays valid code, but never evaluated.
#define ANNULUS_ASSERT(...) static_cast<void>(sizeof(static_cast<bool>(__VA_ARGS__)))
#endif

#include <annulus/core/base/macros_on.hpp>
