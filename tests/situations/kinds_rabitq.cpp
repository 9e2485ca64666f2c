#include <annulus/nndescent/rabitq.hpp>

#include "situations/index_of.hpp"
#include "situations/measures.hpp"

namespace situations {

const kind euclidean_rabitq_kind{"euclidean, rabitq",
                                 coordinates::real,
                                 euclidean_distance,
                                 no_error,
                                 true,
                                 index_of<matrix<float>, annulus::euclidean, annulus::rabitq<>>::make};

const kind cosine_rabitq_sq8_kind{"cosine, rabitq of sq8",
                                  coordinates::real,
                                  cosine_distance,
                                  error_of_cosine,
                                  true,
                                  index_of<matrix<float>, annulus::cosine, annulus::rabitq<annulus::sq8>>::make};

}  // namespace situations
