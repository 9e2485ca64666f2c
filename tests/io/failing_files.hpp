#pragma once

// Files that are written and read while allocations fail.

#include "failing_allocations.hpp"
#include "io/scratch.hpp"

namespace failing_files {

using path = std::filesystem::path;

/// What becomes of a file that write(path) replaces while allocations fail: it must be the old one where that throws,
/// else the new one, and alone in its folder. At most `most` of the allocations are tried.
template <class Write>
allocations::outcome replaced(Write write, std::size_t most = allocations::never) {
  const scratch_folder folder;
  const path file = folder / "file";
  write(file);
  const std::string whole = bytes_of(file), old = "an old file";
  return allocations::fail_each(
      [&](auto fail) {
        write_bytes(file, old);
        const bool has_thrown = fail([&] { write(file); });
        return bytes_of(file) == (has_thrown ? old : whole) && folder.n_files() == 1;
      },
      most);
}

/// What becomes of read(path) where allocations fail, the file being what write(path) writes.
template <class Write, class Read>
allocations::outcome read_back(Write write, Read read, std::size_t most = allocations::never) {
  const scratch_folder folder;
  const path file = folder / "file";
  write(file);
  return allocations::fail_call([&] { return read(file); }, most);
}

}  // namespace failing_files
