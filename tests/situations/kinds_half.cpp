#include <annulus/nndescent/half_precision.hpp>

#include "situations/index_of.hpp"
#include "situations/measures.hpp"

namespace situations {

const kind half_kind{"euclidean, half",
                     coordinates::half,
                     euclidean_distance,
                     no_error,
                     true,
                     index_of<matrix<float>, annulus::euclidean, annulus::half_precision>::make};

namespace {
/// What a user may write, without codes, kernels and ranks.
struct my_distance {
  float operator()(const float* a, const float* b, std::size_t d) const {
    float sum = 0;
    for (std::size_t i = 0; i < d; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return std::sqrt(sum);
  }
};
}  // namespace

const kind callable_kind{"euclidean, of the user's",
                         coordinates::real,
                         euclidean_distance,
                         no_error,
                         true,
                         index_of<matrix<float>, my_distance>::make};

}  // namespace situations
