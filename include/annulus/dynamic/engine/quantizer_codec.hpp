#pragma once

/// \file
/// Product quantisers, with a rotation or without, behind codec_model. A unit that includes this compiles the members
/// of codec_factory.

#include <annulus/dynamic/engine/factories.hpp>
#include <annulus/dynamic/engine/quantizer_options.hpp>
#include <annulus/dynamic/engine/row_access.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Quantizer: a fitted product_quantizer or optimized_product_quantizer.
template <class Quantizer>
class quantizer_codec final : public codec_model {
  using code_type = typename Quantizer::code_type;

 public:
  explicit quantizer_codec(Quantizer quantizer) : m_quantizer(std::move(quantizer)) {}

  annulus_codec_shape shape() const noexcept override {
    return {m_quantizer.dim(), m_quantizer.m(),   m_quantizer.ks(),
            m_quantizer.ds(),  sizeof(code_type), is_rotated<Quantizer>};
  }
  const matrix<float>& codewords() const noexcept override { return m_quantizer.codewords(); }
  const matrix<float>* rotation() const noexcept override {
    if constexpr (is_rotated<Quantizer>) return &m_quantizer.rotation();
    else return nullptr;
  }

  void encode(matrix_view<float> rows, std::size_t threads, void* codes) const override {
    check_place(codes, rows.rows());
    const matrix<code_type> encoded = m_quantizer.encode(rows, {.threads = threads});
    std::copy_n(encoded.data(), encoded.rows() * encoded.cols(), static_cast<code_type*>(codes));
  }

  void decode(const void* codes, std::size_t n, std::size_t threads, float* rows) const override {
    constexpr std::size_t block = 1024;
    const matrix_view<code_type> view = codes_at(codes, n);
    parallel_for(threads, n, block, [&](std::size_t begin, std::size_t end, std::size_t) {
      const matrix<float> decoded = m_quantizer.decode(view.middle_rows(begin, end - begin));
      std::copy_n(decoded.data(), decoded.rows() * decoded.cols(), rows + begin * m_quantizer.dim());
    });
  }

  void tables(matrix_view<float> queries, float* tables) const override {
    const std::size_t size = m_quantizer.m() * m_quantizer.ks();
    for (std::size_t i = 0; i < queries.rows(); ++i)
      std::copy_n(m_quantizer.dtable(queries.row(i)).values().data(), size, tables + i * size);
  }

  void distances(const float* table, const void* codes, std::size_t n, std::size_t threads,
                 float* distances) const override {
    constexpr std::size_t block = 1 << 14;
    const matrix_view<code_type> view = codes_at(codes, n);
    parallel_for(threads, n, block, [&](std::size_t begin, std::size_t end, std::size_t) {
      for_each_sum(table, m_quantizer.ks(), view.middle_rows(begin, end - begin),
                   [&](std::size_t i, float sum) { distances[begin + i] = sum; });
    });
  }

 private:
  static void check_place(const void* codes, std::size_t n) {
    if (n == 0) return;
    if (codes == nullptr) invalid("codes", "null", "must point to n x m codes of ", sizeof(code_type), " bytes");
    if (reinterpret_cast<std::uintptr_t>(codes) % alignof(code_type) != 0)
      invalid("codes", codes, "must lie at a multiple of ", alignof(code_type), " bytes");
  }
  /// \throws std::invalid_argument where a code is not below ks.
  matrix_view<code_type> codes_at(const void* codes, std::size_t n) const {
    check_place(codes, n);
    const matrix_view<code_type> view(static_cast<const code_type*>(codes), n, m_quantizer.m());
    check_codes(view, m_quantizer.m(), m_quantizer.ks());
    return view;
  }

  Quantizer m_quantizer;
};

/// Calls f.operator()<Code>() for the narrowest codes that tell ks codewords apart.
template <class F>
auto with_codes_of(std::size_t ks, F f) {
  if (ks <= std::size_t{1} << 8) return f.template operator()<std::uint8_t>();
  if (ks <= std::size_t{1} << 16) return f.template operator()<std::uint16_t>();
  return f.template operator()<std::uint32_t>();
}

/// What tables hold.
inline pq_metric read_table_metric(option_reader& options) {
  static constexpr std::array names{sqeuclidean::name, inner_product::name, cosine::name};
  const std::string_view name = read_metric(options, names, "a codec");
  if (name == inner_product::name) return pq_metric::inner_product;
  return name == cosine::name ? pq_metric::cosine : pq_metric::sqeuclidean;
}

template <class Quantizer>
codec_pointer codec_of(Quantizer quantizer) {
  return std::make_unique<quantizer_codec<Quantizer>>(std::move(quantizer));
}

/// "used": the unit that includes this emits it.
[[gnu::used]] inline codec_pointer codec_factory::train(const annulus_rows& rows, option_reader& options,
                                                        const progress_callback& progress) {
  static constexpr std::array<std::string_view, 2> kinds{"pq", "opq"};
  const row_access<matrix<float>> given(rows, "rows");
  const std::string_view kind = kinds[options.choice("kind", kinds, 0)];
  const pq_metric metric = read_table_metric(options);
  std::size_t ks = 256, threads = 0;
  options.read("ks", ks);
  options.read("threads", threads);
  const quantizer_request wanted{kind, metric, ks, threads, progress};
  return with_codes_of(ks, [&]<class Code>() {
    if (kind == "pq") return codec_of(fitted_quantizer<product_quantizer<Code>>(given.view(), options, wanted));
    return codec_of(fitted_quantizer<optimized_product_quantizer<Code>>(given.view(), options, wanted));
  });
}

[[gnu::used]] inline codec_pointer codec_factory::of(const given_codewords& given, option_reader& options) {
  const std::size_t n = checked_product(given.m, given.ks, "m");
  if (checked_product(n, given.ds, "codewords") > 0 && given.codewords == nullptr)
    invalid("codewords", "null", "must point to m x ks x ds floats");
  const pq_metric metric = read_table_metric(options);
  std::size_t dim = 0;
  if (options.read("dim", dim) && dim == 0) invalid("dim", dim, "must be at least 1");
  options.finish("a codec of codewords");
  return with_codes_of(given.ks, [&]<class Code>() {
    const matrix_view<float> codewords(given.codewords, n, given.ds);
    product_quantizer<Code> quantizer(given.m, packed_copy(codewords), metric, dim);
    if (given.rotation == nullptr) return codec_of(std::move(quantizer));
    const matrix_view<float> rotation(given.rotation, quantizer.dim(), quantizer.dim());
    return codec_of(optimized_product_quantizer<Code>(packed_copy(rotation), std::move(quantizer)));
  });
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
