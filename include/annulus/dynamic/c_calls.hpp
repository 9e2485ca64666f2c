#pragma once

/// \file
/// Calls of the C interface from C++: a status becomes the exception that it was, callables become functions with a
/// pointer, and their exceptions pass through.

#include <annulus/annulus.h>
#include <annulus/core/base/errors.hpp>
#include <annulus/dynamic/dynamic_params.hpp>

#include <atomic>
#include <exception>
#include <new>
#include <system_error>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

[[noreturn, gnu::noinline, gnu::cold]] inline void rethrow(annulus_status status, const annulus_error& error) {
  std::string message = error.message;
  switch (status) {
    case ANNULUS_INVALID_ARGUMENT:
      throw std::invalid_argument(message);
    case ANNULUS_FORMAT_ERROR:
      throw format_error(message);
    case ANNULUS_SYSTEM_ERROR: {
#if defined(_WIN32)
      const std::error_code code(error.code, std::system_category());
#else
      const std::error_code code(error.code, std::generic_category());
#endif
      const std::string reason = ": " + code.message();  // which std::system_error appends
      if (message.ends_with(reason)) message.resize(message.size() - reason.size());
      throw std::system_error(code, message);
    }
    case ANNULUS_OUT_OF_MEMORY:
      throw std::bad_alloc();
    case ANNULUS_CANCELLED:
      throw cancelled();
    default:
      throw std::runtime_error(message);
  }
}

/// The first exception of a callback, kept while the library winds up its call.
class kept_exception {
 public:
  /// f(), or `otherwise` where it throws.
  template <class F, class Result>
  Result call(F&& f, Result otherwise) noexcept {
    try {
      return f();
    } catch (...) {
      if (!m_is_taken.exchange(true)) m_exception = std::current_exception();
      return otherwise;
    }
  }
  /// After the call, on the thread that made it.
  void rethrow_if_any() const {
    if (m_exception) std::rethrow_exception(m_exception);
  }

 private:
  std::atomic<bool> m_is_taken = false;
  std::exception_ptr m_exception;
};

/// f(&error), a call of the C interface. \throws what the library threw.
template <class F>
void call(F&& f) {
  annulus_error error;  // written where it fails only
  const annulus_status status = f(&error);
  if (status != ANNULUS_OK) rethrow(status, error);
}
/// The same for calls with callbacks, whose exceptions come first.
template <class F>
void call(const kept_exception& kept, F&& f) {
  annulus_error error;
  const annulus_status status = f(&error);
  kept.rethrow_if_any();
  if (status != ANNULUS_OK) rethrow(status, error);
}

/// A progress callback for the C interface. Its reports list no stages.
class c_progress {
 public:
  c_progress(const progress_callback& progress, kept_exception& kept) noexcept : m_progress(progress), m_kept(kept) {}
  c_progress(const c_progress&) = delete;
  c_progress& operator=(const c_progress&) = delete;

  annulus_progress function() const noexcept { return m_progress ? &report : nullptr; }
  void* user() noexcept { return this; }

 private:
  static int report(void* user, const char* stage, double fraction, double whole) {
    const c_progress& self = *static_cast<const c_progress*>(user);
    return self.m_kept.call([&] { return int{self.m_progress({stage, fraction, whole, {}})}; }, 0);
  }

  const progress_callback& m_progress;
  kept_exception& m_kept;
};

/// dynamic_search_params for the C interface; `params` must outlive it.
class c_search_params {
 public:
  explicit c_search_params(const dynamic_search_params& params)
      : m_filter(params.filter), m_progress(params.progress, m_kept) {
    annulus_search_defaults(&m_params);
    m_params.threads = params.threads;
    m_params.recall_target = given(params.recall_target, "recall_target");
    m_params.beam = params.beam;
    m_params.epsilon = params.epsilon;
    m_params.by_estimates = params.by_estimates;
    m_params.n_probes = params.n_probes;
    m_params.max_candidates = params.max_candidates;
    m_params.k_factor = given(params.k_factor, "k_factor");
    m_params.float_tables = params.float_tables;
    m_params.progress = m_progress.function();
    m_params.progress_user = m_progress.user();
    if (!m_filter.empty()) set_filter();
  }
  c_search_params(const c_search_params&) = delete;
  c_search_params& operator=(const c_search_params&) = delete;

  const annulus_search_params* get() const noexcept { return &m_params; }
  const kept_exception& kept() const noexcept { return m_kept; }

 private:
  /// Zero means "not given" to the C interface.
  template <class T>
  static T given(const std::optional<T>& value, std::string_view name) {
    if (value && *value == T(0)) invalid(name, *value, "must be greater; leave it out for the default");
    return value.value_or(T(0));
  }
  void set_filter() {
    if (const std::span<const std::uint64_t> words = m_filter.words(); !words.empty()) {
      m_params.allowed_bits = words.data();
      m_params.n_allowed = 64 * words.size();
    } else if (m_filter.size()) {
      m_ids.reserve(*m_filter.size() + 1);  // an empty list must not be null
      m_filter.visit([&](id_type id) { m_ids.push_back(id); });
      m_params.allowed_ids = m_ids.data();
      m_params.n_allowed = m_ids.size();
    } else {
      m_params.allow_user = this;
      m_params.allow = [](void* user, id_type id) {
        c_search_params& self = *static_cast<c_search_params*>(user);
        return self.m_kept.call([&] { return int{self.m_filter(id)}; }, 0);
      };
    }
  }

  const id_filter& m_filter;
  kept_exception m_kept;
  c_progress m_progress;
  std::vector<id_type> m_ids;
  annulus_search_params m_params;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
