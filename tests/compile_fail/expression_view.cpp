// error: an Eigen expression has no rows in memory; evaluate it into a matrix first
#include <Eigen/Core>
#include <annulus/core/rows/matrix.hpp>

using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
annulus::matrix_view<float> view(const row_major& a, const row_major& b) { return a + b; }
