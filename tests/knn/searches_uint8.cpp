#include "knn/search_by.hpp"

namespace searches { namespace {

const bool are_added = add([] {
  auto searches = common<std::uint8_t>();
  searches.push_back(search_by<std::uint8_t>("bit_hamming", annulus::bit_hamming{}));
  // A lambda that returns an integer, and ties most rows.
  searches.push_back(
      search_by<std::uint8_t>("larger by half", [](const std::uint8_t* a, const std::uint8_t* b, std::size_t d) {
        int count = 0;
        for (std::size_t i = 0; i < d; ++i) count += a[i] > b[i] + 128;
        return count;
      }));
  return searches;
}());

}}  // namespace searches
