#include <annulus/lsh/families/p_stable.hpp>
#include <annulus/lsh/families/sign_random_projection.hpp>
#include <annulus/lsh/index.hpp>

#include <tuple>

#include "soak/episodes.hpp"

namespace soak {
namespace {

/// How change_and_ask deals with an lsh_index.
template <class Family>
struct lsh_adapter {
  using index_type = annulus::lsh_index<matrix<float>, Family>;

  static index_type make(const matrix<float>& rows, dice& random) {
    Family family;
    if constexpr (requires { family.width; }) family.width = 6;
    return index_type(rows, family,
                      {.n_projections = random.from(4, 12),
                       .n_tables = random.from(1, 8),
                       .seed = random.below(1000),
                       .threads = random.from(1, 3)});
  }
  static const matrix<float>& points(const matrix<float>& rows) { return rows; }
  static void tidy(index_type& index) { index.compact(); }
  static index_type as_saved(index_type index) { return index; }

  static neighbors search(const index_type& index, const matrix<float>& queries, std::size_t k, const id_filter& filter,
                          dice& random, bool& is_measured) {
    is_measured = random.chance(0.5);
    return index.search(queries, k,
                        {.n_probes = is_measured ? 0 : random.below(100),
                         .recall_target = is_measured ? std::optional(0.9) : std::nullopt,
                         .max_candidates = is_measured ? 0 : random.below(3) * 50,
                         .threads = random.from(1, 3),
                         .filter = filter});
  }

  static auto answers(const index_type& index, const matrix<float>& queries) {
    std::vector<id_type> candidates;
    for (const auto& of_query : index.candidates(queries, {.n_probes = 20}))
      candidates.insert(candidates.end(), of_query.ids.begin(), of_query.ids.end());
    return std::tuple(index.size(), index.search(queries, 10, {.threads = 2}),
                      index.search(queries, 3, {.recall_target = 0.8, .threads = 1}), candidates);
  }

  /// A row shares its own buckets.
  static void ask_more(const index_type& index, const matrix<float>&, const model& truth, dice& random) {
    if (truth.size() == 0) return;
    const id_type id = truth.any(random);
    const auto found = index.candidates(truth[id])[0];
    require(std::ranges::count(found.ids, id) == 1, "a row is not among its own candidates");
    require(std::set(found.ids.begin(), found.ids.end()).size() == found.ids.size(), "a candidate is found twice");
    for (const id_type candidate : found.ids) require(truth.holds(candidate), "a candidate is not there");
    for (const std::uint32_t n : found.collisions)
      require(n >= 1 && n <= index.params().n_tables, "a candidate has ", n, " collisions");
  }
};

}  // namespace

void lsh_cosine_episode(tally& t, dice& random, const std::filesystem::path& file) {
  change_and_ask<lsh_adapter<annulus::sign_random_projection>>(t, random, file, cosine);
}

void lsh_euclidean_episode(tally& t, dice& random, const std::filesystem::path& file) {
  change_and_ask<lsh_adapter<annulus::p_stable_l2>>(t, random, file, euclidean);
}

}  // namespace soak
