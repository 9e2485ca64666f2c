#pragma once

/// \file
/// Reads many rows of a file at once: by io_uring, where the program is linked to liburing and the kernel lets it, else
/// by threads. annulus.hpp leaves this header out.

#include <annulus/core/base/allocator.hpp>
#include <annulus/core/base/parallel.hpp>
#include <annulus/disk/read_ring.hpp>
#include <annulus/storage/system_files.hpp>

#include <cstring>
#include <optional>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// How rows are read from a file.
struct read_params {
  /// Past the system's cache of files (O_DIRECT), where the system can do that. Else the cache keeps what is read,
  /// beside the memory of this process and as long as no other needs the memory.
  bool direct = true;
  /// By io_uring, where it is: in builds that define ANNULUS_WITH_LIBURING, on kernels that let the process use it.
  bool io_uring = true;
  /// Without io_uring: how many threads read the rows of a query, the one that searches among them; 0: all cores.
  std::size_t read_threads = 4;
};

/// Where the rows of a file lie: row i from byte offset + i * stride on.
struct row_places {
  std::uint64_t offset = 0;     ///< of the first row, in bytes
  std::uint64_t stride = 0;     ///< bytes from one row to the next
  std::uint64_t row_bytes = 0;  ///< bytes of a row
  std::uint64_t count = 0;      ///< rows
};

namespace detail {

/// A file of rows, for any number of readers. It must stay as it is: what was written to it or cut off after it was
/// opened is noticed by those who read it. To replace it by a rename is safe.
class row_file {
 public:
  /// \throws std::system_error where the file is missing, cannot be opened, or is not a regular file; format_error
  /// where it is too short for these rows.
  row_file(const std::filesystem::path& path, const row_places& rows, bool is_direct)
      : m_name(name_of_path(path)), m_file(path, m_name, is_direct), m_rows(rows) {
    if (rows.count == 0) return;
    const std::uint64_t room = size() - std::min(size(), rows.offset);
    // In steps that cannot overflow.
    if (rows.row_bytes > room || (rows.count > 1 && (room - rows.row_bytes) / (rows.count - 1) < rows.stride))
      fail(size(), "the file ends here, too early for ", rows.count, " rows of ", rows.row_bytes, " bytes, ",
           rows.stride, " bytes apart from byte ", rows.offset, " on");
  }

  const std::string& name() const noexcept { return m_name; }
  std::uint64_t size() const noexcept { return m_file.size(); }
  const row_places& rows() const noexcept { return m_rows; }
  const random_file& file() const noexcept { return m_file; }
  bool is_direct() const noexcept { return m_file.alignment() > 1; }

  template <class... Reason>
  [[noreturn]] void fail(std::uint64_t offset, const Reason&... reason) const {
    fail_format(m_name, offset, reason...);
  }
  /// \throws format_error
  void check_unchanged() const {
    if (!m_file.is_unchanged()) fail(0, "the file was written to, or cut, after it was opened: open it again");
  }

 private:
  std::string m_name;
  random_file m_file;
  row_places m_rows;
};

/// Reads rows for one thread: start() hands them to the kernel, wait() returns once all are there. Keeps its memory
/// from one call to the next.
class row_reader {
 public:
  row_reader(std::shared_ptr<const row_file> file, const read_params& params)
      : m_file(std::move(file)), m_read_threads(resolve_threads(params.read_threads)) {
    constexpr unsigned entries = 128;
    if (params.io_uring) m_ring = read_ring::make(entries);
  }
  row_reader(row_reader&&) noexcept = default;
  ~row_reader() { drain(); }

  const row_file& file() const noexcept { return *m_file; }
  bool uses_io_uring() const noexcept { return m_ring != nullptr; }
  std::uint64_t n_reads() const noexcept { return m_n_reads; }  ///< so far, one a row
  std::uint64_t n_bytes() const noexcept { return m_n_bytes; }  ///< of these

  /// Begins to read rows, which are below rows().count; what was read before is forgotten.
  void start(std::span<const std::uint64_t> rows) {
    drain();
    m_n_started = m_n_ended = 0;
    m_requests.resize(rows.size());
    const row_places& places = m_file->rows();
    const std::uint64_t unit = m_file->file().alignment();
    const std::uint64_t room = (places.row_bytes + 2 * (unit - 1)) / unit * unit;  // wherever a row begins
    std::byte* const memory = aligned_memory(rows.size() * room);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::uint64_t begin = places.offset + rows[i] * places.stride, first = begin / unit * unit;
      const std::uint64_t end = (begin + places.row_bytes + unit - 1) / unit * unit;
      m_requests[i] = {first, memory + i * room, static_cast<std::size_t>(end - first),
                       static_cast<std::size_t>(begin - first), 0};
      m_n_bytes += end - first;
    }
    m_n_reads += rows.size();
    submit();
  }

  /// \throws std::system_error where the system cannot read the file; format_error where it was changed after it was
  /// opened. Nothing is being read any more then.
  void wait() {
    if (m_ring == nullptr) read_by_threads();
    while (m_ring != nullptr && m_n_ended < m_requests.size()) {
      collect();
      submit();
    }
    for (request& r : m_requests)
      if (!is_whole(r)) read_rest(r);
    m_file->check_unchanged();
  }
  /// The bytes of the i-th row, after wait().
  const std::byte* operator[](std::size_t i) const noexcept { return m_requests[i].to + m_requests[i].skipped; }

 private:
  struct request {
    std::uint64_t offset;
    std::byte* to;
    std::size_t bytes;    ///< whole units of the file's alignment
    std::size_t skipped;  ///< of these before the row
    std::size_t done;
  };
  bool is_whole(const request& r) const noexcept { return r.done >= r.skipped + m_file->rows().row_bytes; }

  /// As many reads as the ring has room for.
  void submit() noexcept {
    if (m_ring == nullptr) return;
    const std::size_t first = m_n_started;
    while (m_n_started < m_requests.size() && m_n_started - m_n_ended < m_ring->entries()) {
      const request& r = m_requests[m_n_started];
      m_ring->add(m_file->file(), r.offset, r.to, r.bytes, m_n_started++);
    }
    const std::size_t n_added = m_n_started - first, n_taken = m_ring->submit(n_added);
    if (n_taken == n_added) return;
    m_n_started = first + n_taken;
    drain();
    m_ring.reset();  // wait() reads the rest, and later rows go by threads
  }
  void collect() noexcept {
    m_n_ended += m_ring->wait([this](std::size_t number, std::int32_t result) {
      m_requests[number].done = static_cast<std::size_t>(std::max(result, 0));
    });
  }
  /// Waits for all reads in the hands of the kernel, as memory that it writes to must stay.
  void drain() noexcept {
    while (m_ring != nullptr && m_n_ended < m_n_started) collect();
  }

  void read_by_threads() {
    if (m_team == nullptr) m_team = std::make_unique<thread_team>(m_read_threads);
    const std::size_t grain = (m_requests.size() + m_read_threads - 1) / m_read_threads;
    parallel_for(*m_team, m_requests.size(), std::max<std::size_t>(grain, 1),
                 [&](std::size_t begin, std::size_t end, std::size_t) {
                   for (std::size_t i = begin; i < end; ++i) read_rest(m_requests[i]);
                 });
  }
  /// Reads on where a read ended early. A direct read goes on where the last whole unit ended.
  void read_rest(request& r) const {
    while (!is_whole(r)) {
      r.done -= r.done % m_file->file().alignment();
      const std::size_t before = r.done;
      r.done += m_file->file().read_at(r.offset + r.done, r.to + r.done, r.bytes - r.done, m_file->name());
      if (!is_whole(r) && r.done < before + m_file->file().alignment()) {
        m_file->check_unchanged();
        m_file->fail(r.offset + r.done, "the file ends here, within a row");
      }
    }
  }

  /// Memory that begins at a page, as direct reads may need.
  std::byte* aligned_memory(std::size_t bytes) {
    constexpr std::size_t page = 4096;
    if (m_memory.size() < bytes + page) m_memory = std::vector<std::byte>(bytes + page);
    const auto place = reinterpret_cast<std::uintptr_t>(m_memory.data());
    return m_memory.data() + (page - place % page) % page;
  }

  std::shared_ptr<const row_file> m_file;
  std::size_t m_read_threads;
  std::unique_ptr<read_ring> m_ring;
  std::unique_ptr<thread_team> m_team;  ///< started by the first reads without a ring
  std::vector<request> m_requests;
  std::vector<std::byte> m_memory;
  std::size_t m_n_started = 0, m_n_ended = 0;  ///< of the requests, in the hands of the kernel
  std::uint64_t m_n_reads = 0, m_n_bytes = 0;
};

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
