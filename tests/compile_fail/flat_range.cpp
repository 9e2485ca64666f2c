// error: annulus: a range of numbers is no set of points
#include <annulus/knn/flat_index.hpp>

const annulus::flat_index made(std::vector<float>(100));
