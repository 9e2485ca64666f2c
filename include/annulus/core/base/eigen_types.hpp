#pragma once

/// \file
/// Eigen's types that the library names without including Eigen, which takes longer to parse than most units of its
/// users. Code that uses rows of half or bfloat16 includes Eigen/Core, which defines them.

namespace Eigen {

struct half;
struct bfloat16;
template <class Derived>
class DenseBase;
template <class Scalar, int Options, class StorageIndex>
class SparseMatrix;

}  // namespace Eigen
