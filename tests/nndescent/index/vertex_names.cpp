#include <annulus/core/base/random.hpp>
#include <annulus/nndescent/index/vertex_names.hpp>

#include "catch.hpp"

#include <map>
#include <set>

using annulus::id_type;
using annulus::no_id;
using annulus::detail::vertex_names;

namespace {

/// Where ids stand, as plainly as it can be written.
struct model {
  std::map<id_type, id_type> vertex_of;
  std::size_t n_ids = 0, n_vertices = 0;

  std::vector<id_type> ids_at(id_type vertex) const {
    std::vector<id_type> ids;
    for (const auto& [id, at] : vertex_of)
      if (at == vertex) ids.push_back(id);
    return ids;
  }
  std::vector<id_type> live() const {
    std::set<id_type> all;
    for (const auto& [id, at] : vertex_of) all.insert(at);
    return {all.begin(), all.end()};
  }
};

/// Whether all that can be asked of the names is as the model says.
void check(const vertex_names& names, const model& expected) {
  const auto live = expected.live();
  CHECK(names.size() == expected.vertex_of.size());
  CHECK(names.n_ids() == expected.n_ids);
  CHECK(names.n_vertices() == expected.n_vertices);
  CHECK(names.n_live() == live.size());
  CHECK(names.n_erased() == expected.n_vertices - live.size());
  CHECK(names.has_copies() == (live.size() < expected.vertex_of.size()));
  CHECK(names.defect() == "");
  std::vector<id_type> ids;
  for (const auto& [id, at] : expected.vertex_of) ids.push_back(id);
  CHECK(names.ids() == ids);
  std::size_t wrong = 0;
  for (id_type id = 0; id < expected.n_ids + 3; ++id) {
    const auto found = expected.vertex_of.find(id);
    const bool is_there = found != expected.vertex_of.end();
    wrong += names.holds(id) != is_there || names.vertex_of(id) != (is_there ? found->second : no_id);
  }
  for (id_type v = 0; v < expected.n_vertices; ++v)
    wrong += !std::ranges::equal(names.ids_at(v), expected.ids_at(v)) ||
             names.is_live(v) != std::ranges::binary_search(live, v);
  CHECK(wrong == 0);
  CHECK_FALSE(names.holds(no_id));
}

/// Names and their model, changed alike by dice.
class pair_of_names {
 public:
  pair_of_names(std::uint64_t seed, double copies) : m_random(seed), m_copies(copies) {}

  std::size_t below(std::size_t n) { return m_random.below(m_step++, n); }
  bool chance(double p) { return m_random.uniform(m_step++) < p; }
  std::size_t size() const { return expected.vertex_of.size(); }
  id_type any_id() { return std::next(expected.vertex_of.begin(), static_cast<std::ptrdiff_t>(below(size())))->first; }
  /// Where a row stands that is a copy of another, or a new one.
  id_type a_vertex() {
    if (size() > 0 && chance(m_copies)) return expected.vertex_of.at(any_id());
    names.resize(++expected.n_vertices);
    return static_cast<id_type>(expected.n_vertices - 1);
  }
  void add() {
    const id_type vertex = a_vertex(), id = names.add(vertex);
    CHECK(id == expected.n_ids);
    expected.vertex_of[id] = vertex;
    ++expected.n_ids;
  }
  void add_and_take_back() {
    const model before = expected;
    const std::size_t n = 1 + below(20);
    for (std::size_t i = 0; i < n; ++i) add();
    for (std::size_t i = 0; i < n; ++i) names.take_back();
    expected = before;
    names.resize(expected.n_vertices);
  }
  void erase() {
    const id_type id = any_id(), vertex = expected.vertex_of.at(id);
    expected.vertex_of.erase(id);
    CHECK(names.erase(id) == expected.ids_at(vertex).empty());
  }
  void move() {
    const std::size_t before = expected.n_vertices;
    const id_type id = any_id(), from = expected.vertex_of.at(id), to = a_vertex();
    if (from == to) return;
    names.begin_move(id, to);
    if (below(4) == 0) {
      names.cancel_move(id, to);
      names.resize(expected.n_vertices = before);
      return;
    }
    expected.vertex_of[id] = to;
    CHECK(names.finish_move(id, to) == expected.ids_at(from).empty());
  }
  void reorder() {
    auto order = expected.live();
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[below(i)]);
    names.reorder(order);
    for (auto& [id, vertex] : expected.vertex_of)
      vertex = static_cast<id_type>(std::ranges::find(order, vertex) - order.begin());
    expected.n_vertices = order.size();
  }

  vertex_names names;
  model expected;

 private:
  annulus::counter_random m_random;
  std::uint64_t m_step = 0;
  double m_copies;
};

}  // namespace

TEST_CASE("names that were never given are none", "[vertex_names]") {
  check(vertex_names(), model());
  CHECK_FALSE(vertex_names().holds(0));
}

TEST_CASE("ids stand where a map says after any changes", "[vertex_names]") {
  for (const double copies : {0.0, 0.3, 0.95})
    for (const std::uint64_t seed : {1u, 2u, 3u, 4u}) {
      pair_of_names p(seed, copies);
      for (std::size_t step = 0; step < 600; ++step) {
        const std::size_t dice = p.below(100);
        const bool grows = step / 150 % 2 == 0;
        if (p.size() == 0 || dice < (grows ? 50u : 15u)) p.add();
        else if (dice < 55) p.add_and_take_back();
        else if (dice < 85) p.erase();
        else if (dice < 97) p.move();
        else p.reorder();
        if (step % 20 == 0) check(p.names, p.expected);
      }
      CAPTURE(copies, seed);
      check(p.names, p.expected);
      const vertex_names copy = p.names;
      while (p.size() > 0) p.erase();
      check(p.names, p.expected);
      p.reorder();
      check(p.names, p.expected);
      CHECK(copy.defect() == "");
    }
}

TEST_CASE("ids of a build stand at the vertices given", "[vertex_names]") {
  vertex_names names;
  names.add_or_skip(no_id);
  names.assign(3, std::vector<id_type>{2, 0, 2, 1, 2});
  check(names, {{{0, 2}, {1, 0}, {2, 2}, {3, 1}, {4, 2}}, 5, 3});
}

TEST_CASE("ids that are skipped are given out and not there", "[vertex_names]") {
  vertex_names names;
  names.resize(3);
  for (const id_type vertex : {no_id, id_type{1}, no_id, id_type{0}, no_id}) names.add_or_skip(vertex);
  names.count_erased();
  check(names, {{{1, 1}, {3, 0}}, 5, 3});
}

TEST_CASE("the memory of names follows the rows that are there, not the ids given out", "[vertex_names]") {
  vertex_names names;
  names.resize(100);
  for (id_type v = 0; v < 100; ++v) names.add(v);
  const std::size_t before = names.memory_bytes();
  for (id_type i = 0; i < 100000; ++i) {
    const id_type vertex = names.vertex_of(i);
    names.add(vertex);  // a copy, which is left alone
    CHECK_FALSE(names.erase(i));
  }
  CHECK(names.n_ids() == 100100);
  CHECK(names.size() == 100);
  CHECK(names.memory_bytes() <= 4 * before);
  CHECK(names.ids().front() == 100000);
}
