// annulus, hnswlib and usearch, all called from C++: in Python a filter of hnswlib or usearch is a call into the
// interpreter for every row that is met.
//
//   peers situations [--quick]
//   peers filtered|insertion FOLDER [--quick]     FOLDER: base.bvecs and query.bvecs, or .fvecs

#include <annulus/io/data/vecs.hpp>

#include <iostream>
#include <string_view>
#include <vector>

#include "parts.hpp"

namespace {

annulus::matrix<float> read_rows(const std::filesystem::path& folder, const std::string& name, bool of_bytes) {
  if (!of_bytes) return annulus::read_vecs<float>(folder / (name + ".fvecs"));
  const auto bytes = annulus::read_vecs<std::uint8_t>(folder / (name + ".bvecs"));
  annulus::matrix<float> rows(bytes.rows(), bytes.cols());
  for (std::size_t i = 0; i < rows.rows(); ++i) std::ranges::copy(bytes.row(i), rows.row(i).begin());
  return rows;
}

compare::dataset read_dataset(const std::filesystem::path& folder) {
  const bool of_bytes = exists(folder / "base.bvecs");
  return {folder.filename().string(), of_bytes, read_rows(folder, "base", of_bytes),
          read_rows(folder, "query", of_bytes)};
}

int run(const std::vector<std::string_view>& arguments, bool quick) {
  if (arguments.size() == 1 && arguments[0] == "situations") {
    compare::compare_situations(quick);
  } else if (arguments.size() == 2 && arguments[0] == "filtered") {
    compare::compare_filtered(read_dataset(arguments[1]), quick);
  } else if (arguments.size() == 2 && arguments[0] == "insertion") {
    compare::compare_insertion(read_dataset(arguments[1]), quick);
  } else {
    std::cerr << "usage: peers situations [--quick] | peers filtered|insertion FOLDER [--quick]\n";
    return 2;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  std::vector<std::string_view> arguments(argv + 1, argv + argc);
  const bool quick = std::erase(arguments, "--quick") > 0;
  return run(arguments, quick);
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
