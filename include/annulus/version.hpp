#pragma once

/// \file
/// The one place where the version is written: CMakeLists.txt reads it from here.

/// The first number of the version.
#define ANNULUS_VERSION_MAJOR 1
/// The second number.
#define ANNULUS_VERSION_MINOR 0
/// The third number.
#define ANNULUS_VERSION_PATCH 0

/// \cond
#define ANNULUS_TEXT(x) #x
#define ANNULUS_TEXT_OF(x) ANNULUS_TEXT(x)  // of what a macro stands for
/// \endcond

/// "major.minor.patch"
#define ANNULUS_VERSION                  \
  ANNULUS_TEXT_OF(ANNULUS_VERSION_MAJOR) \
  "." ANNULUS_TEXT_OF(ANNULUS_VERSION_MINOR) "." ANNULUS_TEXT_OF(ANNULUS_VERSION_PATCH)
