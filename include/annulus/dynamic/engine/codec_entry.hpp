#pragma once

/// \file
/// The functions of codecs in the C interface, over codec_model.

#include <annulus/dynamic/engine/boundary.hpp>
#include <annulus/dynamic/engine/kinds.hpp>
#include <annulus/dynamic/engine/search_params.hpp>

/// Each instruction set has its own.
struct annulus_codec {
  annulus::detail::codec_pointer model;
};

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Throws std::invalid_argument where `n` values are read or written at null.
inline void check_values_at(const void* values, std::size_t n, std::string_view name) {
  if (n > 0 && values == nullptr) invalid(name, "null", "must point to something");
}

/// Named and documented as in annulus.h.
struct c_codec_functions {
  static annulus_status train(const annulus_rows* rows, const annulus_option* options, std::size_t n_options,
                              annulus_progress progress, void* user, annulus_codec** codec,
                              annulus_error* error) noexcept {
    return guarded(error, [&] {
      annulus_codec*& result = checked(codec, "codec");
      option_reader reader(checked_options(options, n_options));
      const annulus_rows& given = checked_rows(rows, "rows");
      result = new annulus_codec{
          with_codes([&] { return codec_factory::train(given, reader, progress_of(progress, user)); })};
    });
  }
  static annulus_status of(const float* codewords, const float* rotation, std::size_t m, std::size_t ks, std::size_t ds,
                           const annulus_option* options, std::size_t n_options, annulus_codec** codec,
                           annulus_error* error) noexcept {
    return guarded(error, [&] {
      annulus_codec*& result = checked(codec, "codec");
      option_reader reader(checked_options(options, n_options));
      const given_codewords given{codewords, rotation, m, ks, ds};
      result = new annulus_codec{with_codes([&] { return codec_factory::of(given, reader); })};
    });
  }
  static void free(annulus_codec* codec) noexcept { delete codec; }

  static annulus_status describe(const annulus_codec* codec, annulus_codec_shape* shape,
                                 annulus_error* error) noexcept {
    return guarded(error, [&] { checked(shape, "shape") = model_of(codec).shape(); });
  }
  static annulus_status codewords(const annulus_codec* codec, float* codewords, annulus_error* error) noexcept {
    return guarded(error, [&] { copy_floats(model_of(codec).codewords(), &checked(codewords, "codewords")); });
  }
  static annulus_status rotation(const annulus_codec* codec, float* rotation, annulus_error* error) noexcept {
    return guarded(error, [&] {
      const matrix<float>* const own = model_of(codec).rotation();
      if (own == nullptr) invalid("kind", "pq", "has no rotation, which opq has");
      copy_floats(*own, &checked(rotation, "rotation"));
    });
  }

  static annulus_status encode(const annulus_codec* codec, const annulus_rows* rows, std::size_t threads, void* codes,
                               annulus_error* error) noexcept {
    return guarded(error, [&] {
      const codec_model& model = model_of(codec);
      model.encode(row_access<matrix<float>>(checked_rows(rows, "rows"), "rows").view(), threads, codes);
    });
  }
  static annulus_status decode(const annulus_codec* codec, const void* codes, std::size_t n, std::size_t threads,
                               float* rows, annulus_error* error) noexcept {
    return guarded(error, [&] {
      const codec_model& model = model_of(codec);
      check_values_at(rows, n, "rows");
      model.decode(codes, n, threads, rows);
    });
  }
  static annulus_status tables(const annulus_codec* codec, const annulus_rows* queries, float* tables,
                               annulus_error* error) noexcept {
    return guarded(error, [&] {
      const codec_model& model = model_of(codec);
      check_values_at(tables, checked_rows(queries, "queries").n, "tables");
      model.tables(row_access<matrix<float>>(*queries, "queries").view(), tables);
    });
  }
  static annulus_status distances(const annulus_codec* codec, const float* table, const void* codes, std::size_t n,
                                  std::size_t threads, float* distances, annulus_error* error) noexcept {
    return guarded(error, [&] {
      const codec_model& model = model_of(codec);
      check_values_at(table, n, "table");
      check_values_at(distances, n, "distances");
      model.distances(table, codes, n, threads, distances);
    });
  }

 private:
  static const codec_model& model_of(const annulus_codec* codec) { return *checked(codec, "codec").model; }
  static void copy_floats(const matrix<float>& from, float* to) {
    std::copy_n(from.data(), from.rows() * from.cols(), to);
  }
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
