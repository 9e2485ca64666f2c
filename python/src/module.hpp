#pragma once

/// \file
/// The parts of the module _core.

#include "errors.hpp"

namespace annulus_python {

void bind_index(nb::module_& module);
void bind_functions(nb::module_& module);
void bind_codec(nb::module_& module);

}  // namespace annulus_python
