#include <annulus/metrics/angular.hpp>
#include <annulus/nndescent/half_precision.hpp>
#include <annulus/nndescent/rabitq.hpp>

#include "disk/saved_index.hpp"

using namespace disk_tests;

namespace {

using coded_index = saved_index<matrix<float>, cosine, rabitq<sq8>>;

const coded_index& coded() {
  static const coded_index made(data().rows);
  return made;
}

}  // namespace

TEST_CASE("an index with codes of its edges is searched from disk", "[disk_index]") {
  CHECK(same_answers(coded().index, coded_index::on_disk(coded().file()), data().queries));
  CHECK(same_answers(coded().index, coded_index::on_disk(coded().file(), {.map_codes = true}), data().queries));
}

TEST_CASE("a query without a direction is compared with all rows", "[disk_index]") {
  const matrix<float> zero(3, d);
  const coded_index::on_disk index(coded().file());
  CHECK(same_answers(coded().index, index, zero));
  disk_search_stats stats;
  index.search(zero, k, {}, &stats);
  CHECK(stats.reads == n);
}

TEST_CASE("a file of another storage is refused by name", "[disk_index]") {
  using other = disk_index<matrix<float>, cosine, sq8>;
  CHECK(message_of<format_error>([&] { other{coded().file()}; }).find("rabitq+sq8, not the sq8 asked for") !=
        std::string::npos);
}

TEST_CASE("rows of bytes are searched from disk", "[disk_index]") {
  matrix<std::uint8_t> rows(n, d), queries(20, d);
  const counter_random random(3);
  for (std::size_t i = 0; i < n * d; ++i) rows.data()[i] = static_cast<std::uint8_t>(random.below(i, 90));
  for (std::size_t i = 0; i < 20 * d; ++i) queries.data()[i] = static_cast<std::uint8_t>(random.below(n * d + i, 90));
  const saved_index<matrix<std::uint8_t>, euclidean, sq8> saved(rows);
  CHECK(same_answers(saved.index, decltype(saved)::on_disk(saved.file()), queries));
}

TEST_CASE("rows of halves are searched from disk, under a metric that rewrites rows", "[disk_index]") {
  const saved_index<matrix<float>, correlation, half_precision> saved(data().rows);
  CHECK(same_answers(saved.index, decltype(saved)::on_disk(saved.file()), data().queries));
  const rows_file rows{saved.rows_file(data().rows, 0, 0)};
  CHECK(message_of([&] { decltype(saved)::on_disk(saved.file(), {.rows = rows}); }).find("must be empty") !=
        std::string::npos);
}
