// error: a matrix_view is read-only already
#include <annulus/knn/knn.hpp>
void use(const float* data) {
  annulus::knn(annulus::matrix_view<const float>(data, 5, 2), annulus::matrix<float>(1, 2), 3);
}
