#include "nearest.hpp"

std::size_t nearest_baseline_again() { return nearest(); }
