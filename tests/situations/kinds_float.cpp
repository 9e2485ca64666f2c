#include "situations/index_of.hpp"
#include "situations/measures.hpp"

namespace situations {

const kind euclidean_kind{"euclidean",
                          coordinates::real,
                          euclidean_distance,
                          no_error,
                          true,
                          index_of<matrix<float>, annulus::euclidean>::make};

const kind inner_product_kind{"inner product",
                              coordinates::real,
                              negative_product,
                              error_of_product,
                              false,
                              index_of<matrix<float>, annulus::inner_product>::make};

}  // namespace situations
