// An index built in pieces, as of rows that do not fit in memory: they stay in a mapped file, and so do the pieces.

#include <annulus/disk/build_in_pieces.hpp>
#include <annulus/io/data/big_ann.hpp>

#include <cstdio>

int main() {
  constexpr std::size_t n = 6000, d = 32, k = 5;
  const annulus::counter_random random(3);
  annulus::matrix<std::uint8_t> made(n, d);
  for (std::size_t i = 0; i < n * d; ++i) made.data()[i] = static_cast<std::uint8_t>(random.below(i, 256));
  const auto folder = std::filesystem::temp_directory_path() / "annulus-example-pieces";
  std::filesystem::create_directories(folder);
  annulus::write_big_ann(folder / "rows.u8bin", made);

  using rows_type = annulus::matrix<std::uint8_t>;
  using metric = annulus::sqeuclidean;
  const auto rows = annulus::map_big_ann<std::uint8_t>(folder / "rows.u8bin");
  const annulus::disk::piece_params params{.folder = folder / "pieces", .memory_bytes = std::size_t{51} << 20};
  const auto plan = annulus::disk::plan_build<rows_type, metric, annulus::sq8>(rows, params);
  std::printf("%zu pieces of up to %zu rows; %.1f MB on disk meanwhile, an index of %.1f MB\n", plan.n_pieces,
              plan.piece_rows, static_cast<double>(plan.disk_bytes) / 1e6, static_cast<double>(plan.index_bytes) / 1e6);

  annulus::disk::build_in_pieces<rows_type, metric, annulus::sq8>(rows, folder / "rows.index", params);
  const auto index =
      annulus::map_index<annulus::nndescent_index<rows_type, metric, annulus::sq8>>(folder / "rows.index");
  const annulus::neighbors found = index.search(made, k);
  std::size_t n_own = 0;
  for (std::size_t i = 0; i < n; ++i) n_own += found.ids(i, 0) == i;
  std::printf("%zu of %zu rows find themselves first\n", n_own, n);
  std::filesystem::remove_all(folder);
  return n_own * 100 > n * 99 ? 0 : 1;
}
