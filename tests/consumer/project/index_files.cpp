#include <annulus/core/result/neighbors.hpp>
#include <annulus/io/index/index_file.hpp>

int main() {
  const annulus::neighbors graph(3, 2);
  annulus::save(graph, "graph.index");
  return annulus::load_index<annulus::neighbors>("graph.index") == graph ? 0 : 1;
}
