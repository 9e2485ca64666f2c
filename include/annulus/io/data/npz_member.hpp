#pragma once

/// \file
/// The arrays of an .npz file: one .npy file each, in a zip archive, stored or compressed.

#include <annulus/io/data/npy_convert.hpp>
#include <annulus/io/data/zip_file.hpp>

#include <string>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// The codec of archives that are not compressed: members are stored as they are.
struct stored_codec {};

namespace detail {

/// A codec that compresses and decompresses members, as zlib_codec does.
template <class C>
concept deflate_codec = requires {
  typename C::inflater;
};

/// Reads a member from front to back. Damaged bytes are found by the member's checksum, which finish() compares.
template <class Codec>
class npz_reader : public sequential_reader<npz_reader<Codec>> {
 public:
  npz_reader(input_file& file, const zip_directory& directory, const zip_member& member)
      : m_file(file), m_member(member), m_at(directory.begin_of(member)) {
    m_name = file.name() + ": byte " + std::to_string(m_at) + ": " + member.name;
    if (member.method == zip_member::stored) return;
    if (member.method != zip_member::deflated)
      fail(0, "compressed by method ", member.method, "; only 0 (stored) and 8 (deflate) are read");
    if constexpr (!deflate_codec<Codec>)
      fail(0,
           "this member is compressed: include <annulus/io/data/zlib_codec.hpp>, link zlib, and give zlib_codec{} as "
           "the second argument; or save it uncompressed, as by scipy.sparse.save_npz(..., compressed=False)");
  }

  const std::string& name() const noexcept { return m_name; }
  std::uint64_t size() const noexcept { return m_member.size; }

  void read_next(void* to, std::size_t bytes) {
    this->check_follow(bytes);
    if (m_member.method == zip_member::stored) {
      m_file.seek(m_at + m_offset);
      m_file.read(to, bytes);
    } else if constexpr (deflate_codec<Codec>) {
      const std::size_t got = m_inflater.read(to, bytes, [&] { return next_packed(); });
      if (got != bytes) fail(m_offset + got, "the compressed bytes are damaged, or end here");
    }
    m_crc.add(to, bytes);
  }
  /// \throws format_error where the member was not read to its end or is not as it was written.
  void finish() const {
    if (m_offset != size()) fail(m_offset, "the array ends here, the member ", size() - m_offset, " bytes later");
    if (m_crc.value() != m_member.crc) fail(0, "this is not as it was written: its checksum differs");
  }
  using sequential_reader<npz_reader>::fail;

 private:
  struct nothing {};
  template <class C>
  struct inflater_of {
    using type = nothing;
  };
  template <deflate_codec C>
  struct inflater_of<C> {
    using type = typename C::inflater;
  };

  /// The next compressed bytes; none after the last.
  std::span<const std::byte> next_packed() {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(m_member.packed - m_taken, m_packed.size()));
    m_file.seek(m_at + m_taken);
    m_file.read(m_packed.data(), count);
    m_taken += count;
    return std::span<const std::byte>(m_packed).first(count);
  }

  input_file& m_file;
  const zip_member& m_member;
  std::uint64_t m_at;
  std::string m_name;  ///< of file and member, as messages give it; their offsets are in the member
  using sequential_reader<npz_reader>::m_offset;
  std::uint64_t m_taken = 0;  ///< compressed bytes read
  crc32 m_crc;
  std::vector<std::byte> m_packed = std::vector<std::byte>(deflate_codec<Codec> ? 1 << 16 : 0);
  typename inflater_of<Codec>::type m_inflater;
};

/// Reads an archive array by array.
template <class Codec>
class npz_file {
 public:
  explicit npz_file(const std::filesystem::path& path) : m_file(path), m_directory(m_file) {}

  const input_file& file() const noexcept { return m_file; }

  /// Reads an array of one dimension. \throws format_error for a value that T cannot hold.
  template <class T>
  std::vector<T> read_vector(std::string_view array) {
    npz_reader<Codec> member = open(array);
    const npy_header header(member);
    if (header.shape().size() != 1) member.fail(header.shape_offset(), "a vector has 1 dimension");
    std::vector<T> result;
    const auto read = [&]<class From>(From) {
      using stored = npy_stored<From>;
      const std::size_t n = header.count<From>(member);
      constexpr std::size_t at_once = std::size_t{1} << 16;
      std::vector<stored> block(std::min(n, at_once));
      result.resize(n);
      for (std::size_t done = 0; done < n;) {
        const std::size_t count = std::min(n - done, at_once);
        member.read(block.data(), count * sizeof(stored));
        for (std::size_t i = 0; i < count; ++i) {
          if (!fits<T>(block[i]))
            member.fail(header.data_offset() + (done + i) * sizeof(stored), +block[i], " has no value of the type '",
                        npy_dtype<T>(), "'");
          result[done + i] = static_cast<T>(static_cast<From>(block[i]));
        }
        done += count;
      }
    };
    if (!with_npy_scalar<T>(header, read)) header.fail_of_dtype(member, npy_dtype<T>());
    member.finish();
    return result;
  }

  /// Reads an array without dimensions that is a string of up to 64 bytes, of bytes or of 32-bit letters.
  std::string read_text(std::string_view array) {
    npz_reader<Codec> member = open(array);
    const npy_header header(member);
    const bool is_wide = header.dtype().starts_with("<U");
    if (!header.shape().empty() || !(is_wide || header.dtype().starts_with("|S")))
      member.fail(header.shape_offset(), "this is not a string: dtype '", header.dtype(), "'");
    constexpr std::uint64_t longest = 64;
    if (member.size() - member.offset() > longest) member.fail(member.offset(), "a string of more than 64 bytes");
    std::string bytes(static_cast<std::size_t>(member.size() - member.offset()), ' '), text;
    member.read(bytes.data(), bytes.size());
    member.finish();
    for (std::size_t i = 0; i < bytes.size(); i += is_wide ? 4 : 1)
      if (bytes[i] != '\0') text += bytes[i];
    return text;
  }

 private:
  npz_reader<Codec> open(std::string_view array) {
    const std::string name = std::string(array) + ".npy";
    const zip_member* found = nullptr;
    for (const zip_member& member : m_directory.members()) {
      if (member.name != name) continue;
      if (found != nullptr) m_file.fail(0, "the archive has two members '", name, "'");
      found = &member;
    }
    if (found == nullptr) m_file.fail(0, "the archive has no member '", name, "'");
    return {m_file, m_directory, *found};
  }

  input_file m_file;
  zip_directory m_directory;
};

/// Writes arrays into an archive, as numpy.savez and savez_compressed do; all sizes have 64 bits (zip64).
template <class Codec>
class npz_writer {
 public:
  explicit npz_writer(const std::filesystem::path& path) : m_file(path) {}

  template <class T>
  void add(std::string_view array, std::span<const T> values) {
    add_bytes(array, npy_header_bytes(npy_dtype<T>(), std::array{values.size()}), values.data(), values.size_bytes());
  }
  void add_text(std::string_view array, std::string_view text) {
    add_bytes(array, npy_header_bytes("|S" + std::to_string(text.size()), {}), text.data(), text.size());
  }

  void commit() {
    const std::uint64_t begin = m_at, count = m_n_members, bytes = m_directory.size();
    write(m_directory.data(), bytes);
    std::string end;
    put(end, 0x06064B50u, std::uint64_t{44}, version, version, 0u, 0u, count, count, bytes, begin);
    put(end, 0x07064B50u, 0u, begin + bytes, 1u);
    const auto short_count = static_cast<std::uint16_t>(count);
    put(end, 0x06054B50u, narrow, narrow, short_count, short_count, all_ones, all_ones, narrow);
    write(end.data(), end.size());
    m_file.commit();
  }

 private:
  static constexpr std::uint16_t version = 45, narrow = 0;  // 45: zip64
  static constexpr std::uint32_t all_ones = 0xFFFFFFFF;

  template <class... Field>
  static void put(std::string& record, const Field&... fields) {
    (record.append(reinterpret_cast<const char*>(&fields), sizeof fields), ...);
  }
  void write(const void* bytes, std::size_t count) {
    m_file.write(bytes, count);
    m_at += count;
  }

  void add_bytes(std::string_view array, const std::string& header, const void* values, std::size_t bytes) {
    crc32 crc;
    crc.add(header.data(), header.size());
    crc.add(values, bytes);
    std::vector<std::byte> packed;
    if constexpr (deflate_codec<Codec>) packed = Codec::deflate(header, {static_cast<const char*>(values), bytes});
    const std::uint64_t size = header.size() + bytes, stored = deflate_codec<Codec> ? packed.size() : size, at = m_at;

    const std::string name = std::string(array) + ".npy";
    const auto name_bytes = static_cast<std::uint16_t>(name.size());
    const std::uint16_t method = deflate_codec<Codec> ? zip_member::deflated : zip_member::stored;
    // No flags, and the earliest date of the format, 1980-01-01.
    std::string fields, local, sizes;
    put(fields, version, std::uint16_t{0}, method, std::uint16_t{0}, std::uint16_t{0x21}, crc.value(), all_ones,
        all_ones, name_bytes);
    put(sizes, std::uint16_t{1}, std::uint16_t{16}, size, stored);
    put(local, 0x04034B50u);
    local += fields;
    put(local, static_cast<std::uint16_t>(sizes.size()));
    local += name + sizes;
    write(local.data(), local.size());
    if constexpr (deflate_codec<Codec>) {
      write(packed.data(), packed.size());
    } else {
      write(header.data(), header.size());
      write(values, bytes);
    }

    put(m_directory, 0x02014B50u, version);
    m_directory += fields;
    put(m_directory, std::uint16_t{28}, narrow, narrow, narrow, std::uint32_t{0}, all_ones);
    m_directory += name;
    put(m_directory, std::uint16_t{1}, std::uint16_t{24}, size, stored, at);
    ++m_n_members;
  }

  output_file m_file;
  std::uint64_t m_at = 0, m_n_members = 0;
  std::string m_directory;
};

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
