// Calls into each room, and files: what may differ between systems and standard libraries. Without a framework of
// tests, as there is none for them here. Prints checks that do not hold.
#include <annulus/annulus.hpp>
#include <annulus/io/data/npy.hpp>
#include <annulus/io/data/vecs.hpp>
#include <annulus/io/index/index_file.hpp>
#include <annulus/storage/mapped_file.hpp>
#include <annulus/storage/output_file.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

namespace {

namespace fs = std::filesystem;

int n_failures = 0;

void check(bool holds, const char* what) {
  if (holds) return;
  ++n_failures;
  std::printf("does not hold: %s\n", what);
}

/// What f throws says; empty where it throws nothing.
template <class Exception, class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const Exception& error) {
    return error.what();
  }
  return {};
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const fs::path& path, const std::string& bytes) {
  annulus::detail::output_file file(path);
  file.write(bytes.data(), bytes.size());
  file.commit();
}

bool begins_with(const annulus::detail::mapped_file& file, char first) {
  return static_cast<char>(file.bytes()[0]) == first;
}

annulus::matrix<float> random_rows(std::size_t n, std::size_t d) {
  const annulus::counter_random random(1);
  annulus::matrix<float> rows(n, d);
  for (std::size_t i = 0; i < n * d; ++i) rows.data()[i] = static_cast<float>(random.normal(i));
  return rows;
}

void search_in_every_room(const annulus::matrix<float>& rows) {
  constexpr std::size_t k = 4;
  const auto finds_itself = [](const annulus::neighbors& found) { return found.ids(7, 0) == 7; };
  check(annulus::approx_min_k(rows.row(0), 1).indices.size() == 1, "approximate top-k");
  check(finds_itself(annulus::knn(rows, rows, k)), "exact search");
  check(finds_itself(annulus::knn(rows, rows, k, annulus::canberra{})), "exact search by another metric");
  check(finds_itself(annulus::lsh_index(rows, annulus::cross_polytope{}).search(rows, k)), "hashing");
  annulus::product_quantizer pq(8, 16);
  pq.fit(rows);
  check(annulus::fast_scan_index(pq, rows).search(rows, k).ids.rows() == rows.rows(), "quantisation");
}

/// Indexes in files that are loaded, mapped, changed, and replaced while they are mapped.
void keep_indexes(const annulus::matrix<float>& rows, const fs::path& path) {
  const annulus::nndescent_index index(rows), smaller(annulus::matrix_view<float>(rows.data(), 100, rows.cols()));
  using index_type = annulus::nndescent_index<annulus::matrix<float>>;
  const auto answers = index.search(rows, 2).ids;
  annulus::save(index, path);
  check(annulus::load_index<index_type>(path).search(rows, 2).ids == answers, "a loaded index");
  {
    auto mapped = annulus::map_index<index_type>(path);
    check(mapped.search(rows, 2).ids == answers, "a mapped index");
    annulus::save(smaller, path);
    check(mapped.search(rows, 2).ids == answers, "a mapped index whose file is replaced");
    mapped.erase(7);
    check(mapped.search(rows.row(7), 1).ids(0, 0) != 7, "a mapped index that is changed");
    check(annulus::map_index<index_type>(path).size() == smaller.size(), "the index that replaced it");
  }
  annulus::save(index, path);
  check(annulus::load_index<index_type>(path).size() == index.size(), "an index that replaced one mapped no more");
}

void keep_rows(const annulus::matrix<float>& rows, const fs::path& folder, const std::u8string& name) {
  const fs::path vecs = folder / (name + u8".fvecs"), npy = folder / (name + u8".npy");
  const std::size_t last = rows.rows() - 1;
  const auto same = [&](const auto& others) {
    return others.rows() == last + 1 && others.row(last)[0] == rows.row(last)[0];
  };
  annulus::write_vecs(vecs, rows);
  annulus::write_npy(npy, rows);
  check(same(annulus::read_vecs<float>(vecs)), "vecs");
  check(same(annulus::map_vecs<float>(vecs).view()), "mapped vecs");
  check(same(annulus::read_npy<float>(npy)), "npy");
  check(same(annulus::map_npy<float>(npy).view()), "mapped npy");

  const std::string shown(name.begin(), name.end());
  const fs::path missing = folder / (name + u8".missing"), zip = folder / (name + u8".zip");
  const auto load = [&] { annulus::read_npy<float>(missing); };
  check(message_of<std::system_error>(load).find(shown) != std::string::npos, "the name of a missing file");
  write(zip, "PK\3\4...");
  const std::string message = message_of<annulus::format_error>([&] { annulus::read_npy<float>(zip); });
  check(message.find(shown) != std::string::npos && message.find("zip archive") != std::string::npos,
        "the name and kind of another file");
}

void replace_files(const fs::path& folder) {
  const fs::path path = folder / "a";
  write(path, "old\n\r\n\x1A end");
  check(bytes_of(path) == "old\n\r\n\x1A end", "bytes are written as they are");
  { annulus::detail::output_file(path).write("never", 5); }
  check(bytes_of(path)[0] == 'o', "a file that is not committed replaces nothing");
  check(std::distance(fs::directory_iterator(folder), {}) == 1, "its temporary file is removed");
  {
    annulus::detail::mapped_file changed(path);
    const annulus::detail::mapped_file other(path);
    changed.bytes()[0] = std::byte{'X'};
    check(begins_with(changed, 'X') && begins_with(other, 'o') && bytes_of(path)[0] == 'o', "a change is private");
    write(path, "new");
    write(path, "newer");
    check(begins_with(changed, 'X') && begins_with(other, 'o'), "mapped files are as they were");
    check(bytes_of(path) == "newer", "mapped files are replaced");
  }
  write(folder / "empty", "");
  check(annulus::detail::mapped_file(folder / "empty").bytes().empty(), "an empty file is mapped");
  using mapped_file = annulus::detail::mapped_file;
  check(!message_of<std::system_error>([&] { mapped_file file(folder); }).empty(), "a folder is not mapped");
  check(!message_of<std::system_error>([&] { write(folder, ""); }).empty(), "a folder is not written");
  check(!message_of<std::system_error>([&] { write(folder / "no" / "a", ""); }).empty(), "nor a file of no folder");
  check(message_of<std::system_error>([&] { write(fs::exists("/dev/null") ? "/dev/null" : "NUL", "a"); }).empty(),
        "a device is written to");
}

/// A file of 5 GB most of which the disk does not hold.
void read_a_large_file(const fs::path& path) {
  constexpr std::uint64_t end = std::uint64_t{5} << 30;
  std::ofstream(path, std::ios::binary).seekp(static_cast<std::streamoff>(end)) << "end";
  annulus::detail::input_file file(path);
  file.seek(end);
  check(file.size() == end + 3 && file.read_value<char>() == 'e', "a large file is read");
  const annulus::detail::mapped_file mapped(path);
  check(mapped.bytes().size() == end + 3 && mapped.bytes()[end] == std::byte{'e'}, "a large file is mapped");
}

}  // namespace

int main() {
  const fs::path folder = fs::temp_directory_path() / ("annulus-systems-" + std::to_string(std::random_device{}()));
  try {
    fs::create_directories(folder);
    replace_files(folder);
    const auto rows = random_rows(500, 16);
    search_in_every_room(rows);
    for (const std::u8string name : {u8"plain", u8"ключ 日本語 żółw", u8"\U0001F600"}) {
      keep_indexes(rows, folder / (name + u8".index"));
      keep_rows(rows, folder, name);
    }
    read_a_large_file(folder / "large");
  } catch (const std::exception& error) {
    ++n_failures;
    std::printf("thrown: %s\n", error.what());
  }
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  return n_failures == 0 ? 0 : 1;
}
