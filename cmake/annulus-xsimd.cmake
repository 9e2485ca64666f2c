# annulus::xsimd is the headers of xsimd and nothing else, for the build and for the installed package alike: Debian
# 12's own target also links -lxtl, a library that does not exist.
if(TARGET annulus::xsimd)
  return()
endif()

block()
  if(ANNULUS_XSIMD_INCLUDE_DIR)
    set(include_dirs "${ANNULUS_XSIMD_INCLUDE_DIR}")
  else()
    get_target_property(include_dirs xsimd INTERFACE_INCLUDE_DIRECTORIES)
    string(REGEX REPLACE "\\$<BUILD_INTERFACE:([^>]+)>" "\\1" include_dirs "${include_dirs}")
    string(GENEX_STRIP "${include_dirs}" include_dirs)
  endif()

  # Read from the header, since xsimd's package accepts no range over major versions.
  find_file(config xsimd/config/xsimd_config.hpp PATHS ${include_dirs} NO_DEFAULT_PATH NO_CACHE REQUIRED)
  file(STRINGS "${config}" version REGEX "define XSIMD_VERSION_(MAJOR|MINOR)")
  list(TRANSFORM version REPLACE "[^0-9]+" "")
  list(JOIN version "." version)
  if(version VERSION_LESS 8.1)
    message(FATAL_ERROR "annulus needs xsimd 8.1 or newer, but ${config} is of version ${version}")
  endif()

  add_library(annulus::xsimd INTERFACE IMPORTED GLOBAL)
  target_include_directories(annulus::xsimd SYSTEM INTERFACE ${include_dirs})
endblock()
