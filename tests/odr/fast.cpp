#include "nearest.hpp"

std::size_t nearest_fast() { return nearest(); }
