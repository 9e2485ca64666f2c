#pragma once

/// \file
/// How objects are saved and loaded. What an object consists of is said once, for both directions, by a static member
///
///   template <class Self, class Archive>
///   static void persist(Self& self, Archive& archive);
///
/// that hands its fields over by name. Self is const where the object is saved; where it is loaded it was made
/// by a constructor that takes `unfilled`, and holds nothing yet. Of an archive it may ask
///
///   archive(name, number)                  an integer, a bool, a float or a double
///   archive.choice(name, value, {names})   an enumeration from 0, by the names of its values
///   archive(name, buffer, {n, m, ...})     an array of that shape. Sizes come first: an array of another shape is
///                                          refused, so that sizes can be relied on from then on
///   archive.template as<Scalar>(name, buffer, {n, m, ...})
///                                          the same for structs that are some Scalars in a row: the last size
///   archive(name, matrix)                  a matrix of any size
///   archive.part(name, object)             an object of its own, whose names get `name.` in front
///   archive.constant(name, text)           what the type says already, as the name of its metric: must be the same
///   archive.expect(condition, reason)      where the fields so far contradict each other: for sizes, O(1)
///
///   archive.rebuild(f)                     calls f; what it throws as std::invalid_argument is an error of the file
///   archive.version()                      of the format by which the file that is loaded was written
///
/// and know by Archive::is_loading which of the two it is. What the arrays contain is looked over by a member
///
///   std::string defect() const;            empty, or what is wrong: "edges: row 7 leads to 12, of 10 rows"
///
/// once an object is loaded, before anything uses it. A mapped object is not: whatever its arrays contain, const
/// members must neither read outside of them nor go on for ever.

#include <annulus/core/base/buffer.hpp>

#include <bit>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Constructs an object that persist fills.
struct unfilled {};

/// Calls the private members of classes that are saved, which declare it a friend.
struct persistence {
  template <class T, class Archive>
  static void persist(T& object, Archive& archive) {
    std::remove_const_t<T>::persist(object, archive);
  }
  template <class T>
  static std::string defect(const T& object) {
    if constexpr (requires { object.defect(); }) return object.defect();
    else return {};
  }
  /// What is saved in the place of an object: the object itself, unless it names another.
  template <class T>
  static std::optional<T> compact_copy(const T& object) {
    if constexpr (requires { object.compact_copy(); }) return object.compact_copy();
    else return std::nullopt;
  }
  template <class T, class... Args>
  static T make(const Args&... args) {
    return T(unfilled{}, args...);
  }
};

/// Hands over the size of arrays that follow, and returns it: that of the object, or where it is loaded of the file.
template <class Archive>
std::size_t archived_size(Archive& archive, std::string_view name, std::size_t size) {
  archive(name, size);
  return size;
}

/// "name: defect", or nothing where there is no defect.
inline std::string defect_of(std::string_view name, const std::string& defect) {
  return defect.empty() ? defect : std::string(name) + ": " + defect;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
