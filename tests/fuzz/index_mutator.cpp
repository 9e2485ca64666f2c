// Makes index files out of index files, most of them with right offsets and checksums: else hardly one in a million
// would get past these.

#include "index_file.hpp"

#include <algorithm>
#include <array>
#include <random>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed);

namespace {

using fuzz::index_file, fuzz::tensor;

class mutator {
 public:
  explicit mutator(unsigned seed) : m_random(seed) {}

  std::size_t below(std::size_t n) { return n == 0 ? 0 : m_random() % n; }

  void change(index_file& file) {
    do {
      const std::size_t choice = below(8);
      if (choice < 3) change_values(file);
      else if (choice < 5) change_metadata(file);
      else if (choice < 6) change_shape(file);
      else if (choice < 7) change_size(file);
      else change_tensors(file);
    } while (below(3) == 0);
  }

 private:
  /// What sizes and ids are compared with, and what overflows.
  std::uint64_t number() {
    static constexpr std::array<std::uint64_t, 14> special{
        0, 1, 2, 3, 7, 16, 255, 256, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 1ull << 61, ~0ull};
    return below(3) == 0 ? below(40) : special[below(special.size())];
  }

  void change_values(index_file& file) {
    if (file.tensors.empty()) return;
    tensor& t = file.tensors[below(file.tensors.size())];
    const std::size_t bytes = t.values.size(), each = annulus::detail::tensor_value_bytes(t.dtype);
    if (bytes < each) return;
    if (below(2) == 0) {
      LLVMFuzzerMutate(t.values.data(), bytes, bytes);  // what gets shorter keeps its old end
      return;
    }
    const std::size_t at = below(bytes / each) * each;
    std::uint64_t value = number();
    const std::size_t from = below(bytes / each) * each;
    if (below(2) == 0) std::memcpy(&value, t.values.data() + from, each);
    std::memcpy(t.values.data() + at, &value, each);
  }

  void change_metadata(index_file& file) {
    if (file.metadata.empty()) return;
    auto& [key, text] = *std::next(file.metadata.begin(), static_cast<std::ptrdiff_t>(below(file.metadata.size())));
    static constexpr std::array<const char*, 10> special{"nan", "inf", "-inf", "1e30",  "-1",
                                                         "0.5", "-0",  "true", "false", "18446744073709551615"};
    const std::size_t choice = below(4);
    if (choice == 0) text = special[below(special.size())];
    else if (choice == 1) {
      text.resize(text.size() + 8, '0');
      text.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(text.data()), text.size() - 8, text.size()));
      for (char& c : text) c = static_cast<char>(c & 0x7F);  // JSON is UTF-8
    } else if (choice == 2)
      text = std::next(file.metadata.begin(), static_cast<std::ptrdiff_t>(below(file.metadata.size())))->second;
    else text = std::to_string(number());
  }

  void change_shape(index_file& file) {
    if (file.tensors.empty()) return;
    tensor& t = file.tensors[below(file.tensors.size())];
    const std::size_t choice = below(6);
    if (choice == 0) t.shape.push_back(below(3));
    else if (choice == 1 && !t.shape.empty()) t.shape.pop_back();
    else if (choice == 2) t.dtype = std::array{"U8", "F32", "U32", "I8", "U64", "F16", "U16", "F64"}[below(8)];
    else if (!t.shape.empty()) t.shape[below(t.shape.size())] = number();
    fit_values(t);
  }

  /// Another number of rows, say, wherever it is said.
  void change_size(index_file& file) {
    std::vector<std::uint64_t> sizes;
    for (const tensor& t : file.tensors) sizes.insert(sizes.end(), t.shape.begin(), t.shape.end());
    if (sizes.empty()) return;
    const std::uint64_t size = sizes[below(sizes.size())];
    const std::uint64_t other = below(2) == 0 ? number() : size + below(5) - 2;
    for (tensor& t : file.tensors) {
      std::replace(t.shape.begin(), t.shape.end(), size, other);
      fit_values(t);
    }
    for (auto& [key, text] : file.metadata)
      if (text == std::to_string(size) && key != "format_version") text = std::to_string(other);
  }

  void change_tensors(index_file& file) {
    if (file.tensors.empty()) return;
    const std::size_t i = below(file.tensors.size()), j = below(file.tensors.size());
    if (below(2) == 0) std::swap(file.tensors[i].name, file.tensors[j].name);
    else if (below(4) > 0) file.tensors[i].values = file.tensors[j].values, fit_values(file.tensors[i]);
    else file.tensors.erase(file.tensors.begin() + static_cast<std::ptrdiff_t>(i));
  }

  /// As many values as the shape asks for, while they are few: the old ones again and again.
  static void fit_values(tensor& t) {
    constexpr std::uint64_t most = 1 << 16;
    std::uint64_t bytes = annulus::detail::tensor_value_bytes(t.dtype);
    for (const std::uint64_t size : t.shape)
      if (__builtin_mul_overflow(bytes, size, &bytes)) return;
    const std::size_t old = t.values.size();
    if (bytes > most) return;
    t.values.resize(bytes);
    for (std::size_t i = old; i < bytes && old > 0; ++i) t.values[i] = t.values[i - old];
  }

  std::minstd_rand m_random;
};

}  // namespace

std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  mutator mutator(seed);
  const std::size_t choice = mutator.below(8);
  if (choice == 0) return LLVMFuzzerMutate(data, size, most);
  std::optional<index_file> file = index_file::parse({data, size});
  if (!file) return LLVMFuzzerMutate(data, size, most);
  if (choice == 1) {  // the text of the header, or one of the values: what becomes of it may be no JSON
    std::uint64_t length = 0;
    std::memcpy(&length, data, sizeof length);
    LLVMFuzzerMutate(data + sizeof length, length, length);
    file = index_file::parse({data, size});
    if (!file) return size;
  } else mutator.change(*file);
  try {
    const std::string bytes = file->bytes(mutator.below(16) > 0);
    if (bytes.size() > most) return LLVMFuzzerMutate(data, size, most);
    std::copy(bytes.begin(), bytes.end(), data);
    return bytes.size();
  } catch (const nlohmann::json::exception&) {
    return LLVMFuzzerMutate(data, size, most);
  }
}
