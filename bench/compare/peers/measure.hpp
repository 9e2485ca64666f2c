#pragma once

/// \file
/// Times, memory, and lines of JSON.

#include <malloc.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>

namespace compare {

/// Seconds of processor time (by default of this thread, which others that need the core do not lengthen), or of the
/// clock on the wall.
inline double seconds(clockid_t clock = CLOCK_THREAD_CPUTIME_ID) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Bytes in memory, once all that was freed has been given back.
inline std::size_t resident_bytes() {
  malloc_trim(0);
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

inline std::string quoted(const std::string& text) { return '"' + text + '"'; }

/// A name and its value.
struct field {
  field(const char* name, const std::string& value) : json(quoted(name) + ": " + quoted(value)) {}
  template <class Number>
    requires std::is_arithmetic_v<Number> field(const char* name, Number value) {
      std::ostringstream text;
      text.precision(9);
      text << value;
      json = quoted(name) + ": " + text.str();
    }
  std::string json;
};

/// One measurement: a line of JSON on the standard output.
inline void print_record(std::initializer_list<field> fields) {
  const char* separator = "{";
  for (const field& f : fields) std::cout << std::exchange(separator, ", ") << f.json;
  std::cout << '}' << std::endl;
}

}  // namespace compare
