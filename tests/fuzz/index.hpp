#pragma once

// How the targets of index files try an index: loaded, mapped, and as a mapped one whose arrays end where they end.

#include <annulus/core/result/neighbors.hpp>
#include <annulus/io/index/index_file.hpp>

#include "fuzz.hpp"

namespace fuzz {

/// Tensors in memory of exactly their size, not compared with their checksums: what a mapped index sees, but that the
/// sanitizer sees the ends of its arrays.
class unverified_tensors {
 public:
  explicit unverified_tensors(const std::filesystem::path& path) : m_file(path), m_tensors(path) {}
  const annulus::detail::safetensors_header& header() const noexcept { return m_tensors.header(); }
  template <class T>
  annulus::detail::buffer<T> read(const std::string&, const annulus::tensor_info& tensor) {
    annulus::detail::buffer<T> values((tensor.end - tensor.begin) / sizeof(T));
    m_file.seek(tensor.begin);
    m_file.read(values.data(), values.size() * sizeof(T));
    return values;
  }
  template <class... Reason>
  [[noreturn]] void fail(std::uint64_t offset, const Reason&... reason) const {
    m_file.fail(offset, reason...);
  }

 private:
  annulus::detail::input_file m_file;
  annulus::detail::mapped_tensors m_tensors;
};

inline bool same(const annulus::neighbors& a, const annulus::neighbors& b) {
  return same_rows(a.ids, b.ids) && same_rows(a.distances, b.distances);
}

/// use(index) must be safe whatever the arrays of the index contain, and give the same answers for an index however it
/// came from its file; change(index) must be for one that was loaded.
template <class Index, class Use, class Change>
void try_index(const file& input, Use use, Change change) {
  const auto unverified =
      input.accepted([](const auto& path) { return annulus::detail::read_index<Index>(unverified_tensors(path)); });
  if (!unverified) return;  // what all ways to open it have in common
  const auto answers = use(*unverified);
  const std::string defect = annulus::detail::persistence::defect(*unverified);
  if (const auto mapped = input.accepted([](const auto& path) { return annulus::map_index<Index>(path); }))
    check(same(use(*mapped), answers), "a mapped index answers as one in memory");
  const auto loaded = input.accepted([](const auto& path) { return annulus::load_index<Index>(path); });
  const bool is_whole =
      input.accepted([](const auto& path) { return annulus::verify_index_file(path), true; }).has_value();
  check(!loaded || defect.empty(), "what is loaded is sound", defect.c_str());
  check(loaded || !is_whole || !defect.empty(), "what is whole and sound is loaded");
  if (!loaded) return;
  check(same(use(*loaded), answers), "a loaded index answers as a mapped one");
  change(*loaded);
}

template <class Index, class Use>
void try_index(const file& input, Use use) {
  try_index<Index>(input, use, [](const Index&) {});
}

/// What a file says of its index; nothing where there is none in it.
inline std::optional<annulus::index_file_info> info_of(const file& input) {
  return input.accepted([](const auto& path) { return annulus::read_index_info(path); });
}

}  // namespace fuzz
