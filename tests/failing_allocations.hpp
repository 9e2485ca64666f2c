#pragma once

// Counts the allocations of a test program and makes some of them fail. The operators are in operator_new.cpp, which
// every test program is linked with. Memory that comes from mmap, that of large blocks, is not seen.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <limits>
#include <new>
#include <ostream>

namespace allocations {

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ANNULUS_TEST_THREAD_SANITIZER
#endif
#endif
#if defined(ANNULUS_TEST_THREAD_SANITIZER) || defined(__SANITIZE_THREAD__)
constexpr bool are_seen = false;  ///< its operators cannot be replaced: none is counted, none fails
#else
constexpr bool are_seen = true;
#endif

constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

extern std::atomic<std::size_t> n_made, n_alive;              ///< asked for so far, and not freed
extern std::atomic<std::size_t> first_failure, last_failure;  ///< numbers of those that fail, counted as n_made is

/// As long as it lives, allocation number `first` from its construction on fails; and all those after it, if `lasting`.
class failing {
 public:
  explicit failing(std::size_t first, bool lasting = false) {
    const std::size_t number = n_made + first;
    last_failure = lasting ? never : number;
    first_failure = number;
  }
  failing(const failing&) = delete;
  ~failing() { first_failure = never; }
  bool has_failed() const noexcept { return n_made > first_failure; }
};

/// What became of an attempt over and over.
struct outcome {
  std::size_t failures = 0;   ///< attempts in which an allocation failed
  std::size_t survived = 0;   ///< of them those that went through all the same
  std::size_t leaking = 0;    ///< that left memory behind
  std::size_t disturbed = 0;  ///< after which something was not as it should be

  /// Each failure reached the caller, and did no harm.
  bool is_clean() const { return (failures > 0) == are_seen && survived == 0 && leaking == 0 && disturbed == 0; }
  /// No failure did harm, but some there was another way around.
  bool is_harmless() const { return (failures > survived) == are_seen && leaking == 0 && disturbed == 0; }
  friend outcome operator+(const outcome& a, const outcome& b) {
    return {a.failures + b.failures, a.survived + b.survived, a.leaking + b.leaking, a.disturbed + b.disturbed};
  }
  friend std::ostream& operator<<(std::ostream& out, const outcome& o) {
    return out << o.failures << " failures, " << o.survived << " survived, " << o.leaking << " leaking, " << o.disturbed
               << " disturbed";
  }
};

/// Calls attempt(fail) with the first allocation failing, then the second and so on, at most `most` of them evenly
/// spread; each once alone, and once with all that follow. An attempt is to call fail(f), which calls f() while
/// allocations fail and returns whether it threw std::bad_alloc, and to return whether all is as it should be.
template <class Attempt>
outcome fail_each(Attempt attempt, std::size_t most = never) {
  std::size_t n = 0;
  outcome result;
  result.disturbed += !attempt([&](auto f) {  // also makes what is made once for all
    const std::size_t before = n_made;
    f();
    n = n_made - before;
    return false;
  });
  for (const bool lasting : {false, true})
    for (std::size_t i = 0; i < std::min(n, most); ++i) {
      const std::size_t alive = n_alive;
      bool has_failed = false, has_thrown = false;
      const bool is_right = attempt([&](auto f) {
        const failing these(i * n / std::min(n, most), lasting);
        try {
          f();
        } catch (const std::bad_alloc&) {
          has_thrown = true;
        }
        has_failed = these.has_failed();
        return has_thrown;
      });
      result.failures += has_failed;
      result.survived += has_failed && !has_thrown;
      result.disturbed += !is_right;
      result.leaking += n_alive != alive;
    }
  return result;
}

/// The same for a call that changes nothing: it is to return what it returns without failures.
template <class Call>
outcome fail_call(Call call, std::size_t most = never) {
  const auto expected = call();
  const auto attempt = [&](auto fail) {
    bool is_right = true;
    fail([&] { is_right = call() == expected; });
    return is_right && call() == expected;
  };
  return fail_each(attempt, most);
}

/// The same for a change of an object: where it fails, answers(object) are to be those from before, and those after the
/// change once it is made without failures.
template <class Object, class Change, class Answers>
outcome fail_change(const Object& object, Change change, Answers answers, std::size_t most = never) {
  const auto before = answers(object);
  Object other = object;
  change(other);
  const auto after = answers(other);
  const auto attempt = [&](auto fail) {
    Object changed = object;
    if (fail([&] { change(changed); })) {
      if (!(answers(changed) == before)) return false;
      change(changed);
    }
    return answers(changed) == after;
  };
  return fail_each(attempt, most);
}

}  // namespace allocations
