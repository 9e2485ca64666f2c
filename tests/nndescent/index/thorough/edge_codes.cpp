#include <annulus/nndescent/half_precision.hpp>
#include <annulus/nndescent/rabitq.hpp>

#include <annulus/core/metric/common_metrics.hpp>
#include <annulus/nndescent/index/edge_encoding.hpp>
#include <annulus/nndescent/index/walk_scratch.hpp>

#include "catch.hpp"
#include "random_data.hpp"

using namespace annulus;
using namespace annulus::detail;

namespace {

constexpr std::size_t n = 60, degree = 40;  // two groups of places

/// The arrays that codes are saved as: where the test reads what they say.
struct block_reader {
  static constexpr bool is_loading = false;
  std::span<const std::uint8_t> blocks = {};

  template <class T>
  void operator()(std::string_view, const T&) const {}
  template <class T>
  void operator()(std::string_view name, const buffer<T>& values, std::initializer_list<std::uint64_t>) {
    if constexpr (std::same_as<T, std::uint8_t>)
      if (name == "blocks") blocks = {values.data(), values.size()};
  }
  void choice(std::string_view, product_form, std::initializer_list<std::string_view>) const {}
  void expect(bool condition, std::string_view) const { REQUIRE(condition); }
};

/// Rows, a walk over them, and a graph of edges at random with their codes. Vertex 7 has no edges, vertex 8 one.
template <class T, class Metric, class Rows>
struct coded_graph {
  using walk_type = typename walk_of<matrix<T>, Metric, Rows>::type;

  coded_graph(matrix<T> given, unsigned n_bits, std::uint64_t seed = 1)
      : rows(std::move(given)),
        bits(n_bits),
        walk(walk_of<matrix<T>, Metric, Rows>::make(rows, Metric{}, Rows{})),
        edges(rows.rows(), degree),
        codes(Metric::form, rows.cols(), degree, bits, seed),
        random(seed, 3) {
    walk.resize(rows.rows());
    for (std::size_t i = 0; i < rows.rows(); ++i) walk.assign(i, rows.row(i));
    for (std::size_t v = 0; v < rows.rows(); ++v)
      if (v != 7) edges.assign(v, others(v, v == 8 ? 1 : 30 + v % (degree - 29)));
    codes.resize(rows.rows());
    encode_all(walk, edges, codes, thread_team(1));
  }
  /// `count` vertices at random, each once.
  std::vector<id_type> others(std::size_t v, std::size_t count) {
    std::vector<id_type> ids;
    while (ids.size() < count) {
      const auto id = static_cast<id_type>(random.below(at++, edges.size()));
      if (id != v && std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
    }
    return ids;
  }

  matrix<T> rows;
  unsigned bits;
  walk_type walk;
  search_edges edges;
  edge_codes codes;
  counter_random random;
  std::uint64_t at = 0;
};

/// How the estimates of ranks at all edges of some vertices, for some queries, differ from the ranks of the walk.
struct errors {
  double mean = 0;       ///< in deviations
  double deviation = 0;  ///< of the error, in |o - c| |q - c|
  double missed = 0;     ///< the share of the ranks below their lower bound
  std::size_t lost = 0;  ///< neighbours that are not visited though there is no limit
};

/// Adds up what visit_promising and the blocks say of each edge.
template <class Graph, class T>
errors errors_of(const Graph& g, const matrix<T>& queries) {
  block_reader reader;
  edge_codes::persist(g.codes, reader);
  const std::size_t dim = g.codes.dim(), group_bytes = reader.blocks.size() / g.codes.size() / g.codes.n_groups();
  const rabitq_layout layout(dim, g.bits);
  auto q = g.walk.make_query();
  edge_codes::query code_query;
  std::vector<float> centre(g.codes.centre().begin(), g.codes.centre().end()), decoded(dim), from(dim);
  errors result;
  double count = 0, square = 0;
  for (std::size_t i = 0; i < queries.rows(); ++i) {
    g.walk.prepare(queries.row(i), q);
    code_query.row.resize(dim);
    relative_row(queries.row(i).data(), dim, g.codes.form() == product_form::cosine, centre.data(),
                 code_query.row.data());
    const std::vector<float> plain(code_query.row.begin(), code_query.row.end());
    g.codes.prepare(code_query);
    REQUIRE(code_query.is_prepared);
    for (std::size_t v = 0; v < g.codes.size(); ++v) {
      const auto neighbors = g.edges.of(v);
      const auto rank_of = [&](id_type id) {
        typename Graph::walk_type::rank_type rank;
        g.walk.ranks(q, std::span(&id, 1), &rank);
        return g.walk.square_rank(static_cast<double>(rank));
      };
      const float at = rank_of(static_cast<id_type>(v));
      g.walk.decode(v, centre.data(), from.data());
      double to_query = 0;
      for (std::size_t j = 0; j < dim; ++j) to_query += std::pow(plain[j] - from[j], 2);
      std::vector<id_type> visited;
      for (std::size_t group = 0; group < g.codes.n_groups(); ++group)
        g.codes.visit_promising(code_query, v, group, at, std::numeric_limits<float>::infinity(),
                                [&](id_type id, float) { visited.push_back(id); });
      result.lost += !std::ranges::equal(visited, neighbors);
      for (std::size_t e = 0; e < neighbors.size(); ++e) {
        const float rank = rank_of(neighbors[e]);
        bool is_met = false;
        g.codes.visit_promising(code_query, v, e / 32, at, rank,
                                [&](id_type id, float bound) { is_met |= id == neighbors[e] && bound <= rank; });

        // 32 ids; 32 words, with the upper halves of scale and of add; and the codes.
        const std::uint8_t* const block = reader.blocks.data() + (v * g.codes.n_groups() + e / 32) * group_bytes;
        float sums[32];
        std::uint32_t word = 0;
        std::memcpy(&word, block + 128 + 4 * (e % 32), 4);
        const float add = std::bit_cast<float>(word << 16), scale = std::bit_cast<float>(word & 0xFFFF0000u);
        code_query.tables.sums(layout, block + 256, sums);
        const double error = static_cast<double>(at) + static_cast<double>(add) -
                             static_cast<double>(scale) * static_cast<double>(sums[e % 32]) - static_cast<double>(rank);
        g.walk.decode(neighbors[e], centre.data(), decoded.data());
        double length = 0;
        for (std::size_t j = 0; j < dim; ++j) length += std::pow(decoded[j] - from[j], 2);
        const double unit = std::sqrt(length * to_query);
        if (!(unit > 0)) continue;
        result.missed += !is_met;
        result.mean += error / unit;
        square += error * error / (unit * unit);
        ++count;
      }
    }
  }
  if (count == 0) return result;
  result.missed /= count;
  result.mean /= count;
  result.deviation = std::sqrt(square / count);
  if (result.deviation > 0) result.mean /= result.deviation;
  return result;
}

template <class T>
matrix<T> random_rows(std::size_t count, std::size_t dim, std::uint64_t seed) {
  auto rows = normal_rows<float>(count, dim, seed);
  matrix<T> converted(count, dim);
  for (std::size_t i = 0; i < count * dim; ++i) {
    const float x = rows.data()[i];
    if constexpr (std::same_as<T, std::uint8_t>)
      converted.data()[i] = static_cast<T>(std::clamp(120 + 40 * x, 0.0f, 255.0f));
    else converted.data()[i] = static_cast<T>(2 + x);
  }
  return converted;
}

/// A half of the deviation below an estimate, about 0.31 of a normal distribution lies; the lower bounds take the
/// deviation for a little larger than it is.
template <class T, class Metric, class Rows>
void check_estimates(std::uint64_t seed = 1) {
  for (const std::size_t d : {1u, 3u, 8u, 31u, 128u, 200u}) {
    const double scale = Metric::form == product_form::squared_l2 ? 2 : 1;
    double last = std::numeric_limits<double>::infinity();
    for (const unsigned bits : {1u, 2u, 4u}) {
      const coded_graph<T, Metric, Rows> g(random_rows<T>(n, d, 10 * seed + d), bits, seed);
      const errors e = errors_of(g, random_rows<T>(3, d, 10 * seed + d + 5));
      CAPTURE(d, bits, seed, e.mean, e.deviation, e.missed);
      CHECK(e.lost == 0);
      if (d == 1) {  // the code of one coordinate is its sign, and exact; what is added to it is rounded, down
        CHECK(e.mean <= 0.05);
        if constexpr (!std::same_as<Rows, half_precision>) CHECK(e.missed <= 0.02);
        continue;
      }
      CHECK(e.mean <= 0.25);
      CHECK(e.mean >= (bits < 4 ? -0.25 : -0.6));
      CHECK(e.deviation <= 0.7 * last);
      if (d > 3) CHECK(e.missed >= 0.12);
      CHECK(e.missed <= 0.42);
      // Of one bit, sqrt((1 - t^2) / t^2) / sqrt(d - 1), t being 0.8, for differences that take all directions.
      const double formula = scale * 0.75 / std::sqrt(static_cast<double>(d - 1));
      if (bits == 1) CHECK(e.deviation <= 1.1 * formula);
      if (bits == 1 && d > 3) CHECK(e.deviation >= 0.6 * formula);
      last = e.deviation;
    }
  }
}

}  // namespace

TEMPLATE_TEST_CASE("estimates of ranks are right but for an error about 0 that shrinks with the bits", "[edge_codes]",
                   sqeuclidean, inner_product, cosine) {
  check_estimates<float, TestType, full_precision>();
  check_estimates<std::uint8_t, TestType, full_precision>();
  check_estimates<float, TestType, sq8>();
  check_estimates<float, TestType, half_precision>();
}

namespace {

using float_graph = coded_graph<float, inner_product, full_precision>;

/// The bytes of all blocks and what is kept beside them, where edges are; what stands at places without edges is left
/// over from earlier ones.
std::vector<std::uint8_t> bytes_of_edges(const float_graph& g) {
  block_reader reader;
  edge_codes::persist(g.codes, reader);
  const std::size_t group_bytes = reader.blocks.size() / g.codes.size() / g.codes.n_groups();
  const rabitq_layout layout(g.codes.dim(), g.bits);
  std::vector<std::uint8_t> bytes, values(g.codes.dim());
  for (std::size_t v = 0; v < g.codes.size(); ++v)
    for (std::size_t j = 0; j < g.edges.of(v).size(); ++j) {
      const std::uint8_t* const block = reader.blocks.data() + (v * g.codes.n_groups() + j / 32) * group_bytes;
      for (const std::size_t part : {0u, 128u})
        bytes.insert(bytes.end(), block + part + 4 * (j % 32), block + part + 4 * (j % 32) + 4);
      layout.get(block + 256, j % 32, values.data());
      bytes.insert(bytes.end(), values.begin(), values.end());
    }
  return bytes;
}

/// The same graph, all of whose edges are encoded at once.
float_graph encoded_anew(const float_graph& g) {
  float_graph anew = g;
  anew.codes = edge_codes(product_form::inner_product, g.codes.dim(), degree, g.bits, 1);
  anew.codes.set_centre(g.codes.centre());
  anew.codes.resize(g.codes.size());
  edge_encoder encode(anew.walk, anew.codes);
  for (std::size_t v = 0; v < g.codes.size(); ++v) encode(v, g.edges.block(v));
  return anew;
}

}  // namespace

TEST_CASE("edges that are encoded one vertex at a time are those that are encoded at once", "[edge_codes]") {
  const float_graph g(random_rows<float>(n, 21, 1), 3);
  CHECK(g.codes.n_groups() == 2);
  CHECK(g.codes.n_places() == 64);
  CHECK(g.codes.defect(g.edges).empty());
  CHECK(bytes_of_edges(encoded_anew(g)) == bytes_of_edges(g));
}

TEST_CASE("all edges are encoded alike by any number of threads", "[edge_codes]") {
  const float_graph one(random_rows<float>(700, 21, 1), 2);
  float_graph four = one;
  four.codes = edge_codes(product_form::inner_product, 21, degree, 2, 1);
  four.codes.resize(700);
  encode_all(four.walk, four.edges, four.codes, thread_team(4));
  CHECK(bytes_of_edges(four) == bytes_of_edges(one));
}

TEST_CASE("codes follow the changes of edges", "[edge_codes]") {
  float_graph g(random_rows<float>(n, 21, 1), 2);
  edge_encoder encode(g.walk, g.codes);
  for (std::size_t round = 0; round < 200; ++round) {
    const std::size_t v = g.random.below(g.at++, n), count = g.random.below(g.at++, degree + 1);
    auto ids = g.others(v, count);
    const auto before = g.edges.of(v);  // the first few stay
    for (std::size_t j = 0; j < std::min(before.size(), count) / 2; ++j)
      if (std::ranges::find(ids, before[j]) == ids.end()) ids[j] = before[j];
    g.edges.assign(v, ids);
    encode(v, std::as_const(g.edges).block(v));
    CHECK(g.codes.defect(g.edges).empty());
  }
  CHECK(bytes_of_edges(g) == bytes_of_edges(encoded_anew(g)));
  CHECK(errors_of(g, random_rows<float>(2, 21, 9)).lost == 0);
}

TEST_CASE("an edge that differs from the graph's is a defect, by the number of its vertex", "[edge_codes]") {
  float_graph g(random_rows<float>(n, 5, 1), 1);
  for (const std::size_t v : {0u, 7u, 8u, 59u}) {
    auto edges = g.edges;
    edges.assign(v, std::vector<id_type>{id_type{13}, id_type{14}});
    CAPTURE(v);
    CHECK_THAT(g.codes.defect(edges), ContainsSubstring("vertex " + std::to_string(v) + " "));
  }
}

TEST_CASE("vertices that stay keep their codes under new numbers", "[edge_codes]") {
  for (const std::size_t one_in : {2u, 3u, 60u}) {
    float_graph g(random_rows<float>(n, 21, 1), 2);
    std::vector<id_type> order, place(n, no_id);
    for (id_type v = 0; v < n; ++v)
      if (v % one_in != 1) {
        place[v] = static_cast<id_type>(order.size());
        order.push_back(v);
      }
    search_edges edges(order.size(), degree);
    for (std::size_t i = 0; i < order.size(); ++i) {
      std::vector<id_type> ids;
      for (const id_type id : g.edges.of(order[i]))
        if (place[id] != no_id) ids.push_back(place[id]);
      edges.assign(i, ids);
    }
    g.walk.keep_only(order);
    g.codes.reorder(order, place);
    g.edges = edges;
    edge_encoder encode(g.walk, g.codes);
    for (std::size_t v = 0; v < order.size(); ++v) encode(v, std::as_const(edges).block(v));
    CAPTURE(one_in);
    CHECK(g.codes.size() == order.size());
    CHECK(g.codes.defect(edges).empty());
    CHECK(bytes_of_edges(g) == bytes_of_edges(encoded_anew(g)));
  }
}

TEST_CASE("new vertices have no edges, and those that go leave none", "[edge_codes]") {
  float_graph g(random_rows<float>(n, 5, 1), 1);
  g.codes.resize(30);
  g.codes.resize(n);
  for (std::size_t v = 0; v < n; ++v)
    for (std::size_t j = 0; j < g.codes.n_places(); ++j)
      REQUIRE(g.codes.neighbor(v, j) == (v < 30 && j < g.edges.of(v).size() ? g.edges.of(v)[j] : no_id));
}

TEST_CASE("neighbours beyond the range of floats are never left out, nor are any by such a query", "[edge_codes]") {
  auto rows = normal_rows<double>(n, 6, 1);
  for (std::size_t i = 0; i < n; i += 3)
    for (double& x : rows.row(i)) x *= std::pow(10.0, 10.0 + static_cast<double>(i));  // up to 1e67
  const auto check = [&](auto metric) {
    const coded_graph<double, decltype(metric), full_precision> g(rows, 1);
    edge_codes::query q;
    q.row.assign(6, 1e19f);
    g.codes.prepare(q);
    CHECK_FALSE(q.is_prepared);
    q.row.assign(6, std::numeric_limits<float>::quiet_NaN());
    g.codes.prepare(q);
    CHECK_FALSE(q.is_prepared);
    q.row.assign(6, 1.0f);
    g.codes.prepare(q);
    REQUIRE(q.is_prepared);
    std::size_t left_out = 0;
    for (std::size_t v = 0; v < n; ++v)
      for (std::size_t j = 0; j < g.edges.of(v).size(); ++j) {
        const id_type id = g.edges.of(v)[j];
        if (v % 3 != 0 && id % 3 != 0) continue;
        if (rows(v % 3 == 0 ? v : id, 0) > -1e20 && rows(v % 3 == 0 ? v : id, 0) < 1e20) continue;
        bool is_met = false;
        g.codes.visit_promising(q, v, j / 32, v % 3 == 0 ? 1e36f : 1.0f, 1.0f,
                                [&](id_type to, float) { is_met |= to == id; });
        left_out += !is_met;
      }
    CHECK(left_out == 0);
  };
  check(sqeuclidean{});
  check(inner_product{});
}

// ---- Rows as walks tell them ----------------------------------------------------------------------------------------

namespace {

/// The greatest difference of a decoded row from the row less a centre, in the greatest coordinate.
template <class T, class Metric, class Rows>
double decoding_error(const matrix<T>& rows, Rows storage = {}) {
  auto walk = walk_of<matrix<T>, Metric, Rows>::make(rows, Metric{}, storage);
  walk.resize(rows.rows());
  const std::size_t d = rows.cols();
  std::vector<float> centre(d), decoded(d);
  for (std::size_t j = 0; j < d; ++j) centre[j] = 0.25f * static_cast<float>(j);
  double worst = 0, greatest = 0;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    walk.assign(i, rows.row(i));
    walk.decode(i, centre.data(), decoded.data());
    double norm = 0;
    for (const T x : rows.row(i)) norm += std::pow(static_cast<double>(x), 2);
    norm = Metric::form == product_form::cosine && norm > 0 ? std::sqrt(norm) : 1;
    for (std::size_t j = 0; j < d; ++j) {
      const double x = static_cast<double>(rows(i, j)) / norm;
      greatest = std::max(greatest, std::abs(x));
      worst = std::max(worst, std::abs(decoded[j] - (x - static_cast<double>(centre[j]))));
    }
  }
  return worst / greatest;
}

template <class T>
matrix<T> rows_with_zeros(std::size_t d) {
  auto rows = random_rows<T>(40, d, d);
  for (const std::size_t i : {3u, 17u}) std::ranges::fill(rows.row(i), T(0));
  return rows;
}

}  // namespace

TEMPLATE_TEST_CASE("a walk tells its rows as they are, or as its precision has them", "[edge_codes]", sqeuclidean,
                   inner_product, cosine) {
  for (const std::size_t d : {1u, 2u, 7u, 40u}) {
    CAPTURE(d);
    CHECK(decoding_error<float, TestType, full_precision>(rows_with_zeros<float>(d)) <= 1e-4);
    CHECK(decoding_error<double, TestType, full_precision>(rows_with_zeros<double>(d)) <= 1e-4);
    CHECK(decoding_error<std::uint8_t, TestType, full_precision>(rows_with_zeros<std::uint8_t>(d)) <= 1e-4);
    CHECK(decoding_error<float, TestType, half_precision>(rows_with_zeros<float>(d)) <= 1e-3);
    const double bytes = decoding_error<std::uint8_t, TestType, sq8>(rows_with_zeros<std::uint8_t>(d));
    CHECK(bytes <= (TestType::form == product_form::cosine ? 0.02 : 1e-4));  // else they are their own codes
    CHECK(decoding_error<float, TestType, sq8>(rows_with_zeros<float>(d)) <= 0.03);
    CHECK(decoding_error<double, TestType, sq8>(rows_with_zeros<double>(d), {scalar_scales::per_vector}) <= 0.03);
    CHECK(decoding_error<float, TestType, sq8>(rows_with_zeros<float>(d), {scalar_scales::per_dimension}) <= 0.1);
  }
}

TEST_CASE("wide dimensions that codes keep as floats are told as they are", "[edge_codes]") {
  auto rows = random_rows<float>(40, 30, 1);
  for (std::size_t i = 0; i < 40; ++i) rows(i, 11) *= 1e4f;
  CHECK(decoding_error<float, sqeuclidean, sq8>(rows) <= 1e-4);  // of the wide one
  auto walk = walk_of<matrix<float>, sqeuclidean, sq8>::make(rows, {}, {});
  walk.resize(40);
  const std::vector<float> origin(30);
  std::vector<float> decoded(30);
  for (std::size_t i = 0; i < 40; ++i) {
    walk.assign(i, rows.row(i));
    walk.decode(i, origin.data(), decoded.data());
    for (std::size_t j = 0; j < 30; ++j)
      if (j != 11) REQUIRE(std::abs(decoded[j] - rows(i, j)) <= 0.05f);
  }
}
