#pragma once

#include "catch.hpp"

#include <stdexcept>
#include <string>

/// The message of the Error that a call throws, or "nothing" where it throws none.
template <class Error = std::invalid_argument, class Call>
std::string message_or_nothing(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing";
}

/// The same where the call is to throw: else the test fails.
template <class Error = std::invalid_argument, class Call>
std::string message_of(Call&& call) {
  const std::string message = message_or_nothing<Error>(call);
  if (message == "nothing") FAIL_CHECK("nothing was thrown");
  return message;
}
