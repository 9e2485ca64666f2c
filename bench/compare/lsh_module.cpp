// The hash tables of the module annulus_compare, a class a family. Arrays and errors as in module.cpp.

#include <annulus/knn/knn.hpp>
#include <annulus/lsh/families/bit_sampling.hpp>
#include <annulus/lsh/families/cross_polytope.hpp>
#include <annulus/lsh/families/minhash.hpp>
#include <annulus/lsh/families/p_stable.hpp>
#include <annulus/lsh/families/sign_random_projection.hpp>
#include <annulus/lsh/families/simple_mips.hpp>
#include <annulus/lsh/index.hpp>

#include "arrays.hpp"

namespace {

using sets = annulus::csr_matrix<std::uint8_t>;
using array_of_sets = nb::ndarray<const std::int64_t, nb::c_contig, nb::device::cpu, nb::ndim<1>>;
using array_of_members = nb::ndarray<const std::int32_t, nb::c_contig, nb::device::cpu, nb::ndim<1>>;

/// How rows come from Python, and as what an index reads them.
template <class Points>
struct input {
  using array = rows_of<typename Points::value_type>;
  using view_type = annulus::matrix_view<typename Points::value_type>;
  static view_type view(const array& rows) { return ::view(rows); }
  static view_type row(const view_type& rows, std::size_t i) { return rows.middle_rows(i, 1); }
};
template <>
struct input<sets> {
  using array = sets;
  using view_type = annulus::csr_view<std::uint8_t>;
  static view_type view(const sets& rows) { return rows; }
  static sets row(const view_type& rows, std::size_t i) {
    const auto members = rows.row(i).indices;
    return {{0, static_cast<std::int64_t>(members.size())},
            {members.begin(), members.end()},
            std::vector<std::uint8_t>(members.size(), std::uint8_t{1}),
            rows.dim()};
  }
};

using ::to_numpy;
template <class T>
nb::object to_numpy(std::vector<T>&& values) {
  const auto owner = new std::vector<T>(std::move(values));
  const nb::capsule keep(owner, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  const std::size_t shape[] = {owner->size()};
  return nb::ndarray<nb::numpy, T>(owner->data(), 1, shape, keep).cast();
}

nb::dict to_dict(const annulus::lsh_search_stats& stats) {
  nb::dict result;
  result["candidates"] = stats.candidates;
  result["collisions"] = stats.collisions;
  result["probes"] = stats.probes;
  return result;
}

annulus::lsh_search_params how(std::size_t n_probes, double recall_target, std::size_t threads) {
  std::optional<double> target;  // 0 of Python is none
  if (recall_target > 0) target = recall_target;
  return {.n_probes = n_probes, .recall_target = target, .threads = threads};
}

/// The class of indexes of one family, which `make` makes from the further arguments of the constructor.
template <class Points, class Family, class Make, class... Extra>
void bind(nb::module_& m, const char* name, Make make, Extra... extra) {
  using index = annulus::lsh_index<Points, Family>;
  using in = input<Points>;
  using array = typename in::array;
  nb::class_<index> bound(m, name);
  bound
      .def(
          "search",
          [](const index& i, const array& queries, std::size_t k, std::size_t n_probes, double recall_target,
             std::size_t threads) {
            return to_numpy(
                unlocked([&] { return i.search(in::view(queries), k, how(n_probes, recall_target, threads)); }));
          },
          "queries"_a.noconvert(), "k"_a, "n_probes"_a = 0, "recall_target"_a = 0.0, "threads"_a = 1)
      .def(
          "search_with_stats",
          [](const index& i, const array& queries, std::size_t k, std::size_t n_probes, double recall_target) {
            annulus::lsh_search_stats stats;
            auto found =
                unlocked([&] { return i.search(in::view(queries), k, how(n_probes, recall_target, 1), &stats); });
            return nb::make_tuple(to_numpy(std::move(found.ids)), to_dict(stats));
          },
          "queries"_a.noconvert(), "k"_a, "n_probes"_a = 0, "recall_target"_a = 0.0, "ids, and means a query")
      .def(
          "candidates",
          [](const index& i, const array& queries, std::size_t n_probes) {
            const auto found = unlocked([&] { return i.candidates(in::view(queries), how(n_probes, 0, 1)); });
            nb::list result;
            for (const auto& of_query : found) result.append(to_numpy(std::vector(of_query.ids)));
            return result;
          },
          "queries"_a.noconvert(), "n_probes"_a = 0, "ids, an array a query")
      .def("describe",
           [](const index& i) {
             const annulus::bucket_statistics s = unlocked([&] { return i.describe(); });
             nb::dict result;
             result["n_buckets"] = s.n_buckets;
             result["mean"] = s.mean;
             result["sd"] = s.sd;
             result["min"] = s.min;
             result["max"] = s.max;
             result["bytes"] = s.bytes;
             return result;
           })
      .def("memory_bytes", &index::memory_bytes)
      .def(
          "search_singly",
          [](const index& i, const array& queries, std::size_t k, std::size_t n_probes, double recall_target) {
            return to_numpy(unlocked([&] {
              const auto rows = in::view(queries);
              annulus::neighbors found(rows.size(), k);
              auto scratch = i.make_scratch();
              for (std::size_t q = 0; q < rows.size(); ++q)
                i.search(in::row(rows, q), found.ids.row(q), found.distances.row(q), scratch,
                         how(n_probes, recall_target, 1));
              return found;
            }));
          },
          "queries"_a.noconvert(), "k"_a, "n_probes"_a = 0, "recall_target"_a = 0.0, "one query after the other");
  [&]<class... Args>(Family (*)(Args...)) {
    bound.def(
        "__init__",
        [make](index* self, const array& rows, std::size_t n_projections, std::size_t n_tables, std::uint64_t seed,
               std::size_t threads, Args... args) {
          unlocked([&] {
            new (self) index(in::view(rows), make(args...),
                             {.n_projections = n_projections, .n_tables = n_tables, .seed = seed, .threads = threads});
          });
        },
        "data"_a.noconvert(), "n_projections"_a, "n_tables"_a, "seed"_a = 0, "threads"_a = 1, extra...);
  }(+make);
}

}  // namespace

void bind_lsh(nb::module_& m) {
  nb::class_<sets>(m, "Sets").def(
      "__init__",
      [](sets* self, const array_of_sets& indptr, const array_of_members& indices, std::size_t dim) {
        new (self)
            sets({indptr.data(), indptr.data() + indptr.size()}, {indices.data(), indices.data() + indices.size()},
                 std::vector<std::uint8_t>(indices.size(), std::uint8_t{1}), dim);
      },
      "indptr"_a.noconvert(), "indices"_a.noconvert(), "dim"_a);

  using floats = annulus::matrix<float>;
  using bytes = annulus::matrix<std::uint8_t>;
  bind<floats, annulus::sign_random_projection>(m, "LshSignRandomProjection",
                                                [] { return annulus::sign_random_projection(); });
  bind<floats, annulus::p_stable_l2>(
      m, "LshPStableL2", [](double width) { return annulus::p_stable_l2{width}; }, "width"_a = 4.0);
  bind<floats, annulus::cross_polytope>(
      m, "LshCrossPolytope", [](std::size_t n_rotations) { return annulus::cross_polytope{n_rotations}; },
      "n_rotations"_a = 3);
  bind<floats, annulus::simple_mips>(
      m, "LshSimpleMips", [](double max_norm) { return annulus::simple_mips{max_norm}; }, "max_norm"_a = 0.0);
  bind<bytes, annulus::bit_sampling>(m, "LshBitSampling", [] { return annulus::bit_sampling(); });
  bind<sets, annulus::minhash>(m, "LshMinhash", [] { return annulus::minhash(); });

  m.def(
      "hamming_knn",
      [](const rows_of<std::uint8_t>& data, const rows_of<std::uint8_t>& queries, std::size_t k, std::size_t threads) {
        return to_numpy(unlocked(
            [&] { return annulus::knn(view(data), view(queries), k, annulus::bit_hamming{}, {.threads = threads}); }));
      },
      "data"_a.noconvert(), "queries"_a.noconvert(), "k"_a, "threads"_a = 1, "of rows of packed bits");
}
