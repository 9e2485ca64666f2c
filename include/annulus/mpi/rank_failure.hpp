#pragma once

/// \file
/// What was thrown on a rank, as it is sent to the others and thrown there. annulus.hpp leaves this header out.

#include <annulus/mpi/error.hpp>

#include <algorithm>
#include <memory>
#include <new>
#include <string_view>
#include <system_error>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

enum class failure_kind : int {
  none,
  invalid_argument,
  bad_alloc,
  format_error,
  cancelled,
  system_error,
  mpi_error,
  other
};

/// What was thrown on a rank, as it is sent to the others. Nothing is allocated, as memory may be what is missing.
struct rank_failure {
  failure_kind kind = failure_kind::none;
  int code = 0;  ///< of a system_error or an mpi::error
  char words[1008] = {};

  void set(failure_kind of, std::string_view text, int code_of = 0) noexcept {
    kind = of;
    code = code_of;
    text = text.substr(0, sizeof(words) - 1);
    std::ranges::copy(text, words);
    words[text.size()] = '\0';
  }
  void set(const std::system_error& e) noexcept {
    const std::error_category& category = e.code().category();
    const bool is_errno = category == std::generic_category() || category == std::system_category();
    std::string_view text = e.what();
    try {  // it ends with the words of the code, which the copy will add again
      const std::string words_of_code = ": " + e.code().message();
      if (is_errno && text.ends_with(words_of_code)) text.remove_suffix(words_of_code.size());
    } catch (const std::bad_alloc&) {
    }
    set(is_errno ? failure_kind::system_error : failure_kind::other, text, e.code().value());
  }
};

/// Calls f, and returns what it threw.
template <class F>
rank_failure failure_of(F&& f) {
  rank_failure failure;
  try {
    f();
  } catch (const std::invalid_argument& e) {
    failure.set(failure_kind::invalid_argument, e.what());
  } catch (const std::bad_alloc& e) {
    failure.set(failure_kind::bad_alloc, e.what());
  } catch (const format_error& e) {
    failure.set(failure_kind::format_error, e.what());
  } catch (const cancelled& e) {
    failure.set(failure_kind::cancelled, e.what());
  } catch (const mpi::error& e) {
    failure.set(failure_kind::mpi_error, e.what(), e.code());
  } catch (const std::system_error& e) {
    failure.set(e);
  } catch (const std::exception& e) {
    failure.set(failure_kind::other, e.what());
  } catch (...) {
    failure.set(failure_kind::other, "an exception that is no std::exception");
  }
  return failure;
}

class bad_alloc_of_rank : public std::bad_alloc {
 public:
  explicit bad_alloc_of_rank(const std::string& message) : m_message(std::make_shared<const std::string>(message)) {}
  const char* what() const noexcept override { return m_message->c_str(); }

 private:
  std::shared_ptr<const std::string> m_message;  // exceptions are copied without throwing
};
class cancelled_on_rank : public cancelled {
 public:
  explicit cancelled_on_rank(const std::string& message) : m_message(std::make_shared<const std::string>(message)) {}
  const char* what() const noexcept override { return m_message->c_str(); }

 private:
  std::shared_ptr<const std::string> m_message;
};

[[noreturn, gnu::noinline, gnu::cold]] inline void throw_failure(const rank_failure& failure, int rank) {
  const std::string message = "rank " + std::to_string(rank) + ": " + failure.words;
  switch (failure.kind) {
    case failure_kind::invalid_argument:
      throw std::invalid_argument(message);
    case failure_kind::bad_alloc:
      throw bad_alloc_of_rank(message);
    case failure_kind::format_error:
      throw format_error(message);
    case failure_kind::cancelled:
      throw cancelled_on_rank(message);
    case failure_kind::system_error:
      throw std::system_error(failure.code, std::generic_category(), message);
    case failure_kind::mpi_error:
      throw mpi::error(failure.code, message);
    default:
      throw std::runtime_error(message);
  }
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
