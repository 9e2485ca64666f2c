#pragma once

// Tables in Markdown, and the part of a page between two comments that a program writes.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace scale {

/// A whole number, in groups of three digits.
inline std::string count(double x) {
  const std::string digits = std::to_string(std::llround(x));
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0 && text != "-") text += ',';
    text += digits[i];
  }
  return text;
}

/// Three significant digits.
inline std::string number(double x) {
  if (x == 0) return "0";
  const auto digits_before_point = [](double y) { return static_cast<int>(std::floor(std::log10(std::abs(y)))) + 1; };
  const double unit = std::pow(10, digits_before_point(x) - 3), rounded = std::round(x / unit) * unit;
  const int digits = digits_before_point(rounded + std::copysign(unit / 10, x));
  if (digits >= 3) return count(rounded);
  char text[32];
  std::snprintf(text, sizeof(text), "%.*f", std::min(3 - digits, 6), rounded);
  return text;
}

/// How far `found` is from `expected`, in per cent.
inline std::string percent_off(double found, double expected) {
  char text[32];
  std::snprintf(text, sizeof(text), "%+.1f %%", 100 * (found / expected - 1));
  return text;
}

/// A table, whose first line are its headings.
inline std::string table(const std::vector<std::vector<std::string>>& lines) {
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text += "|";
    for (const std::string& cell : lines[i]) text += " " + cell + " |";
    text += "\n";
    if (i > 0) continue;
    text += "|";
    for (std::size_t j = 0; j < lines[i].size(); ++j) text += " --- |";
    text += "\n";
  }
  return text + "\n";
}

/// `page` with `text` between its comments `<!-- name: begin -->` and `<!-- name: end -->`, in place of what is there.
/// \throws std::runtime_error where the page lacks one of them.
inline std::string with_part(const std::string& page, const std::string& name, const std::string& text) {
  const std::string begin = "<!-- " + name + ": begin -->\n", end = "<!-- " + name + ": end -->";
  const std::size_t from = page.find(begin);
  const std::size_t to = from == std::string::npos ? from : page.find(end, from + begin.size());
  if (to == std::string::npos) throw std::runtime_error("the page has no \"" + begin + "\" with its end");
  return page.substr(0, from + begin.size()) + text + page.substr(to);
}

/// Puts the text into the file `path` so. \throws std::runtime_error also where that cannot be read or written.
inline void write_part(const std::string& path, const std::string& name, const std::string& text) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  const std::string page = with_part({std::istreambuf_iterator<char>(in), {}}, name, text);
  std::ofstream out(path, std::ios::binary);
  if (!(out << page << std::flush)) throw std::runtime_error("cannot write " + path);
}

/// The processor by name, family and model, and the instructions that this program is compiled for.
inline std::string processor() {
#if defined(__AVX512VNNI__)
  constexpr std::string_view instructions = "AVX-512 VNNI";
#elif defined(__AVX512BW__)
  constexpr std::string_view instructions = "AVX-512";
#elif defined(__AVX2__)
  constexpr std::string_view instructions = "AVX2";
#elif defined(__aarch64__)
  constexpr std::string_view instructions = "NEON";
#else
  constexpr std::string_view instructions = "SSE2";
#endif
  std::string name = "unknown", family, model, line;
  for (std::ifstream file("/proc/cpuinfo"); std::getline(file, line) && !line.empty();) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || colon + 2 > line.size()) continue;
    const std::string key = line.substr(0, line.find_first_of("\t:")), value = line.substr(colon + 2);
    if (key == "model name") name = value;
    if (key == "cpu family") family = "family " + value + ", ";
    if (key == "model") model = "model " + value + ", ";
  }
  return name + " (" + family + model + std::string(instructions) + ", " +
         std::to_string(std::thread::hardware_concurrency()) + " cores)";
}

/// Today, as 2026-11-30, in UTC.
inline std::string date() {
  const std::time_t now = std::time(nullptr);
  char text[16];
  std::strftime(text, sizeof(text), "%Y-%m-%d", std::gmtime(&now));
  return text;
}

}  // namespace scale
