#pragma once

/// \file
/// Zip archives, as .npz files are: the directory of one that is read, each claim checked against the size of the file,
/// and members stored one after the other in one that is written.

#include <annulus/storage/file_kind.hpp>

#include <array>
#include <cstring>
#include <span>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// [t][byte]: the remainder of the byte followed by t zero bytes.
inline constexpr auto crc32_tables = [] {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t rest = i;
    for (int bit = 0; bit < 8; ++bit) rest = rest >> 1 ^ (rest % 2 * 0xEDB88320u);
    tables[0][i] = rest;
  }
  for (std::size_t t = 1; t < 8; ++t)
    for (std::size_t i = 0; i < 256; ++i) tables[t][i] = tables[0][tables[t - 1][i] & 0xFF] ^ tables[t - 1][i] >> 8;
  return tables;
}();

/// The CRC-32 of zip files (polynomial 0x04C11DB7, reflected), eight bytes at a time.
class crc32 {
 public:
  void add(const void* data, std::size_t bytes) noexcept {
    constexpr auto& tables = crc32_tables;
    const auto* at = static_cast<const unsigned char*>(data);
    for (; bytes >= 8; at += 8, bytes -= 8) {
      std::uint64_t word;
      std::memcpy(&word, at, 8);
      word ^= m_rest;
      std::uint32_t next = 0;
      for (std::size_t i = 0; i < 8; ++i) next ^= tables[7 - i][word >> 8 * i & 0xFF];
      m_rest = next;
    }
    for (; bytes > 0; ++at, --bytes) m_rest = tables[0][(m_rest ^ *at) & 0xFF] ^ m_rest >> 8;
  }
  std::uint32_t value() const noexcept { return ~m_rest; }

 private:
  std::uint32_t m_rest = 0xFFFFFFFFu;
};

/// The fields of a record, little-endian and without gaps.
class zip_record {
 public:
  explicit zip_record(std::string_view bytes) noexcept : m_bytes(bytes) {}
  /// \pre at + sizeof(T) <= the size of the record
  template <class T>
  T at(std::size_t offset) const noexcept {
    T value;
    std::memcpy(&value, m_bytes.data() + offset, sizeof value);
    return value;
  }

 private:
  std::string_view m_bytes;
};

struct zip_member {
  enum : std::uint16_t { stored = 0, deflated = 8 };
  std::string name;
  std::uint16_t method = stored;
  std::uint32_t crc = 0;
  std::uint64_t packed = 0, size = 0;  ///< bytes in the file, and once they are unpacked
  std::uint64_t header = 0;            ///< where its local header is
};

/// The members of an archive, by its central directory at the end: sizes beyond 2^32 (zip64) and members written to a
/// stream, whose local headers have no sizes, are read; encrypted ones and several disks are not. A member unpacks to
/// at most 1,032 times its bytes in the file, as deflate can do, else the directory is refused.
class zip_directory {
 public:
  /// O(bytes of the directory), which it allocates. \throws format_error for a file that is not such an archive.
  explicit zip_directory(input_file& file) : m_file(file) {
    find_directory();
    std::string bytes(static_cast<std::size_t>(m_end - m_begin), ' ');
    m_file.seek(m_begin);
    m_file.read(bytes.data(), bytes.size());
    for (std::size_t at = 0; at < bytes.size();) at += read_member(std::string_view(bytes).substr(at), m_begin + at);
    if (m_members.size() != m_count) fail(m_begin, "the directory has ", m_members.size(), " members, not ", m_count);
  }

  const std::vector<zip_member>& members() const noexcept { return m_members; }

  /// Where the bytes of a member begin, by its local header. \throws format_error where that is no such header, or they
  /// would pass into the directory.
  std::uint64_t begin_of(const zip_member& member) const {
    std::array<char, local_bytes> header;
    m_file.seek(member.header);
    m_file.read(header.data(), header.size());
    const zip_record local({header.data(), header.size()});
    if (local.at<std::uint32_t>(0) != local_mark || local.at<std::uint16_t>(8) != member.method)
      fail(member.header, "there is no header of '", member.name, "' here");
    const std::uint64_t begin = member.header + local_bytes + local.at<std::uint16_t>(26) + local.at<std::uint16_t>(28);
    if (begin > m_begin || member.packed > m_begin - begin)
      fail(member.header, "the ", member.packed, " bytes of '", member.name, "' do not end before the directory");
    return begin;
  }

 private:
  static constexpr std::uint32_t local_mark = 0x04034B50, member_mark = 0x02014B50, end_mark = 0x06054B50,
                                 end64_mark = 0x06064B50, locator_mark = 0x07064B50;
  static constexpr std::size_t local_bytes = 30, member_bytes = 46, end_bytes = 22, end64_bytes = 56,
                               locator_bytes = 20;
  static constexpr std::uint64_t most_deflated = 1032;

  template <class... Reason>
  [[noreturn]] void fail(std::uint64_t offset, const Reason&... reason) const {
    m_file.fail(offset, reason...);
  }

  std::string bytes_at(std::uint64_t offset, std::size_t count) {
    std::string bytes(count, ' ');
    m_file.seek(offset);
    m_file.read(bytes.data(), count);
    return bytes;
  }

  /// Finds the directory by the last record of the file, which a comment of up to 64 KB may follow.
  void find_directory() {
    constexpr std::size_t longest_comment = 0xFFFF;
    const std::uint64_t size = m_file.size();
    const auto tail_size = static_cast<std::size_t>(std::min<std::uint64_t>(size, end_bytes + longest_comment));
    if (size == 0) fail(0, "the file is empty");
    const std::string tail = bytes_at(size - tail_size, tail_size);
    for (std::size_t from_end = end_bytes; from_end <= tail_size; ++from_end) {
      const zip_record end(std::string_view(tail).substr(tail_size - from_end));
      if (end.at<std::uint32_t>(0) != end_mark || end_bytes + end.at<std::uint16_t>(20) != from_end) continue;
      return take_directory(end, size - from_end);
    }
    if (bytes_at(0, static_cast<std::size_t>(std::min<std::uint64_t>(size, 4))) == "PK\3\4")
      fail(size, "the archive has no directory at its end: the file was cut");
    fail_unrecognised(m_file.name(), "npz", 0,
                      "zip archives, as .npz files are, begin with PK\\3\\4; this file does not");
  }

  void take_directory(const zip_record& end, std::uint64_t at) {
    std::uint64_t bytes = end.at<std::uint32_t>(12);
    m_count = end.at<std::uint16_t>(10);
    m_begin = end.at<std::uint32_t>(16);
    const std::uint16_t disk = end.at<std::uint16_t>(4), first_disk = end.at<std::uint16_t>(6);
    if ((disk != 0 && disk != 0xFFFF) || (first_disk != 0 && first_disk != 0xFFFF))
      fail(at + 4, "archives of several disks are not read");
    if (m_count == 0xFFFF || bytes == 0xFFFFFFFF || m_begin == 0xFFFFFFFF) {
      if (at < locator_bytes) fail(at, "the record of 64-bit sizes is missing");
      const std::string locator_text = bytes_at(at - locator_bytes, locator_bytes);
      const zip_record locator(locator_text);
      const std::uint64_t at64 = locator.at<std::uint64_t>(8);
      if (locator.at<std::uint32_t>(0) != locator_mark)
        fail(at - locator_bytes, "the record of 64-bit sizes is missing");
      if (at64 > at - locator_bytes || at - locator_bytes - at64 < end64_bytes)
        fail(at - locator_bytes, "the record of 64-bit sizes is not before this one");
      const std::string end64_text = bytes_at(at64, end64_bytes);
      const zip_record end64(end64_text);
      if (end64.at<std::uint32_t>(0) != end64_mark) fail(at64, "there is no record of 64-bit sizes here");
      m_count = end64.at<std::uint64_t>(32);
      bytes = end64.at<std::uint64_t>(40);
      m_begin = end64.at<std::uint64_t>(48);
      at = at64;
    }
    if (m_begin > at || bytes > at - m_begin)
      fail(at, "a directory of ", bytes, " bytes does not end before this record");
    m_end = m_begin + bytes;
  }

  /// Returns the length of the record.
  std::size_t read_member(std::string_view rest, std::uint64_t at) {
    const zip_record record(rest);
    if (rest.size() < member_bytes || record.at<std::uint32_t>(0) != member_mark)
      fail(at, "the directory does not go on with a member");
    const std::size_t name = record.at<std::uint16_t>(28), extra = record.at<std::uint16_t>(30),
                      comment = record.at<std::uint16_t>(32);
    if (rest.size() - member_bytes < name + extra + comment) fail(at, "a member of the directory passes its end");
    zip_member member;
    member.name = rest.substr(member_bytes, name);
    member.method = record.at<std::uint16_t>(10);
    member.crc = record.at<std::uint32_t>(16);
    member.packed = record.at<std::uint32_t>(20);
    member.size = record.at<std::uint32_t>(24);
    member.header = record.at<std::uint32_t>(42);
    take_wide_sizes(member, rest.substr(member_bytes + name, extra), at);
    if ((record.at<std::uint16_t>(8) & 1) != 0) fail(at, "'", member.name, "' is encrypted");
    if (member.header > m_begin || m_begin - member.header < local_bytes)
      fail(at, "'", member.name, "' is not before the directory");
    const std::uint64_t most = member.method == zip_member::stored ? 1 : most_deflated;
    if (member.packed > m_begin || member.size > member.packed * most ||
        (member.method == zip_member::stored && member.size != member.packed))
      fail(at, "'", member.name, "' claims ", member.size, " bytes of ", member.packed, " in the file");
    m_members.push_back(std::move(member));
    return member_bytes + name + extra + comment;
  }

  /// Of the three numbers, those whose bits are all ones are in an extra field, in this order.
  void take_wide_sizes(zip_member& member, std::string_view extra, std::uint64_t at) const {
    while (extra.size() >= 4) {
      const zip_record field(extra);
      const std::size_t bytes = field.at<std::uint16_t>(2);
      if (bytes > extra.size() - 4) break;
      if (field.at<std::uint16_t>(0) == 1) {
        std::size_t place = 4;
        for (std::uint64_t* number : {&member.size, &member.packed, &member.header}) {
          if (*number != 0xFFFFFFFF) continue;
          if (place + 8 > 4 + bytes) fail(at, "'", member.name, "' has no 64-bit size where it needs one");
          *number = field.at<std::uint64_t>(place);
          place += 8;
        }
      }
      extra.remove_prefix(4 + bytes);
    }
  }

  input_file& m_file;
  std::uint64_t m_begin = 0, m_end = 0, m_count = 0;
  std::vector<zip_member> m_members;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
