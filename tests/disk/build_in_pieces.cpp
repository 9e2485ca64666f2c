#include <annulus/disk/build_in_pieces.hpp>
#include <annulus/knn/knn.hpp>

#include "../io/child.hpp"
#include "../io/scratch.hpp"
#include "progress_watch.hpp"

namespace {

namespace disk = annulus::disk;
using bytes = annulus::matrix<std::uint8_t>;
using sq8_index = annulus::nndescent_index<bytes, annulus::sqeuclidean, annulus::sq8>;

/// Rows near a surface of 6 dimensions in d.
bytes surface(std::size_t n, std::size_t d, std::uint64_t stream = 0) {
  constexpr std::size_t latent = 6;
  const annulus::counter_random direction(1), place(2, stream);
  bytes rows(n, d);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t c = 0; c < d; ++c) {
      double angle = direction.normal(c);
      for (std::size_t j = 0; j < latent; ++j)
        angle += 0.4 * direction.normal(d + c * latent + j) * place.normal(i * latent + j);
      rows(i, c) = static_cast<std::uint8_t>(std::lround(127.5 + 127 * std::sin(angle)));
    }
  return rows;
}

disk::piece_params in_pieces(const scratch_folder& folder, std::size_t n_pieces) {
  return {.folder = folder / "pieces", .n_pieces = n_pieces, .graph = {.n_neighbors = 10, .threads = 1}};
}

void build_sq8(const bytes& rows, const scratch_folder& folder, const disk::piece_params& params) {
  disk::build_in_pieces<bytes, annulus::sqeuclidean, annulus::sq8>(rows, folder / "index", params);
}

/// Ends a build at its i-th report of progress.
annulus::progress_callback until(std::size_t i) {
  return [i, n = std::size_t{0}](const annulus::progress_report&) mutable { return n++ < i; };
}

}  // namespace

TEST_CASE("an index built in pieces finds what one built at once does", "[build_in_pieces]") {
  using index_type = annulus::nndescent_index<bytes, annulus::sqeuclidean, annulus::rabitq<annulus::sq8>>;
  const bytes rows = surface(3000, 24), queries = surface(300, 24, 1);
  const scratch_folder folder;
  const disk::piece_params params = in_pieces(folder, 3);
  const disk::build_plan plan =
      disk::build_in_pieces<bytes, annulus::sqeuclidean, annulus::rabitq<annulus::sq8>>(rows, folder / "index", params);
  CHECK(plan.n_pieces == 3);
  CHECK(folder.n_files() == 1);  // the index alone

  annulus::verify_index_file(folder / "index");
  const auto built = annulus::load_index<index_type>(folder / "index");  // which looks for defects
  const index_type whole(rows, {}, params.graph);
  REQUIRE(built.size() == rows.rows());
  const auto exact = annulus::knn(rows, queries, 10, annulus::sqeuclidean{});
  for (const std::size_t beam : {16u, 48u}) {
    const double of_whole = annulus::recall(whole.search(queries, 10, {.beam = beam}), exact, 10);
    CHECK(annulus::recall(built.search(queries, 10, {.beam = beam}), exact, 10) > of_whole - 0.01);
  }
  const annulus::neighbors graph = built.graph();
  CHECK(annulus::estimate_recall(graph, rows, annulus::sqeuclidean{}, {.n_samples = 300}) > 0.95);
  const auto mapped = annulus::map_index<index_type>(folder / "index");
  CHECK(mapped.search(queries, 10).ids == built.search(queries, 10).ids);
}

TEST_CASE("a build in pieces gives the same file for any number of threads", "[build_in_pieces]") {
  const bytes rows = surface(2500, 16);
  const scratch_folder folder;
  disk::piece_params params = in_pieces(folder, 4);
  build_sq8(rows, folder, params);
  const std::string file = bytes_of(folder / "index");
  params.graph.threads = 2;
  build_sq8(rows, folder, params);
  CHECK(bytes_of(folder / "index") == file);
}

TEST_CASE("a build in pieces that was ended anywhere goes on to the same file", "[build_in_pieces]") {
  const bytes rows = surface(1500, 16);
  const scratch_folder folder;
  disk::piece_params params = in_pieces(folder, 3);
  std::size_t n_reports = 0;
  params.graph.progress = [&](const annulus::progress_report&) { return ++n_reports > 0; };
  build_sq8(rows, folder, params);
  const std::string file = bytes_of(folder / "index");
  REQUIRE(n_reports > 30);

  for (std::size_t i = 0; i < n_reports; i += 7) {
    std::filesystem::remove(folder / "index");
    params.graph.progress = until(i);
    CHECK_THROWS_AS(build_sq8(rows, folder, params), annulus::cancelled);
    params.graph.progress = until(i / 2 + 3);  // and once more
    try {
      build_sq8(rows, folder, params);
    } catch (const annulus::cancelled&) {
      params.graph.progress = {};
      build_sq8(rows, folder, params);
    }
    CHECK(bytes_of(folder / "index") == file);
    CHECK(folder.n_files() == 1);
  }
}

TEST_CASE("a build in pieces outlives being killed", "[build_in_pieces]") {
  const bytes rows = surface(1500, 16);
  const scratch_folder folder;
  disk::piece_params params = in_pieces(folder, 3);
  build_sq8(rows, folder, params);
  const std::string file = bytes_of(folder / "index");
  std::filesystem::remove(folder / "index");
  for (std::size_t i = 5; !std::filesystem::exists(folder / "index"); i += 6)
    in_child([&] {
      std::size_t n = 0;
      params.graph.progress = [&](const annulus::progress_report&) {
        if (++n > i) ::kill(::getpid(), SIGKILL);
        return true;
      };
      build_sq8(rows, folder, params);
      return 0;
    });
  CHECK(bytes_of(folder / "index") == file);
}

TEST_CASE("a build in pieces does not go on with another one", "[build_in_pieces]") {
  bytes rows = surface(1000, 16);
  const scratch_folder folder;
  disk::piece_params params = in_pieces(folder, 2);
  params.graph.progress = until(20);
  CHECK_THROWS_AS(build_sq8(rows, folder, params), annulus::cancelled);
  params.graph.progress = {};
  const auto complaint = [&](const disk::piece_params& others) {
    return message_or_nothing<std::invalid_argument>([&] { build_sq8(rows, folder, others); });
  };

  disk::piece_params others = params;
  others.graph.n_neighbors = 12;
  CHECK(complaint(others).find("n_neighbors = 10, where this one has 12") != std::string::npos);
  others = params;
  others.graph.seed = 7;
  CHECK(complaint(others).find("seed = 42") != std::string::npos);
  others = params;
  others.n_pieces = 3;
  CHECK(complaint(others).find("pieces = 2") != std::string::npos);
  rows(999, 15) ^= 1;
  CHECK(complaint(params).find("data = xxh3:") != std::string::npos);

  params.restart = true;
  build_sq8(rows, folder, params);
  const std::string file = bytes_of(folder / "index");
  params.restart = false;
  build_sq8(rows, folder, params);
  CHECK(bytes_of(folder / "index") == file);
}

TEST_CASE("files of a build in pieces that were damaged are refused by name", "[build_in_pieces]") {
  const bytes rows = surface(1000, 16);
  const scratch_folder folder;
  disk::piece_params params = in_pieces(folder, 2);
  params.graph.progress = [](const annulus::progress_report& report) { return report.stage != "merge"; };
  CHECK_THROWS_AS(build_sq8(rows, folder, params), annulus::cancelled);
  const auto lists = folder / "pieces" / "lists.1.part";
  std::string text = bytes_of(lists);
  text[text.size() / 2] ^= 1;
  write_bytes(lists, text);
  const auto complaint = [&] {
    return message_or_nothing<annulus::format_error>([&] { build_sq8(rows, folder, params); });
  };
  CHECK(complaint().find("lists.1.part: byte 0: the file is not as it was written") != std::string::npos);
  write_bytes(lists, text.substr(1));
  CHECK(complaint().find("lacks bytes") != std::string::npos);
}

TEST_CASE("equal rows share a vertex in a build in pieces", "[build_in_pieces]") {
  bytes rows = surface(1200, 16);
  for (std::size_t i = 600; i < 1200; ++i) std::ranges::copy(rows.row(i % 7 == 0 ? 3 : i - 600), rows.row(i).begin());
  const scratch_folder folder;
  build_sq8(rows, folder, in_pieces(folder, 3));
  const auto built = annulus::load_index<sq8_index>(folder / "index");
  CHECK(built.size() == 1200);
  const auto found = built.search(rows, 2);
  std::size_t n_zero = 0;
  for (std::size_t i = 600; i < 1200; ++i) n_zero += found.distances(i, 1) == 0;
  CHECK(n_zero == 600);
}

TEST_CASE("builds in pieces take few rows, one dimension, and rows that are all the same", "[build_in_pieces]") {
  const scratch_folder folder;
  for (const std::size_t n : {0u, 1u, 2u, 5u, 60u})
    for (const std::size_t d : {1u, 3u}) {
      const bytes rows = surface(n, d);
      build_sq8(rows, folder, in_pieces(folder, 4));
      const auto built = annulus::load_index<sq8_index>(folder / "index");
      REQUIRE(built.size() == n);
      const auto exact = annulus::knn(rows, rows, 3, annulus::sqeuclidean{});
      CHECK(built.search(rows, 3, {.beam = 100}).distances == exact.distances);
    }
  const bytes same(500, 8, std::uint8_t{3});
  build_sq8(same, folder, in_pieces(folder, 3));
  CHECK(annulus::load_index<sq8_index>(folder / "index").size() == 500);
}

TEST_CASE("the memory of a build in pieces decides how many there are", "[build_in_pieces]") {
  const bytes rows = surface(20'000, 8);
  const scratch_folder folder;
  disk::piece_params params = in_pieces(folder, 0);
  const auto plan_of = [&] { return disk::plan_build<bytes, annulus::sqeuclidean, annulus::sq8>(rows, params); };
  CHECK(plan_of().n_pieces == 1);
  params.memory_bytes = std::size_t{54} << 20;
  const disk::build_plan plan = plan_of();
  CHECK(plan.n_pieces > 2);
  CHECK(plan.memory_bytes <= params.memory_bytes);
  params.memory_bytes = 1000;
  CHECK(
      message_or_nothing<std::invalid_argument>(plan_of).starts_with("annulus: memory_bytes = 1000: must be at least"));
}

TEST_CASE("a plan tells the bytes that a build in pieces takes on disk", "[build_in_pieces]") {
  const bytes rows = surface(6000, 32);
  const scratch_folder folder;
  disk::piece_params params = in_pieces(folder, 3);
  const disk::build_plan plan = disk::plan_build<bytes, annulus::sqeuclidean, annulus::sq8>(rows, params, true);
  CHECK(plan.seconds > 0);
  std::uintmax_t most = 0;
  params.graph.progress = [&](const annulus::progress_report&) {
    std::uintmax_t now = 0;
    std::error_code ended;  // the last report comes when the folder is gone
    for (const auto& entry : std::filesystem::directory_iterator(folder / "pieces", ended)) now += entry.file_size();
    most = std::max(most, now);
    return true;
  };
  build_sq8(rows, folder, params);
  CHECK(most <= plan.disk_bytes);
  CHECK(most > plan.disk_bytes / 3);
  const auto size = std::filesystem::file_size(folder / "index");
  CHECK(size > plan.index_bytes * 9 / 10);
  CHECK(size < plan.index_bytes * 11 / 10 + 8192);
}

TEST_CASE("a build in pieces reports its progress", "[build_in_pieces]") {
  const bytes rows = surface(1000, 8);
  const scratch_folder folder;
  disk::piece_params params = in_pieces(folder, 2);
  progress_watch watch;
  params.graph.progress = watch.callback();
  build_sq8(rows, folder, params);
  CHECK(watch.fault({"partition", "pieces", "merge", "reverse edges", "graph", "codes", "file"}).empty());
}

TEST_CASE("a build in pieces names what it cannot do", "[build_in_pieces]") {
  const scratch_folder folder;
  annulus::matrix<float> rows(300, 4, 1.0f);
  rows(17, 3) = std::numeric_limits<float>::quiet_NaN();
  const auto build = [&](const annulus::matrix<float>& data) {
    disk::build_in_pieces<annulus::matrix<float>, annulus::euclidean, annulus::sq8>(data, folder / "index",
                                                                                    in_pieces(folder, 2));
  };
  const std::string complaint = message_or_nothing<std::invalid_argument>([&] { build(rows); });
  CHECK(complaint.find("row 17") != std::string::npos);
  CHECK(folder.n_files() == 0);

  // Where the index cannot be written is told before anything is built.
  disk::piece_params params = in_pieces(folder, 2);
  params.graph.progress = [](const annulus::progress_report&) -> bool { throw std::runtime_error("a step began"); };
  const bytes some = surface(300, 4);
  for (const auto& path : {folder / "none" / "index", folder / "pieces", std::filesystem::path()}) {
    std::filesystem::create_directories(folder / "pieces");
    CHECK_THROWS_AS((disk::build_in_pieces<bytes, annulus::sqeuclidean, annulus::sq8>(some, path, params)),
                    std::system_error);
    CHECK(folder.n_files() == 1);  // the folder, as it was
    std::filesystem::remove(folder / "pieces");
  }
  std::filesystem::create_directories(folder / "pieces");
  for (const std::string name : {"journal", "lock", "index.part"})
    CHECK(message_or_nothing<std::invalid_argument>([&] {
            disk::build_in_pieces<bytes, annulus::sqeuclidean, annulus::sq8>(some, folder / "pieces" / name, params);
          }).find("must be no file of the build's own") != std::string::npos);
  params.n_pieces = 100'000;
  CHECK(message_or_nothing<std::invalid_argument>([&] { build_sq8(some, folder, params); }) ==
        "annulus: n_pieces = 100000: must be at most 65536");

  CHECK(in_child([&] {
          limit_files(20'000);
          const annulus::matrix<float> many(3000, 4, 1.0f);
          try {
            build(many);
          } catch (const std::system_error& error) {
            return error.code().value() == EFBIG && !std::filesystem::exists(folder / "index") ? 0 : 1;
          }
          return 2;
        }) == 0);
}
