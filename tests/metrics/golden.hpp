#pragma once

// Distances computed by pynndescent 0.7.0, in tests/data/metrics_golden.txt. A case there is a line "dense metric dim"
// or "sparse metric dim", then lines "name count values" (x and y, for sparse rows also x_indices and y_indices, and
// the parameters by their names, matrices row by row), and a last line "distance value".

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace golden {

struct example {
  std::string metric;
  bool is_sparse = false;
  std::size_t dim = 0;
  std::vector<float> x, y;  // of a sparse example the stored values
  std::vector<std::int32_t> x_indices, y_indices;
  std::map<std::string, std::vector<double>> params;
  double distance = 0;

  double param(const std::string& name) const { return params.at(name).at(0); }
};

inline std::vector<example> read(const std::string& name) {
  std::ifstream file(name);
  std::vector<example> examples;
  for (std::string word; file >> word;) {
    if (word == "dense" || word == "sparse") {
      example next;
      next.is_sparse = word == "sparse";
      file >> next.metric >> next.dim;
      examples.push_back(next);
      continue;
    }
    example& last = examples.at(examples.size() - 1);
    if (word == "distance") {
      file >> last.distance;
      continue;
    }
    std::size_t count = 0;
    file >> count;
    std::vector<double> values(count);
    for (double& value : values) file >> value;
    if (!file) throw std::runtime_error(name + " breaks off in a case of " + last.metric);
    if (word == "x") last.x.assign(values.begin(), values.end());
    else if (word == "y") last.y.assign(values.begin(), values.end());
    else if (word == "x_indices") last.x_indices.assign(values.begin(), values.end());
    else if (word == "y_indices") last.y_indices.assign(values.begin(), values.end());
    else last.params[word] = values;
  }
  if (examples.empty()) throw std::runtime_error(name + " has no examples");
  return examples;
}

/// Every example, read once.
inline const std::vector<example>& all() {
  static const std::vector<example> examples = read(ANNULUS_TEST_DATA_DIR "/metrics_golden.txt");
  return examples;
}

/// Those of one metric; there is at least one.
inline std::vector<example> examples(const std::string& metric, bool is_sparse = false) {
  std::vector<example> found;
  for (const example& e : all())
    if (e.metric == metric && e.is_sparse == is_sparse) found.push_back(e);
  if (found.empty()) throw std::runtime_error("no golden values of " + metric);
  return found;
}

}  // namespace golden
