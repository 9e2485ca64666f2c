#pragma once

/// \file
/// The rows of a data set as RaBitQ codes relative to the centroids of cells, and the products that turn a query into
/// estimates of their ranks.

#include <annulus/quantization/rabitq_training.hpp>
#include <annulus/quantization/scan/rabitq_cells.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

class rabitq_codes {
 public:
  static constexpr std::size_t max_dims = 8 * simd::columns_a_short;  ///< whose sums are exact in 16 bits

  rabitq_codes() = default;

  /// Trains on the rows and encodes them: finite ones, at least one, of unit length under the cosine.
  rabitq_codes(matrix_view<float> rows, const rabitq_index_params& params, const thread_team& team)
      : m_is_dot(params.metric == pq_metric::inner_product), m_frame(train_rabitq(rows, params, team)) {
    derive();
    encode(rows, params.bits, team);
  }

  std::size_t dims() const noexcept { return m_frame.map.cols(); }  ///< that codes keep
  std::size_t n_cells() const noexcept { return m_frame.centroids.rows(); }
  const rabitq_cells& cells() const noexcept { return m_cells; }
  std::size_t memory_bytes() const noexcept { return m_cells.memory_bytes() + 2 * m_projection.memory_bytes(); }

  /// Values that project() writes for a query: its dims() coordinates, then the products with the centroids.
  std::size_t projected() const noexcept { return m_projection.columns(); }
  void project(matrix_view<float> centred, float* out) const noexcept {
    m_projection.multiply(centred, 0, projected(), out, projected());
  }

  /// Subtracts the mean from a query, in place.
  void centre(float* query) const noexcept { subtract(query, m_frame.mean.row(0).data(), dim(), query); }

  float square(const float* row) const noexcept { return one_to_one<kernels::inner_product>(row, row, dim()); }
  /// The square of the length of a cell's centroid about the mean.
  float square_of(std::size_t cell) const noexcept { return m_squares[cell]; }

  /// What a cell adds to the ranks of its rows: the squared distance of query and centroid, or the negative product.
  float term(std::span<const float> projected_query, float query_square, std::size_t cell) const noexcept {
    const float product = projected_query[dims() + cell];
    return m_is_dot ? -product : std::max(0.0f, query_square + m_squares[cell] - 2 * product);
  }

  /// `dim` and `size` are those that the file has named before.
  template <class Self, class Archive>
  static void persist_fields(Self& self, Archive& archive, bool is_dot, std::size_t dim) {
    auto& frame = self.m_frame;
    unsigned bits = self.m_cells.bits();
    archive("bits", bits);
    archive.expect(bits >= 1 && bits <= 8, "has bits that are not from 1 to 8");
    archive("mean", frame.mean);
    archive("map", frame.map);
    archive("centroids", frame.centroids);
    archive.expect(frame.mean.rows() == 1 && frame.mean.cols() == dim && frame.map.rows() == dim &&
                       frame.map.cols() > 0 && frame.map.cols() <= std::min(dim, max_dims) &&
                       frame.centroids.rows() > 0 && frame.centroids.cols() == dim,
                   "has a mean, a map or centroids of another size");
    if constexpr (Archive::is_loading) {
      self.m_is_dot = is_dot;
      self.derive();
      self.m_cells = rabitq_cells(self.dims(), bits);
    }
    archive.part("cells", self.m_cells);
    archive.expect(self.m_cells.size() == self.n_cells(), "has another number of cells than of centroids");
  }
  std::string defect(std::size_t n) const {
    for (const auto* values : {&m_frame.mean, &m_frame.map, &m_frame.centroids})
      if (!all_finite(std::span(values->data(), values->rows() * values->cols())))
        return "mean, map or centroids: a NaN or an infinity";
    return defect_of("cells", m_cells.defect(n));
  }

 private:
  /// What follows from the frame.
  void derive() {
    m_projection = packed_matrix<float>(dim(), dims() + n_cells(), [&](std::size_t p, std::size_t c) {
      return c < dims() ? m_frame.map(p, c) : m_frame.centroids(c - dims(), p);
    });
    m_squares.resize(n_cells());
    for (std::size_t c = 0; c < n_cells(); ++c) m_squares[c] = square(m_frame.centroids.row(c).data());
  }

  /// The cell and the distance from its centroid of each row about the mean.
  struct placed_row {
    std::uint32_t cell;
    float radius;
    id_type id;
    auto operator<=>(const placed_row&) const = default;
  };

  void encode(matrix_view<float> rows, unsigned bits, const thread_team& team) {
    std::vector<placed_row> order(rows.rows());
    const nearest_codeword nearest(m_frame.centroids);
    constexpr std::size_t block = nearest_codeword::block;
    std::vector<nearest_codeword::scratch> scratch(team.size(), nearest_codeword::scratch(dim()));
    std::vector<matrix<float>> centred(team.size(), matrix<float>(block, dim()));
    parallel_for(team, rows.rows(), block, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      std::array<std::uint32_t, block> cells;
      for (std::size_t i = begin; i < end; ++i)
        subtract(rows.row(i).data(), m_frame.mean.row(0).data(), dim(), centred[worker].row(i - begin).data());
      nearest(matrix_view<float>(centred[worker]).middle_rows(0, end - begin), std::span(cells).first(end - begin),
              scratch[worker]);
      for (std::size_t i = begin; i < end; ++i) {
        const float distance = one_to_one<kernels::squared_l2>(centred[worker].row(i - begin).data(),
                                                               m_frame.centroids.row(cells[i - begin]).data(), dim());
        order[i] = {cells[i - begin], sqrt(distance), static_cast<id_type>(i)};
      }
    });
    std::ranges::sort(order);
    std::vector<std::size_t> sizes(n_cells());
    for (const auto& row : order) ++sizes[row.cell];
    m_cells = rabitq_cells(dims(), bits, sizes);
    std::vector<std::size_t> begins(n_cells());
    std::exclusive_scan(sizes.begin(), sizes.end(), begins.begin(), std::size_t{0});
    parallel_for(team, n_cells(), 1, [&](std::size_t cell, std::size_t, std::size_t) {
      encode_cell(rows, cell, std::span(order).subspan(begins[cell], sizes[cell]));
    });
  }

  void encode_cell(matrix_view<float> rows, std::size_t cell, std::span<const placed_row> members) {
    constexpr std::size_t block = rabitq_cells::block;
    const std::size_t width = dims();
    matrix<float> residuals(block, dim()), turned(block + 1, width);
    std::vector<std::uint8_t> values(width);
    const float* const centroid = m_frame.centroids.row(cell).data();
    float* const turned_centroid = turned.row(block).data();
    m_projection.multiply(std::span(centroid, dim()), 0, width, turned_centroid, width);
    for (std::size_t begin = 0; begin < members.size(); begin += block) {
      const std::size_t count = std::min(block, members.size() - begin);
      for (std::size_t i = 0; i < count; ++i) {
        float* const residual = residuals.row(i).data();
        subtract(rows.row(members[begin + i].id).data(), m_frame.mean.row(0).data(), dim(), residual);
        subtract(residual, centroid, dim(), residual);
      }
      m_projection.multiply(matrix_view<float>(residuals).middle_rows(0, count), 0, width, turned.data(), width);
      for (std::size_t i = 0; i < count; ++i) {
        const auto [cell_number, radius, id] = members[begin + i];
        const auto factors = rabitq_encode(turned.row(i), m_cells.bits(), values.data());
        double product = 0;
        for (std::size_t j = 0; j < width; ++j)
          product +=
              static_cast<double>(rabitq_value(values[j], m_cells.bits())) * static_cast<double>(turned_centroid[j]);
        // |q - o|^2 = |q - c|^2 + |r|^2 - 2 <r, q - c>; -<q, o> = -<q, c> - <q, r>.
        const float slope = m_is_dot ? factors.rescale : 2 * factors.rescale;
        const float offset = m_is_dot ? 0 : static_cast<float>(radius * radius + slope * product);
        m_cells.put(m_cells.first_block(cell) * block + begin + i, id, radius, offset, slope, values.data());
      }
    }
  }

  std::size_t dim() const noexcept { return m_frame.mean.cols(); }

  bool m_is_dot = false;
  rabitq_frame m_frame;
  packed_matrix<float> m_projection;  ///< dim x (dims + n_cells): the map, then the centroids
  std::vector<float> m_squares;
  rabitq_cells m_cells{1, 1};
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
