#include <annulus/nndescent/half_precision.hpp>

#include "soak/nndescent.hpp"

namespace soak {

void half_episode(tally& t, dice& random, const std::filesystem::path& file) {
  nndescent_episode<matrix<float>, annulus::cosine, annulus::half_precision>(t, random, file, cosine);
}

void sparse_episode(tally& t, dice& random, const std::filesystem::path& file) {
  nndescent_episode<annulus::csr_matrix<float>, annulus::cosine, annulus::full_precision>(t, random, file, cosine);
}

}  // namespace soak
