// Words that windows.h, and others, define as macros, after the standard library and what else does without them.

#include <Eigen/Dense>
#include <Eigen/SparseCore>
#include <nlohmann/json.hpp>
#include <xsimd/xsimd.hpp>

#if __has_include(<bits/stdc++.h>)
#include <bits/stdc++.h>
#endif

#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define near
#define far
#define small char
#define interface struct
#define ERROR 0
#define IN
#define OUT
#define XXH_INLINE_ALL 1

#include <annulus/annulus.hpp>
#include <annulus/io/data/big_ann.hpp>
#include <annulus/io/data/big_ann_truth.hpp>
#include <annulus/io/data/nanopq.hpp>
#include <annulus/io/data/npy.hpp>
#include <annulus/io/data/scipy_npz.hpp>
#include <annulus/io/data/vecs.hpp>
#include <annulus/io/faiss/faiss_io.hpp>
#include <annulus/io/index/index_file.hpp>

static_assert(max(1, 2) == 2 && sizeof(small) == 1, "the macros are as they were");
