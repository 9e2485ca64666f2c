#include <annulus/io/data/vecs.hpp>

#include "fuzz.hpp"

namespace {

template <class T>
void read_as(const fuzz::file& input, fuzz::bytes bytes) {
  const auto read = [](const auto& path, std::size_t first = 0, std::size_t count = annulus::all_rows) {
    return annulus::read_vecs<T>(path, first, count);
  };
  const auto whole = input.accepted(read);
  const auto mapped = input.accepted([](const auto& path) { return annulus::map_vecs<T>(path); });
  fuzz::check(whole.has_value() == mapped.has_value(), "a file is read where it is mapped, and else refused");
  if (!whole) return void(input.accepted([&](const auto& path) { return read(path, 0, 2); }));

  fuzz::check(fuzz::same_rows(*whole, *mapped), "what is read is what is mapped");
  const std::size_t row_bytes = whole->cols() * sizeof(T);
  fuzz::check(whole->rows() * (sizeof(std::int32_t) + row_bytes) == bytes.size(), "the rows are the whole file");
  for (std::size_t i = 0; i < whole->rows(); ++i) {
    const std::uint8_t* const row = bytes.data() + i * (sizeof(std::int32_t) + row_bytes);
    fuzz::check(std::memcmp(row, bytes.data(), sizeof(std::int32_t)) == 0, "a row begins with d");
    fuzz::check(std::memcmp(row + sizeof(std::int32_t), whole->row(i).data(), row_bytes) == 0,
                "a row has the bytes of the file");
  }
  fuzz::check_windows(input, *whole, read);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::bytes bytes(data, size);
  const fuzz::file input(bytes);
  read_as<float>(input, bytes);
  read_as<std::uint8_t>(input, bytes);
  read_as<std::int32_t>(input, bytes);
  return 0;
}
