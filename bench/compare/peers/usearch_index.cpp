// unum::usearch::index_dense_t. Its package for Python computes distances by the kernels of NumKong, which add up float
// rows in double precision and are chosen at run time. Where NumKong's headers are found the same kernels are used
// here, chosen by the compiler's flags; otherwise usearch's own loops, which no compiler vectorises without
// -ffast-math.

#define USEARCH_USE_NUMKONG 0
#include <annulus/core/base/parallel.hpp>
#include <usearch/index_dense.hpp>
#ifdef ANNULUS_COMPARE_NUMKONG
#include <numkong/numkong.h>
#endif

#include "graph_index.hpp"

namespace compare {
namespace {

namespace us = unum::usearch;

us::metric_kind_t kind_of(metric m) {
  return m == metric::sqeuclidean ? us::metric_kind_t::l2sq_k
         : m == metric::cosine    ? us::metric_kind_t::cos_k
                                  : us::metric_kind_t::ip_k;
}

template <class T>
constexpr us::scalar_kind_t scalar_of = std::same_as<T, float> ? us::scalar_kind_t::f32_k : us::scalar_kind_t::u8_k;

#ifdef ANNULUS_COMPARE_NUMKONG
/// A kernel as usearch calls it: the addresses of two rows, and their length.
template <class T, class Result, void (*kernel)(const T*, const T*, nk_size_t, Result*)>
float distance(std::size_t a, std::size_t b, std::size_t dim) {
  Result result;
  kernel(reinterpret_cast<const T*>(a), reinterpret_cast<const T*>(b), dim, &result);
  return static_cast<float>(result);
}
float negative_product(std::size_t a, std::size_t b, std::size_t dim) {
  return 1 - distance<float, double, nk_dot_f32>(a, b, dim);
}

template <class T>
us::metric_punned_t make_metric(metric m, std::size_t dim) {
  float (*kernel)(std::size_t, std::size_t, std::size_t);
  if constexpr (std::same_as<T, std::uint8_t>) kernel = distance<T, nk_u32_t, nk_sqeuclidean_u8>;
  else
    kernel = m == metric::sqeuclidean ? distance<T, double, nk_sqeuclidean_f32>
             : m == metric::cosine    ? distance<T, double, nk_angular_f32>
                                      : negative_product;
  return us::metric_punned_t::stateless(dim, reinterpret_cast<std::uintptr_t>(kernel),
                                        us::metric_punned_signature_t::array_array_size_k, kind_of(m), scalar_of<T>);
}
#else
template <class T>
us::metric_punned_t make_metric(metric m, std::size_t dim) {
  return {dim, kind_of(m), scalar_of<T>};
}
#endif

/// What fails throws: each result of usearch that is dropped with an error in it does.
template <class T>
class usearch_index final : public graph_index {
 public:
  usearch_index(metric m, std::size_t dim)
      : m_index(us::index_dense_t::make(make_metric<T>(m, dim))), m_default_width(m_index.expansion_search()) {}

  void build(rows_view rows, std::size_t threads) override { insert(rows, threads); }
  void insert(rows_view rows, std::size_t threads) override {
    threads = annulus::resolve_threads(threads);
    const std::size_t needed = m_index.size() + rows.rows();
    if (needed > m_index.capacity()) m_index.reserve({std::max(needed, 2 * m_index.capacity()), threads});
    annulus::parallel_for(threads, rows.rows(), 64, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      std::vector<T> stored;
      for (std::size_t i = begin; i < end; ++i) m_index.add(m_next_id + i, as_stored(rows.row(i), stored), worker);
    });
    m_next_id += rows.rows();
  }
  void erase(id_type id) override { m_index.remove(id); }
  void update(id_type id, row_view row) override {
    m_index.remove(id);
    m_index.add(id, as_stored(row, m_row), 0);
  }
  void search(row_view query, std::span<id_type> ids, std::size_t width, const row_filter* filter) override {
    m_index.change_expansion_search(width == 0 ? m_default_width : width);
    const T* const row = as_stored(query, m_row);
    const auto take = [&](const auto& found) {
      std::ranges::fill(ids, annulus::no_id);
      for (std::size_t i = 0; i < found.size(); ++i)
        ids[i] = static_cast<id_type>(static_cast<us::default_key_t>(found[i].member.key));
    };
    if (filter == nullptr) take(m_index.search(row, ids.size(), 0));
    else
      take(m_index.filtered_search(
          row, ids.size(), [&](us::default_key_t key) { return (*filter->allowed)[key]; }, 0));
  }

 private:
  static const T* as_stored(row_view row, std::vector<T>& stored) {
    if constexpr (std::same_as<T, float>) {
      return row.data();
    } else {
      stored.resize(row.size());
      std::ranges::copy(row, stored.begin());
      return stored.data();
    }
  }

  us::index_dense_t m_index;
  std::size_t m_default_width, m_next_id = 0;
  std::vector<T> m_row;
};

}  // namespace

std::unique_ptr<graph_index> make_usearch(metric m, std::size_t dim, storage s) {
  if (s == storage::bytes) return std::make_unique<usearch_index<std::uint8_t>>(m, dim);
  return std::make_unique<usearch_index<float>>(m, dim);
}

const char* usearch_name() {
#ifdef ANNULUS_COMPARE_NUMKONG
  return "usearch";
#else
  return "usearch without SIMD";
#endif
}

}  // namespace compare
