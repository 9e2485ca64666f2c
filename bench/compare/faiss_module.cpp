// faiss's files, in the module annulus_compare: what one side writes the other must read.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <annulus/quantization/faiss_io.hpp>

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <class T>
using rows_of = nb::ndarray<const T, nb::c_contig, nb::device::cpu, nb::ndim<2>>;

template <class T>
annulus::matrix_view<T> view(const rows_of<T>& array) {
  return {array.data(), array.shape(0), array.shape(1)};
}

annulus::matrix<std::uint8_t> copy(const rows_of<std::uint8_t>& array) {
  annulus::matrix<std::uint8_t> codes(array.shape(0), array.shape(1));
  std::copy_n(array.data(), array.size(), codes.data());
  return codes;
}

/// An index before it is written, or after it was read.
struct file {
  annulus::faiss_index index;
};

template <class Array>
nb::object to_numpy(Array&& values) {
  using value = typename std::remove_cvref_t<Array>::value_type;
  const auto owner = new annulus::matrix<value>(std::forward<Array>(values));
  const nb::capsule keep(owner, [](void* p) noexcept { delete static_cast<annulus::matrix<value>*>(p); });
  const std::size_t shape[] = {owner->rows(), owner->cols()};
  return nb::ndarray<nb::numpy, value>(owner->data(), 2, shape, keep).cast();
}

}  // namespace

void bind_faiss_files(nb::module_& m) {
  using namespace annulus;
  nb::class_<file>(m, "FaissFile")
      .def("write", [](const file& f, const std::string& path) { write_faiss(path, f.index); })
      .def(
          "search",
          [](const file& f, const rows_of<float>& queries, std::size_t k) {
            neighbors found = f.index.search(view(queries), k, 1);
            return nb::make_tuple(to_numpy(std::move(found.ids)), to_numpy(std::move(found.distances)));
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
