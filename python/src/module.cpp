/// \file
/// annulus._core: the library annulus::dynamic for Python. The package annulus documents it.

#include "module.hpp"
#include "arrays.hpp"
#include "rows.hpp"

NB_MODULE(_core, module) {
  using namespace annulus_python;
  bind_errors();
  bind_arrays();
  bind_rows(module);
  bind_index(module);
  bind_functions(module);
  bind_codec(module);
}
