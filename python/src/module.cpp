/// \file
/// annulus._core: the library annulus::dynamic for Python. The package annulus documents it.

#include "arrays.hpp"
#include "module.hpp"
#include "rows.hpp"

NB_MODULE(_core, module) {
  using namespace annulus_python;
  bind_errors(module);
  bind_arrays();
  bind_rows(module);
  bind_index(module);
  bind_functions(module);
}
