#include <annulus/knn/flat_index.hpp>
#include <annulus/quantization/fast_scan.hpp>

#include "soak/episodes.hpp"

namespace soak {

void flat_episode(tally& t, dice& random, const std::filesystem::path&) {
  source rows(random.from(1, 40), random);
  annulus::flat_index<annulus::matrix<float>, annulus::euclidean> index(rows.draw(1).cols());
  model truth(euclidean);
  for (std::size_t step = 0; step < 60; ++step) {
    if (random.chance(0.4)) {
      const auto added = rows.draw(random.below(60));
      id_type id = index.insert(added, random.from(1, 3));
      for (std::size_t i = 0; i < added.rows(); ++i) truth.put(id++, {added.row(i).begin(), added.row(i).end()});
      t.rows_inserted += added.rows();
    }
    const auto queries = rows.draw(random.from(1, 12));
    const id_filter filter = any_filter(random);
    const std::size_t k = random.from(1, random.chance(0.1) ? truth.size() + 5 : 20);
    const auto found = index.search(queries, k, {.threads = random.from(1, 3), .filter = filter});
    for (std::size_t i = 0; i < queries.rows(); ++i)
      truth.check(queries.row(i), found.ids.row(i), found.distances.row(i), filter, true);
    t.answers += queries.rows();
    require(index.size() == truth.size(), "the index has ", index.size(), " rows of ", truth.size());
  }
}

/// By tables of floats a scan gives what adding up the same floats for every code does.
void fast_scan_episode(tally& t, dice& random, const std::filesystem::path& file) {
  const std::size_t m = random.from(1, 6);
  source rows(m * random.from(1, 4), random);
  annulus::product_quantizer<> quantizer(m, random.chance(0.5) ? 16 : random.from(17, 60));
  quantizer.fit(rows.draw(200), {.iter = 3, .seed = random.below(1000), .threads = random.from(1, 3)});
  annulus::fast_scan_index<> index(quantizer);
  for (std::size_t step = 0; step < 40; ++step) {
    if (random.chance(0.4)) {
      const auto added = rows.draw(random.below(100));
      index.insert(added, random.from(1, 3));
      t.rows_inserted += added.rows();
    }
    const auto queries = rows.draw(random.from(1, 12));
    const id_filter filter = any_filter(random);
    const std::size_t k = random.from(1, random.chance(0.1) ? index.size() + 5 : 20);
    const auto found = index.search(queries, k, {.float_tables = true, .threads = random.from(1, 3), .filter = filter});
    const auto codes = index.codes();
    for (std::size_t i = 0; i < queries.rows(); ++i) {
      const auto table = quantizer.dtable(queries.row(i));
      std::vector<std::pair<float, id_type>> truth;
      for (std::size_t id = 0; id < codes.rows(); ++id) {
        float sum = 0;
        for (std::size_t j = 0; j < m; ++j) sum += table.values()(j, codes(id, j));
        if (filter(static_cast<id_type>(id))) truth.emplace_back(sum, static_cast<id_type>(id));
      }
      std::ranges::sort(truth);
      truth.resize(k, {std::numeric_limits<float>::infinity(), no_id});
      for (std::size_t j = 0; j < k; ++j)
        require(found.ids(i, j) == truth[j].second && found.distances(i, j) == truth[j].first, "place ", j, " has id ",
                found.ids(i, j), " at ", found.distances(i, j), ", not ", truth[j].second, " at ", truth[j].first);
    }
    t.answers += queries.rows();
    if (random.chance(0.1)) {
      const auto more = rows.draw(20);
      save_and_read(
          index, annulus::fast_scan_index(index), random, file,
          [&](const auto& scanned) {
            return std::pair(scanned.search(queries, 30, {.threads = 1}),
                             scanned.search(queries, 5, {.float_tables = true, .threads = 1}));
          },
          [&](auto& scanned) { scanned.insert(more, {.threads = 1}); });
      ++t.saves;
    }
  }
}

}  // namespace soak
