#pragma once

/// \file
/// Messages of bytes from each rank to each other: written, exchanged all at once, and read. Numbers travel in as few
/// bytes as the greatest of their kind needs.

#include <annulus/core/base/assert.hpp>
#include <annulus/mpi/together.hpp>

#include <bit>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// How many bytes hold every number below n.
constexpr std::size_t bytes_below(std::uint64_t n) noexcept {
  return std::max<std::size_t>(1, (static_cast<std::size_t>(std::bit_width(n > 0 ? n - 1 : 0)) + 7) / 8);
}

class message_writer {
 public:
  template <class T>
  void put(const T& value) {
    put_all(std::span<const T>(&value, 1));
  }
  template <class T>
  void put_all(std::span<const T> values) {
    const std::size_t begin = m_bytes.size();
    m_bytes.resize(begin + values.size_bytes());
    if (!values.empty()) std::memcpy(m_bytes.data() + begin, values.data(), values.size_bytes());
  }
  /// The lowest `width` bytes of a number.
  void put_number(std::uint64_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) m_bytes.push_back(static_cast<std::byte>(value >> 8 * i));
  }
  /// Seven bits a byte, for numbers that are low as a rule.
  void put_count(std::uint64_t value) {
    for (; value > 0x7F; value >>= 7) m_bytes.push_back(static_cast<std::byte>(value | 0x80));
    m_bytes.push_back(static_cast<std::byte>(value));
  }
  std::span<const std::byte> bytes() const noexcept { return m_bytes; }
  void clear() noexcept { m_bytes.clear(); }

 private:
  std::vector<std::byte> m_bytes;
};

/// Reads what a message_writer wrote, call for call.
class message_reader {
 public:
  message_reader() = default;
  explicit message_reader(std::span<const std::byte> bytes) noexcept : m_bytes(bytes) {}

  std::size_t size() const noexcept { return m_bytes.size(); }  ///< bytes that are left
  bool is_at_end() const noexcept { return m_bytes.empty(); }
  template <class T>
  T get() {
    T value;
    std::memcpy(&value, take(sizeof(T)), sizeof(T));
    return value;
  }
  template <class T>
  void get_all(std::span<T> values) {
    const std::byte* const from = take(values.size_bytes());
    if (!values.empty()) std::memcpy(values.data(), from, values.size_bytes());
  }
  std::uint64_t get_number(std::size_t width) {
    const std::byte* const from = take(width);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i) value |= std::to_integer<std::uint64_t>(from[i]) << 8 * i;
    return value;
  }
  std::uint64_t get_count() {
    std::uint64_t value = 0;
    for (std::size_t shift = 0;; shift += 7) {
      const auto bits = std::to_integer<std::uint64_t>(*take(1));
      value |= (bits & 0x7F) << shift;
      if (bits <= 0x7F) return value;
    }
  }

 private:
  const std::byte* take(std::size_t n) noexcept {
    ANNULUS_ASSERT(n <= m_bytes.size());
    const std::byte* const from = m_bytes.data();
    m_bytes = m_bytes.subspan(n);
    return from;
  }

  std::span<const std::byte> m_bytes;
};

/// One message from each rank to each rank, again and again. What a rank writes to itself is not sent.
class message_exchange {
 public:
  /// Collective.
  explicit message_exchange(const mpi::communicator& comm) : m_comm(&comm) {
    mpi::together(comm, [&] {
      m_out.resize(static_cast<std::size_t>(comm.size()));
      m_begins.assign(m_out.size() + 1, 0);
    });
  }

  std::size_t size() const noexcept { return m_out.size(); }
  std::size_t rank() const noexcept { return static_cast<std::size_t>(m_comm->rank()); }
  message_writer& to(std::size_t rank) noexcept { return m_out[rank]; }
  /// Bytes written since the last exchange, to all ranks.
  std::size_t pending_bytes() const noexcept {
    std::size_t bytes = 0;
    for (const message_writer& out : m_out) bytes += out.bytes().size();
    return bytes;
  }

  /// Sends what was written, and receives what the others wrote. Collective.
  void exchange() {
    m_in = {};
    m_in = m_comm->exchange_blocks<std::byte>([&](std::size_t r) { return m_out[r].bytes(); });
    for (std::size_t r = 0; r < size(); ++r) {
      if (r != rank()) m_bytes_sent += m_out[r].bytes().size() + sizeof(std::uint64_t);
      m_out[r].clear();
    }
    std::partial_sum(m_in.counts.begin(), m_in.counts.end(), m_begins.begin() + 1);
  }

  /// Gives all ranks what rank 0 wrote to itself alone, in place of an exchange. Collective.
  void broadcast() {
    const std::size_t bytes = m_comm->broadcast_value(m_out[0].bytes().size(), 0);
    mpi::together(*m_comm, [&] {
      m_in = {};
      m_in.counts.assign(size(), 0);
      m_in.counts[0] = bytes;
      m_in.values.resize(bytes);
    });
    if (rank() == 0) {
      std::ranges::copy(m_out[0].bytes(), m_in.values.begin());
      m_bytes_sent += (size() - 1) * (m_in.counts[0] + sizeof(std::uint64_t));
    }
    m_comm->broadcast(std::span(m_in.values), 0);
    std::partial_sum(m_in.counts.begin(), m_in.counts.end(), m_begins.begin() + 1);
    m_out[0].clear();
  }

  /// What that rank wrote to this one, until the next exchange.
  message_reader from(std::size_t rank) const noexcept {
    return message_reader(std::span(m_in.values).subspan(m_begins[rank], m_in.counts[rank]));
  }

  /// Bytes sent to other ranks so far, with those that tell how many there are.
  std::uint64_t bytes_sent() const noexcept { return m_bytes_sent; }

 private:
  const mpi::communicator* m_comm;
  std::vector<message_writer> m_out;
  mpi::rank_blocks<std::byte> m_in;
  std::vector<std::size_t> m_begins;
  std::uint64_t m_bytes_sent = 0;
};

/// How much a rank writes before the next exchange, about.
inline constexpr std::size_t message_block_bytes = std::size_t{1} << 20;

/// Exchanges in blocks: fill(worker) writes until message_block_bytes are pending, or all that there is, and returns
/// whether there is more; each of `take` reads what arrived then, and may write what the next one reads. Until no rank
/// has more. Where one throws, all ranks do. Collective.
template <class Fill, class... Take>
void exchange_in_blocks(const mpi::communicator& comm, message_exchange& messages, Fill fill, Take... take) {
  for (bool has_more = true; has_more;) {
    const int more = mpi::together(comm, [&] { return fill() ? 1 : 0; });
    const auto step = [&](auto& read) {
      messages.exchange();
      mpi::together(comm, read);
    };
    (step(take), ...);
    has_more = comm.all_reduce(more, MPI_MAX) != 0;
  }
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
