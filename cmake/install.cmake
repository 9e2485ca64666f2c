include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

# Headers are for any system, a compiled library is not.
if(TARGET annulus_dynamic)
  set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/annulus")
  set(any_system)
  install(TARGETS annulus_dynamic EXPORT annulus-dynamic)
  install(
    EXPORT annulus-dynamic NAMESPACE annulus:: FILE annulus-dynamic-targets.cmake DESTINATION "${package_dir}"
  )
else()
  set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/annulus")
  set(any_system ARCH_INDEPENDENT)
endif()
write_basic_package_version_file(annulus-config-version.cmake COMPATIBILITY SameMajorVersion ${any_system})

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
