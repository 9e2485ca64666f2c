#include <annulus/io/faiss/faiss_io.hpp>

#include "catch.hpp"
#include "io/foreign_files.hpp"
#include "quantization/random_rows.hpp"

using namespace annulus;

namespace {

// Where fields are. Every index starts with four letters and a header, every quantiser follows one.
constexpr std::size_t at_d = 4, at_ntotal = 8, at_is_trained = 32, at_metric = 33, header_end = 37;
constexpr std::size_t at_pq_d = 37, at_m = 45, at_nbits = 53, at_centroids = 61, first_centroid = 69;

using pq8 = product_quantizer<std::uint8_t>;

std::string file_of(const faiss_index& index) {
  const scratch_folder folder;
  write_faiss(folder / "a.faiss", index);
  return bytes_of(folder / "a.faiss");
}

/// 5 codes of 2 x 2 bits, which leave 4 bits of each byte unused; d = 2. Centroids end at 101, codes are at 109.
faiss_index small_pq() {
  matrix<std::uint8_t> codes(5, 2);
  for (std::size_t i = 0; i < 5; ++i) codes(i, i % 2) = static_cast<std::uint8_t>(i % 4);
  return faiss_pq(pq8(2, random_rows(8, 1, 1)), codes);
}
/// 3 codes of 2 x 4 bits, d = 2. Centroids end at 197.
faiss_index small_fast_scan() {
  fast_scan_index<> index(pq8(2, random_rows(32, 1, 2)));
  index.insert_codes(matrix<std::uint8_t>(3, 2, 9));
  return faiss_fast_scan(std::move(index));
}
faiss_flat small_flat(std::size_t n) { return faiss_flat(random_rows(n, 2, 3)); }
/// From d = 3 to 2.
faiss_index small_pre_transform() { return faiss_pre_transform(random_rows(3, 2, 4), {1, 2}, small_pq()); }
faiss_index small_refine_flat() { return faiss_refine_flat(small_fast_scan(), small_flat(3), 2); }
/// Everything in everything.
faiss_index small_nest() {
  return faiss_refine_flat(faiss_pre_transform(random_rows(2, 2, 4), {}, small_refine_flat()), small_flat(3));
}

std::vector<std::string> small_files() {
  return {file_of(small_pq()),          file_of(small_fast_scan()),
          file_of(small_flat(2)),       file_of(small_pre_transform()),
          file_of(small_refine_flat()), file_of(small_nest())};
}

/// The bytes with those of `value` at `offset`.
template <class T>
std::string edited(std::string bytes, std::size_t offset, T value) {
  REQUIRE(offset + sizeof(value) <= bytes.size());
  std::memcpy(bytes.data() + offset, &value, sizeof(value));
  return bytes;
}
std::string edited(std::string bytes, std::size_t offset, const char* letters) {
  return bytes.replace(offset, 4, letters);
}

/// What read_faiss says to a file of these bytes.
std::string complaint(const std::string& bytes) {
  return complaint_about(bytes, [](const auto& path) { read_faiss(path); });
}

std::string byte(std::size_t offset) { return "byte " + std::to_string(offset) + ": "; }

/// The complaint about `value` at `offset` names the offset and the reason.
template <class T>
void check_refused(const std::string& bytes, std::size_t offset, T value, const std::string& reason) {
  CAPTURE(offset);
  CHECK_THAT(complaint(edited(bytes, offset, value)), ContainsSubstring(byte(offset) + reason));
}

constexpr auto not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr auto infinity = std::numeric_limits<float>::infinity();

}  // namespace

TEST_CASE("faiss: the small files themselves are read", "[faiss]") {
  for (const auto& bytes : small_files()) CHECK(complaint(bytes) == "nothing");
}

TEST_CASE("faiss: a file cut anywhere is refused", "[faiss]") {
  const scratch_folder folder;
  for (const auto& bytes : small_files()) {
    write_bytes(folder / "cut.faiss", bytes);
    for (std::size_t size = bytes.size(); size-- > 0;) {
      std::filesystem::resize_file(folder / "cut.faiss", size);
      CAPTURE(bytes.substr(0, 4), size);
      REQUIRE_THROWS_AS(read_faiss(folder / "cut.faiss"), format_error);
    }
  }
}

TEST_CASE("faiss: bytes behind the index are refused", "[faiss]") {
  for (const auto& bytes : small_files())
    CHECK_THAT(complaint(bytes + "ab"),
               ContainsSubstring(byte(bytes.size()) + "the index ends here, but 2 bytes follow"));
}

TEST_CASE("faiss: a file with any byte changed is refused, or is an index that can be searched and written back",
          "[faiss]") {
  const scratch_folder folder;
  const auto path = folder / "changed.faiss";
  std::size_t refused = 0, read = 0;
  for (const auto& bytes : small_files()) {
    write_bytes(path, bytes);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto put = [&](std::size_t i, char byte) { file.seekp(static_cast<std::streamoff>(i)).put(byte).flush(); };
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      for (const int change : {1, 0x80, 0xFF}) {
        const auto changed = static_cast<char>(bytes[i] ^ change);
        put(i, changed);
        try {
          const auto index = read_faiss(path);
          index.search(random_rows(2, index.dim(), 1), 3, {.threads = 1});
          ++read;
          // Of fast scans, what pads the codes is not kept. A write waits for the disk, so that not all are tried.
          if (i % 8 == 0 && change == 1 && bytes.find("IPfs") == std::string::npos)
            REQUIRE(file_of(index) == edited(bytes, i, changed));
        } catch (const format_error&) {
          ++refused;
        }
      }
      put(i, bytes[i]);
    }
  }
  CHECK(refused > 0);
  CHECK(read > 0);
}

TEST_CASE("faiss: other kinds of indexes and transforms are named, at any depth", "[faiss]") {
  const auto pq = file_of(small_pq()), rotated = file_of(small_pre_transform()), refined = file_of(small_refine_flat());
  check_refused(pq, 0, "IwFl", "index kind 'IwFl' is not read");
  check_refused(pq, 0, "IHNf", "index kind 'IHNf' is not read");
  check_refused(pq, 0, "\x93NUM", "index kind '?NUM' is not read");
  check_refused(rotated, rotated.find("IxPq"), "IxSQ", "index kind 'IxSQ' is not read");
  check_refused(rotated, rotated.find("LTra"), "PcAm", "transform kind 'PcAm' is not read");
  check_refused(refined, refined.find("IPfs"), "IwPf", "index kind 'IwPf' is not read");
  check_refused(refined, refined.find("IxF2"), "IxPq", "index kind 'IxPq' is not read to refine by");
  CHECK_THAT(complaint(""), ContainsSubstring(byte(0) + "the file is empty"));
}

TEST_CASE("faiss: a header that is not one of an index to search is refused", "[faiss]") {
  for (const auto& bytes : small_files()) {
    for (const std::int32_t d : {0, -1, std::numeric_limits<std::int32_t>::min()})
      check_refused(bytes, at_d, d, "d = " + std::to_string(d) + " must be at least 1");
    for (const std::int64_t n : {std::int64_t{-1}, (std::int64_t{1} << 32) - 1, std::int64_t{1} << 62})
      check_refused(bytes, at_ntotal, n, "ntotal = " + std::to_string(n) + " must be from 0 to 2^32 - 2");
    check_refused(bytes, at_is_trained, std::uint8_t{0}, "is_trained = 0");
    check_refused(bytes, at_is_trained, std::uint8_t{2}, "is_trained = 2 must be 0 or 1");
    for (const std::int32_t metric : {2, 23, -1})
      check_refused(bytes, at_metric, metric, "metric " + std::to_string(metric) + " is not read");
  }
}

TEST_CASE("faiss: a quantiser that contradicts itself or the header is refused", "[faiss]") {
  for (const auto& bytes : {file_of(small_pq()), file_of(small_fast_scan())}) {
    check_refused(bytes, at_pq_d, std::uint64_t{4}, "d = 4 of the quantiser must be the index's 2");
    check_refused(bytes, at_pq_d, std::uint64_t{1} << 63, "d = 9223372036854775808 of the quantiser");
    for (const std::uint64_t m : {std::uint64_t{0}, std::uint64_t{3}, std::uint64_t{65538}, ~std::uint64_t{0}})
      check_refused(bytes, at_m, m, "M = " + std::to_string(m) + " must be");
    for (const std::uint64_t nbits : {std::uint64_t{0}, std::uint64_t{17}, std::uint64_t{64}, ~std::uint64_t{0}})
      check_refused(bytes, at_nbits, nbits, "nbits = " + std::to_string(nbits) + " must be");
    for (const std::uint64_t count : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{9}})
      check_refused(bytes, at_centroids, count, std::to_string(count) + " centroid coordinates, must be");
    for (const std::uint64_t count : {std::uint64_t{100}, std::uint64_t{1} << 62, ~std::uint64_t{0}})
      check_refused(bytes, at_centroids, count, std::to_string(count) + " centroid coordinates do not fit into the ");
    for (const float x : {not_a_number, infinity, -infinity})
      for (const std::size_t i : {0u, 3u, 7u})
        CHECK_THAT(complaint(edited(bytes, first_centroid + 4 * i, x)),
                   ContainsSubstring(byte(first_centroid + 4 * i)) && ContainsSubstring("must be finite"));
    CHECK_THAT(complaint(edited(bytes, first_centroid, 1e30f)), ContainsSubstring("squares overflow"));
  }
  CHECK_THAT(complaint(edited(file_of(small_pq()), at_nbits, std::uint64_t{16})),
             ContainsSubstring(byte(at_centroids) + "8 centroid coordinates, must be 131072"));
}

TEST_CASE("faiss: products of sizes that overflow, or that the file cannot hold, are refused", "[faiss]") {
  auto bytes = file_of(small_pq());
  bytes = edited(bytes, at_d, std::int32_t{1} << 30);
  bytes = edited(bytes, at_pq_d, std::uint64_t{1} << 30);
  bytes = edited(bytes, at_m, std::uint64_t{1} << 16);
  bytes = edited(bytes, at_nbits, std::uint64_t{16});
  CHECK_THAT(complaint(bytes),
             ContainsSubstring(byte(at_centroids) + "8 centroid coordinates, must be 70368744177664"));
  CHECK_THAT(complaint(edited(bytes, at_centroids, std::uint64_t{1} << 46)),
             ContainsSubstring(byte(at_centroids) + "70368744177664 centroid coordinates do not fit into the "));

  const std::int64_t many = (std::int64_t{1} << 32) - 2;
  CHECK_THAT(complaint(edited(file_of(small_pq()), at_ntotal, many)),
             ContainsSubstring(byte(101) + "5 bytes of codes, must be 4294967294"));
  auto flat = edited(file_of(small_flat(2)), at_ntotal, many);
  CHECK_THAT(complaint(flat), ContainsSubstring(byte(header_end) + "4 vector coordinates, must be 8589934588"));
  flat = edited(edited(flat, at_d, std::numeric_limits<std::int32_t>::max()), header_end, std::uint64_t{4});
  CHECK_THAT(complaint(flat), ContainsSubstring("4 vector coordinates, must be 9223372028264841218"));
}

TEST_CASE("faiss: codes of another number of bytes, or with bits beyond their last, are refused", "[faiss]") {
  const auto pq = file_of(small_pq());
  check_refused(pq, 101, std::uint64_t{4}, "4 bytes of codes, must be 5");
  check_refused(pq, 101, std::uint64_t{1} << 63, "9223372036854775808 bytes of codes do not fit into the 14 bytes");
  CHECK_THAT(complaint(edited(pq, at_ntotal, std::int64_t{4})),
             ContainsSubstring(byte(101) + "5 bytes of codes, must be 4"));
  for (std::size_t bit = 4; bit < 8; ++bit)
    CHECK_THAT(complaint(edited(pq, 109 + 2, static_cast<std::uint8_t>(1 << bit))),
               ContainsSubstring("code 2 has bits beyond its 4"));
  check_refused(pq, 118, std::uint8_t{2}, "encode_signs = 2 must be 0 or 1");
}

TEST_CASE("faiss: fast-scan blocks that do not belong to the codes are refused", "[faiss]") {
  const auto bytes = file_of(small_fast_scan());
  constexpr std::size_t at_bbs = 201, at_ntotal2 = 209, at_m2 = 217, at_bytes = 225;
  for (const std::int32_t bbs : {0, -32, 31, 64})
    check_refused(bytes, at_bbs, bbs, "blocks of bbs = " + std::to_string(bbs) + " codes are not read, only of 32");
  for (const std::uint64_t n : {std::uint64_t{0}, std::uint64_t{3}, std::uint64_t{64}, ~std::uint64_t{0}})
    check_refused(bytes, at_ntotal2, n, "ntotal2 = " + std::to_string(n) + " must be ntotal rounded up to 32, 32");
  for (const std::uint64_t m : {std::uint64_t{0}, std::uint64_t{3}, std::uint64_t{4}, ~std::uint64_t{0}})
    check_refused(bytes, at_m2, m, "M2 = " + std::to_string(m) + " must be M rounded up to 2");
  check_refused(bytes, at_bytes, std::uint64_t{31}, "31 bytes of codes, must be 32");
  check_refused(bytes, at_bytes, std::uint64_t{33}, "33 bytes of codes do not fit into the 32 bytes that are left");
  for (const std::uint64_t nbits : {3u, 5u, 8u})
    check_refused(bytes, at_nbits, nbits, "nbits = " + std::to_string(nbits) + " must be 4");
}

TEST_CASE("faiss: flat vectors of another number, or that are not finite, are refused", "[faiss]") {
  const auto bytes = file_of(small_flat(2));
  check_refused(bytes, header_end, std::uint64_t{3}, "3 vector coordinates, must be 4");
  check_refused(bytes, header_end, ~std::uint64_t{0}, "18446744073709551615 vector coordinates do not fit into the 16");
  check_refused(bytes, header_end + 8 + 12, not_a_number, "nan among vector coordinates, must be finite");
  CHECK_THAT(complaint(edited(bytes, 0, "IxFI")), ContainsSubstring("the metric must be that of the kind 'IxFI'"));
  CHECK_THAT(complaint(edited(bytes, at_metric, std::int32_t{0})), ContainsSubstring("that of the kind 'IxF2'"));
}

TEST_CASE("faiss: a transform that contradicts itself or the indexes around it is refused", "[faiss]") {
  const auto bytes = file_of(small_pre_transform());
  constexpr std::size_t at_bias_flag = 45, at_a = 46, at_b = at_a + 8 + 24, at_d_in = at_b + 8 + 8;
  constexpr std::size_t at_d_out = at_d_in + 4, at_trained = at_d_out + 4, inside = at_trained + 1;
  REQUIRE(bytes.substr(inside, 4) == "IxPq");
  for (const std::int32_t count : {0, 2, -1})
    check_refused(bytes, header_end, count, "a chain of " + std::to_string(count) + " transforms is not read");
  check_refused(bytes, at_bias_flag, std::uint8_t{7}, "have_bias = 7 must be 0 or 1");
  CHECK_THAT(complaint(edited(bytes, at_bias_flag, std::uint8_t{0})),
             ContainsSubstring(byte(at_b) + "2 elements of b, must be 0"));
  for (const std::uint64_t count : {0u, 5u, 7u})
    check_refused(bytes, at_a, count, std::to_string(count) + " elements of A, must be rows of d = 3");
  check_refused(bytes, at_a, ~std::uint64_t{0}, "18446744073709551615 elements of A do not fit");
  check_refused(bytes, at_a + 8 + 20, infinity, "inf among elements of A, must be finite");
  check_refused(bytes, at_b, std::uint64_t{1}, "1 elements of b, must be 2");
  check_refused(bytes, at_b + 8, not_a_number, "nan among elements of b, must be finite");
  for (const std::int32_t d : {0, 2, -3}) check_refused(bytes, at_d_in, d, "d_in = " + std::to_string(d) + " must be");
  for (const std::int32_t d : {0, 3, -2})
    check_refused(bytes, at_d_out, d, "d_out = " + std::to_string(d) + " must be the rows of A, 2");
  check_refused(bytes, at_trained, std::uint8_t{0}, "is_trained = 0");

  CHECK_THAT(complaint(edited(bytes, at_ntotal, std::int64_t{6})),
             ContainsSubstring(byte(inside) + "ntotal = 5 of the index inside another must be its 6"));
  CHECK_THAT(complaint(edited(bytes, at_metric, std::int32_t{0})), ContainsSubstring(byte(inside) + "the metric"));
  const auto wide = edited(edited(bytes, inside + at_d, std::int32_t{4}), inside + at_pq_d, std::uint64_t{4});
  CHECK_THAT(complaint(edited(edited(wide, inside + at_m, std::uint64_t{4}), inside + at_nbits, std::uint64_t{1})),
             ContainsSubstring(byte(inside) + "d = 4 of the index inside another must be 2"));
}

TEST_CASE("faiss: vectors to refine by that differ from the index, and a factor that is none, are refused", "[faiss]") {
  const auto bytes = file_of(small_refine_flat());
  const std::size_t flat = bytes.find("IxF2"), at_k_factor = bytes.size() - 4;
  CHECK_THAT(complaint(edited(bytes, at_ntotal, std::int64_t{4})),
             ContainsSubstring(byte(header_end) + "ntotal = 3 of the index inside another must be its 4"));
  CHECK_THAT(complaint(edited(bytes, at_d, std::int32_t{3})),
             ContainsSubstring(byte(header_end) + "d = 2 of the index inside another must be 3"));
  CHECK_THAT(complaint(bytes.substr(0, flat) + file_of(small_flat(2)) + bytes.substr(at_k_factor)),
             ContainsSubstring(byte(flat) + "ntotal = 2 of the index inside another must be its 3"));
  CHECK_THAT(complaint(bytes.substr(0, flat) + file_of(faiss_flat(random_rows(3, 5, 1))) + bytes.substr(at_k_factor)),
             ContainsSubstring(byte(flat) + "d = 5 of the index inside another must be 2"));
  CHECK_THAT(complaint(bytes.substr(0, flat) + file_of(faiss_flat(random_rows(3, 2, 1), pq_metric::inner_product)) +
                       bytes.substr(at_k_factor)),
             ContainsSubstring(byte(flat) + "the metric of the index inside another"));
  for (const float k_factor : {0.0f, 0.5f, -2.0f, not_a_number, infinity})
    check_refused(bytes, at_k_factor, k_factor, "k_factor = ");
}

TEST_CASE("faiss: indexes inside each other without end do not exhaust the stack", "[faiss]") {
  const auto bytes = file_of(small_refine_flat());
  std::string nested;
  for (std::size_t depth = 0; depth < 100000; ++depth) nested += bytes.substr(0, header_end);
  CHECK_THAT(complaint(nested), ContainsSubstring(byte(8 * header_end) + "an index in more than 7 others is not read"));
}

TEST_CASE("faiss: a missing file and a folder are errors of the system", "[faiss]") {
  const scratch_folder folder;
  CHECK_THROWS_AS(read_faiss(folder / "missing.faiss"), std::system_error);
  CHECK_THROWS_AS(read_faiss(folder / ""), std::system_error);
  CHECK_THROWS_AS(write_faiss(folder / "missing/a.faiss", small_pq()), std::system_error);
  CHECK(folder.n_files() == 0);
}

TEST_CASE("a file that is none of faiss's is refused by what it looks like", "[faiss]") {
  check_says_what_files_are("faiss", [](const auto& path) { read_faiss(path); });
}
