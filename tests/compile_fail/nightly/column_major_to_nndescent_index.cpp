// error: this Eigen matrix is column-major; pass a row-major one, or columns_as_points
#include <Eigen/Core>
#include <annulus/nndescent/index.hpp>
void use(const Eigen::MatrixXf& rows) { annulus::nndescent_index index(rows); }
