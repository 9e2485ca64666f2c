#pragma once

/// \file
/// id_filter: which rows a search may return.

#include <annulus/core/base/ids.hpp>

#include <algorithm>
#include <bit>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// Every row (the default), the rows of a list or a bitset, or those for which a callable says true. Cheap to copy. A
/// callable may be called from several threads at once. A list or a bitset knows how many rows it lets pass, and a
/// search among few of them compares just those.
class id_filter {
 public:
  id_filter() = default;

  /// \param allowed row i passes where allowed[i]; rows past its end do not \throws std::bad_alloc
  id_filter(const std::vector<bool>& allowed) {
    std::vector<std::uint64_t> words((allowed.size() + 63) / 64);
    for (std::size_t i = 0; i < allowed.size(); ++i)
      if (allowed[i]) words[i / 64] |= std::uint64_t{1} << (i % 64);
    assign_bits(std::move(words));
  }

  /// \param allow row i passes where allow(i), which may be called from several threads at once \throws std::bad_alloc
  template <class F>
    requires(std::predicate<const F&, id_type> && !std::same_as<std::remove_cvref_t<F>, id_filter>)
  id_filter(F allow) : m_allow(std::move(allow)) {}

  /// The rows of a list pass. \param ids n of them, in any order, repeats allowed \returns the filter
  /// \throws std::bad_alloc where memory runs out. O(n log n).
  static id_filter of(std::span<const id_type> ids) {
    std::vector<id_type> sorted(ids.begin(), ids.end());
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    id_filter filter;
    constexpr std::size_t bits_an_id =
        256;  // a bitset is quicker to ask, but takes a bit of each id up to the greatest
    if (!sorted.empty() && sorted.back() / bits_an_id < sorted.size()) {
      std::vector<std::uint64_t> words(sorted.back() / 64 + std::size_t{1});
      for (const id_type id : sorted) words[id / 64] |= std::uint64_t{1} << (id % 64);
      filter.assign_bits(std::move(words));
    } else {
      filter.m_list = std::make_shared<const std::vector<id_type>>(std::move(sorted));
    }
    return filter;
  }

  /// \param words row i passes where bit i % 64 of word i / 64 is set; rows past the end do not \returns the filter
  /// \throws std::bad_alloc
  static id_filter of_words(std::vector<std::uint64_t> words) {
    id_filter filter;
    filter.assign_bits(std::move(words));
    return filter;
  }

  /// \returns the words of a bitset, or nothing where the filter is none
  std::span<const std::uint64_t> words() const noexcept {
    return m_bits ? std::span<const std::uint64_t>(m_bits->words) : std::span<const std::uint64_t>();
  }

  /// \returns whether every row passes
  bool empty() const noexcept { return !m_bits && !m_list && !m_allow; }

  /// \returns how many ids pass, where that is known: of a list and a bitset
  std::optional<std::size_t> size() const noexcept {
    if (m_bits) return m_bits->count;
    if (m_list) return m_list->size();
    return std::nullopt;
  }

  /// \param id a row \returns whether it passes \throws any exception of the callable
  bool operator()(id_type id) const {
    if (m_bits) return id / 64 < m_bits->words.size() && (m_bits->words[id / 64] >> (id % 64) & 1u) != 0;
    if (m_list) return std::binary_search(m_list->begin(), m_list->end(), id);
    return !m_allow || m_allow(id);
  }

  /// \param f called with the ids that pass, ascending, where size() is known; else not at all \throws any exception of
  /// f
  template <class F>
  void visit(F f) const {
    if (m_bits)
      for (std::size_t w = 0; w < m_bits->words.size(); ++w)
        for (std::uint64_t left = m_bits->words[w]; left != 0; left &= left - 1)
          f(static_cast<id_type>(64 * w + static_cast<std::size_t>(std::countr_zero(left))));
    if (m_list)
      for (const id_type id : *m_list) f(id);
  }

 private:
  struct bitset {
    std::vector<std::uint64_t> words;
    std::size_t count = 0;
  };
  void assign_bits(std::vector<std::uint64_t> words) {
    std::size_t count = 0;
    for (const std::uint64_t word : words) count += static_cast<std::size_t>(std::popcount(word));
    m_bits = std::make_shared<const bitset>(bitset{std::move(words), count});
  }

  std::shared_ptr<const bitset> m_bits;
  std::shared_ptr<const std::vector<id_type>> m_list;
  std::function<bool(id_type)> m_allow;
};

}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
