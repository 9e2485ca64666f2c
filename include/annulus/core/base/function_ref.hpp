#pragma once

/// \file
/// A callable known by its address: a function that takes one is compiled once, not once for each callable.

#include <annulus/core/base/config.hpp>

#include <memory>
#include <type_traits>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

template <class Signature>
class function_ref;

/// For parameters: what it refers to must outlive it, as the argument of a call does.
template <class Result, class... Arguments>
class function_ref<Result(Arguments...)> {
 public:
  template <class F>
    requires(!std::is_same_v<F, function_ref> && std::is_invocable_r_v<Result, const F&, Arguments...>)
  function_ref(const F& f)
  noexcept
      : m_object(std::addressof(f)), m_call([](const void* object, Arguments... arguments) -> Result {
          return (*static_cast<const F*>(object))(static_cast<Arguments&&>(arguments)...);
        }) {}

  Result operator()(Arguments... arguments) const { return m_call(m_object, static_cast<Arguments&&>(arguments)...); }

 private:
  const void* m_object;
  Result (*m_call)(const void*, Arguments...);
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
