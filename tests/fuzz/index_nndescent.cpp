#include <annulus/nndescent/index.hpp>
#include <annulus/nndescent/rabitq.hpp>

#include "rows.hpp"

namespace {

using namespace annulus;

template <class Index, class Rows>
neighbors answers(const Index& index, Rows rows_of) {
  if (index.dim() == 0 || index.dim() > fuzz::longest_row) return {};
  const auto rows = rows_of(index.dim());
  fuzz::attempt([&] { index.radius_search(rows, 2, {.threads = 1}); });  // not of more than 2^31 ids
  static_cast<void>(index.graph());
  static_cast<void>(index.ids());
  const std::vector<id_type> some{0, 1, 7};
  for (const id_filter& filter : {id_filter([](id_type id) { return id % 2 == 0; }), id_filter::of(some)})
    static_cast<void>(index.search(rows, 3, {.threads = 1, .filter = filter}));
  static_cast<void>(index.search(rows, 3, {.threads = 1, .by_estimates = true}));
  return index.search(rows, 3, {.threads = 1});
}

/// A loaded index has been verified: it can be changed.
template <class Index, class Rows>
void change(Index index, Rows rows_of) {
  if (index.dim() == 0 || index.dim() > fuzz::longest_row) return;
  const auto rows = rows_of(index.dim());
  id_type first = 0;
  if (!fuzz::attempt([&] { first = index.insert(rows); })) return;  // as many ids as there are were given out
  fuzz::check(index.search(rows, 3, {.threads = 1}).ids.rows() == 3, "rows that are inserted can be searched for");
  index.erase(first);
  fuzz::attempt([&] { index.erase(first / 2); });  // unless it was before
  index.consolidate();
  fuzz::attempt([&] { index.insert(rows); });
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
  try_kind<nndescent_index<matrix<float>, euclidean, rabitq<>>>(input, fuzz::dense_rows);
  try_kind<nndescent_index<csr_matrix<float>>>(input, fuzz::sparse_rows);
  return 0;
}
