# cmake -D PACKAGE=... -D PREFIX=... -D LIBDIR=... -D PKG_CONFIG=... -D COMPILER=... -D FLAGS=... -D SOURCE=...
#       [-D PROGRAM=...] -P pkg_config.cmake
# Compiles SOURCE with the flags that pkg-config gives for PACKAGE, which must be of PREFIX; with PROGRAM, links and runs
# it.
set(ENV{PKG_CONFIG_PATH} "${PREFIX}/share/pkgconfig:${PREFIX}/${LIBDIR}/pkgconfig:$ENV{PKG_CONFIG_PATH}")
function(ask variable)
  execute_process(
    COMMAND "${PKG_CONFIG}" ${ARGN} "${PACKAGE} >= 1.0" OUTPUT_VARIABLE answer OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY
  )
  separate_arguments(answer UNIX_COMMAND "${answer}")
  set(${variable} "${answer}" PARENT_SCOPE)
endfunction()

ask(folder --variable=includedir)
cmake_path(NORMAL_PATH folder OUTPUT_VARIABLE folder)
if(NOT folder STREQUAL "${PREFIX}/include")
  message(FATAL_ERROR "${PACKAGE}.pc names ${folder}, not ${PREFIX}/include")
endif()

separate_arguments(flags UNIX_COMMAND "${FLAGS}")
ask(compile_flags --cflags)
if(NOT PROGRAM)
  execute_process(
    COMMAND "${COMPILER}" -std=c++20 -fsyntax-only ${flags} ${compile_flags} "${SOURCE}" COMMAND_ERROR_IS_FATAL ANY
  )
  return()
endif()
ask(link_flags --libs)
execute_process(
  COMMAND "${COMPILER}" -std=c++20 ${flags} ${compile_flags} "${SOURCE}" -o "${PROGRAM}" ${link_flags}
  COMMAND_ERROR_IS_FATAL ANY
)
ask(libraries --variable=libdir)
set(ENV{LD_LIBRARY_PATH} "${libraries}")
execute_process(COMMAND "${PROGRAM}" COMMAND_ERROR_IS_FATAL ANY)
