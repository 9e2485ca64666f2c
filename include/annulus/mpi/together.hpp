#pragma once

/// \file
/// Errors on all ranks: where one rank throws, every rank throws, so that none waits for one that has left.
/// annulus.hpp leaves this header out.

#include <annulus/mpi/communicator.hpp>

#include <memory>
#include <new>
#include <optional>
#include <system_error>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

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
    const std::error_category& category = e.code().category();
    const bool is_errno = category == std::generic_category() || category == std::system_category();
    std::string_view text = e.what();  // ends with the words of the code, which the copy will add again
    const std::string words = ": " + e.code().message();
    if (is_errno && text.ends_with(words)) text.remove_suffix(words.size());
    failure.set(is_errno ? failure_kind::system_error : failure_kind::other, text, e.code().value());
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

/// Throws on all ranks what was thrown on the lowest rank that failed, if any did. Collective.
inline void throw_together(const mpi::communicator& comm, const rank_failure& failure) {
  const bool is_failed = failure.kind != failure_kind::none;
  const int first = comm.all_reduce(is_failed ? comm.rank() : comm.size(), MPI_MIN);
  if (first < comm.size()) throw_failure(comm.broadcast_value(failure, first), first);
}

/// Rank 0's text on every rank. Collective.
inline std::string broadcast_text(const mpi::communicator& comm, std::string text) {
  text.resize(comm.broadcast_value(std::uint64_t{text.size()}, 0));
  comm.broadcast(std::span(text.data(), text.size()), 0);
  return text;
}

}  // namespace detail

namespace mpi {

/// Calls f on each rank. Costs one MPI_Allreduce of an int. Collective. \param comm the ranks \param f called without
/// arguments; does not communicate \returns what f returns on this rank \throws any exception of f on every rank: that
/// of the lowest rank where f throws, with "rank 2: " before its message, of the same kind on all of them, also on that
/// rank (std::invalid_argument, std::bad_alloc, format_error, cancelled, mpi::error, std::system_error, else
/// std::runtime_error)
template <class F>
auto together(const communicator& comm, F&& f) {
  using result_type = std::invoke_result_t<F&>;
  if constexpr (std::is_void_v<result_type>) {
    detail::throw_together(comm, detail::failure_of(f));
  } else {
    std::optional<result_type> result;
    detail::throw_together(comm, detail::failure_of([&] { result.emplace(f()); }));
    return result_type(std::move(*result));
  }
}

/// Checks that all ranks give the same. Collective. \param comm the ranks \param name what messages call it \param
/// value a number \throws std::invalid_argument on all ranks where one differs
template <class T>
void check_same(const communicator& comm, std::string_view name, T value) {
  const T first = comm.broadcast_value(value, 0);
  together(comm, [&] {
    if (std::memcmp(&value, &first, sizeof(T)) != 0)
      detail::invalid(name, value, "must be the same on all ranks; rank 0 has ", first);
  });
}

/// Throws std::invalid_argument unless root is one of the ranks. Local: the root is the same on all ranks.
inline void check_root(const communicator& comm, int root) {
  if (root < 0 || root >= comm.size()) detail::invalid("root", root, "must be a rank, from 0 to ", comm.size() - 1);
}

}  // namespace mpi
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
