# annulus::native is annulus compiled for the processor of the machine that compiles, for the build and for the
# installed package alike. Release builds for x86-64 that name no instruction set are warned about.
if(TARGET annulus::native)
  return()
endif()

option(ANNULUS_WARN_WITHOUT_MARCH "Warn where annulus is compiled for any x86-64 processor" ON)

add_library(annulus::native INTERFACE IMPORTED GLOBAL)
target_link_libraries(annulus::native INTERFACE annulus::annulus)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64|i.86)$")
  target_compile_options(annulus::native INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,GNU,Clang,AppleClang>:-march=native>)
else()
  target_compile_options(annulus::native INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,GNU,Clang,AppleClang>:-mcpu=native>)
endif()

# Looks at the flags of the build and at all targets when they are known: at the end of the top-level project.
function(annulus_warn_without_march)
  set(flags "${CMAKE_CXX_FLAGS}")
  foreach(type IN ITEMS ${CMAKE_BUILD_TYPE} ${CMAKE_CONFIGURATION_TYPES})
    string(TOUPPER "CMAKE_CXX_FLAGS_${type}" of_type)
    string(APPEND flags ";${${of_type}}")
  endforeach()
  set(folders "${CMAKE_SOURCE_DIR}")
  while(folders)
    list(POP_FRONT folders folder)
    get_property(subfolders DIRECTORY "${folder}" PROPERTY SUBDIRECTORIES)
    get_property(targets DIRECTORY "${folder}" PROPERTY BUILDSYSTEM_TARGETS)
    list(APPEND folders ${subfolders})
    foreach(target IN LISTS targets)
      get_property(libraries TARGET "${target}" PROPERTY LINK_LIBRARIES)
      get_property(options TARGET "${target}" PROPERTY COMPILE_OPTIONS)
      string(APPEND flags ";${libraries};${options}")
    endforeach()
  endwhile()
  if(NOT flags MATCHES "(^|[ ;:])-m(arch|avx|s?sse)|annulus::(native|dynamic)")
    message(
      WARNING
      "annulus is compiled for any x86-64 processor, which is half as fast as for those with AVX2. Link to "
      "annulus::native or add -march to CMAKE_CXX_FLAGS; for one program on many processors link to annulus::dynamic "
      "(docs/dynamic.md); or set ANNULUS_WARN_WITHOUT_MARCH to OFF."
    )
  endif()
endfunction()

if(
  ANNULUS_WARN_WITHOUT_MARCH
  AND NOT CMAKE_PROJECT_NAME STREQUAL "annulus"
  AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$"
  AND CMAKE_CXX_COMPILER_ID MATCHES "^(GNU|Clang|AppleClang)$"
  AND (CMAKE_CONFIGURATION_TYPES OR CMAKE_BUILD_TYPE MATCHES "^(Release|RelWithDebInfo)$")
)
  cmake_language(DEFER DIRECTORY "${CMAKE_SOURCE_DIR}" CALL annulus_warn_without_march)
endif()
