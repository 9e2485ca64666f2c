// error: knn_params
#include <annulus/knn/knn.hpp>
void use(const annulus::matrix<float>& rows) { annulus::knn(rows, rows, 3, annulus::cosine{}, {.recal_target = 0.9}); }
