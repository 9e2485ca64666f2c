#include <annulus/io/faiss/faiss_io.hpp>

#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::file input({data, size});
  const auto index = input.accepted([](const auto& path) { return annulus::read_faiss(path); });
  constexpr std::size_t longest = 4096;  // an empty index may say any dimension
  if (!index || index->dim() > longest) return 0;

  annulus::matrix<float> queries(2, index->dim());
  for (std::size_t j = 0; j < index->dim(); ++j) queries(1, j) = static_cast<float>(j % 7) - 3;
  annulus::neighbors found;
  const auto search = [&] { found = index->search(queries, 3, {.threads = 1}); };
  if (!fuzz::attempt(search)) return 0;  // a transform takes queries to where distances are no floats
  for (const annulus::id_type id : std::span(found.ids.data(), 6))
    fuzz::check(id < index->size() || id == annulus::no_id, "an id is that of a vector");
  return 0;
}
