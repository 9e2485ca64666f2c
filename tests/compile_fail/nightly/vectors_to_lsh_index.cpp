// error: rows must be one contiguous block, which a vector of vectors is not
#include <annulus/lsh/families/sign_random_projection.hpp>
#include <annulus/lsh/index.hpp>
void use(const std::vector<std::vector<float>>& rows) {
  annulus::lsh_index index(rows, annulus::sign_random_projection{});
}
