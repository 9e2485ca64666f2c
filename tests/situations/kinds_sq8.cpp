#include "situations/index_of.hpp"
#include "situations/measures.hpp"

namespace situations {

const kind cosine_sq8_kind{"cosine, sq8",
                           coordinates::real,
                           cosine_distance,
                           error_of_cosine,
                           true,
                           index_of<matrix<float>, annulus::cosine, annulus::sq8>::make};

const kind euclidean_sq8_kind{"euclidean, sq8",
                              coordinates::real,
                              euclidean_distance,
                              no_error,
                              true,
                              index_of<matrix<float>, annulus::euclidean, annulus::sq8>::make};

}  // namespace situations
