# Installed packages first, pinned sources where there are none.
include(FetchContent)

# GLOBAL, as a consumer above this directory must see the imported targets that annulus links to.
find_package(Threads REQUIRED GLOBAL)

# Eigen and xsimd are headers: SOURCE_SUBDIR names no folder, so that none of their build files run.
if(NOT TARGET Eigen3::Eigen)
  FetchContent_Declare(
    Eigen3
    GIT_REPOSITORY https://gitlab.com/libeigen/eigen.git
    GIT_TAG 3.4.0
    GIT_SHALLOW ON
    SOURCE_SUBDIR headers-only
    SYSTEM
    FIND_PACKAGE_ARGS GLOBAL # 3.4 or newer: their packages take no range over major versions
  )
  FetchContent_MakeAvailable(Eigen3)
  if(Eigen3_VERSION AND Eigen3_VERSION VERSION_LESS 3.4)
    message(FATAL_ERROR "annulus needs Eigen 3.4 or newer, but ${Eigen3_DIR} is of version ${Eigen3_VERSION}")
  endif()
  if(NOT TARGET Eigen3::Eigen)
    add_library(Eigen3::Eigen INTERFACE IMPORTED GLOBAL)
    target_include_directories(Eigen3::Eigen INTERFACE "${eigen3_SOURCE_DIR}")
  endif()
endif()

# ANNULUS_XSIMD_INCLUDE_DIR may name a folder that holds xsimd/xsimd.hpp, to be used in place of any installed xsimd.
if(NOT ANNULUS_XSIMD_INCLUDE_DIR AND NOT TARGET xsimd)
  FetchContent_Declare(
    xsimd
    GIT_REPOSITORY https://github.com/xtensor-stack/xsimd.git
    GIT_TAG 13.2.0
    GIT_SHALLOW ON
    SOURCE_SUBDIR headers-only
    SYSTEM
    FIND_PACKAGE_ARGS
  )
  FetchContent_MakeAvailable(xsimd)
  if(NOT TARGET xsimd)
    set(ANNULUS_XSIMD_INCLUDE_DIR "${xsimd_SOURCE_DIR}/include")
  endif()
endif()
include("${CMAKE_CURRENT_LIST_DIR}/annulus-xsimd.cmake")

# The developer's tools are built without our warnings-as-errors.
block(PROPAGATE CMAKE_MODULE_PATH)
  set(CMAKE_COMPILE_WARNING_AS_ERROR OFF)
  if(ANNULUS_BUILD_TESTS)
    FetchContent_Declare(
      Catch2
      GIT_REPOSITORY https://github.com/catchorg/Catch2.git
      GIT_TAG v3.7.1
      GIT_SHALLOW ON
      SYSTEM
      FIND_PACKAGE_ARGS
    )
    FetchContent_MakeAvailable(Catch2)
    if(catch2_SOURCE_DIR)
      list(APPEND CMAKE_MODULE_PATH "${catch2_SOURCE_DIR}/extras")
    endif()
  endif()
  if(ANNULUS_BUILD_BENCH)
    set(BENCHMARK_ENABLE_TESTING OFF)
    set(BENCHMARK_ENABLE_INSTALL OFF)
    set(BENCHMARK_ENABLE_WERROR OFF)
    FetchContent_Declare(
      benchmark
      GIT_REPOSITORY https://github.com/google/benchmark.git
      GIT_TAG v1.9.1
      GIT_SHALLOW ON
      SYSTEM
      FIND_PACKAGE_ARGS
    )
    FetchContent_MakeAvailable(benchmark)
  endif()
endblock()

# Optional: what needs HDF5 is tested where it is there. FindHDF5 compiles a file of C.
if(ANNULUS_BUILD_TESTS)
  include(CheckLanguage)
  check_language(C)
  if(CMAKE_C_COMPILER)
    enable_language(C)
    find_package(HDF5 1.10 COMPONENTS C)
  endif()
endif()
