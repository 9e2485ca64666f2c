#include <annulus/disk/build_in_pieces.hpp>
#include <annulus/knn/knn.hpp>

#include "../../io/scratch.hpp"
#include "random_data.hpp"

namespace {
namespace disk = annulus::disk;
using floats = annulus::matrix<float>;
}  // namespace

TEST_CASE("a build in pieces keeps codes of floats, and under inner products the longest rows", "[build_in_pieces]") {
  const floats rows = normal_rows(2000, 12, 1), queries = normal_rows(100, 12, 2);
  const scratch_folder folder;
  const disk::piece_params params{
      .folder = folder / "pieces", .n_pieces = 3, .graph = {.n_neighbors = 10, .threads = 1}};
  const auto check = [&]<class Metric, class Storage>(Metric metric, Storage) {
    disk::build_in_pieces<floats, Metric, Storage>(rows, folder / "index", params);
    const auto built = annulus::load_index<annulus::nndescent_index<floats, Metric, Storage>>(folder / "index");
    const auto exact = annulus::knn(rows, queries, 10, metric);
    CHECK(annulus::recall(built.search(queries, 10, {.beam = 64}), exact, 10) > 0.97);
  };
  check(annulus::euclidean{}, annulus::rabitq<>{});
  check(annulus::inner_product{}, annulus::sq8{});
  check(annulus::cosine{}, annulus::sq8{});
}
