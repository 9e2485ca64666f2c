# annulus::index_files is annulus with the headers of nlohmann/json and xxHash, which files of indexes need
# (annulus/io/index/index_file.hpp), for the build and for the installed package alike. There is none where they are not found.
if(TARGET annulus::index_files)
  return()
endif()

if(NOT TARGET nlohmann_json::nlohmann_json)
  find_package(nlohmann_json 3.9 QUIET GLOBAL)
endif()
find_path(ANNULUS_XXHASH_INCLUDE_DIR xxhash.h DOC "The folder that holds xxhash.h, of xxHash 0.8 or newer")
mark_as_advanced(ANNULUS_XXHASH_INCLUDE_DIR)
if(TARGET nlohmann_json::nlohmann_json AND ANNULUS_XXHASH_INCLUDE_DIR)
  add_library(annulus::index_files INTERFACE IMPORTED GLOBAL)
  target_link_libraries(annulus::index_files INTERFACE annulus::annulus nlohmann_json::nlohmann_json)
  target_include_directories(annulus::index_files SYSTEM INTERFACE "${ANNULUS_XXHASH_INCLUDE_DIR}")
endif()
