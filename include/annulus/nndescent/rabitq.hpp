#pragma once

/// \file
/// rabitq: graph indexes that keep with each vertex codes of its neighbours, of a bit a coordinate.

#include <annulus/nndescent/index/edge_codes.hpp>
#include <annulus/nndescent/index/sq8_walk.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

namespace detail {

/// "rabitq+sq8", for sq8.
template <class Rows>
struct rabitq_name_of {
  static constexpr std::string_view prefix = "rabitq+";
  static constexpr auto text = [] {
    std::array<char, prefix.size() + Rows::name.size()> joined{};
    std::ranges::copy(Rows::name, std::ranges::copy(prefix, joined.begin()).out);
    return joined;
  }();
};
template <class Rows>
inline constexpr std::string_view rabitq_name{rabitq_name_of<Rows>::text.data(), rabitq_name_of<Rows>::text.size()};

}  // namespace detail

/// Rows stored by Rows (full_precision, half_precision or sq8), and with each vertex, in one place in memory, codes of
/// `bits` bits a coordinate of its neighbours relative to it: a search estimates the ranks of all neighbours by these,
/// and reads the rows of those alone that may be among the nearest. Recall of a beam is as by Rows alone, or a little
/// less; nndescent_search_params::by_estimates reads fewer rows still. Filtered and radius searches do not use the
/// codes. For euclidean, sqeuclidean, inner_product and cosine, and metrics that rewrite rows to those. Memory beside
/// that of Rows: for each vertex and 32 edges 256 + 4 bits d bytes.
/// The codes are RaBitQ's (Gao, Long 2024), the blocks are those of SymphonyQG (Gou, Gao, Xu, Long 2025).
/// \throws std::invalid_argument, at construction, for bits outside 1 to 4.
template <class Rows = full_precision>
struct rabitq {
  static constexpr std::string_view name = detail::rabitq_name<Rows>;  ///< in files
  unsigned bits = 1;                                                   ///< a coordinate, 1 to 4
  Rows rows = {};                                                      ///< the storage of the rows
};

namespace detail {

/// The walk over rows whose edges have codes.
template <class Walk>
struct coded_walk : Walk {
  using codes_type = edge_codes;
  using Walk::Walk;
  coded_walk(Walk walk) : Walk(std::move(walk)) {}
};

template <class T, class Metric, class Rows>
struct walk_of<matrix<T>, Metric, rabitq<Rows>> {
  static_assert(
      has_product_form<Metric>,
      "annulus: rabitq takes euclidean, sqeuclidean, inner_product or cosine, whose ranks follow from products");
  using rows_walk = walk_of<matrix<T>, Metric, Rows>;
  using type = coded_walk<typename rows_walk::type>;
  static type make(matrix_view<T> data, const Metric& metric, const rabitq<Rows>& storage) {
    return type(rows_walk::make(data, metric, storage.rows));
  }
  static edge_codes make_codes(std::size_t dim, std::size_t degree, const rabitq<Rows>& storage, std::uint64_t seed) {
    if (storage.bits < 1 || storage.bits > 4) invalid("bits", storage.bits, "must be from 1 to 4");
    return {Metric::form, dim, degree, storage.bits, seed};
  }
};

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
