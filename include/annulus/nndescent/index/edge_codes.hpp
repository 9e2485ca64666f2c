#pragma once

/// \file
/// Codes of the neighbours of each vertex of a search graph, side by side, from which a search estimates their ranks
/// without reading their rows (Gou, Gao, Xu, Long, "SymphonyQG", SIGMOD 2025, arXiv 2411.12229).

#include <annulus/core/codes/rabitq_code.hpp>
#include <annulus/core/codes/rabitq_lookup.hpp>
#include <annulus/core/codes/random_rotation.hpp>
#include <annulus/core/kernels/dense_kernels.hpp>
#include <annulus/core/metric/protocol.hpp>
#include <annulus/core/simd/masks.hpp>
#include <annulus/core/simd/ordered_lanes.hpp>
#include <annulus/core/simd/prefetch.hpp>
#include <annulus/nndescent/index/edges.hpp>

#include <bit>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// What stands in the place of codes where a storage has none.
struct no_edge_codes {
  struct query {
    void forget() noexcept {}
  };
  no_edge_codes() = default;
  explicit no_edge_codes(unfilled) noexcept {}
  void resize(std::size_t) noexcept {}
  std::size_t memory_bytes() const noexcept { return 0; }
  std::size_t vertex_bytes() const noexcept { return 0; }
  std::string defect(const search_edges&) const { return {}; }
};

/// Of each edge from c to o a code x of o - c (rabitq_code.hpp). Below, rows and queries are taken less a centre m of
/// the data, are of length 1 under cosine, and are rotated. By its code, <o - c, y> is about scale <x, y>; so where the
/// rank of c is known, that of o is about
///
///   squared L2   rank(c) + |o - c|^2 - 2 <o - c, q - c>       = rank(c) + add - 2 scale <x, q>
///   products     rank(c) - <o - c, q - c> - <o - c, c + m>    = rank(c) + add -   scale <x, q>
///
/// where `add` is what does not depend on the query, with the code's <x, c> in it. The error of this is normal, and in
/// proportion to scale and |q - c|.
///
/// The edges of a vertex stand in groups of 32, each a block of whole cache lines: 32 ids; 32 words, whose upper halves
/// are the upper halves of scale (2 scale under squared L2) and whose lower ones those of add, as floats; and the
/// codes. Equal in any build.
class edge_codes {
 public:
  static constexpr std::size_t group_size = rabitq_layout::codes_a_block;

  explicit edge_codes(unfilled) : m_rotation(unfilled{}), m_layout(1, 1) {}
  /// For rows of `dim` coordinates with up to `degree` edges, by codes of `bits` bits a coordinate.
  edge_codes(product_form form, std::size_t dim, std::size_t degree, unsigned bits, std::uint64_t seed)
      : m_form(form),
        m_n_groups((degree + group_size - 1) / group_size),
        m_rotation(std::max<std::size_t>(dim, 1), seed),
        m_layout(m_rotation.dim(), bits),
        m_centre(dim, 0.0f),
        m_rotated_centre(dim, 0.0f) {}

  product_form form() const noexcept { return m_form; }
  std::size_t size() const noexcept { return m_size; }
  std::size_t dim() const noexcept { return m_centre.size(); }
  std::size_t n_places() const noexcept { return m_n_groups * group_size; }  ///< for edges of each vertex
  std::size_t n_groups() const noexcept { return m_n_groups; }
  std::size_t vertex_bytes() const noexcept { return m_n_groups * group_bytes(); }  ///< of the codes of its edges
  std::size_t memory_bytes() const noexcept {
    return m_blocks.memory_bytes() + m_squares.memory_bytes() + m_rotation.memory_bytes();
  }

  /// New vertices have no edges.
  void resize(std::size_t n) {
    m_blocks.resize(n * vertex_bytes());
    if (is_product()) m_squares.resize(n);
    for (; m_size < n; ++m_size)
      for (std::size_t g = 0; g < m_n_groups; ++g) std::fill_n(ids(block(m_size, g)), group_size, no_id);
    m_size = n;
  }
  /// Vertex order[i] becomes vertex i, where order ascends; place[v] is what vertex v is called then.
  void reorder(std::span<const id_type> order, std::span<const id_type> place) noexcept {
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (order[i] != i) std::copy_n(block(order[i], 0), vertex_bytes(), block(i, 0));
      if (is_product()) m_squares[i] = m_squares[order[i]];
      for (std::size_t g = 0; g < m_n_groups; ++g)
        for (id_type& id : std::span(ids(block(i, g)), group_size)) id = id < place.size() ? place[id] : no_id;
    }
    resize(order.size());
  }

  // Encoding. Rows are given as prepare_row made them.

  const buffer<float>& centre() const noexcept { return m_centre; }
  /// Before the first edge.
  void set_centre(std::span<const float> centre) noexcept {
    std::ranges::copy(centre, m_centre.begin());
    m_rotation(m_centre.data(), m_rotated_centre.data());
  }
  /// A row of length 1 under cosine, less the centre, is rotated in place.
  void prepare_row(float* row) const noexcept { m_rotation(row, row); }

  /// Memory to encode an edge.
  struct scratch {
    explicit scratch(const edge_codes& codes) : difference(codes.dim()), values(codes.dim()) {}
    aligned_vector<float> difference;
    std::vector<std::uint8_t> values;
  };
  id_type neighbor(std::size_t vertex, std::size_t place) const noexcept {
    return ids(block(vertex, place / group_size))[place % group_size];
  }
  void clear_edge(std::size_t vertex, std::size_t place) noexcept {
    ids(block(vertex, place / group_size))[place % group_size] = no_id;
  }
  /// Writes the edge from a vertex to another. O(dim()).
  void put_edge(std::size_t vertex, std::size_t place, id_type to, const float* from_row, const float* to_row,
                scratch& s) noexcept {
    std::uint8_t* const at = block(vertex, place / group_size);
    const std::size_t slot = place % group_size;
    ids(at)[slot] = to;
    float* const difference = s.difference.data();
    for (std::size_t i = 0; i < dim(); ++i) difference[i] = to_row[i] - from_row[i];
    float along = 0;  // <o - c, c + m>
    if (m_form != product_form::squared_l2)
      along = product(difference, from_row) + product(difference, m_rotated_centre.data());
    if (is_product()) m_squares[vertex] = square_of(from_row);
    if (!(product(difference, difference) < greatest_square)) {  // rows of double beyond the range of floats
      factors(at)[slot] = word_of(0, -std::numeric_limits<float>::infinity());
      return;
    }
    const rabitq_factors f = rabitq_encode(s.difference, m_layout.bits(), s.values.data());
    m_layout.put(codes(at), slot, s.values.data());
    for (std::size_t i = 0; i < dim(); ++i) difference[i] = rabitq_value(s.values[i], m_layout.bits());
    const bool is_l2 = m_form == product_form::squared_l2;
    const float scale = upper_half(is_l2 ? 2 * f.rescale : f.rescale), part = scale * product(difference, from_row);
    factors(at)[slot] = word_of(scale, part + (is_l2 ? f.length * f.length : -along));
  }

  // Searching.

  /// A query, whose memory is kept from one to the next. Not prepared: a search is to do without codes.
  struct query {
    aligned_vector<float> row;
    rabitq_tables<> tables{1};
    float square = 0;       ///< |q + m|^2, of ranks that are products
    float table_error = 0;  ///< deviation of a sum, by the rounding of the tables
    bool is_prepared = false;
    bool leads = false;  ///< whether rows are ranked when they are expanded, not before
    void forget() noexcept { is_prepared = leads = false; }
  };
  /// Takes q.row, of length 1 under cosine, less the centre, for a query.
  void prepare(query& q) const {
    q.is_prepared = product(q.row.data(), q.row.data()) < greatest_square;
    if (!q.is_prepared) return;
    if (q.tables.dim() != dim()) q.tables = rabitq_tables<>(dim());
    prepare_row(q.row.data());
    q.square = is_product() ? square_of(q.row.data()) : 0;
    q.tables.prepare(q.row.data());
    q.table_error = root_mean_square() * q.tables.error_length();
  }
  void prefetch(std::size_t vertex) const noexcept { prefetch_row(block(vertex, 0), vertex_bytes()); }
  /// f(id, bound) for the neighbours in a vertex's group of edges that may have ranks up to `limit`, with the lower
  /// bounds of their ranks, where that of the vertex is `rank`. Ids may be any number at all in a file that says
  /// nonsense.
  template <class F>
  void visit_promising(const query& q, std::size_t vertex, std::size_t group, float rank, float limit, F f) const {
    alignas(64) float bounds[group_size];  // of sums at first
    const std::uint8_t* const at = block(vertex, group);
    q.tables.sums(m_layout, codes(at), bounds);
    const float margin = deviations * (q.table_error + error_of_scale * distance(q, vertex, rank));
    std::uint32_t chosen = 0;
    for (std::size_t j = 0; j < group_size; j += simd::lanes<float>) {
      const auto sum = simd::load(static_cast<const float*>(bounds) + j) + simd::batch<float>(margin);
      const auto word = simd::batch<std::uint32_t>::load_aligned(factors(at) + j);
      const auto scale = simd::same_bits<float>(word & simd::batch<std::uint32_t>(0xFFFF0000u));
      const auto bound = simd::batch<float>(rank) + xsimd::fnma(scale, sum, simd::same_bits<float>(word << 16));
      bound.store_aligned(bounds + j);
      chosen |= static_cast<std::uint32_t>(simd::mask<float>(!(bound > simd::batch<float>(limit))) << j);
    }
    for (; chosen != 0; chosen &= chosen - 1) {
      const auto slot = static_cast<std::size_t>(std::countr_zero(chosen));
      const id_type id = ids(at)[slot];
      if (id == no_id) break;
      f(id, bounds[slot]);
    }
  }

  std::string defect(const search_edges& edges) const {
    for (std::size_t v = 0; v < m_size; ++v)
      for (std::size_t j = 0; j < n_places(); ++j)
        if (neighbor(v, j) != (j < edges.max_degree() ? edges.block(v)[j] : no_id))
          return "blocks: vertex " + std::to_string(v) + " has other edges than in the graph";
    return {};
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    std::size_t dim = self.dim(), bits = self.m_layout.bits();
    std::uint64_t seed = self.m_rotation.seed();
    archive.choice("form", self.m_form, {"none", "squared_l2", "inner_product", "cosine"});
    archive("dim", dim);
    archive("bits", bits);
    archive("groups", self.m_n_groups);
    archive("rotation_seed", seed);
    archive.expect(bits >= 1 && bits <= 4 && self.m_n_groups >= 1 && self.m_n_groups < 65536,
                   "has codes of other than 1 to 4 bits, or of no edges");
    archive("centre", self.m_centre, {dim});
    if constexpr (Archive::is_loading) {  // once an array has shown that the file has such a dimension
      self.m_rotation = random_rotation(std::max<std::size_t>(dim, 1), seed);
      self.m_layout = {self.m_rotation.dim(), static_cast<unsigned>(bits)};
      self.m_rotated_centre.assign(dim, 0);
      self.m_rotation(self.m_centre.data(), self.m_rotated_centre.data());
    }
    archive("count", self.m_size);
    archive("blocks", self.m_blocks, {self.m_size, self.vertex_bytes()});
    archive("squares", self.m_squares, {self.is_product() ? self.m_size : 0});
  }

 private:
  static constexpr float deviations = 0.5f;      ///< of an estimate's error below it is the lower bound
  static constexpr float error_of_scale = 0.3f;  ///< the error's deviation, in scale |q - c|, for any number of bits
  static constexpr float greatest_square = 1e36f;

  bool is_product() const noexcept { return m_form == product_form::inner_product; }
  /// Of a coordinate of the codes of normal numbers.
  float root_mean_square() const noexcept {
    constexpr float of_bits[] = {0.5f, 0.94f, 1.67f, 2.97f};
    return of_bits[m_layout.bits() - 1];
  }
  float product(const float* a, const float* b) const noexcept {
    return static_cast<float>(one_to_one<kernels::inner_product>(a, b, dim()));
  }
  /// |x + m|^2.
  float square_of(const float* x) const noexcept {
    const float* const m = m_rotated_centre.data();
    return product(x, x) + 2 * product(x, m) + product(m, m);
  }
  /// The nearest number whose lower 16 bits are 0.
  static float upper_half(float x) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    return std::bit_cast<float>((bits + 0x7FFFu + (bits >> 16 & 1u)) & 0xFFFF0000u);
  }
  /// `scale` is such a number; `add` is rounded down to one, as what is asked for is a lower bound.
  static std::uint32_t word_of(float scale, float add) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(add);
    return std::bit_cast<std::uint32_t>(scale) | ((bits >> 16) + (add < 0 && (bits & 0xFFFFu) != 0));
  }
  /// |q - c|.
  float distance(const query& q, std::size_t vertex, float rank) const noexcept {
    float square = m_form == product_form::squared_l2 ? rank : 2 * rank;
    if (is_product()) square += q.square + m_squares[vertex];
    return detail::sqrt(std::max(square, 0.0f));
  }

  std::size_t group_bytes() const noexcept {
    return (codes_begin + m_layout.block_bytes() + line_bytes - 1) / line_bytes * line_bytes;
  }
  std::uint8_t* block(std::size_t vertex, std::size_t group) noexcept {
    return m_blocks.data() + vertex * vertex_bytes() + group * group_bytes();
  }
  const std::uint8_t* block(std::size_t vertex, std::size_t group) const noexcept {
    return m_blocks.data() + vertex * vertex_bytes() + group * group_bytes();
  }

  // The parts of a block.
  static constexpr std::size_t line_bytes = 64, part_bytes = 4 * group_size, codes_begin = 2 * part_bytes;
  static id_type* ids(std::uint8_t* at) noexcept { return reinterpret_cast<id_type*>(at); }
  static const id_type* ids(const std::uint8_t* at) noexcept { return reinterpret_cast<const id_type*>(at); }
  static std::uint32_t* factors(std::uint8_t* at) noexcept { return reinterpret_cast<std::uint32_t*>(at + part_bytes); }
  static const std::uint32_t* factors(const std::uint8_t* at) noexcept {
    return reinterpret_cast<const std::uint32_t*>(at + part_bytes);
  }
  static std::uint8_t* codes(std::uint8_t* at) noexcept { return at + codes_begin; }
  static const std::uint8_t* codes(const std::uint8_t* at) noexcept { return at + codes_begin; }

  product_form m_form = product_form::none;
  std::size_t m_size = 0, m_n_groups = 1;
  random_rotation m_rotation;
  rabitq_layout m_layout;
  buffer<float> m_centre, m_rotated_centre;
  buffer<std::uint8_t> m_blocks;
  buffer<float> m_squares;  ///< |c + m|^2, where ranks are products
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
