#pragma once

// An index, changed and asked at random for some hundred steps, and a model beside it.

#include <annulus/io/index/index_file.hpp>

#include <filesystem>
#include <string_view>

#include "soak/model.hpp"

namespace soak {

/// What the episodes of one kind of index came to.
struct tally {
  std::string_view kind;
  double least_recall;  ///< of the nearest rows over a window of searches
  std::size_t episodes = 0, rows_inserted = 0, rows_erased = 0, rows_updated = 0, answers = 0, saves = 0;
  double lowest_recall = 1;
  recall window = {};

  void add(const recall& r) {
    window.found += r.found;
    window.expected += r.expected;
    if (window.expected < 3000) return;
    lowest_recall = std::min(lowest_recall, window.value());
    require(window.value() >= least_recall, "a recall of ", window.value(), " over ", window.expected, " rows");
    window = {};
  }
};

using episode = std::function<void(tally&, dice&, const std::filesystem::path& file)>;

/// \throws mismatch
void flat_episode(tally&, dice&, const std::filesystem::path&);
void fast_scan_episode(tally&, dice&, const std::filesystem::path&);
void full_episode(tally&, dice&, const std::filesystem::path&);
void half_episode(tally&, dice&, const std::filesystem::path&);
void sq8_episode(tally&, dice&, const std::filesystem::path&);
void sparse_episode(tally&, dice&, const std::filesystem::path&);
void lsh_cosine_episode(tally&, dice&, const std::filesystem::path&);
void lsh_euclidean_episode(tally&, dice&, const std::filesystem::path&);

/// Some ids: odd ones, few, or any.
inline id_filter any_filter(dice& random) {
  const std::size_t which = random.below(8);
  if (which == 0) return [](id_type id) { return id % 2 == 1; };
  if (which == 1) return [](id_type id) { return id % 17 == 3; };
  return {};
}

/// Saves the index and reads it back, loaded or mapped, as `index` is then in one case of two. All must answer alike,
/// also after one more change: `saved` is the index as files have it.
template <class Index, class Answers, class Change>
void save_and_read(Index& index, const Index& saved, dice& random, const std::filesystem::path& file,
                   const Answers& answers, const Change& change) {
  annulus::save(index, file);
  const auto expected = answers(saved);
  const bool is_mapped = random.chance(0.5);
  if (is_mapped) annulus::verify_index_file(file);
  Index read = is_mapped ? annulus::map_index<Index>(file) : annulus::load_index<Index>(file);
  annulus::verify(read);
  require(answers(read) == expected, is_mapped ? "mapped" : "loaded", ", the index answers otherwise");
  if (random.chance(0.3)) {
    Index copy = saved, changed = read;
    change(copy);
    change(changed);
    require(answers(copy) == answers(changed), is_mapped ? "mapped" : "loaded", " and changed it answers otherwise");
  }
  if (random.chance(0.3)) annulus::save(read, file);  // also over the file that it is mapped from
  require(answers(read) == expected, "once its file is written again, the index answers otherwise");
  if (random.chance(0.5)) index = std::move(read);
}

/// Changes and asks an index that has ids for good. Adapter says how: it has `index_type`, and static members
///   index_type make(const matrix<float>&, dice&)       also of no rows
///   auto points(const matrix<float>&)                  as the index takes them
///   void tidy(index_type&)                             as by itself once many rows were erased
///   index_type as_saved(index_type)                    as files have it
///   neighbors search(const index_type&, points, k, const id_filter&, dice&)
///   bool is_measured(dice&)                            ... and so on
template <class Adapter>
void change_and_ask(tally& t, dice& random, const std::filesystem::path& file, const distance& measure) {
  using index_type = typename Adapter::index_type;
  const std::size_t d = random.from(2, 24), most = random.from(20, 1500);
  source rows(d, random);
  model truth(measure);
  id_type n_ids = 0;
  const auto remember = [&](const matrix<float>& added) {
    for (std::size_t i = 0; i < added.rows(); ++i) {
      const auto values = added.row(i);
      truth.put(n_ids++, {values.begin(), values.end()});
    }
    t.rows_inserted += added.rows();
  };

  const auto first = rows.draw(random.chance(0.2) ? random.below(3) : random.below(most));
  index_type index = Adapter::make(first, random);
  remember(first);
  const auto insert = [&](std::size_t count) {
    const auto added = rows.draw(count);
    const id_type expected = n_ids;
    require(index.insert(Adapter::points(added)) == expected, "an inserted row has not the next id");
    remember(added);
  };

  for (std::size_t step = 0; step < 150; ++step) {
    const std::size_t action = random.below(100);
    if (action < 25 && truth.size() < most) {
      insert(random.chance(0.1) ? random.below(200) : random.from(1, 10));
    } else if (action < 45) {
      const std::size_t wanted = random.chance(0.05) ? truth.size() : random.chance(0.2) ? truth.size() / 4 : 5;
      for (std::size_t i = std::min(wanted, truth.size()); i > 0; --i) {
        const id_type id = truth.any(random);
        index.erase(id);
        truth.erase(id);
        ++t.rows_erased;
      }
    } else if (action < 52 && truth.size() > 0) {
      const id_type id = truth.any(random);
      const auto added = rows.draw(1);
      index.update(id, Adapter::points(added));
      truth.put(id, {added.row(0).begin(), added.row(0).end()});
      ++t.rows_updated;
    } else if (action < 55) {
      Adapter::tidy(index);
    } else if (action < 59) {
      const auto queries = rows.draw(8), added = rows.draw(20);
      save_and_read(
          index, Adapter::as_saved(index), random, file,
          [&](const index_type& i) { return Adapter::answers(i, Adapter::points(queries)); },
          [&](index_type& i) { i.insert(Adapter::points(added)); });
      ++t.saves;
    } else {
      const auto queries = rows.draw(random.from(1, 12));
      const std::size_t k = random.chance(0.1) ? random.from(1, truth.size() + 5) : random.from(1, 12);
      const id_filter filter = any_filter(random);
      bool is_measured = false;
      const auto found = Adapter::search(index, Adapter::points(queries), k, filter, random, is_measured);
      for (std::size_t i = 0; i < queries.rows(); ++i) {
        const recall r = truth.check(queries.row(i), found.ids.row(i), found.distances.row(i), filter, false);
        if (is_measured && filter.empty() && k <= 12) t.add(r);
      }
      Adapter::ask_more(index, queries, truth, random);
      t.answers += queries.rows();
    }
    require(index.size() == truth.size(), "the index has ", index.size(), " rows of ", truth.size());
    require(index.dim() == d, "the index has another dimension");
  }
}

}  // namespace soak
