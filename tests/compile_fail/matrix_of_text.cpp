// error: rows are one contiguous block of numbers
#include <annulus/nndescent/index.hpp>
void use() {
  annulus::matrix<std::string> rows(3, 4);
  annulus::build_knn_graph(rows);
}
