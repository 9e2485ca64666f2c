// error: annulus needs a 64-bit target
// flags: -m32
#include <annulus/core/base/config.hpp>
