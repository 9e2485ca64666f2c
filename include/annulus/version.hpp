#pragma once

// The one place where the version is written: CMakeLists.txt reads it from here.
#define ANNULUS_VERSION_MAJOR 1
#define ANNULUS_VERSION_MINOR 0
#define ANNULUS_VERSION_PATCH 0

#define ANNULUS_VERSION_TEXT_OF(part) #part
#define ANNULUS_TEXT(x) #x
#define ANNULUS_TEXT_OF(x) ANNULUS_TEXT(x)  // of what a macro stands for
/// "major.minor.patch"
#define ANNULUS_VERSION                  \
  ANNULUS_TEXT_OF(ANNULUS_VERSION_MAJOR) \
  "." ANNULUS_TEXT_OF(ANNULUS_VERSION_MINOR) "." ANNULUS_TEXT_OF(ANNULUS_VERSION_PATCH)
