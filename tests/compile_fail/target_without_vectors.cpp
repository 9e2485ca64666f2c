// error: annulus needs the vector instructions of x86-64
// flags: -march=x86-64 -mno-sse2
#include <annulus/core/base/config.hpp>
