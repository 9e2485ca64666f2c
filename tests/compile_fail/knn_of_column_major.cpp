// error: this Eigen matrix is column-major; pass a row-major one, or columns_as_points
#include <Eigen/Core>
#include <annulus/knn/knn.hpp>

void use(const Eigen::MatrixXf& data, const annulus::matrix<float>& queries) { annulus::knn(data, queries, 3); }
