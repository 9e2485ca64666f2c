// faiss's files, in the module annulus_compare: what one side writes the other must read.

#include <annulus/io/faiss/faiss_io.hpp>

#include "arrays.hpp"

namespace {

annulus::matrix<std::uint8_t> copy(const rows_of<std::uint8_t>& array) {
  annulus::matrix<std::uint8_t> codes(array.shape(0), array.shape(1));
  std::copy_n(array.data(), array.size(), codes.data());
  return codes;
}

/// An index before it is written, or after it was read.
struct file {
  annulus::faiss_index index;
};

}  // namespace

void bind_faiss_files(nb::module_& m) {
  using namespace annulus;
  nb::class_<file>(m, "FaissFile")
      .def("write", [](const file& f, const std::string& path) { write_faiss(path, f.index); })
      .def(
          "search",
          [](const file& f, const rows_of<float>& queries, std::size_t k) {
            return to_numpy(unlocked([&] { return f.index.search(view(queries), k, {.threads = 1}); }));
          },
          "queries"_a.noconvert(), "k"_a);
  m.def("read_faiss", [](const std::string& path) { return file{read_faiss(path)}; });
  m.def("faiss_file", [](const product_quantizer<>& pq, const rows_of<std::uint8_t>& codes) {
    return file{faiss_pq<std::uint8_t>(pq, copy(codes))};
  });
  m.def("faiss_file", [](const optimized_product_quantizer<>& opq, const rows_of<std::uint8_t>& codes) {
    return file{faiss_pre_transform(opq, copy(codes))};
  });
  m.def("faiss_file", [](const fast_scan_index<>& index) { return file{faiss_fast_scan(index)}; });
  m.def("faiss_refined", [](const file& base, const rows_of<float>& rows, float k_factor) {
    return file{faiss_refine_flat(base.index, faiss_flat(view(rows)), k_factor)};
  });
}
