include(CMakeFindDependencyMacro)
find_dependency(Threads)
include("${CMAKE_CURRENT_LIST_DIR}/annulus-dynamic-targets.cmake" OPTIONAL)

# annulus::dynamic alone needs no other headers.
if(NOT annulus_FIND_COMPONENTS STREQUAL "dynamic")
  find_dependency(Eigen3 3.4)
  if(NOT ANNULUS_XSIMD_INCLUDE_DIR)
    find_dependency(xsimd)
  endif()
  include("${CMAKE_CURRENT_LIST_DIR}/annulus-xsimd.cmake")
  include("${CMAKE_CURRENT_LIST_DIR}/annulus-targets.cmake")
  include("${CMAKE_CURRENT_LIST_DIR}/annulus-index-files.cmake")
  include("${CMAKE_CURRENT_LIST_DIR}/annulus-disk.cmake")
  include("${CMAKE_CURRENT_LIST_DIR}/annulus-native.cmake")
  include("${CMAKE_CURRENT_LIST_DIR}/annulus-zlib.cmake")
endif()

# The targets annulus::index_files, annulus::disk and annulus::zlib are there whenever their packages are, annulus::dynamic where annulus
# was built with it; as components they must be.
foreach(component IN LISTS annulus_FIND_COMPONENTS)
  if(TARGET annulus::${component})
    set(annulus_${component}_FOUND TRUE)
  elseif(annulus_FIND_REQUIRED_${component})
    set(annulus_FOUND FALSE)
    set(annulus_NOT_FOUND_MESSAGE
        "annulus::${component} needs what was not found (index_files and disk: nlohmann_json 3.9 and xxhash.h; zlib: ZLIB; dynamic: an annulus built with ANNULUS_BUILD_DYNAMIC)"
    )
  endif()
endforeach()
