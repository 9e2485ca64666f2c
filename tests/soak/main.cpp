// Changes, asks, saves and reads indexes at random for some time, and compares all answers with those of a model:
//
//   soak [minutes, of which 30] [seed, of which 1] [episode]
//
// Episodes depend on the seed and their number alone. With a number, that one episode is repeated.

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "soak/episodes.hpp"

int main(int argc, char** argv) {
  using clock = std::chrono::steady_clock;
  const double minutes = argc > 1 ? std::atof(argv[1]) : 30;
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  const std::size_t first = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 0;

  std::pair<soak::tally, soak::episode> kinds[] = {
      {{"flat_index", 1}, soak::flat_episode},
      {{"fast_scan_index", 1}, soak::fast_scan_episode},
      {{"nndescent_index, full", 0.98}, soak::full_episode},
      {{"nndescent_index, half", 0.98}, soak::half_episode},
      {{"nndescent_index, sq8", 0.98}, soak::sq8_episode},
      {{"nndescent_index, sparse", 0.98}, soak::sparse_episode},
      {{"lsh_index, cosine", 0.9}, soak::lsh_cosine_episode},
      {{"lsh_index, euclidean", 0.9}, soak::lsh_euclidean_episode},
  };
  const auto folder =
      std::filesystem::temp_directory_path() / ("annulus-soak-" + std::to_string(std::random_device()()));
  std::filesystem::create_directories(folder);

  std::size_t n_mismatches = 0, number = first;
  const auto end =
      clock::now() + std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(60 * minutes));
  do {
    auto& [tally, run] = kinds[number % std::size(kinds)];
    soak::dice random(seed, number);
    try {
      run(tally, random, folder / "index");
    } catch (const std::exception& error) {
      ++n_mismatches;
      std::printf("seed %llu, episode %zu, %s: %s\n", static_cast<unsigned long long>(seed), number, tally.kind.data(),
                  error.what());
      std::fflush(stdout);
    }
    ++tally.episodes;
    ++number;
  } while (argc <= 3 && clock::now() < end && n_mismatches < 20);
  std::filesystem::remove_all(folder);

  for (const auto& [t, run] : kinds)
    std::printf(
        "%-24s %6zu episodes: rows %8zu in, %8zu out, %6zu changed; %8zu answers, lowest recall %.3f; %6zu files\n",
        t.kind.data(), t.episodes, t.rows_inserted, t.rows_erased, t.rows_updated, t.answers, t.lowest_recall, t.saves);
  std::printf("%zu mismatches\n", n_mismatches);
  return n_mismatches == 0 ? 0 : 1;
}
