#pragma once

/// \file
/// MPI's C interface, included so that Open MPI and MPICH leave out the C++ one of MPI 2; and the exception for errors
/// that MPI reports. annulus.hpp leaves this header out.

#include <annulus/core/base/errors.hpp>

#if !defined(OMPI_SKIP_MPICXX)
#define OMPI_SKIP_MPICXX 1
#endif
#if !defined(MPICH_SKIP_MPICXX)
#define MPICH_SKIP_MPICXX 1
#endif
#include <mpi.h>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {
namespace mpi {

/// A function of MPI that failed, as where a process was lost. The message names it and has MPI's words.
class error : public std::runtime_error {
 public:
  /// \param code of MPI \param message what what() returns \throws std::bad_alloc
  error(int code, const std::string& message) : std::runtime_error(message), m_code(code) {}
  int code() const noexcept { return m_code; }  ///< \returns that of MPI; MPI_Error_class tells its kind

 private:
  int m_code;
};

}  // namespace mpi

namespace detail {

[[noreturn, gnu::noinline, gnu::cold]] inline void fail_mpi(int code, const char* function) {
  char words[MPI_MAX_ERROR_STRING];
  int length = 0;
  if (MPI_Error_string(code, words, &length) != MPI_SUCCESS) length = 0;
  throw mpi::error(code,
                   std::string("annulus: ") + function + ": " + std::string(words, static_cast<std::size_t>(length)));
}

/// Throws mpi::error for a code other than MPI_SUCCESS, returned by the function of that name.
inline void check_mpi(int code, const char* function) {
  if (code != MPI_SUCCESS) fail_mpi(code, function);
}

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
