#include "situations/index_of.hpp"
#include "situations/measures.hpp"

namespace situations {

const kind bytes_kind{"euclidean, bytes",
                      coordinates::bytes,
                      euclidean_distance,
                      no_error,
                      true,
                      index_of<matrix<std::uint8_t>, annulus::euclidean>::make};

const kind bits_kind{"hamming, bits",
                     coordinates::bits,
                     differing_bits,
                     no_error,
                     true,
                     index_of<packed_bits, annulus::bit_hamming>::make};

}  // namespace situations
