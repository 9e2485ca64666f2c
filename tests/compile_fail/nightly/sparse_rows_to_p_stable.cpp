// error: this family does not take these rows
#include <annulus/lsh/families/p_stable.hpp>
#include <annulus/lsh/index.hpp>
void use(const annulus::csr_matrix<float>& rows) { annulus::lsh_index index(rows, annulus::p_stable_l2{}); }
