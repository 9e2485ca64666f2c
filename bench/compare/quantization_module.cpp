// The codecs of the module annulus_compare. Arrays and errors as in module.cpp.

#include <annulus/quantization/fast_scan.hpp>
#include <annulus/quantization/optimized_product_quantizer.hpp>
#include <annulus/quantization/rabitq_index.hpp>

#include "arrays.hpp"

namespace {

using query_of = nb::ndarray<const float, nb::c_contig, nb::device::cpu, nb::ndim<1>>;
using pq = annulus::product_quantizer<std::uint8_t>;
using opq = annulus::optimized_product_quantizer<std::uint8_t>;

/// What both quantisers have, and an index of their codes.
template <class Quantizer>
auto bind(nb::module_& m, const char* name, const char* index_name) {
  nb::class_<Quantizer> bound(m, name);
  bound.def(nb::init<std::size_t, std::size_t>(), "m"_a, "ks"_a = 256)
      .def(
          "encode",
          [](const Quantizer& q, const rows_of<float>& rows, std::size_t threads) {
            return to_numpy(unlocked([&] { return q.encode(view(rows), {.threads = threads}); }));
          },
          "rows"_a.noconvert(), "threads"_a = 1)
      .def(
          "mean_squared_error",
          [](const Quantizer& q, const rows_of<float>& rows, std::size_t threads) {
            return unlocked([&] { return q.distortion(view(rows), {.threads = threads}).mean_squared_error; });
          },
          "rows"_a.noconvert(), "threads"_a = 1)
      .def(
          "search",
          [](const Quantizer& q, const rows_of<std::uint8_t>& codes, const rows_of<float>& queries, std::size_t k,
             std::size_t threads) {
            return to_numpy(unlocked([&] { return q.search(view(codes), view(queries), k, {.threads = threads}); }));
          },
          "codes"_a.noconvert(), "queries"_a.noconvert(), "k"_a, "threads"_a = 1)
      .def(
          "adist",
          [](const Quantizer& q, const query_of& query, const rows_of<std::uint8_t>& codes) {
            return unlocked([&] { return q.dtable({query.data(), query.size()}).adist(view(codes)).back(); });
          },
          "query"_a.noconvert(), "codes"_a.noconvert(), "the last of the distances");

  using index = annulus::fast_scan_index<Quantizer>;
  nb::class_<index>(m, index_name)
      .def(
          "__init__",
          [](index* self, const Quantizer& q, const rows_of<float>& rows) { new (self) index(q, view(rows)); },
          "quantizer"_a, "rows"_a.noconvert())
      .def(
          "search",
          [](const index& i, const rows_of<float>& queries, std::size_t k, bool float_tables, std::size_t threads) {
            return to_numpy(unlocked(
                [&] { return i.search(view(queries), k, {.float_tables = float_tables, .threads = threads}); }));
          },
          "queries"_a.noconvert(), "k"_a, "float_tables"_a = false, "threads"_a = 1)
      .def(
          "search_rows",
          [](const index& i, const rows_of<float>& queries, std::size_t k, const rows_of<float>& rows,
             std::size_t k_factor, std::size_t threads) {
            return to_numpy(unlocked(
                [&] { return i.search(view(queries), k, view(rows), {.k_factor = k_factor, .threads = threads}); }));
          },
          "queries"_a.noconvert(), "k"_a, "rows"_a.noconvert(), "k_factor"_a = 4, "threads"_a = 1)
      .def("memory_bytes", &index::memory_bytes);
  return bound;
}

}  // namespace

void bind_codecs(nb::module_& m) {
  bind<pq>(m, "ProductQuantizer", "FastScanIndex")
      .def(
          "fit",
          [](pq& q, const rows_of<float>& rows, std::size_t iter, std::uint64_t seed, std::size_t threads) {
            unlocked([&] { q.fit(view(rows), {.iter = iter, .seed = seed, .threads = threads}); });
          },
          "rows"_a.noconvert(), "iter"_a = 20, "seed"_a = 123, "threads"_a = 1);
  bind<opq>(m, "OptimizedProductQuantizer", "RotatedFastScanIndex")
      .def(
          "fit",
          [](opq& q, const rows_of<float>& rows, std::size_t pq_iter, std::size_t rotation_iter, bool parametric_init,
             std::uint64_t seed, std::size_t threads) {
            unlocked([&] {
              q.fit(view(rows), {.parametric_init = parametric_init,
                                 .pq_iter = pq_iter,
                                 .rotation_iter = rotation_iter,
                                 .seed = seed,
                                 .threads = threads});
            });
          },
          "rows"_a.noconvert(), "pq_iter"_a = 20, "rotation_iter"_a = 10, "parametric_init"_a = true, "seed"_a = 123,
          "threads"_a = 1);

  using rabitq = annulus::rabitq_index;
  nb::class_<rabitq>(m, "RabitqIndex")
      .def(
          "__init__",
          [](rabitq* self, const rows_of<float>& rows, std::size_t threads, unsigned bits) {
            new (self) rabitq(view(rows), {.bits = bits, .threads = threads});
          },
          "rows"_a.noconvert(), "threads"_a = 1, "bits"_a = 1)
      .def(
          "search_rows",
          [](const rabitq& i, const rows_of<float>& queries, std::size_t k, const rows_of<float>& rows,
             std::size_t k_factor, std::size_t threads) {
            return to_numpy(unlocked(
                [&] { return i.search(view(queries), k, view(rows), {.k_factor = k_factor, .threads = threads}); }));
          },
          "queries"_a.noconvert(), "k"_a, "rows"_a.noconvert(), "k_factor"_a = 16, "threads"_a = 1)
      .def("memory_bytes", &rabitq::memory_bytes);
}
