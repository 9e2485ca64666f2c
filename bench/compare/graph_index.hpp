#pragma once

// A graph index whose metric and storage are chosen at run time, as Python sees it.

#include <annulus/nndescent/index/search_params.hpp>

#include <functional>
#include <memory>

#include "arrays.hpp"

/// Searches an nndescent_index of any type over rows that come as Rows.
template <class Rows>
class erased_graph_index {
 public:
  using view_type = std::remove_cvref_t<decltype(view(std::declval<const Rows&>()))>;

  nb::tuple search(const Rows& queries, std::size_t k, std::size_t beam, double epsilon, std::size_t threads,
                   bool by_estimates) const {
    const annulus::nndescent_search_params how{
        .beam = beam, .epsilon = epsilon, .threads = threads, .by_estimates = by_estimates};
    return to_numpy(unlocked([&] { return m_search(view(queries), k, how, nullptr); }));
  }

  nb::tuple stats(const Rows& queries, std::size_t k, std::size_t beam, double epsilon) const {
    annulus::nndescent_search_stats stats;
    unlocked([&] { return m_search(view(queries), k, {.beam = beam, .epsilon = epsilon, .threads = 1}, &stats); });
    return nb::make_tuple(stats.distances, stats.hops);
  }

  std::size_t memory_bytes() const { return m_memory_bytes(); }

 protected:
  template <class Index>
  void hold(Index built) {
    const auto index = std::make_shared<const Index>(std::move(built));
    m_search = [index](const view_type& queries, std::size_t k, const annulus::nndescent_search_params& how,
                       annulus::nndescent_search_stats* stats) { return index->search(queries, k, how, stats); };
    m_memory_bytes = [index] { return index->memory_bytes(); };
  }

 private:
  std::function<annulus::neighbors(const view_type&, std::size_t, const annulus::nndescent_search_params&,
                                   annulus::nndescent_search_stats*)>
      m_search;
  std::function<std::size_t()> m_memory_bytes;
};

template <class Index>
void bind_graph_index(nb::module_& m, const char* name) {
  nb::class_<Index>(m, name)
      .def("search", &Index::search, "queries"_a.noconvert(), "k"_a, "beam"_a = 0, "epsilon"_a = 0.1, "threads"_a = 1,
           "by_estimates"_a = false)
      .def("stats", &Index::stats, "queries"_a.noconvert(), "k"_a, "beam"_a = 0, "epsilon"_a = 0.1,
           "distances and hops, means a query")
      .def("memory_bytes", &Index::memory_bytes);
}
