#include <Eigen/Core>
#include <annulus/metrics/named.hpp>

#include <fstream>
#include <iostream>
#include <set>

#include "catch.hpp"

using namespace annulus;

namespace {

/// What a metric has of parameters over rows of d coordinates: p is 2, and costs are not symmetric.
metric_params params_for(const metric_info& metric, std::size_t d) {
  metric_params params;
  if (metric.find_parameter("p") != nullptr) params.p = 2;
  if (metric.find_parameter("w") != nullptr) params.w = std::vector<double>(d, 2);
  if (metric.find_parameter("variance") != nullptr) params.variance = std::vector<double>(d, 0.5);
  if (metric.find_parameter("vinv") != nullptr) {
    params.vinv = matrix<double>(d, d, 0.5);
    for (std::size_t i = 0; i < d; ++i) params.vinv(i, i) = 2;
  }
  if (metric.find_parameter("cost") != nullptr) {
    params.cost = matrix<double>(d, d);
    for (std::size_t i = 0; i < d; ++i)
      for (std::size_t j = 0; j < d; ++j) params.cost(i, j) = static_cast<double>(i < j ? 3 * (j - i) : i - j);
  }
  return params;
}

std::size_t dim_for(const metric_info& metric) { return metric.name == "haversine" ? 2 : 3; }

/// f(metric, rows, d) with rows that it takes: of doubles, or of packed bits.
template <class F>
auto with_rows(const metric_info& info, F f) {
  const std::size_t d = info.bits ? 1 : dim_for(info);
  return with_metric(info.name, params_for(info, d), [&]<class M>(const M& metric) {
    if constexpr (metric_for<M, matrix_view<double>>) {
      matrix<double> rows(d == 2 ? 9 : 27, d);
      for (std::size_t i = 0; i < rows.rows(); ++i)
        for (std::size_t j = 0, rest = i; j < d; ++j, rest /= 3) rows(i, j) = static_cast<double>(rest % 3);
      return f(metric, rows, d);
    } else {
      matrix<std::uint8_t> rows(32, d);
      for (std::size_t i = 0; i < rows.rows(); ++i) rows(i, 0) = static_cast<std::uint8_t>(i);
      return f(metric, rows, d);
    }
  });
}

/// The first of the axioms that does not hold between the rows.
std::string broken_axiom(const metric_info& info) {
  return with_rows(info, [](const auto& metric, const auto& rows, std::size_t d) -> std::string {
    const std::size_t n = rows.rows();
    matrix<double> distances(n, n);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j) distances(i, j) = metric(rows.row(i).data(), rows.row(j).data(), d);
    const auto is_beyond = [](double x, double limit) { return !(x <= limit + 1e-6); };
    for (std::size_t i = 0; i < n; ++i) {
      if (distances(i, i) != 0) return "a row is at a distance from itself";
      for (std::size_t j = 0; j < n; ++j) {
        if (is_beyond(distances(i, j), distances(j, i))) return "no symmetry";
        for (std::size_t k = 0; k < n; ++k)
          if (is_beyond(distances(i, k), distances(i, j) + distances(j, k))) return "no triangle inequality";
      }
    }
    return "";
  });
}

/// A code span, in a cell of a table.
std::string code(std::string_view text) {
  std::string span = "`";
  for (const char c : text) span.append(c == '|' ? "\\" : "").push_back(c);
  return span + "`";
}

/// What docs/metrics.md has to say of known_metrics.
std::vector<std::string> table_lines() {
  std::vector<std::string> lines{
      "| metric | also called | distance | parameters | rows | a metric | SIMD | ranked by |",
      "|---|---|---|---|---|---|---|---|"};
  for (const metric_info& metric : known_metrics) {
    std::string aliases, parameters, rows;
    const auto add = [](std::string& list, const std::string& item) { list += (list.empty() ? "" : ", ") + item; };
    for (const std::string_view alias : metric.aliases)
      if (!alias.empty()) add(aliases, code(alias));
    for (const auto& [name, value] : metric.parameters)
      if (!name.empty()) add(parameters, code(name) + (value.empty() ? "" : " = ") + std::string(value));
    if (metric.dense) add(rows, "dense");
    if (metric.sparse) add(rows, "sparse");
    if (metric.bits) add(rows, "bits");
    std::string line = "|";
    for (const std::string& cell :
         {code(metric.name), aliases, code(metric.formula), parameters, rows,
          std::string(metric.is_metric ? "yes" : ""), std::string(metric.simd), std::string(metric.proxy)})
      line += cell.empty() ? " |" : " " + cell + " |";
    lines.push_back(line);
  }
  return lines;
}

}  // namespace

TEST_CASE("docs/metrics.md has the table of metrics as it is", "[metrics][table]") {
  std::ifstream page(ANNULUS_TEST_DATA_DIR "/../../docs/metrics.md");
  REQUIRE(page);
  const std::vector<std::string> expected = table_lines();
  std::vector<std::string> found;
  for (std::string line; std::getline(page, line);)
    if (line == expected[0] || (!found.empty() && line.starts_with('|'))) found.push_back(line);
    else if (!found.empty()) break;
  CHECK(found.size() == expected.size());
  for (std::size_t i = 0; i < std::min(found.size(), expected.size()); ++i) CHECK(found[i] == expected[i]);
  if (found != expected) {
    std::cout << "docs/metrics.md should say:\n";
    for (const std::string& line : expected) std::cout << line << "\n";
  }
}

TEST_CASE("no metric's name or alias is another's", "[metrics][table]") {
  std::set<std::string_view> names;
  for (const metric_info& metric : known_metrics) {
    CHECK(names.insert(metric.name).second);
    for (const std::string_view alias : metric.aliases) CHECK((alias.empty() || names.insert(alias).second));
  }
}

TEST_CASE("find_metric finds names and aliases and nothing else", "[metrics][table]") {
  for (const metric_info& metric : known_metrics) {
    CHECK(find_metric(metric.name) == &metric);
    for (const std::string_view alias : metric.aliases) CHECK((alias.empty() || find_metric(alias) == &metric));
  }
  static_assert(find_metric("l2") == &known_metrics[0]);
  CHECK(find_metric("L2") == find_metric("l2"));
  for (const std::string_view name : {"", "l3", "euclid", "euclidean2"}) CHECK(find_metric(name) == nullptr);
}

TEST_CASE("find_parameter finds a metric's parameters and nothing else", "[metrics][table]") {
  const metric_info& metric = *find_metric("wminkowski");
  CHECK(metric.find_parameter("w")->value.empty());
  CHECK(metric.find_parameter("p")->value == "2");
  CHECK(metric.find_parameter("vinv") == nullptr);
  CHECK(find_metric("minkowski")->find_parameter("") == nullptr);
}

TEST_CASE("a metric takes the rows that the table says", "[metrics][table]") {
  for (const metric_info& info : known_metrics) {
    CAPTURE(info.name);
    CHECK(with_metric(info.name, params_for(info, 3), [&]<class M>(const M&) {
      constexpr bool bytes = metric_for<M, matrix_view<std::uint8_t>>, dense = metric_for<M, matrix_view<float>>;
      static_assert(!dense || (bytes && metric_for<M, matrix_view<double>> && metric_for<M, matrix_view<Eigen::half>>));
      return dense == info.dense && metric_for<M, csr_view<float>> == info.sparse && (bytes && !dense) == info.bits;
    }));
  }
}

TEST_CASE("a metric is compared by products or popcounts where the table says so", "[metrics][table]") {
  for (const metric_info& info : known_metrics) {
    CAPTURE(info.name);
    CHECK(with_rows(info, [&]<class M, class T>(const M&, const matrix<T>&, std::size_t) {
      using compared = detail::compared<M, matrix<T>>;
      constexpr bool products = has_product_form<typename compared::metric>;
      constexpr bool bits = std::same_as<typename compared::points, matrix<std::uint8_t>>;
      return products == (info.simd == "products") && bits == (info.simd == "popcount");
    }));
  }
}

TEST_CASE("a metric has a proxy where the table says so", "[metrics][table]") {
  for (const metric_info& info : known_metrics) {
    CAPTURE(info.name);
    CHECK(with_rows(info, [&]<class M, class T>(const M& metric, const matrix<T>& rows, std::size_t d) {
      const detail::compared_rows<M, matrix_view<T>> compared(metric, rows, 1);
      const auto base = detail::compared_metric<matrix<T>>(metric, d);
      const auto rank = [&](std::size_t i, std::size_t j) {
        return static_cast<double>(
            detail::rank_of_rows(base, std::span(compared.view().row(i)), std::span(compared.view().row(j))));
      };
      bool is_same = true;
      for (const std::size_t i : {1u, 5u, 7u})
        is_same &= rank(i, 3) == Approx(metric(rows.row(i).data(), rows.row(3).data(), d));
      return is_same == info.proxy.empty();
    }));
  }
}

TEST_CASE("a metric keeps the axioms that the table says", "[metrics][table]") {
  for (const metric_info& info : known_metrics) {
    const std::string broken = broken_axiom(info);
    CAPTURE(info.name, broken);
    CHECK(broken.empty() == info.is_metric);
  }
}
