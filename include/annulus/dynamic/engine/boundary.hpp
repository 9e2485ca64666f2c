#pragma once

/// \file
/// The boundary of C++ and C: exceptions become a status and words, and arguments that must not be null are refused.

#include <annulus/annulus.h>
#include <annulus/core/base/errors.hpp>

#include <cstring>
#include <new>
#include <span>
#include <system_error>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Fills *error, unless that is null. A message that is too long is cut between two characters.
inline annulus_status fail(annulus_error* error, annulus_status status, std::string_view message,
                           int code = 0) noexcept {
  if (error == nullptr) return status;
  constexpr std::size_t room = sizeof(error->message) - 1;
  std::size_t length = std::min(message.size(), room);
  const auto continues = [&](std::size_t i) { return (static_cast<unsigned char>(message[i]) & 0xC0u) == 0x80u; };
  if (length < message.size())
    while (length > 0 && continues(length)) --length;
  error->status = status;
  error->code = code;
  std::memcpy(error->message, message.data(), length);
  error->message[length] = '\0';
  return status;
}

/// Tells the exception that is being handled.
inline annulus_status fail_by_exception(annulus_error* error) noexcept {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return fail(error, ANNULUS_OUT_OF_MEMORY, "annulus: out of memory");
  } catch (const std::invalid_argument& e) {
    return fail(error, ANNULUS_INVALID_ARGUMENT, e.what());
  } catch (const format_error& e) {
    return fail(error, ANNULUS_FORMAT_ERROR, e.what());
  } catch (const std::system_error& e) {
    return fail(error, ANNULUS_SYSTEM_ERROR, e.what(), e.code().value());
  } catch (const cancelled& e) {
    return fail(error, ANNULUS_CANCELLED, e.what());
  } catch (const std::exception& e) {
    return fail(error, ANNULUS_FAILED, e.what());
  } catch (...) {
    return fail(error, ANNULUS_FAILED, "annulus: an exception of unknown type, as from a callback");
  }
}

/// Calls f; no exception leaves.
template <class F>
annulus_status guarded(annulus_error* error, F&& f) noexcept {
  try {
    f();
    return ANNULUS_OK;
  } catch (...) {
    return fail_by_exception(error);
  }
}

/// *pointer. \throws std::invalid_argument where it is null.
template <class T>
T& checked(T* pointer, std::string_view name) {
  if (pointer == nullptr) invalid(name, "null", "must point to something");
  return *pointer;
}

/// The rows at `rows`. \throws std::invalid_argument for null, and for values that the enumerations do not have; what
/// lies in the rows is for views to check.
inline const annulus_rows& checked_rows(const annulus_rows* rows, std::string_view name) {
  checked(rows, name);
  if (rows->layout != ANNULUS_DENSE && rows->layout != ANNULUS_CSR && rows->layout != ANNULUS_BITS)
    invalid("layout", static_cast<int>(rows->layout), "must be one of annulus_layout");
  if (rows->dtype < ANNULUS_F32 || rows->dtype > ANNULUS_I8)
    invalid("dtype", static_cast<int>(rows->dtype), "must be one of annulus_dtype");
  return *rows;
}

/// Options whose values lie somewhere; names are for option_reader to check.
inline std::span<const annulus_option> checked_options(const annulus_option* options, std::size_t n) {
  if (n > 0) checked(options, "options");
  for (const annulus_option& option : std::span(options, n)) {
    if (option.name == nullptr || option.text != nullptr) continue;
    if (option.n_numbers > 0 && option.ids == nullptr) checked(option.numbers, option.name);
    if ((option.numbers != nullptr) + (option.ids != nullptr) + (option.distance != nullptr) > 1)
      invalid(option.name, "numbers, ids and a function", "must be one of them");
  }
  return {options, n};
}

/// Throws std::invalid_argument where n x k results have no place to be written to.
inline void check_results(std::size_t n, std::size_t k, const void* ids, std::string_view ids_name, const void* values,
                          std::string_view values_name) {
  if (checked_product(n, k, "k") == 0) return;
  if (ids == nullptr) invalid(ids_name, "null", "must have room for n x k of them");
  if (values == nullptr) invalid(values_name, "null", "must have room for n x k of them");
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
