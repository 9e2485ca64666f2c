#pragma once

/// \file
/// What the library makes and frees.

#include <utility>

namespace annulus_python {

template <class T, void (*Free)(T*)>
class owned {
 public:
  owned() = default;
  owned(owned&& other) noexcept : m_pointer(std::exchange(other.m_pointer, nullptr)) {}
  owned& operator=(owned other) noexcept {
    std::swap(m_pointer, other.m_pointer);
    return *this;
  }
  ~owned() { Free(m_pointer); }

  T* get() const noexcept { return m_pointer; }
  T** out() noexcept { return &m_pointer; }  ///< where the library writes it, once

 private:
  T* m_pointer = nullptr;
};

}  // namespace annulus_python
