// error: this is a family of hash functions, which lsh_index takes: pass a metric
#include <annulus/knn/knn.hpp>
#include <annulus/lsh/families/p_stable.hpp>
void use(const annulus::matrix<float>& rows) { annulus::knn(rows, rows, 3, annulus::p_stable_l2{}); }
