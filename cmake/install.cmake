include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

# annulus.pc and annulus-dynamic.pc know where they are, so that the folder of the installation may be moved.
function(annulus_install_pc name folder)
  file(RELATIVE_PATH up "/${folder}/pkgconfig" /)
  cmake_path(SET up NORMALIZE "${up}.")
  configure_file("${PROJECT_SOURCE_DIR}/cmake/${name}.pc.in" ${name}.pc @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${name}.pc" DESTINATION "${folder}/pkgconfig")
endfunction()

# Headers are for any system, a compiled library is not.
if(TARGET annulus_dynamic)
  set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/annulus")
  set(any_system)
  install(TARGETS annulus_dynamic EXPORT annulus-dynamic)
  install(
    EXPORT annulus-dynamic NAMESPACE annulus:: FILE annulus-dynamic-targets.cmake DESTINATION "${package_dir}"
  )
  set(static_libraries)
  if(NOT BUILD_SHARED_LIBS)
    set(libraries ${CMAKE_CXX_IMPLICIT_LINK_LIBRARIES})
    list(FILTER libraries INCLUDE REGEX "^(stdc\\+\\+|c\\+\\+|c\\+\\+abi|m)$")
    list(TRANSFORM libraries PREPEND " -l")
    string(JOIN "" static_libraries ${libraries} " -pthread")
  endif()
  annulus_install_pc(annulus-dynamic "${CMAKE_INSTALL_LIBDIR}")
else()
  set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/annulus")
  set(any_system ARCH_INDEPENDENT)
endif()
write_basic_package_version_file(annulus-config-version.cmake COMPATIBILITY SameMajorVersion ${any_system})

annulus_install_pc(annulus "${CMAKE_INSTALL_DATADIR}")
install(TARGETS annulus EXPORT annulus FILE_SET HEADERS FILE_SET optional)
install(EXPORT annulus NAMESPACE annulus:: FILE annulus-targets.cmake DESTINATION "${package_dir}")
install(
  FILES
    "${PROJECT_BINARY_DIR}/annulus-config-version.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/annulus-config.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/annulus-disk.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/annulus-index-files.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/annulus-mpi.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/annulus-native.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/annulus-xsimd.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/annulus-zlib.cmake"
  DESTINATION "${package_dir}"
)
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
