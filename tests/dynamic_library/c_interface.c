/* Every function of the C interface, and every status, from C99. Prints what is wrong. */
#include <annulus/annulus.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;
static annulus_error error;

#define CHECK(condition)                                                            \
  do {                                                                              \
    if (!(condition)) {                                                             \
      printf("line %d: %s; last error: %s\n", __LINE__, #condition, error.message); \
      ++failures;                                                                   \
    }                                                                               \
  } while (0)
/* Whether a call failed so, with these words. */
#define REFUSED(call, expected, words)             \
  do {                                             \
    memset(&error, 0, sizeof error);               \
    CHECK((call) == (expected));                   \
    CHECK(error.status == (expected));             \
    CHECK(strstr(error.message, (words)) != NULL); \
  } while (0)

enum { N = 600, D = 8, K = 5 };
static float data[N * D];

static annulus_rows dense(annulus_dtype dtype, const void* values, size_t n, size_t dim) {
  annulus_rows rows;
  memset(&rows, 0, sizeof rows);
  rows.layout = ANNULUS_DENSE;
  rows.dtype = dtype;
  rows.n = n;
  rows.dim = dim;
  rows.data = values;
  rows.row_stride = (ptrdiff_t)dim;
  rows.column_stride = 1;
  return rows;
}
static annulus_option text(const char* name, const char* value) {
  annulus_option option = {NULL, NULL, NULL, 0, NULL, NULL, NULL};
  option.name = name;
  option.text = value;
  return option;
}

static int count_reports(void* user, const char* stage, double fraction, double whole) {
  ++*(int*)user;
  return stage != NULL && fraction >= 0 && whole <= 1;
}
static int cancel(void* user, const char* stage, double fraction, double whole) {
  (void)user, (void)stage, (void)fraction, (void)whole;
  return 0;
}
static int is_even(void* user, uint32_t id) {
  (void)user;
  return id % 2 == 0;
}

static void check_graph_index(const char* path) {
  const annulus_rows rows = dense(ANNULUS_F32, data, N, D);
  const annulus_rows first = dense(ANNULUS_F32, data, 3, D);
  const annulus_option options[] = {text("metric", "sqeuclidean"), text("n_neighbors", "12"), text("threads", "1")};
  annulus_index *index = NULL, *other = NULL;
  uint32_t ids[3 * K], same[3 * K], id = 0;
  float distances[3 * K], same_distances[3 * K];
  int reports = 0;
  CHECK(annulus_build(&rows, options, 3, count_reports, &reports, &index, &error) == ANNULUS_OK);
  CHECK(reports > 0);
  CHECK(annulus_size(index) == N && annulus_dim(index) == D);
  CHECK(annulus_memory_bytes(index) > sizeof data);
  CHECK(strcmp(annulus_info(index, "kind"), "nndescent") == 0);
  CHECK(strcmp(annulus_info(index, "metric"), "sqeuclidean") == 0);
  CHECK(strcmp(annulus_info(index, "storage"), "full_precision") == 0);
  CHECK(strcmp(annulus_info(index, "rows"), "rows of float32") == 0);
  CHECK(annulus_info(index, "colour") == NULL && annulus_info(NULL, "kind") == NULL &&
        annulus_info(index, NULL) == NULL);

  CHECK(annulus_search(index, &first, K, NULL, ids, distances, NULL) == ANNULUS_OK);
  for (int i = 0; i < 3; ++i) {
    CHECK(ids[i * K] == (uint32_t)i && distances[i * K] == 0);
    CHECK(distances[i * K] <= distances[i * K + 1] && distances[i * K + 1] <= distances[i * K + 4]);
  }
  REFUSED(annulus_search(index, &first, 0, NULL, ids, distances, &error), ANNULUS_INVALID_ARGUMENT, "k = 0");
  REFUSED(annulus_search(NULL, &first, K, NULL, ids, distances, &error), ANNULUS_INVALID_ARGUMENT, "index");
  REFUSED(annulus_search(index, NULL, K, NULL, ids, distances, &error), ANNULUS_INVALID_ARGUMENT, "queries");
  REFUSED(annulus_search(index, &first, K, NULL, NULL, distances, &error), ANNULUS_INVALID_ARGUMENT, "ids");
  REFUSED(annulus_search(index, &first, K, NULL, ids, NULL, &error), ANNULUS_INVALID_ARGUMENT, "distances");
  {
    annulus_rows wrong = first;
    wrong.dim = D - 1;
    REFUSED(annulus_search(index, &wrong, K, NULL, ids, distances, &error), ANNULUS_INVALID_ARGUMENT, "7");
    wrong = first;
    wrong.dtype = ANNULUS_F64;
    REFUSED(annulus_search(index, &wrong, K, NULL, ids, distances, &error), ANNULUS_INVALID_ARGUMENT, "float32");
    wrong.dtype = (annulus_dtype)17;
    REFUSED(annulus_search(index, &wrong, K, NULL, ids, distances, &error), ANNULUS_INVALID_ARGUMENT, "dtype = 17");
    wrong.layout = (annulus_layout)9;
    REFUSED(annulus_search(index, &wrong, K, NULL, ids, distances, &error), ANNULUS_INVALID_ARGUMENT, "layout = 9");
    wrong = first;
    wrong.data = NULL;
    REFUSED(annulus_search(index, &wrong, K, NULL, ids, distances, &error), ANNULUS_INVALID_ARGUMENT, "data");
  }

  annulus_search_params params;
  annulus_search_defaults(&params);
  CHECK(params.threads == 0 && params.beam == 0 && params.epsilon == 0.1 && params.allow == NULL);
  annulus_search_defaults(NULL);
  const uint32_t allowed[] = {5, 1};
  const uint64_t bits = 0x22; /* of 1 and 5 */
  params.allowed_ids = allowed;
  params.n_allowed = 2;
  CHECK(annulus_search(index, &first, K, &params, ids, distances, &error) == ANNULUS_OK);
  CHECK(ids[0] + ids[1] == 6 && ids[2] == ANNULUS_NO_ID && isinf(distances[2]));
  params.allow = is_even;
  REFUSED(annulus_search(index, &first, K, &params, ids, distances, &error), ANNULUS_INVALID_ARGUMENT, "at most one");
  params.allowed_ids = NULL;
  CHECK(annulus_search(index, &first, K, &params, ids, distances, &error) == ANNULUS_OK);
  CHECK(ids[0] == 0 && ids[K] != 1 && ids[2 * K] == 2);
  params.allow = NULL;
  params.allowed_bits = &bits;
  params.n_allowed = 5; /* the bit of 5 is behind the end */
  CHECK(annulus_search(index, &first, K, &params, ids, distances, &error) == ANNULUS_OK);
  CHECK(ids[0] == 1 && ids[1] == ANNULUS_NO_ID);
  annulus_search_defaults(&params);
  params.n_probes = 3;
  REFUSED(annulus_search(index, &first, K, &params, ids, distances, &error), ANNULUS_INVALID_ARGUMENT, "n_probes");

  annulus_lists lists;
  annulus_buckets buckets;
  CHECK(annulus_radius_search(index, &first, 0.5f, NULL, &lists, &error) == ANNULUS_OK);
  CHECK(lists.n == 3 && lists.indptr[0] == 0 && lists.indptr[1] >= 1 && lists.ids[0] == 0 && lists.values[0] == 0 &&
        lists.n_ids == N);
  annulus_lists_free(&lists);
  CHECK(lists.indptr == NULL && lists.n == 0);
  annulus_lists_free(&lists);
  annulus_lists_free(NULL);
  REFUSED(annulus_radius_search(index, &first, 0.5f, NULL, NULL, &error), ANNULUS_INVALID_ARGUMENT, "found");
  REFUSED(annulus_candidates(index, &first, NULL, &lists, &error), ANNULUS_INVALID_ARGUMENT, "lsh");
  REFUSED(annulus_describe_buckets(index, &buckets, &error), ANNULUS_INVALID_ARGUMENT, "lsh");
  CHECK(annulus_graph(index, &lists, &error) == ANNULUS_OK);
  CHECK(lists.n == N && lists.indptr[N] == 12 * N && lists.ids[0] != 0 && lists.values[0] <= lists.values[1]);
  annulus_lists_free(&lists);

  annulus_tuned tuned;
  CHECK(annulus_tune(index, NULL, 0.9, K, 50, 1, &tuned, &error) == ANNULUS_OK);
  CHECK(tuned.reached && tuned.recall >= 0.9 && tuned.params.beam > 0);
  CHECK(annulus_tune(index, &first, 0.9, K, 3, 1, &tuned, &error) == ANNULUS_OK);
  REFUSED(annulus_tune(index, NULL, 2, K, 50, 1, &tuned, &error), ANNULUS_INVALID_ARGUMENT, "recall_target");
  REFUSED(annulus_tune(index, NULL, 0.9, K, 50, 1, NULL, &error), ANNULUS_INVALID_ARGUMENT, "tuned");

  CHECK(annulus_copy(index, &other, &error) == ANNULUS_OK);
  CHECK(annulus_insert(other, &first, 1, &id, &error) == ANNULUS_OK && id == N);
  CHECK(annulus_insert(other, &first, 1, NULL, &error) == ANNULUS_OK);
  CHECK(annulus_size(other) == N + 6 && annulus_size(index) == N);
  CHECK(annulus_erase(other, 0, &error) == ANNULUS_OK);
  REFUSED(annulus_erase(other, 0, &error), ANNULUS_INVALID_ARGUMENT, "0");
  CHECK(annulus_size(other) == N + 5);
  const annulus_rows row = dense(ANNULUS_F32, data + D, 1, D);
  CHECK(annulus_update(other, 7, &row, &error) == ANNULUS_OK);
  REFUSED(annulus_update(other, 7, &first, &error), ANNULUS_INVALID_ARGUMENT, "one row");
  CHECK(annulus_consolidate(other, &error) == ANNULUS_OK);
  CHECK(annulus_search(other, &row, 2, NULL, ids, distances, &error) == ANNULUS_OK && ids[0] == 1 && ids[1] == 7);
  REFUSED(annulus_copy(NULL, &other, &error), ANNULUS_INVALID_ARGUMENT, "index");
  REFUSED(annulus_copy(index, NULL, &error), ANNULUS_INVALID_ARGUMENT, "copy");
  annulus_free(other);
  annulus_free(NULL);

  CHECK(annulus_search(index, &first, K, NULL, ids, distances, &error) == ANNULUS_OK);
  CHECK(annulus_verify(index, &error) == ANNULUS_OK);
  CHECK(annulus_save(index, path, &error) == ANNULUS_OK);
  REFUSED(annulus_save(index, NULL, &error), ANNULUS_INVALID_ARGUMENT, "path");
  REFUSED(annulus_save(index, "no such folder/file", &error), ANNULUS_SYSTEM_ERROR, "no such folder");
  CHECK(error.code == ENOENT);
  annulus_free(index);
  for (int mapped = 0; mapped < 2; ++mapped) {
    CHECK(annulus_open(path, mapped, &index, &error) == ANNULUS_OK);
    CHECK(annulus_search(index, &first, K, NULL, same, same_distances, &error) == ANNULUS_OK);
    CHECK(memcmp(ids, same, sizeof ids) == 0 && memcmp(distances, same_distances, sizeof distances) == 0);
    CHECK(strcmp(annulus_info(index, "metric"), "sqeuclidean") == 0);
    annulus_free(index);
  }
  REFUSED(annulus_open("no such file", 0, &index, &error), ANNULUS_SYSTEM_ERROR, "no such file");
  CHECK(error.code == ENOENT);
  REFUSED(annulus_open(NULL, 0, &index, &error), ANNULUS_INVALID_ARGUMENT, "path");
  REFUSED(annulus_open(path, 0, NULL, &error), ANNULUS_INVALID_ARGUMENT, "index");
  FILE* file = fopen(path, "wb");
  fputs("this is no index of annulus", file);
  fclose(file);
  REFUSED(annulus_open(path, 0, &index, &error), ANNULUS_FORMAT_ERROR, path);
  remove(path);
}

static void check_refusals_of_build(void) {
  const annulus_rows rows = dense(ANNULUS_F32, data, N, D);
  annulus_index* index = NULL;
  annulus_option option = text("metric", "euclidian");
  REFUSED(annulus_build(&rows, &option, 1, NULL, NULL, &index, &error), ANNULUS_INVALID_ARGUMENT,
          "did you mean euclidean");
  option = text("kind", "hnsw");
  REFUSED(annulus_build(&rows, &option, 1, NULL, NULL, &index, &error), ANNULUS_INVALID_ARGUMENT,
          "flat, nndescent, lsh");
  option = text("n_neighbours", "5");
  REFUSED(annulus_build(&rows, &option, 1, NULL, NULL, &index, &error), ANNULUS_INVALID_ARGUMENT, "n_neighbors");
  option = text("n_neighbors", "five");
  REFUSED(annulus_build(&rows, &option, 1, NULL, NULL, &index, &error), ANNULUS_INVALID_ARGUMENT, "n_neighbors = five");
  option = text(NULL, "5");
  REFUSED(annulus_build(&rows, &option, 1, NULL, NULL, &index, &error), ANNULUS_INVALID_ARGUMENT, "name");
  option = text("w", NULL);
  option.n_numbers = 3;
  REFUSED(annulus_build(&rows, &option, 1, NULL, NULL, &index, &error), ANNULUS_INVALID_ARGUMENT, "w = null");
  const annulus_option twice[] = {text("seed", "1"), text("seed", "1")};
  REFUSED(annulus_build(&rows, twice, 2, NULL, NULL, &index, &error), ANNULUS_INVALID_ARGUMENT, "twice");
  REFUSED(annulus_build(&rows, NULL, 1, NULL, NULL, &index, &error), ANNULUS_INVALID_ARGUMENT, "options");
  REFUSED(annulus_build(NULL, NULL, 0, NULL, NULL, &index, &error), ANNULUS_INVALID_ARGUMENT, "rows");
  REFUSED(annulus_build(&rows, NULL, 0, NULL, NULL, NULL, &error), ANNULUS_INVALID_ARGUMENT, "index");
  REFUSED(annulus_build(&rows, NULL, 0, cancel, NULL, &index, &error), ANNULUS_CANCELLED, "cancelled");
  CHECK(index == NULL);
  annulus_rows huge = rows; /* columns apart are copied, for which there is not enough memory */
  huge.n = (size_t)1 << 45;
  huge.column_stride = 2;
  REFUSED(annulus_build(&huge, NULL, 0, NULL, NULL, &index, &error), ANNULUS_OUT_OF_MEMORY, "memory");
  CHECK(annulus_build(&huge, NULL, 0, NULL, NULL, &index, NULL) == ANNULUS_OUT_OF_MEMORY);
#if defined(WITHOUT_FLOAT64)
  const double numbers[4] = {0, 1, 2, 3};
  const annulus_rows doubles = dense(ANNULUS_F64, numbers, 4, 1);
  REFUSED(annulus_build(&doubles, NULL, 0, NULL, NULL, &index, &error), ANNULUS_INVALID_ARGUMENT, "built without");
#endif
}

static void check_other_kinds(const char* path) {
  const annulus_rows rows = dense(ANNULUS_F32, data, N, D);
  const annulus_rows first = dense(ANNULUS_F32, data, 3, D);
  const char* const kinds[] = {"flat", "lsh", "pq", "opq", "fast_scan", "rabitq"};
  for (int i = 0; i < 6; ++i) {
    const annulus_option given[] = {text("kind", kinds[i]), text("m", "4"), text("ks", "16")};
    const size_t n_options = i >= 2 && i < 5 ? 3 : 1;
    annulus_index *index = NULL, *same = NULL;
    uint32_t ids[3 * K], ids_again[3 * K];
    float distances[3 * K], distances_again[3 * K];
    CHECK(annulus_build(&rows, given, n_options, NULL, NULL, &index, &error) == ANNULUS_OK);
    if (index == NULL) continue;
    CHECK(strcmp(annulus_info(index, "kind"), kinds[i]) == 0);
    CHECK(annulus_search(index, &first, K, NULL, ids, distances, &error) == ANNULUS_OK);
    if (i < 2) CHECK(ids[0] == 0 && ids[K] == 1 && distances[0] == 0);
    CHECK(annulus_verify(index, &error) == ANNULUS_OK);
    CHECK(annulus_save(index, path, &error) == ANNULUS_OK);
    CHECK(annulus_open(path, 1, &same, &error) == ANNULUS_OK);
    CHECK(annulus_search(same, &first, K, NULL, ids_again, distances_again, &error) == ANNULUS_OK);
    CHECK(memcmp(ids, ids_again, sizeof ids) == 0);
    CHECK(memcmp(distances, distances_again, sizeof distances) == 0);
    if (i != 1) REFUSED(annulus_erase(index, 0, &error), ANNULUS_INVALID_ARGUMENT, "nndescent, lsh");
    if (i == 1) {
      annulus_lists lists;
      CHECK(annulus_candidates(index, &first, NULL, &lists, &error) == ANNULUS_OK);
      CHECK(lists.n == 3 && lists.ids[0] == 0 && lists.values[0] >= 1);
      annulus_lists_free(&lists);
      annulus_buckets buckets;
      CHECK(annulus_describe_buckets(index, &buckets, &error) == ANNULUS_OK);
      CHECK(buckets.min >= 1 && buckets.max >= buckets.min && buckets.max <= N);
      CHECK(buckets.mean >= (double)buckets.min && buckets.mean <= (double)buckets.max && buckets.bytes > 0);
      REFUSED(annulus_describe_buckets(index, NULL, &error), ANNULUS_INVALID_ARGUMENT, "buckets");
    }
    annulus_free(same);
    annulus_free(index);
    remove(path);
  }
}

static void check_functions(void) {
  const annulus_rows rows = dense(ANNULUS_F32, data, N, D);
  annulus_option option = text("metric", "cosine");
  uint32_t* ids = malloc(N * 7 * sizeof *ids);
  float* distances = malloc(N * 7 * sizeof *distances);
  CHECK(annulus_knn(&rows, &rows, K, &option, 1, NULL, ids, distances, &error) == ANNULUS_OK);
  CHECK(ids[0] == 0 && ids[K] == 1 && ids[(N - 1) * K] == N - 1);
  REFUSED(annulus_knn(NULL, &rows, K, &option, 1, NULL, ids, distances, &error), ANNULUS_INVALID_ARGUMENT, "data");
  CHECK(annulus_knn_graph(&rows, 7, &option, 1, NULL, NULL, ids, distances, &error) == ANNULUS_OK);
  CHECK(ids[0] != 0 && ids[7 * N - 1] < N && distances[0] <= distances[1]);
  REFUSED(annulus_knn_graph(&rows, 7, &option, 1, cancel, NULL, ids, distances, &error), ANNULUS_CANCELLED,
          "cancelled");
  REFUSED(annulus_knn_graph(&rows, 7, NULL, 0, NULL, NULL, NULL, distances, &error), ANNULUS_INVALID_ARGUMENT, "ids");
  REFUSED(annulus_knn_graph(&rows, 0, NULL, 0, NULL, NULL, ids, distances, &error), ANNULUS_INVALID_ARGUMENT,
          "n_neighbors = 0");
  {
    uint32_t graph[7 * N];
    annulus_index* index = NULL;
    CHECK(annulus_knn_graph(&rows, 7, NULL, 0, NULL, NULL, graph, distances, &error) == ANNULUS_OK);
    annulus_option initial = {"initial", NULL, NULL, 7 * N, NULL, NULL, graph};
    CHECK(annulus_knn_graph(&rows, 7, &initial, 1, NULL, NULL, ids, distances, &error) == ANNULUS_OK);
    CHECK(memcmp(ids, graph, sizeof graph) == 0);
    graph[3] = N;
    REFUSED(annulus_knn_graph(&rows, 7, &initial, 1, NULL, NULL, ids, distances, &error), ANNULUS_INVALID_ARGUMENT,
            "initial id");
    initial.n_numbers = 7 * N - 1;
    REFUSED(annulus_build(&rows, &initial, 1, NULL, NULL, &index, &error), ANNULUS_INVALID_ARGUMENT, "for each of the");
    initial.name = "threads";
    REFUSED(annulus_build(&rows, &initial, 1, NULL, NULL, &index, &error), ANNULUS_INVALID_ARGUMENT, "threads");
    initial.name = "w";
    REFUSED(annulus_knn_graph(&rows, 7, &initial, 1, NULL, NULL, ids, distances, &error), ANNULUS_INVALID_ARGUMENT,
            "w");
    initial = text("initial", "trees");
    REFUSED(annulus_build(&rows, &initial, 1, NULL, NULL, &index, &error), ANNULUS_INVALID_ARGUMENT, "must be ids");
  }
  option = text("n_neighbors", "7");
  REFUSED(annulus_knn_graph(&rows, 7, &option, 1, NULL, NULL, ids, distances, &error), ANNULUS_INVALID_ARGUMENT,
          "option = n_neighbors");
  float values[2 * N];
  CHECK(annulus_approx_top_k(&rows, 2, 1, NULL, 0, values, ids, &error) == ANNULUS_OK);
  for (int i = 0; i < N; ++i)
    for (int j = 0; j < D; ++j) CHECK(values[2 * i] >= data[i * D + j]);
  CHECK(data[ids[0]] == values[0] && values[0] >= values[1]);
  REFUSED(annulus_approx_top_k(&rows, D + 1, 1, NULL, 0, values, ids, &error), ANNULUS_INVALID_ARGUMENT, "k = 9");
  free(ids);
  free(distances);
}

/* The distance by whole units, and in how many calls; NaN of a row that starts with a negative number. */
static float by_units(const float* x, const float* y, size_t dim, void* user) {
  float sum = 0;
  if (x[0] < 0 || y[0] < 0) return NAN;
  for (size_t j = 0; j < dim; ++j) sum += fabsf(x[j] - y[j]);
  return sum * *(const float*)user;
}
static annulus_option function(annulus_distance distance, void* user) {
  annulus_option option = {"metric", NULL, NULL, 0, NULL, NULL, NULL};
  option.distance = distance;
  option.user = user;
  return option;
}

static void check_metrics_of_the_caller(const char* path) {
  const annulus_rows rows = dense(ANNULUS_F32, data, N, D);
  const annulus_rows first = dense(ANNULUS_F32, data, 3, D);
  float unit = 2;
  const annulus_option own = function(by_units, &unit);
  uint32_t ids[3 * K], same[3 * K];
  float distances[3 * K], same_distances[3 * K];
  annulus_index* index = NULL;
  CHECK(annulus_knn(&rows, &first, K, &own, 1, NULL, ids, distances, &error) == ANNULUS_OK);
  for (int i = 0; i < 3; ++i) {
    CHECK(ids[i * K] == (uint32_t)i && distances[i * K] == 0);
    for (int j = 0; j < K; ++j)
      CHECK(distances[i * K + j] == by_units(data + i * D, data + ids[i * K + j] * D, D, &unit));
  }
  const char* const kinds[] = {"flat", "nndescent"};
  for (int i = 0; i < 2; ++i) {
    const annulus_option options[] = {own, text("kind", kinds[i])};
    CHECK(annulus_build(&rows, options, 2, NULL, NULL, &index, &error) == ANNULUS_OK);
    CHECK(strcmp(annulus_info(index, "metric"), "user") == 0);
    CHECK(annulus_search(index, &first, K, NULL, same, same_distances, &error) == ANNULUS_OK);
    CHECK(memcmp(ids, same, sizeof ids) == 0 && memcmp(distances, same_distances, sizeof distances) == 0);
    CHECK(annulus_save(index, path, &error) == ANNULUS_OK);
    annulus_free(index);
    for (int mapped = 0; mapped < 2; ++mapped) {
      float other_unit = 4;
      CHECK(annulus_open_with(path, mapped, by_units, &other_unit, &index, &error) == ANNULUS_OK);
      CHECK(strcmp(annulus_info(index, "metric"), "user") == 0);
      CHECK(annulus_search(index, &first, K, NULL, same, same_distances, &error) == ANNULUS_OK);
      CHECK(memcmp(ids, same, sizeof ids) == 0 && same_distances[1] == 2 * distances[1]);
      annulus_free(index);
    }
    REFUSED(annulus_open(path, 0, &index, &error), ANNULUS_INVALID_ARGUMENT, "annulus_open_with");
    REFUSED(annulus_open_with(path, 0, NULL, &unit, &index, &error), ANNULUS_INVALID_ARGUMENT, "annulus_open_with");
  }
  {
    const annulus_option named = text("kind", "flat");
    CHECK(annulus_build(&rows, &named, 1, NULL, NULL, &index, &error) == ANNULUS_OK);
    CHECK(annulus_save(index, path, &error) == ANNULUS_OK);
    annulus_free(index);
    REFUSED(annulus_open_with(path, 0, by_units, &unit, &index, &error), ANNULUS_INVALID_ARGUMENT, "euclidean");
    CHECK(annulus_open_with(path, 0, NULL, NULL, &index, &error) == ANNULUS_OK);
    annulus_free(index);
    remove(path);
  }

  uint32_t* graph_ids = malloc(N * K * sizeof *graph_ids);
  float* graph_distances = malloc(N * K * sizeof *graph_distances);
  CHECK(annulus_knn_graph(&rows, K, &own, 1, NULL, NULL, graph_ids, graph_distances, &error) == ANNULUS_OK);
  CHECK(graph_ids[0] == ids[1] && graph_distances[0] == distances[1]);
  free(graph_ids);
  free(graph_distances);

  /* A row at NaN from all others is no neighbour; a query at NaN has none. */
  float corner[D] = {-1};
  const annulus_rows query = dense(ANNULUS_F32, corner, 1, D);
  CHECK(annulus_knn(&rows, &query, K, &own, 1, NULL, ids, distances, &error) == ANNULUS_OK);
  CHECK(ids[0] == ANNULUS_NO_ID && isinf(distances[0]));
  CHECK(annulus_knn(&query, &first, K, &own, 1, NULL, ids, distances, &error) == ANNULUS_OK);
  CHECK(ids[0] == ANNULUS_NO_ID && isinf(distances[0]));

  /* What takes names alone says so. */
  const annulus_option of_codes[] = {own, text("kind", "pq"), text("m", "4")};
  REFUSED(annulus_build(&rows, of_codes, 3, NULL, NULL, &index, &error), ANNULUS_INVALID_ARGUMENT,
          "metric = a function");
  const annulus_option of_tables[] = {own, text("kind", "lsh")};
  REFUSED(annulus_build(&rows, of_tables, 2, NULL, NULL, &index, &error), ANNULUS_INVALID_ARGUMENT,
          "metric = a function");
  const annulus_option of_bytes[] = {own, text("storage", "sq8")};
  REFUSED(annulus_build(&rows, of_bytes, 2, NULL, NULL, &index, &error), ANNULUS_INVALID_ARGUMENT, "storage = sq8");
  const annulus_option with_p[] = {own, text("p", "3")};
  REFUSED(annulus_build(&rows, with_p, 2, NULL, NULL, &index, &error), ANNULUS_INVALID_ARGUMENT, "option = p");
  annulus_option other = own;
  other.name = "n_neighbors";
  REFUSED(annulus_build(&rows, &other, 1, NULL, NULL, &index, &error), ANNULUS_INVALID_ARGUMENT, "n_neighbors");
  other = own;
  other.numbers = (const double*)(const void*)data;
  other.n_numbers = 1;
  REFUSED(annulus_build(&rows, &other, 1, NULL, NULL, &index, &error), ANNULUS_INVALID_ARGUMENT, "one of them");
#if !defined(WITHOUT_FLOAT64)
  const double numbers[4] = {0, 1, 2, 3};
  const annulus_rows doubles = dense(ANNULUS_F64, numbers, 4, 1);
  REFUSED(annulus_build(&doubles, &own, 1, NULL, NULL, &index, &error), ANNULUS_INVALID_ARGUMENT,
          "dense rows of float32, not rows of float64");
#endif
}

/* What codes say of `codec`: they decode to the nearest codewords, and tables have the distances to these. */
static void check_codec(const annulus_codec* codec, size_t code_bytes, int is_rotated) {
  const annulus_rows rows = dense(ANNULUS_F32, data, N, D);
  const annulus_rows first = dense(ANNULUS_F32, data, 1, D);
  annulus_codec_shape shape;
  CHECK(annulus_codec_describe(codec, &shape, &error) == ANNULUS_OK);
  CHECK(shape.dim == D && shape.m == 4 && shape.ds == 2 && shape.code_bytes == code_bytes &&
        shape.is_rotated == is_rotated);
  unsigned char* codes = malloc(N * 4 * code_bytes);
  float* decoded = malloc(N * D * sizeof *decoded);
  float* table = malloc(4 * shape.ks * sizeof *table);
  float* codewords = malloc(D * shape.ks * sizeof *codewords);
  float* distances = malloc(N * sizeof *distances);
  CHECK(annulus_codec_encode(codec, &rows, 1, codes, &error) == ANNULUS_OK);
  CHECK(annulus_codec_decode(codec, codes, N, 0, decoded, &error) == ANNULUS_OK);
  CHECK(annulus_codec_tables(codec, &first, table, &error) == ANNULUS_OK);
  CHECK(annulus_codec_distances(codec, table, codes, N, 0, distances, &error) == ANNULUS_OK);
  CHECK(annulus_codec_codewords(codec, codewords, &error) == ANNULUS_OK);
  for (int i = 0; i < N; ++i) {
    float distance = 0;
    for (int j = 0; j < D; ++j) {
      const float difference = data[j] - decoded[i * D + j];
      distance += difference * difference;
      CHECK(fabsf(data[i * D + j] - decoded[i * D + j]) < 0.5f);
    }
    CHECK(fabsf(distance - distances[i]) < 1e-4f);
  }
  if (!is_rotated && code_bytes == 1)
    for (int j = 0; j < D; ++j) CHECK(decoded[j] == codewords[((size_t)(j / 2) * shape.ks + codes[j / 2]) * 2 + j % 2]);

  annulus_rows wrong = rows;
  wrong.dim = D - 1;
  REFUSED(annulus_codec_encode(codec, &wrong, 1, codes, &error), ANNULUS_INVALID_ARGUMENT, "dimension = 7");
  REFUSED(annulus_codec_tables(codec, &wrong, table, &error), ANNULUS_INVALID_ARGUMENT, "dimension = 7");
  REFUSED(annulus_codec_encode(codec, &rows, 1, NULL, &error), ANNULUS_INVALID_ARGUMENT, "codes = null");
  REFUSED(annulus_codec_encode(codec, NULL, 1, codes, &error), ANNULUS_INVALID_ARGUMENT, "rows = null");
  REFUSED(annulus_codec_decode(codec, codes, N, 1, NULL, &error), ANNULUS_INVALID_ARGUMENT, "rows = null");
  REFUSED(annulus_codec_decode(codec, NULL, N, 1, decoded, &error), ANNULUS_INVALID_ARGUMENT, "codes = null");
  REFUSED(annulus_codec_tables(codec, NULL, table, &error), ANNULUS_INVALID_ARGUMENT, "queries = null");
  REFUSED(annulus_codec_tables(codec, &first, NULL, &error), ANNULUS_INVALID_ARGUMENT, "tables = null");
  REFUSED(annulus_codec_distances(codec, NULL, codes, N, 1, distances, &error), ANNULUS_INVALID_ARGUMENT,
          "table = null");
  REFUSED(annulus_codec_distances(codec, table, NULL, N, 1, distances, &error), ANNULUS_INVALID_ARGUMENT,
          "codes = null");
  REFUSED(annulus_codec_distances(codec, table, codes, N, 1, NULL, &error), ANNULUS_INVALID_ARGUMENT,
          "distances = null");
  REFUSED(annulus_codec_codewords(codec, NULL, &error), ANNULUS_INVALID_ARGUMENT, "codewords = null");
  REFUSED(annulus_codec_describe(codec, NULL, &error), ANNULUS_INVALID_ARGUMENT, "shape = null");
  CHECK(annulus_codec_decode(codec, NULL, 0, 1, NULL, &error) == ANNULUS_OK);
  memset(codes, 0xff, N * 4 * code_bytes);
  REFUSED(annulus_codec_decode(codec, codes, N, 1, decoded, &error), ANNULUS_INVALID_ARGUMENT, "must be below ks");
  REFUSED(annulus_codec_distances(codec, table, codes, N, 1, distances, &error), ANNULUS_INVALID_ARGUMENT,
          "must be below ks");
  if (code_bytes > 1)
    REFUSED(annulus_codec_decode(codec, codes + 1, 1, 1, decoded, &error), ANNULUS_INVALID_ARGUMENT, "multiple of 2");

  float rotation[D * D];
  if (is_rotated) CHECK(annulus_codec_rotation(codec, rotation, &error) == ANNULUS_OK);
  else REFUSED(annulus_codec_rotation(codec, rotation, &error), ANNULUS_INVALID_ARGUMENT, "has no rotation");
  annulus_codec* same = NULL;
  CHECK(annulus_codec_of(codewords, is_rotated ? rotation : NULL, shape.m, shape.ks, shape.ds, NULL, 0, &same,
                         &error) == ANNULUS_OK);
  float* same_table = malloc(4 * shape.ks * sizeof *table);
  CHECK(annulus_codec_tables(same, &first, same_table, &error) == ANNULUS_OK);
  CHECK(memcmp(table, same_table, 4 * shape.ks * sizeof *table) == 0);
  annulus_codec_free(same);
  free(same_table);
  free(distances);
  free(codewords);
  free(table);
  free(decoded);
  free(codes);
}

static void check_codecs(void) {
  const annulus_rows rows = dense(ANNULUS_F32, data, N, D);
  annulus_codec* codec = NULL;
  int reports = 0;
  const char* const kinds[] = {"pq", "opq"};
  const char* const ks[] = {"16", "300"};
  for (int i = 0; i < 4; ++i) {
    const annulus_option options[] = {text("kind", kinds[i / 2]), text("m", "4"), text("ks", ks[i % 2])};
    codec = NULL;
    CHECK(annulus_codec_train(&rows, options, 3, count_reports, &reports, &codec, &error) == ANNULUS_OK);
    if (codec != NULL) check_codec(codec, i % 2 == 0 ? 1 : 2, i / 2);
    annulus_codec_free(codec);
  }
  CHECK(reports > 0);
  annulus_codec_free(NULL);

  annulus_option option = text("m", "4");
  codec = NULL;
  REFUSED(annulus_codec_train(&rows, &option, 1, cancel, NULL, &codec, &error), ANNULUS_CANCELLED, "cancelled");
  REFUSED(annulus_codec_train(&rows, NULL, 0, NULL, NULL, &codec, &error), ANNULUS_INVALID_ARGUMENT, "m = none");
  REFUSED(annulus_codec_train(NULL, &option, 1, NULL, NULL, &codec, &error), ANNULUS_INVALID_ARGUMENT, "rows = null");
  REFUSED(annulus_codec_train(&rows, &option, 1, NULL, NULL, NULL, &error), ANNULUS_INVALID_ARGUMENT, "codec = null");
  const annulus_option of_kind[] = {option, text("kind", "rabitq")};
  REFUSED(annulus_codec_train(&rows, of_kind, 2, NULL, NULL, &codec, &error), ANNULUS_INVALID_ARGUMENT, "pq, opq");
  const annulus_option of_metric[] = {option, text("metric", "euclidean")};
  REFUSED(annulus_codec_train(&rows, of_metric, 2, NULL, NULL, &codec, &error), ANNULUS_INVALID_ARGUMENT,
          "sqeuclidean, inner_product, cosine");
  const annulus_option of_iter[] = {option, text("pq_iter", "3")};
  REFUSED(annulus_codec_train(&rows, of_iter, 2, NULL, NULL, &codec, &error), ANNULUS_INVALID_ARGUMENT, "iter");
  annulus_rows wrong = rows;
  wrong.dtype = ANNULUS_U8;
  REFUSED(annulus_codec_train(&wrong, &option, 1, NULL, NULL, &codec, &error), ANNULUS_INVALID_ARGUMENT,
          "rows of float32");

  const float codewords[] = {0, 1, 2, 3}; /* 2 x 2 x 1 */
  const float turned[] = {0, 1, -1, 0}, stretched[] = {2, 0, 0, 1};
  annulus_option of_dim = text("dim", "3");
  REFUSED(annulus_codec_of(NULL, NULL, 2, 2, 1, NULL, 0, &codec, &error), ANNULUS_INVALID_ARGUMENT, "codewords = null");
  REFUSED(annulus_codec_of(codewords, NULL, 0, 2, 1, NULL, 0, &codec, &error), ANNULUS_INVALID_ARGUMENT, "m = 0");
  REFUSED(annulus_codec_of(codewords, NULL, 2, 0, 1, NULL, 0, &codec, &error), ANNULUS_INVALID_ARGUMENT, "ks = 0");
  REFUSED(annulus_codec_of(codewords, NULL, 2, 2, 0, NULL, 0, &codec, &error), ANNULUS_INVALID_ARGUMENT, "columns = 0");
  REFUSED(annulus_codec_of(codewords, NULL, SIZE_MAX, 2, 1, NULL, 0, &codec, &error), ANNULUS_INVALID_ARGUMENT,
          "overflows");
  REFUSED(annulus_codec_of(codewords, stretched, 2, 2, 1, NULL, 0, &codec, &error), ANNULUS_INVALID_ARGUMENT,
          "orthonormal");
  REFUSED(annulus_codec_of(codewords, NULL, 2, 2, 1, &of_dim, 1, &codec, &error), ANNULUS_INVALID_ARGUMENT, "dim = 3");
  REFUSED(annulus_codec_of(codewords, NULL, 2, 2, 1, &option, 1, &codec, &error), ANNULUS_INVALID_ARGUMENT,
          "option = m");
  REFUSED(annulus_codec_of(codewords, NULL, 2, 2, 1, NULL, 0, NULL, &error), ANNULUS_INVALID_ARGUMENT, "codec = null");
  CHECK(codec == NULL);
  const annulus_option of_products = text("metric", "inner_product");
  CHECK(annulus_codec_of(codewords, turned, 2, 2, 1, &of_products, 1, &codec, &error) == ANNULUS_OK);
  const float query[] = {5, 7}; /* turned to (-7, 5) */
  const annulus_rows queries = dense(ANNULUS_F32, query, 1, 2);
  float table[4];
  uint8_t code[2];
  CHECK(annulus_codec_tables(codec, &queries, table, &error) == ANNULUS_OK);
  CHECK(table[0] == 0 && table[1] == -7 && table[2] == 10 && table[3] == 15);
  CHECK(annulus_codec_encode(codec, &queries, 1, code, &error) == ANNULUS_OK);
  CHECK(code[0] == 0 && code[1] == 1);
  float distance;
  CHECK(annulus_codec_distances(codec, table, code, 1, 1, &distance, &error) == ANNULUS_OK && distance == 15);
  annulus_codec_free(codec);

  annulus_codec_shape shape;
  REFUSED(annulus_codec_describe(NULL, &shape, &error), ANNULUS_INVALID_ARGUMENT, "codec = null");
  REFUSED(annulus_codec_codewords(NULL, table, &error), ANNULUS_INVALID_ARGUMENT, "codec = null");
  REFUSED(annulus_codec_rotation(NULL, table, &error), ANNULUS_INVALID_ARGUMENT, "codec = null");
  REFUSED(annulus_codec_encode(NULL, &queries, 1, code, &error), ANNULUS_INVALID_ARGUMENT, "codec = null");
  REFUSED(annulus_codec_decode(NULL, code, 1, 1, table, &error), ANNULUS_INVALID_ARGUMENT, "codec = null");
  REFUSED(annulus_codec_tables(NULL, &queries, table, &error), ANNULUS_INVALID_ARGUMENT, "codec = null");
  REFUSED(annulus_codec_distances(NULL, table, code, 1, 1, table, &error), ANNULUS_INVALID_ARGUMENT, "codec = null");
}

/* Where ANNULUS_ISA names no set that there is, everything says so. */
static void check_without_a_set(void) {
  const annulus_rows rows = dense(ANNULUS_F32, data, N, D);
  annulus_index* index = NULL;
  annulus_codec* codec = NULL;
  annulus_lists lists = {0, NULL, NULL, NULL, 0};
  uint32_t id;
  float distance;
  CHECK(annulus_instruction_set()[0] == '\0');
  REFUSED(annulus_build(&rows, NULL, 0, NULL, NULL, &index, &error), ANNULUS_INVALID_ARGUMENT, "ANNULUS_ISA = ");
  REFUSED(annulus_open("x", 0, &index, &error), ANNULUS_INVALID_ARGUMENT, ": must be an instruction set");
  CHECK(annulus_knn(&rows, &rows, 1, NULL, 0, NULL, &id, &distance, NULL) == ANNULUS_INVALID_ARGUMENT);
  REFUSED(annulus_codec_train(&rows, NULL, 0, NULL, NULL, &codec, &error), ANNULUS_INVALID_ARGUMENT, "ANNULUS_ISA = ");
  CHECK(annulus_size(NULL) == 0);
  annulus_free(NULL);
  annulus_codec_free(NULL);
  annulus_lists_free(&lists);
}

/* Arguments: a file to write to, the instruction set that is expected ("none": none). */
int main(int n_arguments, char** arguments) {
  const char* const path = n_arguments > 1 ? arguments[1] : "c_interface.index";
  uint32_t state = 1;
  for (int i = 0; i < N * D; ++i) {
    state = state * 1664525u + 1013904223u;
    data[i] = (float)(state >> 8) / (float)(1 << 24);
  }
  printf("annulus %s for %s\n", annulus_version(), annulus_instruction_set());
  if (n_arguments > 2 && strcmp(arguments[2], "none") == 0) {
    check_without_a_set();
    return failures == 0 ? 0 : 1;
  }
  CHECK(n_arguments < 3 || strcmp(annulus_instruction_set(), arguments[2]) == 0);
  check_graph_index(path);
  check_refusals_of_build();
  check_other_kinds(path);
  check_functions();
  check_metrics_of_the_caller(path);
  check_codecs();
  return failures == 0 ? 0 : 1;
}
