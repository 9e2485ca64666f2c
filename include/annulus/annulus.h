#ifndef ANNULUS_H
#define ANNULUS_H

/**
 * \file
 * The C interface of annulus::dynamic: indexes whose types are known at run time. C99, and what other languages call.
 *
 * A function that can fail returns ANNULUS_OK or why it failed. No exception leaves it, and nothing has changed where
 * it fails. An index may be searched by several threads at once; changes are not safe beside anything else. Distances
 * are floats, ids are 32 bits; ANNULUS_NO_ID, at an infinite distance, pads results that have fewer than k rows.
 * Parameters of these names mean the same everywhere:
 * - index, codec: what a call is about; where it makes one, set if it succeeds, and freed by the caller
 * - options, n_options: the parameters of what is built, whose names each function lists
 * - params: how to search; null: the defaults
 * - progress, user: a callback and what it is handed; null: none
 * - threads: how many; 0: all cores
 * - error: where the words go that say why a call failed; null: nowhere
 * ANNULUS_INVALID_ARGUMENT is for null where something is needed, values out of range, rows of another layout, type or
 * dimension, options and params that the kind does not have, and calls of which it is not among the kinds named.
 * Opening and verifying also return ANNULUS_FORMAT_ERROR, opening and saving ANNULUS_SYSTEM_ERROR, and what reports
 * progress ANNULUS_CANCELLED.
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

/** What stands in place of an id where there is none. */
#define ANNULUS_NO_ID UINT32_MAX

/** How a call ended. */
typedef enum annulus_status {
  ANNULUS_OK = 0,               /**< it did what it says */
  ANNULUS_INVALID_ARGUMENT = 1, /**< the message names the argument, its value and what is possible */
  ANNULUS_FORMAT_ERROR = 2,     /**< a file is damaged, or holds something else */
  ANNULUS_SYSTEM_ERROR = 3,     /**< a file cannot be read or written; `code` has the system's error number */
  ANNULUS_OUT_OF_MEMORY = 4,    /**< memory could not be allocated */
  ANNULUS_CANCELLED = 5,        /**< by the progress callback */
  ANNULUS_FAILED = 6            /**< anything else */
} annulus_status;
/** Why a call failed. */
typedef struct annulus_error {
  annulus_status status; /**< what the call returned */
  int code;              /**< of ANNULUS_SYSTEM_ERROR, the system's error number */
  char message[2040];    /**< ends with a zero; longer messages are cut */
} annulus_error;

/** The type of the elements of rows. */
typedef enum annulus_dtype {
  ANNULUS_F32 = 0,  /**< float */
  ANNULUS_F64 = 1,  /**< double */
  ANNULUS_F16 = 2,  /**< IEEE half precision */
  ANNULUS_BF16 = 3, /**< the upper half of a float */
  ANNULUS_U8 = 4,   /**< uint8_t */
  ANNULUS_I8 = 5    /**< int8_t */
} annulus_dtype;
/** How rows lie in memory. */
typedef enum annulus_layout {
  ANNULUS_DENSE = 0, /**< all coordinates, by strides */
  ANNULUS_CSR = 1,   /**< compressed sparse rows */
  ANNULUS_BITS = 2   /**< packed bits, coordinate j in bit j % 8 of byte j / 8, of dtype ANNULUS_U8 */
} annulus_layout;
/** Rows that the caller keeps: n x dim. Read only during the call. */
typedef struct annulus_rows {
  annulus_layout layout; /**< how they lie in memory */
  annulus_dtype dtype;   /**< the type of their elements */
  size_t n;              /**< how many */
  size_t dim;            /**< coordinates of a row; of ANNULUS_BITS, bits */
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
  const char* name;          /**< of the parameter, as in C++ */
  const char* text;          /**< its value, or null */
  const double* numbers;     /**< its value where text is null */
  size_t n_numbers;          /**< how many numbers, or ids */
  annulus_distance distance; /**< where both are null: the metric of dense rows of ANNULUS_F32 */
  void* user;                /**< handed to distance */
  const uint32_t* ids;       /**< n_numbers of them: of each row of the data as many, UINT32_MAX for none */
} annulus_option;
/** Called now and then, on the thread that made the call; 0 cancels. `whole` is the share done of the call. */
typedef int (*annulus_progress)(void* user, const char* stage, double fraction, double whole);
/** How to search. Set by annulus_search_defaults; members that an index has no use for must stay as they are. */
typedef struct annulus_search_params {
  size_t threads;                        /**< 0: all cores */
  double recall_target;                  /**< flat, lsh: in (0, 1]; 0: not given */
  size_t beam;                           /**< nndescent */
  double epsilon;                        /**< nndescent */
  int by_estimates;                      /**< nndescent with rabitq */
  size_t n_probes;                       /**< lsh */
  size_t max_candidates;                 /**< lsh */
  size_t k_factor;                       /**< codes: rows ranked, in multiples of k; 0: the default */
  int float_tables;                      /**< fast_scan */
  const uint32_t* allowed_ids;           /**< which rows may be returned: these, or those of one of the next two */
  const uint64_t* allowed_bits;          /**< row i where bit i % 64 of word i / 64 is set */
  size_t n_allowed;                      /**< how many ids or bits */
  int (*allow)(void* user, uint32_t id); /**< not 0: row id; called from several threads at once */
  void* allow_user;                      /**< handed to allow */
  annulus_progress progress;             /**< flat and codes */
  void* progress_user;                   /**< handed to progress */
} annulus_search_params;

/** Rows of results of different lengths: row i has items indptr[i] to indptr[i + 1]. Freed by annulus_lists_free. */
typedef struct annulus_lists {
  size_t n;        /**< rows */
  int64_t* indptr; /**< n + 1 */
  uint32_t* ids;   /**< indptr[n] */
  float* values;   /**< distances; of candidates, in how many buckets a row was found */
  size_t n_ids;    /**< ids given out so far: columns of the matrix */
} annulus_lists;
/** How many rows the buckets of all hash tables hold; empty buckets do not count. */
typedef struct annulus_buckets {
  size_t n_buckets; /**< with at least one row */
  double mean, sd;  /**< of the rows of a bucket */
  size_t min, max;  /**< of the rows of a bucket */
  size_t bytes;     /**< of all tables */
} annulus_buckets;
/** What annulus_tune found. */
typedef struct annulus_tuned {
  annulus_search_params params; /**< of the cheapest search of that recall */
  double recall;                /**< that these searches had */
  int reached;                  /**< 0: no beam tried reached the target; recall is the widest one's */
} annulus_tuned;
/** An index of any kind. */
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
/** A product quantiser, plain (pq) or rotated (opq). It does not change, and may be used by several threads at once. */
typedef struct annulus_codec annulus_codec;

/** Sets all members. \param params what is set */
ANNULUS_EXPORT void annulus_search_defaults(annulus_search_params* params);
/** Builds an index. Options: kind ("nndescent" where it is not given), metric ("euclidean") and its parameters,
 * storage, and all parameters of the kind by their names in C++. metric may be a function where the kind is flat, or
 * nndescent of storage full_precision. nndescent also takes initial: a rough graph, ids of each row's neighbours.
 * \param rows copied \param options,n_options,progress,user,index,error see above */
ANNULUS_EXPORT annulus_status annulus_build(const annulus_rows* rows, const annulus_option* options, size_t n_options,
                                            annulus_progress progress, void* user, annulus_index** index,
                                            annulus_error* error);
/** The index of a file, of any kind. \param path in UTF-8 \param mapped not 0: processes share the file's memory, and
 * its contents are not checked (annulus_verify does) \param index,error see above */
ANNULUS_EXPORT annulus_status annulus_open(const char* path, int mapped, annulus_index** index, annulus_error* error);
/** The same where the metric was a function, which the file does not hold: it names it "user". \param path,mapped as
 * above \param distance,user the same function and what it is handed, or null \param index,error see above */
ANNULUS_EXPORT annulus_status annulus_open_with(const char* path, int mapped, annulus_distance distance, void* user,
                                                annulus_index** index, annulus_error* error);
/** Writes a file whole or not at all. \param path in UTF-8 \param index,error see above */
ANNULUS_EXPORT annulus_status annulus_save(const annulus_index* index, const char* path, annulus_error* error);
/** Checks all of an index, as opening without mapping does. \param index,error see above */
ANNULUS_EXPORT annulus_status annulus_verify(const annulus_index* index, annulus_error* error);
/** Copies an index. \param index,error see above \param copy the new one */
ANNULUS_EXPORT annulus_status annulus_copy(const annulus_index* index, annulus_index** copy, annulus_error* error);
/** Frees an index. \param index null does nothing */
ANNULUS_EXPORT void annulus_free(annulus_index* index);

/** The k nearest rows of each query. \param queries of the layout and type of the rows \param k at least 1
 * \param ids,distances queries->n x k each, nearest first \param index,params,error see above */
ANNULUS_EXPORT annulus_status annulus_search(const annulus_index* index, const annulus_rows* queries, size_t k,
                                             const annulus_search_params* params, uint32_t* ids, float* distances,
                                             annulus_error* error);
/** nndescent, lsh: all rows within a distance that the search finds. \param queries of the layout and type of the rows
 * \param radius the distance \param found a list for each query, nearest first \param index,params,error see above */
ANNULUS_EXPORT annulus_status annulus_radius_search(const annulus_index* index, const annulus_rows* queries,
                                                    float radius, const annulus_search_params* params,
                                                    annulus_lists* found, annulus_error* error);
/** lsh: the rows that share buckets with each query. \param queries of the layout and type of the rows
 * \param found a list for each query \param index,params,error see above */
ANNULUS_EXPORT annulus_status annulus_candidates(const annulus_index* index, const annulus_rows* queries,
                                                 const annulus_search_params* params, annulus_lists* found,
                                                 annulus_error* error);
/** Frees what is in lists. \param lists null does nothing */
ANNULUS_EXPORT void annulus_lists_free(annulus_lists* lists);
/** lsh: the sizes of the buckets. O(rows tables). \param buckets the sizes \param index,error see above */
ANNULUS_EXPORT annulus_status annulus_describe_buckets(const annulus_index* index, annulus_buckets* buckets,
                                                       annulus_error* error);

/** All kinds but rabitq: adds rows. \param rows of the layout and type of those there are
 * \param first_id null, or the id of the first; the others follow \param index,threads,error see above */
ANNULUS_EXPORT annulus_status annulus_insert(annulus_index* index, const annulus_rows* rows, size_t threads,
                                             uint32_t* first_id, annulus_error* error);
/** nndescent, lsh: removes a row. \param id of the row \param index,error see above */
ANNULUS_EXPORT annulus_status annulus_erase(annulus_index* index, uint32_t id, annulus_error* error);
/** nndescent, lsh: replaces a row, which keeps its id. \param id,row one row \param index,error see above */
ANNULUS_EXPORT annulus_status annulus_update(annulus_index* index, uint32_t id, const annulus_rows* row,
                                             annulus_error* error);
/** nndescent, lsh: frees the memory of erased rows. \param index,error see above */
ANNULUS_EXPORT annulus_status annulus_consolidate(annulus_index* index, annulus_error* error);
/** nndescent: the cheapest search that finds a share of the k nearest rows. \param queries tried, or null: rows of the
 * index \param recall_target the share, in (0, 1] \param k at least 1 \param n_queries how many rows of the index are
 * tried \param tuned the search \param index,threads,error see above */
ANNULUS_EXPORT annulus_status annulus_tune(const annulus_index* index, const annulus_rows* queries,
                                           double recall_target, size_t k, size_t n_queries, size_t threads,
                                           annulus_tuned* tuned, annulus_error* error);
/** nndescent: the k-NN graph. \param graph a list for each row of the index \param index,error see above */
ANNULUS_EXPORT annulus_status annulus_graph(const annulus_index* index, annulus_lists* graph, annulus_error* error);

/** \param index or null \returns the number of rows */
ANNULUS_EXPORT size_t annulus_size(const annulus_index* index);
/** \param index or null \returns the coordinates of a row; of ANNULUS_BITS, bits */
ANNULUS_EXPORT size_t annulus_dim(const annulus_index* index);
/** \param index or null \returns the bytes of memory that it takes */
ANNULUS_EXPORT size_t annulus_memory_bytes(const annulus_index* index);
/** \param index or null \param name "kind", "metric", "storage" (or family) or "rows" \returns the property, which
 * lives as long as the index; null: it has none of that name */
ANNULUS_EXPORT const char* annulus_info(const annulus_index* index, const char* name);

/** Exact search without an index. Options: metric (a name or a function) and its parameters. \param data what is
 * searched \param queries,k,ids,distances as annulus_search \param options,n_options,params,error see above */
ANNULUS_EXPORT annulus_status annulus_knn(const annulus_rows* data, const annulus_rows* queries, size_t k,
                                          const annulus_option* options, size_t n_options,
                                          const annulus_search_params* params, uint32_t* ids, float* distances,
                                          annulus_error* error);
/** The k-NN graph. Options: metric (a name or a function), its parameters, those of building but for n_neighbors.
 * \param data n rows \param n_neighbors of each \param ids,distances n x n_neighbors each, nearest first
 * \param options,n_options,progress,user,error see above */
ANNULUS_EXPORT annulus_status annulus_knn_graph(const annulus_rows* data, size_t n_neighbors,
                                                const annulus_option* options, size_t n_options,
                                                annulus_progress progress, void* user, uint32_t* ids, float* distances,
                                                annulus_error* error);
/** The k smallest elements of each row, nearly. Options: recall_target, reduction_input_size_override, threads.
 * \param operand n dense rows \param k at most dim \param largest not 0: the greatest \param values n x k, best first:
 * floats, of ANNULUS_F64 doubles \param positions n x k \param options,n_options,error see above */
ANNULUS_EXPORT annulus_status annulus_approx_top_k(const annulus_rows* operand, size_t k, int largest,
                                                   const annulus_option* options, size_t n_options, void* values,
                                                   uint32_t* positions, annulus_error* error);

/** Learns a codec. Options: kind ("pq" where it is not given, or "opq"), m, which must be given, ks (256), metric
 * ("sqeuclidean", "inner_product" or "cosine": what tables hold), and parameters of training as in C++: seed, init,
 * max_points_per_centroid, threads; of pq iter, padding; of opq parametric_init, pq_iter, rotation_iter. \param rows
 * dense, of ANNULUS_F32 \param options,n_options,progress,user,codec,error see above */
ANNULUS_EXPORT annulus_status annulus_codec_train(const annulus_rows* rows, const annulus_option* options,
                                                  size_t n_options, annulus_progress progress, void* user,
                                                  annulus_codec** codec, annulus_error* error);
/** The codec of codewords. Options: metric, as above; dim, where it is below m * ds. \param codewords m x ks x ds
 * \param m,ks,ds as said \param rotation null or dim x dim, by rows \param options,n_options,codec,error see above */
ANNULUS_EXPORT annulus_status annulus_codec_of(const float* codewords, const float* rotation, size_t m, size_t ks,
                                               size_t ds, const annulus_option* options, size_t n_options,
                                               annulus_codec** codec, annulus_error* error);
/** Frees a codec. \param codec null does nothing */
ANNULUS_EXPORT void annulus_codec_free(annulus_codec* codec);
/** \param shape the shape of the codec \param codec,error see above */
ANNULUS_EXPORT annulus_status annulus_codec_describe(const annulus_codec* codec, annulus_codec_shape* shape,
                                                     annulus_error* error);
/** \param codewords those of the codec, m x ks x ds \param codec,error see above */
ANNULUS_EXPORT annulus_status annulus_codec_codewords(const annulus_codec* codec, float* codewords,
                                                      annulus_error* error);
/** opq: a row vector x is rotated to x * rotation. \param rotation dim x dim, by rows \param codec,error see above */
ANNULUS_EXPORT annulus_status annulus_codec_rotation(const annulus_codec* codec, float* rotation, annulus_error* error);
/** \param rows dense, of ANNULUS_F32 \param codes rows->n x m integers of code_bytes each
 * \param codec,threads,error see above */
ANNULUS_EXPORT annulus_status annulus_codec_encode(const annulus_codec* codec, const annulus_rows* rows, size_t threads,
                                                   void* codes, annulus_error* error);
/** \param codes,n n x m; those that are not below ks are refused, here and below \param rows n x dim, what they stand
 * for \param codec,threads,error see above */
ANNULUS_EXPORT annulus_status annulus_codec_decode(const annulus_codec* codec, const void* codes, size_t n,
                                                   size_t threads, float* rows, annulus_error* error);
/** The distances of queries to all codewords, of inner_product the products. \param queries dense, of ANNULUS_F32
 * \param tables queries->n x m x ks \param codec,error see above */
ANNULUS_EXPORT annulus_status annulus_codec_tables(const annulus_codec* codec, const annulus_rows* queries,
                                                   float* tables, annulus_error* error);
/** The distances of a query to codes, sums of m entries of its table. \param table m x ks \param codes,n n x m
 * \param distances n \param codec,threads,error see above */
ANNULUS_EXPORT annulus_status annulus_codec_distances(const annulus_codec* codec, const float* table, const void* codes,
                                                      size_t n, size_t threads, float* distances, annulus_error* error);

/** \returns the best instruction set of the library that the processor has, "x86-64-v3", or what the environment
 * variable ANNULUS_ISA says at the first call; "" where there is none: then calls fail, with words that list them */
ANNULUS_EXPORT const char* annulus_instruction_set(void);
/** \returns the version of the library, as "1.0.0" */
ANNULUS_EXPORT const char* annulus_version(void);

#ifdef __cplusplus
}
#endif

#endif /* ANNULUS_H */
