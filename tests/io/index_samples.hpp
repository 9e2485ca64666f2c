#pragma once

// Files of indexes by each version of their format (data/index_v1 and so on), which all later ones read. To make one of
// a kind that is new, or that a version changed: build an index of sample_rows, save it there under its kind, as
// data/index_v2/make.cpp does, and write down what it answers in data/index_samples.txt (dynamic_library/samples.cpp
// prints the line that is missing).

#include <annulus/core/base/random.hpp>
#include <annulus/core/rows/matrix.hpp>

#include <filesystem>

inline std::filesystem::path sample_file(const std::string& name, int version = 1) {
  const std::string folder = "index_v" + std::to_string(version);
  return std::filesystem::path(ANNULUS_TEST_DATA_DIR) / folder / (name + ".safetensors");
}

/// Quarters from -4 to 4: the same in every build.
inline annulus::matrix<float> sample_rows(std::size_t n, std::size_t d, std::uint64_t seed) {
  const annulus::counter_random random(seed);
  annulus::matrix<float> rows(n, d);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j) rows(i, j) = static_cast<float>(random.below(i * d + j, 33)) / 4 - 4;
  return rows;
}
