# For our own tests, benchmarks and examples: never exported. The presets turn warnings into errors.
add_library(annulus_warnings INTERFACE)
target_compile_options(annulus_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
