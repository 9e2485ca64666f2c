#pragma once

/// \file
/// From what a caller or a file names, a kind of index and of rows, to the factory that makes it.

#include <annulus/dynamic/engine/factories.hpp>
#include <annulus/dynamic/engine/row_access.hpp>
#include <annulus/io/index/index_file.hpp>

#include <array>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Kinds by their names in options, and in files.
inline constexpr std::array<std::string_view, 7> kind_names{"flat", "nndescent", "lsh",   "pq",
                                                            "opq",  "fast_scan", "rabitq"};

/// Whether this build has factories for such rows. CMake's ANNULUS_DYNAMIC_ROWS leaves out some by
/// ANNULUS_DYNAMIC_WITHOUT_*; nothing may refer to their factories then, which are not compiled.
template <class Points>
inline constexpr bool is_built = true;
#if defined(ANNULUS_DYNAMIC_WITHOUT_FLOAT32)
template <>
inline constexpr bool is_built<matrix<float>> = false;
#endif
#if defined(ANNULUS_DYNAMIC_WITHOUT_FLOAT64)
template <>
inline constexpr bool is_built<matrix<double>> = false;
#endif
#if defined(ANNULUS_DYNAMIC_WITHOUT_FLOAT16)
template <>
inline constexpr bool is_built<matrix<Eigen::half>> = false;
#endif
#if defined(ANNULUS_DYNAMIC_WITHOUT_BFLOAT16)
template <>
inline constexpr bool is_built<matrix<Eigen::bfloat16>> = false;
#endif
#if defined(ANNULUS_DYNAMIC_WITHOUT_UINT8)
template <>
inline constexpr bool is_built<matrix<std::uint8_t>> = false;
#endif
#if defined(ANNULUS_DYNAMIC_WITHOUT_INT8)
template <>
inline constexpr bool is_built<matrix<std::int8_t>> = false;
#endif
#if defined(ANNULUS_DYNAMIC_WITHOUT_SPARSE_FLOAT32)
template <>
inline constexpr bool is_built<csr_matrix<float>> = false;
#endif
#if defined(ANNULUS_DYNAMIC_WITHOUT_SPARSE_FLOAT64)
template <>
inline constexpr bool is_built<csr_matrix<double>> = false;
#endif

[[noreturn, gnu::noinline, gnu::cold]] inline void not_built(std::string_view rows) {
  invalid("rows", rows, "this library was built without them (CMake's ANNULUS_DYNAMIC_ROWS)");
}

/// Calls f.operator()<Points>() where this build has such rows. \throws std::invalid_argument where it does not.
template <class Result, class Points, class F>
Result call_if_built(F& f) {
  if constexpr (is_built<Points>) return f.template operator()<Points>();
  else not_built(points_name<Points>());
}

/// The same for the point set that goes with rows.
template <class F>
auto with_built_points(const annulus_rows& rows, F f) {
  using result = decltype(f.template operator()<matrix<float>>());
  return with_points_of(rows, [&]<class Points>() -> result { return call_if_built<result, Points>(f); });
}

/// The same for the name that a file has for its rows. \throws format_error for another name.
template <class F>
model_pointer with_built_points(const file_description& file, F f) {
  model_pointer model;
  const auto is = [&]<class Points>() {
    if (file.points != points_name<Points>()) return false;
    model = call_if_built<model_pointer, Points>(f);
    return true;
  };
  const auto any_of = [&]<class... Points>() { return (is.template operator()<Points>() || ...); };
  if (!any_of.template operator()<matrix<float>, matrix<double>, matrix<Eigen::half>, matrix<Eigen::bfloat16>,
                                  matrix<std::uint8_t>, matrix<std::int8_t>, csr_matrix<float>, csr_matrix<double>>())
    throw format_error(name_of_path(file.path), 0, "its rows are '" + file.points + "', which no index has");
  return model;
}

/// The codes are of rows of floats, and are built with these.
template <class F>
auto with_codes(F f) -> decltype(f()) {
  if constexpr (is_built<matrix<float>>) return f();
  else not_built(points_name<matrix<float>>());
}

/// \throws std::invalid_argument for a kind or an option that there is not, rows that it does not take, and what the
/// index's own constructor refuses.
inline model_pointer build_model(const annulus_rows& rows, option_reader& options, const progress_callback& progress) {
  const std::string_view kind = kind_names[options.choice("kind", kind_names, 1)];
  if (kind == "flat")
    return with_built_points(rows,
                             [&]<class Points>() { return flat_factory<Points>::build(rows, options, progress); });
  if (kind == "nndescent")
    return with_built_points(rows,
                             [&]<class Points>() { return nndescent_factory<Points>::build(rows, options, progress); });
  if (kind == "lsh")
    return with_built_points(rows, [&]<class Points>() { return lsh_factory<Points>::build(rows, options, progress); });
  return with_codes([&] { return codes_factory::build(kind, rows, options, progress); });
}

/// The description of a file's header. \throws format_error, std::system_error as read_index_info.
inline file_description describe_file(const std::filesystem::path& path, bool is_mapped) {
  const index_file_info info = read_index_info(path);
  const auto value = [&](std::string_view key) {
    const auto found = info.metadata.find(key);
    return found == info.metadata.end() ? std::string() : found->second;
  };
  file_description file{path, is_mapped, info.kind, value("points"), value("metric"), value("storage")};
  for (const std::string_view other : {"family", "quantizer"})
    if (file.storage.empty()) file.storage = value(other);
  return file;
}

/// `metric`: that of an index built with a metric of the caller's. \throws std::invalid_argument where one is given and
/// the file needs none, or the reverse; format_error for a file of what cannot be searched, such as a quantiser; and as
/// load_index and map_index.
inline model_pointer open_model(const std::filesystem::path& path, bool is_mapped,
                                const std::optional<caller_metric>& metric) {
  file_description file = describe_file(path, is_mapped);
  file.caller = metric;
  const bool needs_metric = file.metric == caller_metric::name;
  if (needs_metric && !metric)
    invalid("metric", file.metric, "the index of ", name_of_path(path),
            " was built with a function for its metric: open it by annulus_open_with, or in C++ give the function "
            "behind the path");
  if (metric && !needs_metric)
    invalid("metric", "a function", "the index of ", name_of_path(path),
            " was built with another metric, which its file names: ", file.metric);
  if (file.kind == "flat_index")
    return with_built_points(file, [&]<class Points>() { return flat_factory<Points>::open(file); });
  if (file.kind == "nndescent_index")
    return with_built_points(file, [&]<class Points>() { return nndescent_factory<Points>::open(file); });
  if (file.kind == "lsh_index")
    return with_built_points(file, [&]<class Points>() { return lsh_factory<Points>::open(file); });
  return with_codes([&] { return codes_factory::open(file); });
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
