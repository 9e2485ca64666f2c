#include <annulus/core/result/neighbors.hpp>
#include <annulus/io/data/npy.hpp>
#include <annulus/io/data/vecs.hpp>
#include <annulus/io/faiss/faiss_io.hpp>
#include <annulus/io/index/index_file.hpp>

#include "io/failing_files.hpp"
#include "quantization/random_rows.hpp"

using namespace annulus;

namespace {

using failing_files::path;
using failing_files::read_back;
using failing_files::replaced;

const neighbors& graph() {
  static const neighbors made = [] {
    neighbors n(40, 3);
    for (std::size_t i = 0; i < 120; ++i) {
      n.ids.data()[i] = static_cast<id_type>(i / 3 + 1) % 40;
      n.distances.data()[i] = static_cast<float>(i % 3);
    }
    return n;
  }();
  return made;
}

const matrix<float>& rows() {
  static const auto made = random_rows(40, 8, 1);
  return made;
}

const product_quantizer<>& quantizer() {
  static const auto made = [] {
    product_quantizer<> q(4, 8);
    q.fit(rows(), {.iter = 1, .threads = 1});
    return q;
  }();
  return made;
}

const auto save_graph = [](const path& p) { save(graph(), p); };
const auto save_quantizer = [](const path& p) { save(quantizer(), p); };

}  // namespace

TEST_CASE("an index replaces its file whole or throws wherever an allocation fails", "[io][allocations]") {
  const auto result = replaced(save_graph) + replaced(save_quantizer);
  CAPTURE(result);
  CHECK(result.is_clean());
}

TEST_CASE("rows replace their file whole or throw wherever an allocation fails", "[io][allocations]") {
  const auto result = replaced([](const path& p) { write_npy(p, rows()); }) +
                      replaced([](const path& p) { write_vecs(p, rows()); }) +
                      replaced([](const path& p) { write_faiss(p, faiss_flat(rows())); });
  CAPTURE(result);
  CHECK(result.is_clean());
}

TEST_CASE("an index is loaded or throws wherever an allocation fails", "[io][allocations]") {
  const auto codes = [](const auto& q) { return q.encode(rows(), {.threads = 1}); };
  const auto result =
      read_back(save_graph, [](const path& p) { return load_index<neighbors>(p); }) +
      read_back(save_quantizer, [&](const path& p) { return codes(load_index<product_quantizer<>>(p)); });
  CAPTURE(result);
  CHECK(result.is_clean());
}

TEST_CASE("an index is mapped or throws wherever an allocation fails", "[io][allocations]") {
  const auto codes = [](const auto& q) { return q.encode(rows(), {.threads = 1}); };
  const auto result =
      read_back(save_graph, [](const path& p) { return map_index<neighbors>(p); }) +
      read_back(save_quantizer, [&](const path& p) { return codes(map_index<product_quantizer<>>(p)); });
  CAPTURE(result);
  CHECK(result.is_clean());
}

TEST_CASE("what a file says is told or throws wherever an allocation fails", "[io][allocations]") {
  const auto result = read_back(save_graph, [](const path& p) { return read_index_info(p).metadata; }) +
                      read_back(save_graph, [](const path& p) {
                        verify_index_file(p);
                        return true;
                      });
  CAPTURE(result);
  CHECK(result.is_clean());
}

TEST_CASE("rows are read or mapped or throw wherever an allocation fails", "[io][allocations]") {
  const auto npy = [](const path& p) { write_npy(p, rows()); };
  const auto vecs = [](const path& p) { write_vecs(p, rows()); };
  const auto first = [](const auto& mapped) { return mapped.view().row(3)[2]; };
  const auto result = read_back(npy, [](const path& p) { return read_npy<float>(p); }) +
                      read_back(npy, [&](const path& p) { return first(map_npy<float>(p)); }) +
                      read_back(vecs, [](const path& p) { return read_vecs<float>(p); }) +
                      read_back(vecs, [&](const path& p) { return first(map_vecs<float>(p)); });
  CAPTURE(result);
  CHECK(result.is_clean());
}

TEST_CASE("an index of faiss is read or throws wherever an allocation fails", "[io][allocations]") {
  const auto write = [](const path& p) {
    write_faiss(p, faiss_pq(quantizer(), quantizer().encode(rows(), {.threads = 1})));
  };
  const auto result = read_back(write, [](const path& p) {
    const faiss_index read = read_faiss(p);
    return std::get<faiss_pq<std::uint8_t>>(read.kind()).codes();
  });
  CAPTURE(result);
  CHECK(result.is_clean());
}

TEST_CASE("a malformed index is refused wherever an allocation fails", "[io][allocations]") {
  const scratch_folder folder;
  const path file = folder / "file";
  save_graph(file);
  const std::string bytes = bytes_of(file);
  for (const std::size_t place : {std::size_t{20}, bytes.size() / 2, bytes.size() - 1}) {
    std::string damaged = bytes;
    damaged[place] = static_cast<char>(damaged[place] ^ 1);
    write_bytes(file, damaged);
    const auto result = allocations::fail_each([&](auto fail) {
      bool is_refused = false;
      const bool has_thrown = fail([&] {
        try {
          load_index<neighbors>(file);
        } catch (const format_error&) {
          is_refused = true;
        }
      });
      return is_refused || has_thrown;
    });
    CAPTURE(place, result);
    CHECK(result.is_harmless());
  }
}
