#pragma once

/// \file
/// pq_index: codes of rows together with their product quantiser. In C++ the two are apart; a file holds both.

#include <annulus/quantization/fast_scan.hpp>
#include <annulus/quantization/optimized_product_quantizer.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Searched by tables of floats, as the quantiser itself searches; to be called like a fast_scan_index. Quantizer: a
/// fitted product_quantizer<std::uint8_t> or optimized_product_quantizer<std::uint8_t>.
template <class Quantizer>
class pq_index {
 public:
  static constexpr std::string_view kind = "pq_index";  ///< in files

  explicit pq_index(Quantizer quantizer, matrix_view<float> vectors, const run_params& params = {})
      : m_quantizer(std::move(quantizer)) {
    insert(vectors, params);
  }

  /// Adds the codes of n x dim vectors and returns the id of the first. Nothing changes where it throws.
  /// \throws std::invalid_argument as the quantiser's encode does, or for 2^32 - 1 codes or more in all.
  id_type insert(matrix_view<float> vectors, const run_params& params = {}) {
    if (vectors.rows() >= no_id - size()) invalid("rows", vectors.rows(), "must stay below 2^32 - 1 in all");
    const matrix<std::uint8_t> codes = m_quantizer.encode(vectors, params);
    const auto first = static_cast<id_type>(size());
    m_codes.append(codes.data(), codes.rows() * codes.cols());
    return first;
  }

  neighbors search(matrix_view<float> queries, std::size_t k, const fast_scan_params& params = {}) const {
    return m_quantizer.search(codes(), queries, k, {params.threads, params.filter, params.progress});
  }

  /// Ranks the k * k_factor nearest by `rows`, size() x dim(), as fast_scan_index does.
  neighbors search(matrix_view<float> queries, std::size_t k, matrix_view<float> rows,
                   const fast_scan_params& params = {}) const {
    check_rows_of_codes(rows, size(), dim(), params.k_factor);
    const std::size_t count = k == 0 ? 0 : std::max<std::size_t>(n_to_rank(k, params.k_factor, size()), 1);
    const neighbors found = search(queries, count, params);
    return with_row_metric(m_quantizer.metric(),
                           [&](const auto& metric) { return ranked(metric, found, queries, k, rows, params.threads); });
  }

  std::size_t size() const noexcept { return m_codes.size() / m_quantizer.m(); }
  std::size_t dim() const noexcept { return m_quantizer.dim(); }
  std::size_t memory_bytes() const noexcept { return m_codes.memory_bytes(); }  ///< of the codes
  const Quantizer& quantizer() const noexcept { return m_quantizer; }
  matrix_view<std::uint8_t> codes() const { return {m_codes.data(), size(), m_quantizer.m()}; }

 private:
  template <class Metric>
  static neighbors ranked(const Metric& metric, const neighbors& found, matrix_view<float> queries, std::size_t k,
                          matrix_view<float> rows, std::size_t threads) {
    neighbors result(queries.rows(), k);
    const std::size_t kept = std::min(k, std::max<std::size_t>(rows.rows(), 1));
    parallel_for(threads, queries.rows(), 16, [&](std::size_t begin, std::size_t end, std::size_t) {
      top_k<float> best(kept);
      std::vector<candidate<float>> candidates;
      for (std::size_t i = begin; i < end; ++i) {
        candidates.clear();
        for (const id_type id : found.ids.row(i))
          if (id != no_id) candidates.push_back({0, id});
        best.reset(kept);
        rank_by_rows(prepared_query<Metric, float>(metric, queries.row(i).data(), rows.cols()), candidates, rows, best);
        write_row(best.sorted(), result, i, [&](float rank) { return distance_of(metric, rank); });
      }
    });
    return result;
  }

  friend persistence;
  explicit pq_index(unfilled) : m_quantizer(persistence::make<Quantizer>()) {}

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    archive.constant("quantizer", Quantizer::kind);
    archive.part("quantizer", self.m_quantizer);
    archive.expect(self.dim() > 0, "has a quantiser that is not fitted");
    const std::size_t size = archived_size(archive, "size", self.size());
    archive.expect(size < no_id, "has 2^32 - 1 codes or more");
    archive("codes", self.m_codes, {size, self.m_quantizer.m()});
  }
  std::string defect() const {
    for (std::size_t i = 0; i < m_codes.size(); ++i)
      if (m_codes[i] >= m_quantizer.ks())
        return "codes: that of row " + std::to_string(i / m_quantizer.m()) +
               " is not below ks = " + std::to_string(m_quantizer.ks());
    return {};
  }

  Quantizer m_quantizer;
  buffer<std::uint8_t> m_codes;  ///< size() x m
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
