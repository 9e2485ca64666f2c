#include <annulus/quantization/fast_scan.hpp>
#include <annulus/quantization/optimized_product_quantizer.hpp>
#include <annulus/quantization/rabitq_index.hpp>
#include <annulus/quantization/rabitq_quantizer.hpp>

#include "rows.hpp"

namespace {

annulus::neighbors answers(const annulus::neighbors& graph) { return graph; }

annulus::neighbors answers(const annulus::fast_scan_index<>& index) {
  if (index.dim() == 0) return {};
  static_cast<void>(index.codes());
  return index.search(fuzz::dense_rows(index.dim()), 3, {.threads = 1});
}

annulus::neighbors answers(const annulus::rabitq_index& index) {
  if (index.size() > 1000) return {};
  const annulus::matrix<float> rows(index.size(), index.dim());
  return index.search(fuzz::dense_rows(index.dim()), 3, rows, {.k_factor = 2, .threads = 1});
}

annulus::neighbors answers(const annulus::rabitq_quantizer& quantizer) {
  if (quantizer.dim() == 0 || quantizer.dim() > 1000) return {};
  const auto rows = fuzz::dense_rows(quantizer.dim());
  const auto codes = quantizer.encode(rows, {.threads = 1});
  fuzz::check(quantizer.decode(codes).cols() == quantizer.dim(), "codes stand for vectors");
  fuzz::check(quantizer.squared_distances(rows.row(0), codes).size() == rows.rows(), "codes have distances");
  fuzz::check(quantizer.search(codes, rows, 3, {.threads = 1}).ids.rows() == rows.rows(), "codes are searched");
  return {};
}

template <class Quantizer>
annulus::neighbors answers(const Quantizer& quantizer) {
  if (quantizer.dim() == 0) return {};
  const auto rows = fuzz::dense_rows(quantizer.dim());
  const auto codes = quantizer.encode(rows, {.threads = 1});
  fuzz::check(quantizer.decode(codes).cols() == quantizer.dim(), "codes stand for vectors");
  return quantizer.search(codes, rows, 3, {.threads = 1});
}

template <class... Index>
void try_each(const fuzz::file& input) {
  (fuzz::try_index<Index>(input, [](const Index& index) { return answers(index); }), ...);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace annulus;
  const fuzz::file input({data, size});
  const auto info = fuzz::info_of(input);
  if (!info) return 0;
  const std::string& kind = info->kind;
  if (kind == product_quantizer<>::kind) try_each<product_quantizer<>, product_quantizer<std::uint16_t>>(input);
  else if (kind == optimized_product_quantizer<>::kind) try_each<optimized_product_quantizer<>>(input);
  else if (kind == fast_scan_index<>::kind) try_each<fast_scan_index<>>(input);
  else if (kind == rabitq_index::kind) try_each<rabitq_index>(input);
  else if (kind == rabitq_quantizer::kind) try_each<rabitq_quantizer>(input);
  else try_each<neighbors>(input);
  return 0;
}
