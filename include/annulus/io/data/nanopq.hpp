#pragma once

/// \file
/// nanopq's quantisers as numpy saves them: codewords (M x Ks x Ds), and for OPQ the rotation R (D x D). Codes (N x M)
/// are plain .npy files, for read_npy and write_npy.

#include <annulus/io/data/npy.hpp>
#include <annulus/quantization/optimized_product_quantizer.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// A quantiser from the file of nanopq.PQ.codewords. \tparam Code nanopq has uint8 for Ks up to 2^8, uint16 up to 2^16,
/// else uint32 \param codewords the path of the file \param metric nanopq keeps it elsewhere \returns the quantiser
/// \throws format_error for a file that is not float32 of three dimensions, and as read_npy_array does;
/// std::invalid_argument for codewords that are not finite or too many for Code, and for M or Ds of 0.
template <code_scalar Code = std::uint8_t>
product_quantizer<Code> read_nanopq(const std::filesystem::path& codewords, pq_metric metric = pq_metric::sqeuclidean) {
  const npy_array<float> array = read_npy_array<float>(codewords);
  if (array.shape.size() != 3)
    throw format_error(detail::name_of_path(codewords), 0,
                       "codewords have 3 dimensions, not " + std::to_string(array.shape.size()));
  matrix<float> rows(array.shape[0] * array.shape[1], array.shape[2]);
  std::ranges::copy(array.values, rows.data());
  return product_quantizer<Code>(array.shape[0], std::move(rows), metric);
}

/// A quantiser behind a rotation. \param codewords the path of the file of nanopq.OPQ.codewords \param rotation of
/// nanopq.OPQ.R \param metric as above \returns the quantiser \throws format_error and std::invalid_argument as above;
/// std::invalid_argument also where the two do not fit together, or R is not orthogonal
template <code_scalar Code = std::uint8_t>
optimized_product_quantizer<Code> read_nanopq(const std::filesystem::path& codewords,
                                              const std::filesystem::path& rotation,
                                              pq_metric metric = pq_metric::sqeuclidean) {
  return {read_npy<float>(rotation), read_nanopq<Code>(codewords, metric)};
}

/// Writes the codewords as nanopq.PQ.codewords is saved: float32, M x Ks x Ds. The rotation of an
/// optimized_product_quantizer is write_npy(path, quantizer.rotation()). \param codewords the path of the file \param
/// quantizer whose codewords they are \throws std::invalid_argument for a quantiser that is not fitted;
/// std::system_error where the file cannot be written.
template <class Quantizer>
void write_nanopq(const std::filesystem::path& codewords, const Quantizer& quantizer) {
  if (quantizer.dim() == 0) detail::invalid("quantizer", "unfitted", "must be fitted first");
  const matrix<float>& rows = quantizer.codewords();
  write_npy(codewords, npy_array<float>{{quantizer.m(), quantizer.ks(), quantizer.ds()},
                                        {rows.data(), rows.data() + rows.rows() * rows.cols()}});
}

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
