#pragma once

// Random rows and codes that tests share.

#include <annulus/core/base/random.hpp>
#include <annulus/core/rows/matrix.hpp>

/// n x d, normally distributed about 0.
template <class T = float>
annulus::matrix<T> normal_rows(std::size_t n, std::size_t d, std::uint64_t seed, double deviation = 1) {
  const annulus::counter_random random(seed);
  annulus::matrix<T> rows(n, d);
  for (std::size_t i = 0; i < n * d; ++i) rows.data()[i] = static_cast<T>(deviation * random.normal(i));
  return rows;
}

/// n x m codes below ks.
template <class Code, class Generator>
annulus::matrix<Code> random_codes(std::size_t n, std::size_t m, std::size_t ks, Generator& generator) {
  annulus::matrix<Code> codes(n, m);
  for (std::size_t i = 0; i < n; ++i)
    for (Code& c : codes.row(i)) c = static_cast<Code>(generator() % ks);
  return codes;
}
