#pragma once

#include <stdexcept>
#include <string>

/// The message of the std::invalid_argument that a call throws.
template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "nothing was thrown";
}
