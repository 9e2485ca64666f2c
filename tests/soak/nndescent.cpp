#include "soak/nndescent.hpp"

namespace soak {

void full_episode(tally& t, dice& random, const std::filesystem::path& file) {
  nndescent_episode<matrix<float>, annulus::euclidean, annulus::full_precision>(t, random, file, euclidean);
}

void sq8_episode(tally& t, dice& random, const std::filesystem::path& file) {
  nndescent_episode<matrix<float>, annulus::euclidean, annulus::sq8>(t, random, file, euclidean);
}

}  // namespace soak
