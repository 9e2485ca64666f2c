// An index saved, loaded and mapped: the same answers each time, and a damaged file is refused.

#include <annulus/io/index/index_file.hpp>
#include <annulus/nndescent/index.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>

int main() {
  constexpr std::size_t n = 2000, d = 32, k = 5;
  const annulus::counter_random random(3);
  annulus::matrix<float> rows(n, d);
  for (std::size_t i = 0; i < n * d; ++i) rows.data()[i] = static_cast<float>(random.normal(i));

  using index_type = annulus::nndescent_index<annulus::matrix<float>, annulus::cosine, annulus::sq8>;
  const index_type index(rows, annulus::cosine{}, {}, annulus::sq8{});
  const annulus::neighbors found = index.search(rows, k);

  const auto path = std::filesystem::temp_directory_path() / "annulus-example.index";
  annulus::save(index, path);
  const annulus::index_file_info info = annulus::read_index_info(path);
  std::printf("%s of annulus %s, metric %s, %zu tensors, %ju bytes\n", info.kind.c_str(), info.library_version.c_str(),
              info.metadata.at("metric").c_str(), info.tensors.size(),
              static_cast<std::uintmax_t>(std::filesystem::file_size(path)));

  const auto loaded = annulus::load_index<index_type>(path);  // into memory, everything checked
  const bool loaded_alike = loaded.search(rows, k) == found;
  auto mapped = annulus::map_index<index_type>(path);  // where it is, read as it is touched
  const bool mapped_alike = mapped.search(rows, k) == found;
  annulus::verify(mapped);
  mapped.erase(7);  // in this process alone: the file stays as it is
  std::printf("loaded: %s, mapped: %s\n", loaded_alike ? "the same answers" : "others",
              mapped_alike ? "the same answers" : "others");

  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(-100, std::ios::end) << "damage";
  bool is_refused = false;
  try {
    annulus::load_index<index_type>(path);
  } catch (const annulus::format_error& error) {
    std::printf("refused: %s\n", error.what());
    is_refused = true;
  }
  std::filesystem::remove(path);
  return loaded_alike && mapped_alike && is_refused ? 0 : 1;
}
