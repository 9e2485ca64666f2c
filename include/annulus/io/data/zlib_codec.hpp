#pragma once

/// \file
/// Compressed .npz files, by zlib. Opt-in: annulus.hpp leaves this header out, and a program that includes it links
/// zlib (target annulus::zlib).

#include <annulus/core/base/errors.hpp>

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <span>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// Reads and writes compressed members of .npz files, as in `read_scipy_csr<float>(path, zlib_codec{})`.
struct zlib_codec {
  /// Decompresses one member from front to back.
  class inflater {
   public:
    /// At the begin of a member. \throws std::bad_alloc
    inflater() {
      if (inflateInit2(&m_stream, raw) != Z_OK) throw std::bad_alloc();
    }
    inflater(const inflater&) = delete;
    inflater& operator=(const inflater&) = delete;
    ~inflater() { inflateEnd(&m_stream); }

    /// Decompresses bytes. \param to where they are written \param bytes at most so many \param refill called for the
    /// next compressed bytes, of which there are none after the last \returns their number, which is less than `bytes`
    /// where the compressed ones end or are damaged \throws any exception of refill
    template <class Refill>
    std::size_t read(void* to, std::size_t bytes, Refill refill) {
      std::size_t done = 0;
      while (done < bytes) {
        if (m_stream.avail_in == 0) {
          const std::span<const std::byte> packed = refill();
          m_stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
          m_stream.avail_in = static_cast<uInt>(packed.size());
        }
        const auto room = static_cast<uInt>(std::min(bytes - done, most_at_once));
        m_stream.next_out = static_cast<Bytef*>(to) + done;
        m_stream.avail_out = room;
        const int status = ::inflate(&m_stream, Z_NO_FLUSH);
        done += room - m_stream.avail_out;
        if (status != Z_OK) break;
      }
      return done;
    }

   private:
    z_stream m_stream{};
  };

  /// Compresses two texts as one. \param first,second the texts \returns the compressed bytes \throws std::bad_alloc
  static std::vector<std::byte> deflate(std::string_view first, std::string_view second) {
    struct stream : z_stream {
      stream() : z_stream{} {
        if (deflateInit2(this, Z_DEFAULT_COMPRESSION, Z_DEFLATED, raw, 8, Z_DEFAULT_STRATEGY) != Z_OK)
          throw std::bad_alloc();
      }
      stream(const stream&) = delete;
      stream& operator=(const stream&) = delete;
      ~stream() { deflateEnd(this); }
    } stream;
    std::vector<std::byte> packed;
    std::size_t done = 0;
    const auto add = [&](std::string_view text, int flush) {
      for (int status = Z_OK; !text.empty() || (flush == Z_FINISH && status != Z_STREAM_END);) {
        const auto piece = static_cast<uInt>(std::min(text.size(), most_at_once));
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
        stream.avail_in = piece;
        if (packed.size() - done < least_room) packed.resize(2 * packed.size() + least_room);
        const auto room = static_cast<uInt>(std::min(packed.size() - done, most_at_once));
        stream.next_out = reinterpret_cast<Bytef*>(packed.data() + done);
        stream.avail_out = room;
        status = ::deflate(&stream, piece == text.size() ? flush : Z_NO_FLUSH);
        done += room - stream.avail_out;
        text.remove_prefix(piece - stream.avail_in);
      }
    };
    add(first, Z_NO_FLUSH);
    add(second, Z_FINISH);
    packed.resize(done);
    return packed;
  }

 private:
  static constexpr int raw = -15;  ///< zlib: deflate with the largest window, without a header
  static constexpr std::size_t most_at_once = std::size_t{1} << 30, least_room = std::size_t{1} << 14;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
