#include "nearest.hpp"

std::size_t nearest_wide() { return nearest(); }
