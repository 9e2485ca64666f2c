#pragma once

/// \file
/// What files need of the system: the only header by which the library calls it, apart from huge pages (Linux, in
/// core/base/allocator.hpp). Each system has its own file with these functions:
///
/// - `std::span<std::byte> map_file(path, name, mapping)`: the bytes of a regular file, mapped copy on write or to be
///   read only, from an address that is a multiple of 64; none for an empty file. The file itself is closed again.
///   \throws std::system_error where the file is missing, cannot be opened or mapped, or is not a regular file.
/// - `void unmap_file(bytes)`: ends that.
/// - `std::FILE* open_to_append(path)`: opens a file that is written to at its end, and makes it where there is none;
///   nullptr, and errno, where that fails.
/// - `bool flush_to_disk(file)`: whether all that the system has of a file is on the disk; else false, and errno.
/// - `file_lock(path, name)`: a file, made where there is none, that one object in all processes holds at a time, and
///   that is removed with the object that holds it; a process that is killed holds nothing any more. File systems
///   without locks let all hold it. \throws std::system_error where the file cannot be opened.
///   - `bool is_held()`: false where another holds it.
/// - `random_file`, a regular file that is read at any place, by any number of threads at a time:
///   - `random_file(path, name, is_direct)`: opens it; past the memory of the system's cache if `is_direct` and the
///     system can do that. \throws std::system_error as map_file does.
///   - `std::uint64_t size()`, when it was opened.
///   - `std::size_t alignment()`: of offsets, sizes and addresses of reads; 1 if it is not read directly.
///   - `std::size_t read_at(offset, to, bytes, name)`: returns how many bytes it has read, which are fewer than asked
///     for near the end of the file, and none behind it. \throws std::system_error where the system cannot read it.
///   - `bool is_unchanged()`: whether size and time of the last write are those of when it was opened.
///   - `int descriptor()`, not under Windows.
/// - `replaced_file`, what stands at a path before a file is written there:
///   - `replaced_file(path, name)`: \throws std::system_error where a file is there that may not be written, or where
///     a folder is.
///   - `bool is_special()`: whether it is there and is no regular file, as a pipe or a terminal.
///   - `std::FILE* open_special(path)`: opens it for writing; nullptr, and errno, where that fails.
///   - `std::FILE* create_temporary(path)`: makes a file that is to replace it, which nobody can read who cannot read
///     the old one (Windows: that its folder lets read); nullptr, and errno (EEXIST where the name is taken), where
///     that fails.
///   - `bool complete(file, path)`: gives that file the rights of the old one, which stands at `path`, as far as the
///     process may (not under Windows), and flushes it to the disk. False, and errno, where that fails.
/// - `void replace_file(temporary, path, name)`: puts a file that is closed in the place of another or of none.
///   \throws std::system_error where that fails: the old file is then as it was.
///
/// `name` is the file in messages.

#if defined(_WIN32)
#include <annulus/storage/windows_files.hpp>
#else
#include <annulus/storage/posix_files.hpp>
#endif
