// error: minhash takes a csr_matrix, bit_sampling a bit_matrix, the others matrices of float or double
#include <annulus/lsh/families/p_stable.hpp>
#include <annulus/lsh/index.hpp>
void use(const annulus::matrix<std::uint8_t>& rows) { annulus::lsh_index index(rows, annulus::p_stable_l2{}); }
