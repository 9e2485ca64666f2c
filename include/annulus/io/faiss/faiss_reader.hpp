#pragma once

/// \file
/// Reading faiss's index files, each field checked before anything is allocated for it.

#include <annulus/io/faiss/faiss_index.hpp>
#include <annulus/storage/file_kind.hpp>

#include <stdexcept>
#include <utility>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Little-endian and without padding or version: an index is four letters, a header and the fields of its kind; a
/// vector is an element count in 64 bits and the elements; a bool is a byte, 0 or 1.
class faiss_reader {
 public:
  explicit faiss_reader(const std::filesystem::path& path) : m_file(path) {}

  /// Reads the whole file. What the constructors of indexes refuse is reported as an error of the file.
  faiss_index read() try {
    faiss_index index = read_index(faiss_max_depth);
    if (const auto left = m_file.size() - m_file.offset(); left > 0)
      m_file.fail(m_file.offset(), "the index ends here, but ", left, " bytes follow");
    return index;
  } catch (const std::invalid_argument& error) {
    fail(error.what());
  }

 private:
  static constexpr std::size_t buffer_bytes = 1 << 16;

  struct header {
    std::size_t dim, size;
    pq_metric metric;
    faiss_reserved reserved;
  };

  template <class T>
  T value() {
    m_at = m_file.offset();
    return m_file.read_value<T>();
  }
  /// Reports an error of the field that was read last.
  template <class... Reason>
  [[noreturn]] void fail(const Reason&... reason) const {
    m_file.fail(m_at, reason...);
  }

  bool flag(const char* name) {
    const auto byte = value<std::uint8_t>();
    if (byte > 1) fail(name, " = ", unsigned{byte}, " must be 0 or 1");
    return byte == 1;
  }
  void expect_trained() {
    if (!flag("is_trained")) fail("is_trained = 0: train and fill the index before saving it");
  }

  /// Reads four letters.
  std::string kind() {
    const auto letters = value<std::array<char, 4>>();
    std::string name(letters.begin(), letters.end());
    for (char& c : name)
      if (c < ' ' || c > '~') c = '?';
    return name;
  }

  /// Reads the count of a vector, checked against the bytes left in the file.
  std::size_t count(const char* what, std::uint64_t bytes_each) {
    const auto count = value<std::uint64_t>();
    if (const auto left = m_file.size() - m_file.offset(); count > left / bytes_each)
      fail(count, " ", what, " do not fit into the ", left, " bytes that are left");
    return static_cast<std::size_t>(count);
  }
  void expect_count(const char* what, std::uint64_t bytes_each, std::uint64_t expected) {
    if (const std::size_t found = count(what, bytes_each); found != expected)
      fail(found, " ", what, ", must be ", expected);
  }

  /// Reads the elements of a vector, which must be finite.
  matrix<float> elements(const char* what, std::size_t rows, std::size_t cols) {
    const std::uint64_t first = m_file.offset();
    matrix<float> values(rows, cols);
    m_file.read(values.data(), rows * cols * sizeof(float));
    for (std::size_t i = 0; i < rows * cols; ++i)
      if (const float x = values.data()[i]; !is_finite(x))
        m_file.fail(first + i * sizeof(float), x, " among ", what, ", must be finite");
    return values;
  }
  matrix<float> floats(const char* what, std::size_t rows, std::size_t cols) {
    expect_count(what, sizeof(float), std::uint64_t{rows} * cols);
    return elements(what, rows, cols);
  }

  faiss_index read_index(std::size_t depth) {
    const std::string name = kind();
    if (depth == 0) fail("an index in more than ", faiss_max_depth - 1, " others is not read");
    if (name == "IxPq") return read_pq();
    if (name == "IPfs") return read_fast_scan();
    if (name == "IxF2" || name == "IxFI") return read_flat(name);
    if (name == "IxPT") return read_pre_transform(depth - 1);
    if (name == "IxRF") return read_refine_flat(depth - 1);
    constexpr std::string_view reason = "' is not read, only IxPq, IPfs, IxF2, IxFI, IxPT and IxRF";
    if (m_at == 0) fail_unrecognised(m_file.name(), "faiss", 0, "index kind '", name, reason);
    fail("index kind '", name, reason);
  }

  header read_header() {
    header h{};
    const auto d = value<std::int32_t>();
    if (d < 1) fail("d = ", d, " must be at least 1");
    h.dim = static_cast<std::size_t>(d);
    const auto n = value<std::int64_t>();
    if (n < 0 || n >= std::int64_t{no_id}) fail("ntotal = ", n, " must be from 0 to 2^32 - 2");
    h.size = static_cast<std::size_t>(n);
    h.reserved = value<faiss_reserved>();
    expect_trained();
    const auto metric = value<std::int32_t>();
    if (metric != 0 && metric != 1) fail("metric ", metric, " is not read, only 0 (inner product) and 1 (L2)");
    h.metric = metric == 0 ? pq_metric::inner_product : pq_metric::sqeuclidean;
    return h;
  }

  /// Checks an index inside another, whose header is at `at`.
  template <class Index>
  void expect_same(const header& outer, std::uint64_t at, const Index& inner, std::size_t dim) const {
    if (inner.dim() != dim) m_file.fail(at, "d = ", inner.dim(), " of the index inside another must be ", dim);
    if (inner.size() != outer.size)
      m_file.fail(at, "ntotal = ", inner.size(), " of the index inside another must be its ", outer.size);
    if (inner.metric() != outer.metric) m_file.fail(at, "the metric of the index inside another must be its own");
  }

  struct codebook {
    std::size_t m, nbits;
    matrix<float> codewords;
  };

  codebook read_codebook(const header& h, bool only_4_bits) {
    const auto d = value<std::uint64_t>();
    if (d != h.dim) fail("d = ", d, " of the quantiser must be the index's ", h.dim);
    const auto m = value<std::uint64_t>();
    if (m == 0 || m > faiss_max_m || d % m != 0)
      fail("M = ", m, " must be from 1 to ", faiss_max_m, " and divide d = ", d);
    const auto nbits = value<std::uint64_t>();
    if (only_4_bits && nbits != 4) fail("nbits = ", nbits, " must be 4");
    if (nbits == 0 || nbits > faiss_max_nbits) fail("nbits = ", nbits, " must be from 1 to ", faiss_max_nbits);
    codebook book{static_cast<std::size_t>(m), static_cast<std::size_t>(nbits), {}};
    book.codewords = floats("centroid coordinates", book.m << book.nbits, h.dim / book.m);
    if (!is_finite(check_rows<float>(book.codewords, "codewords", 1)))
      fail("a centroid is so long that its squares overflow");
    return book;
  }

  faiss_index read_pq() {
    const header h = read_header();
    codebook book = read_codebook(h, false);
    if (book.nbits <= 8) return read_pq<std::uint8_t>(h, std::move(book));
    return read_pq<std::uint16_t>(h, std::move(book));
  }
  template <code_scalar Code>
  faiss_index read_pq(const header& h, codebook book) {
    matrix<Code> codes = read_codes<Code>(h.size, book.m, book.nbits);
    faiss_pq_fields fields{.reserved = h.reserved};
    fields.search_type = value<std::int32_t>();
    fields.encode_signs = flag("encode_signs");
    fields.polysemous_ht = value<std::int32_t>();
    return faiss_pq<Code>({book.m, std::move(book.codewords), h.metric}, std::move(codes), fields);
  }

  /// Each code is m numbers of `nbits` bits, the lowest bits first, and zeros up to the next byte.
  template <code_scalar Code>
  matrix<Code> read_codes(std::size_t n, std::size_t m, std::size_t nbits) {
    const std::size_t code_size = (m * nbits + 7) / 8;
    expect_count("bytes of codes", 1, std::uint64_t{n} * code_size);
    const std::size_t at_once = std::max<std::size_t>(buffer_bytes / code_size, 1);
    std::vector<std::uint8_t> bytes(std::min(at_once, n) * code_size);
    matrix<Code> codes(n, m);
    for (std::size_t i = 0; i < n; ++i) {
      if (i % at_once == 0) m_file.read(bytes.data(), std::min(at_once, n - i) * code_size);
      const std::uint8_t* next = bytes.data() + i % at_once * code_size;
      std::uint32_t waiting = 0;
      std::size_t bits = 0;
      for (Code& code : codes.row(i)) {
        for (; bits < nbits; bits += 8) waiting |= std::uint32_t{*next++} << bits;
        code = static_cast<Code>(waiting & ((1u << nbits) - 1));
        waiting >>= nbits;
        bits -= nbits;
      }
      if (waiting != 0) fail("code ", i, " has bits beyond its ", m * nbits);
    }
    return codes;
  }

  faiss_index read_fast_scan() {
    const header h = read_header();
    codebook book = read_codebook(h, true);
    faiss_fast_scan_fields fields{.reserved = h.reserved};
    fields.implem = value<std::int32_t>();
    constexpr std::size_t block = blocks_4_bits<pair_order>::vectors_a_block;
    if (const auto bbs = value<std::int32_t>(); bbs != std::int32_t{block})
      fail("blocks of bbs = ", bbs, " codes are not read, only of ", block);
    fields.qbs = value<std::int32_t>();
    const std::uint64_t padded_n = (std::uint64_t{h.size} + block - 1) / block * block, padded_m = book.m + book.m % 2;
    if (const auto n = value<std::uint64_t>(); n != padded_n)
      fail("ntotal2 = ", n, " must be ntotal rounded up to ", block, ", ", padded_n);
    if (const auto m = value<std::uint64_t>(); m != padded_m) fail("M2 = ", m, " must be M rounded up to ", padded_m);
    expect_count("bytes of codes", 1, padded_n / 2 * padded_m);
    fast_scan_index<> index(product_quantizer<std::uint8_t>(book.m, std::move(book.codewords), h.metric));
    const std::size_t block_bytes = block / 2 * static_cast<std::size_t>(padded_m);
    const std::size_t at_once = std::max<std::size_t>(buffer_bytes / block_bytes, 1) * block;
    std::vector<std::uint8_t> bytes;
    for (std::size_t first = 0; first < h.size; first += at_once) {
      const std::size_t n = std::min(at_once, h.size - first);
      bytes.resize((n + block - 1) / block * block_bytes);
      m_file.read(bytes.data(), bytes.size());
      index.insert_codes(unpack_codes(blocks_4_bits<pair_order>(index.quantizer().m(), n, bytes)));
    }
    return faiss_fast_scan(std::move(index), fields);
  }

  faiss_flat read_flat(const std::string& name) {
    const header h = read_header();
    if ((name == "IxF2") != (h.metric == pq_metric::sqeuclidean))
      fail("the metric must be that of the kind '", name, "'");
    return faiss_flat(floats("vector coordinates", h.size, h.dim), h.metric, h.reserved);
  }

  faiss_index read_pre_transform(std::size_t depth) {
    const header h = read_header();
    if (const auto transforms = value<std::int32_t>(); transforms != 1)
      fail("a chain of ", transforms, " transforms is not read, only of 1");
    if (const std::string name = kind(); name != "LTra") fail("transform kind '", name, "' is not read, only LTra");
    const bool have_bias = flag("have_bias");
    const std::size_t size_of_a = count("elements of A", sizeof(float));
    if (size_of_a == 0 || size_of_a % h.dim != 0) fail(size_of_a, " elements of A, must be rows of d = ", h.dim);
    const matrix<float> a = elements("elements of A", size_of_a / h.dim, h.dim);
    const matrix<float> bias = floats("elements of b", have_bias ? 1 : 0, a.rows());
    if (const auto d_in = value<std::int32_t>(); d_in < 0 || static_cast<std::size_t>(d_in) != h.dim)
      fail("d_in = ", d_in, " must be d = ", h.dim);
    if (const auto d_out = value<std::int32_t>(); d_out < 0 || static_cast<std::size_t>(d_out) != a.rows())
      fail("d_out = ", d_out, " must be the rows of A, ", a.rows());
    expect_trained();
    const std::uint64_t inside = m_file.offset();
    faiss_index base = read_index(depth);
    expect_same(h, inside, base, a.rows());
    return faiss_pre_transform(transposed(a), {bias.data(), bias.data() + bias.rows() * bias.cols()}, std::move(base),
                               h.reserved);
  }

  faiss_index read_refine_flat(std::size_t depth) {
    const header h = read_header();
    const std::uint64_t inside = m_file.offset();
    faiss_index base = read_index(depth);
    expect_same(h, inside, base, h.dim);
    const std::uint64_t behind = m_file.offset();
    const std::string name = kind();
    if (name != "IxF2" && name != "IxFI") fail("index kind '", name, "' is not read to refine by, only IxF2 and IxFI");
    faiss_flat vectors = read_flat(name);
    expect_same(h, behind, vectors, h.dim);
    const auto k_factor = value<float>();
    if (!(k_factor >= 1 && is_finite(k_factor))) fail("k_factor = ", k_factor, " must be at least 1");
    return faiss_refine_flat(std::move(base), std::move(vectors), k_factor, h.reserved);
  }

  input_file m_file;
  std::uint64_t m_at = 0;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
