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
  annulus_option option = {NULL, NULL, NULL, 0};
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
  const annulus_option options[] = {
      {"metric", "sqeuclidean", NULL, 0}, {"n_neighbors", "12", NULL, 0}, {"threads", "1", NULL, 0}};
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
  const annulus_option twice[] = {{"seed", "1", NULL, 0}, {"seed", "1", NULL, 0}};
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
    const annulus_option options[] = {{"kind", NULL, NULL, 0}, {"m", "4", NULL, 0}, {"ks", "16", NULL, 0}};
    annulus_option given[3];
    memcpy(given, options, sizeof given);
    given[0].text = kinds[i];
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
  option = text("n_neighbors", "7");
  CHECK(annulus_knn_graph(&rows, &option, 1, NULL, NULL, ids, distances, &error) == ANNULUS_OK);
  CHECK(ids[0] != 0 && ids[7 * N - 1] < N && distances[0] <= distances[1]);
  REFUSED(annulus_knn_graph(&rows, &option, 1, cancel, NULL, ids, distances, &error), ANNULUS_CANCELLED, "cancelled");
  REFUSED(annulus_knn_graph(&rows, &option, 1, NULL, NULL, NULL, distances, &error), ANNULUS_INVALID_ARGUMENT, "ids");
  float values[2 * N];
  CHECK(annulus_approx_top_k(&rows, 2, 1, NULL, 0, values, ids, &error) == ANNULUS_OK);
  for (int i = 0; i < N; ++i)
    for (int j = 0; j < D; ++j) CHECK(values[2 * i] >= data[i * D + j]);
  CHECK(data[ids[0]] == values[0] && values[0] >= values[1]);
  REFUSED(annulus_approx_top_k(&rows, D + 1, 1, NULL, 0, values, ids, &error), ANNULUS_INVALID_ARGUMENT, "k = 9");
  free(ids);
  free(distances);
}

/* Where ANNULUS_ISA names no set that there is, everything says so. */
static void check_without_a_set(void) {
  const annulus_rows rows = dense(ANNULUS_F32, data, N, D);
  annulus_index* index = NULL;
  annulus_lists lists = {0, NULL, NULL, NULL, 0};
  uint32_t id;
  float distance;
  CHECK(annulus_instruction_set()[0] == '\0');
  REFUSED(annulus_build(&rows, NULL, 0, NULL, NULL, &index, &error), ANNULUS_INVALID_ARGUMENT, "ANNULUS_ISA = ");
  REFUSED(annulus_open("x", 0, &index, &error), ANNULUS_INVALID_ARGUMENT, ": must be an instruction set");
  CHECK(annulus_knn(&rows, &rows, 1, NULL, 0, NULL, &id, &distance, NULL) == ANNULUS_INVALID_ARGUMENT);
  CHECK(annulus_size(NULL) == 0);
  annulus_free(NULL);
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
  return failures == 0 ? 0 : 1;
}
