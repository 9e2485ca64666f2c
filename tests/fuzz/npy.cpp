#include <Eigen/Core>
#include <annulus/io/data/nanopq.hpp>
#include <annulus/io/data/npy_convert.hpp>
#include <annulus/io/data/scipy_npz.hpp>
#if defined(ANNULUS_FUZZ_ZLIB)
#include <annulus/io/data/zlib_codec.hpp>
#endif

#include "fuzz.hpp"

#include <string_view>

namespace {

/// Doubles hold every value but some integers of 64 bits; bits are those that are not 0.
template <class T>
void check_converted(const fuzz::file& input, const annulus::matrix<T>& whole) {
  const auto doubles = input.accepted([](const auto& path) { return annulus::read_npy_as<double>(path); });
  fuzz::check(doubles && doubles->rows() == whole.rows() && doubles->cols() == whole.cols(), "all numbers are doubles");
  for (std::size_t i = 0; i < whole.rows() * whole.cols(); ++i) {
    const double a = static_cast<double>(whole.data()[i]), b = doubles->data()[i];
    fuzz::check(std::memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b), "a double has the value");
  }
  if constexpr (std::same_as<T, std::uint8_t>) {
    const auto bits = input.accepted([](const auto& path) { return annulus::read_npy_bits(path); });
    fuzz::check(bits && bits->rows() == whole.rows() && bits->bits() == whole.cols(), "bytes are bits");
    for (std::size_t i = 0; i < whole.rows() && whole.cols() > 0; ++i)
      for (std::size_t j = 0; j < whole.cols(); ++j)
        fuzz::check(bits->test(i, j) == (whole(i, j) != 0), "a bit is set where the byte is not 0");
  }
}

template <class T>
void read_as(const fuzz::file& input) {
  const auto read = [](const auto& path, std::size_t first = 0, std::size_t count = annulus::all_rows) {
    return annulus::read_npy<T>(path, first, count);
  };
  const auto array = input.accepted([](const auto& path) { return annulus::read_npy_array<T>(path); });
  const auto whole = input.accepted(read);
  const auto mapped = input.accepted([](const auto& path) { return annulus::map_npy<T>(path); });
  fuzz::check(array || !whole, "a matrix is an array");
  fuzz::check(whole || !mapped, "what can be mapped can be read");
  if (!whole) {
    if (array) fuzz::check(array->shape.empty() || array->shape.size() > 2, "rows and columns make a matrix");
    return;
  }
  fuzz::check(fuzz::same_values(std::span<const T>(array->values),
                                std::span<const T>(whole->data(), whole->rows() * whole->cols())),
              "a matrix has the values of the array");
  const auto info = input.accepted([](const auto& path) { return annulus::read_npy_info(path); });
  fuzz::check(info.has_value(), "what is read has a type");
  if (mapped && !info->dtype.ends_with("b1"))  // of which any byte but 0 is read as 1
    fuzz::check(fuzz::same_rows(*whole, *mapped), "what is read is what is mapped");
  check_converted(input, *whole);
  fuzz::check_windows(input, *whole, read);
}

template <class... T>
void read_as_each(const fuzz::file& input, std::string_view header) {
  // Most types are refused by their names, which need not be seen again and again.
  ((header.find(annulus::detail::npy_dtype<T>().substr(1)) != header.npos ? read_as<T>(input) : void()), ...);
  if (header.find("b1") != header.npos) read_as<std::uint8_t>(input);
}

void read_codewords(const fuzz::file& input) {
  try {
    const auto quantizer = input.accepted([](const auto& path) { return annulus::read_nanopq(path); });
    if (!quantizer) return;
    const auto vectors = quantizer->decode(annulus::matrix<std::uint8_t>(2, quantizer->m()));
    fuzz::check(vectors.cols() == quantizer->dim(), "a code stands for a vector");
  } catch (const std::invalid_argument&) {  // no codewords that a quantiser takes
  }
}

/// Doubles hold whatever floats do.
template <class Codec>
void read_sparse(const fuzz::file& input) {
  const auto rows = input.accepted([](const auto& path) { return annulus::read_scipy_csr<float>(path, Codec{}); });
  const auto doubles = input.accepted([](const auto& path) { return annulus::read_scipy_csr<double>(path, Codec{}); });
  fuzz::check(doubles || !rows, "floats are doubles");
  if (rows)
    fuzz::check(rows->size() == doubles->size() && rows->dim() == doubles->dim() && rows->stored() == doubles->stored(),
                "a matrix is the same in floats and doubles");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::file input({data, size});
  const std::string_view header(reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 256));
  if (header.starts_with("PK")) {
    read_sparse<annulus::stored_codec>(input);
#if defined(ANNULUS_FUZZ_ZLIB)
    fuzz::most_at_once += 8 * 1032 * size;  // compressed bytes may be so many, and become doubles
    read_sparse<annulus::zlib_codec>(input);
#endif
  }
  read_as_each<Eigen::half, double, std::uint8_t, std::int8_t, std::uint16_t, std::int32_t, std::uint32_t,
               std::int64_t>(input, header);
  read_as<float>(input);
  read_codewords(input);
  return 0;
}
