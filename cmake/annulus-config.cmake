include(CMakeFindDependencyMacro)
find_dependency(Threads)
include("${CMAKE_CURRENT_LIST_DIR}/annulus-dynamic-targets.cmake" OPTIONAL)

# annulus::dynamic alone needs no other headers.
if(NOT annulus_FIND_COMPONENTS STREQUAL "dynamic")
  # Packages of Eigen 3 take no range over major versions, and those of Eigen 5 are none of 3.4.
  find_dependency(Eigen3)
  if(Eigen3_VERSION AND Eigen3_VERSION VERSION_LESS 3.4)
    set(annulus_FOUND FALSE)
    set(annulus_NOT_FOUND_MESSAGE "annulus needs Eigen 3.4 or newer, but ${Eigen3_DIR} is of version ${Eigen3_VERSION}")
    return()
  endif()
  if(NOT ANNULUS_XSIMD_INCLUDE_DIR)
    find_dependency(xsimd)
  endif()
  include("${CMAKE_CURRENT_LIST_DIR}/annulus-xsimd.cmake")
  include("${CMAKE_CURRENT_LIST_DIR}/annulus-targets.cmake")
  include("${CMAKE_CURRENT_LIST_DIR}/annulus-index-files.cmake")
  include("${CMAKE_CURRENT_LIST_DIR}/annulus-disk.cmake")
  include("${CMAKE_CURRENT_LIST_DIR}/annulus-native.cmake")
  include("${CMAKE_CURRENT_LIST_DIR}/annulus-zlib.cmake")
  if("mpi" IN_LIST annulus_FIND_COMPONENTS)  # else no one waits for the search
    include("${CMAKE_CURRENT_LIST_DIR}/annulus-mpi.cmake")
  endif()
endif()

# The targets annulus::index_files, annulus::disk and annulus::zlib are there whenever their packages are,
# annulus::dynamic where annulus was built with it, annulus::mpi where it is asked for; as components they must be.
foreach(component IN LISTS annulus_FIND_COMPONENTS)
  if(TARGET annulus::${component})
    set(annulus_${component}_FOUND TRUE)
  elseif(annulus_FIND_REQUIRED_${component})
    set(annulus_FOUND FALSE)
    set(annulus_NOT_FOUND_MESSAGE
        "annulus::${component} needs what was not found (index_files and disk: nlohmann_json 3.9 and xxhash.h; zlib: ZLIB; mpi: MPI; dynamic: an annulus built with ANNULUS_BUILD_DYNAMIC)"
    )
  endif()
endforeach()
