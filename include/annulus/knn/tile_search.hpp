#pragma once

/// \file
/// Search by tiles of products: the ranks from tiles.hpp are right to within a bound, the shortlists keep all
/// candidates within that bound, and the one-to-one kernel ranks these.

#include <annulus/core/base/function_ref.hpp>
#include <annulus/core/metric/scaled_rows.hpp>
#include <annulus/core/select/sort_candidates.hpp>
#include <annulus/core/simd/masks.hpp>
#include <annulus/knn/scan.hpp>
#include <annulus/knn/shortlist.hpp>
#include <annulus/knn/tiles.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// Searches a block of queries in the data with a metric that has a product form. Holds scratch: each thread has its
/// own.
template <class T, class Rank, class Coordinate>
class tile_search {
 public:
  using metric_type = erased_metric<matrix_view<T>, Rank>;

  /// `deviations`: how many standard deviations of the quantisation error the margin covers; the largest float for
  /// exact results, whose margin is the bound of the error.
  tile_search(matrix_view<T> data, const metric_type& metric, product_form form, std::size_t k, const id_filter& filter,
              float deviations)
      : m_data(data),
        m_metric(metric),
        m_form(form),
        m_k(k),
        m_filter(&filter),
        m_deviations(deviations),
        m_quantize(form, data),
        m_panel(m_quantize.words() * tile_rows),
        m_rows(m_quantize.words() * std::max(tile_rows, tile_queries)) {}

  /// Writes the neighbours of queries [begin, end) to their rows of `result`; of one whose `skip` is set none.
  /// Gives up, returns false and writes nothing once more than `budget` candidates would have to be ranked by the
  /// kernel. `step` is called repeatedly with the fraction of the work that is done.
  bool operator()(matrix_view<T> queries, std::size_t begin, std::size_t end, std::span<const char> skip,
                  std::size_t budget, neighbors& result, function_ref<void(double)> step) {
    m_ids.clear();
    for (std::size_t i = begin; i < end; ++i)
      if (!skip[i]) m_ids.push_back(i);
    if (m_ids.empty()) return true;
    prepare(queries);
    m_kernel_calls = 0;
    const std::size_t n = m_data.rows();
    for (std::size_t first = 0, panel = 0; first < n; first += tile_rows, ++panel) {
      load_panel(first);
      for (std::size_t group = 0; group < m_ids.size(); group += tile_queries) {
        multiply_tile<Coordinate>(m_packed.data() + group * m_quantize.words(), m_panel.data(), m_quantize.words(),
                                  m_start.data() + group, m_products);
        const std::size_t count = std::min(tile_queries, m_ids.size() - group);
        for (std::size_t q = 0; q < count; ++q) consider(group + q, queries, m_products + q * tile_rows, first);
      }
      if (panel == n / tile_rows / 8 && m_kernel_calls + candidates() > budget / 2)
        return false;  // early, before much work is done
      if (m_kernel_calls > budget) return false;
      if (panel % 64 == 63) step(static_cast<double>(first) / static_cast<double>(n));
    }
    if (m_kernel_calls + candidates() > budget) return false;
    refine(queries, result);
    return true;
  }

 private:
  /// Cuts all shortlists, and returns the number of candidates left.
  std::size_t candidates() {
    std::size_t count = 0;
    for (std::size_t q = 0; q < m_ids.size(); ++q) {
      if (m_found[q].size() > m_k) m_found[q].cut(margin(q));
      m_limits[q] = m_found[q].kth() + margin(q);
      count += m_found[q].size();
    }
    return count;
  }

  void prepare(matrix_view<T> queries) {
    const std::size_t count = m_ids.size(), words = m_quantize.words();
    m_greatest = {};
    m_quantized.resize(count);
    m_found.resize(count);
    m_limits.resize(count);
    m_query_scales.resize(count);
    m_start.assign(count + tile_queries, 0);
    m_packed.resize((count + tile_queries - 1) / tile_queries * tile_queries * words);
    for (std::size_t group = 0; group < count; group += tile_queries) {
      const std::size_t here = std::min(tile_queries, count - group);
      for (std::size_t q = 0; q < here; ++q) {
        const std::size_t i = group + q;
        m_quantized[i] = quantize(queries.row(m_ids[i]), m_rows.data() + q * words);
        m_query_scales[i] = m_quantized[i].scale;
        if constexpr (row_bias<Coordinate> != 0)
          for (std::size_t w = 0; w < words; ++w)
            for (const auto c :
                 std::bit_cast<std::array<Coordinate, 4>>(m_rows[q * words + w]))  // wraps, as products do
              m_start[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(m_start[i]) -
                                                     static_cast<std::uint32_t>(128 * c));
        m_found[i].reset(m_k, m_data.rows());
        m_limits[i] = m_found[i].kth();
      }
      simd::interleave<tile_queries>(m_rows.data(), here, words, m_packed.data() + group * words);
    }
  }

  /// Quantises a row; under cosine the row scaled to near 1, where its squared norm was too small to divide by.
  quantized_row quantize(std::span<const T> row, coordinate_word* out) {
    const quantized_row known = m_quantize(row.data(), out);
    if constexpr (!is_byte<T>)
      if (m_form == product_form::cosine && known.norm != 1) [[unlikely]]
        if (const int exponent = exponent_of(row); exponent != 0) {
          m_near_one.resize(row.size());
          scale_row(row, exponent, m_near_one.data());
          return m_quantize(m_near_one.data(), out);
        }
    return known;
  }

  /// Quantises tile_rows rows. A rank is scale * product + offset, where offset is infinite for rows behind the last
  /// and rows that the filter excludes. The limits widen with the greatest norm and error of the rows.
  void load_panel(std::size_t first) {
    const std::size_t count = std::min(tile_rows, m_data.rows() - first), words = m_quantize.words();
    quantized_row greatest = m_greatest;
    for (std::size_t r = 0; r < tile_rows; ++r) {
      m_scale[r] = 0;
      m_offset[r] = std::numeric_limits<float>::infinity();
      if (r >= count) continue;
      if (first + r + 2 < m_data.rows()) prefetch_row(m_data.row(first + r + 2).data(), m_data.cols());
      const quantized_row row = quantize(m_data.row(first + r), m_rows.data() + r * words);
      if (!(*m_filter)(static_cast<id_type>(first + r))) continue;
      const bool is_l2 = m_form == product_form::squared_l2;
      m_scale[r] = is_l2 ? -2 * row.scale : -row.scale;
      m_offset[r] = is_l2 ? row.norm * row.norm : 0;
      greatest.norm = std::max(greatest.norm, row.norm);
      greatest.error = std::max(greatest.error, row.error);
    }
    for (coordinate_word& word : m_rows) word ^= row_bias<Coordinate>;
    simd::interleave<tile_rows>(m_rows.data(), count, words, m_panel.data());
    if (greatest.norm > m_greatest.norm || greatest.error > m_greatest.error) {
      m_greatest = greatest;
      for (std::size_t q = 0; q < m_ids.size(); ++q) m_limits[q] = m_found[q].kth() + margin(q);
    }
  }

  /// Twice the most by which an approximate rank and the kernel's can differ, up to a constant of the query: the
  /// quantisation by Cauchy and Schwarz, and the roundings of both kernels by their number of additions. A quantisation
  /// error has no preferred direction, so its standard deviation is sqrt(d) smaller than that bound.
  float margin(std::size_t query) const noexcept {
    const quantized_row& q = m_quantized[query];
    const quantized_row& x = m_greatest;
    const auto d = static_cast<float>(m_data.cols());
    const float factor = m_form == product_form::squared_l2 ? 2.0f : 1.0f, sum = q.norm + x.norm;
    const float bound = q.error * x.norm + (q.norm + q.error) * x.error;
    const float deviation = std::hypot(q.error * x.norm, q.norm * x.error) / detail::sqrt(d);
    const float rounding = (d + 32) * std::numeric_limits<float>::epsilon() * sum * sum;
    return factor * std::min(2 * bound, m_deviations * deviation) + 2 * rounding;
  }

  /// Appends the rows of a tile whose rank is within the limit to the shortlist of query q.
  void consider(std::size_t q, matrix_view<T> queries, const std::int32_t* products, std::size_t first) {
    using batch = simd::batch<float>;
    constexpr std::size_t width = simd::lanes<float>;
    // The second vector of ranks is the first where AVX has vectors of 32 bytes for floats, but not for integers.
    constexpr std::size_t second = tile_rows - width;
    static_assert(second == width || second == 0);
    const batch scale(m_query_scales[q]), limit(m_limits[q]);
    const auto rank_at = [&](std::size_t r) {
      const batch product = xsimd::to_float(simd::load(products + r)) * scale;
      return xsimd::fma(product, simd::load(m_scale + r), simd::load(m_offset + r));
    };
    const batch front = rank_at(0), back = rank_at(second);
    const auto front_hits = front <= limit, back_hits = back <= limit;
    if (!xsimd::any(front_hits || back_hits)) [[likely]]
      return;
    const auto append = [&](const batch& ranks, const auto& hits, std::size_t r) {
      if (m_found[q].full()) shorten(q, queries);
      m_found[q].append(ranks, simd::mask(hits), static_cast<id_type>(first + r));
    };
    append(front, front_hits, 0);
    if constexpr (second > 0) append(back, back_hits, second);
  }

  [[gnu::noinline]] void shorten(std::size_t q, matrix_view<T> queries) {
    if (!m_found[q].cut(margin(q))) keep_exact(q, queries);
    m_limits[q] = m_found[q].kth() + margin(q);
  }

  /// Where approximate ranks cannot tell candidates apart (duplicates, data far from the origin), ranks them by the
  /// kernel at once: the k best stay, with ranks less the constant by which approximate ranks differ from exact ones.
  void keep_exact(std::size_t q, matrix_view<T> queries) {
    const float norm = m_quantized[q].norm;
    const float constant = m_form == product_form::squared_l2 ? norm * norm
                           : m_form == product_form::cosine   ? 1.0f
                                                              : 0.0f;
    const auto ids = m_found[q].ids();
    m_kernel_calls += ids.size();
    m_ranks.resize(ids.size());
    m_metric(queries.row(m_ids[q]), m_data, ids, m_ranks.data());
    m_best.reset(m_k);
    for (std::size_t i = 0; i < ids.size(); ++i) m_best.push(m_ranks[i], ids[i]);
    m_kept.clear();
    for (const auto& c : m_best.sorted()) m_kept.push_back({static_cast<float>(c.rank) - constant, c.id});
    const float greatest = m_kept.back().rank;
    std::sort(m_kept.begin(), m_kept.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    m_found[q].assign(m_kept, greatest);
  }

  /// Ranks the shortlists by the kernel and writes the k best. Rows are taken in blocks that fit the cache, each for
  /// all queries: neighbours of many queries are read from memory once.
  void refine(matrix_view<T> queries, neighbors& result) {
    const std::size_t rows_a_block = (std::size_t{512} << 10) / (m_data.cols() * sizeof(T) + 1) + 1;
    std::vector<std::size_t> next(m_ids.size(), 0);
    std::vector<std::vector<candidate<Rank>>> ranked(m_ids.size());
    for (std::size_t q = 0; q < m_ids.size(); ++q) ranked[q].reserve(m_found[q].size());
    for (std::size_t end = rows_a_block; end < m_data.rows() + rows_a_block; end += rows_a_block)
      for (std::size_t q = 0; q < m_ids.size(); ++q) {
        const auto ids = m_found[q].ids();
        if (next[q] == ids.size() || ids[next[q]] >= end) continue;
        std::size_t last = next[q];
        while (last < ids.size() && ids[last] < end) ++last;
        const auto here = ids.subspan(next[q], last - next[q]);
        m_ranks.resize(here.size());
        m_metric(queries.row(m_ids[q]), m_data, here, m_ranks.data());
        for (std::size_t i = 0; i < here.size(); ++i) ranked[q].push_back({m_ranks[i], here[i]});
        next[q] = last;
      }
    sort_scratch<Rank, id_type> scratch;
    for (std::size_t q = 0; q < m_ids.size(); ++q) {
      sort_candidates(ranked[q], scratch);
      ranked[q].resize(std::min(m_k, ranked[q].size()));
      write_row(ranked[q], result, m_ids[q], m_metric);
    }
  }

  matrix_view<T> m_data;
  metric_type m_metric;
  product_form m_form;
  std::size_t m_k;
  const id_filter* m_filter;
  float m_deviations;
  error_bounded_rows<T, Coordinate> m_quantize;
  quantized_row m_greatest;
  std::vector<std::size_t> m_ids;
  std::size_t m_kernel_calls = 0;
  std::vector<quantized_row> m_quantized;
  std::vector<shortlist> m_found;
  std::vector<std::int32_t> m_start;            ///< cancels the products of a query with the bias of the rows
  std::vector<float> m_limits, m_query_scales;  ///< ranks above the limit of their query are dropped
  aligned_vector<coordinate_word> m_packed, m_panel, m_rows;
  aligned_vector<T> m_near_one;
  alignas(64) float m_scale[tile_rows], m_offset[tile_rows];
  alignas(64) std::int32_t m_products[tile_queries * tile_rows];
  top_k<Rank> m_best{1};
  std::vector<Rank> m_ranks;
  std::vector<candidate<float>> m_kept;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
