// Readers and writers of data files, and index files, for data_files.py. Arrays and errors as in module.cpp; a
// malformed file is a RuntimeError.

#include <annulus/io/data/big_ann.hpp>
#include <annulus/io/data/npy.hpp>
#include <annulus/io/data/vecs.hpp>

#if defined(ANNULUS_COMPARE_INDEX_FILES)
#include <annulus/io/index/index_file.hpp>
#include <annulus/nndescent/index.hpp>
#include <annulus/quantization/optimized_product_quantizer.hpp>
#endif

#if defined(ANNULUS_COMPARE_HDF5)
#include <annulus/io/data/ann_benchmarks_hdf5.hpp>
#endif

#include "arrays.hpp"

namespace {

using annulus::all_rows;

/// A numpy array over the mapping, that keeps it.
template <class T>
nb::object to_numpy(annulus::mapped_rows<T>&& rows) {
  const auto owner = new annulus::mapped_rows<T>(std::move(rows));
  const nb::capsule keep(owner, [](void* p) noexcept { delete static_cast<annulus::mapped_rows<T>*>(p); });
  const std::size_t shape[] = {owner->rows(), owner->cols()};
  const std::int64_t strides[] = {static_cast<std::int64_t>(owner->view().stride()), 1};
  return nb::ndarray<nb::numpy, const T>(owner->view().data(), 2, shape, keep, strides).cast();
}
using ::to_numpy;

/// map_<format>_<type>(path) and write_<format>(path, rows).
template <class T, class Map, class Write>
void bind_map_and_write(nb::module_& m, const std::string& format, const std::string& type, Map map, Write write) {
  m.def(("map_" + format + '_' + type).c_str(), [map](const std::string& path) { return to_numpy(map(path)); });
  m.def(("write_" + format).c_str(),
        [write](const std::string& path, const rows_of<T>& rows) { unlocked([&] { write(path, view(rows)); }); },
        "path"_a, "rows"_a.noconvert());
}

template <class T>
void bind_npy(nb::module_& m, const std::string& type) {
  m.def(("read_npy_" + type).c_str(),
        [](const std::string& path, std::size_t first, std::size_t count) {
          return to_numpy(unlocked([&] { return annulus::read_npy<T>(path, first, count); }));
        },
        "path"_a, "first"_a = 0, "count"_a = all_rows);
  bind_map_and_write<T>(m, "npy", type, annulus::map_npy<T>,
                        [](const std::string& path, auto rows) { annulus::write_npy(path, rows); });
}

/// The same and read_<format>_<type>(path), for a format that is read as a whole.
template <class T, class Read, class Map, class Write>
void bind_format(nb::module_& m, const std::string& format, const std::string& type, Read read, Map map, Write write) {
  m.def(("read_" + format + '_' + type).c_str(),
        [read](const std::string& path) { return to_numpy(unlocked([&] { return read(path); })); });
  bind_map_and_write<T>(m, format, type, map, write);
}

template <class T>
void bind_vecs(nb::module_& m, const std::string& type) {
  bind_format<T>(
      m, "vecs", type, [](const std::string& path) { return annulus::read_vecs<T>(path); }, annulus::map_vecs<T>,
      [](const std::string& path, auto rows) { annulus::write_vecs(path, rows); });
}

template <class T>
void bind_big_ann(nb::module_& m, const std::string& type) {
  bind_format<T>(
      m, "big_ann", type, [](const std::string& path) { return annulus::read_big_ann<T>(path); },
      annulus::map_big_ann<T>, [](const std::string& path, auto rows) { annulus::write_big_ann(path, rows); });
}

#if defined(ANNULUS_COMPARE_INDEX_FILES)
/// Saves an index, its k-NN graph and a quantiser of the rows, and returns what they hold.
nb::tuple save_indexes(const std::string& folder, const rows_of<float>& rows) {
  const annulus::nndescent_index index(view(rows), annulus::cosine{}, {.n_neighbors = 10});
  annulus::neighbors graph = index.graph();
  annulus::optimized_product_quantizer<> quantizer(4, 16);
  quantizer.fit(view(rows));
  annulus::save(index, folder + "/index");
  annulus::save(graph, folder + "/graph");
  annulus::save(quantizer, folder + "/quantizer");
  return nb::make_tuple(to_numpy(std::move(graph.ids)), to_numpy(std::move(graph.distances)),
                        to_numpy(annulus::matrix<float>(quantizer.codewords())),
                        to_numpy(annulus::matrix<float>(quantizer.rotation())));
}
#endif

}  // namespace

void bind_data_files(nb::module_& m) {
  bind_npy<float>(m, "float32");
  // nanobind knows no halves: their bits, as uint16, go to numpy.
  m.def(
      "read_npy_float16",
      [](const std::string& path, std::size_t first, std::size_t count) {
        const auto halves = annulus::read_npy<Eigen::half>(path, first, count);
        annulus::matrix<std::uint16_t> bits(halves.rows(), halves.cols());
        std::memcpy(bits.data(), halves.data(), halves.rows() * halves.cols() * sizeof(std::uint16_t));
        return to_numpy(std::move(bits)).attr("view")("float16");
      },
      "path"_a, "first"_a = 0, "count"_a = all_rows);
  m.def("map_npy_float16", [](const std::string& path) {
    const auto halves = annulus::map_npy<Eigen::half>(path);
    annulus::matrix<std::uint16_t> bits(halves.rows(), halves.cols());
    for (std::size_t i = 0; i < halves.rows(); ++i)
      std::memcpy(bits.row(i).data(), halves.row(i).data(), halves.row(i).size_bytes());
    return to_numpy(std::move(bits)).attr("view")("float16");
  });
  bind_npy<double>(m, "float64");
  bind_npy<std::uint8_t>(m, "uint8");
  bind_npy<std::int8_t>(m, "int8");
  bind_npy<std::int32_t>(m, "int32");
  bind_npy<std::uint32_t>(m, "uint32");
  bind_npy<std::int64_t>(m, "int64");
  bind_vecs<float>(m, "float32");
  bind_vecs<std::uint8_t>(m, "uint8");
  bind_vecs<std::int32_t>(m, "int32");
  bind_big_ann<float>(m, "float32");
  bind_big_ann<std::uint8_t>(m, "uint8");
  bind_big_ann<std::int8_t>(m, "int8");
  bind_big_ann<std::int32_t>(m, "int32");
#if defined(ANNULUS_COMPARE_INDEX_FILES)
  m.def("save_indexes", &save_indexes);
#endif
#if defined(ANNULUS_COMPARE_HDF5)
  m.def("read_ann_benchmarks", [](const std::string& path) {
    auto file = unlocked([&] { return annulus::read_ann_benchmarks(path); });
    return nb::make_tuple(to_numpy(std::move(file.train)), to_numpy(std::move(file.test)),
                          to_numpy(std::move(file.neighbors)), to_numpy(std::move(file.distances)), file.distance);
  });
#endif
}
