#pragma once

/// \file
/// Which of the instruction sets that the library is compiled for a processor has.

#include <annulus/core/base/config.hpp>

#include <string_view>

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// What CMake calls the one set of a library that has one, compiled with the compiler's flags.
inline constexpr std::string_view only_set = "baseline";

#if defined(__x86_64__) && defined(__GNUC__)

/// Asks for each extension, as clang 14 does not know levels. __builtin_cpu_supports also asks whether the system keeps
/// the wide registers; it does not know all extensions, the rest are bits of cpuid.
inline bool processor_has(std::string_view set) noexcept {
  __builtin_cpu_init();
  if (set == "x86-64" || set == only_set) return true;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0, ecx_extended = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0) return false;
  if (__get_cpuid(0x80000001u, &eax, &ebx, &ecx_extended, &edx) == 0) return false;
  constexpr unsigned movbe = 1u << 22, f16c = 1u << 29, lzcnt = 1u << 5;
  const bool has_v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                      __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma") && (ecx & movbe) != 0 &&
                      (ecx & f16c) != 0 && (ecx_extended & lzcnt) != 0;
  if (set == "x86-64-v3") return has_v3;
  const bool has_v4 = has_v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni") &&
                      __builtin_cpu_supports("avx512vbmi");
  return set == "x86-64-v4" && has_v4;
}

#elif defined(__aarch64__) && defined(__linux__)

inline bool processor_has(std::string_view set) noexcept {
  if (set == "armv8-a" || set == only_set) return true;
  constexpr unsigned long fphp = 1ul << 9, asimdhp = 1ul << 10, asimddp = 1ul << 20;  // HWCAP_*, which old headers lack
  constexpr unsigned long needed = fphp | asimdhp | asimddp;
  return set == "armv8.2-a+dotprod+fp16" && (getauxval(AT_HWCAP) & needed) == needed;
}

#else

/// Elsewhere a library has one set.
inline bool processor_has(std::string_view) noexcept { return true; }

#endif

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
