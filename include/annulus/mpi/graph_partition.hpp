#pragma once

/// \file
/// A partition of a distributed data set: the rows that have it as first or second home, and their lists of neighbours.

#include <annulus/core/base/ids.hpp>
#include <annulus/core/rows/matrix.hpp>
#include <annulus/core/select/candidate.hpp>

#include <algorithm>
#include <limits>
#include <span>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// A row by its global id and by its first home, where its list is.
class row_name {
 public:
  static constexpr std::size_t id_bits = 40;

  constexpr row_name() noexcept = default;
  constexpr row_name(std::uint32_t partition, std::uint64_t id) noexcept
      : m_bits(std::uint64_t{partition} << id_bits | id) {}

  constexpr std::uint64_t id() const noexcept { return m_bits & ((std::uint64_t{1} << id_bits) - 1); }
  constexpr std::uint32_t partition() const noexcept { return static_cast<std::uint32_t>(m_bits >> id_bits); }
  friend bool operator==(const row_name&, const row_name&) = default;

 private:
  std::uint64_t m_bits = ~std::uint64_t{0};
};

/// A neighbour that was found: its distance and its name. In the order of distances, ties by id.
struct named_neighbor {
  float distance;
  row_name name;
  friend bool operator<(const named_neighbor& a, const named_neighbor& b) noexcept {
    return candidate<float, std::uint64_t>{a.distance, a.name.id()} <
           candidate<float, std::uint64_t>{b.distance, b.name.id()};
  }
};

/// The k nearest neighbours offered to each of n rows, whatever the order of the offers.
class named_lists {
 public:
  named_lists() = default;
  named_lists(std::size_t n, std::size_t k)
      : m_names(n, k, row_name()), m_distances(n, k, std::numeric_limits<float>::infinity()), m_counts(n, 0) {}

  std::size_t size() const noexcept { return m_counts.size(); }
  std::size_t width() const noexcept { return m_names.cols(); }
  std::size_t count(std::size_t i) const noexcept { return m_counts[i]; }
  named_neighbor operator()(std::size_t i, std::size_t j) const noexcept { return {m_distances(i, j), m_names(i, j)}; }
  /// No neighbour further away than this enters.
  float threshold(std::size_t i) const noexcept { return m_distances(i, width() - 1); }

  /// Takes a neighbour in unless the row has it, or k before it. Distances of NaN and infinity do not enter.
  bool insert(std::size_t i, named_neighbor found) noexcept {
    if (!is_finite(found.distance)) return false;
    std::size_t end = m_counts[i];
    if (end == width()) {
      if (!(found < (*this)(i, end - 1))) return false;
    }
    const auto names = m_names.row(i).first(end);
    if (std::ranges::find(names, found.name) != names.end()) return false;
    if (end == width()) --end;
    else ++m_counts[i];
    std::size_t at = end;
    for (; at > 0 && found < (*this)(i, at - 1); --at) {
      m_names(i, at) = m_names(i, at - 1);
      m_distances(i, at) = m_distances(i, at - 1);
    }
    m_names(i, at) = found.name;
    m_distances(i, at) = found.distance;
    return true;
  }

 private:
  matrix<row_name> m_names;
  matrix<float> m_distances;
  std::vector<std::uint32_t> m_counts;
};

/// Rows with this partition as their first home come first, by ascending id; then those that have it as their second,
/// by ascending id as well. What it holds is a function of data, seed and parameters, not of where it lies.
template <class T>
struct graph_partition {
  std::uint32_t number = 0;
  std::size_t n_first = 0;
  matrix<T> rows;
  std::vector<row_name> names;
  std::vector<std::uint32_t> other_homes;  ///< of each row: its home that is not this one

  matrix<id_type> graph;    ///< the neighbours of each row within the partition
  matrix<float> distances;  ///< theirs, of the first n_first rows, until lists are made of them
  named_lists lists;        ///< of the first n_first rows

  std::size_t size() const noexcept { return names.size(); }
  /// The row of that id among those that have their first home here, or among the others. It must be there.
  std::size_t first_index(std::uint64_t id) const noexcept {
    const std::size_t i = index_in(0, n_first, id);
    ANNULUS_ASSERT(i < n_first && names[i].id() == id);
    return i;
  }
  std::size_t second_index(std::uint64_t id) const noexcept {
    const std::size_t i = index_in(n_first, size(), id);
    ANNULUS_ASSERT(i < size() && names[i].id() == id);
    return i;
  }

 private:
  /// The first of those rows that has at least that id.
  std::size_t index_in(std::size_t begin, std::size_t end, std::uint64_t id) const noexcept {
    const auto at = [&](std::size_t i) { return names.begin() + static_cast<std::ptrdiff_t>(i); };
    return static_cast<std::size_t>(std::ranges::lower_bound(at(begin), at(end), id, {}, &row_name::id) -
                                    names.begin());
  }
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
