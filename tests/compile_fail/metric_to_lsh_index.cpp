// error: lsh_index takes a family of hash functions, not a metric: sign_random_projection or
#include <annulus/lsh/index.hpp>
void use(const annulus::matrix<float>& rows) { annulus::lsh_index index(rows, annulus::cosine{}); }
