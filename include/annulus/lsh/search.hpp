#pragma once

/// \file
/// Searches for one query, given its values: takes rows from buckets, ranks them, and stops once the parameters are
/// met.

#include <annulus/core/metric/metric.hpp>
#include <annulus/core/result/result_rows.hpp>
#include <annulus/lsh/search_scratch.hpp>
#include <annulus/lsh/tables.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// The parts of an index that a search reads.
template <class Points, class Family>
struct lsh_searcher {
  using scratch_type = lsh_scratch<Points, Family>;
  using hasher_type = typename scratch_type::hasher;
  using value_type = typename hasher_type::value_type;
  using metric = typename Family::metric;
  using row_type = typename row_store<Points>::row_type;

  const hasher_type& hasher;
  const hash_tables& tables;
  const row_store<Points>& rows;
  std::span<const id_type> ids;  ///< of the rows, no_id for one that was erased
  std::size_t n_alive;
  double usual_distance;  ///< assumed of the wanted rows until some are found; for a query of length 1

  /// Writes the nearest rows of a query of these values to the front of both spans.
  void find(const value_type* values, const row_type& query, std::span<id_type> found_ids, std::span<float> distances,
            const lsh_search_params& params, scratch_type& s) const {
    const std::size_t k = std::min(found_ids.size(), n_alive);
    if (k == 0) return;
    s.best.reset(k);
    s.better.reset((k + 1) / 2);
    std::size_t n_ranked = 0;
    gather(values, query, params, s, [&] {
      rank_new(query, n_ranked, s, [&](const auto& rank, id_type id) {
        if (rank <= s.best.threshold()) s.best.push(rank, id);
        if (rank <= s.better.threshold()) s.better.push(rank, id);
      });
      if (n_ranked < k) return wanted_distances{.order = usual_distance_of(values)};
      const double half = distance(s.better.threshold()), all = distance(s.best.threshold());
      return wanted_distances{half, all, all < unknown ? half : usual_distance_of(values)};
    });
    write_row(s.best.sorted(), found_ids, distances, [](const auto& rank) { return distance(rank); });
  }

  /// Leaves the rows within the radius of a query of these values in s.within, nearest first.
  void find_within(const value_type* values, const row_type& query, float radius, const lsh_search_params& params,
                   scratch_type& s) const {
    s.within.clear();
    if (n_alive == 0) return;
    // Where distances are 0 or more, probabilities are defined for those only.
    constexpr bool has_negative = form_of<metric>() == product_form::inner_product;
    const double far = has_negative ? radius : std::max(radius, 0.0f);
    const wanted_distances wanted{far, far, std::min(far, usual_distance_of(values))};
    std::size_t n_ranked = 0;
    gather(values, query, params, s, [&] {
      rank_new(query, n_ranked, s, [&](const auto& rank, id_type id) {
        if (distance(rank) <= radius) s.within.push_back({rank, id});
      });
      return wanted;
    });
    sort_candidates(s.within, s.sorting);
  }

  /// The rows that collide with a query of these values.
  lsh_candidates collisions(const value_type* values, const lsh_search_params& params, scratch_type& s) const {
    s.forget_found(ids.size());
    look_into_buckets<true>(values, params, s, [&] { return wanted_distances{.order = usual_distance_of(values)}; });
    for (id_type& row : s.collided) row = ids[row];
    std::sort(s.collided.begin(), s.collided.end());
    std::vector<candidate<std::int64_t>> counted;
    for (std::size_t i = 0, end; i < s.collided.size(); i = end) {
      end = i + 1;
      while (end < s.collided.size() && s.collided[end] == s.collided[i]) ++end;
      counted.push_back({-static_cast<std::int64_t>(end - i), s.collided[i]});
    }
    std::sort(counted.begin(), counted.end());
    lsh_candidates result;
    for (const auto& c : counted) {
      result.ids.push_back(c.id);
      result.collisions.push_back(static_cast<std::uint32_t>(-c.rank));
    }
    s.forget_found(ids.size());
    return result;
  }

 private:
  static constexpr double unknown = std::numeric_limits<double>::infinity();
  struct wanted_distances {
    double half = unknown;  ///< half of the wanted rows are no further than this
    double all = unknown;   ///< nor is any further than this
    double order = 0;       ///< the distance for which buckets are ordered
    bool is_known() const noexcept { return all < unknown; }
  };
  /// The cost of a probe, and of ranking a row from a bucket, in rows that a pass over all rows ranks in that time.
  static constexpr std::size_t scans_of_probe = 6, scans_of_row = 3;
  /// Buckets are given up for a pass over all rows once they cost as much as this number of passes; at one pass, most
  /// searches are close to their end.
  static constexpr std::size_t max_passes = 2;

  /// More buckets than this cost more than to rank every row, which finds as much.
  std::size_t most_probes() const noexcept { return 1024 + 16 * ids.size(); }

  static float distance(const auto& rank) { return distance_of(metric{}, rank); }
  double usual_distance_of(const value_type* values) const {
    return detail::usual_distance(hasher, values, usual_distance);
  }

  /// Finds rows until the parameters are met. rank(), called after every chunk of probes, ranks the new rows and
  /// returns the distances of the wanted ones so far.
  template <class Rank>
  void gather(const value_type* values, const row_type& query, const lsh_search_params& params, scratch_type& s,
              Rank rank) const {
    s.forget_found(ids.size());
    const bool is_unlimited = params.n_probes == 0 && params.max_candidates == 0;
    const bool is_exact = params.recall_target == 1.0 && is_unlimited;
    if (is_exact || has_no_direction(query) || !look_into_buckets<false>(values, params, s, rank)) add_all(params, s);
    else add_zero_rows(values, params, s, rank);
    rank();
    s.forget_found(ids.size());
  }

  /// Calls f(rank, id) for the rows found after the first n_ranked, which becomes the number of all found.
  template <class F>
  void rank_new(const row_type& query, std::size_t& n_ranked, scratch_type& s, F f) const {
    const auto fresh = std::span<const id_type>(s.found).subspan(n_ranked);
    s.ranks.resize(fresh.size());
    rows.ranks(metric{}, query, fresh, s.ranks.data());
    for (std::size_t j = 0; j < fresh.size(); ++j) f(s.ranks[j], ids[fresh[j]]);
    n_ranked = s.found.size();
  }

  /// Takes probes until the budget is spent, the buckets run out, or the expected recall reaches the target. Returns
  /// false where a recall_target without a budget is not reached by buckets, which ran out or cost more than a pass
  /// over all rows, and where the budget is more than most_probes().
  template <bool KeepCollisions, class Rank>
  bool look_into_buckets(const value_type* values, const lsh_search_params& params, scratch_type& s, Rank rank) const {
    const double target = params.recall_target.value_or(0);
    const bool is_adaptive = target > 0;
    const std::size_t asked = params.n_probes > 0 ? params.n_probes : is_adaptive ? no_limit : tables.n_tables();
    const std::size_t budget = KeepCollisions ? asked : std::min(asked, most_probes());
    const visit_limits limits = limits_of(params);
    s.probes.start(hasher, values);
    s.collided.clear();
    std::size_t n_probes = 0, n_collisions = 0;
    const auto look_at = [&](id_type row) { n_collisions += take_row<KeepCollisions>(row, params, limits, s); };
    // The expected recall is computed after every eighth more probes.
    const auto take = [&] {
      constexpr std::size_t chunk_size = 64;
      const std::size_t step = is_adaptive ? std::min(chunk_size, n_probes / 8 + 1) : chunk_size;
      take_probes(std::min(step, budget - n_probes), s);
    };
    if constexpr (requires { hasher.shared_key(); }) tables.visit(0, bucket_of(hasher.shared_key()), look_at);
    bool is_done = !is_adaptive || params.n_probes > 0;
    for (take(); !s.chunk.empty();) {
      for (const probe& p : s.chunk) tables.visit(p.table, p.key, look_at);
      n_probes += s.chunk.size();
      if (n_probes == budget || s.found.size() == limits.max_found) {
        rank();
        is_done = budget == asked || s.found.size() == limits.max_found;
        break;
      }
      // Rows are ranked while the memory of the next buckets is fetched. But after the last own bucket, the ranks
      // decide which buckets come next.
      const bool is_last_own = !s.probes.has_own() && n_probes == tables.n_tables();
      if (!is_last_own) take();
      const wanted_distances found = rank();
      if (is_adaptive) {
        const bool is_sure = found.is_known() && keeps(target, found, n_probes, s);
        is_done |= is_sure;
        const std::size_t scans = scans_of_probe * n_probes + scans_of_row * s.found.size();
        if (is_sure || (!is_done && scans > max_passes * ids.size())) break;
      }
      if (is_last_own) {
        s.probes.spread(found.order);
        take();
      }
    }
    s.n_candidates += s.found.size();
    s.n_collisions += n_collisions;
    s.n_probes += n_probes;
    return is_done;
  }

  /// Whether the expected recall of the first n_probes buckets reaches the target.
  static bool keeps(double recall_target, const wanted_distances& found, std::size_t n_probes, scratch_type& s) {
    if (recall_target == 1) return false;
    const double allowed = 2 * (1 - recall_target), far = s.probes.missed(found.all, n_probes);
    return far <= allowed && far + s.probes.missed(found.half, n_probes) <= allowed;
  }

  static constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();
  struct visit_limits {
    bool all_pass;          ///< no row is erased or filtered out
    std::size_t max_found;  ///< rows
  };
  visit_limits limits_of(const lsh_search_params& params) const {
    return {n_alive == ids.size() && params.filter.empty(),
            params.max_candidates > 0 ? params.max_candidates : no_limit};
  }
  bool passes(id_type row, const lsh_search_params& params) const {
    return ids[row] != no_id && (params.filter.empty() || params.filter(ids[row]));
  }

  /// Takes a row from a bucket; returns false where the row is erased or filtered out, or max_found are found.
  template <bool KeepCollisions>
  bool take_row(id_type row, const lsh_search_params& params, const visit_limits& limits, scratch_type& s) const {
    if (!limits.all_pass && !passes(row, params)) return false;
    if (!s.is_found(row)) {
      if (s.found.size() == limits.max_found) return false;
      s.add_found(row);
      if constexpr (!KeepCollisions) rows.prefetch(row);
    }
    if constexpr (KeepCollisions) s.collided.push_back(row);
    return true;
  }

  /// Puts the next probes, `count` at most, into s.chunk with buckets for keys, and prefetches their memory. A chunk
  /// does not mix a query's own buckets with others.
  void take_probes(std::size_t count, scratch_type& s) const {
    s.chunk.clear();
    const bool is_own = s.probes.has_own();
    for (probe p; s.chunk.size() < count && (is_own ? s.probes.next_own(p) : s.probes.next(p));) {
      p.key = bucket_of(p.key);
      tables.prefetch_slot(p.table, p.key);
      s.chunk.push_back(p);
    }
    for (const probe& p : s.chunk) tables.prefetch_entries(p.table, p.key);
  }

  /// Whether a row is all zeros under a metric of angles or inner products. Such a query belongs to no bucket: it is as
  /// near to one row as to another.
  static bool has_no_direction([[maybe_unused]] const row_type& row) noexcept {
    constexpr product_form form = form_of<metric>();
    if constexpr (form == product_form::cosine || form == product_form::inner_product)
      return std::all_of(row.begin(), row.end(), [](auto x) { return x == 0; });
    else return false;
  }

  /// Adds rows of zeros where they may be among the wanted ones: their distance is the same for every query, so that
  /// buckets tell nothing of it.
  template <class Rank>
  void add_zero_rows([[maybe_unused]] const value_type* values, [[maybe_unused]] const lsh_search_params& params,
                     [[maybe_unused]] scratch_type& s, [[maybe_unused]] Rank rank) const {
    if constexpr (requires { hasher.zero_key(); }) {
      if (rank().all < hasher.zero_distance(values)) return;
      const visit_limits limits = limits_of(params);
      const std::size_t before = s.found.size();
      tables.visit(0, bucket_of(hasher.zero_key()), [&](id_type row) {
        if (!is_cosine<metric> || has_no_direction(rows.row(row)))
          s.n_collisions += take_row<false>(row, params, limits, s);
      });
      s.n_candidates += s.found.size() - before;
    }
  }

  /// Adds all rows not yet found, up to max_candidates.
  void add_all(const lsh_search_params& params, scratch_type& s) const {
    const std::size_t before = s.found.size();
    for (std::size_t row = 0; row < ids.size(); ++row) {
      if (params.max_candidates > 0 && s.found.size() == params.max_candidates) break;
      if (!s.is_found(row) && passes(static_cast<id_type>(row), params)) s.add_found(row);
    }
    s.n_candidates += s.found.size() - before;
  }
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
