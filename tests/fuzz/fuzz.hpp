#pragma once

// What the fuzz targets share. A target is one function, which libFuzzer calls with inputs that it makes up (preset
// fuzz), and replay.cpp with those of the corpus. It calls a loader, which may refuse the input as documented and do
// nothing else: another exception, or one without a reason, an allocation that the input does not justify, and answers
// that depend on the way of loading end the program.

#include <annulus/core/base/errors.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <concepts>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace fuzz {

using bytes = std::span<const std::uint8_t>;

inline void check(bool condition, const char* claim, const char* about = "") {
  if (condition) return;
  std::fprintf(stderr, "fuzz: does not hold: %s %s\n", claim, about);
  std::abort();
}

constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();
extern std::size_t most_at_once;  ///< what may be allocated at once: memory.cpp

/// An input as a file, in memory and the only one. As long as it lives, allocations are limited to some times its size.
class file {
 public:
  explicit file(bytes input) : m_size(input.size()) {
    check(ftruncate(descriptor(), 0) == 0, "the file can be emptied");
    check(pwrite(descriptor(), input.data(), input.size(), 0) == static_cast<ssize_t>(input.size()),
          "the file can be written");
    most_at_once = (std::size_t{1} << 20) + 64 * input.size();
  }
  file(const file&) = delete;
  file& operator=(const file&) = delete;
  ~file() { most_at_once = no_limit; }

  const std::filesystem::path& path() const {
    static const std::filesystem::path result = "/proc/self/fd/" + std::to_string(descriptor());
    return result;
  }

  /// What read(path) returns; nothing where it refuses the file as malformed, for which it has to give a place in it.
  template <class Read>
  auto accepted(Read read) const -> std::optional<decltype(read(path()))> {
    try {
      return read(path());
    } catch (const annulus::format_error& error) {
      const std::string message = error.what(), start = path().string() + ": byte ";
      check(message.starts_with(start), "the message names the file and a byte", error.what());
      check(std::strtoull(message.c_str() + start.size(), nullptr, 10) <= m_size, "the byte is in the file",
            error.what());
      return {};
    }
  }

 private:
  static int descriptor() {
    static const int number = memfd_create("input", 0);
    return number;
  }

  std::size_t m_size;
};

/// Calls f, which may refuse its arguments as documented. Whether it did not.
template <class F>
bool attempt(F f) {
  try {
    f();
    return true;
  } catch (const std::invalid_argument&) {
    return false;
  }
}

template <class T>
bool same_values(std::span<const T> a, std::span<const T> b) {  // NaN too
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}
template <class A, class B>
bool same_rows(const A& a, const B& b) {
  if (a.rows() != b.rows() || a.cols() != b.cols()) return false;
  if (a.cols() == 0) return true;  // of any number of rows
  for (std::size_t i = 0; i < a.rows(); ++i)
    if (!same_values(std::span<const typename A::value_type>(a.row(i)), b.row(i))) return false;
  return true;
}

/// read(path, first, count) gives those rows of `whole`, and refuses a first row behind the last.
template <class Whole, class Read>
void check_windows(const file& input, const Whole& whole, Read read) {
  for (const std::size_t first : {std::size_t{1}, whole.rows() / 2, whole.rows()}) {
    if (first > whole.rows()) continue;
    const auto window = input.accepted([&](const auto& path) { return read(path, first, 2); });
    check(window && window->rows() == std::min<std::size_t>(2, whole.rows() - first), "a window has its rows");
    for (std::size_t i = 0; i < window->rows() && window->cols() > 0; ++i)
      check(same_values(std::span<const typename Whole::value_type>(window->row(i)), whole.row(first + i)),
            "a window has the rows of the whole");
  }
  if (whole.rows() == no_limit) return;
  try {
    read(input.path(), whole.rows() + 1, 1);
    check(false, "a window behind the end is refused");
  } catch (const std::invalid_argument&) {
  }
}

}  // namespace fuzz
