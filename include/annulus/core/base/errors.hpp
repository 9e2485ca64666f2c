#pragma once

/// \file
/// The exceptions of the library, and the functions that throw them.

#include <annulus/core/base/float_bits.hpp>

#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// A file that cannot be read as what it claims to be. The message names the file, the byte offset and the reason.
class format_error : public std::runtime_error {
 public:
  format_error(const std::string& file, std::uint64_t offset, std::string_view reason)
      : format_error(file + ": byte " + std::to_string(offset) + ": " + std::string(reason)) {}
  explicit format_error(const std::string& message) : std::runtime_error(message) {}
};

/// Thrown by a call whose progress callback returned false.
class cancelled : public std::runtime_error {
 public:
  cancelled() : std::runtime_error("annulus: cancelled by the progress callback") {}
};

namespace detail {

/// Throws std::invalid_argument "argument = value: limit", as in "k = 12: must be at most n = 10".
template <class Value, class... Limit>
[[noreturn, gnu::noinline, gnu::cold]] void invalid(std::string_view argument, const Value& value,
                                                    const Limit&... limit) {
  std::ostringstream message;
  message << "annulus: " << argument << " = " << value << ": ";
  (message << ... << limit);
  throw std::invalid_argument(message.str());
}

/// a * b, or std::invalid_argument where the product does not fit.
inline std::size_t checked_product(std::size_t a, std::size_t b, std::string_view what) {
  if (b != 0 && a > std::numeric_limits<std::ptrdiff_t>::max() / b)
    invalid(what, a, "times ", b, " overflows the address space");
  return a * b;
}

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
