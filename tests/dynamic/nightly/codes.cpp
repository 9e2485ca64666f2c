// codes_model: product quantisation, fast scan and RaBitQ of run-time types answer as they do by themselves.

#include <annulus/dynamic/engine/codes_model.hpp>
#include <annulus/dynamic/engine/kinds.hpp>

#include "dynamic/given.hpp"
#include "quantization/random_rows.hpp"

#include <functional>

using namespace dynamic_tests;
using detail::codes_factory;
using detail::opq_of_bytes;
using detail::pq_of_bytes;

namespace {

constexpr std::size_t k = 5;

const matrix<float>& first_rows() {
  static const auto rows = random_rows(600, 12, 1);
  return rows;
}
const matrix<float>& more_rows() {
  static const auto rows = random_rows(40, 12, 2);
  return rows;
}
const matrix<float>& all_rows() {
  static const auto rows = [] {
    matrix<float> both(640, 12);
    std::copy_n(first_rows().data(), 600 * 12, both.data());
    std::copy_n(more_rows().data(), 40 * 12, both.row(600).data());
    return both;
  }();
  return rows;
}
/// The last is not finite.
const matrix<float>& some_queries() {
  static const auto rows = [] {
    auto queries = random_rows(9, 12, 3);
    queries(8, 4) = std::numeric_limits<float>::quiet_NaN();
    return queries;
  }();
  return rows;
}

detail::model_pointer build(std::string_view kind, const option_list& options,
                            const annulus_rows& rows = given(first_rows()), const progress_callback& progress = {}) {
  return with_options(options, [&](auto& reader) { return codes_factory::build(kind, rows, reader, progress); });
}

detail::model_pointer open(const std::filesystem::path& path, bool is_mapped = false) {
  return codes_factory::open(detail::describe_file(path, is_mapped));
}

neighbors roots_of(neighbors found) {
  for (std::size_t i = 0; i < found.distances.rows(); ++i)
    for (float& distance : found.distances.row(i)) distance = std::sqrt(distance);
  return found;
}

void check_answers(const detail::index_model& model, const neighbors& expected, const annulus_search_params& params) {
  const annulus_rows queries = given(some_queries());
  REQUIRE(expected.ids(0, k - 1) != no_id);
  REQUIRE(expected.ids(8, 0) == no_id);
  CHECK(search(model, queries, k, params) == expected);
  for (std::size_t i = 0; i < queries.n; ++i) {
    const neighbors alone = search(model, row_of(queries, i), k, params);
    CHECK(std::ranges::equal(alone.ids.row(0), expected.ids.row(i)));
    CHECK(std::ranges::equal(alone.distances.row(0), expected.distances.row(i)));
  }
}

/// expected(rows): what the types themselves answer once these are indexed.
void check_codes(std::string_view kind, option_list options, std::string_view metric,
                 const annulus_search_params& params,
                 const std::function<neighbors(const matrix<float>& rows)>& expected) {
  INFO(kind << ", " << metric);
  const std::string name(metric);
  options.push_back({"metric", name.c_str()});
  const auto answers = [&](const matrix<float>& rows) {
    return metric == "euclidean" ? roots_of(expected(rows)) : expected(rows);
  };
  const auto model = build(kind, options);
  CHECK(model->kind() == kind);
  CHECK(model->metric() == metric);
  CHECK(model->size() == 600);
  CHECK(model->dim() == 12);
  check_answers(*model, answers(first_rows()), params);
  const bool can_insert = kind != "rabitq";
  if (can_insert) CHECK(model->insert(given(more_rows()), 0) == 600);
  const neighbors after = answers(can_insert ? all_rows() : first_rows());
  check_answers(*model, after, params);
  const scratch_folder folder;
  model->save(folder / "codes");
  for (const bool is_mapped : {false, true}) {
    const auto opened = open(folder / "codes", is_mapped);
    CHECK(opened->kind() == kind);
    CHECK(opened->metric() == metric);
    CHECK(opened->storage() == model->storage());
    CHECK_NOTHROW(opened->verify());
    check_answers(*opened, after, params);
    check_answers(*opened->copy(), after, params);
    if (can_insert) CHECK(opened->insert(given(more_rows()), 1) == 640);
  }
}

annulus_search_params defaults() { return detail::default_search_params(); }

pq_metric by(std::string_view metric) {
  return metric == "cosine"          ? pq_metric::cosine
         : metric == "inner_product" ? pq_metric::inner_product
                                     : pq_metric::sqeuclidean;
}

}  // namespace

TEST_CASE("product quantisation of run-time types answers as by its types", "[dynamic][codes]") {
  const std::vector<id_type> allowed{0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 610};
  const auto some = params_with([&](auto& p) { p.allowed_ids = allowed.data(), p.n_allowed = allowed.size(); });
  for (const std::string_view metric : {"euclidean", "sqeuclidean", "inner_product", "cosine"}) {
    pq_of_bytes pq(4, 32, by(metric));
    pq.fit(first_rows(), {.iter = 3, .seed = 5});
    const option_list options{{"m", "4"}, {"ks", "32"}, {"iter", "3"}, {"seed", "5"}};
    check_codes("pq", options, metric, defaults(),
                [&](const matrix<float>& rows) { return pq.search(pq.encode(rows), some_queries(), k); });
    check_codes("pq", options, metric, some, [&](const matrix<float>& rows) {
      return pq.search(pq.encode(rows), some_queries(), k, {.filter = id_filter::of(allowed)});
    });
    // Fast scan by tables of floats finds the same codes to rank.
    option_list with_rows = options;
    with_rows.push_back({"keep_rows", "true"});
    check_codes("pq", with_rows, metric, params_with([](auto& p) { p.k_factor = 3; }), [&](const matrix<float>& rows) {
      return fast_scan_index<>(pq, rows).search(some_queries(), k, rows, {.float_tables = true, .k_factor = 3});
    });
  }
}

TEST_CASE("optimised product quantisation of run-time types answers as by its types", "[dynamic][codes]") {
  opq_of_bytes opq(3, 16, pq_metric::cosine);
  opq.fit(first_rows(), {.pq_iter = 2, .rotation_iter = 3, .init = kmeans_init::random});
  const option_list options{{"M", "3"}, {"ks", "16"}, {"pq_iter", "2"}, {"rotation_iter", "3"}, {"init", "random"}};
  check_codes("opq", options, "cosine", defaults(),
              [&](const matrix<float>& rows) { return opq.search(opq.encode(rows), some_queries(), k); });
}

TEST_CASE("fast scan of run-time types answers as by its types", "[dynamic][codes]") {
  const auto check = [](const auto& quantizer, option_list options, std::string_view metric) {
    using index_type = fast_scan_index<std::remove_cvref_t<decltype(quantizer)>>;
    for (const bool float_tables : {false, true}) {
      check_codes("fast_scan", options, metric, params_with([&](auto& p) { p.float_tables = float_tables; }),
                  [&](const matrix<float>& rows) {
                    return index_type(quantizer, rows).search(some_queries(), k, {.float_tables = float_tables});
                  });
    }
    options.push_back({"keep_rows", "true"});
    check_codes("fast_scan", options, metric, defaults(),
                [&](const matrix<float>& rows) { return index_type(quantizer, rows).search(some_queries(), k, rows); });
  };
  pq_of_bytes of_4_bits(6, 16), of_8_bits(4, 64, pq_metric::inner_product);
  of_4_bits.fit(first_rows());
  check(of_4_bits, {{"m", "6"}}, "euclidean");
  of_8_bits.fit(first_rows(), {.iter = 2});
  check(of_8_bits, {{"m", "4"}, {"ks", "64"}, {"iter", "2"}}, "inner_product");
  opq_of_bytes turned(4, 16);
  turned.fit(first_rows());
  check(turned, {{"m", "4"}, {"storage", "opq"}}, "sqeuclidean");
}

TEST_CASE("RaBitQ of run-time types answers as by its types", "[dynamic][codes]") {
  for (const std::string_view metric : {"euclidean", "inner_product", "cosine"}) {
    const rabitq_index index(first_rows(), {.metric = by(metric), .bits = 2, .code_dims = 8, .n_cells = 5});
    const option_list options{{"bits", "2"}, {"code_dims", "8"}, {"n_cells", "5"}};
    check_codes("rabitq", options, metric, defaults(),
                [&](const matrix<float>& rows) { return index.search(some_queries(), k, rows); });
    check_codes("rabitq", options, metric, params_with([](auto& p) { p.k_factor = 2; }),
                [&](const matrix<float>& rows) { return index.search(some_queries(), k, rows, {.k_factor = 2}); });
  }
}

TEST_CASE("files of fast scan are the same for programs in C++ and those of run-time types", "[dynamic][codes]") {
  const scratch_folder folder;
  pq_of_bytes pq(6, 16);
  pq.fit(first_rows());
  const fast_scan_index<> index(pq, first_rows());
  save(index, folder / "plain");
  const auto opened = open(folder / "plain");
  CHECK(opened->metric() == "sqeuclidean");
  CHECK(search(*opened, given(some_queries()), k) == index.search(some_queries(), k));
  opened->save(folder / "again");
  CHECK(bytes_of(folder / "again") == bytes_of(folder / "plain"));
  for (const char* const keep : {"false", "true"}) {
    build("fast_scan", {{"m", "6"}, {"keep_rows", keep}})->save(folder / "own");
    CHECK(load_index<fast_scan_index<>>(folder / "own").search(some_queries(), k) == index.search(some_queries(), k));
  }
}

TEST_CASE("files without codes or rows to search are refused in words", "[dynamic][codes]") {
  using Catch::Contains;
  const scratch_folder folder;
  const auto refusal = [&](const auto& saved) {
    save(saved, folder / "file");
    return message_of<format_error>([&] { open(folder / "file"); });
  };
  pq_of_bytes pq(6, 16);
  pq.fit(first_rows());
  CHECK_THAT(refusal(pq), Contains("codewords without codes") && Contains("product_quantizer<std::uint8_t>"));
  CHECK_THAT(refusal(rabitq_index(first_rows())), Contains("without its rows") && Contains("rabitq_index"));
  CHECK_THAT(refusal(neighbors(3, 3)), Contains("neighbors"));
}

TEST_CASE("options that codes cannot have are refused in words", "[dynamic][codes]") {
  using Catch::Contains;
  const auto refusal = [](std::string_view kind, const option_list& options) {
    return message_of([&] { build(kind, options); });
  };
  CHECK_THAT(refusal("pq", {}), Contains("12 coordinates") && Contains("such as 3"));
  CHECK_THAT(refusal("pq", {{"m", "5"}}), Contains("multiple of m = 5"));
  CHECK(build("pq", {{"m", "5"}, {"padding", "zeros"}})->size() == 600);
  CHECK_THAT(refusal("pq", {{"m", "4"}, {"metric", "l1"}}),
             Contains("pq compares rows by one of") && Contains("cosine"));
  CHECK_THAT(refusal("pq", {{"m", "4"}, {"metric", "squared_l2"}}), Contains("did you mean sqeuclidean"));
  CHECK_THAT(refusal("opq", {{"m", "4"}, {"iters", "4"}}), Contains("pq_iter"));
  CHECK_THAT(refusal("fast_scan", {{"m", "4"}, {"storage", "sq8"}}), Contains("pq, opq"));
  CHECK_THAT(refusal("rabitq", {{"bits", "9"}}), Contains("from 1 to 8"));
  CHECK_THAT(refusal("rabitq", {{"m", "4"}}), Contains("rabitq takes"));
  const matrix<double> doubles(20, 4);
  CHECK_THAT(message_of([&] {
               build("pq", {{"m", "2"}}, given(doubles));
             }),
             Contains("rows of float64") && Contains("convert them to float32"));
}

TEST_CASE("what codes cannot do is refused in words", "[dynamic][codes]") {
  using Catch::Contains;
  const auto pq = build("pq", {{"m", "4"}, {"ks", "16"}}), rabitq = build("rabitq", {});
  const annulus_rows queries = given(some_queries());
  const auto refusal = [&](const detail::index_model& model, auto set) {
    return message_of([&] { search(model, queries, k, params_with(set)); });
  };
  CHECK_THAT(refusal(*pq, [](auto& p) { p.k_factor = 2; }), Contains("keep_rows"));
  CHECK_THAT(refusal(*pq, [](auto& p) { p.float_tables = 1; }), Contains("float_tables"));
  CHECK_THAT(refusal(*rabitq, [](auto& p) { p.beam = 9; }), Contains("beam") && Contains("k_factor"));
  CHECK_THAT(message_of([&] { search(*pq, queries, 0); }), Contains("k = 0"));
  CHECK_THAT(message_of([&] { pq->erase(0); }), Contains("nndescent, lsh"));
  CHECK_THAT(message_of([&] { rabitq->insert(given(more_rows()), 0); }), Contains("fast_scan"));
  CHECK_THAT(message_of([&] { pq->insert(given(random_rows(2, 9, 1)), 0); }), Contains("dimension = 9"));
  CHECK(pq->size() == 600);
  const auto kept = build("fast_scan", {{"m", "4"}, {"keep_rows", "true"}});
  CHECK_THAT(message_of([&] { kept->insert(given(some_queries()), 0); }), Contains("row 8"));
  CHECK(kept->size() == 600);
  CHECK_NOTHROW(kept->verify());
  CHECK_NOTHROW(search(*kept, queries, k));
}

TEST_CASE("training and searching of codes are cancelled by their progress callbacks", "[dynamic][codes]") {
  const progress_callback never = [](const progress_report&) { return false; };
  CHECK_THROWS_AS(build("pq", {{"m", "4"}}, given(first_rows()), never), cancelled);
  CHECK_THROWS_AS(build("opq", {{"m", "4"}}, given(first_rows()), never), cancelled);
  const auto cancel = [](void*, const char*, double, double) { return 0; };
  for (const std::string_view kind : {"pq", "fast_scan"}) {
    const auto model = build(kind, {{"m", "4"}, {"ks", "16"}});
    CHECK_THROWS_AS(search(*model, given(some_queries()), k, params_with([&](auto& p) { p.progress = cancel; })),
                    cancelled);
  }
}
