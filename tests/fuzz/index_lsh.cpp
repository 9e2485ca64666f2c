#include <annulus/lsh/families/minhash.hpp>
#include <annulus/lsh/families/p_stable.hpp>
#include <annulus/lsh/families/sign_random_projection.hpp>
#include <annulus/lsh/index.hpp>

#include "rows.hpp"

namespace {

using namespace annulus;

template <class Index, class Rows>
neighbors answers(const Index& index, Rows rows_of) {
  if (index.dim() > fuzz::longest_row) return {};
  const auto rows = rows_of(index.dim());
  static_cast<void>(index.candidates(rows, {.n_probes = 40, .threads = 1}));
  static_cast<void>(index.describe());
  if (index.params().only_index) return {};
  return index.search(rows, 3, {.n_probes = 40, .threads = 1});
}

/// A loaded index has been verified: it can be changed.
template <class Index, class Rows>
void change(Index index, Rows rows_of) {
  if (index.dim() > fuzz::longest_row) return;
  const auto rows = rows_of(index.dim());
  const id_type first = index.insert(rows);
  index.erase(first);
  static_cast<void>(index.candidates(rows, {.threads = 1}));
  index.compact();
  const auto found = index.candidates(rows, {.threads = 1});
  fuzz::check(std::ranges::find(found[1].ids, first + 1) != found[1].ids.end(), "a row is found in its own bucket");
}

template <class Index, class Rows>
void try_kind(const fuzz::file& input, Rows rows_of) {
  fuzz::try_index<Index>(
      input, [&](const Index& index) { return answers(index, rows_of); },
      [&](const Index& index) { change(index, rows_of); });
}

/// Functions are drawn again, and a file may ask for up to 2^26 numbers of them and 1024 a byte.
bool takes_long(const index_file_info& info) {
  constexpr double quick = 0x1p16, most = 0x1p27;
  double numbers = 1;
  for (const char* const name : {"params.n_projections", "params.n_tables", "dim"}) {
    std::size_t factor = 0;
    if (const auto found = info.metadata.find(name);
        found == info.metadata.end() || !detail::parse_number(found->second, factor))
      return false;
    numbers *= static_cast<double>(factor);
    if (numbers > quick && numbers < most) return true;
  }
  return false;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::file input({data, size});
  if (const auto info = fuzz::info_of(input); !info || takes_long(*info)) return 0;
  try_kind<lsh_index<matrix<float>, sign_random_projection>>(input, fuzz::dense_rows);
  try_kind<lsh_index<matrix<float>, p_stable_l2>>(input, fuzz::dense_rows);
  try_kind<lsh_index<csr_matrix<float>, minhash>>(input, fuzz::sparse_rows);
  return 0;
}
