// error: this family does not take these rows: minhash takes a csr_matrix
#include <annulus/lsh/families/minhash.hpp>
#include <annulus/lsh/index.hpp>
void use(const annulus::matrix<float>& rows) { annulus::lsh_index index(rows, annulus::minhash{}); }
