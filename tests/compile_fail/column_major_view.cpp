// error: this Eigen matrix is column-major; pass a row-major one, or columns_as_points
#include <annulus/core/matrix.hpp>

annulus::matrix_view<float> view(const Eigen::MatrixXf& m) { return m; }
