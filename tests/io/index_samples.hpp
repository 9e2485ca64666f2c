#pragma once

// Files of indexes by version 1 of their format, which every version reads (data/index_v1). To make one of a kind that
// is new: build an index of sample_rows, save it there under its kind, and write down what it answers.

#include <annulus/core/matrix.hpp>
#include <annulus/core/random.hpp>

#include <filesystem>

inline std::filesystem::path sample_file(const std::string& name) {
  return std::filesystem::path(ANNULUS_TEST_DATA_DIR) / "index_v1" / (name + ".safetensors");
}

/// Quarters from -4 to 4: the same in every build.
inline annulus::matrix<float> sample_rows(std::size_t n, std::size_t d, std::uint64_t seed) {
  const annulus::counter_random random(seed);
  annulus::matrix<float> rows(n, d);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j) rows(i, j) = static_cast<float>(random.below(i * d + j, 33)) / 4 - 4;
  return rows;
}
