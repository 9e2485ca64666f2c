// error: a source that does not compile
#include <annulus/version.hpp>

static_assert(ANNULUS_VERSION_MAJOR < 0, "a source that does not compile");
