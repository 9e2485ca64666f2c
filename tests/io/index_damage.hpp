#pragma once

// What becomes of an index whose file is damaged.

#include <annulus/core/base/random.hpp>

#include "io/index_edit.hpp"
#include "message_of.hpp"

/// What load_index says to a file, after its name and the byte; "" where it says nothing.
template <class Index>
std::string complaint_of_load(const std::filesystem::path& path) {
  const std::string message =
      message_or_nothing<annulus::format_error>([&] { static_cast<void>(annulus::load_index<Index>(path)); });
  if (message == "nothing") return "";
  return message.substr(message.find(": ", message.find(": byte ") + 2) + 2);
}

/// What load_index says of an index whose file edit(edited_index&) has changed.
template <class Index>
std::string complaint_after(const Index& index, auto edit) {
  const scratch_folder folder;
  save(index, folder / "index");
  edited_index edited(folder / "index");
  edit(edited);
  edited.save(folder / "index");
  return complaint_of_load<Index>(folder / "index");
}

template <class Index>
bool is_refused(const std::filesystem::path& path) {
  try {
    static_cast<void>(annulus::load_index<Index>(path));
  } catch (const annulus::format_error&) {
    return true;
  } catch (const std::system_error&) {
    return true;
  }
  return false;
}

/// Maps the file and uses the index, unless it is refused.
template <class Index, class Use>
void use_mapped(const std::filesystem::path& path, Use use) {
  try {
    use(annulus::map_index<Index>(path));
  } catch (const annulus::format_error&) {
  }
}

/// Whether every shorter file is refused, and can be mapped without harm or not at all.
template <class Index, class Use>
bool refuses_truncation(const Index& index, Use use) {
  const scratch_folder folder;
  const auto path = folder / "index";
  annulus::save(index, path);
  for (std::uintmax_t size = std::filesystem::file_size(path); size-- > 0;) {
    std::filesystem::resize_file(path, size);
    if (!is_refused<Index>(path)) return false;
    use_mapped<Index>(path, use);
  }
  return true;
}

/// The same where one bit differs: of each byte of the header, and of one byte of each tensor.
template <class Index, class Use>
bool refuses_flips(const Index& index, Use use) {
  const scratch_folder folder;
  const auto path = folder / "index";
  annulus::save(index, path);
  const std::string bytes = bytes_of(path);
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), sizeof header_bytes);
  std::vector<std::size_t> places(sizeof header_bytes + header_bytes);
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = i;
  for (const auto& [name, tensor] : annulus::read_index_info(path).tensors)
    if (tensor.end > tensor.begin && !name.starts_with("_pad"))
      places.push_back(tensor.begin + (tensor.end - tensor.begin) / 2);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  const auto put = [&](std::size_t at, int byte) {
    file.seekp(static_cast<std::streamoff>(at)).put(static_cast<char>(byte)).flush();
  };
  for (const std::size_t at : places) {
    put(at, bytes[at] ^ (1 << at % 8));
    if (!is_refused<Index>(path)) return false;
    use_mapped<Index>(path, use);
    put(at, bytes[at]);
  }
  return !is_refused<Index>(path);
}

/// Uses an index whose tensors hold random bytes in a few places, again and again.
template <class Index, class Use>
void use_corrupted(const Index& index, std::size_t times, Use use) {
  const scratch_folder folder;
  const auto path = folder / "index";
  annulus::save(index, path);
  const edited_index sound(path);
  for (std::size_t i = 0; i < times; ++i) {
    const annulus::counter_random random(i);
    edited_index edit = sound;
    std::uint64_t draw = 0;
    for (const auto& [name, tensor] : sound.tensors()) {
      const auto bytes = edit.bytes(name);
      if (bytes.empty() || random.below(draw++, 2) == 0) continue;
      const std::size_t count = std::size_t{1} << random.below(draw++, 7);
      for (std::size_t c = 0; c < count; ++c, draw += 2)
        bytes[random.below(draw, bytes.size())] =
            static_cast<char>(random.below(draw + 1, 3) == 0 ? 0xFF : random.bits(draw + 1) >> 32 & 0xFF);
    }
    edit.save(path);
    try {
      use(load_unverified<Index>(path));
    } catch (const annulus::format_error&) {  // what an index is made of anew is looked at then
    }
  }
}
