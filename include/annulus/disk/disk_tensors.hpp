#pragma once

/// \file
/// The tensors of an index file but for the exact rows, which stay in the file. annulus.hpp leaves this header out.
/// Needs nlohmann/json and xxHash, as io/index does.

#include <annulus/io/index/tensor_files.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Copies tensors to memory and compares them with their checksums, or leaves them where they are. The lists of
/// neighbours always stay there, as searches need little of them, and are only checked.
class disk_tensors : public mapped_tensors {
 public:
  static constexpr std::string_view rows_name = "rows.values", lists_prefix = "graph.neighbors.";

  disk_tensors(const std::filesystem::path& path, bool is_mapped) : mapped_tensors(path), m_is_mapped(is_mapped) {}

  /// Where the exact rows are; nullptr where the index was built without.
  const tensor_info* rows() const noexcept {
    const auto found = header().tensors().find(rows_name);
    return found == header().tensors().end() ? nullptr : &found->second;
  }

  template <class T>
  buffer<T> read(const std::string& name, const tensor_info& tensor) {
    if (name == rows_name) return {};
    buffer<T> values = mapped_tensors::read<T>(name, tensor);
    if (m_is_mapped) return values;
    check_tensor(*this, name, tensor, values.data());
    if (name.starts_with(lists_prefix)) return values;
    return buffer<T>(std::as_const(values));
  }

 private:
  bool m_is_mapped;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
