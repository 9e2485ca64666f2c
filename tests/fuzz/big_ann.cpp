#include <annulus/io/data/big_ann.hpp>
#include <annulus/io/data/big_ann_truth.hpp>

#include "fuzz.hpp"

namespace {

template <class T>
void read_as(const fuzz::file& input, fuzz::bytes bytes) {
  const auto read = [](const auto& path, std::size_t first = 0, std::size_t count = annulus::all_rows) {
    return annulus::read_big_ann<T>(path, first, count);
  };
  const auto whole = input.accepted(read);
  const auto mapped = input.accepted([](const auto& path) { return annulus::map_big_ann<T>(path); });
  fuzz::check(whole.has_value() == mapped.has_value(), "a file is read where it is mapped, and else refused");
  if (!whole) return;

  fuzz::check(fuzz::same_rows(*whole, *mapped), "what is read is what is mapped");
  const std::size_t value_bytes = whole->rows() * whole->cols() * sizeof(T);
  fuzz::check(8 + value_bytes == bytes.size(), "the rows are the whole file");
  fuzz::check(value_bytes == 0 || std::memcmp(whole->data(), bytes.data() + 8, value_bytes) == 0,
              "the rows have the bytes of the file");
  fuzz::check_windows(input, *whole, read);
}

void read_truth(const fuzz::file& input, fuzz::bytes bytes) {
  if (const auto truth = input.accepted([](const auto& path) { return annulus::read_big_ann_truth(path); }))
    fuzz::check(8 + 8 * truth->ids.rows() * truth->ids.cols() == bytes.size(), "ids and distances are the whole file");
  const auto near = input.accepted([](const auto& path) { return annulus::read_big_ann_range_truth(path); });
  if (!near) return;
  fuzz::check(static_cast<std::size_t>(near->indptr.back()) == near->indices.size(), "each row has its neighbours");
  for (const std::int32_t id : near->indices)
    fuzz::check(id >= 0 && static_cast<std::size_t>(id) < near->n_columns, "a neighbour is a column");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::bytes bytes(data, size);
  const fuzz::file input(bytes);
  read_as<float>(input, bytes);
  read_as<std::uint8_t>(input, bytes);
  read_as<std::int8_t>(input, bytes);
  read_as<std::int32_t>(input, bytes);
  read_truth(input, bytes);
  return 0;
}
