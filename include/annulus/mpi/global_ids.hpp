#pragma once

/// \file
/// The global ids of a shard's rows. annulus.hpp leaves this header out.

#include <annulus/core/base/buffer.hpp>
#include <annulus/core/base/errors.hpp>
#include <annulus/core/base/ids.hpp>
#include <annulus/storage/archive.hpp>

#include <algorithm>
#include <optional>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// From the ids that an index gave its rows to global ids and back. Both ascend together, in runs: a run for the rows
/// that a shard was built of, and one for each insertion, so that a lookup is O(log runs) and memory 24 bytes a run.
class global_ids {
 public:
  static constexpr std::string_view kind = "global_ids";  ///< in files

  global_ids() = default;
  explicit global_ids(unfilled) {}

  /// Rows with ids from first_local on have ids from first_global on. Both are above all before.
  void append(id_type first_local, std::size_t count, std::int64_t first_global) {
    if (count == 0) return;
    const run added{first_local, first_global, static_cast<std::int64_t>(count)};
    if (!m_runs.empty() && m_runs.back().continues_with(added)) m_runs.back().count += added.count;
    else m_runs.resize(m_runs.size() + 1, added);
  }

  /// \throws std::logic_error for an id that was not appended.
  std::int64_t global_of(id_type local) const {
    const auto after = std::ranges::upper_bound(m_runs, std::int64_t{local}, {}, &run::local);
    if (after == m_runs.begin() || local - std::prev(after)->local >= std::prev(after)->count)
      throw std::logic_error("annulus: a shard has a row " + std::to_string(local) +
                             " without a global id: it is to be made of an index that no row was erased from");
    return std::prev(after)->global + (local - std::prev(after)->local);
  }
  /// Nothing for an id of another shard.
  std::optional<id_type> local_of(std::int64_t global) const noexcept {
    const auto after = std::ranges::upper_bound(m_runs, global, {}, &run::global);
    if (after == m_runs.begin() || global - std::prev(after)->global >= std::prev(after)->count) return std::nullopt;
    return static_cast<id_type>(std::prev(after)->local + (global - std::prev(after)->global));
  }
  /// Above all global ids of the shard.
  std::int64_t end() const noexcept { return m_runs.empty() ? 0 : m_runs.back().global + m_runs.back().count; }

  /// After this the next append does not throw.
  void make_room() {
    if (m_runs.size() == m_runs.capacity()) m_runs.reserve(2 * m_runs.size() + 1);
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    const std::size_t n = archived_size(archive, "n_runs", self.m_runs.size());
    archive.template as<std::int64_t>("runs", self.m_runs, {n, 3});
  }
  std::string defect() const {
    std::int64_t local = 0, global = 0;
    for (const run& r : m_runs) {
      if (r.local < local || r.global < global || r.count <= 0 || r.count > no_id - r.local ||
          r.global > std::numeric_limits<std::int64_t>::max() - r.count)
        return "runs: must ascend";
      local = r.local + r.count;
      global = r.global + r.count;
    }
    return {};
  }

 private:
  struct run {
    std::int64_t local, global, count;
    bool continues_with(const run& next) const noexcept {
      return next.local == local + count && next.global == global + count;
    }
  };
  buffer<run> m_runs;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
