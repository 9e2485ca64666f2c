#pragma once

/// \file
/// Progress and cancellation of long calls.

#include <annulus/core/base/errors.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <initializer_list>
#include <span>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH {

/// How far a call is.
struct progress_report {
  std::string_view stage;                    ///< what is being done: one of `stages`
  double fraction = 0;                       ///< of this stage, from 0 to 1: never falls while the stage lasts
  double whole = 0;                          ///< of the call, about: never falls, and is 1 once, in the last report
  std::span<const std::string_view> stages;  ///< of the call, in order, from the first report on; some may be left out
};

/// Called now and then, always on the thread that made the call into the library. Returning false cancels: that call
/// then throws annulus::cancelled and leaves nothing half-built. Views in the report last as long as the callback.
using progress_callback = std::function<bool(const progress_report&)>;

namespace detail {

/// Reports on a call that has one stage.
inline void report(const progress_callback& progress, std::string_view stage, double fraction) {
  if (progress && !progress({stage, fraction, fraction, {&stage, 1}})) throw cancelled();
}

/// Reports on a part of a stage, from `begin` to `end` of its fraction. `progress` must outlive what is returned.
inline progress_callback part_of(const progress_callback& progress, double begin, double end) {
  if (!progress) return {};
  return [&progress, begin, end](const progress_report& part) {
    const double fraction = begin + (end - begin) * part.whole;
    return progress({part.stage, fraction, fraction, part.stages});
  };
}

/// The progress of a call of several stages. Each stage consists of calls that report by its name. Neither fraction
/// ever falls, whatever these report, and `whole` is 1 in the report of finish() alone. Neither this object nor the
/// callback may move while it is used.
class staged_progress {
 public:
  struct stage_cost {
    std::string_view name;
    double cost;  ///< about, in any unit
  };

  staged_progress(const progress_callback& callback, std::initializer_list<stage_cost> stages)
      : m_callback(callback), m_size(stages.size()) {
    double total = 0;
    std::size_t i = 0;
    for (const auto& [name, cost] : stages) {
      m_names[i] = name;
      m_ends[i++] = total += cost;
    }
    for (double& end : m_ends) end /= total;
  }
  staged_progress(const staged_progress&) = delete;
  staged_progress& operator=(const staged_progress&) = delete;

  /// The callback for calls that report by the name of their stage.
  progress_callback callback() {
    if (!m_callback) return {};
    return [this](const progress_report& part) {
      const auto all = names();
      return advance(static_cast<std::size_t>(std::find(all.begin(), all.end(), part.stage) - all.begin()),
                     part.fraction);
    };
  }
  /// The callback for a call that is a whole stage, whatever name it reports by.
  progress_callback of(std::size_t stage) {
    if (!m_callback) return {};
    return [this, stage](const progress_report& part) { return advance(stage, part.whole); };
  }

  /// Reports that the call is complete. \throws cancelled
  void finish() const {
    if (m_callback && !m_callback({names().back(), 1.0, 1.0, names()})) throw cancelled();
  }

 private:
  std::span<const std::string_view> names() const noexcept { return std::span(m_names).first(m_size); }

  bool advance(std::size_t stage, double fraction) {
    if (stage < m_size && stage > m_stage) {
      m_stage = stage;
      m_fraction = 0;
    }
    if (stage == m_stage) m_fraction = std::max(m_fraction, fraction);
    if (m_stage + 1 == m_size && m_fraction >= 1) return true;  // finish() reports it
    const double begin = m_stage == 0 ? 0.0 : m_ends[m_stage - 1];
    m_whole = std::max(m_whole, begin + (m_ends[m_stage] - begin) * m_fraction);
    return m_callback({m_names[m_stage], m_fraction, m_whole, names()});
  }

  const progress_callback& m_callback;
  std::size_t m_size, m_stage = 0;
  double m_fraction = 0, m_whole = 0;
  std::array<std::string_view, 8> m_names;
  std::array<double, 8> m_ends{};  ///< where each stage ends, as a fraction of the whole
};

}  // namespace detail
}}  // namespace annulus::ANNULUS_ARCH

#include <annulus/core/base/macros_on.hpp>
