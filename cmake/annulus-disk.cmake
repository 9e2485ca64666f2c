# annulus::disk is annulus::index_files with liburing, where that is found, for indexes whose rows stay on the disk
# (annulus/disk/), for the build and for the installed package alike. Without liburing, threads read.
if(TARGET annulus::disk OR NOT TARGET annulus::index_files)
  return()
endif()

option(ANNULUS_WITH_LIBURING "Read by io_uring in annulus::disk, where liburing is found" ON)
find_path(ANNULUS_LIBURING_INCLUDE_DIR liburing.h DOC "The folder that holds liburing.h, of liburing 2.2 or newer")
find_library(ANNULUS_LIBURING_LIBRARY uring DOC "The library liburing")
mark_as_advanced(ANNULUS_LIBURING_INCLUDE_DIR ANNULUS_LIBURING_LIBRARY)
add_library(annulus::disk INTERFACE IMPORTED GLOBAL)
target_link_libraries(annulus::disk INTERFACE annulus::index_files)
if(ANNULUS_WITH_LIBURING AND ANNULUS_LIBURING_INCLUDE_DIR AND ANNULUS_LIBURING_LIBRARY)
  target_compile_definitions(annulus::disk INTERFACE ANNULUS_WITH_LIBURING)
  target_include_directories(annulus::disk SYSTEM INTERFACE "${ANNULUS_LIBURING_INCLUDE_DIR}")
  target_link_libraries(annulus::disk INTERFACE "${ANNULUS_LIBURING_LIBRARY}")
endif()
