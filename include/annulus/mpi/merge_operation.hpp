#pragma once

/// \file
/// The operation by which MPI merges sorted lists of k neighbours on their way up its tree. annulus.hpp leaves this
/// header out.

#include <annulus/mpi/communicator.hpp>
#include <annulus/mpi/global_neighbors.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// A commutative operation of MPI on elements of a type, each some bytes that mean something together.
class mpi_operation {
 public:
  mpi_operation(MPI_User_function* function, std::size_t element_bytes) {
    check_mpi(MPI_Type_contiguous(static_cast<int>(element_bytes), MPI_BYTE, &m_type), "MPI_Type_contiguous");
    check_mpi(MPI_Type_commit(&m_type), "MPI_Type_commit");
    constexpr int is_commutative = 1;
    check_mpi(MPI_Op_create(function, is_commutative, &m_operation), "MPI_Op_create");
  }
  mpi_operation(mpi_operation&& other) noexcept
      : m_type(std::exchange(other.m_type, MPI_DATATYPE_NULL)),
        m_operation(std::exchange(other.m_operation, MPI_OP_NULL)) {}
  mpi_operation& operator=(mpi_operation&& other) noexcept {
    std::swap(m_type, other.m_type);
    std::swap(m_operation, other.m_operation);
    return *this;
  }
  ~mpi_operation() {
    if (m_operation != MPI_OP_NULL) MPI_Op_free(&m_operation);
    if (m_type != MPI_DATATYPE_NULL) MPI_Type_free(&m_type);
  }

  MPI_Datatype type() const noexcept { return m_type; }
  MPI_Op get() const noexcept { return m_operation; }

 private:
  MPI_Datatype m_type = MPI_DATATYPE_NULL;
  MPI_Op m_operation = MPI_OP_NULL;
};

/// Merges lists of k, elements of a type of k candidates, whose size tells k. As no candidate is on two ranks and their
/// order is total, neither the shape of the tree nor the number of ranks changes the result.
template <class Candidate>
void merge_lists_of_mpi(void* from, void* into, int* n_lists, MPI_Datatype* type) {
  int bytes = 0;
  MPI_Type_size(*type, &bytes);
  const std::size_t k = static_cast<std::size_t>(bytes) / sizeof(Candidate);
  const auto* source = static_cast<const Candidate*>(from);
  auto* target = static_cast<Candidate*>(into);
  for (int i = 0; i < *n_lists; ++i, source += k, target += k) merge_lists(source, target, k);
}

/// The operation for lists of k.
template <class Candidate>
mpi_operation merge_operation(std::size_t k) {
  check_list_length(k);
  return {merge_lists_of_mpi<Candidate>, k * sizeof(Candidate)};
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
