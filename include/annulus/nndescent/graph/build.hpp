#pragma once

/// \file
/// From data to lists of neighbours: chooses whether to rank 8-bit codes or the rows themselves, and runs the steps of
/// NN-descent in their order.

#include <annulus/core/codes/sq8_encoder.hpp>
#include <annulus/nndescent/graph/code_space.hpp>
#include <annulus/nndescent/graph/descent.hpp>
#include <annulus/nndescent/graph/erased_space.hpp>
#include <annulus/nndescent/graph/row_space.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The rows that a space's own order stands for: row i of the space is row order[i] of the data.
using row_order = std::vector<id_type>;

/// A graph to start from: the ids of row i's neighbours, nearest first, no_id for none.
using initial_graph = matrix_view<id_type>;

/// How much codes disturb the order of neighbours, judged by some lists: the error of their ranks in spreads of the
/// list (from its first rank to its last), at most 1 each.
struct code_errors {
  double whole = 0;       ///< the mean over the lists
  double nearest = 0;     ///< the same of the 8 nearest of each, which a mean over all would hide
  double unresolved = 0;  ///< the share of lists whose 8 nearest the codes cannot tell apart
};

/// Lists of equal ranks have no order to disturb.
template <class View, class Metric>
code_errors errors_of_codes(const View& data, const Metric& metric, const row_order& order,
                            const neighbor_lists& lists) {
  constexpr std::size_t n_nearest = 8;
  const std::size_t samples = std::min<std::size_t>(512, lists.size());
  code_errors sum;
  std::vector<std::pair<double, double>> ranks;  // exact, and by codes
  for (std::size_t s = 0; s < samples; ++s) {
    const std::size_t i = s * lists.size() / samples, count = lists.count(i);
    const row_query rank(metric, data.row(order[i]));
    ranks.clear();
    for (std::size_t j = 0; j < count; ++j)
      ranks.emplace_back(static_cast<double>(rank(data.row(order[lists(i, j).id()]))),
                         static_cast<double>(lists.rank(i, j)));
    std::sort(ranks.begin(), ranks.end());
    const auto error_of_first = [&](std::size_t m) {
      if (m == 0) return 1.0;  // ranks that overflow fill no list
      double error = 0;
      for (std::size_t j = 0; j < m; ++j) error += std::abs(ranks[j].first - ranks[j].second) / static_cast<double>(m);
      const double spread = ranks[m - 1].first - ranks[0].first;
      return spread > 0 ? std::min(1.0, error / spread) : 0.0;
    };
    const double nearest = error_of_first(std::min(n_nearest, count));
    sum.whole += error_of_first(count);
    sum.nearest += nearest;
    sum.unresolved += nearest > 0.5;
  }
  const auto n = static_cast<double>(std::max<std::size_t>(samples, 1));
  return {sum.whole / n, sum.nearest / n, sum.unresolved / n};
}

/// Data without near-duplicates have a tenth of these errors.
inline bool are_fine_enough(const code_errors& errors) noexcept {
  return errors.whole < 0.03 && errors.nearest < 0.1 && errors.unresolved < 0.005;
}

/// Trees or the given graph, then the descent, in one space. `is_fit(order, lists)` may turn the space down once the
/// trees have been joined; the result is then empty. Rows are renumbered in the order of the first tree's leaves, so
/// that neighbours are neighbours in memory.
template <class Space>
std::optional<neighbor_lists> descend(Space space, std::size_t width, const nndescent_params& params,
                                      const initial_graph& initial, const thread_team& team,
                                      function_ref<bool(const row_order&, const neighbor_lists&)> is_fit,
                                      row_order& order) {
  const std::size_t n = space.size();
  // Lists that hold nearly all rows are best filled by comparing all.
  const std::size_t leaf_size = n <= 2 * width ? n : params.leaf_size;
  const std::size_t n_trees = initial.rows() == 0 && params.tree_init ? params.n_trees : 1;
  const auto one_tree = [&](std::size_t tree, std::size_t count) {
    const auto share = [&](std::size_t done) { return static_cast<double>(done) / static_cast<double>(n_trees); };
    return build_rp_forest(space, leaf_size, tree, count, params.seed, team,
                           part_of(params.progress, share(tree), share(tree + count)));
  };
  rp_leaves leaves = std::move(one_tree(0, 1)[0]);
  order = leaves.order;
  space.reorder(order);
  std::iota(leaves.order.begin(), leaves.order.end(), id_type{0});

  descent<Space> build(space, width, params, team);
  if (initial.rows() != 0) {
    row_order place(n);
    for (std::size_t i = 0; i < n; ++i) place[order[i]] = static_cast<id_type>(i);
    build.start_from([&](std::size_t i) {
      std::vector<id_type> ids;
      for (const id_type id : initial.row(order[i]))
        if (id != no_id) ids.push_back(place[id]);
      return ids;
    });
  } else if (params.tree_init) {
    build.join_leaves(leaves);
    const std::size_t at_once = team.size();
    for (std::size_t tree = 1; tree < n_trees; tree += at_once)
      for (const rp_leaves& others : one_tree(tree, std::min(at_once, n_trees - tree))) build.join_leaves(others);
  }
  build.fill_at_random();
  if (!is_fit(order, build.lists())) return std::nullopt;
  build.run();
  return std::move(build.lists());
}

/// What is done with lists: f(space, order, lists).
using lists_function = function_ref<void(const erased_space&, const row_order&, neighbor_lists&)>;

/// Lists of `width` neighbours of the rows of `data`, checked and below 2^31, and f(space, order, lists) on them.
/// Metrics that follow from inner products rank 8-bit codes, unless those turn out too coarse for the data: then, for
/// all other metrics, and in builds without integer SIMD, the rows themselves.
template <class View, class Metric>
void with_lists(const View& data, const Metric& metric, std::size_t width, const nndescent_params& params,
                const initial_graph& initial, const thread_team& team, lists_function f) {
  row_order order;
  if constexpr (has_product_form<Metric> && !is_sparse_row<row_t<View>> && simd::has_fast_integers) {
    using T = typename View::value_type;
    if (data.dim() <= most_codes) {
      code_space space(encode_rows(sq8_encoder<T>(Metric::form, data), data, team), Metric::is_angular);
      auto lists = descend(
          erased_space(space), width, params, initial, team,
          [&](const row_order& rows, const neighbor_lists& found) {
            return are_fine_enough(errors_of_codes(data, metric, rows, found));
          },
          order);
      if (lists) return f(erased_space(space), order, *lists);
    }
  }
  row_space<View, Metric> space(data, metric);
  auto lists = descend(
      erased_space(space), width, params, initial, team, [](const row_order&, const neighbor_lists&) { return true; },
      order);
  f(erased_space(space), order, *lists);
}

/// How wide lists must be for k of them to be right: codes confuse the last ones.
inline std::size_t list_width(std::size_t k, std::size_t n) noexcept {
  constexpr std::size_t slack = 2, step = 8;
  return std::max<std::size_t>(1, std::min((k + slack + step - 1) / step * step, n - 1));
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
