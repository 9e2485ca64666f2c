#pragma once

/// \file
/// Everything that needs only Eigen and xsimd.

#include <annulus/approx_top_k/accumulator.hpp>
#include <annulus/approx_top_k/approx_min_k.hpp>
#include <annulus/core/eigen_sparse.hpp>
#include <annulus/core/filter.hpp>
#include <annulus/core/metric.hpp>
#include <annulus/core/points.hpp>
#include <annulus/core/recall.hpp>
#include <annulus/core/top_k.hpp>
#include <annulus/io/big_ann.hpp>
#include <annulus/io/big_ann_truth.hpp>
#include <annulus/io/nanopq.hpp>
#include <annulus/io/npy.hpp>
#include <annulus/io/npy_convert.hpp>
#include <annulus/io/scipy_npz.hpp>
#include <annulus/io/vecs.hpp>
#include <annulus/knn/flat_index.hpp>
#include <annulus/knn/knn.hpp>
#include <annulus/knn/sparse_knn.hpp>
#include <annulus/lsh/bit_sampling.hpp>
#include <annulus/lsh/cross_polytope.hpp>
#include <annulus/lsh/index.hpp>
#include <annulus/lsh/minhash.hpp>
#include <annulus/lsh/p_stable.hpp>
#include <annulus/lsh/sign_random_projection.hpp>
#include <annulus/lsh/simple_mips.hpp>
#include <annulus/lsh/tuning.hpp>
#include <annulus/metrics/named.hpp>
#include <annulus/nndescent/index.hpp>
#include <annulus/quantization/faiss_io.hpp>
#include <annulus/quantization/fast_scan.hpp>
#include <annulus/quantization/optimized_product_quantizer.hpp>
#include <annulus/version.hpp>
