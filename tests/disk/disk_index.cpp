#include "disk/saved_index.hpp"
#include "failing_allocations.hpp"

// Rows of floats as 8-bit codes; other storages, rows and metrics are in further/storages.cpp.

using namespace disk_tests;

namespace {

using float_index = saved_index<matrix<float>, euclidean, sq8>;

const float_index& floats() {
  static const float_index made(data().rows);
  return made;
}

}  // namespace

TEST_CASE("a search from disk gives the answers of the index in memory, bit for bit", "[disk_index]") {
  CHECK(same_answers(floats().index, float_index::on_disk(floats().file()), data().queries));
}

TEST_CASE("answers do not depend on how rows are read or which of them are cached", "[disk_index]") {
  const std::size_t row_bytes = d * sizeof(float);
  for (const disk_index_params& params :
       std::vector<disk_index_params>{{.reads = {.direct = false}},
                                      {.reads = {.io_uring = false}},
                                      {.reads = {.direct = false, .io_uring = false, .read_threads = 1}},
                                      {.cache_bytes = 1},
                                      {.cache_bytes = 20 * row_bytes},
                                      {.cache_bytes = 4 * n * row_bytes},
                                      {.map_codes = true},
                                      {.cache_bytes = 50 * row_bytes, .queries_in_flight = 1},
                                      {.reads = {.io_uring = false}, .queries_in_flight = 9}}) {
    const float_index::on_disk index(floats().file(), params);
    CHECK(same_answers(floats().index, index, data().queries));
    CHECK(same_answers(floats().index, index, data().queries));  // and once the cache is warm
  }
}

TEST_CASE("a search tells how many rows it read and how many the cache had", "[disk_index]") {
  disk_search_stats stats;
  const float_index::on_disk plain(floats().file(), {.reads = {.direct = false}});
  plain.search(data().queries, k, {.beam = 40}, &stats);
  CHECK(stats.reads >= k);
  CHECK(stats.reads <= 40);
  CHECK(stats.bytes == Approx(stats.reads * d * sizeof(float)));
  CHECK(stats.cached == 0);
  CHECK(stats.hops > 1);
  const double all = stats.reads;

  const float_index::on_disk cached(floats().file(), {.cache_bytes = 4 * n * d * sizeof(float)});
  cached.search(data().queries, k, {.beam = 40}, &stats);
  CHECK(stats.reads + stats.cached == Approx(all));
  cached.search(data().queries, k, {.beam = 40}, &stats);
  CHECK(stats.cached > 0.9 * all);  // sets of the cache overflow here and there
  CHECK(stats.reads + stats.cached == Approx(all));
}

TEST_CASE("an index on disk holds neither rows nor lists of neighbours in memory", "[disk_index]") {
  const std::size_t rows = n * 32 * sizeof(float), lists = n * 12 * 8, whole = floats().index.memory_bytes();
  const float_index::on_disk index(floats().file()), cached(floats().file(), {.cache_bytes = 100'000});
  CHECK(index.memory_bytes() <= whole - rows - lists + n * 2 * sizeof(float));
  CHECK(cached.memory_bytes() <= index.memory_bytes() + 100'000);
  CHECK(cached.memory_bytes() >= index.memory_bytes() + 90'000);
}

TEST_CASE("copies of a row and rows that codes cannot tell apart are found as in memory", "[disk_index]") {
  matrix<float> rows = indexes::rows_between(data().rows, 0, 900);
  const counter_random random(8);
  for (std::size_t i = 0; i < 200; ++i) std::ranges::copy(rows.row(i), rows.row(200 + i).begin());
  for (std::size_t i = 400; i < 900; ++i)
    for (std::size_t j = 0; j < d; ++j)
      rows(i, j) = rows(400, j) + 1e-4f * static_cast<float>(random.normal(i * d + j));
  const float_index saved(rows);
  const float_index::on_disk index(saved.file());
  CHECK(same_answers(saved.index, index, data().queries));
  const auto near = indexes::rows_between(rows, 395, 420);
  CHECK(same_answers(saved.index, index, near));
  disk_search_stats stats;
  index.search(indexes::rows_between(rows, 410, 420), k, {.beam = 20}, &stats);
  CHECK(stats.reads > 20);  // it walked over exact rows
}

TEST_CASE("queries that no distance is defined for get no neighbours, or are refused, as in memory", "[disk_index]") {
  auto queries = indexes::rows_between(data().queries, 0, 4);
  queries(2, 5) = std::numeric_limits<float>::quiet_NaN();
  const float_index::on_disk index(floats().file());
  CHECK(same_answers(floats().index, index, queries));
  queries(1, 0) = 3e38f;
  CHECK(message_of([&] { index.search(queries, k); }) == message_of([&] { floats().index.search(queries, k); }));
  CHECK_THROWS_AS(index.search(data().queries, 0), std::invalid_argument);
  CHECK_THROWS_AS(index.search(matrix<float>(2, d + 1), k), std::invalid_argument);
  CHECK_THROWS_AS(float_index::on_disk(floats().file(), {.queries_in_flight = 0}), std::invalid_argument);
  CHECK(index.search(matrix<float>(0, d), k).ids.rows() == 0);
}

TEST_CASE("indexes of no row and of few rows are opened", "[disk_index]") {
  for (const std::size_t few : {0u, 1u, 2u, 5u}) {
    const float_index saved(indexes::rows_between(data().rows, 0, few));
    CHECK(same_answers(saved.index, float_index::on_disk(saved.file()), data().queries));
  }
}

TEST_CASE("single searches give the same answers and allocate nothing once warm", "[disk_index]") {
  for (const bool io_uring : {true, false}) {
    const float_index::on_disk index(floats().file(), {.reads = {.io_uring = io_uring}, .cache_bytes = 20'000});
    auto scratch = index.make_scratch();
    matrix<id_type> ids(data().queries.rows(), k);
    matrix<float> distances(data().queries.rows(), k);
    std::size_t before = 0;
    for (int round = 0; round < 2; ++round) {
      before = allocations::n_made;
      for (std::size_t i = 0; i < ids.rows(); ++i)
        index.search(data().queries.row(i), ids.row(i), distances.row(i), scratch, {.beam = 30});
    }
    CHECK(allocations::n_made == before);
    const neighbors expected = floats().index.search(data().queries, k, {.beam = 30});
    CHECK(std::equal(ids.data(), ids.data() + ids.rows() * k, expected.ids.data()));
    CHECK(std::equal(distances.data(), distances.data() + ids.rows() * k, expected.distances.data()));
    CHECK_THROWS_AS(index.search(data().queries.row(0), ids.row(0), distances.row(0).first(3), scratch),
                    std::invalid_argument);
  }
}

TEST_CASE("threads that share an index and its cache get the same answers", "[disk_index][threads]") {
  std::optional<float_index::on_disk> index(std::in_place, floats().file(), disk_index_params{.cache_bytes = 30'000});
  const float_index::on_disk copy = *index;
  index.reset();  // copies share what they need
  const neighbors expected = floats().index.search(data().queries, k);
  std::array<bool, 4> are_same{};
  parallel_for(4, 4, 1, [&](std::size_t begin, std::size_t, std::size_t) {
    are_same[begin] = true;
    for (int i = 0; i < 5; ++i) are_same[begin] &= copy.search(data().queries, k, {.threads = 2}) == expected;
  });
  CHECK(std::ranges::count(are_same, true) == 4);
}

// ---- Rows in a file of their own ------------------------------------------------------------------------------------

TEST_CASE("rows may lie in a file of the user, in the order of ids", "[disk_index]") {
  auto rows = indexes::rows_between(data().rows, 0, 600);
  for (std::size_t i = 0; i < 100; ++i) std::ranges::copy(rows.row(i), rows.row(300 + i).begin());  // fewer vertices
  const float_index saved(rows);
  for (const auto& [before, between] : {std::pair<std::size_t, std::size_t>{0, 0}, {4, 4}, {8, 0}, {128, 0}}) {
    const rows_file file{saved.rows_file(rows, before, between), before, d * sizeof(float) + between};
    CHECK(same_answers(saved.index, float_index::on_disk(saved.file(), {.rows = file}), data().queries));
  }
}

TEST_CASE("an index without its rows finds by those of another file", "[disk_index]") {
  const float_index saved(data().rows, {.n_neighbors = 12, .keep_rows = false});
  CHECK(message_of([&] { float_index::on_disk{saved.file()}; }) ==
        "annulus: rows.path = \"\": must name the file of the rows: the index was built with keep_rows = false");
  const float_index::on_disk index(saved.file(), {.rows = {saved.rows_file(data().rows, 0, 0)}});
  const neighbors found = index.search(data().queries, k, {.beam = 60});
  CHECK(indexes::wrong_distances(found, data().rows, data().queries, euclidean{}) == 0);
  CHECK(found.ids == floats().index.search(data().queries, k, {.beam = 60}).ids);
}

TEST_CASE("a file of rows of another size is refused", "[disk_index]") {
  const auto more = indexes::joined(data().rows, indexes::rows_between(data().rows, 0, 1));
  const auto file = floats().rows_file(more, 0, 0);
  const auto open = [&](const rows_file& rows) {
    return message_or_nothing<format_error>([&] { float_index::on_disk(floats().file(), {.rows = rows}); });
  };
  const std::size_t row = d * sizeof(float);
  CHECK(open({file}) == file.string() + ": byte " + std::to_string(n * row) +
                            ": the rows of 1500 ids end here, the file at " + std::to_string((n + 1) * row));
  std::filesystem::resize_file(file, n * row - 1);
  CHECK(open({file}) == file.string() + ": byte " + std::to_string(n * row - 1) +
                            ": the file ends here, too early for 1500 rows of 96 bytes, 96 bytes apart from byte 0 on");
  std::filesystem::resize_file(file, n * row);
  CHECK(open({file}) == "nothing");
  CHECK(open({file, 4}).find("too early for 1500 rows") != std::string::npos);
  CHECK_THROWS_AS(float_index::on_disk(floats().file(), {.rows = {file, 0, row - 4}}), std::invalid_argument);
  CHECK_THROWS_AS(float_index::on_disk(floats().file(), {.rows = {floats().folder / "none"}}), std::system_error);
}

TEST_CASE("a file of other rows of the same size is refused", "[disk_index]") {
  const auto complaint = [&](const float_index& saved, const matrix<float>& rows, std::size_t offset = 0) {
    return message_or_nothing<format_error>([&] {
      float_index::on_disk(saved.file(), {.rows = {saved.rows_file(rows, offset, 0), offset}});
    });
  };
  auto reversed = data().rows;
  for (std::size_t i = 0; i < n; ++i) std::ranges::copy(data().rows.row(n - 1 - i), reversed.row(i).begin());
  CHECK(complaint(floats(), data().rows) == "nothing");
  CHECK(complaint(floats(), reversed, 8)
            .ends_with("byte 8: these are not the rows of the index: of 66 looked at, "
                       "the index has codes of others"));

  // Rows closer than the steps of their codes, and rows far from the origin.
  matrix<float> near = data().rows, far = data().rows;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j) {
      near(i, j) = static_cast<float>(j + 1) + 1e-5f * data().rows(i, j);
      far(i, j) += 20;
    }
  CHECK(complaint(float_index(near), near) == "nothing");
  const float_index of_far(far);
  CHECK(complaint(of_far, far) == "nothing");
  CHECK(complaint(of_far, reversed) != "nothing");
}

// ---- Files that change ----------------------------------------------------------------------------------------------

TEST_CASE("a file that is cut or written to while it is open is named", "[disk_index]") {
  for (const bool io_uring : {true, false})
    for (const bool direct : {true, false}) {
      const float_index saved(indexes::rows_between(data().rows, 0, 300));
      const float_index::on_disk index(saved.file(), {.reads = {.direct = direct, .io_uring = io_uring}});
      auto scratch = index.make_scratch();
      std::array<id_type, k> ids;
      std::array<float, k> distances;
      const auto search_one = [&] { index.search(data().queries.row(0), ids, distances, scratch); };
      const std::string whole = bytes_of(saved.file());
      search_one();
      std::filesystem::resize_file(saved.file(), 5000);
      const std::string expected =
          saved.file().string() + ": byte 0: the file was written to, or cut, after it was opened: open it again";
      CHECK(message_of<format_error>([&] { index.search(data().queries, k, {.threads = 2}); }) == expected);
      CHECK(message_of<format_error>(search_one) == expected);
      std::ofstream(saved.file(), std::ios::binary) << whole;  // written to, of the same size
      CHECK(message_of<format_error>(search_one) == expected);
      std::filesystem::remove(saved.file());  // the file that is open lives on, as it was written to
      CHECK(message_of<format_error>(search_one) == expected);
    }
}

TEST_CASE("a file that is replaced by a rename or removed does not change what is open", "[disk_index]") {
  const float_index saved(indexes::rows_between(data().rows, 0, 300));
  const float_index::on_disk index(saved.file());
  const neighbors expected = index.search(data().queries, k);
  save(floats().index, saved.file());
  CHECK(index.search(data().queries, k) == expected);
  std::filesystem::remove(saved.file());
  CHECK(index.search(data().queries, k) == expected);
}

TEST_CASE("damaged files and those of other indexes are refused when they are opened", "[disk_index]") {
  const float_index saved(indexes::rows_between(data().rows, 0, 300));
  const std::string whole = bytes_of(saved.file());
  const auto open = [&] { return message_or_nothing<format_error>([&] { float_index::on_disk{saved.file()}; }); };
  for (const std::string_view name : {"compressed.codes", "graph.edges", "graph.neighbors.distances", "first_ids"}) {
    const auto info = read_index_info(saved.file());
    REQUIRE(info.tensors.contains(name));
    std::string damaged = whole;
    damaged[info.tensors.find(name)->second.begin + 3] ^= 1;
    write_bytes(saved.file(), damaged);
    CHECK(open().find("'" + std::string(name) + "' is not as it was written") != std::string::npos);
  }
  for (const std::size_t length : {std::size_t{0}, std::size_t{100}, whole.size() / 2, whole.size() - 1}) {
    write_bytes(saved.file(), whole.substr(0, length));
    CHECK(open() != "nothing");
  }
  CHECK_THROWS_AS(float_index::on_disk(saved.folder / "none"), std::system_error);
}
