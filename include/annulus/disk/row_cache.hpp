#pragma once

/// \file
/// The rows of a file that were asked for of late, kept in memory within a budget. annulus.hpp leaves this header out.

#include <annulus/core/base/ids.hpp>
#include <annulus/core/base/random.hpp>

#include <array>
#include <atomic>
#include <cstring>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Rows of one length by their numbers, in sets of 8 places; a row has its place in one of the sets. Where a set is
/// full, the hand of a clock goes round over its places: rows used since it last came by stay, the first other one
/// goes.
///
/// Safe from any number of threads, which never wait: a set that another thread is reading or changing has no row for
/// this one, and takes none.
class row_cache {
 public:
  /// Takes at most `budget` bytes, this object apart.
  row_cache(std::size_t budget, std::size_t row_bytes)
      : m_row_bytes(row_bytes),
        m_sets(budget / (sizeof(set) + places * row_bytes)),
        m_rows(m_sets.size() * places * row_bytes) {}

  std::size_t capacity() const noexcept { return m_sets.size() * places; }  ///< in rows
  std::size_t memory_bytes() const noexcept { return m_sets.size() * sizeof(set) + m_rows.size(); }

  /// Copies the row to `to`, if it is there.
  bool find(id_type number, std::byte* to) noexcept {
    return with_set(number, [&](set& s, std::byte* rows) {
      for (std::size_t i = 0; i < places; ++i)
        if (s.numbers[i] == number) {
          std::memcpy(to, rows + i * m_row_bytes, m_row_bytes);
          s.is_used[i] = true;
          return true;
        }
      return false;
    });
  }
  /// Keeps a copy of a row.
  void put(id_type number, const std::byte* row) noexcept {
    with_set(number, [&](set& s, std::byte* rows) {
      for (std::size_t i = 0; i < places; ++i)
        if (s.numbers[i] == number) return true;
      while (std::exchange(s.is_used[s.hand], false)) s.hand = (s.hand + 1) % places;
      s.numbers[s.hand] = number;
      std::memcpy(rows + s.hand * m_row_bytes, row, m_row_bytes);
      s.hand = (s.hand + 1) % places;
      return true;
    });
  }

 private:
  static constexpr std::size_t places = 8;

  struct set {
    set() noexcept { numbers.fill(no_id); }
    std::array<id_type, places> numbers;
    std::array<bool, places> is_used{};  ///< since the hand came by
    std::uint8_t hand = 0;
    std::atomic<bool> is_taken{false};
  };

  /// f(set, its rows) for the set of a row; false where there is none, or another thread is at it.
  template <class F>
  bool with_set(id_type number, F f) noexcept {
    if (m_sets.empty()) return false;
    const std::size_t at = mixed_bits(number) % m_sets.size();
    set& s = m_sets[at];
    if (s.is_taken.exchange(true, std::memory_order_acquire)) return false;
    const bool result = f(s, m_rows.data() + at * places * m_row_bytes);
    s.is_taken.store(false, std::memory_order_release);
    return result;
  }

  std::size_t m_row_bytes;
  std::vector<set> m_sets;
  std::vector<std::byte> m_rows;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
