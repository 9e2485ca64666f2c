/// \file
/// Included by each header after its code: restores the macros that macros_off.hpp undefined.

#pragma pop_macro("min")
#pragma pop_macro("max")
#pragma pop_macro("near")
#pragma pop_macro("far")
#pragma pop_macro("small")

#if defined(ANNULUS_POP_FLOAT_CONTROL)
#undef ANNULUS_POP_FLOAT_CONTROL
#pragma float_control(pop)
#elif defined(ANNULUS_POP_OPTIONS)
#undef ANNULUS_POP_OPTIONS
#pragma GCC pop_options
#endif
