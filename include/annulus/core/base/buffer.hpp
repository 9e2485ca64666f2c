#pragma once

/// \file
/// The memory of an index: values it owns, or values in a mapped file.

#include <annulus/core/base/allocator.hpp>
#include <annulus/core/base/assert.hpp>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// A vector of trivially copyable values that begins on a cache line. It owns its memory, or refers to memory of
/// another owner, which it keeps alive: values there can be overwritten, and the first addition of values moves all of
/// them to memory of its own. Copies own their memory. A member that throws for want of memory changes nothing.
template <class T>
class buffer {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  using value_type = T;

  buffer() noexcept = default;
  explicit buffer(std::size_t n, const T& value = T()) : buffer() { resize(n, value); }
  buffer(std::initializer_list<T> values) : buffer(values.begin(), values.size()) {}
  buffer(const T* values, std::size_t n) : m_data(allocate(n)), m_size(n), m_capacity(n) {
    std::copy_n(values, n, m_data);
  }
  /// Refers to the n values at `data`, which are valid as long as `owner` lives.
  buffer(std::shared_ptr<const void> owner, T* data, std::size_t n) noexcept
      : m_data(data), m_size(n), m_capacity(n), m_owner(std::move(owner)) {}

  /// n uninitialised values.
  static buffer for_overwrite(std::size_t n) {
    buffer values;
    values.reserve(n);
    values.m_size = n;
    return values;
  }

  buffer(const buffer& other) : buffer(other.data(), other.size()) {}
  buffer(buffer&& other) noexcept
      : m_data(std::exchange(other.m_data, nullptr)),
        m_size(std::exchange(other.m_size, 0)),
        m_capacity(std::exchange(other.m_capacity, 0)),
        m_owner(std::move(other.m_owner)) {}
  buffer& operator=(buffer other) noexcept {
    swap(other);
    return *this;
  }
  ~buffer() {
    if (m_data != nullptr && m_owner == nullptr) aligned_allocator<T>().deallocate(m_data, m_capacity);
  }
  void swap(buffer& other) noexcept {
    std::swap(m_data, other.m_data);
    std::swap(m_size, other.m_size);
    std::swap(m_capacity, other.m_capacity);
    std::swap(m_owner, other.m_owner);
  }

  std::size_t size() const noexcept { return m_size; }
  std::size_t capacity() const noexcept { return m_capacity; }
  std::size_t memory_bytes() const noexcept { return m_capacity * sizeof(T); }
  bool empty() const noexcept { return m_size == 0; }
  T* data() noexcept { return m_data; }
  const T* data() const noexcept { return m_data; }
  T* begin() noexcept { return m_data; }
  T* end() noexcept { return m_data + m_size; }
  const T* begin() const noexcept { return m_data; }
  const T* end() const noexcept { return m_data + m_size; }
  T& operator[](std::size_t i) noexcept {
    ANNULUS_ASSERT(i < m_size);
    return m_data[i];
  }
  const T& operator[](std::size_t i) const noexcept {
    ANNULUS_ASSERT(i < m_size);
    return m_data[i];
  }
  T& back() noexcept { return (*this)[m_size - 1]; }
  const T& back() const noexcept { return (*this)[m_size - 1]; }

  void reserve(std::size_t n) {
    if (n <= m_capacity) return;
    buffer grown;
    grown.m_data = allocate(n);
    grown.m_capacity = n;
    std::copy_n(m_data, m_size, grown.m_data);
    grown.m_size = m_size;
    swap(grown);
  }
  /// New values are copies of `value`.
  void resize(std::size_t n, const T& value = T()) {
    const T copied = value;  // `value` may be one of the values that move
    if (n > m_size) {
      make_room(n - m_size);
      std::fill_n(m_data + m_size, n - m_size, copied);
    }
    m_size = n;
  }
  void assign(std::size_t n, const T& value) {
    const T copied = value;
    if (n > m_capacity) buffer(n, copied).swap(*this);
    else std::fill_n(m_data, n, copied);
    m_size = n;
  }
  void clear() noexcept { m_size = 0; }
  void push_back(const T& value) { resize(m_size + 1, value); }
  void pop_back() noexcept {
    ANNULUS_ASSERT(m_size > 0);
    --m_size;
  }
  /// Appends n values, which lie outside of this buffer.
  void append(const T* values, std::size_t n) {
    make_room(n);
    std::copy_n(values, n, m_data + m_size);
    m_size += n;
  }
  /// Reserves room for n more values. The capacity grows by half at least, so that repeated appends take O(1) each.
  void make_room(std::size_t n) {
    if (m_size + n > m_capacity) reserve(std::max(m_size + n, m_size + m_size / 2));
  }

  friend bool operator==(const buffer& a, const buffer& b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  static T* allocate(std::size_t n) {
    if (n > std::numeric_limits<std::ptrdiff_t>::max() / sizeof(T)) throw std::bad_array_new_length();
    return n > 0 ? aligned_allocator<T>().allocate(n) : nullptr;
  }

  T* m_data = nullptr;
  std::size_t m_size = 0, m_capacity = 0;
  std::shared_ptr<const void> m_owner;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
