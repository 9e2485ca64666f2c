#pragma once

/// \file
/// scratch_pool: what searches of one query need, kept from call to call, for callers that hold no scratch themselves.

#include <annulus/core/base/config.hpp>

#include <memory>
#include <mutex>
#include <vector>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Hands each thread a Scratch of its own, and keeps as many as were in use at once. A copy starts empty, as the
/// scratch of one index is of no use to another.
template <class Scratch>
class scratch_pool {
  struct returner {
    const scratch_pool* pool;
    void operator()(Scratch* scratch) const noexcept { pool->put_back(scratch); }
  };

 public:
  /// A scratch that returns to the pool when this is destroyed.
  using lease = std::unique_ptr<Scratch, returner>;

  scratch_pool() = default;
  scratch_pool(const scratch_pool&) noexcept {}
  scratch_pool& operator=(const scratch_pool&) = delete;

  /// `make` makes another one where all are in use: make() -> Scratch. Called by any number of threads at once; only
  /// such a call allocates.
  template <class Make>
  lease take(Make&& make) const {
    {
      const std::lock_guard lock(m_mutex);
      if (!m_free.empty()) {
        Scratch* const last = m_free.back().release();
        m_free.pop_back();
        return lease(last, {this});
      }
      m_free.reserve(++m_made);  // so that none needs memory to be put back
    }
    return lease(new Scratch(make()), {this});
  }
  lease take() const {
    return take([] { return Scratch(); });
  }

  /// Frees all. None may be in use: for changes of the index, after which the old ones may not fit.
  void clear() noexcept {
    m_free.clear();
    m_made = 0;
  }

 private:
  void put_back(Scratch* scratch) const noexcept {
    const std::lock_guard lock(m_mutex);
    m_free.emplace_back(scratch);
  }

  mutable std::mutex m_mutex;
  mutable std::vector<std::unique_ptr<Scratch>> m_free;
  mutable std::size_t m_made = 0;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
