// Sizes beyond 2^31 and 2^32, which no test can afford: `scale [part of a name...]` runs the checks whose names contain
// one of the parts, by default all. Each needs up to 16 GiB of memory; those of files need 3 GiB in the current folder.

#include <annulus/annulus.hpp>
#include <annulus/io/index/index_file.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>

namespace {

using namespace annulus;

constexpr std::size_t many_rows = 12'000'000, row_length = 200;  // 2.4e9 bytes

void require(bool condition, const char* what) {
  if (condition) return;
  std::printf("FAILED: %s\n", what);
  std::exit(1);
}

/// Random bytes, all different rows.
matrix<std::uint8_t> random_bytes(std::size_t rows, std::size_t cols) {
  matrix<std::uint8_t> result(rows, cols);
  const counter_random random(17);
  const std::size_t bytes = rows * cols;
  parallel_for(0, bytes / 8, std::size_t{1} << 20, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::uint64_t bits = random.bits(i);
      std::memcpy(result.data() + 8 * i, &bits, 8);
    }
  });
  return result;
}

/// Rows of a matrix from its beginning, across the 2^31st byte, and at its end.
std::vector<std::size_t> telling_rows(const matrix<std::uint8_t>& rows) {
  const std::size_t across = (std::size_t{1} << 31) / rows.cols();
  return {0, 1, across - 1, across, across + 1, rows.rows() - 2, rows.rows() - 1};
}

/// Copies of these rows, a coordinate changed.
matrix<std::uint8_t> near_rows(const matrix<std::uint8_t>& rows, const std::vector<std::size_t>& which) {
  matrix<std::uint8_t> result(which.size(), rows.cols());
  for (std::size_t i = 0; i < which.size(); ++i) {
    std::ranges::copy(rows.row(which[i]), result.row(i).begin());
    result(i, i) ^= 1;
  }
  return result;
}

void require_found(const neighbors& found, const std::vector<std::size_t>& rows, float distance) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    require(found.ids(i, 0) == rows[i], "the nearest is the row itself");
    require(found.distances(i, 0) == distance, "at the distance of the change");
    require(found.distances(i, 1) > distance, "and no other is as near");
  }
}

void exact_search() {
  const auto rows = random_bytes(many_rows, row_length);
  const auto which = telling_rows(rows);
  const auto queries = near_rows(rows, which);
  require_found(knn(rows, queries, 2, sqeuclidean{}), which, 1);
  require_found(knn(rows, queries, 2, manhattan{}), which, 1);
  require_found(knn(rows, queries, 2, bit_hamming{}), which, 1);
  require_found(knn(rows, queries, 2, sqeuclidean{}, {.recall_target = 0.9}), which, 1);
  const flat_index index(rows, sqeuclidean{});
  require_found(index.search(queries, 2), which, 1);
}

void hash_tables() {
  const auto rows = random_bytes(many_rows, row_length);
  const auto which = telling_rows(rows);
  const auto queries = near_rows(rows, which);
  const lsh_index<bit_matrix, bit_sampling> index(rows, {}, {.n_projections = 24, .n_tables = 4});
  require_found(index.search(queries, 2), which, 1);
  require(index.memory_bytes() > many_rows * row_length, "the rows count as memory");
}

void codes() {
  constexpr std::size_t ks = 256;
  matrix<float> codewords(row_length * ks, 1);
  for (std::size_t i = 0; i < codewords.rows(); ++i) codewords(i, 0) = static_cast<float>(i % ks);
  const product_quantizer<> quantizer(row_length, std::move(codewords));
  const auto rows = random_bytes(many_rows, row_length);
  const auto which = telling_rows(rows);
  const auto near = near_rows(rows, which);
  matrix<float> queries(near.rows(), near.cols());
  std::ranges::copy_n(near.data(), static_cast<std::ptrdiff_t>(near.rows() * near.cols()), queries.data());
  require_found(quantizer.search(rows, queries, 2), which, 1);
  fast_scan_index index(quantizer);
  index.insert_codes(rows);
  require_found(index.search(queries, 2, {.float_tables = true}), which, 1);
}

void largest_operand() {
  const std::size_t n = (std::size_t{1} << 31) + 1000, m = n - 7;
  std::vector<std::int8_t> operand(n, 5);
  operand[m] = -3;
  operand[2] = -2;
  const auto found = approx_min_k(operand, 2);
  require(found.indices[0] == static_cast<std::int64_t>(m) && found.values[0] == -3, "the least is beyond 2^31");
  require(found.indices[1] == 2, "the next at the beginning");
}

/// 33,000 rows of 65,536 bytes: built, saved, mapped, searched.
void graph_of_long_rows() {
  constexpr std::size_t n = 33'000, d = 65'536, groups = 330;
  matrix<std::uint8_t> rows(n, d);
  const counter_random random(5);
  parallel_for(0, n, 16, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i)  // a tenth of the coordinates are the row's own
      for (std::size_t j = 0; j < d; ++j)
        rows(i, j) = static_cast<std::uint8_t>(random.bits(j % 10 == 0 ? (i + groups) * d + j : i % groups * d + j));
  });
  const nndescent_index index(rows, euclidean{}, {.n_neighbors = 10, .n_iters = 2});
  std::printf("  %.2f GB for %.2f GB of rows\n", static_cast<double>(index.memory_bytes()) * 1e-9,
              static_cast<double>(n * d) * 1e-9);
  const auto which = telling_rows(rows);
  const auto queries = near_rows(rows, which);
  const neighbors found = index.search(queries, 2);
  require_found(found, which, 1);
  save(index, "scale.index");
  const auto start = std::chrono::steady_clock::now();
  const auto mapped = map_index<nndescent_index<matrix<std::uint8_t>>>("scale.index");
  std::printf("  mapped in %.2f ms\n",
              std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  require(mapped.search(queries, 2) == found, "the mapped index answers likewise");
  const auto loaded = load_index<nndescent_index<matrix<std::uint8_t>>>("scale.index");
  require(loaded.search(queries, 2) == found, "the loaded index answers likewise");
  std::remove("scale.index");
}

/// Rows of sets with more than 2^31 members in all.
void sparse_rows() {
  constexpr std::size_t n = 2'200'000, members = 1000, dim = 1'000'000;
  std::vector<std::int64_t> indptr(n + 1);
  std::vector<std::int32_t> indices(n * members);
  const counter_random random(3);
  parallel_for(0, n, 1024, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i)
      for (std::size_t j = 0; j < members; ++j)
        indices[i * members + j] =
            static_cast<std::int32_t>(dim / members * j + random.below(i * members + j, dim / members));
  });
  for (std::size_t i = 0; i <= n; ++i) indptr[i] = static_cast<std::int64_t>(i * members);
  const csr_matrix<std::uint8_t> sets(std::move(indptr), std::move(indices), dim);
  for (const std::size_t row : {std::size_t{0}, n / 2, n - 1}) {
    const sparse_row<std::uint8_t> query = sets.row(row);
    const std::array<std::int64_t, 2> ends{0, static_cast<std::int64_t>(members)};
    const csr_view<std::uint8_t> one(ends, query.indices, dim);
    const neighbors found = knn(csr_view<std::uint8_t>(sets), one, 2, jaccard{});
    require(found.ids(0, 0) == row && found.distances(0, 0) == 0 && found.distances(0, 1) > 0, "a set finds itself");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::pair<const char*, void (*)()> checks[] = {
      {"exact search of 12,000,000 x 200 bytes", exact_search},
      {"hash tables of 12,000,000 x 1,600 bits", hash_tables},
      {"product quantiser and fast scan of 12,000,000 x 200 codes", codes},
      {"approximate top-k of 2^31 + 1,000 values", largest_operand},
      {"graph of 33,000 x 65,536 bytes, in memory and in a file", graph_of_long_rows},
      {"sets of 2,200,000,000 members", sparse_rows},
  };
  for (const auto& [name, check] : checks) {
    bool is_wanted = argc < 2;
    for (int i = 1; i < argc; ++i) is_wanted |= std::string_view(name).find(argv[i]) != std::string_view::npos;
    if (!is_wanted) continue;
    std::printf("%s\n", name);
    std::fflush(stdout);
    const auto start = std::chrono::steady_clock::now();
    check();
    std::printf("  passed in %.0f s\n",
                std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
}
