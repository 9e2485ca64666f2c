// Searches by 8-bit codes of rows whose dimensions are of different places and sizes.

#include "catch.hpp"
#include "nndescent/indexes.hpp"

using namespace annulus;

namespace {

constexpr std::size_t n_rows = 800, n_queries = 60;

/// fill(row) changes a row of normal coordinates.
template <class T, class Fill>
indexes::split<T> make(std::size_t d, Fill fill) {
  std::mt19937_64 generator(d);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform(-1, 1);
  matrix<T> all(n_rows + n_queries, d);
  std::vector<double> row(d);
  for (std::size_t i = 0; i < all.rows(); ++i) {
    for (double& x : row) x = normal(generator);
    fill(std::span(row), i, uniform(generator));
    for (std::size_t j = 0; j < d; ++j) all(i, j) = static_cast<T>(row[j]);
  }
  return {all, n_queries};
}

struct recalls {
  double of_one, of_ten;
};

template <class T, class Metric, class Storage>
recalls recall_of(const indexes::split<T>& data, Metric metric, Storage storage) {
  const nndescent_index index(data.rows, metric, {}, storage);
  const auto recall_at = [&](std::size_t k) {
    const auto truth = knn(data.rows, data.queries, k, metric);
    return recall(index.search(data.queries, k, {.beam = 64}), truth, k);
  };
  return {recall_at(1), recall_at(10)};
}

/// Nearly all that float rows find, and at least .97 where they do.
template <class T, class Metric>
void check(const char* name, const indexes::split<T>& data, Metric metric) {
  const auto [one, ten] = recall_of(data, metric, sq8{});
  const auto [one_of_rows, ten_of_rows] = recall_of(data, metric, full_precision{});
  CAPTURE(name, data.rows.cols(), Metric::name, sizeof(T), one, one_of_rows, ten, ten_of_rows);
  CHECK(one >= std::min(0.97, one_of_rows - 0.02));
  CHECK(ten >= std::min(0.97, ten_of_rows - 0.02));
}

template <class T>
void check_places() {
  for (const std::size_t d : {2u, 3u, 100u}) {
    for (const double offset : {1e5, -3.2e7, 1e9}) {
      if (std::same_as<T, float> && std::abs(offset) > 1e6 && d == 2) continue;  // a few hundred different rows
      const auto far = make<T>(d, [=](auto row, std::size_t, double any) { row[0] = offset + 8 * any; });
      check("a dimension far from 0", far, euclidean{});
      check("a dimension far from 0", far, inner_product{});
      const auto all = make<T>(d, [=](auto row, std::size_t, double) {
        for (double& x : row) x = offset + 100 * x;
      });
      check("all dimensions far from 0", all, euclidean{});
    }
    check("constant dimensions",
          make<T>(d,
                  [](auto row, std::size_t, double) {
                    for (std::size_t j = 0; j < row.size(); j += 2) row[j] = 1e6;
                  }),
          euclidean{});
    check("a dimension far from 0", make<T>(d, [](auto row, std::size_t, double) { row[0] += 300; }), inner_product{});
  }
}

}  // namespace

TEST_CASE("rows far from 0 are found by 8-bit codes as by themselves", "[nndescent_index]") { check_places<double>(); }
TEST_CASE("rows of floats far from 0 are found by 8-bit codes as by themselves", "[nndescent_index]") {
  check_places<float>();
}

TEST_CASE("directions that hardly differ are found by 8-bit codes", "[nndescent_index]") {
  for (const std::size_t d : {3u, 100u})
    for (const double offset : {1e2, 1e4, 1e6})
      check("a dimension far from 0", make<double>(d, [=](auto row, std::size_t, double) { row[0] += offset; }),
            cosine{});
}

TEST_CASE("a time stamp beside dimensions of small numbers does not hide them from 8-bit codes", "[nndescent_index]") {
  for (const std::size_t d : {2u, 3u, 100u})
    for (const double seconds : {1e2, 1e3, 1e4, 1e5, 3e7})
      check("time stamps", make<double>(d, [=](auto row, std::size_t, double any) { row[0] = 1.7e9 + seconds * any; }),
            euclidean{});
}

TEST_CASE("marks and scales beside dimensions of small numbers do not hide them from 8-bit codes",
          "[nndescent_index]") {
  for (const std::size_t d : {3u, 100u}) {
    const auto marked = make<float>(d, [](auto row, std::size_t i, double) { row[1] = i % 3 == 0 ? 1e6 : 0; });
    check("a mark in a third of the rows", marked, euclidean{});
    check("degrees and metres",
          make<float>(d,
                      [](auto row, std::size_t, double any) { row[0] = 48 + 1e-3 * any, row[2] = 5e6 + 1e4 * row[2]; }),
          euclidean{});
    const auto scaled = make<float>(d, [](auto row, std::size_t, double) {
      for (std::size_t j = 0; j < row.size(); ++j) row[j] *= j % 2 == 0 ? 1e6 : 1e-3;
    });
    check("dimensions of 1e-3 beside dimensions of 1e6", scaled, euclidean{});
    check("dimensions of 1e-3 beside dimensions of 1e6", scaled, cosine{});
  }
}

TEST_CASE("rows far from all others do not hide those from 8-bit codes", "[nndescent_index]") {
  for (const std::size_t d : {1u, 2u, 3u, 100u})
    for (const std::size_t every : {n_rows, std::size_t{20}}) {
      const auto data = make<float>(d, [=](auto row, std::size_t i, double any) {
        if (i % every == 7)
          for (double& x : row) x = 1e6 + any;
      });
      check("outliers", data, euclidean{});
    }
}
