#pragma once

/// \file
/// The parts of the comparison. Each prints its measurements as lines of JSON.

#include <annulus/core/rows/matrix.hpp>

#include <string>

namespace compare {

/// The rows and queries of a data set on disk.
struct dataset {
  std::string name;
  bool of_bytes = false;  ///< all values are numbers from 0 to 255
  annulus::matrix<float> rows, queries;
};

/// Made-up data in the states that data get into: erased and inserted again, equal, far from 0, ...
void compare_situations(bool quick);

/// Speed of searches whose filter lets through rows near to the query, far from it, or any, on one thread.
void compare_filtered(const dataset& data, bool quick);

/// Inserting the second half of the rows into an index of the first, on one and on two threads.
void compare_insertion(const dataset& data, bool quick);

}  // namespace compare
