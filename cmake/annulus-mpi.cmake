# annulus::mpi is annulus with MPI (annulus/mpi/*.hpp), and with what files of indexes need where that is found, for the
# build and for the installed package alike. There is none where MPI is not found.
if(TARGET annulus::mpi)
  return()
endif()

if(NOT TARGET MPI::MPI_CXX)
  set(MPI_CXX_SKIP_MPICXX TRUE)  # of MPI's interfaces, that of C
  find_package(MPI QUIET GLOBAL COMPONENTS CXX)
endif()
if(TARGET MPI::MPI_CXX)
  add_library(annulus::mpi INTERFACE IMPORTED GLOBAL)
  target_link_libraries(annulus::mpi INTERFACE annulus::annulus MPI::MPI_CXX)
  if(TARGET annulus::index_files)
    target_link_libraries(annulus::mpi INTERFACE annulus::index_files)
  endif()
endif()
