// error: annulus needs the AVX-512 of -march=skylake-avx512
// flags: -march=x86-64 -mavx512f
#include <annulus/core/base/config.hpp>
