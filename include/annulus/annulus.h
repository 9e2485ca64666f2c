#ifndef ANNULUS_H
#define ANNULUS_H

/**
 * \file
 * The C interface of annulus::dynamic: indexes whose types are known at run time. C99, and what other languages call.
 *
 * Every function returns ANNULUS_OK or why it failed, with words in *error unless that is a null pointer. No exception
 * leaves it, and nothing has changed where it fails. An index may be searched by several threads at once; changes are
 * not safe beside anything else. Distances are floats, ids are 32 bits; ANNULUS_NO_ID, at an infinite distance, pads
 * results that have fewer than k rows.
 */

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) || !defined(__GNUC__)
#define ANNULUS_EXPORT
#else
#define ANNULUS_EXPORT __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define ANNULUS_NO_ID UINT32_MAX

typedef enum annulus_status {
  ANNULUS_OK = 0,
  ANNULUS_INVALID_ARGUMENT = 1, /**< the message names the argument, its value and what is possible */
  ANNULUS_FORMAT_ERROR = 2,     /**< a file is damaged, or holds something else */
  ANNULUS_SYSTEM_ERROR = 3,     /**< a file cannot be read or written; `code` has the system's error number */
  ANNULUS_OUT_OF_MEMORY = 4,
  ANNULUS_CANCELLED = 5, /**< by the progress callback */
  ANNULUS_FAILED = 6     /**< anything else */
} annulus_status;

typedef struct annulus_error {
  annulus_status status;
  int code;
  char message[2040]; /**< ends with a zero; longer messages are cut */
} annulus_error;

typedef enum annulus_dtype {
  ANNULUS_F32 = 0,
  ANNULUS_F64 = 1,
  ANNULUS_F16 = 2,  /**< IEEE half precision */
  ANNULUS_BF16 = 3, /**< the upper half of a float */
  ANNULUS_U8 = 4,
  ANNULUS_I8 = 5
} annulus_dtype;

typedef enum annulus_layout {
  ANNULUS_DENSE = 0,
  ANNULUS_CSR = 1, /**< compressed sparse rows */
  ANNULUS_BITS = 2 /**< packed bits, coordinate j in bit j % 8 of byte j / 8, of dtype ANNULUS_U8 */
} annulus_layout;

/** Rows that the caller keeps: n x dim. Read only during the call. */
typedef struct annulus_rows {
  annulus_layout layout;
  annulus_dtype dtype;
  size_t n;
  size_t dim;           /**< coordinates of a row; of ANNULUS_BITS, bits */
  const void* data;     /**< dense: element (i, j) at i * row_stride + j * column_stride; CSR: values, or null (sets) */
  ptrdiff_t row_stride; /**< in elements (bits: bytes), dense and bits */
  ptrdiff_t column_stride; /**< in elements, dense; rows whose columns are apart are copied */
  const int64_t* indptr;   /**< CSR: n + 1 */
  const int32_t* indices;  /**< CSR: ascending in each row */
} annulus_rows;

/** A metric of the caller's: the distance of two rows of dim floats, symmetric; smaller is nearer, and a row at NaN or
 * infinity is no neighbour. Called from several threads at once; it must not throw. */
typedef float (*annulus_distance)(const float* x, const float* y, size_t dim, void* user);

/** What is built, and how: a name and a value, of text ("nndescent", "30", "true"), of numbers (weights, a matrix by
 * rows), or, of "metric" alone, a function, or, of "initial" alone, ids. */
typedef struct annulus_option {
  const char* name;
  const char* text;
  const double* numbers; /**< where text is null */
  size_t n_numbers;
  annulus_distance distance; /**< where both are null: the metric of dense rows of ANNULUS_F32 */
  void* user;                /**< handed to distance */
  const uint32_t* ids;       /**< n_numbers of them: of each row of the data as many, UINT32_MAX for none */
} annulus_option;

/** Called now and then, on the thread that made the call; 0 cancels. `whole` is the share done of the call. */
typedef int (*annulus_progress)(void* user, const char* stage, double fraction, double whole);

/** How to search. Set by annulus_search_defaults; members that an index has no use for must stay as they are. */
typedef struct annulus_search_params {
  size_t threads;        /**< 0: all cores */
  double recall_target;  /**< flat, lsh: in (0, 1]; 0: not given */
  size_t beam;           /**< nndescent */
  double epsilon;        /**< nndescent */
  int by_estimates;      /**< nndescent with rabitq */
  size_t n_probes;       /**< lsh */
  size_t max_candidates; /**< lsh */
  size_t k_factor;       /**< codes: rows ranked, in multiples of k; 0: the default */
  int float_tables;      /**< fast_scan */
  /** Which rows may be returned; at most one of the three: a list, a bitset of n_allowed ids, a callback that threads
   * call at once. */
  const uint32_t* allowed_ids;
  const uint64_t* allowed_bits;
  size_t n_allowed;
  int (*allow)(void* user, uint32_t id);
  void* allow_user;
  annulus_progress progress; /**< flat and codes */
  void* progress_user;
} annulus_search_params;

/** Rows of results of different lengths: row i has items indptr[i] to indptr[i + 1]. Freed by annulus_lists_free. */
typedef struct annulus_lists {
  size_t n;
  int64_t* indptr;
  uint32_t* ids;
  float* values; /**< distances; of candidates, in how many buckets a row was found */
  size_t n_ids;  /**< ids given out so far: columns of the matrix */
} annulus_lists;

/** How many rows the buckets of all hash tables hold; empty buckets do not count. */
typedef struct annulus_buckets {
  size_t n_buckets;
  double mean, sd;
  size_t min, max;
  size_t bytes; /**< of all tables */
} annulus_buckets;

typedef struct annulus_tuned {
  annulus_search_params params;
  double recall;
  int reached; /**< 0: no beam tried reached the target; recall is the widest one's */
} annulus_tuned;

typedef struct annulus_index annulus_index;

/** Of what a codec is made. */
typedef struct annulus_codec_shape {
  size_t dim;        /**< coordinates of a row */
  size_t m;          /**< sub-vectors of a row */
  size_t ks;         /**< codewords of a sub-space */
  size_t ds;         /**< coordinates of a codeword; dim is m * ds, or less where the last ones are padding */
  size_t code_bytes; /**< of the code of one sub-vector, an unsigned integer: 1, 2 or 4, as ks needs */
  int is_rotated;    /**< opq */
} annulus_codec_shape;

/** A product quantiser, plain (pq) or behind a rotation (opq): it turns rows of floats into m small integers each. It
 * does not change, and may be used by several threads at once. */
typedef struct annulus_codec annulus_codec;

ANNULUS_EXPORT void annulus_search_defaults(annulus_search_params* params);

/** Options: kind ("nndescent" where it is not given), metric ("euclidean") and its parameters, storage, and all
 * parameters of the kind by the names that they have in C++. The metric may be a function where the kind is flat or
 * nndescent and the storage full_precision. nndescent also takes initial: a graph that is roughly right, the ids of
 * each row's neighbours. */
ANNULUS_EXPORT annulus_status annulus_build(const annulus_rows* rows, const annulus_option* options, size_t n_options,
                                            annulus_progress progress, void* user, annulus_index** index,
                                            annulus_error* error);
/** The index of a file, whatever kind it is. mapped: processes share the file's memory, and its contents are not
 * checked (annulus_verify does). */
ANNULUS_EXPORT annulus_status annulus_open(const char* path, int mapped, annulus_index** index, annulus_error* error);
/** The same for the file of an index whose metric was a function, which the file does not hold: give the same one. The
 * file names its metric "user". distance null: as annulus_open. */
ANNULUS_EXPORT annulus_status annulus_open_with(const char* path, int mapped, annulus_distance distance, void* user,
                                                annulus_index** index, annulus_error* error);
ANNULUS_EXPORT annulus_status annulus_save(const annulus_index* index, const char* path, annulus_error* error);
ANNULUS_EXPORT annulus_status annulus_verify(const annulus_index* index, annulus_error* error);
ANNULUS_EXPORT annulus_status annulus_copy(const annulus_index* index, annulus_index** copy, annulus_error* error);
ANNULUS_EXPORT void annulus_free(annulus_index* index); /**< null does nothing */

/** ids and distances: queries->n x k. params null: defaults. */
ANNULUS_EXPORT annulus_status annulus_search(const annulus_index* index, const annulus_rows* queries, size_t k,
                                             const annulus_search_params* params, uint32_t* ids, float* distances,
                                             annulus_error* error);
ANNULUS_EXPORT annulus_status annulus_radius_search(const annulus_index* index, const annulus_rows* queries,
                                                    float radius, const annulus_search_params* params,
                                                    annulus_lists* found, annulus_error* error);
/** lsh: the rows that share buckets with each query. */
ANNULUS_EXPORT annulus_status annulus_candidates(const annulus_index* index, const annulus_rows* queries,
                                                 const annulus_search_params* params, annulus_lists* found,
                                                 annulus_error* error);
ANNULUS_EXPORT void annulus_lists_free(annulus_lists* lists);
/** lsh: the sizes of the buckets. O(rows tables). */
ANNULUS_EXPORT annulus_status annulus_describe_buckets(const annulus_index* index, annulus_buckets* buckets,
                                                       annulus_error* error);

ANNULUS_EXPORT annulus_status annulus_insert(annulus_index* index, const annulus_rows* rows, size_t threads,
                                             uint32_t* first_id, annulus_error* error);
ANNULUS_EXPORT annulus_status annulus_erase(annulus_index* index, uint32_t id, annulus_error* error);
ANNULUS_EXPORT annulus_status annulus_update(annulus_index* index, uint32_t id, const annulus_rows* row,
                                             annulus_error* error);
ANNULUS_EXPORT annulus_status annulus_consolidate(annulus_index* index, annulus_error* error);
/** nndescent: the cheapest search of that recall of the k nearest; for n_queries rows of the index where queries is
 * null. */
ANNULUS_EXPORT annulus_status annulus_tune(const annulus_index* index, const annulus_rows* queries,
                                           double recall_target, size_t k, size_t n_queries, size_t threads,
                                           annulus_tuned* tuned, annulus_error* error);
/** nndescent: the k-NN graph, a list for each row of the index. */
ANNULUS_EXPORT annulus_status annulus_graph(const annulus_index* index, annulus_lists* graph, annulus_error* error);

ANNULUS_EXPORT size_t annulus_size(const annulus_index* index);
ANNULUS_EXPORT size_t annulus_dim(const annulus_index* index);
ANNULUS_EXPORT size_t annulus_memory_bytes(const annulus_index* index);
/** One of "kind", "metric", "storage", "rows", ..., or null where the index has no such property; lives as long as the
 * index. */
ANNULUS_EXPORT const char* annulus_info(const annulus_index* index, const char* name);

/** Exact search without an index. Options: metric (a name or a function) and its parameters. */
ANNULUS_EXPORT annulus_status annulus_knn(const annulus_rows* data, const annulus_rows* queries, size_t k,
                                          const annulus_option* options, size_t n_options,
                                          const annulus_search_params* params, uint32_t* ids, float* distances,
                                          annulus_error* error);
/** The k-NN graph: n x n_neighbors ids and distances. Options: metric (a name or a function), its parameters, those of
 * building but for n_neighbors. */
ANNULUS_EXPORT annulus_status annulus_knn_graph(const annulus_rows* data, size_t n_neighbors,
                                                const annulus_option* options, size_t n_options,
                                                annulus_progress progress, void* user, uint32_t* ids, float* distances,
                                                annulus_error* error);
/** The k smallest (or, largest != 0, greatest) of each dense row, nearly, best first: values as floats (doubles for
 * ANNULUS_F64) and positions, n x k. Options: recall_target, reduction_input_size_override, threads. */
ANNULUS_EXPORT annulus_status annulus_approx_top_k(const annulus_rows* operand, size_t k, int largest,
                                                   const annulus_option* options, size_t n_options, void* values,
                                                   uint32_t* positions, annulus_error* error);

/** Learns a codec from dense rows of ANNULUS_F32. Options: kind ("pq" where it is not given, or "opq"), m, which must
 * be given, ks (256), metric ("sqeuclidean", "inner_product" or "cosine": what tables hold), and the parameters of
 * training by their names in C++: seed, init, max_points_per_centroid, threads; of pq iter and padding; of opq
 * parametric_init, pq_iter and rotation_iter. */
ANNULUS_EXPORT annulus_status annulus_codec_train(const annulus_rows* rows, const annulus_option* options,
                                                  size_t n_options, annulus_progress progress, void* user,
                                                  annulus_codec** codec, annulus_error* error);
/** The codec of given codewords (m x ks x ds), and of a rotation (dim x dim, by rows) unless that is null. Options:
 * metric, as above; dim, where it is less than m * ds. */
ANNULUS_EXPORT annulus_status annulus_codec_of(const float* codewords, const float* rotation, size_t m, size_t ks,
                                               size_t ds, const annulus_option* options, size_t n_options,
                                               annulus_codec** codec, annulus_error* error);
ANNULUS_EXPORT void annulus_codec_free(annulus_codec* codec); /**< null does nothing */
ANNULUS_EXPORT annulus_status annulus_codec_describe(const annulus_codec* codec, annulus_codec_shape* shape,
                                                     annulus_error* error);
/** codewords: m x ks x ds. */
ANNULUS_EXPORT annulus_status annulus_codec_codewords(const annulus_codec* codec, float* codewords,
                                                      annulus_error* error);
/** opq: dim x dim, by rows; a row vector x is rotated to x * rotation. */
ANNULUS_EXPORT annulus_status annulus_codec_rotation(const annulus_codec* codec, float* rotation, annulus_error* error);
/** codes: rows->n x m integers of code_bytes each. threads 0, here and below: all cores. */
ANNULUS_EXPORT annulus_status annulus_codec_encode(const annulus_codec* codec, const annulus_rows* rows, size_t threads,
                                                   void* codes, annulus_error* error);
/** The rows that n codes stand for: n x dim. Codes that are not below ks are refused, here and below. */
ANNULUS_EXPORT annulus_status annulus_codec_decode(const annulus_codec* codec, const void* codes, size_t n,
                                                   size_t threads, float* rows, annulus_error* error);
/** The distances of each query to all codewords, of inner_product the products: queries->n x m x ks. */
ANNULUS_EXPORT annulus_status annulus_codec_tables(const annulus_codec* codec, const annulus_rows* queries,
                                                   float* tables, annulus_error* error);
/** The distances of one query, by its table (m x ks), to n codes: n sums of m entries each. */
ANNULUS_EXPORT annulus_status annulus_codec_distances(const annulus_codec* codec, const float* table, const void* codes,
                                                      size_t n, size_t threads, float* distances, annulus_error* error);

/** The instruction set that was chosen, the best one of the library that the processor has: "x86-64-v3". The
 * environment variable ANNULUS_ISA, read at the first call, forces one. "" where it names one that there is not, or the
 * processor has none: then every call fails, with words that list them. */
ANNULUS_EXPORT const char* annulus_instruction_set(void);
/** "1.0.0". */
ANNULUS_EXPORT const char* annulus_version(void);

#ifdef __cplusplus
}
#endif

#endif /* ANNULUS_H */
