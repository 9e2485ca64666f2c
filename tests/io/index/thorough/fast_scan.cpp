#include <annulus/quantization/fast_scan.hpp>
#include <annulus/quantization/optimized_product_quantizer.hpp>

#include "io/index_damage.hpp"
#include "io/index_samples.hpp"
#include "quantization/random_rows.hpp"

using namespace annulus;

namespace {

using quantizer = product_quantizer<std::uint8_t>;
using rotated_quantizer = optimized_product_quantizer<std::uint8_t>;
using index_type = fast_scan_index<>;
constexpr std::size_t n = 150, d = 6, m = 3;

const matrix<float>& rows() {
  static const auto made = random_rows(n, d, 1);
  return made;
}
matrix<float> queries() { return random_rows(9, d, 2); }

quantizer fitted(std::size_t ks, pq_metric metric = pq_metric::sqeuclidean) {
  return quantizer(m, ks, metric).fit(rows(), {.iter = 2});
}

const auto use = [](const auto& index) {
  index.search(queries(), 5, {.threads = 1});
  index.search(queries(), 5, {.float_tables = true, .threads = 1});
  index.search(queries(), 200, rows(), {.threads = 1});
  index.search(random_rows(1, d, 2), 5, {.float_tables = true, .threads = 1});  // nothing lies behind its table
  index.codes();
};

const auto search = [](const auto& index) { index.search(queries(), 2, {.threads = 1}); };

template <class Index>
bool same_answers(const Index& a, const Index& b) {
  return a.search(queries(), 5) == b.search(queries(), 5) && a.codes() == b.codes() &&
         a.search(queries(), 5, {.float_tables = true}) == b.search(queries(), 5, {.float_tables = true});
}

/// Whether an index answers the same from its file, and goes on the same.
template <class Index>
bool returns(Index index) {
  const scratch_folder folder;
  save(index, folder / "index");
  auto loaded = load_index<Index>(folder / "index"), mapped = map_index<Index>(folder / "index");
  verify(mapped);
  verify_index_file(folder / "index");
  bool all = same_answers(loaded, index) && same_answers(mapped, index);
  for (Index* i : {&index, &loaded, &mapped}) i->insert(queries());
  return all && same_answers(loaded, index) && same_answers(mapped, index) && loaded.quantizer() == index.quantizer();
}

}  // namespace

TEST_CASE("a fast_scan_index answers and goes on from its file as it would have without", "[index_file]") {
  for (const std::size_t ks : {5u, 16u, 20u}) CHECK(returns(index_type(fitted(ks), rows())));
  CHECK(returns(index_type(fitted(12, pq_metric::inner_product), rows())));
  CHECK(returns(index_type(fitted(12))));
}

TEST_CASE("a fast_scan_index behind a rotation returns from its file, and is no other index", "[index_file]") {
  const fast_scan_index<rotated_quantizer> index(rotated_quantizer(detail::identity(d), fitted(11)), rows());
  CHECK(returns(index));
  const scratch_folder folder;
  save(index, folder / "index");
  CHECK(complaint_of_load<index_type>(folder / "index") ==
        "quantizer is optimized_product_quantizer, not the product_quantizer asked for");
  CHECK(complaint_of_load<quantizer>(folder / "index") ==
        "this is a fast_scan_index, not the product_quantizer asked for");
}

TEST_CASE("codes in the order of another instruction set are brought into the own one", "[index_file]") {
  const index_type index(fitted(13), rows());
  const auto codes = index.codes();
  const scratch_folder folder;
  save(index, folder / "index");
  const edited_index file(folder / "index");
  const auto in_order = [&]<class Order>(Order) {
    constexpr std::size_t width = detail::blocks_4_bits<Order>::vectors_a_block;
    detail::blocks_4_bits<Order> blocks(m);
    blocks.append(codes);
    auto metadata = file.metadata();
    detail::index_writer writer;
    for (const auto& [key, text] : metadata)
      if (!key.starts_with("checksum.")) writer.set(key, text);
    writer.part("quantizer", index.quantizer());
    writer.part("codes", blocks);
    writer.write(folder / "other");
    CHECK(read_index_info(folder / "other").tensors.at("codes.blocks").shape[0] == (n + width - 1) / width);
    CHECK(same_answers(load_index<index_type>(folder / "other"), index));
    CHECK(same_answers(map_index<index_type>(folder / "other"), index));
  };
  in_order(detail::pair_order{});
  in_order(detail::quad_order{});
}

TEST_CASE("codes that are not below ks are found, and searches stay within their tables", "[index_file]") {
  for (const std::size_t ks : {5u, 20u}) {
    const index_type index(fitted(ks), rows());
    const auto spoil = [](edited_index& e) {
      for (std::uint8_t& byte : e.values<std::uint8_t>("codes.blocks")) byte = 0xFF;
    };
    CHECK(complaint_after(index, spoil) == "codes: the code of vector 0 is not below ks");
    CHECK(complaint_after(index, [](edited_index& e) {
            e.values<std::uint8_t>("codes.blocks")[70] = 0xEE;
          }).starts_with("codes: the code of vector "));
    use_corrupted(index, 60, use);
  }
  const index_type full(fitted(16), rows());  // where every code is one
  const auto spoil_absent = [](edited_index& e) { e.values<std::uint8_t>("codes.blocks").back() = 0xFF; };
  CHECK(complaint_after(full, spoil_absent).empty());  // of a sub-quantiser that is not there
  CHECK(complaint_after(full, [](edited_index& e) {
          const auto bytes = e.values<std::uint8_t>("codes.blocks");
          std::fill(bytes.end() - 32, bytes.end(), std::uint8_t{0xFF});
        }) == "codes: the padding of the last block is not zero");
}

TEST_CASE("a fast_scan_index of more codes than its file has is refused", "[index_file]") {
  const auto set = [](const char* key, const char* text) { return [=](edited_index& e) { e.set(key, text); }; };
  const index_type index(fitted(5), rows());
  CHECK_THAT(complaint_after(index, set("codes.count", "161")), ContainsSubstring("the tensor 'codes.blocks' is U8"));
  CHECK_THAT(complaint_after(index, set("codes.count", "18446744073709551615")),
             ContainsSubstring("the tensor 'codes.blocks' is U8"));
  CHECK_THAT(complaint_after(index, set("codes.order", "triples")),
             ContainsSubstring("which is not one of the known values"));
}

TEST_CASE("a truncated fast_scan_index is refused at every byte", "[index_file]") {
  CHECK(refuses_truncation(index_type(quantizer(1, 2).fit(rows()), queries()), search));
}

TEST_CASE("a flipped bit of a fast_scan_index is noticed wherever it is", "[index_file]") {
  CHECK(refuses_flips(index_type(fitted(5), queries()), search));
}

TEST_CASE("fast_scan_indexes of format version 1 are read in every order of codes", "[index_file]") {
  const auto query = sample_rows(1, 6, 2);
  for (const char* name : {"fast_scan_index_pairs", "fast_scan_index_quads", "fast_scan_index_bytes"}) {
    const bool is_bytes = std::string_view(name).ends_with("bytes");
    for (const auto& index : {load_index<index_type>(sample_file(name)), map_index<index_type>(sample_file(name))}) {
      const auto found = index.search(query, 4, {.float_tables = true});
      CHECK(std::ranges::equal(found.ids.row(0),
                               is_bytes ? std::vector<id_type>{26, 45, 46, 23} : std::vector<id_type>{23, 30, 26, 8}));
      CHECK(found.distances(0, 3) == Approx(is_bytes ? 22.0972214 : 24.1352997));
    }
  }
}
