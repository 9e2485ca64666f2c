#include "knn/search_by.hpp"

namespace searches { namespace {

const bool are_added = add([] {
  auto searches = common<float>();
  searches.push_back(search_by<float>("sqeuclidean", annulus::sqeuclidean{}));
  searches.push_back(search_by<float>("manhattan", annulus::manhattan{}));
  searches.push_back(search_by<float>("chebyshev", annulus::chebyshev{}));
  // A lambda; no products, which compilers may fuse in one place and not in another.
  searches.push_back(search_by<float>("beyond a quarter", [](const float* a, const float* b, std::size_t d) {
    float sum = 0;
    for (std::size_t i = 0; i < d; ++i) sum += std::max(0.0f, std::abs(a[i] - b[i]) - 0.25f);
    return sum;
  }));
  return searches;
}());

}}  // namespace searches
