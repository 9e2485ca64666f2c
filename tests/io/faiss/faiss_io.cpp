#include <annulus/io/data/npy.hpp>
#include <annulus/io/faiss/faiss_io.hpp>

#include "catch.hpp"
#include "io/scratch.hpp"
#include "quantization/random_rows.hpp"
#include "random_data.hpp"

using namespace annulus;

namespace {

using bytes8 = std::uint8_t;
using bytes16 = std::uint16_t;

std::filesystem::path data_path(const std::string& name) {
  return std::filesystem::path(ANNULUS_TEST_DATA_DIR) / "pq" / name;
}

const std::vector<std::string> files_of_faiss = {"ixpq_m8_b8_l2",  "ixpq_m8_b8_ip", "ixpq_m8_b4_l2", "ixpq_m4_b10_l2",
                                                 "ixpt_opq_m8_b8", "ipfs_m8",       "ixrf_ipfs_m8"};

/// As it is after a file.
faiss_index through_file(const faiss_index& index) {
  const scratch_folder folder;
  write_faiss(folder / "a.faiss", index);
  return read_faiss(folder / "a.faiss");
}

std::string file_of(const faiss_index& index) {
  const scratch_folder folder;
  write_faiss(folder / "a.faiss", index);
  return bytes_of(folder / "a.faiss");
}

template <class Kind>
const Kind& as(const faiss_index& index) {
  REQUIRE(std::holds_alternative<Kind>(index.kind()));
  return std::get<Kind>(index.kind());
}

template <class Code>
matrix<Code> random_codes(std::size_t n, std::size_t m, std::size_t ks, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  return ::random_codes<Code>(n, m, ks, generator);
}

template <class Code>
faiss_pq<Code> random_pq(std::size_t n, std::size_t m, std::size_t ks, std::size_t ds, std::uint64_t seed,
                         pq_metric metric = pq_metric::sqeuclidean) {
  return {product_quantizer<Code>(m, random_rows(m * ks, ds, seed), metric), random_codes<Code>(n, m, ks, seed + 1)};
}

fast_scan_index<> random_fast_scan(std::size_t n, std::size_t m, std::size_t ds, std::uint64_t seed,
                                   pq_metric metric = pq_metric::sqeuclidean) {
  fast_scan_index<> index(product_quantizer<bytes8>(m, random_rows(m * 16, ds, seed), metric));
  index.insert_codes(random_codes<bytes8>(n, m, 16, seed + 1));
  return index;
}

/// A reflection, which is orthogonal and its own inverse, then a cyclic shift, which makes it differ from its
/// transpose.
matrix<float> random_rotation(std::size_t d, std::uint64_t seed) {
  const auto axis = random_rows(1, d, seed);
  const double squares = ::inner_product(axis.row(0), axis.row(0));
  matrix<float> rotation(d, d);
  for (std::size_t i = 0; i < d; ++i)
    for (std::size_t j = 0; j < d; ++j)
      rotation(i, (j + 1) % d) = static_cast<float>(
          (i == j ? 1.0 : 0.0) - 2 * static_cast<double>(axis(0, i)) * static_cast<double>(axis(0, j)) / squares);
  return rotation;
}

/// Checks a search against faiss's ids and distances. Ids may differ among equal distances only.
void check_against_faiss(const std::string& name, const neighbors& found, float sign) {
  const auto ids = read_npy<std::int64_t>(data_path(name + "_I.npy"));
  const auto distances = read_npy<float>(data_path(name + "_D.npy"));
  REQUIRE(found.ids.rows() == ids.rows());
  REQUIRE(found.ids.cols() == ids.cols());
  const auto equal = [](float a, float b) { return std::abs(a - b) <= 1e-5f * std::abs(b); };
  for (std::size_t q = 0; q < ids.rows(); ++q) {
    const auto own = found.ids.row(q);
    const float last = found.distances.row(q).back();
    for (std::size_t j = 0; j < ids.cols(); ++j) {
      CAPTURE(name, q, j, found.distances(q, j), distances(q, j));
      const float expected = sign * distances(q, j);
      REQUIRE(equal(found.distances(q, j), expected));
      const auto at = std::ranges::find(own, static_cast<id_type>(ids(q, j))) - own.begin();
      const bool is_found = at < std::ssize(own);
      REQUIRE(equal(is_found ? found.distances(q, static_cast<std::size_t>(at)) : last, expected));
    }
  }
}

template <class Code>
void check_decoded(const std::string& name) {
  const auto index = read_faiss(data_path(name + ".faiss"));
  const auto& pq = as<faiss_pq<Code>>(index);
  const auto expected = read_npy<float>(data_path(name + "_reconstructed.npy"));
  const auto decoded = pq.quantizer().decode(matrix_view<Code>(pq.codes()).middle_rows(0, expected.rows()));
  CHECK(decoded == expected);
}

/// One index of each kind, of four dimensions.
std::vector<faiss_index> one_of_each(std::size_t n, pq_metric metric = pq_metric::sqeuclidean) {
  const auto vectors = faiss_flat(random_rows(n, 4, 7), metric);
  const faiss_index fast = faiss_fast_scan(random_fast_scan(n, 2, 2, 3, metric));
  return {random_pq<bytes8>(n, 2, 8, 2, 1, metric),
          random_pq<bytes16>(n, 2, 512, 2, 2, metric),
          fast,
          vectors,
          faiss_pre_transform(random_rows(4, 4, 5), {1, 2, 3, 4}, fast),
          faiss_refine_flat(fast, vectors, 2)};
}

}  // namespace

TEST_CASE("faiss: its files are searched as it searches them", "[faiss]") {
  const auto queries = read_npy<float>(data_path("queries.npy"));
  for (const auto& name : files_of_faiss) {
    const auto index = read_faiss(data_path(name + ".faiss"));
    CHECK(index.size() == 2000);
    CHECK(index.dim() == 32);
    CHECK(index.metric() == (name == "ixpq_m8_b8_ip" ? pq_metric::inner_product : pq_metric::sqeuclidean));
    check_against_faiss(name, index.search(queries, 10), index.metric() == pq_metric::inner_product ? -1.0f : 1.0f);
  }
}

TEST_CASE("faiss: codes of its files decode to what it decodes them to", "[faiss]") {
  check_decoded<bytes8>("ixpq_m8_b8_l2");
  check_decoded<bytes8>("ixpq_m8_b8_ip");
  check_decoded<bytes8>("ixpq_m8_b4_l2");
  check_decoded<bytes16>("ixpq_m4_b10_l2");
}

TEST_CASE("faiss: its files are written back with the same bytes", "[faiss]") {
  for (const auto& name : files_of_faiss) {
    CAPTURE(name);
    CHECK(file_of(read_faiss(data_path(name + ".faiss"))) == bytes_of(data_path(name + ".faiss")));
  }
}

TEST_CASE("faiss: indexes made of parts are written as it writes them", "[faiss]") {
  const auto pq = read_faiss(data_path("ipfs_m8_source_ixpq.faiss"));
  const auto& [quantizer, codes] = std::pair(as<faiss_pq<bytes8>>(pq).quantizer(), as<faiss_pq<bytes8>>(pq).codes());
  CHECK(file_of(faiss_pq(quantizer, codes)) == bytes_of(data_path("ipfs_m8_source_ixpq.faiss")));

  fast_scan_index<> fast(quantizer);
  fast.insert_codes(codes);
  CHECK(file_of(faiss_fast_scan(fast)) == bytes_of(data_path("ipfs_m8.faiss")));

  const auto vectors = read_npy<float>(data_path("vectors.npy"));
  const auto refined = read_faiss(data_path("ixrf_ipfs_m8.faiss"));
  const float k_factor = as<faiss_refine_flat>(refined).k_factor();
  CHECK(file_of(faiss_refine_flat(faiss_fast_scan(fast), faiss_flat(vectors), k_factor)) ==
        bytes_of(data_path("ixrf_ipfs_m8.faiss")));

  const auto rotated = read_faiss(data_path("ixpt_opq_m8_b8.faiss"));
  const auto opq = as<faiss_pre_transform>(rotated).optimized_quantizer();
  REQUIRE(opq.has_value());
  CHECK(file_of(faiss_pre_transform(*opq, opq->encode(vectors))) == bytes_of(data_path("ixpt_opq_m8_b8.faiss")));
}

TEMPLATE_TEST_CASE("faiss: codes of any number of bits come back, packed lowest bits first", "[faiss]", bytes8,
                   bytes16) {
  const bool is_small = sizeof(TestType) == 1;
  for (const std::size_t nbits :
       is_small ? std::vector<std::size_t>{1, 3, 4, 7, 8} : std::vector<std::size_t>{10, 12, 16})
    for (const std::size_t n : {0u, 1u, 37u}) {
      const std::size_t m = nbits < 12 ? 5 : 2, ks = std::size_t{1} << nbits, ds = 2;
      CAPTURE(nbits, n);
      const auto pq = random_pq<TestType>(n, m, ks, ds, nbits, pq_metric::inner_product);
      const auto index = through_file(pq);
      const auto& read = as<faiss_pq<TestType>>(index);
      REQUIRE(read.quantizer() == pq.quantizer());
      REQUIRE(read.codes() == pq.codes());
      REQUIRE(read.nbits() == nbits);
      REQUIRE(read.fields().polysemous_ht == static_cast<std::int32_t>(nbits * m + 1));

      const std::string bytes = file_of(pq);
      const std::size_t first = 69 + m * ks * ds * 4 + 8, code_size = (m * nbits + 7) / 8;
      REQUIRE(bytes.size() == first + n * code_size + 9);
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t bit = 0; bit < 8 * code_size; ++bit) {
          const int in_file = bytes[first + i * code_size + bit / 8] >> bit % 8 & 1;
          const int in_code = bit < m * nbits ? pq.codes()(i, bit / nbits) >> bit % nbits & 1 : 0;
          REQUIRE(in_file == in_code);
        }
    }
}

TEST_CASE("faiss: codes of more than a buffer come back", "[faiss]") {
  const auto pq = random_pq<bytes8>(50000, 3, 8, 1, 1);
  const auto read = through_file(pq);
  CHECK(as<faiss_pq<bytes8>>(read).codes() == pq.codes());
  const auto fast = random_fast_scan(40001, 5, 1, 2);
  const auto fast_read = through_file(faiss_fast_scan(fast));
  CHECK(as<faiss_fast_scan>(fast_read).index().codes() == fast.codes());
}

TEST_CASE("faiss: 16-bit codes of a few codewords are read as 8-bit ones", "[faiss]") {
  const auto read = through_file(random_pq<bytes16>(9, 3, 32, 1, 1));
  const auto codes = random_codes<bytes16>(9, 3, 32, 2);
  CHECK(std::ranges::equal(as<faiss_pq<bytes8>>(read).codes().row(8), codes.row(8)));
}

TEST_CASE("faiss: fields of no meaning here come back", "[faiss]") {
  const auto pq = random_pq<bytes8>(3, 2, 4, 1, 1);
  const auto read = through_file(faiss_pq<bytes8>(
      pq.quantizer(), pq.codes(), {.reserved = {-1, 2}, .search_type = 3, .encode_signs = true, .polysemous_ht = -7}));
  const auto& fields = as<faiss_pq<bytes8>>(read).fields();
  CHECK(fields.reserved == faiss_reserved{-1, 2});
  CHECK(fields.search_type == 3);
  CHECK(fields.encode_signs);
  CHECK(fields.polysemous_ht == -7);

  const auto fast =
      through_file(faiss_fast_scan(random_fast_scan(3, 2, 2, 1), {.reserved = {5, -6}, .implem = 12, .qbs = 0x223}));
  const auto& fast_fields = as<faiss_fast_scan>(fast).fields();
  CHECK(fast_fields.reserved == faiss_reserved{5, -6});
  CHECK(fast_fields.implem == 12);
  CHECK(fast_fields.qbs == 0x223);
}

TEST_CASE("faiss: fast-scan codes come back, whatever pads them", "[faiss]") {
  for (const std::size_t m : {1u, 2u, 5u})
    for (const std::size_t n : {0u, 1u, 32u, 45u}) {
      CAPTURE(m, n);
      const auto made = random_fast_scan(n, m, 2, m + n, pq_metric::inner_product);
      const auto index = through_file(faiss_fast_scan(made));
      const auto& read = as<faiss_fast_scan>(index);
      REQUIRE(read.quantizer() == made.quantizer());
      REQUIRE(read.index().codes() == made.codes());
    }
  const scratch_folder folder;
  const auto made = random_fast_scan(3, 1, 2, 1);
  std::string bytes = file_of(faiss_fast_scan(made));
  const std::size_t first = bytes.size() - 32;
  bytes[first + 15] = '\x77';                                       // vectors 15 and 31
  for (std::size_t j = 16; j < 32; ++j) bytes[first + j] = '\x5A';  // a second sub-quantiser
  write_bytes(folder / "a.faiss", bytes);
  CHECK(as<faiss_fast_scan>(read_faiss(folder / "a.faiss")).index().codes() == made.codes());
}

TEST_CASE("faiss: an optimised product quantiser comes back and searches alike", "[faiss]") {
  const auto pq = random_pq<bytes16>(60, 3, 512, 2, 1, pq_metric::inner_product);
  const optimized_product_quantizer<bytes16> opq(random_rotation(6, 2), pq.quantizer());
  const auto index = through_file(faiss_pre_transform(opq, pq.codes()));
  const auto& read = as<faiss_pre_transform>(index);
  CHECK(read.optimized_quantizer<bytes16>() == opq);
  CHECK_FALSE(read.optimized_quantizer<bytes8>());
  const auto queries = random_rows(20, 6, 3);
  CHECK(index.search(queries, 5) == opq.search(pq.codes(), queries, 5));
}

TEST_CASE("faiss: a fast-scan index of an optimised product quantiser comes back and searches alike", "[faiss]") {
  const optimized_product_quantizer<bytes8> opq(random_rotation(6, 2), random_fast_scan(0, 3, 2, 1).quantizer());
  const fast_scan_index fast(opq, random_rows(70, 6, 4));
  const auto index = through_file(faiss_pre_transform(fast));
  const auto& read = as<faiss_pre_transform>(index);
  CHECK(read.optimized_quantizer() == opq);
  const auto queries = random_rows(20, 6, 3);
  CHECK(index.search(queries, 5) == fast.search(queries, 5));
}

TEST_CASE("faiss: a linear transform with a bias, to fewer dimensions, comes before the search", "[faiss]") {
  const auto pq = random_pq<bytes8>(60, 2, 16, 2, 1);
  const auto matrix = random_rows(7, 4, 2);
  const std::vector<float> bias{0.5f, -1, 2, 0};
  const auto index = through_file(faiss_pre_transform(matrix, bias, pq));
  const auto& read = as<faiss_pre_transform>(index);
  CHECK(read.matrix() == matrix);
  CHECK(read.bias() == bias);
  CHECK(index.dim() == 7);
  CHECK_FALSE(read.optimized_quantizer());
  const auto queries = random_rows(9, 7, 3);
  const auto transformed = read.transform(queries);
  for (std::size_t q = 0; q < 9; ++q)
    for (std::size_t j = 0; j < 4; ++j) {
      double expected = static_cast<double>(bias[j]);
      for (std::size_t p = 0; p < 7; ++p)
        expected += static_cast<double>(queries(q, p)) * static_cast<double>(matrix(p, j));
      CHECK(static_cast<double>(transformed(q, j)) == Approx(expected).margin(1e-5));
    }
  CHECK(index.search(queries, 5) == pq.search(transformed, 5));
}

TEST_CASE("faiss: what is no rotation is not given as one", "[faiss]") {
  const auto pq = random_pq<bytes8>(5, 2, 16, 2, 1);
  CHECK(faiss_pre_transform(random_rotation(4, 1), {}, pq).optimized_quantizer());
  CHECK_FALSE(faiss_pre_transform(random_rotation(4, 1), {0, 0, 0, 1}, pq).optimized_quantizer());
  CHECK_FALSE(faiss_pre_transform(random_rows(4, 4, 1), {}, pq).optimized_quantizer());
  CHECK_FALSE(faiss_pre_transform(random_rotation(4, 1), {}, faiss_flat(random_rows(5, 4, 1))).optimized_quantizer());
}

TEST_CASE("faiss: a flat index comes back and searches exactly", "[faiss]") {
  const auto vectors = random_rows(50, 6, 1), queries = random_rows(9, 6, 2);
  const auto squared = through_file(faiss_flat(vectors)),
             products = through_file(faiss_flat(vectors, pq_metric::inner_product));
  CHECK(as<faiss_flat>(squared).vectors() == vectors);
  CHECK(squared.search(queries, 7) == knn(vectors, queries, 7, sqeuclidean{}));
  CHECK(as<faiss_flat>(products).vectors() == vectors);
  CHECK(products.search(queries, 7) == knn(vectors, queries, 7, annulus::inner_product{}));
}

TEST_CASE("faiss: candidates of any index are ranked by their vectors", "[faiss]") {
  const auto vectors = random_rows(80, 6, 1), queries = random_rows(20, 6, 2);
  for (const auto metric : {pq_metric::sqeuclidean, pq_metric::inner_product}) {
    const faiss_index fast = faiss_fast_scan(random_fast_scan(80, 3, 2, 5, metric));
    const faiss_index rotated = faiss_pre_transform(random_rotation(6, 3), {}, fast);
    const faiss_flat flat(vectors, metric);
    const auto exact = flat.search(queries, 7);
    for (const faiss_index& base : {fast, rotated, faiss_index(random_pq<bytes8>(80, 3, 4, 2, 6, metric))}) {
      CHECK(through_file(faiss_refine_flat(base, flat, 20)).search(queries, 7) == exact);
      CHECK(faiss_refine_flat(base, flat).search(queries, 200).ids == flat.search(queries, 200).ids);
      // 2.6 x 7 makes 18 candidates.
      const auto candidates = base.search(queries, 18);
      const auto found = through_file(faiss_refine_flat(base, flat, 2.6f)).search(queries, 7);
      const auto sorted = flat.search(queries, 80);
      for (std::size_t q = 0; q < 20; ++q) {
        std::vector<id_type> expected;
        for (const id_type id : sorted.ids.row(q))
          if (std::ranges::count(candidates.ids.row(q), id) > 0 && expected.size() < 7) expected.push_back(id);
        REQUIRE(std::ranges::equal(found.ids.row(q), expected));
      }
    }
  }
}

TEST_CASE("faiss: indexes of no vectors come back, and searches give padding", "[faiss]") {
  for (const faiss_index& index : one_of_each(0)) {
    const auto read = through_file(index);
    CHECK(read.size() == 0);
    CHECK(read.dim() == 4);
    CHECK(read.search(random_rows(2, 4, 1), 3) == neighbors(2, 3));
    CHECK(read.search(matrix<float>(0, 4), 3) == neighbors(0, 3));
  }
}

TEST_CASE("faiss: every kind comes back the same, and searches the same for any number of threads", "[faiss]") {
  const auto queries = random_rows(70, 4, 9);
  for (const auto metric : {pq_metric::sqeuclidean, pq_metric::inner_product})
    for (const faiss_index& index : one_of_each(100, metric)) {
      const auto read = through_file(index);
      CHECK(file_of(read) == file_of(index));
      CHECK(read.metric() == metric);
      const auto found = index.search(queries, 6, {.threads = 1});
      for (const std::size_t threads : {2u, 3u, 8u}) CHECK(read.search(queries, 6, {.threads = threads}) == found);
    }
}

TEST_CASE("faiss: a query that is not finite has no neighbours and harms no other", "[faiss]") {
  auto queries = random_rows(5, 4, 9);
  for (const faiss_index& index : one_of_each(30)) {
    auto expected = index.search(queries, 3);
    auto broken = queries;
    broken(1, 2) = std::numeric_limits<float>::quiet_NaN();
    broken(3, 0) = std::numeric_limits<float>::infinity();
    for (const std::size_t q : {1u, 3u}) {
      std::ranges::fill(expected.ids.row(q), no_id);
      std::ranges::fill(expected.distances.row(q), std::numeric_limits<float>::infinity());
    }
    CHECK(index.search(broken, 3) == expected);
  }
}

TEST_CASE("faiss: searches for nothing, or of another dimension, are refused", "[faiss]") {
  for (const faiss_index& index : one_of_each(5)) {
    CHECK_THROWS_AS(index.search(random_rows(2, 4, 1), 0), std::invalid_argument);
    CHECK_THROWS_AS(index.search(random_rows(2, 5, 1), 1), std::invalid_argument);
  }
}

TEST_CASE("faiss: quantisers that it does not have are refused", "[faiss]") {
  using pq = product_quantizer<bytes8>;
  const auto refuses = [](const pq& quantizer, const std::string& reason) {
    const matrix<bytes8> codes(1, quantizer.m());
    CHECK_THROWS_WITH(faiss_pq(quantizer, codes), ContainsSubstring(reason));
  };
  refuses(pq(2, 16), "must be fitted first");
  refuses(pq(2, random_rows(20, 3, 1)), "ks = 10: faiss needs a power of 2");
  refuses(pq(2, random_rows(2, 3, 1)), "ks = 1: faiss needs a power of 2");
  refuses(pq(2, random_rows(32, 3, 1), pq_metric::cosine), "metric = cosine");
  refuses(pq(2, random_rows(32, 3, 1), pq_metric::sqeuclidean, 5), "faiss has no padding");
  CHECK_THROWS_WITH(faiss_pq(product_quantizer<std::uint32_t>(1, random_rows(1 << 17, 1, 1)), matrix<std::uint32_t>()),
                    ContainsSubstring("ks = 131072: faiss needs a power of 2"));
  CHECK_THROWS_WITH(faiss_fast_scan(fast_scan_index<>(pq(2, random_rows(16, 3, 1)))),
                    ContainsSubstring("ks = 8: an IndexPQFastScan needs 16"));
  CHECK_THROWS_WITH(faiss_fast_scan(fast_scan_index<>(pq(2, random_rows(32, 3, 1), pq_metric::cosine))),
                    ContainsSubstring("metric = cosine"));
}

TEST_CASE("faiss: codes that do not belong to the quantiser are refused", "[faiss]") {
  const product_quantizer<bytes8> quantizer(2, random_rows(16, 3, 1));
  CHECK_THROWS_AS(faiss_pq(quantizer, matrix<bytes8>(1, 2, 8)), std::invalid_argument);
  CHECK_THROWS_AS(faiss_pq(quantizer, matrix<bytes8>(1, 3)), std::invalid_argument);
}

TEST_CASE("faiss: parts that do not fit together are refused", "[faiss]") {
  const faiss_index pq = random_pq<bytes8>(5, 2, 16, 2, 1);
  const auto square = random_rows(4, 4, 1);
  auto broken = square;
  broken(2, 2) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_AS(faiss_pre_transform(random_rows(4, 3, 1), {}, pq), std::invalid_argument);
  CHECK_THROWS_AS(faiss_pre_transform(matrix<float>(0, 4), {}, pq), std::invalid_argument);
  CHECK_THROWS_AS(faiss_pre_transform(broken, {}, pq), std::invalid_argument);
  CHECK_THROWS_AS(faiss_pre_transform(square, {1, 2, 3}, pq), std::invalid_argument);
  CHECK_THROWS_AS(faiss_pre_transform(square, {1, 2, 3, broken(2, 2)}, pq), std::invalid_argument);

  const faiss_flat vectors(random_rows(5, 4, 1));
  CHECK_THROWS_AS(faiss_refine_flat(pq, faiss_flat(random_rows(4, 4, 1))), std::invalid_argument);
  CHECK_THROWS_AS(faiss_refine_flat(pq, faiss_flat(random_rows(5, 3, 1))), std::invalid_argument);
  CHECK_THROWS_AS(faiss_refine_flat(pq, faiss_flat(random_rows(5, 4, 1), pq_metric::inner_product)),
                  std::invalid_argument);
  for (const float k_factor : {0.99f, -1.0f, broken(2, 2), std::numeric_limits<float>::infinity()})
    CHECK_THROWS_AS(faiss_refine_flat(pq, vectors, k_factor), std::invalid_argument);

  CHECK_THROWS_AS(faiss_flat(broken), std::invalid_argument);
  CHECK_THROWS_AS(faiss_flat(square, pq_metric::cosine), std::invalid_argument);
  CHECK_THROWS_AS(faiss_flat(matrix<float>(3, 0)), std::invalid_argument);
}

TEST_CASE("faiss: eight indexes inside each other come back, and a ninth is refused", "[faiss]") {
  faiss_index index = random_pq<bytes8>(5, 2, 16, 2, 1);
  for (std::size_t depth = 1; depth < 8; ++depth) {
    CHECK(index.depth() == depth);
    if (depth % 2 == 1) index = faiss_pre_transform(random_rotation(4, depth), {}, index);
    else index = faiss_refine_flat(index, faiss_flat(random_rows(5, 4, 1)));
  }
  CHECK(through_file(index).depth() == 8);
  CHECK_THROWS_AS(faiss_pre_transform(random_rotation(4, 1), {}, index), std::invalid_argument);
  CHECK_THROWS_AS(faiss_refine_flat(index, faiss_flat(random_rows(5, 4, 1))), std::invalid_argument);
}
