// error: this Eigen matrix is column-major; pass a row-major one, or columns_as_points
#include <Eigen/Core>
#include <annulus/core/rows/matrix.hpp>

annulus::matrix_view<float> view(const Eigen::MatrixXf& m) { return m; }
