// error: columns_as_points takes a column-major matrix in memory
#include <Eigen/Core>
#include <annulus/core/rows/matrix.hpp>

using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
auto points(const row_major& m) { return annulus::columns_as_points(m); }
