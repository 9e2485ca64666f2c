#ifndef ANNULUS_H
#define ANNULUS_H

/**
 * \file
 * The C interface of annulus::dynamic: indexes whose types are known at run time. C99, and what other languages call.
 *
 * Every function that can fail returns ANNULUS_OK or why it failed, with words in *error unless that is a null pointer:
 * beside what stands with the function, ANNULUS_INVALID_ARGUMENT for a null pointer that is needed,
 * ANNULUS_OUT_OF_MEMORY and ANNULUS_FAILED. No exception leaves it, and nothing has changed where it fails. An index
 * may be searched by several threads at once; changes are not safe beside anything else. Distances are floats, ids are
 * 32 bits; ANNULUS_NO_ID, at an infinite distance, pads results that have fewer than k rows.
 */

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) || !defined(__GNUC__)
#define ANNULUS_EXPORT /**< shows a function to programs that link the shared library */
#else
#define ANNULUS_EXPORT __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define ANNULUS_NO_ID UINT32_MAX /**< the id of no row */

/** Whether a call succeeded, or why it did not. */
typedef enum annulus_status {
  ANNULUS_OK = 0,               /**< it did what it says */
  ANNULUS_INVALID_ARGUMENT = 1, /**< the message names the argument, its value and what is possible */
  ANNULUS_FORMAT_ERROR = 2,     /**< a file is damaged, or holds something else */
  ANNULUS_SYSTEM_ERROR = 3,     /**< a file cannot be read or written; `code` has the system's error number */
  ANNULUS_OUT_OF_MEMORY = 4,    /**< memory could not be allocated */
  ANNULUS_CANCELLED = 5,        /**< by the progress callback */
  ANNULUS_FAILED = 6            /**< anything else */
} annulus_status;

/** Why a call failed. Written by calls that fail, and by no others. */
typedef struct annulus_error {
  annulus_status status; /**< what the call returned */
  int code;              /**< of ANNULUS_SYSTEM_ERROR the system's error number, else 0 */
  char message[2040];    /**< ends with a zero; longer messages are cut */
} annulus_error;

/** The types of coordinates. */
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
  ANNULUS_DENSE = 0, /**< every coordinate is stored */
  ANNULUS_CSR = 1,   /**< compressed sparse rows, of ANNULUS_F32 or ANNULUS_F64 */
  ANNULUS_BITS = 2   /**< packed bits, coordinate j in bit j % 8 of byte j / 8, of dtype ANNULUS_U8 */
} annulus_layout;

/** Rows that the caller keeps: n x dim. Read only during the call. */
typedef struct annulus_rows {
  annulus_layout layout; /**< which of the members below count */
  annulus_dtype dtype;   /**< of the values */
  size_t n;              /**< rows */
  size_t dim;            /**< coordinates of a row; of ANNULUS_BITS, bits */
  const void* data;     /**< dense: element (i, j) at i * row_stride + j * column_stride; CSR: values, or null (sets) */
  ptrdiff_t row_stride; /**< in elements (bits: bytes), dense and bits */
  ptrdiff_t column_stride; /**< in elements, dense; rows whose columns are apart are copied */
  const int64_t* indptr;   /**< CSR: n + 1 */
  const int32_t* indices;  /**< CSR: ascending in each row */
} annulus_rows;

/** A metric of the caller's: the distance of two rows, symmetric; smaller is nearer, and a row at NaN or infinity is no
 * neighbour. Called from several threads at once; it must not throw. \param x,y dim floats each \param dim coordinates
 * of a row \param user the pointer given with the function \returns the distance */
typedef float (*annulus_distance)(const float* x, const float* y, size_t dim, void* user);

/** What is built, and how: a name and a value, of text ("nndescent", "30", "true"), of numbers (weights, a matrix by
 * rows), or, of "metric" alone, a function, or, of "initial" alone, ids. */
typedef struct annulus_option {
  const char* name;          /**< of the option; each may be given once */
  const char* text;          /**< its value, or null */
  const double* numbers;     /**< where text is null */
  size_t n_numbers;          /**< how many numbers, or ids */
  annulus_distance distance; /**< where both are null: the metric of dense rows of ANNULUS_F32 */
  void* user;                /**< handed to distance; kept as long as what is built */
  const uint32_t* ids;       /**< n_numbers of them: of each row of the data as many, UINT32_MAX for none */
} annulus_option;

/** Called now and then, on the thread that made the call. \param user the pointer given with the function \param stage
 * what is being done \param fraction the share of the stage that is done \param whole the share of the call that is
 * done \returns 0 to cancel the call */
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
  const uint32_t* allowed_ids;           /**< n_allowed ids, in any order */
  const uint64_t* allowed_bits;          /**< id i in bit i % 64 of word i / 64; ids from n_allowed on may not */
  size_t n_allowed;                      /**< of allowed_ids or allowed_bits */
  int (*allow)(void* user, uint32_t id); /**< 0: not this row */
  void* allow_user;                      /**< handed to allow */
  annulus_progress progress;             /**< flat and codes */
  void* progress_user;                   /**< handed to progress */
} annulus_search_params;

/** Rows of results of different lengths: row i has items indptr[i] to indptr[i + 1]. Freed by annulus_lists_free. */
typedef struct annulus_lists {
  size_t n;        /**< rows of results */
  int64_t* indptr; /**< n + 1 */
  uint32_t* ids;   /**< indptr[n] */
  float* values;   /**< distances; of candidates, in how many buckets a row was found */
  size_t n_ids;    /**< ids given out so far: columns of the matrix */
} annulus_lists;

/** How many rows the buckets of all hash tables hold; empty buckets do not count. */
typedef struct annulus_buckets {
  size_t n_buckets; /**< that hold rows */
  double mean;      /**< rows of a bucket */
  double sd;        /**< the standard deviation of that */
  size_t min;       /**< rows of the smallest bucket */
  size_t max;       /**< rows of the greatest bucket */
  size_t bytes;     /**< of all tables */
} annulus_buckets;

/** A search that annulus_tune chose. */
typedef struct annulus_tuned {
  annulus_search_params params; /**< the defaults, but for beam, epsilon and by_estimates */
  double recall;                /**< on the queries it was tried with */
  int reached;                  /**< 0: no beam tried reached the target; recall is the widest one's */
} annulus_tuned;

/** An index of any kind. Freed by annulus_free. */
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

/** \param params set to the defaults; null does nothing */
ANNULUS_EXPORT void annulus_search_defaults(annulus_search_params* params);

/** Options: kind ("nndescent" where it is not given), metric ("euclidean") and its parameters, storage, and all
 * parameters of the kind by the names that they have in C++. The metric may be a function where the kind is flat or
 * nndescent and the storage full_precision. nndescent also takes initial: a graph that is roughly right, the ids of
 * each row's neighbours. \param rows what is indexed; copied \param options,n_options see above \param progress,user
 * called meanwhile by nndescent, pq, opq and fast_scan; progress may be null \param index the result \param error why
 * it failed, or null \returns ANNULUS_INVALID_ARGUMENT for an option that the kind does not have and for rows that it
 * does not take, ANNULUS_CANCELLED */
ANNULUS_EXPORT annulus_status annulus_build(const annulus_rows* rows, const annulus_option* options, size_t n_options,
                                            annulus_progress progress, void* user, annulus_index** index,
                                            annulus_error* error);
/** The index of a file, whatever kind it is. \param path in UTF-8 \param mapped not 0: processes share the file's
 * memory, and its contents are not checked (annulus_verify does) \param index the result \param error why it failed, or
 * null \returns ANNULUS_FORMAT_ERROR for a file that is damaged or holds no index, ANNULUS_SYSTEM_ERROR where it cannot
 * be read, ANNULUS_INVALID_ARGUMENT where its metric is a function */
ANNULUS_EXPORT annulus_status annulus_open(const char* path, int mapped, annulus_index** index, annulus_error* error);
/** The same for the file of an index whose metric was a function, which the file does not hold. The file names its
 * metric "user". \param path,mapped,index,error as of annulus_open \param distance the same function; null: as
 * annulus_open \param user handed to distance \returns as annulus_open; ANNULUS_INVALID_ARGUMENT for a function where
 * the file names a metric */
ANNULUS_EXPORT annulus_status annulus_open_with(const char* path, int mapped, annulus_distance distance, void* user,
                                                annulus_index** index, annulus_error* error);
/** Replaces the file at once or not at all. \param index,error as of annulus_verify \param path in UTF-8 \returns
 * ANNULUS_SYSTEM_ERROR where it cannot be written */
ANNULUS_EXPORT annulus_status annulus_save(const annulus_index* index, const char* path, annulus_error* error);
/** Checks all that an index holds. \param index of any kind \param error why it failed, or null \returns
 * ANNULUS_FORMAT_ERROR, with words on the first defect */
ANNULUS_EXPORT annulus_status annulus_verify(const annulus_index* index, annulus_error* error);
/** \param index is copied \param copy the result \param error why it failed, or null \returns ANNULUS_OK, or why not */
ANNULUS_EXPORT annulus_status annulus_copy(const annulus_index* index, annulus_index** copy, annulus_error* error);
/** \param index is freed; null does nothing */
ANNULUS_EXPORT void annulus_free(annulus_index* index);

/** The k nearest rows of each query, nearest first, ties by lower id. \param index of any kind \param queries rows as
 * the index has them \param k at least 1 \param params null: defaults \param ids,distances queries->n x k \param error
 * why it failed, or null \returns ANNULUS_INVALID_ARGUMENT for k = 0, rows of another dimension or type, and parameters
 * that the kind does not have; ANNULUS_CANCELLED */
ANNULUS_EXPORT annulus_status annulus_search(const annulus_index* index, const annulus_rows* queries, size_t k,
                                             const annulus_search_params* params, uint32_t* ids, float* distances,
                                             annulus_error* error);
/** nndescent, lsh: the rows within a distance of each query that the search finds, nearest first. \param radius that
 * distance \param found the result \param index,queries,params,error as of annulus_search \returns as annulus_search;
 * ANNULUS_INVALID_ARGUMENT for NaN, and another kind */
ANNULUS_EXPORT annulus_status annulus_radius_search(const annulus_index* index, const annulus_rows* queries,
                                                    float radius, const annulus_search_params* params,
                                                    annulus_lists* found, annulus_error* error);
/** lsh: the rows that share buckets with each query. \param found the result \param index,queries,params,error as of
 * annulus_search \returns as annulus_search; ANNULUS_INVALID_ARGUMENT for another kind */
ANNULUS_EXPORT annulus_status annulus_candidates(const annulus_index* index, const annulus_rows* queries,
                                                 const annulus_search_params* params, annulus_lists* found,
                                                 annulus_error* error);
/** \param lists emptied, and its memory freed; null does nothing */
ANNULUS_EXPORT void annulus_lists_free(annulus_lists* lists);
/** lsh: the sizes of the buckets. O(rows tables). \param index,error as of annulus_verify \param buckets the result
 * \returns ANNULUS_INVALID_ARGUMENT for another kind */
ANNULUS_EXPORT annulus_status annulus_describe_buckets(const annulus_index* index, annulus_buckets* buckets,
                                                       annulus_error* error);

/** All but rabitq: adds rows. \param rows as the index has them \param threads 0: all cores; lsh has those of its build
 * \param first_id that of the first row, or null; the others follow \param index,error as of annulus_verify \returns
 * ANNULUS_INVALID_ARGUMENT for rows that the index does not take, and another kind */
ANNULUS_EXPORT annulus_status annulus_insert(annulus_index* index, const annulus_rows* rows, size_t threads,
                                             uint32_t* first_id, annulus_error* error);
/** nndescent, lsh: removes a row. \param id of the row \param index,error as of annulus_verify \returns
 * ANNULUS_INVALID_ARGUMENT where there is no such row, and for another kind */
ANNULUS_EXPORT annulus_status annulus_erase(annulus_index* index, uint32_t id, annulus_error* error);
/** nndescent, lsh: replaces a row, which keeps its id. \param row one row \param index,id,error as of annulus_erase
 * \returns as annulus_erase and annulus_insert */
ANNULUS_EXPORT annulus_status annulus_update(annulus_index* index, uint32_t id, const annulus_rows* row,
                                             annulus_error* error);
/** nndescent, lsh: frees the memory of erased rows, which else happens by itself in time. \param index,error as of
 * annulus_verify \returns ANNULUS_INVALID_ARGUMENT for another kind */
ANNULUS_EXPORT annulus_status annulus_consolidate(annulus_index* index, annulus_error* error);
/** nndescent: the cheapest search of a recall. \param queries it is tried with; null: rows of the index \param
 * recall_target the share of the k nearest rows that are found, in (0, 1] \param k at least 1 \param n_queries how many
 * rows, where queries is null \param threads 0: all cores \param tuned the result \param index,error as of
 * annulus_verify \returns ANNULUS_INVALID_ARGUMENT for values out of range, and another kind */
ANNULUS_EXPORT annulus_status annulus_tune(const annulus_index* index, const annulus_rows* queries,
                                           double recall_target, size_t k, size_t n_queries, size_t threads,
                                           annulus_tuned* tuned, annulus_error* error);
/** nndescent: the k-NN graph. \param graph the result, a list for each row of the index \param index,error as of
 * annulus_verify \returns ANNULUS_INVALID_ARGUMENT for another kind */
ANNULUS_EXPORT annulus_status annulus_graph(const annulus_index* index, annulus_lists* graph, annulus_error* error);

/** \param index of any kind \returns its rows; 0 for null */
ANNULUS_EXPORT size_t annulus_size(const annulus_index* index);
/** \param index of any kind \returns coordinates of a row, of bits bits; 0 for null */
ANNULUS_EXPORT size_t annulus_dim(const annulus_index* index);
/** \param index of any kind \returns bytes; 0 for null */
ANNULUS_EXPORT size_t annulus_memory_bytes(const annulus_index* index);
/** \param index of any kind \param name "kind", "metric", "storage" (or family, or quantiser) or "rows" ("rows of
 * float32") \returns the text, which lives as long as the index; null where the index has no such property */
ANNULUS_EXPORT const char* annulus_info(const annulus_index* index, const char* name);

/** Exact search without an index: annulus_search of the kind flat, also of sparse rows. \param data n x dim \param
 * options,n_options metric (a name or a function) and its parameters \param queries,k,params,ids,distances,error as of
 * annulus_search \returns as annulus_search; ANNULUS_INVALID_ARGUMENT for a metric that does not take such rows */
ANNULUS_EXPORT annulus_status annulus_knn(const annulus_rows* data, const annulus_rows* queries, size_t k,
                                          const annulus_option* options, size_t n_options,
                                          const annulus_search_params* params, uint32_t* ids, float* distances,
                                          annulus_error* error);
/** The k-NN graph: the nearest other rows of each row, nearly. \param data n x dim \param n_neighbors of a row \param
 * options,n_options metric (a name or a function), its parameters, those of building but for n_neighbors \param
 * progress,user called meanwhile; progress may be null \param ids,distances n x n_neighbors \param error why it failed,
 * or null \returns ANNULUS_INVALID_ARGUMENT for what is refused, ANNULUS_CANCELLED */
ANNULUS_EXPORT annulus_status annulus_knn_graph(const annulus_rows* data, size_t n_neighbors,
                                                const annulus_option* options, size_t n_options,
                                                annulus_progress progress, void* user, uint32_t* ids, float* distances,
                                                annulus_error* error);
/** The k smallest or greatest of each row, nearly, best first. \param operand dense, n x dim \param k 1 to dim \param
 * largest not 0: the greatest \param options,n_options recall_target, reduction_input_size_override, threads \param
 * values n x k floats, of ANNULUS_F64 doubles \param positions n x k \param error why it failed, or null \returns
 * ANNULUS_INVALID_ARGUMENT for what is refused */
ANNULUS_EXPORT annulus_status annulus_approx_top_k(const annulus_rows* operand, size_t k, int largest,
                                                   const annulus_option* options, size_t n_options, void* values,
                                                   uint32_t* positions, annulus_error* error);

/** Learns a codec. Options: kind ("pq" where it is not given, or "opq"), m, which must be given, ks (256), metric
 * ("sqeuclidean", "inner_product" or "cosine": what tables hold), and the parameters of training by their names in C++:
 * seed, init, max_points_per_centroid, threads; of pq iter and padding; of opq parametric_init, pq_iter and
 * rotation_iter. \param rows dense, of ANNULUS_F32 \param options,n_options see above \param progress,user called
 * meanwhile; progress may be null \param codec the result \param error why it failed, or null \returns
 * ANNULUS_INVALID_ARGUMENT for what is refused, ANNULUS_CANCELLED */
ANNULUS_EXPORT annulus_status annulus_codec_train(const annulus_rows* rows, const annulus_option* options,
                                                  size_t n_options, annulus_progress progress, void* user,
                                                  annulus_codec** codec, annulus_error* error);
/** The codec of given codewords. \param codewords m x ks x ds \param rotation dim x dim, by rows, or null \param
 * m,ks,ds see codewords \param options,n_options metric, as above; dim, where it is less than m * ds \param codec the
 * result \param error why it failed, or null \returns ANNULUS_INVALID_ARGUMENT for sizes that do not fit */
ANNULUS_EXPORT annulus_status annulus_codec_of(const float* codewords, const float* rotation, size_t m, size_t ks,
                                               size_t ds, const annulus_option* options, size_t n_options,
                                               annulus_codec** codec, annulus_error* error);
/** \param codec is freed; null does nothing */
ANNULUS_EXPORT void annulus_codec_free(annulus_codec* codec);
/** \param codec of any kind \param shape the result \param error why it failed, or null \returns ANNULUS_OK, or why not
 */
ANNULUS_EXPORT annulus_status annulus_codec_describe(const annulus_codec* codec, annulus_codec_shape* shape,
                                                     annulus_error* error);
/** \param codewords written: m x ks x ds \param codec,error as of annulus_codec_describe \returns ANNULUS_OK, or why
 * not
 */
ANNULUS_EXPORT annulus_status annulus_codec_codewords(const annulus_codec* codec, float* codewords,
                                                      annulus_error* error);
/** opq: a row vector x is rotated to x * rotation. \param rotation written: dim x dim, by rows \param codec,error as of
 * annulus_codec_describe \returns ANNULUS_INVALID_ARGUMENT of pq */
ANNULUS_EXPORT annulus_status annulus_codec_rotation(const annulus_codec* codec, float* rotation, annulus_error* error);
/** \param rows dense, of ANNULUS_F32 \param threads 0: all cores \param codes rows->n x m integers of code_bytes each
 * \param codec,error as of annulus_codec_describe \returns ANNULUS_INVALID_ARGUMENT for rows of another type or
 * dimension, and coordinates that are not finite */
ANNULUS_EXPORT annulus_status annulus_codec_encode(const annulus_codec* codec, const annulus_rows* rows, size_t threads,
                                                   void* codes, annulus_error* error);
/** The rows that codes stand for. \param codes n x m integers of code_bytes each \param n codes \param threads 0: all
 * cores \param rows n x dim \param codec,error as of annulus_codec_describe \returns ANNULUS_INVALID_ARGUMENT for codes
 * that are not below ks */
ANNULUS_EXPORT annulus_status annulus_codec_decode(const annulus_codec* codec, const void* codes, size_t n,
                                                   size_t threads, float* rows, annulus_error* error);
/** The distances of each query to all codewords, of inner_product the products. \param queries as rows of
 * annulus_codec_encode \param tables queries->n x m x ks \param codec,error as of annulus_codec_describe \returns as
 * annulus_codec_encode */
ANNULUS_EXPORT annulus_status annulus_codec_tables(const annulus_codec* codec, const annulus_rows* queries,
                                                   float* tables, annulus_error* error);
/** The distances of one query to codes: sums of m entries each. \param table of the query, m x ks \param distances n
 * \param codec,codes,n,threads,error as of annulus_codec_decode \returns as annulus_codec_decode */
ANNULUS_EXPORT annulus_status annulus_codec_distances(const annulus_codec* codec, const float* table, const void* codes,
                                                      size_t n, size_t threads, float* distances, annulus_error* error);

/** The best instruction set of the library that the processor has, or the one that the environment variable ANNULUS_ISA
 * names, read at the first call. \returns its name, as "x86-64-v3"; "" where ANNULUS_ISA names one that there is not,
 * or the processor has none: then every call fails, with words that list them */
ANNULUS_EXPORT const char* annulus_instruction_set(void);
/** \returns "1.0.0" */
ANNULUS_EXPORT const char* annulus_version(void);

#ifdef __cplusplus
}
#endif

#endif /* ANNULUS_H */
