// error: this is a family of hash functions, which lsh_index takes: pass a metric
#include <annulus/lsh/families/p_stable.hpp>
#include <annulus/nndescent/index.hpp>
void use(const annulus::matrix<float>& rows) { annulus::nndescent_index index(rows, annulus::p_stable_l2{}); }
