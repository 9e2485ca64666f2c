#pragma once

/// \file
/// One query from its values to its neighbours: look into buckets, rank what is new in them, and know when to stop.

#include <annulus/core/metric/metric.hpp>
#include <annulus/core/result/result_rows.hpp>
#include <annulus/core/select/top_k.hpp>
#include <annulus/lsh/multi_probe.hpp>
#include <annulus/lsh/row_store.hpp>
#include <annulus/lsh/tables.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// What one thread needs to search, and the cost of what it searched.
template <class Points, class Family>
struct lsh_scratch {
  using store = row_store<Points>;
  using metric = typename Family::metric;
  using hasher = hasher_t<Family, typename store::view_type>;
  using rank_type = typename store::template rank_type<metric>;

  std::vector<typename hasher::value_type> values;
  probe_sequence<hasher> probes;
  std::vector<probe> chunk;         ///< looked into together, so that their memory is fetched meanwhile
  std::vector<std::uint64_t> seen;  ///< a bit a row: those of `found`
  std::vector<id_type> found;       ///< rows, in the order of their first collision
  std::vector<id_type> collided;    ///< rows, once a collision
  std::vector<rank_type> ranks;
  top_k<rank_type> best{1}, better{1};                ///< the k nearest, and the nearer half of them
  std::vector<candidate<rank_type>> within, sorting;  ///< the rows within a radius, and room to sort them
  std::size_t n_candidates = 0, n_collisions = 0, n_probes = 0;
};

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
  double usual_distance;  ///< which a search is for before it knows better

  /// The nearest rows of a query of these values, written to the front of both spans.
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
      if (n_ranked < k) return reach{.order = usual_distance_of(values)};
      const double half = distance(s.better.threshold()), all = distance(s.best.threshold());
      return reach{half, all, all < unknown ? half : usual_distance_of(values)};
    });
    write_row(s.best.sorted(), found_ids, distances, [](const auto& rank) { return distance(rank); });
  }

  /// The rows within the radius of a query of these values, which s.within then holds, nearest first.
  void find_within(const value_type* values, const row_type& query, float radius, const lsh_search_params& params,
                   scratch_type& s) const {
    s.within.clear();
    if (n_alive == 0) return;
    // Where there are no negative distances, probabilities are of those that there are.
    constexpr bool has_negative = form_of<metric>() == product_form::inner_product;
    const double far = has_negative ? radius : std::max(radius, 0.0f);
    const reach wanted{far, far, std::min(far, usual_distance_of(values))};
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
    forget_found(s);
    look_into_buckets<true>(values, params, s, [&] { return reach{.order = usual_distance_of(values)}; });
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
    forget_found(s);
    return result;
  }

 private:
  static constexpr double unknown = std::numeric_limits<double>::infinity();
  /// Within which distances half of the wanted rows, and all of them, are; and that by which buckets are ordered.
  struct reach {
    double half = unknown, all = unknown, order = 0;
    bool is_known() const noexcept { return all < unknown; }
  };
  /// About how many rows a pass over all of them ranks in the time of a probe, and of a row that a bucket had.
  static constexpr std::size_t scans_of_probe = 6, scans_of_row = 3;
  /// How many passes over all rows the buckets may cost before one is made: of the searches that get so far most are
  /// about to end.
  static constexpr std::size_t patience = 2;

  static float distance(const auto& rank) { return distance_of(metric{}, rank); }
  double usual_distance_of(const value_type* values) const {
    return detail::usual_distance(hasher, values, usual_distance);
  }

  /// Finds rows until the parameters are met. rank(), called after each few, takes them in and tells the reach so far.
  template <class Rank>
  void gather(const value_type* values, const row_type& query, const lsh_search_params& params, scratch_type& s,
              Rank rank) const {
    forget_found(s);
    const bool is_unlimited = params.n_probes == 0 && params.max_candidates == 0;
    const bool is_exact = params.recall_target == 1.0 && is_unlimited;
    if (is_exact || is_undirected(query) || !look_into_buckets<false>(values, params, s, rank)) add_all(params, s);
    else add_undirected(values, params, s, rank);
    rank();
    forget_found(s);
  }

  /// f(rank, id) for the rows found beyond the first n_ranked, which then counts all.
  template <class F>
  void rank_new(const row_type& query, std::size_t& n_ranked, scratch_type& s, F f) const {
    const auto fresh = std::span<const id_type>(s.found).subspan(n_ranked);
    s.ranks.resize(fresh.size());
    rows.ranks(metric{}, query, fresh, s.ranks.data());
    for (std::size_t j = 0; j < fresh.size(); ++j) f(s.ranks[j], ids[fresh[j]]);
    n_ranked = s.found.size();
  }

  /// Takes probes until the budget is spent, there are none left, or few enough of the wanted rows are missed. Returns
  /// false where buckets alone do not keep a recall_target that no budget limits: they ran out, or so many were looked
  /// into that a pass over all rows is cheaper.
  template <bool KeepCollisions, class Rank>
  bool look_into_buckets(const value_type* values, const lsh_search_params& params, scratch_type& s, Rank rank) const {
    const double target = params.recall_target.value_or(0);
    const bool is_adaptive = target > 0;
    const std::size_t budget = params.n_probes > 0 ? params.n_probes : is_adaptive ? no_limit : tables.n_tables();
    const visit_limits limits = limits_of(params);
    s.probes.start(hasher, values);
    s.collided.clear();
    std::size_t n_probes = 0, n_collisions = 0;
    const auto look_at = [&](id_type row) { n_collisions += meet<KeepCollisions>(row, params, limits, s); };
    // Of a recall is asked after an eighth more probes.
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
      if (n_probes == budget || s.found.size() == limits.most) {
        rank();
        is_done = true;
        break;
      }
      // The memory of the next buckets is fetched while rows are ranked; which come after the own ones, ranks decide.
      const bool had_own = s.probes.has_own(), is_turn = !had_own && n_probes == tables.n_tables();
      if (!is_turn) take();
      const reach found = rank();
      if (is_adaptive) {
        const bool is_sure = found.is_known() && keeps(target, found, n_probes, s);
        is_done |= is_sure;
        const std::size_t scans = scans_of_probe * n_probes + scans_of_row * s.found.size();
        if (is_sure || (!is_done && scans > patience * ids.size())) break;
      }
      if (is_turn) {
        s.probes.spread(found.order);
        take();
      }
    }
    s.n_candidates += s.found.size();
    s.n_collisions += n_collisions;
    s.n_probes += n_probes;
    return is_done;
  }

  /// Whether no more of the wanted rows than the target allows are expected to be missed. At least half of them are no
  /// further than `found.half`, the others no further than `found.all`.
  static bool keeps(double recall_target, const reach& found, std::size_t n_probes, scratch_type& s) {
    if (recall_target == 1) return false;
    const double most = 2 * (1 - recall_target), far = s.probes.missed(found.all, n_probes);
    return far <= most && far + s.probes.missed(found.half, n_probes) <= most;
  }

  static constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();
  struct visit_limits {
    bool all_pass;     ///< no row is erased or filtered out
    std::size_t most;  ///< rows to find
  };
  visit_limits limits_of(const lsh_search_params& params) const {
    return {n_alive == ids.size() && params.filter.empty(),
            params.max_candidates > 0 ? params.max_candidates : no_limit};
  }
  bool passes(id_type row, const lsh_search_params& params) const {
    return ids[row] != no_id && (params.filter.empty() || params.filter(ids[row]));
  }

  /// Takes a row of a bucket in; returns false where it may not be returned or there is no more room.
  template <bool KeepCollisions>
  bool meet(id_type row, const lsh_search_params& params, const visit_limits& limits, scratch_type& s) const {
    if (!limits.all_pass && !passes(row, params)) return false;
    std::uint64_t& word = s.seen[row / 64];
    const std::uint64_t bit = std::uint64_t{1} << (row % 64);
    if ((word & bit) == 0) {
      if (s.found.size() == limits.most) return false;
      word |= bit;
      s.found.push_back(row);
      if constexpr (!KeepCollisions) rows.prefetch(row);
    }
    if constexpr (KeepCollisions) s.collided.push_back(row);
    return true;
  }

  /// The next probes, up to `count` and no more than there are own buckets or others, their keys as buckets; and the
  /// memory they ask for.
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

  /// A query of zeros, which by angles has no buckets: all rows are about as near as each other.
  static bool is_undirected([[maybe_unused]] const row_type& query) noexcept {
    constexpr product_form form = form_of<metric>();
    if constexpr (form == product_form::cosine || form == product_form::inner_product)
      return std::all_of(query.begin(), query.end(), [](auto x) { return x == 0; });
    else return false;
  }

  /// Rows of zeros, which are as far from one query as from another, whatever the functions say: where they may be
  /// among the wanted ones.
  template <class Rank>
  void add_undirected([[maybe_unused]] const value_type* values, [[maybe_unused]] const lsh_search_params& params,
                      [[maybe_unused]] scratch_type& s, [[maybe_unused]] Rank rank) const {
    if constexpr (requires { hasher.zero_key(); }) {
      if (rank().all < hasher.zero_distance(values)) return;
      const visit_limits limits = limits_of(params);
      const std::size_t before = s.found.size();
      tables.visit(0, bucket_of(hasher.zero_key()), [&](id_type row) {
        if (!is_cosine<metric> || is_undirected(rows.row(row))) s.n_collisions += meet<false>(row, params, limits, s);
      });
      s.n_candidates += s.found.size() - before;
    }
  }

  /// The rows that were not found, within max_candidates.
  void add_all(const lsh_search_params& params, scratch_type& s) const {
    const std::size_t before = s.found.size();
    for (std::size_t row = 0; row < ids.size(); ++row) {
      if (params.max_candidates > 0 && s.found.size() == params.max_candidates) break;
      const std::uint64_t bit = std::uint64_t{1} << (row % 64);
      if ((s.seen[row / 64] & bit) != 0 || !passes(static_cast<id_type>(row), params)) continue;
      s.seen[row / 64] |= bit;
      s.found.push_back(static_cast<id_type>(row));
    }
    s.n_candidates += s.found.size() - before;
  }

  /// Also of a search that threw.
  void forget_found(scratch_type& s) const {
    for (const id_type row : s.found) s.seen[row / 64] = 0;
    s.found.clear();
    s.seen.resize((ids.size() + 63) / 64);
  }
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
