#include <Eigen/Core>
#include <annulus/core/rows/sparse_row_store.hpp>
#include <annulus/nndescent/graph/equal_rows.hpp>

#include "catch.hpp"

#include <map>
#include <unordered_map>

using annulus::counter_random;
using annulus::csr_matrix;
using annulus::id_type;
using annulus::matrix;
using annulus::matrix_view;
using annulus::no_id;
using annulus::detail::row_groups;
using annulus::detail::row_table;

namespace {

/// n rows of three coordinates of so few values that many rows are equal; of floating point, some zeros are negative.
template <class T>
matrix<T> few_values(std::size_t n, std::size_t n_values, std::uint64_t seed) {
  const counter_random random(seed);
  matrix<T> m(n, 3);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < 3; ++j) {
      m(i, j) = static_cast<T>(static_cast<int>(random.below(4 * (3 * i + j), n_values)));
      if constexpr (!std::is_integral_v<T>)
        if (random.below(4 * (3 * i + j) + 1, 2) == 0 && m(i, j) == T(0)) m(i, j) = -m(i, j);
    }
  return m;
}

/// The same rows without their zeros, and one row in five without any coordinate.
template <class T>
csr_matrix<T> sparse(const matrix<T>& dense, bool has_values) {
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> indices;
  std::vector<T> values;
  for (std::size_t i = 0; i < dense.rows(); ++i) {
    for (std::size_t j = 0; i % 5 > 0 && j < dense.cols(); ++j)
      if (dense(i, j) != T(0)) {
        indices.push_back(static_cast<std::int32_t>(j));
        if (has_values) values.push_back(dense(i, j));
      }
    indptr.push_back(static_cast<std::int64_t>(indices.size()));
  }
  return has_values ? csr_matrix<T>(indptr, indices, values, dense.cols())
                    : csr_matrix<T>(indptr, indices, dense.cols());
}

template <class T>
std::vector<double> numbers_of(std::span<const T> row) {
  std::vector<double> numbers;
  for (const T x : row) numbers.push_back(static_cast<double>(x));
  return numbers;
}
template <class T>
std::vector<double> numbers_of(const annulus::sparse_row<T>& row) {
  std::vector<double> numbers(row.indices.begin(), row.indices.end());
  for (const T x : row.values) numbers.push_back(static_cast<double>(x));
  return numbers;
}

/// Groups, by comparison of each row with each; whether those of group_equal_rows are these.
template <class View>
bool are_grouped(const View& data, bool is_any_copied) {
  std::vector<std::size_t> firsts, group_of;
  for (std::size_t i = 0; i < data.size(); ++i) {
    std::size_t group = 0;
    while (group < firsts.size() && numbers_of(data.row(firsts[group])) != numbers_of(data.row(i))) ++group;
    if (group == firsts.size()) firsts.push_back(i);
    group_of.push_back(group);
  }
  CHECK((firsts.size() < data.size()) == is_any_copied);
  bool all = true;
  for (const std::size_t threads : {1u, 3u}) {
    const row_groups groups = annulus::detail::group_equal_rows(data, threads);
    all &= std::ranges::equal(groups.firsts, firsts) && groups.size() == firsts.size() &&
           groups.has_copies() == (firsts.size() < data.size());
    if (groups.has_copies()) all &= std::ranges::equal(groups.group_of, group_of);
    const annulus::detail::distinct_rows<View> distinct(data, groups);
    all &= distinct.view().size() == firsts.size();
    for (std::size_t g = 0; all && g < firsts.size(); ++g)
      all &= numbers_of(distinct.view().row(g)) == numbers_of(data.row(firsts[g]));
    std::vector<std::vector<id_type>> members(firsts.size());
    for (std::size_t i = 0; i < data.size(); ++i) members[group_of[i]].push_back(static_cast<id_type>(i));
    if (groups.has_copies()) all &= groups.members() == members;
  }
  return all;
}

template <class T>
matrix_view<T> view(const matrix<T>& m) {
  return m;
}

}  // namespace

// ---- Groups ---------------------------------------------------------------------------------------------------------

TEMPLATE_TEST_CASE("equal rows are grouped whatever their type", "[equal_rows]", float, double, Eigen::half,
                   Eigen::bfloat16, std::int8_t, std::uint8_t) {
  CHECK(are_grouped(view(few_values<TestType>(800, 5, 1)), true));
  CHECK(are_grouped(view(few_values<TestType>(800, 1, 2)), true));  // all are equal
  CHECK(are_grouped(view(matrix<TestType>(1, 3)), false));
  CHECK(are_grouped(view(matrix<TestType>(0, 3)), false));
}

TEST_CASE("rows that all differ are no copies", "[equal_rows]") {
  matrix<float> m(500, 2, 1.0f);
  for (std::size_t i = 0; i < 500; ++i) m(i, 1) = static_cast<float>(i);
  CHECK(are_grouped(view(m), false));
  m(499, 1) = 7;  // the last alone
  CHECK(are_grouped(view(m), true));
}

TEST_CASE("rows of bits are grouped by all of their bytes", "[equal_rows]") {
  for (const std::size_t bytes : {1u, 7u, 8u, 9u, 16u, 33u}) {
    const counter_random random(bytes);
    matrix<std::uint8_t> m(300, bytes);
    for (std::size_t i = 0; i < 300; ++i)  // one bit is set, anywhere
      m(i, random.below(2 * i, bytes)) = static_cast<std::uint8_t>(1u << random.below(2 * i + 1, 8));
    CAPTURE(bytes);
    CHECK(are_grouped(view(m), bytes * 8 < 300));
  }
}

TEST_CASE("sparse rows and sets are grouped", "[equal_rows]") {
  for (const bool has_values : {true, false}) {
    const auto floats = sparse(few_values<float>(600, 3, 4), has_values);
    CHECK(are_grouped(annulus::csr_view<float>(floats), true));
    const auto doubles = sparse(few_values<double>(600, 3, 4), has_values);
    CHECK(are_grouped(annulus::csr_view<double>(doubles), true));
  }
}

TEST_CASE("equal rows have equal hashes and few others have", "[equal_rows]") {
  using annulus::detail::hash_of;
  const std::vector<float> zero{0, 1}, negative{-0.0f, 1}, swapped{1, 0}, longer{0, 1, 0};
  const auto of = [](const std::vector<float>& row) { return hash_of(std::span<const float>(row)); };
  CHECK(of(zero) == of(negative));
  CHECK(of(zero) != of(swapped));
  CHECK(of(zero) != of(longer));
  std::map<std::uint32_t, std::size_t> counts;
  const auto m = few_values<float>(20000, 100, 9);
  const row_groups groups = annulus::detail::group_equal_rows(view(m), 1);
  for (const id_type i : groups.firsts) ++counts[hash_of(m.row(i)) >> 12];  // into a million places
  CHECK(static_cast<double>(counts.size()) > 0.97 * static_cast<double>(groups.size()));
}

// ---- The table ------------------------------------------------------------------------------------------------------

namespace {

/// A table of rows of one number each, and the map that it is to be like. `hash` gives a number few hashes or many.
class pair_of_tables {
 public:
  pair_of_tables(std::uint32_t (*hash)(std::uint64_t), std::uint64_t seed) : m_hash(hash), m_random(seed) {}

  std::size_t below(std::size_t n) { return m_random.below(m_step++, n); }
  std::size_t size() const { return m_expected.size(); }
  id_type find(std::uint64_t number) const {
    return m_table.find(m_hash(number), [&](id_type row) { return m_numbers[row] == number; });
  }
  void add(std::uint64_t number) {
    if (m_expected.contains(number)) return;
    const auto row = static_cast<id_type>(m_numbers.size());
    m_numbers.push_back(number);
    m_table.reserve(m_table.size() + 1);
    m_table.add(m_hash(number), row);
    m_expected[number] = row;
  }
  void remove(std::uint64_t number) {
    const auto found = m_expected.find(number);
    if (found == m_expected.end()) return;
    m_table.remove(m_hash(number), found->second);
    m_expected.erase(found);
  }
  /// Rows that are in the table come to stand without gaps, in another order.
  void rename() {
    std::vector<id_type> names(m_numbers.size(), no_id);
    std::vector<std::uint64_t> numbers;
    for (auto& [number, row] : m_expected) {
      names[row] = static_cast<id_type>(numbers.size());
      row = names[row];
      numbers.push_back(number);
    }
    m_table.rename(names);
    m_numbers = numbers;
  }
  void reserve(std::size_t n) { m_table.reserve(n); }
  /// How many of the numbers up to a bound are not where the map has them.
  std::size_t wrong(std::uint64_t bound) const {
    std::size_t n_wrong = m_table.size() != m_expected.size() || m_table.empty() != m_expected.empty();
    for (std::uint64_t number = 0; number < bound; ++number) {
      const auto found = m_expected.find(number);
      n_wrong += find(number) != (found == m_expected.end() ? no_id : found->second);
    }
    return n_wrong;
  }

 private:
  std::uint32_t (*m_hash)(std::uint64_t);
  counter_random m_random;
  std::uint64_t m_step = 0;
  row_table m_table;
  std::vector<std::uint64_t> m_numbers;
  std::unordered_map<std::uint64_t, id_type> m_expected;
};

std::uint32_t spread(std::uint64_t number) { return static_cast<std::uint32_t>(annulus::detail::mixed_bits(number)); }
std::uint32_t of_few(std::uint64_t number) { return static_cast<std::uint32_t>(number % 3); }
std::uint32_t at_the_end(std::uint64_t number) { return 0xFFFFFFFFu - static_cast<std::uint32_t>(number % 5); }
std::uint32_t the_same(std::uint64_t) { return 12345; }
std::uint32_t in_order(std::uint64_t number) { return static_cast<std::uint32_t>(number); }

}  // namespace

TEST_CASE("a table finds what a map does after any changes, also where hashes collide", "[row_table]") {
  constexpr std::uint64_t bound = 120;
  for (const auto hash : {spread, of_few, at_the_end, the_same, in_order})
    for (const std::uint64_t seed : {1u, 2u, 3u}) {
      pair_of_tables p(hash, seed);
      CHECK(p.wrong(bound) == 0);
      std::size_t wrong = 0;
      for (std::size_t step = 0; step < 2000; ++step) {
        const std::size_t dice = p.below(100);
        const bool grows = step / 300 % 2 == 0;
        if (dice < (grows ? 60u : 25u)) p.add(p.below(bound));
        else if (dice < 96) p.remove(p.below(bound));
        else if (dice < 98) p.reserve(p.size() + p.below(100));
        else p.rename();
        if (step % 10 == 0) wrong += p.wrong(bound);
      }
      CAPTURE(seed);
      CHECK(wrong == 0);
      for (std::uint64_t number = 0; number < bound; ++number) p.remove(number);
      CHECK(p.size() == 0);
      CHECK(p.wrong(bound) == 0);
    }
}

TEST_CASE("a table of many rows finds each, and takes at most 32 bytes a row", "[row_table]") {
  row_table table;
  constexpr id_type n = 50000;
  for (id_type i = 0; i < n; ++i) {
    table.reserve(i + std::size_t{1});
    table.add(spread(i), i);
  }
  std::size_t wrong = 0;
  for (id_type i = 0; i < n; ++i) wrong += table.find(spread(i), [&](id_type row) { return row == i; }) != i;
  CHECK(wrong == 0);
  CHECK(table.memory_bytes() <= 32 * n);
}
