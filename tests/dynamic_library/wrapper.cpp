#include <annulus/dynamic/dynamic_codec.hpp>
#include <annulus/dynamic/dynamic_functions.hpp>
#include <annulus/dynamic/dynamic_index.hpp>

#include <Eigen/Core>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "catch.hpp"
#include "message_of.hpp"

namespace {

using namespace annulus;

matrix<float> random_rows(std::size_t n, std::size_t d, std::uint32_t state = 1) {
  matrix<float> rows(n, d);
  for (std::size_t i = 0; i < n * d; ++i) {
    state = state * 1664525u + 1013904223u;
    rows.data()[i] = static_cast<float>(state >> 8) / static_cast<float>(1 << 24);
  }
  return rows;
}
const matrix<float> data = random_rows(400, 8);

/// A file of this test alone, removed at its end: tests run beside each other.
struct file {
  std::filesystem::path path = std::filesystem::temp_directory_path() /
                               ("annulus dynamic ä " + std::to_string(std::random_device{}()) + ".index");
  ~file() { std::filesystem::remove(path); }
};

double squared_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += double(a[j] - b[j]) * double(a[j] - b[j]);
  return sum;
}

TEST_CASE("dynamic: exact search is what brute force finds, for each way to name rows") {
  const dynamic_index index = dynamic_index::build(data, {.kind = "flat", .metric = "sqeuclidean"});
  const matrix<float> queries = random_rows(20, 8, 7);
  const neighbors found = index.search(queries, 3);
  for (std::size_t q = 0; q < 20; ++q) {
    std::vector<std::pair<double, id_type>> all;
    for (std::size_t i = 0; i < data.rows(); ++i)
      all.push_back({squared_distance(queries.row(q), data.row(i)), static_cast<id_type>(i)});
    std::ranges::sort(all);
    for (std::size_t j = 0; j < 3; ++j) {
      CHECK(found.ids(q, j) == all[j].second);
      CHECK(found.distances(q, j) == Approx(all[j].first).epsilon(1e-4));
    }
  }
  const Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> mapped(queries.data(),
                                                                                                       20, 8);
  CHECK(index.search(mapped, 3) == found);
  CHECK(index.search(any_rows(dtype::f32, queries.data(), 20, 8), 3) == found);
  CHECK(index.search(std::vector<float>(queries.row(4).begin(), queries.row(4).end()), 3).ids(0, 2) == found.ids(4, 2));
  matrix<float> columns(8, 20);
  for (std::size_t i = 0; i < 20; ++i)
    for (std::size_t j = 0; j < 8; ++j) columns(j, i) = queries(i, j);
  CHECK(index.search(any_rows(dtype::f32, columns.data(), 20, 8, 1, 20), 3) == found);
  const any_rows backwards(dtype::f32, queries.row(19).data(), 20, 8, -8);
  CHECK(index.search(backwards, 3).ids(0, 1) == found.ids(19, 1));
  CHECK(dynamic_knn(data, queries, 3, {.metric = "sqeuclidean"}) == found);

  std::vector<id_type> ids(60);
  std::vector<float> distances(60);
  index.search(queries, 3, ids, distances);
  CHECK(std::ranges::equal(ids, std::span(found.ids.data(), 60)));
  CHECK(std::ranges::equal(distances, std::span(found.distances.data(), 60)));
  CHECK_THROWS_AS(index.search(queries, 3, std::span(ids).first(59), distances), std::invalid_argument);
  CHECK_THROWS_AS(index.search(queries, 3, ids, std::span(distances).first(59)), std::invalid_argument);
}

TEST_CASE("dynamic: filters of each kind let their rows pass") {
  const dynamic_index index = dynamic_index::build(data, {.n_neighbors = 10});
  const auto ids_by = [&](const id_filter& filter) { return index.search(data.row(3), 4, {.filter = filter}).ids; };
  const auto odd = [](id_type id) { return id % 2 == 1; };
  std::vector<bool> bits(data.rows());
  std::vector<id_type> list;
  for (id_type i = 1; i < data.rows(); i += 2) list.push_back(i), bits[i] = true;
  CHECK(ids_by(odd)(0, 0) == 3);
  for (std::size_t j = 0; j < 4; ++j) CHECK(ids_by(odd)(0, j) % 2 == 1);
  CHECK(ids_by(bits) == ids_by(odd));
  CHECK(ids_by(id_filter::of(list)) == ids_by(odd));
  CHECK(ids_by(id_filter::of(std::vector<id_type>{}))(0, 0) == no_id);
  CHECK(ids_by(id_filter::of(std::vector<id_type>{300}))(0, 0) == 300);  // far apart: a list, no bitset
  CHECK(ids_by(id_filter::of(std::vector<id_type>{300}))(0, 1) == no_id);
  CHECK(ids_by(std::vector<bool>(5))(0, 0) == no_id);
}

TEST_CASE("dynamic: indexes move, copy, change, and keep in files") {
  dynamic_index index = dynamic_index::build(data, {.metric = "cosine", .n_neighbors = 12, .threads = 1});
  CHECK(index.size() == 400);
  CHECK(index.dim() == 8);
  CHECK(index.memory_bytes() > 400 * 8 * 4);
  CHECK(index.info("kind") == "nndescent");
  CHECK(index.info("metric") == "cosine");
  CHECK(index.info("colour").empty());
  const neighbors found = index.search(data, 5, {.beam = 60});
  dynamic_index copy = index;
  CHECK(copy.insert(data.row(3)) == 400);
  CHECK(copy.size() == 401);
  CHECK(index.size() == 400);
  copy.erase(3);
  CHECK(copy.search(data.row(3), 1).ids(0, 0) == 400);
  copy.update(400, data.row(7));
  copy.consolidate();
  const neighbors both = copy.search(data.row(7), 2);
  CHECK(both.ids(0, 0) == 7);
  CHECK(both.ids(0, 1) == 400);
  const dynamic_index moved = std::move(index);
  CHECK(moved.search(data, 5, {.beam = 60}) == found);
  CHECK(index.size() == 0);
  CHECK_THROWS_AS(index.search(data, 5), std::invalid_argument);
  index = moved;
  CHECK(index.search(data, 5, {.beam = 60}) == found);

  const file kept;
  index.save(kept.path);
  CHECK(dynamic_index::open(kept.path).search(data, 5, {.beam = 60}) == found);
  const dynamic_index mapped = dynamic_index::map(kept.path.string());
  mapped.verify();
  CHECK(mapped.search(data, 5, {.beam = 60}) == found);
  const neighbors graph = mapped.graph();
  CHECK(graph.ids.rows() == 400);
  CHECK(graph.ids.cols() == 12);
  const dynamic_tuned_search tuned = index.tune(0.9, 5, 50);
  CHECK(tuned.reached);
  CHECK(tuned.params.beam > 0);
  CHECK(index.tune(data, 0.9, 5).reached);
}

TEST_CASE("dynamic: what one kind alone has") {
  const dynamic_index tables = dynamic_index::build(data, {.kind = "lsh", .n_projections = 4, .n_tables = 20});
  const csr shared = tables.candidates(data.row(9));
  CHECK(shared.indices[0] == 9);
  CHECK(shared.distances[0] == 20);
  CHECK(tables.search(data.row(9), 1, {.recall_target = 1}).ids(0, 0) == 9);
  const annulus_buckets buckets = tables.describe_buckets();
  CHECK(buckets.mean * static_cast<double>(buckets.n_buckets) == Approx(20 * 400));
  CHECK(buckets.max >= buckets.min);
  const csr near = tables.radius_search(data.row(9), 0.f);
  CHECK(near.indices == std::vector<std::int32_t>{9});
  CHECK(near.n_columns == 400);
  CHECK(message_of([&] { return tables.graph(); }).find("nndescent") != std::string::npos);
  const dynamic_index codes = dynamic_index::build(data, {.kind = "fast_scan", .keep_rows = true, .m = 4});
  CHECK(codes.search(data, 1, {.k_factor = 20, .float_tables = true}).ids(7, 0) == 7);
}

TEST_CASE("dynamic: k-NN graphs and top-k") {
  const neighbors graph = dynamic_knn_graph(data, 6, {.metric = "manhattan"});
  CHECK(graph.ids.cols() == 6);
  CHECK(graph.ids(0, 5) != no_id);
  CHECK(dynamic_knn_graph(data, 30).ids.cols() == 30);
  const dynamic_index from_graph = dynamic_index::build(data, {.metric = "manhattan", .initial = graph.ids});
  CHECK(from_graph.search(data, 1).distances ==
        dynamic_index::build(data, {.metric = "manhattan"}).search(data, 1).distances);
  CHECK_THROWS_AS(dynamic_knn_graph(data, 5000), std::invalid_argument);
  CHECK_THROWS_AS(dynamic_knn_graph(data, 0), std::invalid_argument);
  CHECK_THROWS_AS(dynamic_knn_graph(data, 6, {.n_neighbors = 6}), std::invalid_argument);
  const auto least = dynamic_approx_min_k(data, 2, {.recall_target = 1});
  const auto greatest = dynamic_approx_max_k(data, 2);
  for (std::size_t i = 0; i < 400; ++i) {
    CHECK(least.values(i, 0) == std::ranges::min(data.row(i)));
    CHECK(greatest.values(i, 0) == std::ranges::max(data.row(i)));
    CHECK(data(i, least.positions(i, 1)) == least.values(i, 1));
  }
  CHECK_THROWS_AS(dynamic_approx_min_k<double>(data, 2), std::invalid_argument);
  CHECK_THROWS_AS(dynamic_approx_min_k(data, 9), std::invalid_argument);
}

/// A multiple of the squared distance.
float scaled(const float* x, const float* y, std::size_t dim, void* user) {
  return *static_cast<const float*>(user) * static_cast<float>(squared_distance({x, dim}, {y, dim}));
}

TEST_CASE("dynamic: a function is a metric") {
  float scale = 2;
  const user_metric metric{scaled, &scale};
  const neighbors found = dynamic_knn(data, data, 4, {.distance = metric});
  CHECK(found.ids == dynamic_knn(data, data, 4, {.metric = "sqeuclidean"}).ids);
  CHECK(found.distances(7, 3) == scaled(data.row(7).data(), data.row(found.ids(7, 3)).data(), 8, &scale));
  const neighbors graph = dynamic_knn_graph(data, 3, {.distance = metric});
  CHECK(graph.ids(7, 2) == found.ids(7, 3));
  for (const char* const kind : {"flat", "nndescent"}) {
    const dynamic_index index = dynamic_index::build(data, {.kind = kind, .distance = metric});
    CHECK(index.info("metric") == "user");
    CHECK(index.search(data, 4, {.beam = kind[0] == 'n' ? 100u : 0u}) == found);
    const file kept;
    index.save(kept.path);
    CHECK(dynamic_index::open(kept.path, metric).search(data, 4, {.beam = kind[0] == 'n' ? 100u : 0u}) == found);
    dynamic_index mapped = dynamic_index::map(kept.path, metric);
    mapped.insert(data.row(0));
    CHECK(mapped.search(data.row(0), 2).ids(0, 1) == 400);
    CHECK_THROWS_AS(dynamic_index::open(kept.path), std::invalid_argument);
  }
  CHECK_THROWS_AS(dynamic_index::build(data, {.metric = "cosine", .distance = metric}), std::invalid_argument);
  CHECK_THROWS_AS(dynamic_index::build(data, {.distance = metric, .storage = "sq8"}), std::invalid_argument);
  CHECK_THROWS_AS(dynamic_index::build(data, {.kind = "lsh", .distance = metric}), std::invalid_argument);
}

TEST_CASE("dynamic: codes without an index") {
  const dynamic_codec codec = dynamic_codec::train(data, {.m = 4, .ks = 32});
  CHECK(codec.dim() == 8);
  CHECK(codec.m() == 4);
  CHECK(codec.ks() == 32);
  CHECK(codec.ds() == 2);
  CHECK(codec.code_bytes() == 1);
  CHECK_FALSE(codec.is_rotated());
  const matrix<std::uint8_t> codes = codec.encode(data);
  const matrix<float> decoded = codec.decode(codes), codewords = codec.codewords();
  for (std::size_t i = 0; i < 400; ++i) CHECK(decoded(i, 5) == codewords(2 * 32 + codes(i, 2), 1));
  CHECK(codec.encode(decoded) == codes);
  const matrix<float> tables = codec.tables(data);
  const std::vector<float> distances = codec.distances(tables.row(9), codes);
  for (std::size_t i = 0; i < 400; ++i)
    CHECK(distances[i] == Approx(squared_distance(data.row(9), decoded.row(i))).margin(1e-5));
  const matrix_view<std::uint8_t> every_other(codes.data(), 200, 4, 8);
  CHECK(std::ranges::equal(codec.decode(every_other).row(30), decoded.row(60)));
  CHECK(codec.distances(tables.row(9), every_other)[30] == distances[60]);

  const dynamic_codec rotated =
      dynamic_codec::train(data, {.kind = "opq", .metric = "inner_product", .m = 2, .ks = 300});
  CHECK(rotated.is_rotated());
  CHECK(rotated.code_bytes() == 2);
  const dynamic_codec same = dynamic_codec::of(2, rotated.codewords(), rotated.rotation(), {.metric = "inner_product"});
  CHECK(same.encode<std::uint16_t>(data) == rotated.encode<std::uint16_t>(data));
  CHECK(same.tables(data) == rotated.tables(data));
  const dynamic_codec copy = codec;
  CHECK(copy.encode(data) == codes);
  CHECK(dynamic_codec::of(4, codewords, {.dim = 7}).dim() == 7);

  CHECK_THROWS_AS(rotated.encode(data), std::invalid_argument);
  CHECK_THROWS_AS(codec.rotation(), std::invalid_argument);
  CHECK_THROWS_AS(codec.decode(matrix<std::uint8_t>(3, 5)), std::invalid_argument);
  CHECK_THROWS_AS(codec.decode(matrix<std::uint16_t>(3, 4)), std::invalid_argument);
  CHECK_THROWS_AS(codec.distances(tables.row(0).first(9), codes), std::invalid_argument);
  CHECK_THROWS_AS(dynamic_codec::of(3, codewords), std::invalid_argument);
  CHECK_THROWS_AS(dynamic_codec::of(0, codewords), std::invalid_argument);
  CHECK_THROWS_AS(dynamic_codec::of(4, codewords, matrix<float>(7, 8)), std::invalid_argument);
  CHECK(message_of([] { dynamic_codec::train(data, {}); }).find("such as 2") != std::string::npos);
  CHECK_THROWS_AS(dynamic_codec::train(data, {.m = 4}, [](const progress_report&) { return false; }), cancelled);
}

TEST_CASE("dynamic: exceptions are those of the library, and of callbacks") {
  CHECK(message_of([] { return dynamic_index::build(data, {.metric = "cosin"}); }).find("did you mean cosine") !=
        std::string::npos);
  CHECK_THROWS_AS(dynamic_index::build(data, {.n_tables = 3}), std::invalid_argument);
  CHECK_THROWS_AS(dynamic_index::build(data, {}, [](const progress_report&) { return false; }), cancelled);
  struct mine {};
  CHECK_THROWS_AS(dynamic_index::build(data, {}, [](const progress_report&) -> bool { throw mine{}; }), mine);
  const dynamic_index index = dynamic_index::build(data);
  CHECK_THROWS_AS(index.search(data, 3, {.filter = [](id_type) -> bool { throw mine{}; }}), mine);
  CHECK_THROWS_AS(index.search(data, 3, {.recall_target = 0.0}), std::invalid_argument);
  try {
    dynamic_index::open("no such file");
    FAIL("opened a file that is not there");
  } catch (const std::system_error& error) {
    CHECK(error.code() == std::errc::no_such_file_or_directory);
    CHECK(std::string(error.what()) == "no such file: " + error.code().message());
  }
  const file broken;
  { std::ofstream(broken.path) << "this is no index of annulus"; }
  CHECK_THROWS_AS(dynamic_index::open(broken.path), format_error);
}

}  // namespace
