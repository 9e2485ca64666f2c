#pragma once

/// \file
/// Writing faiss's index files, byte for byte as faiss does.

#include <annulus/io/faiss/faiss_index.hpp>
#include <annulus/storage/output_file.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The format is described at faiss_reader.
class faiss_writer {
 public:
  explicit faiss_writer(const std::filesystem::path& path) : m_file(path) {}

  void write(const faiss_index& index) {
    put(index);
    m_file.commit();
  }

 private:
  template <class T>
  void value(T v) {
    m_file.write(&v, sizeof(v));
  }
  void letters(const char* four) { m_file.write(four, 4); }

  void floats(const float* values, std::size_t count) {
    value(std::uint64_t{count});
    m_file.write(values, count * sizeof(float));
  }

  template <class Kind>
  void header(const char* four, const Kind& index, const faiss_reserved& reserved) {
    letters(four);
    value(static_cast<std::int32_t>(index.dim()));
    value(static_cast<std::int64_t>(index.size()));
    value(reserved);
    value(true);
    value(std::int32_t{index.metric() == pq_metric::sqeuclidean});
  }

  template <code_scalar Code>
  void codebook(const product_quantizer<Code>& quantizer) {
    value(std::uint64_t{quantizer.dim()});
    value(std::uint64_t{quantizer.m()});
    value(std::uint64_t{faiss_nbits(quantizer)});
    floats(quantizer.codewords().data(), quantizer.codewords().rows() * quantizer.codewords().cols());
  }

  void put(const faiss_index& index) {
    std::visit([&](const auto& kind) { put(kind); }, index.kind());
  }

  template <code_scalar Code>
  void put(const faiss_pq<Code>& index) {
    header("IxPq", index, index.fields().reserved);
    codebook(index.quantizer());
    const std::size_t code_size = (index.quantizer().m() * index.nbits() + 7) / 8;
    value(std::uint64_t{index.size()} * code_size);
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = 0; i < index.size(); ++i) {
      bytes.clear();
      std::uint32_t waiting = 0;
      std::size_t bits = 0;
      for (const Code code : index.codes().row(i)) {
        waiting |= std::uint32_t{code} << bits;
        for (bits += index.nbits(); bits >= 8; bits -= 8, waiting >>= 8)
          bytes.push_back(static_cast<std::uint8_t>(waiting));
      }
      if (bits > 0) bytes.push_back(static_cast<std::uint8_t>(waiting));
      m_file.write(bytes.data(), bytes.size());
    }
    value(index.fields().search_type);
    value(index.fields().encode_signs);
    value(*index.fields().polysemous_ht);
  }

  void put(const faiss_fast_scan& index) {
    header("IPfs", index, index.fields().reserved);
    codebook(index.quantizer());
    constexpr std::size_t block = blocks_4_bits<pair_order>::vectors_a_block;
    const std::size_t n = index.size(), m = index.quantizer().m();
    const std::uint64_t padded_n = (std::uint64_t{n} + block - 1) / block * block, padded_m = m + m % 2;
    value(index.fields().implem);
    value(std::int32_t{block});
    value(index.fields().qbs);
    value(padded_n);
    value(padded_m);
    value(padded_n / 2 * padded_m);
    for (std::size_t first = 0; first < n; first += block) {
      matrix<std::uint8_t> codes(std::min(block, n - first), m);
      for (std::size_t i = 0; i < codes.rows(); ++i)
        for (std::size_t j = 0; j < m; ++j) codes(i, j) = index.index().code(first + i, j);
      blocks_4_bits<pair_order> blocks(m);
      blocks.append(codes);
      const std::vector<std::uint8_t> bytes = blocks.packed();
      m_file.write(bytes.data(), bytes.size());
    }
  }

  void put(const faiss_flat& index) {
    header(index.metric() == pq_metric::sqeuclidean ? "IxF2" : "IxFI", index, index.reserved());
    floats(index.vectors().data(), index.size() * index.dim());
  }

  void put(const faiss_pre_transform& index) {
    header("IxPT", index, index.reserved());
    value(std::int32_t{1});
    letters("LTra");
    value(!index.bias().empty());
    const matrix<float> a = transposed(index.matrix());
    floats(a.data(), a.rows() * a.cols());
    floats(index.bias().data(), index.bias().size());
    value(static_cast<std::int32_t>(index.dim()));
    value(static_cast<std::int32_t>(index.base().dim()));
    value(true);
    put(index.base());
  }

  void put(const faiss_refine_flat& index) {
    header("IxRF", index, index.reserved());
    put(index.base());
    put(index.vectors());
    value(index.k_factor());
  }

  output_file m_file;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
