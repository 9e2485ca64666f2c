#pragma once

/// \file
/// The exceptions of the library, and the functions that throw them.

#include <annulus/core/base/float_bits.hpp>

#include <concepts>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// A file that cannot be read as what it claims to be. The message names the file, the byte offset and the reason.
class format_error : public std::runtime_error {
 public:
  /// "file: byte offset: reason". \param file its name \param offset of the byte at fault \param reason what is wrong
  /// \throws std::bad_alloc
  format_error(const std::string& file, std::uint64_t offset, std::string_view reason)
      : format_error(file + ": byte " + std::to_string(offset) + ": " + std::string(reason)) {}
  /// Without a place. \param message the whole of it \throws std::bad_alloc
  explicit format_error(const std::string& message) : std::runtime_error(message) {}
};

/// Thrown by a call whose progress callback returned false.
class cancelled : public std::runtime_error {
 public:
  /// The only message. \throws std::bad_alloc
  cancelled() : std::runtime_error("annulus: cancelled by the progress callback") {}
};

namespace detail {

/// Adds to a message: text as it is, numbers as streams print them, whose headers cost every unit that includes this
/// one.
template <class Value>
void append_to(std::string& message, const Value& value) {
  if constexpr (std::convertible_to<const Value&, std::string_view>) {
    message += std::string_view(value);
  } else if constexpr (std::same_as<Value, char>) {
    message += value;
  } else if constexpr (std::integral<Value>) {
    message += std::to_string(value);
  } else {
    char digits[32];
    std::snprintf(digits, sizeof(digits), "%g", static_cast<double>(value));
    message += digits;
  }
}

/// Throws std::invalid_argument "argument = value: limit", as in "k = 12: must be at most n = 10".
template <class Value, class... Limit>
[[noreturn, gnu::noinline, gnu::cold]] void invalid(std::string_view argument, const Value& value,
                                                    const Limit&... limit) {
  std::string message = "annulus: ";
  append_to(message, argument);
  append_to(message, " = ");
  append_to(message, value);
  append_to(message, ": ");
  (append_to(message, limit), ...);
  throw std::invalid_argument(message);
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
