// Situations of one seed after the other, compared with brute force:
//
//   soak_situations [minutes, of which 30] [first seed, of which 1] [last seed] [how many times as many rows as drawn]
//
// A situation depends on its seed alone: soak_situations 1 17 17 repeats that of seed 17.

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "situations/folder.hpp"
#include "situations/situation.hpp"

int main(int argc, char** argv) {
  using clock = std::chrono::steady_clock;
  const double minutes = argc > 1 ? std::atof(argv[1]) : 30;
  const std::uint64_t first = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  const std::uint64_t last = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : ~std::uint64_t{0};

  const std::size_t scale = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 1;

  const situations::folder folder;
  std::size_t n_run = 0, n_failed = 0;
  const auto end =
      clock::now() + std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(60 * minutes));
  for (std::uint64_t seed = first; seed <= last && clock::now() < end; ++seed, ++n_run) {
    situations::situation drawn = situations::draw_situation(seed);
    drawn.n *= scale;
    const std::string failure = situations::report(drawn, folder.file());
    if (failure.empty()) continue;
    ++n_failed;
    std::fputs(failure.c_str(), stdout);
    std::fflush(stdout);
  }
  std::printf("%zu of %zu situations failed\n", n_failed, n_run);
  return n_failed == 0 ? 0 : 1;
}
