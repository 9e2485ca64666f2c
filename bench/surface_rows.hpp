#pragma once

// Made rows that several benchmarks search: near a curved surface of few dimensions, as descriptors are.

#include <annulus/core/base/random.hpp>
#include <annulus/core/rows/matrix.hpp>

#include <cmath>

/// count x d rows near a surface of 12 dimensions; of the same one for every `stream`, which draws others of its rows.
/// Coordinates are in [-1, 1], or from 28 to 228 where T is an integer.
template <class T = float>
annulus::matrix<T> surface_rows(std::size_t count, std::size_t d, std::uint64_t stream) {
  constexpr std::size_t latent = 12;
  annulus::matrix<float> shape(d, latent + 1);
  annulus::matrix<T> rows(count, d);
  const annulus::counter_random direction(1, 0), place(2, stream);
  for (std::size_t i = 0; i < d * (latent + 1); ++i) shape.data()[i] = static_cast<float>(direction.normal(i));
  for (std::size_t i = 0; i < count; ++i) {
    float x[latent];
    for (std::size_t j = 0; j < latent; ++j) x[j] = static_cast<float>(place.normal(i * latent + j));
    for (std::size_t c = 0; c < d; ++c) {
      float angle = shape(c, latent);
      for (std::size_t j = 0; j < latent; ++j) angle += 0.4f * shape(c, j) * x[j];
      if constexpr (std::is_floating_point_v<T>) rows(i, c) = std::sin(angle);
      else rows(i, c) = static_cast<T>(std::lround(128 + 100 * std::sin(angle)));
    }
  }
  return rows;
}
