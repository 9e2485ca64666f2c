#pragma once

/// \file
/// Which rows a search may return.

#include <annulus/core/neighbors.hpp>

#include <functional>
#include <memory>
#include <utility>

namespace annulus::inline ANNULUS_ARCH {

/// Every row (the default), the rows set in a bitset, or those for which a callable says true. Cheap to copy. A
/// callable may be called from several threads at once.
class id_filter {
 public:
  id_filter() = default;

  /// Row i passes where allowed[i]; rows past its end do not.
  id_filter(const std::vector<bool>& allowed) {
    auto words = std::make_shared<std::vector<std::uint64_t>>((allowed.size() + 63) / 64);
    for (std::size_t i = 0; i < allowed.size(); ++i)
      if (allowed[i]) (*words)[i / 64] |= std::uint64_t{1} << (i % 64);
    m_words = std::move(words);
  }

  /// Row i passes where allow(i).
  template <class F>
    requires(std::predicate<const F&, id_type> && !std::same_as<std::remove_cvref_t<F>, id_filter>)
  id_filter(F allow) : m_allow(std::move(allow)) {}

  /// Whether every row passes.
  bool empty() const noexcept { return !m_words && !m_allow; }

  bool operator()(id_type id) const {
    if (m_words) return id / 64 < m_words->size() && ((*m_words)[id / 64] >> (id % 64) & 1u) != 0;
    return !m_allow || m_allow(id);
  }

 private:
  std::shared_ptr<const std::vector<std::uint64_t>> m_words;
  std::function<bool(id_type)> m_allow;
};

}  // namespace annulus::inline ANNULUS_ARCH
