#pragma once

// The one place where the version is written: CMakeLists.txt reads it from here.
#define ANNULUS_VERSION_MAJOR 0
#define ANNULUS_VERSION_MINOR 1
#define ANNULUS_VERSION_PATCH 0
