#pragma once

#include "io/scratch.hpp"

#include <array>
#include <string_view>

/// A file that some reader is given by mistake, and what the reader has to say of it.
struct foreign_file {
  std::string bytes, kind;
};

inline std::vector<foreign_file> foreign_files() {
  const std::string rest(600, '\x7F');
  std::string tar(257, 'a');
  tar.append("ustar").append(rest);
  return {
      {"version https://git-lfs.github.com/spec/v1\noid "
       "sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d"
       "17e2393\nsize 12345\n",
       "a git-lfs pointer: run 'git lfs pull' to fetch"},
      {"/annex/objects/SHA256E-s12--ab\n", "a git-annex pointer: run 'git annex get'"},
      {"\n<!DOCTYPE html>\n<html><head><title>404</title></head></html>\n", "HTML or XML, as a server sends"},
      {"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "it begins <?xml version=\"1.0\"?>"},
      {"404: Not Found", "text: it begins 404: Not Found"},
      {"caf\xC3\xA9 0.418 0.24968 -0.41242\nof 0.1217 0.34527 -0.044457\n", "text: it begins caf\xC3\xA9 0.418"},
      {std::string("\x1F\x8B\x08\0", 4) + rest, "compressed by gzip: decompress it first"},
      {"BZh91AY&SY" + rest, "compressed by bzip2"},
      {std::string("\xFD\x37zXZ\0", 6) + rest, "compressed by xz"},
      {"\x28\xB5\x2F\xFD" + rest, "compressed by zstd"},
      {"PK\3\4" + rest, "a zip archive, as an npz file is"},
      {"\x89HDF\r\n\x1A\n" + rest, "an HDF5 file"},
      {std::string("\x93NUMPY\1\0", 8) + rest, "an npy file, of numpy"},
      {std::string("\x80\4\x95\7\0\0\0\0\0\0\0", 11) + rest, "a pickle of Python"},
      {std::string("\x40\0\0\0\0\0\0\0{\"__metadata__\":{}", 25) + rest, "a safetensors file, as index files"},
      {std::string("IwFl\x20\0\0\0\7\0\0\0", 12) + rest, "a faiss file"},
      {tar, "a tar archive: unpack it first"},
      {std::string(600, '\0'), "zero bytes where it begins"},
  };
}

/// read(path) says of each of these files what it is, but of those of its own format, and refuses all. Where it takes
/// an empty file for no rows, `empty_is_none`.
template <class Read>
void check_says_what_files_are(std::string_view format, Read read, bool empty_is_none = false) {
  INFO(format);
  for (const foreign_file& file : foreign_files()) {
    const std::string said = complaint_about(file.bytes, read);
    INFO(file.kind);
    if (file.kind.find(' ' + std::string(format) + " file") == file.kind.npos) {
      CHECK_THAT(said, Catch::Matchers::StartsWith("byte 0: this is no " + std::string(format) + " file but "));
      CHECK_THAT(said, ContainsSubstring(file.kind));
    } else {
      CHECK(said != "nothing");
      CHECK_THAT(said, !ContainsSubstring(" but "));
    }
  }
  const std::string of_empty = complaint_about("", read);
  if (empty_is_none) CHECK(of_empty == "nothing");
  else CHECK_THAT(of_empty, ContainsSubstring("byte 0: the file is empty"));
}
