#pragma once

#include <annulus/io/data/scipy_npz.hpp>

#include "catch.hpp"
#include "io/foreign_files.hpp"

/// The files that tests/data/scipy/make.py makes.
inline std::filesystem::path scipy_file(const std::string& name) {
  return std::filesystem::path(ANNULUS_TEST_DATA_DIR) / "scipy" / name;
}

/// Whether rows are those of that script's matrix; any value but 0 counts as 1 where they were bools.
template <class T>
bool is_scipy_sample(const annulus::csr_matrix<T>& rows, bool are_bools = false) {
  if (rows.size() != 6 || rows.dim() != 9) return false;
  for (std::size_t i = 0; i < 6; ++i) {
    const auto row = rows.row(i);
    std::size_t at = 0;
    for (std::size_t j = 0; j < 9; ++j) {
      if ((i * 7 + j * 3) % 5 != 0) continue;
      if (at == row.indices.size() || row.indices[at] != static_cast<std::int32_t>(j)) return false;
      if (row.values[at++] != (are_bools ? T(1) : static_cast<T>(static_cast<double>(i * 10 + j) + 0.5))) return false;
    }
    if (at != row.indices.size()) return false;
  }
  return true;
}

template <class T>
bool same_sparse(const annulus::csr_matrix<T>& a, const annulus::csr_matrix<T>& b) {
  bool same = a.size() == b.size() && a.dim() == b.dim() && a.stored() == b.stored();
  for (std::size_t i = 0; same && i < a.size(); ++i)
    same =
        std::ranges::equal(a.row(i).indices, b.row(i).indices) && std::ranges::equal(a.row(i).values, b.row(i).values);
  return same;
}

/// n rows of up to 40 of d values, some of them empty.
template <class T>
annulus::csr_matrix<T> scattered_rows(std::size_t n, std::size_t d) {
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<T> values;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i * 7 % 11; j < d && i % 5 != 3; j += 1 + (i + j) % (d / 40 + 1)) {
      indices.push_back(static_cast<std::int32_t>(j));
      values.push_back(static_cast<T>((i * 31 + j) % 100));
    }
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  return {indptr, indices, values, d};
}

/// The bytes with the sequence `from`, once there, replaced by one as long.
inline std::string with(std::string bytes, const std::string& from, const std::string& to) {
  const auto at = bytes.rfind(from);
  REQUIRE(at != bytes.npos);
  return bytes.replace(at, from.size(), to);
}

/// That a file cut anywhere is refused, and one with any byte changed refused or read as it was. read(path) gives
/// whether the answer is right.
template <class Read>
void check_damage(const std::string& bytes, Read read) {
  const scratch_folder folder;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    write_bytes(folder / "cut", bytes.substr(0, size));
    REQUIRE_THROWS_AS(read(folder / "cut"), annulus::format_error);
  }
  std::size_t n_refused = 0, n_wrong = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    for (const int change : {1, 0x80, 0xFF}) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ change);
      write_bytes(folder / "changed", changed);
      try {
        n_wrong += !read(folder / "changed");
      } catch (const annulus::format_error&) {
        ++n_refused;
      }
    }
  CHECK(n_refused > bytes.size());
  CHECK(n_wrong == 0);
}
