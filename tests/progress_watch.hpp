#pragma once

#include <annulus/core/base/progress.hpp>

#include <string>
#include <vector>

/// Watches what one call says of its progress.
class progress_watch {
 public:
  annulus::progress_callback callback() {
    return [this](const annulus::progress_report& report) {
      see(report);
      return true;
    };
  }

  void see(const annulus::progress_report& report) {
    const std::vector<std::string> stages(report.stages.begin(), report.stages.end());
    if (m_stages.empty()) m_stages = stages;
    std::size_t stage = 0;
    while (stage < stages.size() && stages[stage] != report.stage) ++stage;
    const bool is_next = stage > m_stage;
    const auto check = [&](bool is_kept, const char* fault) {
      if (!is_kept && m_fault.empty()) m_fault = fault + (" at " + std::to_string(report.whole));
    };
    check(stages == m_stages, "the list of stages changes");
    check(stage < stages.size(), "a stage is not listed");
    check(stage >= m_stage, "a stage comes back");
    check(report.fraction >= (is_next ? 0 : m_fraction) && report.fraction <= 1, "the fraction falls, or is none");
    check(report.whole >= m_whole && report.whole <= 1, "the whole falls, or is none");
    check(m_whole < 1, "there is a report behind the last");
    m_stage = stage;
    m_fraction = report.fraction;
    m_whole = report.whole;
  }

  /// What is not as it is promised of a call that ended, with these stages; empty where all is.
  std::string fault(const std::vector<std::string>& stages) const {
    if (!m_fault.empty()) return m_fault;
    if (m_stages != stages) return "other stages";
    return m_whole == 1 ? "" : "the whole is " + std::to_string(m_whole) + " at the end";
  }

 private:
  std::vector<std::string> m_stages;
  std::size_t m_stage = 0;
  double m_fraction = 0, m_whole = 0;
  std::string m_fault;
};
