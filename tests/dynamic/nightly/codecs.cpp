// quantizer_codec: product quantisers of run-time types code as they do by themselves.

#include <annulus/dynamic/engine/quantizer_codec.hpp>

#include "dynamic/given.hpp"
#include "quantization/random_rows.hpp"

using namespace dynamic_tests;
using detail::codec_factory;

namespace {

constexpr std::size_t n = 3000, d = 10;

const matrix<float>& rows() {
  static const auto some = random_rows(n, d, 1);
  return some;
}
const matrix<float>& queries() {
  static const auto some = random_rows(7, d, 2);
  return some;
}

detail::codec_pointer train(const option_list& options, const annulus_rows& data = given(rows()),
                            const progress_callback& progress = {}) {
  return with_options(options, [&](auto& reader) { return codec_factory::train(data, reader, progress); });
}

template <class Quantizer>
void check_same(const detail::codec_model& codec, const Quantizer& quantizer) {
  using Code = typename Quantizer::code_type;
  const auto shape = codec.shape();
  REQUIRE(shape.dim == quantizer.dim());
  CHECK(shape.m == quantizer.m());
  CHECK(shape.ks == quantizer.ks());
  CHECK(shape.ds == quantizer.ds());
  CHECK(shape.code_bytes == sizeof(Code));
  CHECK(codec.codewords() == quantizer.codewords());
  CHECK((shape.is_rotated != 0) == detail::is_rotated<Quantizer>);
  if constexpr (detail::is_rotated<Quantizer>) CHECK(*codec.rotation() == quantizer.rotation());
  else CHECK(codec.rotation() == nullptr);

  const matrix<Code> expected = quantizer.encode(rows());
  const std::size_t table_size = shape.m * shape.ks;
  matrix<float> tables(queries().rows(), table_size);
  codec.tables(queries(), tables.data());
  for (const std::size_t threads : {1u, 3u}) {
    matrix<Code> codes(n, shape.m);
    codec.encode(rows(), threads, codes.data());
    CHECK(codes == expected);
    matrix<float> decoded(n, shape.dim);
    codec.decode(codes.data(), n, threads, decoded.data());
    CHECK(decoded == quantizer.decode(codes));
    for (std::size_t q = 0; q < queries().rows(); ++q) {
      const distance_table table = quantizer.dtable(queries().row(q));
      CHECK(std::ranges::equal(tables.row(q), std::span(table.values().data(), table_size)));
      std::vector<float> distances(n);
      codec.distances(tables.row(q).data(), codes.data(), n, threads, distances.data());
      CHECK(distances == table.adist(codes));
    }
  }
}

/// The same again from the codewords of a codec.
detail::codec_pointer again(const detail::codec_model& codec, const option_list& options) {
  const auto shape = codec.shape();
  const float* const rotation = codec.rotation() == nullptr ? nullptr : codec.rotation()->data();
  const detail::given_codewords words{codec.codewords().data(), rotation, shape.m, shape.ks, shape.ds};
  return with_options(options, [&](auto& reader) { return codec_factory::of(words, reader); });
}

}  // namespace

TEST_CASE("codecs of run-time types code as product_quantizer does", "[dynamic][codecs]") {
  const auto check = []<class Code>(Code, std::size_t ks, const char* text) {
    for (const auto& [name, metric] : {std::pair{"sqeuclidean", pq_metric::sqeuclidean},
                                       {"inner_product", pq_metric::inner_product},
                                       {"cosine", pq_metric::cosine}}) {
      product_quantizer<Code> quantizer(5, ks, metric);
      quantizer.fit(rows(), {.iter = 2, .seed = 3, .init = kmeans_init::plus_plus});
      const auto codec =
          train({{"m", "5"}, {"ks", text}, {"metric", name}, {"iter", "2"}, {"seed", "3"}, {"init", "plus_plus"}});
      check_same(*codec, quantizer);
      check_same(*again(*codec, {{"metric", name}}), quantizer);
    }
  };
  check(std::uint8_t{}, 16, "16");
  check(std::uint8_t{}, 256, "256");
  check(std::uint16_t{}, 257, "257");
}

TEST_CASE("codecs of run-time types code as optimized_product_quantizer does", "[dynamic][codecs]") {
  optimized_product_quantizer<std::uint8_t> of_bytes(5, 64, pq_metric::cosine);
  of_bytes.fit(rows(), {.parametric_init = false, .pq_iter = 2, .rotation_iter = 2});
  const auto codec = train({{"kind", "opq"},
                            {"M", "5"},
                            {"ks", "64"},
                            {"metric", "cosine"},
                            {"parametric_init", "false"},
                            {"pq_iter", "2"},
                            {"rotation_iter", "2"}});
  check_same(*codec, of_bytes);
  check_same(*again(*codec, {{"metric", "cosine"}}), of_bytes);
  optimized_product_quantizer<std::uint16_t> of_words(2, 300);
  of_words.fit(rows(), {.pq_iter = 1, .rotation_iter = 1});
  check_same(*train({{"kind", "opq"}, {"m", "2"}, {"ks", "300"}, {"pq_iter", "1"}, {"rotation_iter", "1"}}), of_words);
}

TEST_CASE("codecs of more than 65,536 codewords have codes of four bytes", "[dynamic][codecs]") {
  constexpr std::size_t ks = 70000;
  matrix<float> codewords(ks, d);
  const auto some = random_rows(ks, d, 4);
  std::copy_n(some.data(), ks * d, codewords.data());
  const product_quantizer<std::uint32_t> quantizer(1, codewords);
  const auto codec = with_options({}, [&](auto& reader) {
    return codec_factory::of({codewords.data(), nullptr, 1, ks, d}, reader);
  });
  check_same(*codec, quantizer);
}

TEST_CASE("codecs keep that the last coordinates are padding", "[dynamic][codecs]") {
  product_quantizer<std::uint8_t> quantizer(4, 32, pq_metric::sqeuclidean, pq_padding::zeros);
  quantizer.fit(rows(), {.iter = 3});
  REQUIRE(quantizer.m() * quantizer.ds() == 12);
  const auto codec = train({{"m", "4"}, {"ks", "32"}, {"padding", "zeros"}, {"iter", "3"}});
  check_same(*codec, quantizer);
  check_same(*again(*codec, {{"dim", "10"}}), quantizer);
}

TEST_CASE("what codecs cannot have is refused in words", "[dynamic][codecs]") {
  using Catch::Contains;
  const auto refusal = [](const option_list& options, const annulus_rows& data = given(rows())) {
    return message_of([&] { train(options, data); });
  };
  CHECK_THAT(refusal({}), Contains("10 coordinates"));
  CHECK_THAT(refusal({{"m", "3"}}), Contains("multiple of m = 3"));
  CHECK_THAT(refusal({{"m", "5"}, {"ks", "4294967297"}}), Contains("ks = 4294967297"));
  CHECK_THAT(refusal({{"m", "5"}, {"ks", "5000"}}), Contains("5000"));
  CHECK_THAT(refusal({{"m", "5"}, {"kind", "fast_scan"}}), Contains("pq, opq"));
  CHECK_THAT(refusal({{"m", "5"}, {"metric", "squared_l2"}}), Contains("did you mean sqeuclidean"));
  CHECK_THAT(refusal({{"m", "5"}, {"kind", "opq"}, {"iter", "4"}}), Contains("pq_iter"));
  matrix<float> bad = random_rows(300, d, 5);
  bad(17, 3) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THAT(refusal({{"m", "5"}}, given(bad)), Contains("row 17"));
  CHECK_THROWS_AS(train({{"m", "5"}}, given(rows()), [](const progress_report&) { return false; }), cancelled);

  const auto codec = train({{"m", "5"}, {"ks", "8"}, {"iter", "2"}});
  std::vector<std::uint8_t> codes(5 * 2000, 7);
  codes[5 * 1500 + 2] = 8;
  std::vector<float> out(d * 2000);
  for (const std::size_t threads : {1u, 2u}) {
    CHECK_THAT(message_of([&] { codec->decode(codes.data(), 2000, threads, out.data()); }), Contains("row 1500"));
    CHECK_THAT(message_of([&] { codec->distances(out.data(), codes.data(), 2000, threads, out.data()); }),
               Contains("row 1500"));
  }
  CHECK_THAT(message_of([&] { codec->encode(bad, 1, codes.data()); }), Contains("row 17"));
}
