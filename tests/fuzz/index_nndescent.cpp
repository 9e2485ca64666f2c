#include <annulus/nndescent/index.hpp>

#include "rows.hpp"

namespace {

using namespace annulus;

template <class Index, class Rows>
neighbors answers(const Index& index, Rows rows_of) {
  if (index.dim() == 0 || index.dim() > fuzz::longest_row) return {};
  const auto rows = rows_of(index.dim());
  static_cast<void>(index.radius_search(rows, 2, {.threads = 1}));
  static_cast<void>(index.graph());
  return index.search(rows, 3, {.threads = 1});
}

/// A loaded index has been verified: it can be changed.
template <class Index, class Rows>
void change(Index index, Rows rows_of) {
  if (index.dim() == 0 || index.dim() > fuzz::longest_row) return;
  const auto rows = rows_of(index.dim());
  const id_type first = index.insert(rows);
  fuzz::check(index.search(rows, 3, {.threads = 1}).ids.rows() == 3, "rows that are inserted can be searched for");
  index.erase(first);
  if (first > 0) try {
      index.erase(first / 2);
    } catch (const std::invalid_argument&) {  // erased already
    }
  index.consolidate();
  index.insert(rows);
  static_cast<void>(index.search(rows, 3, {.threads = 1}));
}

template <class Index, class Rows>
void try_kind(const fuzz::file& input, Rows rows_of) {
  fuzz::try_index<Index>(
      input, [&](const Index& index) { return answers(index, rows_of); },
      [&](const Index& index) { change(index, rows_of); });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::file input({data, size});
  if (!fuzz::info_of(input)) return 0;
  try_kind<nndescent_index<matrix<float>>>(input, fuzz::dense_rows);
  try_kind<nndescent_index<matrix<float>, euclidean, sq8>>(input, fuzz::dense_rows);
  try_kind<nndescent_index<csr_matrix<float>>>(input, fuzz::sparse_rows);
  return 0;
}
