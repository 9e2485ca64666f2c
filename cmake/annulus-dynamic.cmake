# annulus::dynamic is the library whose types are known at run time (annulus/annulus.h, annulus/dynamic/*.hpp), compiled
# once for each instruction set. Its consumers need neither Eigen nor xsimd.
#
# The linker keeps one copy of each inline function of Eigen and of the standard library, whatever it was compiled for.
# So the objects of a set are joined to one, in which all symbols but the table of functions become local.
if(NOT TARGET annulus::index_files)
  message(FATAL_ERROR "ANNULUS_BUILD_DYNAMIC needs nlohmann_json 3.9 or newer and xxhash.h (Debian: nlohmann-json3-dev, libxxhash-dev)")
endif()
include(CheckCXXCompilerFlag)

# Sets that are known, the widest first, and their flags. dynamic/engine/processor.hpp knows which processors have them.
if(NOT CMAKE_CXX_COMPILER_ID MATCHES "^(GNU|Clang|AppleClang)$")
  set(known_sets)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(known_sets x86-64-v4 x86-64-v3 x86-64)
  set(flags_of_x86-64-v4 -march=x86-64-v4 -mavx512vnni -mavx512vbmi)
  set(flags_of_x86-64-v3 -march=x86-64-v3)
  set(flags_of_x86-64 -march=x86-64)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
  set(known_sets armv8.2-a+dotprod+fp16 armv8-a)
  set(flags_of_armv8.2-a+dotprod+fp16 -march=armv8.2-a+dotprod+fp16)
  set(flags_of_armv8-a -march=armv8-a)
endif()
set(known_rows float32 float64 float16 bfloat16 uint8 int8 sparse_float32 sparse_float64)
set(ANNULUS_DYNAMIC_SETS "${known_sets}" CACHE STRING "Instruction sets of annulus::dynamic: ${known_sets}; or native, the first that this processor has, or baseline, the last")
set(ANNULUS_DYNAMIC_ROWS "${known_rows}" CACHE STRING "Rows that annulus::dynamic takes: ${known_rows}")
set(known_storages half_precision sq8 rabitq+full_precision rabitq+half_precision rabitq+sq8)
set(
  ANNULUS_DYNAMIC_STORAGES "${known_storages}" CACHE STRING
  "Storages of graphs that annulus::dynamic has beside full_precision: ${known_storages}"
)

if(ANNULUS_DYNAMIC_SETS STREQUAL "baseline" AND known_sets)
  list(GET known_sets -1 ANNULUS_DYNAMIC_SETS)
elseif(ANNULUS_DYNAMIC_SETS STREQUAL "native" AND known_sets)
  if(CMAKE_CROSSCOMPILING)
    message(FATAL_ERROR "ANNULUS_DYNAMIC_SETS is native, and this build is for another system; known are ${known_sets}")
  endif()
  list(JOIN known_sets "\", \"" quoted_sets)
  try_run(
    ANNULUS_NATIVE_SET_RUNS ANNULUS_NATIVE_SET_COMPILES
    SOURCE_FROM_CONTENT
      native_set.cpp
      "#include <annulus/dynamic/engine/processor.hpp>\n#include <cstdio>\nint main() {\n  for (const char* set : {\"${quoted_sets}\"})\n    if (annulus::detail::processor_has(set)) return std::puts(set) < 0;\n  return 1;\n}\n"
    CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${PROJECT_SOURCE_DIR}/include"
    NO_CACHE
    CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON
    RUN_OUTPUT_VARIABLE ANNULUS_DYNAMIC_SETS
  )
  if(NOT ANNULUS_NATIVE_SET_RUNS EQUAL 0)
    message(FATAL_ERROR "The program that asks this processor for its instruction sets failed; known are ${known_sets}")
  endif()
  string(STRIP "${ANNULUS_DYNAMIC_SETS}" ANNULUS_DYNAMIC_SETS)
endif()

foreach(list IN ITEMS sets rows storages)
  string(TOUPPER "ANNULUS_DYNAMIC_${list}" variable)
  foreach(name IN LISTS ${variable})
    if(NOT name IN_LIST known_${list})
      message(FATAL_ERROR "${variable} has '${name}'; known are ${known_${list}}")
    endif()
  endforeach()
endforeach()
set(sets)
foreach(set IN LISTS known_sets)
  if(set IN_LIST ANNULUS_DYNAMIC_SETS)
    list(APPEND sets ${set})
  endif()
endforeach()

# Joining needs GNU's ld and objcopy, or others that know these options; the joined objects are of one configuration.
set(can_join FALSE)
get_property(is_multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
if(CMAKE_EXECUTABLE_FORMAT STREQUAL "ELF" AND CMAKE_LINKER AND CMAKE_OBJCOPY AND known_sets AND NOT is_multi_config)
  execute_process(COMMAND "${CMAKE_LINKER}" --help OUTPUT_VARIABLE linker_help ERROR_QUIET)
  execute_process(COMMAND "${CMAKE_OBJCOPY}" --help OUTPUT_VARIABLE objcopy_help ERROR_QUIET)
  if(linker_help MATCHES "force-group-allocation" AND objcopy_help MATCHES "keep-global-symbol")
    set(can_join TRUE)
  endif()
endif()
if(NOT can_join)
  set(sets baseline)
  set(flags_of_baseline)
  message(
    STATUS
    "annulus::dynamic: one instruction set, that of the compiler's flags; more need ELF, GNU binutils and a generator "
    "of one configuration"
  )
elseif(NOT sets)
  message(FATAL_ERROR "ANNULUS_DYNAMIC_SETS is empty; known are ${known_sets}")
elseif(CMAKE_CXX_FLAGS MATCHES "-m(avx|fma|bmi|sse[34])")
  message(WARNING "CMAKE_CXX_FLAGS adds '${CMAKE_MATCH_0}' to every instruction set of annulus::dynamic")
endif()

set(definitions)
foreach(part IN LISTS known_rows known_storages)
  if(NOT part IN_LIST ANNULUS_DYNAMIC_ROWS AND NOT part IN_LIST ANNULUS_DYNAMIC_STORAGES)
    string(MAKE_C_IDENTIFIER "${part}" part)
    string(TOUPPER "ANNULUS_DYNAMIC_WITHOUT_${part}" definition)
    list(APPEND definitions ${definition})
  endif()
endforeach()

# One line for each class of factories and rows, which every set compiles.
set(units_dir "${PROJECT_BINARY_DIR}/dynamic")
set(units)
function(annulus_add_unit name header line)
  set(unit "${units_dir}/${name}.cpp")
  file(CONFIGURE OUTPUT "${unit}" CONTENT "#include <annulus/dynamic/engine/${header}.hpp>\n${line}\n" @ONLY)
  set(units ${units} "${unit}" PARENT_SCOPE)
endfunction()

set(points_of_float32 "matrix<float>")
set(points_of_float64 "matrix<double>")
set(points_of_float16 "matrix<Eigen::half>")
set(points_of_bfloat16 "matrix<Eigen::bfloat16>")
set(points_of_uint8 "matrix<std::uint8_t>")
set(points_of_int8 "matrix<std::int8_t>")
set(points_of_sparse_float32 "csr_matrix<float>")
set(points_of_sparse_float64 "csr_matrix<double>")
foreach(rows IN LISTS ANNULUS_DYNAMIC_ROWS)
  set(points "annulus::${points_of_${rows}}")
  annulus_add_unit(nndescent_${rows} nndescent_factory "template struct annulus::detail::nndescent_factory<${points}>;")
  foreach(form none squared_l2 inner_product cosine)
    annulus_add_unit(
      graph_${rows}_${form} nndescent_model
      "template struct annulus::detail::graph_factory<${points}, annulus::product_form::${form}>;"
    )
  endforeach()
  annulus_add_unit(flat_${rows} flat_model "template struct annulus::detail::flat_factory<${points}>;")
  annulus_add_unit(lsh_${rows} lsh_model "template struct annulus::detail::lsh_factory<${points}>;")
  annulus_add_unit(metrics_${rows} named_metric "template struct annulus::detail::metric_factory<${points}>;")
endforeach()
# Their functions are no templates, and marked as used.
if("float32" IN_LIST ANNULUS_DYNAMIC_ROWS)
  annulus_add_unit(codes codes_model "")
  annulus_add_unit(codecs quantizer_codec "")
endif()
annulus_add_unit(top_k top_k_model "")

add_library(annulus_dynamic "${units_dir}/dispatch.cpp")
add_library(annulus::dynamic ALIAS annulus_dynamic)
check_cxx_compiler_flag(-fno-gnu-unique ANNULUS_HAS_NO_GNU_UNIQUE)  # such symbols are one a process, whoever compiled them
set(tables)
foreach(set IN LISTS sets)
  string(MAKE_C_IDENTIFIER "${set}" id)
  string(APPEND tables " TABLE(${id}, \"${set}\")")
  set(entry "${units_dir}/entry_${id}.cpp")
  file(
    CONFIGURE OUTPUT "${entry}"
    CONTENT
      "#include <annulus/dynamic/engine/entry.hpp>\nextern \"C\" {\nextern const annulus_function_table annulus_functions_${id};\nconst annulus_function_table annulus_functions_${id} = annulus::detail::function_table;\n}\n"
    @ONLY
  )
  set(objects annulus_dynamic_${id})
  add_library(${objects} OBJECT "${entry}" ${units})
  target_link_libraries(${objects} PRIVATE annulus::index_files)
  target_compile_definitions(${objects} PRIVATE ${definitions})
  if(known_sets)
    target_compile_options(
      ${objects} PRIVATE $<$<NOT:$<CONFIG:Debug>>:-O3> ${flags_of_${set}} -fno-lto $<$<BOOL:${ANNULUS_HAS_NO_GNU_UNIQUE}>:-fno-gnu-unique>
    )
  endif()
  set_target_properties(
    ${objects} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
                          INTERPROCEDURAL_OPTIMIZATION OFF
  )
  if(can_join)
    set(joined "${units_dir}/annulus_${id}.o")
    add_custom_command(
      OUTPUT "${joined}"
      COMMAND "${CMAKE_LINKER}" -r --force-group-allocation -o "${joined}" $<TARGET_OBJECTS:${objects}>
      COMMAND "${CMAKE_OBJCOPY}" --keep-global-symbol=annulus_functions_${id} "${joined}"
      DEPENDS ${objects} $<TARGET_OBJECTS:${objects}>
      COMMENT "Joining annulus::dynamic for ${set}"
      COMMAND_EXPAND_LISTS VERBATIM
    )
    target_sources(annulus_dynamic PRIVATE "${joined}")
    set_property(TARGET annulus_dynamic APPEND PROPERTY ANNULUS_JOINED_OBJECTS "${joined}")
  else()
    target_sources(annulus_dynamic PRIVATE $<TARGET_OBJECTS:${objects}>)
  endif()
endforeach()

# The dispatcher is for any processor.
file(
  CONFIGURE OUTPUT "${units_dir}/dispatch.cpp"
  CONTENT "#define ANNULUS_DYNAMIC_TABLES(TABLE)${tables}\n#include <annulus/dynamic/engine/dispatch.hpp>\n"
  @ONLY
)
target_compile_features(annulus_dynamic PUBLIC cxx_std_20)
target_include_directories(
  annulus_dynamic PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>" "$<INSTALL_INTERFACE:include>"
)
target_link_libraries(annulus_dynamic PRIVATE Threads::Threads)
if(can_join)
  list(GET known_sets -1 baseline)
  target_compile_options(annulus_dynamic PRIVATE ${flags_of_${baseline}})
endif()
set_target_properties(
  annulus_dynamic PROPERTIES EXPORT_NAME dynamic POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden
                             VISIBILITY_INLINES_HIDDEN ON VERSION ${PROJECT_VERSION}
                             SOVERSION ${PROJECT_VERSION_MAJOR}
)
