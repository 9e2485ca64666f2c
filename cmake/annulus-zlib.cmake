# annulus::zlib is annulus with zlib, which compressed .npz files need (annulus/io/data/zlib_codec.hpp), for the build and for
# the installed package alike. There is none where zlib is not found.
if(TARGET annulus::zlib)
  return()
endif()

if(NOT TARGET ZLIB::ZLIB)
  find_package(ZLIB QUIET GLOBAL)
endif()
if(TARGET ZLIB::ZLIB)
  add_library(annulus::zlib INTERFACE IMPORTED GLOBAL)
  target_link_libraries(annulus::zlib INTERFACE annulus::annulus ZLIB::ZLIB)
endif()
