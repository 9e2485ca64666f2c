#pragma once

/// \file
/// A tree over the rows whose planes lie between hubs, the rows that most others have for a neighbour: a search starts
/// in the leaf that its query falls into.

#include <annulus/core/simd/prefetch.hpp>
#include <annulus/nndescent/graph/rp_forest.hpp>
#include <annulus/storage/archive.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

class entry_tree {
 public:
  entry_tree() = default;

  /// Builds the tree over some rows of a space, by in-degrees of all its rows.
  template <class Space>
  entry_tree(const Space& space, std::vector<id_type> rows, std::span<const std::uint32_t> in_degrees,
             std::size_t leaf_size, std::uint64_t seed) {
    struct part {
      std::size_t begin, end, depth, node;
    };
    rp_splitter<Space> splitter(space);
    m_nodes.assign(1, {});
    std::vector<part> open{{0, rows.size(), 0, 0}};
    while (!open.empty()) {
      const part p = open.back();
      open.pop_back();
      const std::span<id_type> ids(rows.data() + p.begin, p.end - p.begin);
      if (ids.size() <= leaf_size || p.depth >= rp_splitter<Space>::greatest_depth) {
        m_nodes[p.node].begin = static_cast<std::uint32_t>(p.begin);
        m_nodes[p.node].end = static_cast<std::uint32_t>(p.end);
        continue;
      }
      const auto [a, b] = two_hubs(splitter, ids, in_degrees);
      const std::size_t left = splitter.split(ids, a, b, counter_random(seed, p.node), false);
      const auto child = static_cast<std::uint32_t>(m_nodes.size());
      m_nodes[p.node].hubs = {a, b};
      m_nodes[p.node].child = child;
      m_nodes.resize(m_nodes.size() + 2);
      open.push_back({p.begin + left, p.end, p.depth + 1, child + 1});
      open.push_back({p.begin, p.begin + left, p.depth + 1, child});
    }
    m_rows = {rows.data(), rows.size()};
  }

  /// The rows in the order of the leaves.
  std::span<const id_type> rows() const noexcept { return {m_rows.data(), m_rows.size()}; }
  /// The i-th in the order of the leaves is row i, of n.
  void number_rows(std::size_t n) {
    m_rows.resize(n);
    std::iota(m_rows.begin(), m_rows.end(), id_type{0});
  }
  /// Row i is called place[i] from now on.
  void rename(std::span<const id_type> place) noexcept {
    for (id_type& row : m_rows) row = place[row];
    for (node& n : m_nodes)
      if (n.child != 0) n.hubs = {place[n.hubs[0]], place[n.hubs[1]]};
  }

  /// The leaf that a query falls into, where ranks(ids, out) gives its ranks with hubs of the splits on the way, which
  /// are below n: with both of the first, then mostly with one, as the nearer hub is also the first of the split below.
  /// Ends, whatever the nodes hold.
  template <class Rank, class Ranks>
  std::uint32_t find(std::size_t n, Ranks ranks) const {
    return find_below<Rank>(0, n, ranks, [](std::uint32_t, Rank, Rank) {});
  }
  /// The same from node `at` down. Calls pass_by(node, near, far) for each node on the way that is not followed, with
  /// the ranks of the hub that is nearer to the query and of the hub on the side of that node.
  template <class Rank, class Ranks, class PassBy>
  std::uint32_t find_below(std::uint32_t at, std::size_t n, Ranks ranks, PassBy pass_by) const {
    id_type nearer = no_id;
    Rank found[2];
    while (is_split(at, n)) {
      const node& x = m_nodes[at];
      simd::prefetch(m_nodes.data() + x.child);
      const std::size_t n_known = x.hubs[0] == nearer ? 1 : 0;
      ranks(std::span<const id_type>(x.hubs).subspan(n_known), found + n_known);
      const bool is_right = found[1] < found[0];
      pass_by(x.child + !is_right, found[is_right], found[!is_right]);
      nearer = x.hubs[is_right];
      found[0] = found[is_right];
      at = x.child + is_right;
    }
    return at;
  }
  /// f(row) for the rows of a leaf, and the newest of those that were added to it.
  template <class F>
  void visit(std::uint32_t leaf, F f) const {
    constexpr std::size_t max_added = 32;
    const node& x = m_nodes[leaf];
    const std::size_t end = std::min<std::size_t>(x.end, m_rows.size());
    for (std::size_t i = x.begin; i < end; ++i) f(m_rows[i]);
    std::uint32_t at = x.newest;
    for (std::size_t i = 0; i < max_added && at < m_added.size(); ++i) {
      f(m_added[at].row);
      if (m_added[at].before >= at) break;  // none, or in a file that says nonsense
      at = m_added[at].before;
    }
  }

  /// Adds a row that falls into a leaf. \throws std::bad_alloc, and has not changed then.
  void add(std::uint32_t leaf, id_type row) {
    m_added.push_back({row, leaf, m_nodes[leaf].newest});
    m_nodes[leaf].newest = static_cast<std::uint32_t>(m_added.size() - 1);
  }
  std::size_t n_added() const noexcept { return m_added.size(); }
  /// Takes out the rows added last, so that n of those added are left.
  void take_back(std::size_t n) noexcept {
    for (; m_added.size() > n; m_added.pop_back()) m_nodes[m_added.back().leaf].newest = m_added.back().before;
  }

  /// The first `limit` hubs from the root down, of n rows, go to `out`, some more than once, and a fourth as many of
  /// the rows that were added: rows all over the data.
  void top_hubs(std::size_t n, std::size_t limit, std::vector<id_type>& out) const {
    out.clear();
    std::array<std::uint32_t, 256> open;
    std::size_t begin = 0, end = 1;
    open[0] = 0;
    for (; begin < end && out.size() + 2 <= limit; ++begin) {
      const std::uint32_t at = open[begin % open.size()];
      if (!is_split(at, n)) continue;
      out.insert(out.end(), m_nodes[at].hubs.begin(), m_nodes[at].hubs.end());
      for (std::uint32_t child = m_nodes[at].child; child < m_nodes[at].child + 2; ++child)
        if (end - begin < open.size()) open[end++ % open.size()] = child;
    }
    const std::size_t count = std::min(m_added.size(), limit / 4);
    for (std::size_t i = 1; i <= count; ++i)
      if (const id_type row = m_added[i * m_added.size() / count - 1].row; row < n) out.push_back(row);
  }

  std::size_t memory_bytes() const noexcept {
    return m_nodes.memory_bytes() + m_rows.memory_bytes() + m_added.memory_bytes();
  }

  /// What is wrong with a tree over some of n rows.
  std::string defect(std::size_t n) const {
    std::vector<bool> is_met(m_nodes.size(), false);
    std::vector<std::uint32_t> open{0};
    std::size_t n_met = 0;
    for (const id_type row : m_rows)
      if (row >= n) return "rows: " + std::to_string(row) + " is no row";
    for (std::size_t i = 0; i < m_added.size(); ++i)
      if (m_added[i].row >= n || m_added[i].leaf >= m_nodes.size() ||
          (m_added[i].before >= i && m_added[i].before != nothing))
        return "added: " + std::to_string(i) + " is no row, or in no leaf, or not behind the one before it";
    for (std::uint32_t next = 0; !open.empty();) {
      const std::uint32_t at = open.back();
      open.pop_back();
      const node& x = m_nodes[at];
      const auto defect = [&](const char* reason) { return "nodes: " + std::to_string(at) + ' ' + reason; };
      if (is_met[at]) return defect("has two parents");
      is_met[at] = true;
      ++n_met;
      if (x.child != 0) {
        if (!is_split(at, n)) return defect("has a hub that is no row, or a child that is no node behind it");
        open.push_back(x.child + 1);
        open.push_back(x.child);
        continue;
      }
      if (x.begin != next || x.end < next || x.end > m_rows.size())
        return defect("does not begin where the leaf before it ends, or ends behind the last row");
      if (x.newest >= m_added.size() && x.newest != nothing) return defect("has a newest row that was not added");
      next = x.end;
    }
    return n_met == m_nodes.size() ? std::string() : "nodes: some have no parent";
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    std::size_t count = self.m_nodes.size(), n_rows = self.m_rows.size(), n_added = self.m_added.size();
    archive("count", count);
    if constexpr (Archive::is_loading)
      if (archive.version() == 1) return self.load_version_1(archive, count);
    archive("n_rows", n_rows);
    archive("n_added", n_added);
    archive("rows", self.m_rows, {n_rows});
    archive.template as<std::uint32_t>("added", self.m_added, {n_added, sizeof(added) / sizeof(std::uint32_t)});
    archive.template as<std::uint32_t>("nodes", self.m_nodes, {count, sizeof(node) / sizeof(std::uint32_t)});
    archive.expect(count > 0, "has no root");
  }

 private:
  /// The rows stand in the order of the leaves, and are listed by number_rows.
  template <class Archive>
  void load_version_1(Archive& archive, std::size_t count) {
    struct old_node {
      std::array<id_type, 2> hubs;
      std::uint32_t child, begin, end;
    };
    buffer<old_node> nodes;
    archive.template as<std::uint32_t>("nodes", nodes, {count, sizeof(old_node) / sizeof(std::uint32_t)});
    archive.expect(count > 0, "has no root");
    m_nodes.assign(count, {});
    for (std::size_t i = 0; i < count; ++i)
      m_nodes[i] = {nodes[i].hubs, nodes[i].child, nodes[i].begin, nodes[i].end, nothing};
  }

  bool is_split(std::uint32_t at, std::size_t n) const noexcept {
    const node& x = m_nodes[at];
    return x.child > at && x.child < m_nodes.size() - 1 && x.hubs[0] < n && x.hubs[1] < n;
  }

  static constexpr std::uint32_t nothing = 0xFFFFFFFFu;
  struct added {
    id_type row;
    std::uint32_t leaf, before;  ///< the row that was added to this leaf before it
  };
  struct node {
    std::array<id_type, 2> hubs{};
    std::uint32_t child = 0;           ///< the left one, the right one behind it; 0 for a leaf
    std::uint32_t begin = 0, end = 0;  ///< of a leaf, in m_rows
    std::uint32_t newest = nothing;    ///< of a leaf, in m_added
  };

  /// The two rows of the greatest in-degrees, the first in `ids` of equal ones. Where they are close to each other, for
  /// the distances between rows here, the second is another: a plane between nearly equal rows parts nothing.
  template <class Space>
  static std::array<id_type, 2> two_hubs(rp_splitter<Space>& splitter, std::span<const id_type> ids,
                                         std::span<const std::uint32_t> in_degrees) {
    std::array<id_type, 2> hubs{ids[0], ids[1]};
    if (in_degrees[hubs[1]] > in_degrees[hubs[0]]) std::swap(hubs[0], hubs[1]);
    for (const id_type id : ids.subspan(2)) {
      if (in_degrees[id] > in_degrees[hubs[0]]) hubs = {id, hubs[0]};
      else if (in_degrees[id] > in_degrees[hubs[1]]) hubs[1] = id;
    }
    constexpr std::size_t n_others = 8;
    constexpr float close = 1.0f / 16;  // of the rank of the furthest of some
    std::array<id_type, n_others> others{hubs[1]};
    for (std::size_t i = 1; i < n_others; ++i) others[i] = ids[i * ids.size() / n_others];
    std::array<float, n_others> ranks;
    splitter.ranks(hubs[0], others, ranks.data());
    const float limit = close * *std::ranges::max_element(ranks);
    const auto apart = std::ranges::find_if(ranks, [&](float rank) { return !(rank < limit); });
    if (apart != ranks.end() && apart != ranks.begin())
      hubs[1] = others[static_cast<std::size_t>(apart - ranks.begin())];
    return hubs;
  }

  buffer<node> m_nodes = buffer<node>(1);
  buffer<id_type> m_rows;  ///< in the order of the leaves
  buffer<added> m_added;   ///< rows that came since
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
