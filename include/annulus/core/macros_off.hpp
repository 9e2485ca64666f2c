/// \file
/// Included by each header before its code: words that others (windows.h) define as macros are words again, until
/// macros_on.hpp at its end. Included again and again, so without a guard.

#pragma push_macro("min")
#pragma push_macro("max")
#pragma push_macro("near")
#pragma push_macro("far")
#pragma push_macro("small")
#undef min
#undef max
#undef near
#undef far
#undef small
