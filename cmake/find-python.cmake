# ANNULUS_BUILD_PYTHON is AUTO: on where all is found that building and testing the package need.
find_package(Python 3.10 QUIET COMPONENTS Interpreter Development.Module)
set(ANNULUS_BUILD_PYTHON OFF)
if(Python_FOUND)
  execute_process(
    COMMAND "${Python_EXECUTABLE}" -c "import nanobind, numpy, pytest" RESULT_VARIABLE lacks_modules ERROR_QUIET
  )
  if(NOT lacks_modules AND TARGET annulus::index_files)
    set(ANNULUS_BUILD_PYTHON ON)
  endif()
endif()
if(NOT ANNULUS_BUILD_PYTHON)
  message(STATUS "The Python package and its tests are left out: they need python3-dev, and nanobind, numpy and pytest by pip")
endif()
