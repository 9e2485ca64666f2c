// Included last by tests of NaN, infinities, or orders of rounding: under -ffast-math what follows is compiled without
// it, so that what a test expects is always the same. Without a guard, as headers of tests include macros_off.hpp too.
// What a function returns is still no infinity to clang, nor any number to Catch: those are compared by their bits.

#include "denormals.hpp"

#include <annulus/core/base/macros_off.hpp>
