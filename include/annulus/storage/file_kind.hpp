#pragma once

/// \file
/// Recognises a file that is not of the format asked for (a failed download, an archive, another format) for the
/// message of the exception. Readers call fail_unrecognised where the first bytes are not those of their format.

#include <annulus/storage/file.hpp>

#include <algorithm>
#include <array>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// A kind of file by the bytes at its beginning, with what to do about it.
struct known_beginning {
  std::string_view bytes, kind;
};

inline constexpr std::array known_beginnings{
    known_beginning{"version https://git-lfs", "a git-lfs pointer: run 'git lfs pull' to fetch the file it stands for"},
    known_beginning{"/annex/objects/", "a git-annex pointer: run 'git annex get' to fetch the file it stands for"},
    known_beginning{"\x1F\x8B\x08", "compressed by gzip: decompress it first (gunzip)"},
    known_beginning{"BZh", "compressed by bzip2: decompress it first (bunzip2)"},
    known_beginning{"\xFD\x37zXZ", "compressed by xz: decompress it first (unxz)"},
    known_beginning{"\x28\xB5\x2F\xFD", "compressed by zstd: decompress it first (unzstd)"},
    known_beginning{"PK\3\4", "a zip archive, as an npz file is"},
    known_beginning{"PK\5\6", "an empty zip archive"},
    known_beginning{"\x89HDF\r\n\x1A\n", "an HDF5 file"},
    known_beginning{"\x93NUMPY", "an npy file, of numpy"},
    known_beginning{"\x80\2}", "a pickle of Python"},
    known_beginning{"\x80\2]", "a pickle of Python"},
    known_beginning{"\x80\2c", "a pickle of Python"},
    known_beginning{"\x80\3}", "a pickle of Python"},
    known_beginning{"\x80\3]", "a pickle of Python"},
    known_beginning{"\x80\3c", "a pickle of Python"},
    known_beginning{"\x80\4\x95", "a pickle of Python"},
    known_beginning{"\x80\5\x95", "a pickle of Python"},
    known_beginning{"PAR1", "a Parquet file"},
    known_beginning{"ARROW1", "an Arrow file"},
    known_beginning{"%PDF-", "a PDF document"},
};

/// Whether these are printable characters, at most a quarter of them outside of ASCII.
inline bool is_text(std::string_view bytes) noexcept {
  const auto is_foreign = [](char c) { return static_cast<unsigned char>(c) > 0x7F; };
  const auto is_of_text = [&](char c) {
    return (c >= ' ' && c != '\x7F') || c == '\n' || c == '\r' || c == '\t' || is_foreign(c);
  };
  return !bytes.empty() && std::ranges::all_of(bytes, is_of_text) &&
         4 * std::ranges::count_if(bytes, is_foreign) < static_cast<std::ptrdiff_t>(bytes.size());
}

/// What a file with these first bytes seems to be; empty where they do not tell. O(bytes).
inline std::string kind_of_file(std::string_view bytes) {
  for (const auto& known : known_beginnings)
    if (bytes.starts_with(known.bytes)) return std::string(known.kind);
  constexpr std::size_t tar_mark = 257, json_mark = 8;
  if (bytes.size() > tar_mark && bytes.substr(tar_mark).starts_with("ustar")) return "a tar archive: unpack it first";
  if (bytes.size() > json_mark && bytes.substr(json_mark).starts_with("{\"") && bytes[json_mark - 1] == '\0')
    return "a safetensors file, as index files of this library are";
  if (is_text(bytes)) {
    std::string_view line = bytes.substr(std::min(bytes.find_first_not_of(" \t\r\n"), bytes.size()));
    line = line.substr(0, std::min<std::size_t>(line.find_first_of("\r\n"), 60));
    if (line.starts_with('<'))
      return "HTML or XML, as a server sends where it has no such file: it begins " + std::string(line);
    return "text: it begins " + std::string(line);
  }
  if (bytes.starts_with('I') && bytes.size() > 4 && is_text(bytes.substr(0, 4))) return "a faiss file";
  if (bytes.size() >= 64 && std::ranges::all_of(bytes, [](char c) { return c == '\0'; }))
    return "zero bytes where it begins: it may not have been copied or downloaded whole";
  return {};
}

/// Throws format_error for a file that does not begin as those of `format` do: with what the file seems to be instead,
/// else with the reason, which is that of byte `offset`. Reads the first bytes of the file again.
template <class... Reason>
[[noreturn, gnu::noinline, gnu::cold]] void fail_unrecognised(const std::string& file, std::string_view format,
                                                              std::uint64_t offset, const Reason&... reason) {
  std::array<char, 512> start;
  std::ifstream stream(path_of_name(file), std::ios::binary);
  stream.read(start.data(), start.size());
  if (stream.is_open() && stream.gcount() == 0) fail_format(file, 0, "the file is empty");
  const std::string kind = kind_of_file({start.data(), static_cast<std::size_t>(stream.gcount())});
  const std::string own = ' ' + std::string(format) + " file";
  if (!kind.empty() && kind.find(own) == kind.npos) fail_format(file, 0, "this is no", own, " but ", kind);
  fail_format(file, offset, reason...);
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
